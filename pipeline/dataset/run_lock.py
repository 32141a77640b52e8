"""Locks an output folder: one run at a time."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping
from typing import IO, Any

from maskmill.names import LOCK
from maskmill.pipeline.dataset.store_lock import StoreLock
from maskmill.pipeline.errors import MaskmillError
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.files.read_write import make_folder, read_bytes_if_there
from maskmill.transforms.files.stores import store_of

# In the message of a store that does not know conditional requests.
_NOT_IMPLEMENTED = "NotImplemented"


@contextlib.contextmanager
def locked(root: str, shown: str, run: str, *, no_lock: bool = False) -> Iterator[None]:
    """Keeps other runs out of an output folder while the body runs.

    It makes the folder if necessary, and removes it at the end if it made it and nothing is in it.

    On a local file system this is the operating system's lock on the file `.lock` (flock(2)): it ends with the process,
    however that ends. In an object store it is an object of that name, see `store_lock`. Others have no lock.

    Args:
        root: the folder, absolute.
        shown: the folder as given, for messages.
        run: id of this run.
        no_lock: takes no lock, and only leaves the run's name there: see `check_not_superseded`.

    Raises:
        MaskmillError: another run is writing there, or the folder cannot be locked or written to.
    """
    if no_lock:
        with _named(root, shown, run):
            yield
        return
    if not is_local(root):
        with _locked_in_store(root, shown, run):
            yield
        return
    is_new = not os.path.isdir(root)
    with _acquire(root, shown, run):
        try:
            yield
        finally:
            release(root, run)
            if is_new:
                with contextlib.suppress(OSError):  # usually there is something in it
                    os.rmdir(root)


def can_lock(root: str) -> bool:
    """Returns whether a folder is on a file system on which `locked` keeps other runs out."""
    return is_local(root) or store_of(root) is not None


def warn_of_no_lock(shown: str) -> str:
    """Says what a run without a lock asks of a person."""
    return f"no lock is taken (--no_lock): see to it that nothing else writes to {shown}; two runs would damage it"


@contextlib.contextmanager
def _named(root: str, shown: str, run: str) -> Iterator[None]:
    text = json.dumps(_describe_this_run(run))
    try:
        if store := store_of(root):
            store.write(join(root, LOCK), text.encode())
        elif is_local(root):
            make_folder(root)
            with open(join(root, LOCK), "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise _unwritable(shown, error) from error
    try:
        yield
    finally:
        release(root, run)


@contextlib.contextmanager
def _locked_in_store(root: str, shown: str, run: str) -> Iterator[None]:
    if (store := store_of(root)) is None:
        yield
        return
    lock = StoreLock(store, join(root, LOCK), _describe_this_run(run))
    try:
        owner = lock.acquire()
    except OSError as error:
        if _NOT_IMPLEMENTED in str(error):
            raise _lockless(shown, "store", str(error)) from error
        raise
    if owner is not None:
        raise MaskmillError(_refusal(owner, shown))
    with lock.renewed():
        yield


def release(root: str, run: str) -> None:
    """Releases this process's lock; also called by a process that has to stop at once."""
    with contextlib.suppress(OSError):
        if is_local(root):
            os.remove(join(root, LOCK))
        elif store := store_of(root):
            StoreLock(store, join(root, LOCK), {"run": run}).release()


def check_not_superseded(root: str, shown: str, run: str) -> None:
    """Refuses to go on if another run has begun in the meantime.

    A run may outlive the process that holds its lock: its workers are other processes, or those of a cluster.

    Raises:
        MaskmillError: the lock belongs to another run.
    """
    found = read_bytes_if_there(join(root, LOCK))
    if found is not None and json.loads(found or b"{}").get("run") != run:
        raise MaskmillError(f"another run has begun to write to {shown}; this one publishes nothing")


def _acquire(root: str, shown: str, run: str) -> IO[str]:
    path = join(root, LOCK)
    try:
        while True:
            make_folder(root)
            try:
                file = open(path, "a+", encoding="utf-8")  # noqa: SIM115
            except FileNotFoundError:
                if os.path.isdir(root):
                    raise
                continue  # another run has just removed the folder, in which nothing was left
            _flock(file, path, shown)
            # Otherwise the run that held the lock has just removed the file.
            if _is_at(file, path):
                return _sign(file, run)
            file.close()
    except BlockingIOError as error:
        with file:
            raise MaskmillError(_describe_owner(file, shown)) from error
    except OSError as error:
        raise _unwritable(shown, error) from error


def _flock(file: IO[str], path: str, shown: str) -> None:
    """Locks an open file.

    Raises:
        BlockingIOError: it is locked.
        MaskmillError: its file system cannot lock files.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        file.close()
        with contextlib.suppress(OSError):
            if os.path.getsize(path) == 0:  # else a run without a lock has left its name
                os.remove(path)
        raise _lockless(shown, "file system", error.strerror or str(error)) from error


def _lockless(shown: str, what: str, why: str) -> MaskmillError:
    advice = "if nothing else writes there, add --no_lock; else choose another folder"
    return MaskmillError(
        f"{shown}: its {what} cannot lock a file ({why}), so a second run there would go unseen; {advice}"
    )


def _unwritable(shown: str, error: OSError) -> MaskmillError:
    return MaskmillError(f"{shown}: cannot be written to ({error}); choose another --output_dir")


def _sign(file: IO[str], run: str) -> IO[str]:
    try:
        file.truncate(0)
        json.dump(_describe_this_run(run), file)
        file.flush()
    except OSError:
        # Else Python 3.13 reports the text that is left in the buffer when it collects the file.
        with contextlib.suppress(OSError):
            file.close()
        raise
    return file


def _describe_this_run(run: str) -> dict[str, Any]:
    since = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    return {"run": run, "process": os.getpid(), "host": socket.gethostname(), "since": since}


def _is_at(file: IO[str], path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _describe_owner(file: IO[str], shown: str) -> str:
    file.seek(0)
    try:
        return _refusal(json.load(file), shown)
    except ValueError:
        return _refusal({}, shown)


def _refusal(owner: Mapping[str, Any], shown: str) -> str:
    try:
        who = f" (process {owner['process']} on {owner['host']}, since {owner['since']})"
    except (KeyError, TypeError):
        who = ""
    return f"another run is writing to {shown} at this moment{who}; wait until it ends, or choose another --output_dir"

"""The functions that a program calls in place of the commands: the same work, with results instead of messages."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from maskmill.names import is_utf8
from maskmill.pipeline.arguments.argument_types import at_least, file_name, folder, percentage
from maskmill.pipeline.arguments.create_arguments import CreateArguments
from maskmill.pipeline.arguments.hints import nearest
from maskmill.pipeline.errors import MaskmillError, UsageError, error_of
from maskmill.pipeline.job.rejected_limit import RejectedLimit, parse_limit
from maskmill.pipeline.messages.run_log import TEXT, RunLog
from maskmill.pipeline.runners.import_beam import import_beam
from maskmill.pipeline.runners.interruptible import uninterrupted
from maskmill.pipeline.runners.silent_beam import silent_beam
from maskmill.transforms.files.errors import NameNotUtf8Error

if TYPE_CHECKING:
    import apache_beam as beam

    from maskmill.pipeline.messages.plan import Plan
    from maskmill.pipeline.messages.progress_bar import Watch
    from maskmill.pipeline.messages.result import Result
    from maskmill.pipeline.verify.findings import Findings

Path = str | os.PathLike[str]
Value = TypeVar("Value")

# Flags of the command line in messages, by what a program writes instead.
_VALUES = ("params", "output_dir", "num_output_files", "num_processes", "name", "workers", "max_rejected", "reuse")
_LIMITS = ("min_examples", "max_change")
_SWITCHES = ("checksum", "verify", "overwrite", "no_lock")
_KEYWORDS = {name: name for name in (*_VALUES, *_LIMITS)} | {name: f"{name}=True" for name in _SWITCHES}
_FLAGS = re.compile(rf"--({'|'.join(_KEYWORDS)})\b")


# Options with which a runner runs nothing.
_ONLY_TRANSLATE = ("--template_location", "--dry_run")


def create(
    params: Path | Mapping[str, Any],
    output_dir: Path = "hdf5_dataset",
    *,
    num_output_files: int = 10,
    num_processes: int = 1,
    name: str = "preprocessed_data",
    workers: int | None = None,
    max_rejected: int | str = 0,
    min_examples: int = 0,
    max_change: float | str | None = None,
    checksum: bool = False,
    verify: bool = False,
    overwrite: bool = False,
    no_lock: bool = False,
    reuse: Path | None = None,
    transform: beam.PTransform | None = None,
    progress: Watch = False,
    beam_options: Sequence[str] = (),
) -> Result:
    """Makes a dataset, or brings it up to date, as `maskmill create` does. It prints nothing unless asked to.

    Args:
        params: path of the parameter file, or its content.
        output_dir: folder of the dataset.
        num_output_files: number of HDF5 files of each split.
        num_processes: affects only the layout: splits the examples into as many consecutive ranges; 0 is the number of
            CPUs.
        name: first part of the file names.
        workers: cores to use; None is all.
        max_rejected: rows and images that may be bad: a number, or a percentage of the rows such as "0.5%".
        min_examples: publishes nothing if there are fewer examples, in all splits.
        max_change: publishes nothing if the number of examples differs by more than so many percent from the dataset
            before (in the output folder, or else that of `reuse`), or the share of a class by more than so many
            percentage points; None allows any change.
        checksum: detects changed images by content (reads every image) instead of size and time.
        verify: reads every file that is kept, copied or resumed, and writes damaged ones again.
        overwrite: replaces HDF5 files in the folder that maskmill did not write.
        no_lock: takes no lock, for a file system that has none.
        reuse: an earlier dataset to copy unchanged shards from, or a folder of datasets with latest.json.
        transform: applied to the selected examples before they are assigned to splits and shards: from a PCollection of
            `maskmill.transforms.SelectedExample` to one. It may drop examples, drop or change their rows, and set their
            groups.
        progress: True shows a bar, on standard error or in a notebook; a function is called from another thread with
            what is done, what is expected (None if it is not known yet) and the unit ("images", "shards" or "bytes").
        beam_options: options of Apache Beam, as on the command line: `["--runner=FlinkRunner", ...]`.

    Returns:
        what was made; `print` shows the summary.

    Raises:
        UsageError: a keyword, the parameters or the input is wrong; nothing was done.
        TooManyRejectedError: more rows and images are bad than `max_rejected` allows; nothing was published.
        ChangedTooMuchError: `min_examples` or `max_change` does not allow the dataset; nothing was published.
        MaskmillError: the run failed, also by an error of the operating system; nothing was published.
        KeyboardInterrupt: Ctrl-C stopped the run; nothing was published, and the same call resumes.
    """
    keywords = locals()
    with _as_library():
        arguments = _create_arguments(**keywords)
        with uninterrupted():
            from maskmill.pipeline.create.make_dataset import make_dataset
            from maskmill.pipeline.create.stop_on_signal import interrupt_on_signal

        log = _silent_log(progress)
        result = make_dataset(arguments, log.err, log, interrupt_on_signal)
    assert result is not None, "a job that is only translated was refused above"
    return dataclasses.replace(result, warnings=tuple(map(_in_python, result.warnings)))


def plan(
    params: Path | Mapping[str, Any],
    output_dir: Path = "hdf5_dataset",
    *,
    num_output_files: int = 10,
    num_processes: int = 1,
    name: str = "preprocessed_data",
    workers: int | None = None,
    max_rejected: int | str = 0,
    min_examples: int = 0,
    max_change: float | str | None = None,
    checksum: bool = False,
    verify: bool = False,
    overwrite: bool = False,
    no_lock: bool = False,
    reuse: Path | None = None,
    transform: beam.PTransform | None = None,
    progress: Watch = False,
    beam_options: Sequence[str] = (),
) -> Plan:
    """Says what `create` would do with the same arguments, and changes nothing, as `maskmill plan` does.

    It runs in this process, whatever runner is named, and decodes no image.

    Args:
        params, output_dir, num_output_files, num_processes, name, workers, max_rejected, min_examples,
            max_change, checksum, verify, overwrite, no_lock, reuse, transform, beam_options: see `create`.
        progress: see `create`; there is only some to show with `verify`.

    Returns:
        the plan; `print` shows what the command says.

    Raises:
        UsageError: a keyword, the parameters or the input is wrong.
        MaskmillError: the input cannot be read to its end.
    """
    keywords = locals()
    with _as_library():
        arguments = _create_arguments(**keywords)
        with uninterrupted():
            from maskmill.pipeline.plan.plan_dataset import plan_dataset

        planned = plan_dataset(arguments, _silent_log(progress))
    return dataclasses.replace(planned, warnings=tuple(map(_in_python, planned.warnings)))


def verify(path: Path, *, quick: bool = False, workers: int | None = None, progress: Watch = False) -> Findings:
    """Checks that a finished dataset is what was written, as `maskmill verify` does.

    Args:
        path: folder of the dataset, on any file system.
        quick: looks at names and sizes only.
        workers: number of threads; None is one a core.
        progress: see `create`; the unit is "bytes".

    Returns:
        the findings. Their `problems` are empty if the dataset is whole; damage raises no exception.

    Raises:
        UsageError: a keyword is wrong, or there is no such folder.
        DamagedError: there is no dataset in the folder, or one whose publishing was interrupted.
        MaskmillError: a later version wrote the dataset, or the folder cannot be read.
    """
    with _as_library():
        directory = _folder("path", path)
        threads = None if workers is None else _whole("workers", workers, least=1)
        _check_switch("quick", quick)
        _check_progress(progress)
        with uninterrupted():
            from maskmill.pipeline.messages.progress_bar import show_progress
            from maskmill.pipeline.verify.verify_dataset import verify as verify_dataset
            from maskmill.transforms.parallel.progress import Progress

        counted = Progress()
        with show_progress(counted, io.StringIO(), quiet=False, unit="bytes", watch=progress):
            return verify_dataset(directory, quick=quick, workers=threads, progress=counted)


def report(path: Path, output: Path | None = None, *, progress: Watch = False) -> str:
    """Writes one HTML page about a finished dataset, as `maskmill report` does.

    Args:
        path: folder of the dataset.
        output: path of the page, whose folder is made if it is missing; None is report.html in the dataset's folder.
        progress: see `create`.

    Returns:
        the path of the page.

    Raises:
        UsageError: a keyword is wrong, a library is missing (extra `report`), or no file can be at `output`.
        DamagedError: there is no such dataset, or it is not whole.
        MaskmillError: the dataset cannot be read, or the page cannot be written.
    """
    with _as_library():
        directory, page = _folder("path", path), "" if output is None else _text("output", output)
        _check_progress(progress)
        with uninterrupted():
            from maskmill.pipeline.report.write_report import write_report

        return write_report(directory, page, quiet=False, err=io.StringIO(), watch=progress).path


def _create_arguments(
    *,
    params: object,
    output_dir: object,
    num_output_files: object,
    num_processes: object,
    name: object,
    workers: object,
    max_rejected: object,
    min_examples: object,
    max_change: object,
    reuse: object,
    transform: object,
    progress: object,
    beam_options: object,
    **switches: bool,
) -> CreateArguments:
    """Checks the keywords as the command line checks its flags."""
    for keyword, value in switches.items():
        _check_switch(keyword, value)
    _check_progress(progress)
    with contextlib.suppress(FileNotFoundError):  # it may be gone, and no path need be relative to it
        _check_utf8(os.getcwd())
    return CreateArguments(
        params=params if isinstance(params, Mapping) else _text("params", params, "a path or a mapping"),
        output_dir=_folder("output_dir", output_dir),
        num_output_files=_whole("num_output_files", num_output_files, least=1),
        num_processes=_whole("num_processes", num_processes, least=0),
        name=_parsed("name", file_name, _text("name", name, "a string")),
        workers=None if workers is None else _whole("workers", workers, least=1),
        max_rejected=_limit(max_rejected),
        min_examples=_whole("min_examples", min_examples, least=0),
        max_change=None if max_change is None else _parsed("max_change", percentage, str(max_change)),
        reuse=None if reuse is None else _folder("reuse", reuse),
        **switches,
        log_format=TEXT,
        metrics_file=None,
        report=None,
        quiet=progress is False,
        beam_options=_options(beam_options),
        transform=_transform(transform),
    )


def _parsed(keyword: str, parse: Callable[[str], Value], text: str) -> Value:
    try:
        return parse(text)
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise UsageError(f"{keyword}: {error}") from None


def _text(keyword: str, value: object, what: str = "a path") -> str:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise UsageError(f"{keyword}: {value!r} is not {what}")
    _check_utf8(text)
    return text


def _check_utf8(text: str) -> None:
    if not is_utf8(text):
        raise NameNotUtf8Error(text)


def _folder(keyword: str, value: object) -> str:
    return _parsed(keyword, folder, _text(keyword, value))


def _whole(keyword: str, value: object, *, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):  # NumPy's have it, too
        raise UsageError(f"{keyword}: {value!r} is not a whole number")
    return _parsed(keyword, at_least(least), str(value.__index__()))


def _limit(value: object) -> RejectedLimit:
    if not isinstance(value, str):
        value = str(_whole("max_rejected", value, least=0))
    return _parsed("max_rejected", parse_limit, value)


def _check_switch(keyword: str, value: object) -> None:
    if not isinstance(value, bool):
        raise UsageError(f"{keyword}: {value!r} is neither True nor False")


def _check_progress(value: object) -> None:
    if not isinstance(value, bool) and not callable(value):
        raise UsageError(f"progress: {value!r} is neither True nor False nor a function")


def _options(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise UsageError(f'beam_options: {value!r} is not a list of strings such as ["--runner=FlinkRunner"]')
    with uninterrupted():
        import_beam(own_process=False)
        from maskmill.pipeline.runners.beam_options import find_unknown

    unknown, known = find_unknown(value)
    if unknown:
        name = unknown[0].partition("=")[0]
        near = nearest(name, known)
        hint = f"did you mean {near[0]}?" if near else "Apache Beam has no such option"
        raise UsageError(f"beam_options: unknown argument {name}; {hint}")
    if found := [one for one in value if one.partition("=")[0] in _ONLY_TRANSLATE]:
        raise UsageError(f"beam_options: {found[0]} only translates the job, which has no result; use maskmill create")
    return tuple(value)


def _transform(value: object) -> object:
    import apache_beam as beam  # after `_options`, which imports it as it should be

    if value is None or isinstance(value, beam.PTransform):
        return value
    if isinstance(value, type):
        raise UsageError(f"transform: {value.__name__} is a class; make an object of it: {value.__name__}()")
    if callable(value):
        raise UsageError(f"transform: {value!r} is a function; make a PTransform of it, such as beam.Filter(function)")
    raise UsageError(f"transform: {value!r} is not a PTransform of Apache Beam")


def _silent_log(progress: Watch) -> RunLog:
    """Makes a log that nobody reads, but for its warnings."""
    return RunLog(io.StringIO(), quiet=progress is False, watch=progress)


@contextlib.contextmanager
def _as_library() -> Iterator[None]:
    """Prints nothing, and raises what the command would say in a line as an error that names keywords, not flags.

    Raises:
        MaskmillError: as the body, or for an OSError.
    """
    try:
        with silent_beam():
            yield
    except MaskmillError as error:
        error.args = (_in_python(str(error)),)
        raise
    except OSError as error:
        raise error_of(error) from error


def _in_python(message: str) -> str:
    """Replaces the flags in a message by keywords."""
    return _FLAGS.sub(lambda match: _KEYWORDS[match[1]], message)

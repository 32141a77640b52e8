"""The private names of CPython that the pool uses still have the effect for which they are used."""

from __future__ import annotations

import _multiprocessing
import multiprocessing
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from maskmill.transforms.parallel import cpython_pool
from maskmill.transforms.parallel.cpython_pool import close_results, pool_context, processes_of

SCRIPT = """
    with open("ran", "a") as file:
        file.write("x")
    import os
    from concurrent.futures import ProcessPoolExecutor
    from maskmill.transforms.parallel.cpython_pool import pool_context

    with ProcessPoolExecutor(2, mp_context={context}) as pool:
        print(len({{*pool.map(os.path.abspath, ["a", "b"])}}))
"""


def times_run(folder: Path, context: str) -> int:
    """How many times a script without a main guard runs, that uses a pool."""
    (folder / "script.py").write_text(textwrap.dedent(SCRIPT).format(context=context))
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout.endswith("2\n") or done.returncode != 0, done.stderr
    return len((folder / "ran").read_text())


def test_the_main_module_runs_once(tmp_path: Path) -> None:
    assert times_run(tmp_path, "pool_context([])") == 1


def test_without_the_trick_the_main_module_runs_in_each_process(tmp_path: Path) -> None:
    # If this fails, Python leaves the main module out itself, and the trick can go.
    assert times_run(tmp_path, "__import__('multiprocessing').get_context('spawn')") > 1


def test_other_processes_of_this_program_import_the_main_module_as_before() -> None:
    prepare = multiprocessing.spawn.get_preparation_data
    with ProcessPoolExecutor(1, mp_context=pool_context([])) as pool:
        pool.submit(int).result()
    assert multiprocessing.spawn.get_preparation_data is prepare


def test_a_python_without_the_name_starts_processes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpython_pool, "_PREPARE", None)
    with ProcessPoolExecutor(1, mp_context=pool_context([])) as pool:
        assert pool.submit(int, "7").result() == 7


def test_the_processes_of_a_pool_are_known() -> None:
    with ProcessPoolExecutor(2, mp_context=pool_context([])) as pool:
        assert processes_of(pool) == []
        pool.submit(int).result()
        processes = processes_of(pool)
        assert processes
        assert all(one.is_alive() for one in processes)
    assert processes_of(pool) == []


def test_a_wait_for_the_rest_of_a_result_ends_when_results_are_closed() -> None:
    pool = ProcessPoolExecutor(1, mp_context=pool_context([]))
    pool.submit(int).result()
    [process] = processes_of(pool)
    # As a process that dies amid sending leaves it: half of a message, and nobody who sends the rest.
    pool._result_queue._writer._send(b"\0\0\1\0half")  # type: ignore[attr-defined]
    process.kill()
    process.join()
    waiting = pool._executor_manager_thread  # type: ignore[attr-defined]
    time.sleep(0.5)
    assert waiting.is_alive()  # if this fails, Python notices it itself, and the trick can go
    close_results(pool)
    waiting.join(20)
    assert not waiting.is_alive()


def test_semaphores_of_a_program_that_ends_suddenly_are_removed_without_a_warning() -> None:
    said = {}
    for context in ("pool_context([])", "__import__('multiprocessing').get_context('forkserver')"):
        code = f"""
            import os
            from maskmill.transforms.parallel.cpython_pool import pool_context

            count = {context}.Value("q")
            print(count.get_lock()._semlock.name, flush=True)
            os._exit(0)
        """
        command = [sys.executable, "-c", textwrap.dedent(code)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        said[context] = done.stderr
        with pytest.raises(FileNotFoundError):
            _multiprocessing.sem_unlink(done.stdout.strip())
    quiet, usual = said.values()
    assert quiet == ""
    assert "leaked semaphore" in usual  # if this fails, the trick can go


def test_starts_in_several_threads_leave_python_as_it_was() -> None:
    prepare = multiprocessing.spawn.get_preparation_data
    pools = [ProcessPoolExecutor(1, mp_context=pool_context([])) for _ in range(4)]
    threads = [threading.Thread(target=lambda pool=pool: pool.submit(int).result()) for pool in pools]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pool in pools:
        pool.shutdown()
    assert multiprocessing.spawn.get_preparation_data is prepare


def test_ctrl_c_while_the_processes_import_prints_nothing(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(1)\n")
    code = """
        import os, signal
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import forkserver
        from maskmill.transforms.parallel.cpython_pool import pool_context

        signal.signal(signal.SIGINT, signal.default_int_handler)
        context = pool_context(["slow"])
        os.kill(forkserver._forkserver._forkserver_pid, signal.SIGINT)
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            print(pool.submit(abs, -1).result())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("1\n", "", 0)

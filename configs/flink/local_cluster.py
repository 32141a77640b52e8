"""Starts a Flink cluster on this machine, one JobManager and two TaskManagers, for as long as a command runs.

    python configs/flink/local_cluster.py COMMAND ...

The environment variable FLINK_MASTER tells the command the address of the cluster, and JOB_JAR that the cluster has
Beam's runner on its class path. Needs Java, and what build.sh needs.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
START_SECONDS = 120
STOP_SECONDS = 20
CONFIG = ("--configDir", str(HERE))
# For a TaskManager and for the JobManager: the main class, and the command that computes its memory settings.
MAIN_CLASSES = (
    ("org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "GET_TM_RESOURCE_PARAMS"),
    ("org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "GET_JM_RESOURCE_PARAMS"),
)
MEMORY = "org.apache.flink.runtime.util.bash.BashJavaUtils"
# The packages of Java 17 that bin/config.sh of a Flink distribution opens.
_OPENED = "lang net io nio lang.reflect text time util util.concurrent util.concurrent.atomic util.concurrent.locks"
JAVA = [
    "java",
    "-XX:+UseSerialGC",
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED.split()),
]


class LocalCluster(contextlib.AbstractContextManager["LocalCluster"]):
    """Runs a cluster inside a `with` block; at its end no process is left, of the cluster or of its workers.

    Args:
        folder: takes the cluster's files, with the log of each process.
        made: folder that build.sh printed.

    Attributes:
        master: HOST:PORT of the REST interface.
        variables: environment variables for create.sh.
    """

    def __init__(self, folder: Path, made: Path) -> None:
        rest, rpc = _free_ports(2)
        self.master = f"localhost:{rest}"
        self.variables = {"FLINK_MASTER": self.master, "JOB_JAR": "beam-flink-job.jar"}
        self._folder = folder
        self._class_path = f"{made}/lib/*"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._killed: list[subprocess.Popen[bytes]] = []
        self._settings = {
            "jobmanager.rpc.address": "localhost",
            "jobmanager.rpc.port": rpc,
            "jobmanager.bind-host": "localhost",
            "rest.address": "localhost",
            "rest.bind-address": "localhost",
            "rest.port": rest,
            "taskmanager.host": "localhost",
            "taskmanager.bind-host": "localhost",
            "web.upload.dir": folder / "upload",
            "io.tmp.dirs": folder / "tmp",
            "blob.storage.directory": folder / "blob",
        }

    def __enter__(self) -> LocalCluster:
        try:
            for name in ("upload", "tmp", "blob", "log"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            for name in ("jobmanager", "tm1", "tm2"):
                self.start(name)
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        groups = [*self._running.values(), *self._killed]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in groups:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            deadline = time.monotonic() + STOP_SECONDS
            while any(map(_is_alive, groups)) and time.monotonic() < deadline:
                time.sleep(0.1)

    def start(self, name: str) -> None:
        """Starts the JobManager, if the name is `jobmanager`, or else a TaskManager with that name."""
        main, memory = MAIN_CLASSES[name == "jobmanager"]
        jvm, program = self._divide_memory(memory)
        settings = [part for key, value in self._settings.items() for part in ("-D", f"{key}={value}")]
        with open(self._folder / "log" / f"{name}.log", "ab") as log:
            self._running[name] = subprocess.Popen(
                [*JAVA, *jvm, "-cp", self._class_path, main, *CONFIG, *settings, *_named(name), *program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kills a process of the cluster; the Python workers of a TaskManager are left running."""
        process = self._running.pop(name)
        process.kill()
        process.wait()
        self._killed.append(process)

    def wait(self) -> None:
        """Waits until exactly the started TaskManagers have registered.

        Raises:
            RuntimeError: they do not within `START_SECONDS`.
        """
        expected = self._running.keys() - {"jobmanager"}
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if {found["id"] for found in self.get("taskmanagers")["taskmanagers"]} == expected:
                    return
            time.sleep(0.2)
        logs = "".join(path.read_text(errors="replace")[-2000:] for path in (self._folder / "log").iterdir())
        raise RuntimeError(f"the Flink cluster has not come up in {START_SECONDS} s:\n{logs}")

    def group(self, name: str) -> int:
        """Returns the process group of a TaskManager, which contains its Python workers."""
        return self._running[name].pid

    def get(self, path: str) -> dict:
        """Requests a path of the REST interface."""
        with urllib.request.urlopen(f"http://{self.master}/v1/{path}", timeout=10) as answer:
            return json.load(answer)

    @functools.cache  # noqa: B019, there is one cluster
    def _divide_memory(self, command: str) -> tuple[list[str], list[str]]:
        """Returns arguments of the JVM and of the program that divide the memory set in config.yaml."""
        asked = subprocess.run(
            ["java", "-cp", self._class_path, MEMORY, command, *CONFIG],
            capture_output=True,
            text=True,
            check=True,
            timeout=START_SECONDS,
        )
        marked = [line.partition("RESULT:")[2] for line in asked.stdout.splitlines() if "EXEC_RESULT:" in line]
        jvm, program = (line.split() for line in [*marked, "", ""][:2])
        return jvm, program


def _named(name: str) -> list[str]:
    return [] if name == "jobmanager" else ["-D", f"taskmanager.resource-id={name}"]


def _is_alive(leader: subprocess.Popen[bytes]) -> bool:
    """Whether any process of a group is alive."""
    leader.poll()  # otherwise the leader remains as a zombie
    try:
        os.killpg(leader.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]


def built() -> Path:
    """Builds the class path, unless it exists, and returns its folder."""
    done = subprocess.run([HERE / "build.sh"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


def main(command: Sequence[str]) -> int:
    """Runs a command with a cluster, and returns its exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    made = built()
    _tell("starting a Flink cluster of two TaskManagers (about 20 s) ...")
    with (
        tempfile.TemporaryDirectory(prefix="maskmill-flink-") as folder,
        LocalCluster(Path(folder), made) as cluster,
    ):
        _tell(f"the cluster is at http://{cluster.master}; running {shlex.join(command)} (half a minute or more) ...")
        status = subprocess.run(command, env={**os.environ, **cluster.variables}, check=False).returncode
        _tell("stopping the cluster ...")
    return status


def _tell(message: str) -> None:
    # Standard output is the command's.
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The worker process of `--direct_running_mode=multi_processing`: as Beam's own, but with nothing on standard error.

It logs to the runner, in the process of the command, which decides what is shown and in which form.
"""

from __future__ import annotations

import logging
import shlex
import sys

MODULE = "maskmill.pipeline.runners.local_worker"


def command() -> str:
    """Returns the shell command that starts a worker; Beam passes everything else in environment variables."""
    # Without exec, the shell would stay, and print that the worker was killed.
    return shlex.join(["exec", sys.executable, "-m", MODULE])


def main() -> int:
    """Works for the runner until it closes the connection.

    Returns:
        the exit status.
    """
    # Before Beam is imported, which logs, and would have logging write to standard error.
    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(True)
    import grpc
    from apache_beam.runners.worker import sdk_worker_main

    from maskmill.pipeline.runners.worker_output import log_what_threads_print

    log_what_threads_print()
    try:
        sdk_worker_main.main([])
    except (KeyboardInterrupt, grpc.RpcError):  # the command was stopped, too, and says so
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`maskmill-worker`, the boot program of Beam's PROCESS environment, which a cluster starts beside its own processes.

A Flink TaskManager runs `maskmill-worker --id=ID --provision_endpoint=HOST:PORT`; the program becomes the Python
worker. It fetches no packages: what the pipeline needs must be installed beside it. The protocol is that of Beam's own
boot program, sdks/python/container/boot.go.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

import grpc
from apache_beam.portability.api import beam_provision_api_pb2 as provision
from apache_beam.portability.api import beam_provision_api_pb2_grpc as provision_grpc
from google.protobuf import json_format, text_format

_ANSWER_SECONDS = 60


def main(argv: Sequence[str] | None = None) -> int:
    """Works for a runner until it closes the connection.

    Args:
        argv: the arguments; None takes those of the process.

    Returns:
        the exit status.
    """
    parser = argparse.ArgumentParser(prog="maskmill-worker", description="Started by a Beam runner, not by hand.")
    parser.add_argument("--id", required=True, help="name of this worker")
    parser.add_argument("--provision_endpoint", required=True, metavar="HOST:PORT", help="where the runner answers")
    arguments, _ = parser.parse_known_args(argv)
    try:
        os.environ.update(ask_runner(arguments.id, arguments.provision_endpoint))
    except grpc.RpcError as error:
        sys.stderr.write(
            f"maskmill-worker: no runner answers at {arguments.provision_endpoint} ({error.code().name})\n"
        )
        return 1
    # Reads the variables when it is imported.
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main([])
    return 0


def ask_runner(worker: str, endpoint: str) -> Mapping[str, str]:
    """Fetches the configuration of a worker.

    Args:
        worker: name of the worker.
        endpoint: HOST:PORT of the runner's provision service.

    Returns:
        environment variables, as Beam's worker reads them.

    Raises:
        grpc.RpcError: the runner does not answer.
    """
    with grpc.insecure_channel(endpoint) as channel:
        info = (
            provision_grpc.ProvisionServiceStub(channel)
            .GetProvisionInfo(
                provision.GetProvisionInfoRequest(), metadata=[("worker_id", worker)], timeout=_ANSWER_SECONDS
            )
            .info
        )
    variables = {
        "WORKER_ID": worker,
        "PIPELINE_OPTIONS": json_format.MessageToJson(info.pipeline_options),
        "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(info.logging_endpoint),
        "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(info.control_endpoint),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
    }
    if info.status_endpoint.url:
        variables["STATUS_API_SERVICE_DESCRIPTOR"] = text_format.MessageToString(info.status_endpoint)
    return variables


if __name__ == "__main__":
    sys.exit(main())

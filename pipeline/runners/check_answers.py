"""Checks that a job server or a cluster answers before a job is submitted to it: Beam would wait for minutes."""

from __future__ import annotations

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions, SparkRunnerOptions
from apache_beam.runners.portability.portable_runner import PortableRunner

from maskmill.pipeline.errors import MaskmillError
from maskmill.pipeline.runners.check_settings import FLINK_PORT, flink_address

ANSWER_SECONDS = 10
# `--job_endpoint` for a job server in this process.
_EMBEDDED = "embed"


def check_answers(pipeline: beam.Pipeline) -> None:
    """Checks that somebody answers where a job is to be submitted; what Beam starts for the run is not asked.

    Raises:
        MaskmillError: nobody answers. It may be so for a moment only: a scheduled job that fails so is worth a retry.
    """
    if not isinstance(pipeline.runner, PortableRunner):
        return
    portable = pipeline.options.view_as(PortableOptions)
    if portable.output_executable_path or portable.job_endpoint == _EMBEDDED:
        return
    if portable.job_endpoint:
        _check_job_server(portable.job_endpoint)
    elif type(pipeline.runner).__name__ == "FlinkRunner":
        _check_flink(pipeline.options)
    elif type(pipeline.runner).__name__ == "SparkRunner":
        _check_spark(pipeline.options.view_as(SparkRunnerOptions))


def _check_job_server(endpoint: str) -> None:
    # Not only a connection: at the wrong port, another service may take one, and Beam would wait for it to speak gRPC.
    ready = grpc.channel_ready_future(grpc.insecure_channel(endpoint))
    try:
        ready.result(timeout=ANSWER_SECONDS)
    except grpc.FutureTimeoutError as error:
        raise MaskmillError(
            f"no job server answers at {endpoint} (--job_endpoint); start it, or give HOST:PORT of one that runs"
        ) from error
    finally:
        ready.cancel()


def _check_flink(options: PipelineOptions) -> None:
    address = flink_address(options)
    if address is not None and not _answers(f"{address.geturl()}/v1/config"):
        raise MaskmillError(
            f"no Flink cluster answers at {address.geturl()} (--flink_master); start it, or give HOST:PORT of the REST "
            f"address of one that runs; the port is usually {FLINK_PORT}"
        )


def _check_spark(spark: SparkRunnerOptions) -> None:
    if spark.spark_submit_uber_jar and not _answers(spark.spark_rest_url):
        raise MaskmillError(
            f"no Spark cluster answers at {spark.spark_rest_url} (--spark_rest_url); start it, or give the REST "
            "address of one that runs"
        )


def _answers(address: str) -> bool:
    """Whether an HTTP server answers, whatever it says."""
    import requests  # slow, and rarely needed

    try:
        requests.get(address, timeout=ANSWER_SECONDS, stream=True).close()
    except requests.exceptions.SSLError:
        return True  # a job server may trust other certificates than this process
    except requests.RequestException:
        return False
    return True

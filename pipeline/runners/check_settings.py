"""Checks the settings of a portable runner against this machine, without asking anybody else."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from urllib.parse import SplitResult, urlsplit

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    JobServerOptions,
    PipelineOptions,
    PortableOptions,
    PrismRunnerOptions,
    SparkRunnerOptions,
)
from apache_beam.runners.portability.portable_runner import PortableRunner

from maskmill.pipeline.errors import UsageError

FLINK_PORT = 8081
_ENVIRONMENTS = ("DOCKER", "PROCESS", "EXTERNAL", "LOOPBACK")


def check_settings(pipeline: beam.Pipeline) -> None:
    """Checks that a portable runner has an address, that its files are there, and that its environment makes sense.

    Raises:
        UsageError: that is not so.
    """
    if not isinstance(pipeline.runner, PortableRunner):
        return
    portable = pipeline.options.view_as(PortableOptions)
    _check_environment(portable.environment_type, portable.environment_config)
    if not portable.job_endpoint:
        # Of the others Beam starts a job server, or works without.
        checks = {"PortableRunner": _refuse, "PrismRunner": _check_prism, "FlinkRunner": _check_flink}
        checks["SparkRunner"] = _check_spark
        if check := checks.get(type(pipeline.runner).__name__):
            check(pipeline.options)


def _check_environment(kind: str | None, config: str | None) -> None:
    if kind and kind not in _ENVIRONMENTS and not kind.startswith("beam:env:"):
        raise UsageError(f"--environment_type={kind}: there is no such environment; use {', '.join(_ENVIRONMENTS)}")
    if kind == "PROCESS" and config and not _names_program(config):
        raise UsageError(
            f"--environment_config={config}: names no program; for --environment_type=PROCESS it is JSON such as "
            '{"command": "/path/of/maskmill-worker"}'
        )


def _names_program(config: str) -> bool:
    try:
        command = json.loads(config)["command"]
    except (ValueError, TypeError, KeyError):
        return False
    return isinstance(command, str) and command != ""


def _refuse(_: PipelineOptions) -> None:
    raise UsageError("--runner=PortableRunner needs --job_endpoint=HOST:PORT, the address of a job server")


def _check_prism(options: PipelineOptions) -> None:
    _check_file("prism_location", options.view_as(PrismRunnerOptions).prism_location)


def _check_flink(options: PipelineOptions) -> None:
    flink = options.view_as(FlinkRunnerOptions)
    address = flink_address(options)
    _check_jar("flink_job_server_jar", flink.flink_job_server_jar)
    if address is None or not flink.flink_submit_uber_jar:
        _check_java(options)


def _check_spark(options: PipelineOptions) -> None:
    spark = options.view_as(SparkRunnerOptions)
    _check_jar("spark_job_server_jar", spark.spark_job_server_jar)
    if not spark.spark_submit_uber_jar:
        _check_java(options)
    elif not spark.spark_rest_url:
        raise UsageError("--spark_submit_uber_jar needs --spark_rest_url=http://HOST:PORT")


def _check_jar(option: str, path: str | None) -> None:
    _check_file(option, path)
    if path and "://" not in path and not zipfile.is_zipfile(path):
        raise UsageError(f"--{option}={path}: is not a jar; copy it again, or build it again")


def _check_file(option: str, path: str | None) -> None:
    if path and "://" not in path and not os.path.isfile(path):
        raise UsageError(f"--{option}={path}: there is no such file")


def _check_java(options: PipelineOptions) -> None:
    launcher = options.view_as(JobServerOptions).job_server_java_launcher
    if shutil.which(launcher) is None:
        raise UsageError(
            f"there is no program {launcher} to start a job server with; install Java 11 or 17, or name it: "
            "--job_server_java_launcher=FILE"
        )


def flink_address(options: PipelineOptions) -> SplitResult | None:
    """Returns the address of Flink's REST interface; None if a Flink is started for the run.

    Raises:
        UsageError: it is malformed.
    """
    from apache_beam.runners.portability.flink_runner import MAGIC_HOST_NAMES, FlinkRunner  # slow, and rarely needed

    flink = options.view_as(FlinkRunnerOptions)
    if flink.flink_master.strip() in MAGIC_HOST_NAMES:
        return None
    address = _parse_address(str(FlinkRunner.add_http_scheme(flink.flink_master)))
    if address is None:
        raise UsageError(
            f"--flink_master={flink.flink_master}: is not an address; give HOST:PORT, such as localhost:{FLINK_PORT}"
        )
    # A job server assumes the usual port of Flink; Beam's own client, that of HTTP.
    if address.port is None and not flink.flink_submit_uber_jar:
        address = address._replace(netloc=f"{address.netloc}:{FLINK_PORT}")
    return address


def _parse_address(text: str) -> SplitResult | None:
    try:
        address = urlsplit(text.rstrip("/"))
        is_complete = bool(address.hostname) and address.port != 0
    except ValueError:
        return None
    return address if is_complete else None

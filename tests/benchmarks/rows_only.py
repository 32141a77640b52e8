"""How the graph grows with the rows, without pixels: a CSV of many rows, image files of zero bytes, no shard written.

    python -m tests.benchmarks.rows_only [--rows N] [--shards N] [--flink]

Everything but the sink is that of `maskmill create`: rows are read and checked, grouped by image with the listing of
the folder, ranked, assigned to shards and grouped again; each shard is then counted in place of being written, and the
metadata of all are put together. Prints the seconds, the peak of memory, and what went through each shuffle on Flink.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import apache_beam as beam
import psutil

from configs.flink.local_cluster import LocalCluster, built
from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.graph import build_graph
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.params_file import parse_params
from maskmill.pipeline.job.read_job import make_job
from maskmill.pipeline.job.run import Run
from maskmill.pipeline.runners.new_pipeline import new_pipeline
from maskmill.pipeline.runners.runner_job import RunnerJob
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.shards.records import ShardKey, ShardSummary, StoredShard
from maskmill.transforms.sink.write_shards import WrittenShards
from tests.benchmarks.made_rows import CLASSES, write_rows
from tests.benchmarks.measure import MemoryWatch
from tests.support.builders import params_of
from tests.support.flink_runs import last_job, write_programs

OUTCOME = "rows.json"


def main(argv: Sequence[str] | None = None) -> None:
    """Runs it once; prints a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, metavar="N", help="of the CSV (default: %(default)s)")
    parser.add_argument("--shards", type=int, default=100, metavar="N", help="of a split (default: %(default)s)")
    parser.add_argument("--flink", action="store_true", help="on a cluster of two TaskManagers, not in this process")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        write_rows(Path(folder) / "data", arguments.rows // CLASSES)
        job = new_job(Path(folder), arguments.shards)
        watch = MemoryWatch(os.getpid())
        shuffles = run_on_flink(job, Path(folder)) if arguments.flink else run(job, [])
        found = json.loads((Path(folder) / "out" / OUTCOME).read_text())
        print(json.dumps({**vars(arguments), **found, **shuffles, "peak_memory": watch.stop()}, indent=2))


def new_job(folder: Path, shards: int) -> Job:
    """The job of `maskmill create`, of one class."""
    params = parse_params(json.dumps(params_of(folder / "data", train_test_split=0.9)), "params")
    (folder / "out").mkdir()
    return make_job(params, ShardLayout("data", shards, 1), output_dir=str(folder / "out"), input_args={})


def run(job: Job, options: Sequence[str]) -> dict[str, Any]:
    """Runs the graph, with its last two steps replaced."""
    started = time.perf_counter()
    with (
        mock.patch("maskmill.pipeline.graph.WriteShards", CountShards),
        mock.patch("maskmill.pipeline.graph.PublishDataset", WriteCounts),
        new_pipeline(options) as pipeline,
    ):
        build_graph(pipeline, job, Baseline(), Run(id="", started="", runner=""))
        RunnerJob(pipeline, sys.stdout).run()
    return {"seconds": round(time.perf_counter() - started, 1)}


def run_on_flink(job: Job, folder: Path) -> dict[str, Any]:
    """The same on a cluster; gives also the bytes that its grouping steps have read, by step."""
    made = built()
    worker = write_programs(folder / "bin") / "maskmill-worker"
    with LocalCluster(folder / "flink", made) as cluster:
        jar = made / cluster.variables["JOB_JAR"]
        options = f"""--runner=FlinkRunner --flink_master={cluster.master} --flink_submit_uber_jar --parallelism=2
            --flink_job_server_jar={jar} --execution_mode_for_batch=BATCH_FORCED --environment_cache_millis=2000
            --environment_type=PROCESS --environment_config={{"command":"{worker}"}}""".split()
        measured = run(job, options)
        steps = [one for one in last_job(cluster)["vertices"] if one["name"].startswith("GroupReduce")]
        shuffles = {one["name"].rpartition(" at ")[2].rstrip(")"): one["metrics"] for one in steps}
    read = {name: {"bytes": one["read-bytes"], "records": one["read-records"]} for name, one in shuffles.items()}
    return {**measured, "shuffles": read}


class CountShards(beam.PTransform):
    """Summaries of shards of no bytes."""

    def __init__(self, **_: object) -> None:
        super().__init__()

    def expand(self, shards: beam.PCollection[tuple[ShardKey, list[ExampleSpec]]]) -> WrittenShards:
        summaries = shards | "WriteShard" >> beam.Map(count_shard)
        nothing = shards.pipeline | "NoneRejected" >> beam.Create([], reshuffle=False)
        return WrittenShards(summaries, nothing)


def count_shard(shard: tuple[ShardKey, list[ExampleSpec]]) -> ShardSummary:
    """What would be known of a shard."""
    key, specs = shard
    rows = sum(spec.counted_rows for spec in specs)
    stored = StoredShard(len(specs), 0, "", f"{psutil.Process().memory_info().rss}")
    return ShardSummary(*key, rows, 0, {}, stored)


class WriteCounts(beam.PTransform):
    """Writes how many rows and examples have come through."""

    def __init__(self, job: Job, **_: object) -> None:
        super().__init__()
        self._path = f"{job.output.root}/{OUTCOME}"

    def expand(self, metadata: beam.PCollection[Any]) -> beam.PCollection[None]:
        return metadata | beam.Map(write_counts, self._path)


def write_counts(metadata: Any, path: str) -> None:
    """Fails where a row was lost."""
    assert metadata.rows.lost == 0
    examples = sum(shard.stored.examples for shard in metadata.shards)
    largest = max(int(shard.stored.fingerprint) for shard in metadata.shards)
    Path(path).write_text(json.dumps({"read": metadata.rows.read, "examples": examples, "worker_memory": largest}))


if __name__ == "__main__":
    main()

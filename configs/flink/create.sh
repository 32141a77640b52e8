#!/usr/bin/env bash
# `maskmill create` on a Flink cluster; the arguments are those of the command.
# FLINK_MASTER is HOST:PORT of the cluster, PARALLELISM the number of its TaskManagers, BIN the absolute path of the
# folder of maskmill's programs, which must be at the same place on every TaskManager, as must data and output. JOB_JAR
# is beam-flink-job.jar where the cluster has Beam's runner in its class path.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin="${BIN:-$here/../../.venv/bin}"

exec "$bin/maskmill" create "$@" \
  --runner=FlinkRunner \
  --flink_master="${FLINK_MASTER:-localhost:8081}" \
  --flink_submit_uber_jar \
  --flink_job_server_jar="$("$here/build.sh")/${JOB_JAR:-beam-flink-job-server.jar}" \
  --parallelism="${PARALLELISM:-2}" \
  --execution_mode_for_batch=BATCH_FORCED \
  --environment_cache_millis=2000 \
  --environment_type=PROCESS \
  --environment_config="{\"command\": \"$bin/maskmill-worker\"}"

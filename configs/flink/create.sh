#!/usr/bin/env bash
# Runs `maskmill create` on a Flink cluster; takes the arguments of that command. FLINK_MASTER is HOST:PORT of the
# cluster, and PARALLELISM the number of its TaskManagers. BIN is the absolute path of the folder with maskmill's
# programs; it must be the same on every TaskManager, as must the paths of data and output. Set JOB_JAR to
# beam-flink-job.jar if the cluster has Beam's runner on its class path.
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

#!/usr/bin/env bash
# Builds the job server and the class path of pom.xml, and prints their folder: it contains beam-flink-job-server.jar,
# beam-flink-job.jar and lib/. Builds nothing if they exist and pom.xml has not changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
made="${MASKMILL_CACHE:-$HOME/.cache/maskmill}/flink-1.19"

if ! cmp --silent "$here/pom.xml" "$made/pom.xml"; then
  for tool in java mvn; do
    command -v "$tool" > /dev/null || { echo "build.sh: $tool is missing; install a JDK (11 or 17) and Maven" >&2; exit 1; }
  done
  mkdir -p "$(dirname "$made")"
  work=$(mktemp -d "$made.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cp "$here/pom.xml" "$work"
  echo "building the job server for Flink with Maven, which fetches its parts (a few minutes) ..." >&2
  (cd "$work" && timeout 1200 mvn --quiet --batch-mode package \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=lib >&2)
  mv "$work/target/beam-flink-job.jar" "$work/target/beam-flink-job-server.jar" "$work"
  rm -rf "$work/target" "$made"
  chmod 755 "$work"
  mv "$work" "$made"
fi
echo "$made"

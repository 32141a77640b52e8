#!/usr/bin/env bash
# Runs `make quickstart`, and then each command that it suggests, as a new user would type it.
set -euo pipefail
said=$(make quickstart | tee /dev/stderr)
look=$(sed -n 's/.*to look at it: //p' <<< "$said")
read=$(tail -n 1 <<< "$said")
for command in "${look:?no command to look at the dataset}" "${read:?no command to read the dataset}"; do
  echo "+ $command"
  bash -c "$command"
done

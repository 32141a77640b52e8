#!/bin/sh
# A dataset a day: made with the unchanged shards of the day before, verified, old ones removed.
#
#   daily.sh PARAMS FOLDER [option of maskmill create ...]
#
# The exit status is that of the first command that fails. KEEP says how many days stay.
set -eu
params=$1
folder=$2
shift 2
day=$folder/$(date +%F)

maskmill create --params "$params" --output_dir "$day" --reuse "$folder" "$@"
maskmill verify --quiet "$day"
maskmill prune --keep "${KEEP:-7}" "$folder"

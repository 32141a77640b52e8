#!/bin/sh
# A dataset a day: made with the unchanged shards of the day before, verified, old ones removed.
#
#   daily.sh PARAMS FOLDER [option of steelbeam create ...]
#
# The exit status is that of the first command that fails. KEEP says how many days stay.
set -eu
params=$1
folder=$2
shift 2
day=$folder/$(date +%F)

steelbeam create --params "$params" --output_dir "$day" --reuse "$folder" "$@"
steelbeam verify --quiet "$day"
steelbeam prune --keep "${KEEP:-7}" "$folder"

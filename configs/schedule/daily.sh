#!/bin/sh
# Makes a dataset a day: reuses the unchanged shards of the day before, verifies, removes old datasets.
#
#   daily.sh PARAMS FOLDER [option of maskmill create ...]
#
# The exit status is that of the first command that fails. KEEP is the number of datasets to keep (default: 7).
set -eu
params=$1
folder=$2
shift 2
day=$folder/$(date +%F)
keep=${KEEP:-7}

# A night that was killed before it removed old datasets is made up for: there is room for one more than KEEP.
if [ "$(find "$folder" -mindepth 2 -maxdepth 2 -name manifest.json 2>/dev/null | wc -l)" -gt "$keep" ]; then
    maskmill prune --keep "$keep" "$folder" || true
fi
maskmill create --params "$params" --output_dir "$day" --reuse "$folder" "$@"
maskmill verify --quiet "$day"
maskmill prune --keep "$keep" "$folder"

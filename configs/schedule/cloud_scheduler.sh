#!/bin/sh
# Makes Cloud Scheduler launch the Flex Template of configs/dataflow every night.
#
#   PROJECT=... REGION=... BUCKET=... IMAGE=... ACCOUNT=... cloud_scheduler.sh
#
# IMAGE is the image of the template, which the workers use too. ACCOUNT is a service account that may launch Dataflow
# jobs. The dataset is always in the same folder, and unchanged shards are kept. Dataflow refuses a second job with the
# same name while the first one is running.
set -eu

body=$(cat <<JSON
{
  "launchParameter": {
    "jobName": "maskmill-nightly",
    "containerSpecGcsPath": "gs://$BUCKET/maskmill.json",
    "parameters": {
      "params": "gs://$BUCKET/params.yaml",
      "output_dir": "gs://$BUCKET/hdf5",
      "sdk_container_image": "$IMAGE",
      "number_of_worker_harness_threads": "2"
    },
    "environment": {
      "machineType": "n2-standard-4",
      "tempLocation": "gs://$BUCKET/tmp"
    }
  }
}
JSON
)

gcloud scheduler jobs create http maskmill-nightly \
    --project="$PROJECT" \
    --location="$REGION" \
    --schedule="0 3 * * *" \
    --time-zone=Etc/UTC \
    --uri="https://dataflow.googleapis.com/v1b3/projects/$PROJECT/locations/$REGION/flexTemplates:launch" \
    --http-method=POST \
    --headers=Content-Type=application/json \
    --oauth-service-account-email="$ACCOUNT" \
    --message-body="$body"

#!/usr/bin/env bash
# Builds fake-gcs-server, which stands for Google Cloud Storage in tests, and prints its path. Needs Go; done once.
set -euo pipefail
version=v1.56.1
made="${MASKMILL_CACHE:-$HOME/.cache/maskmill}/fake-gcs-server-$version"

if [ ! -x "$made/fake-gcs-server" ]; then
  command -v go > /dev/null || { echo "install_fake_gcs.sh: go is missing; install Go 1.25 or later" >&2; exit 1; }
  mkdir -p "$(dirname "$made")"
  work=$(mktemp -d "$made.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  GOBIN="$work" timeout 1200 go install "github.com/fsouza/fake-gcs-server@$version" >&2
  chmod 755 "$work"
  rm -rf "$made"
  mv "$work" "$made"
fi
echo "$made/fake-gcs-server"

#!/usr/bin/env bash
# Builds Prism, a runner of Beam in one program, unless it exists, and prints its path for `--prism_location`. Needs Go.
set -euo pipefail
version=v2.77.0 # same as apache-beam in setup.py
made="${MASKMILL_CACHE:-$HOME/.cache/maskmill}/prism-$version"

if [ ! -x "$made/prism" ]; then
  command -v go > /dev/null || { echo "install.sh: go is missing; install Go 1.25 or later" >&2; exit 1; }
  mkdir -p "$(dirname "$made")"
  work=$(mktemp -d "$made.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  echo "building Prism $version with Go (a few minutes) ..." >&2
  GOBIN="$work" timeout 1200 go install "github.com/apache/beam/sdks/v2/go/cmd/prism@$version" >&2
  chmod 755 "$work"
  rm -rf "$made"
  mv "$work" "$made"
fi
echo "$made/prism"

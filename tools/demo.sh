#!/usr/bin/env bash
# Shows Wirelay at work: real WireGuard clients through a relay, in network namespaces of its own.
set -euo pipefail
WIRELAY_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$WIRELAY_ROOT"
source tools/lib/packages.sh
source tools/lib/build.sh

usage() {
  cat <<'END'
Usage: tools/demo.sh [--keep] [--json] [--down] [--help]

Installs the Debian packages that are missing, builds a release build (build/), starts relayd and two
wireguard-go clients in network namespaces, and prints a table of what was expected and what was
seen. Needs root. Exits non-zero if any line of the table failed.

  --keep   leave it all up afterwards, and print what to try next
  --json   print the table as JSON
  --down   only take down what --keep left
  --help   this text
END
}

for argument in "$@"; do
  case $argument in
    --keep | --json | --down) ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
if ((EUID != 0)); then
  echo "tools/demo.sh makes network namespaces and needs root: sudo tools/demo.sh" >&2
  exit 1
fi

{
  install_packages build lab
  # A folder that tools/test.sh has made builds tests as well; here nobody needs them.
  options=(--buildtype=release)
  [[ -f build/build.ninja ]] || options+=(-Dtests=false)
  configure_build build "${options[@]}"
  echo "Building the release build in build/ ..."
  run_build build ctrl/relayd cli/relayctl
} >&2
exec python3 tools/lib/demo.py "$@"

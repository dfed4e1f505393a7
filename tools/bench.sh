#!/usr/bin/env bash
# What the relay carries on this machine, beside wireguard-go: tables, JSON and a plot.
set -euo pipefail
WIRELAY_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$WIRELAY_ROOT"
source tools/lib/packages.sh
source tools/lib/build.sh

usage() {
  cat <<'END'
Usage: tools/bench.sh [OPTION]...

Installs the Debian packages that are missing, builds a release build (build/), and measures the
highest rate without loss of relayd (over memif) and of wireguard-go (over veth), with relaygen, on
the machine's first two cores; then overload, and a bulk import of users under traffic. Needs root,
two cores and 2 GB of memory; takes some minutes. Prints tables; writes bench.json, bench.svg and
bench.md.

  --brief             every kind of row once, under a minute: to see that it works
  --full              every mode, size and number of users, in longer trials: hours
  --modes LIST        of up,down,hub
  --sizes LIST        of 64,128,256,576,1024,1420,imix: inner packet bytes
  --users LIST        such as 1,1000,10000,100000
  --duration SECONDS  of sending in a trial (0.2)
  --no-wireguard-go   relayd alone
  --no-overload       without the rows at three times the highest rate
  --no-bulk           without the bulk import
  --out DIR           where the files go (build/bench)
  --markdown          print the tables in Markdown
  --build DIR         use this build folder as it is: installs and builds nothing
  --help              this text
END
}

build=
rest=()
while (($#)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --build)
      [[ $# -ge 2 && -d $2 ]] || { echo "--build: expected a build folder" >&2; exit 2; }
      build=$2
      shift ;;
    *) rest+=("$1") ;;
  esac
  shift
done
if ((EUID != 0)); then
  echo "tools/bench.sh makes network namespaces and needs root: sudo tools/bench.sh" >&2
  exit 1
fi

if [[ -z $build ]]; then
  build=build
  {
    install_packages build lab
    options=(--buildtype=release)
    [[ -f build/build.ninja ]] || options+=(-Dtests=false)
    configure_build build "${options[@]}"
    echo "Building the release build in build/ ..."
    run_build build ctrl/relayd cli/relayctl tools/relaygen/relaygen
  } >&2
fi
WIRELAY_BUILD=$(realpath "$build") exec python3 tools/bench/bench.py "${rest[@]}"

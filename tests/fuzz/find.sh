#!/usr/bin/env bash
# Long runs: looks for inputs that reach more, with libFuzzer and at low priority, and keeps in
# found/TARGET the smallest set that reaches as much. Needs clang.
set -euo pipefail
WIRELAY_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$WIRELAY_ROOT"
source tools/lib/build.sh

(($# > 0)) && [[ $1 =~ ^[1-9][0-9]*$ ]] || {
  echo "Usage: tests/fuzz/find.sh SECONDS [TARGET]...   such as: tests/fuzz/find.sh 300 rpc config" >&2
  exit 2
}
seconds=$1
shift
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(cd tests/fuzz && ls fuzz_*.cc | sed 's|fuzz_\(.*\)\.cc|\1|')

build=build-fuzz
CXX=clang++ configure_build $build -Dfuzzers=true -Dbenchmarks=disabled --buildtype=debugoptimized \
  -Db_sanitize=address,undefined -Db_lundef=false
for target in "${targets[@]}"; do
  run_build $build "tests/fuzz/fuzz_$target"
  fuzz=(nice -n 19 "$build/tests/fuzz/fuzz_$target" "-artifact_prefix=$build/$target-"
    -max_len=4096 -len_control=0)
  run=$(mktemp -d)
  seeds=()
  for folder in corpus found; do
    [[ -d tests/fuzz/$folder/$target ]] && seeds+=("tests/fuzz/$folder/$target")
  done
  # The configuration's seeds are the examples.
  [[ $target == config ]] && cp conf/relayd.*.json "$run"
  "${fuzz[@]}" "-max_total_time=$seconds" -print_final_stats=1 "$run" "${seeds[@]}" 2>&1 | tail -n 20
  # What the seeds don't reach. By blocks reached, not by how often each was: few files suffice.
  kept=tests/fuzz/found/$target
  before=$(mktemp -d)
  mkdir -p "$kept"
  mv "$kept"/* "$before" 2>/dev/null || true
  cp "tests/fuzz/corpus/$target"/* "$kept" 2>/dev/null || true
  "${fuzz[@]}" -merge=1 -use_counters=0 "$kept" "$run" "$before" >/dev/null 2>&1
  for seed in "tests/fuzz/corpus/$target"/*; do rm -f "$kept/${seed##*/}"; done
  rm -rf "$run" "$before"
  echo "$target: $(find "$kept" -type f | wc -l) files"
done

#!/usr/bin/env bash
# Installs what is missing, builds, and runs all the tests. The last line is "N passed, N failed",
# with ", N skipped" where there were any.
set -uo pipefail
WIRELAY_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$WIRELAY_ROOT" || exit 1
source tools/lib/packages.sh
source tools/lib/build.sh

usage() {
  cat <<'END'
Usage: tools/test.sh [--quick | --load] [--help]

Installs the Debian packages that are missing (as root), builds, and runs:
  unit       release build (build/, g++): engines, data path, the programs' start and end, each
             benchmark for a moment; not what only sanitized runs
  e2e        relayd between network namespaces, with wireguard-go as clients (needs root)
  slow       end-to-end tests that mostly wait, all files at once; and the packages, installed in a
             Debian of their own
  layout     include directions, headers that compile alone, documents that match the code
  sanitized  all unit and pipeline tests and bounded runs of the fuzz targets, with address and
             undefined-behaviour sanitizers (build-asan/, clang++, not optimized). Control side,
             relayctl, relaygen and fuzz targets are tested here alone. Null pointers are left to
             the processor, and alignment, sizes and kinds of objects (vptr) are not looked at
  threads    tests of what crosses threads, with the thread sanitizer (build-threads/, clang++)
The last four run in the background, in what the others leave of the processors.

Prints how long each part and each build took, and last the tests that took longest.

  --quick    only layout and unit
  --load     only the release build, and what wants the machine for itself: the control thread's
             turns at 100,000 users, storms of handshake messages, 100,000 idle clients
             (7 minutes); and the test of nonces at its full length, which with sanitizers is a
             tenth of that
  --help     this text

One part alone, once built:
  meson test -C build                          all unit tests (builds them); or one layer: ... dataplane
  python3 tests/run.py tests/layout            layout
  python3 tests/run.py tests/e2e [-k PATTERN]  end to end; --slow: those that mostly wait
END
}

quick=no load=no
for argument in "$@"; do
  case $argument in
    --quick) quick=yes ;;
    --load) load=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

# Debian's own: a package of tools/packages.txt that brings a module brings it to this one.
python=/usr/bin/python3

passed=0 failed=0 skipped=0 started=$SECONDS
logs=$(mktemp -d)  # a file for each part
background=()      # process groups
end_all() {
  local group
  for group in "${background[@]}"; do kill -- "-$group" 2>/dev/null; done
  wait
  rm -rf "$logs"
}
trap end_all EXIT

# Adds a part's closing line "N passed, N failed[, N skipped]" to the sum. A part without one has
# died: that is one failure more.
add_result() {
  local part=$1 line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$logs/$part" | tail -n 1)
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
    printf '== %-9s %s\n' "$part" "$line"
  else
    failed=$((failed + 1))
    printf '== %-9s died before its end\n' "$part"
  fi
}

# run_part PART: runs it and shows its output, but for its closing line, which is summed up.
run_part() {
  echo "== $1"
  "test_$1" </dev/null 2>&1 | tee "$logs/$1" | grep -vE '^[0-9]+ passed, [0-9]+ failed'
  add_result "$1"
}

# start_parts NICE PART...: begins to run them, one behind the other; each tells its output to its file,
# and show_part shows it. With a process group of their own (-m) they end with all that they have
# started.
start_parts() {
  local nice=$1
  shift
  set -m
  (trap - EXIT
   renice -n "$nice" $BASHPID >/dev/null
   for part in "$@"; do "test_$part" >"$logs/$part" 2>&1; done) </dev/null &
  background+=($!)
  set +m
}

show_part() {
  echo "== $1 (ran in the background)"
  grep -vE '^[0-9]+ passed, [0-9]+ failed' "$logs/$1"
  add_result "$1"
}

benchmarks=(tools/bench/bench_{aead,handshake,stages,tables} tests/ctrl/bench_protocol)

# What is installed is among it, for the packages, and not the tests of what is compiled for the
# sanitized build anyway.
build_release() {
  configure_build build --prefix=/usr --buildtype=release -Dtests=true &&
    run_build build ctrl/relayd cli/relayctl tools/relaygen/relaygen tests/crypto/test_crypto \
      tests/dataplane/test_dataplane tests/ctrl/test_relayd "${benchmarks[@]}" "$@"
}

# build_sanitized FOLDER SANITIZERS ARGUMENTS TARGET...: not optimized, and without the benchmarks:
# nobody measures here. Clang takes less than half of the time that GCC takes to instrument.
build_sanitized() {
  CXX=clang++ CXX_LD=lld configure_build "$1" --buildtype=debug --optimization=0 \
    -Db_sanitize="$2" -Db_lundef=false -Dcpp_args="$3" -Dbenchmarks=disabled &&
    run_build "$1" "${@:4}"
}

# timed WHAT COMMAND...: runs it and says how long it took.
timed() {
  local what=$1 began=$SECONDS status
  shift
  "$@"
  status=$?
  printf '%s took %d s\n' "$what" $((SECONDS - began))
  return "$status"
}

run_programs() { timed "running the tests" "$python" tools/lib/run_unit_tests.py "$@"; }

test_layout() { timed "the part" "$python" tests/run.py tests/layout; }
test_unit() { run_programs build crypto dataplane relayd bench; }
test_e2e() { timed "the part" "$python" tests/run.py tests/e2e; }
test_slow() { timed "the part" "$python" tests/run.py tests/e2e --slow; }
test_load() { timed "the part" "$python" tests/run.py tests/e2e --load; }
test_nonces() { timed "the part" build/tests/ctrl/test_ctrl NoncesTest; }
test_sanitized() {
  timed "the build" build_sanitized build-asan address,undefined \
    "['-g1', '-fno-sanitize=null,object-size,alignment,vptr']" && run_programs build-asan
}
test_threads() {
  timed "the build" build_sanitized build-threads thread "['-g1']" tests/threads/test_threads &&
    run_programs build-threads threads
}

finish() {
  local line="$passed passed, $failed failed"
  ((skipped)) && line+=", $skipped skipped"
  echo '== the longest tests'
  find "$logs" -type f -exec cat {} + | sed -nE 's/^ *(.*) \(([0-9]+\.[0-9]) s\)$/\2 s  \1/p' |
    sort -rn | head -n 10
  printf 'all parts took %d s\n%s\n' $((SECONDS - started)) "$line"
  ((failed == 0 && passed > 0))
}

give_up() {
  failed=$((failed + 1))
  finish
  exit 1
}

install_packages build test bench lab package || give_up

if [[ $load == yes ]]; then
  timed "the release build" build_release tests/ctrl/test_ctrl || give_up
  run_part load
  run_part nonces
elif [[ $quick == yes ]]; then
  timed "the release build" build_release || give_up
  run_part layout
  run_part unit
else
  timed "the release build" build_release || give_up
  # End-to-end tests mostly wait: what they leave of the processors goes to the other parts.
  start_parts 0 slow
  start_parts 19 sanitized threads layout
  run_part e2e
  run_part unit
  echo "== waiting for the parts in the background"
  wait
  background=()
  for part in layout sanitized threads slow; do show_part "$part"; done
fi
finish

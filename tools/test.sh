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
  layout     include directions, headers that compile alone, documents that match the code
  unit       unit and pipeline tests, release build (build/)
  e2e        relayd between network namespaces, with wireguard-go as clients (needs root)
  sanitized  unit and pipeline tests with address and undefined-behaviour sanitizers (build-asan/)
  threads    tests of what crosses threads, with the thread sanitizer (build-threads/)
  slow       end-to-end tests that mostly wait: they run beside the others

Prints how long each part and each build took, and last the tests that took longest.

  --quick    only layout and unit
  --load     only the release build, and what wants the machine for itself: the control thread's
             turns at 100,000 users, storms of handshake messages, 100,000 idle clients
             (7 minutes)
  --help     this text

One part alone, once built:
  meson test -C build                          all unit tests; or one layer: ... dataplane
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
all_output=$(mktemp)
trap 'rm -f "$all_output"' EXIT

# Adds a part's closing line "N passed, N failed[, N skipped]" to the sum. A part without one has
# died: that is one failure more.
add_result() {
  local part=$1 log=$2 took=$3 line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
    printf '== %-9s %s (took %d s)\n' "$part" "$line" "$took"
  else
    failed=$((failed + 1))
    printf '== %-9s died before its end\n' "$part"
  fi
}

# run_part NAME COMMAND...: shows the output, but for its closing line, which is summed up.
run_part() {
  local part=$1 log began=$SECONDS
  shift
  log=$(mktemp)
  echo "== $part"
  "$@" </dev/null 2>&1 | tee "$log" | grep -vE '^[0-9]+ passed, [0-9]+ failed'
  add_result "$part" "$log" $((SECONDS - began))
  cat "$log" >>"$all_output"
  rm -f "$log"
}

build_unit() { configure_build build --buildtype=release -Dtests=true && run_build build; }

# Not optimized, and without the benchmarks: nobody measures here.
build_sanitized() {
  configure_build build-asan --buildtype=debug --optimization=0 -Db_sanitize=address,undefined \
    -Db_lundef=false -Dcpp_args=-g1 -Dbenchmarks=disabled && run_build build-asan
}

build_threads() {
  configure_build build-threads --buildtype=debug --optimization=0 -Db_sanitize=thread \
    -Db_lundef=false -Dcpp_args=-g1 -Dbenchmarks=disabled &&
    run_build build-threads tests/threads/test_threads
}

# run_units PART FOLDER [TEST]...: builds what the part needs, and runs its unit tests.
run_units() {
  local part=$1 began=$SECONDS
  shift
  if "build_$part"; then
    printf '== %-9s built in %d s\n' "$part" $((SECONDS - began))
    run_part "$part" "$python" tools/lib/run_unit_tests.py "$@"
  else
    failed=$((failed + 1))
  fi
}

finish() {
  local line="$passed passed, $failed failed"
  ((skipped)) && line+=", $skipped skipped"
  echo '== the longest tests'
  sed -nE 's/^ *(.*) \(([0-9]+\.[0-9]) s\)$/\2 s  \1/p' "$all_output" | sort -rn | head -n 10
  printf 'all parts took %d s\n%s\n' $((SECONDS - started)) "$line"
  ((failed == 0 && passed > 0))
}

if ! install_packages build test bench lab; then
  failed=1
  finish
  exit 1
fi

if [[ $load == yes ]]; then
  if build_unit; then
    run_part load "$python" tests/run.py tests/e2e --load
  else
    failed=$((failed + 1))
  fi
  finish
  exit
fi
run_part layout "$python" tests/run.py tests/layout
run_units unit build
if [[ $quick == no ]]; then
  slow_log=$(mktemp)
  # End-to-end tests mostly wait: what they leave of the processors builds for the parts behind them,
  # which tell how it went. With process groups of their own (-m) both end with all that they have
  # started.
  set -m
  "$python" tests/run.py tests/e2e --slow </dev/null >"$slow_log" 2>&1 &
  slow=$!
  (renice -n 19 $BASHPID >/dev/null
   build_sanitized
   build_threads) </dev/null >/dev/null 2>&1 &
  building=$!
  set +m
  trap 'kill -- -$slow -$building 2>/dev/null; wait $slow $building; rm -f "$slow_log" "$all_output"' EXIT
  run_part e2e "$python" tests/run.py tests/e2e
  echo "== waiting for the builds"
  wait "$building"
  run_units sanitized build-asan
  run_units threads build-threads threads
  wait "$slow"
  trap 'rm -f "$slow_log" "$all_output"' EXIT
  run_part slow cat "$slow_log"
fi
finish

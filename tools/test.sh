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
Usage: tools/test.sh [--quick] [--help]

Installs the Debian packages that are missing (as root), builds, and runs:
  layout     include directions, headers that compile alone, documents that match the code
  unit       unit and pipeline tests, release build (build/)
  e2e        relayd between network namespaces, with wireguard-go as clients (needs root)
  sanitized  unit and pipeline tests with address and undefined-behaviour sanitizers, built without
             precompiled headers (build-asan/)
  slow       end-to-end tests that mostly wait: they run beside the other two

  --quick    only layout and unit
  --help     this text

One part alone, once built:
  meson test -C build                          all unit tests; or one layer: ... dataplane
  python3 tests/run.py tests/layout            layout
  python3 tests/run.py tests/e2e [-k PATTERN]  end to end; --slow: those that mostly wait
END
}

quick=no
for argument in "$@"; do
  case $argument in
    --quick) quick=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

passed=0 failed=0 skipped=0 started=$SECONDS

# Adds a part's closing line "N passed, N failed[, N skipped]" to the sum. A part without one has
# died: that is one failure more.
add_result() {
  local part=$1 log=$2 line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
    printf '== %-9s %s (at %d s)\n' "$part" "$line" $((SECONDS - started))
  else
    failed=$((failed + 1))
    printf '== %-9s died before its end\n' "$part"
  fi
}

# run_part NAME COMMAND...: shows the output, but for its closing line, which is summed up.
run_part() {
  local part=$1 log
  shift
  log=$(mktemp)
  echo "== $part"
  "$@" </dev/null 2>&1 | tee "$log" | grep -vE '^[0-9]+ passed, [0-9]+ failed'
  add_result "$part" "$log"
  rm -f "$log"
}

# build FOLDER MESON-OPTION...
build() {
  echo "== building $1"
  configure_build "$@" && run_build "$1"
}

# run_units NAME FOLDER: the unit tests of a folder that is built.
run_units() { run_part "$1" python3 tools/lib/run_unit_tests.py "$2"; }

finish() {
  local line="$passed passed, $failed failed"
  ((skipped)) && line+=", $skipped skipped"
  printf 'all parts took %d s\n%s\n' $((SECONDS - started)) "$line"
  ((failed == 0 && passed > 0))
}

if ! install_packages build test bench lab; then
  failed=1
  finish
  exit 1
fi

run_part layout python3 tests/run.py tests/layout
if build build --buildtype=release -Dtests=true; then
  run_units unit build
else
  failed=$((failed + 1))
fi
if [[ $quick == no ]]; then
  slow_log=$(mktemp) build_log=$(mktemp)
  # End-to-end tests mostly wait: what they leave of the processors builds the sanitized tests.
  # With process groups of their own (-m) both end with all that they have started.
  set -m
  python3 tests/run.py tests/e2e --slow </dev/null >"$slow_log" 2>&1 &
  slow=$!
  (renice -n 19 $BASHPID >/dev/null
   build build-asan --buildtype=debug --optimization=0 -Db_sanitize=address,undefined \
     -Db_lundef=false -Dcpp_args=-g1) </dev/null >"$build_log" 2>&1 &
  building=$!
  set +m
  trap 'kill -- -$slow -$building 2>/dev/null; wait $slow $building; rm -f "$slow_log" "$build_log"' EXIT
  run_part e2e python3 tests/run.py tests/e2e
  wait "$building"
  built=$?
  cat "$build_log"
  if ((built == 0)); then
    run_units sanitized build-asan
  else
    failed=$((failed + 1))
  fi
  wait "$slow"
  trap 'rm -f "$slow_log" "$build_log"' EXIT
  run_part slow cat "$slow_log"
fi
finish

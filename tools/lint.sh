#!/usr/bin/env bash
# clang-format and clang-tidy over what changed, or over everything. Changes nothing itself.
set -euo pipefail
WIRELAY_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$WIRELAY_ROOT"
source tools/lib/packages.sh
source tools/lib/build.sh

usage() {
  cat <<'END'
Usage: tools/lint.sh [--all | --since COMMIT] [--format-only]

Checks the C++ files that differ from the last commit, those that changed since COMMIT, or all.
To mend formatting: clang-format -i FILE...
END
}

since=HEAD all=no tidy=yes
while (($#)); do
  case $1 in
    --all) all=yes ;;
    --since) since=${2:?--since needs a commit}; shift ;;
    --format-only) tidy=no ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

install_packages lint

if [[ $all == yes ]]; then
  mapfile -t files < <(git ls-files '*.h' '*.cc')
else
  mapfile -t files < <({ git diff --name-only --diff-filter=d "$since" -- '*.h' '*.cc'
                         git ls-files --others --exclude-standard -- '*.h' '*.cc'; } | sort -u)
fi
if ((${#files[@]} == 0)); then
  echo "No C++ file to check."
  exit 0
fi

good=yes
clang-format --dry-run --Werror "${files[@]}" || good=no

if [[ $tidy == yes ]]; then
  install_packages build test
  # Only configured; each source is looked at by itself.
  configure_build build-lint --buildtype=release -Dtests=true -Dunity=off
  # Headers are checked through the sources that include them.
  mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.cc$' || true)
  if ((${#sources[@]})); then
    printf '%s\n' "${sources[@]}" |
      xargs -P "$(nproc)" -n 1 clang-tidy -p build-lint --quiet --warnings-as-errors='*' \
        --extra-arg=-Wno-unknown-warning-option 2>/dev/null || good=no
  fi
fi

[[ $good == yes ]] && echo "${#files[@]} files are clean."
[[ $good == yes ]]

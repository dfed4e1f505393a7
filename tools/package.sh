#!/usr/bin/env bash
# Builds the Debian packages wirelay and wirelay-tools.
set -euo pipefail
here=$PWD
WIRELAY_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$WIRELAY_ROOT"
source tools/lib/packages.sh
source tools/lib/build.sh

usage() {
  cat <<'END'
Usage: tools/package.sh [--build FOLDER] [--version VERSION] [--help] [FOLDER]

Installs what is missing (as root), builds, and writes wirelay_*.deb and wirelay-tools_*.deb to FOLDER
(packages/ by default).

  --build FOLDER     a release build that is there, with the prefix /usr: nothing is compiled
  --version VERSION  of the packages; else the project's
  --help             this text

apt install ./packages/wirelay_*.deb    installs the relay; "relayctl setup" then makes its configuration
END
}

build='' version='' folder=packages
while (($#)); do
  case $1 in
    --build) build=$(cd "$here" && realpath "${2:?--build needs a folder}"); shift 2 ;;
    --version) version=${2:?--version needs a version}; shift 2 ;;
    --help | -h) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) folder=$1; shift ;;
  esac
done

[[ $folder == /* ]] || folder=$here/$folder
install_packages build bench package
if [[ -z $build ]]; then
  build=$WIRELAY_ROOT/build-package
  configure_build build-package --prefix=/usr --buildtype=release -Dtests=false
  run_build build-package
fi
[[ $(meson introspect "$build" --buildoptions | python3 -c '
import json, sys
print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))') == /usr ]] || {
  echo "The build in $build has another prefix than /usr: meson configure --prefix=/usr" >&2
  exit 1
}
version=${version:-$("$build/ctrl/relayd" --version | cut -d' ' -f2)}

# The tree that dpkg-buildpackage looks at: our programs are built already.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/wirelay-$version
mkdir -p "$tree/tools"
cp -r tools/package "$tree/tools/"
cp -r tools/package/debian "$tree/debian"
requirements=$(awk '$1 == "build" {print $2}' tools/packages.txt | paste -sd, | sed 's/,/, /g')
sed -i "s/@BUILD_DEPENDS@/debhelper-compat (= 13), $requirements, libbenchmark-dev, python3/" "$tree/debian/control"
awk -v licence=LICENSE '
  /^@LICENSE@$/ { while ((getline line < licence) > 0) print line == "" ? " ." : " " line; next }
  /@COPYRIGHT@/ { while ((getline line < licence) > 0) if (line ~ /^Copyright/) sub("@COPYRIGHT@", substr(line, 15)); close(licence) }
  { print }' tools/package/debian/copyright.in >"$tree/debian/copyright"
rm "$tree/debian/copyright.in"
cat >"$tree/debian/changelog" <<END
wirelay ($version) unstable; urgency=medium

  * Packaged from the source tree.

 -- Wirelay <wirelay@example.net>  $(date -R)
END

log=$work/log
(cd "$tree" && WIRELAY_BUILD=$build DEB_BUILD_OPTIONS="nocheck noautodbgsym" \
  dpkg-buildpackage --build=binary --no-sign -d) >"$log" 2>&1 || {
  tail -n 40 "$log" >&2
  echo "The packages could not be made." >&2
  exit 1
}
mkdir -p "$folder"
cp "$work"/*.deb "$folder/"
(cd "$work" && ls -- *.deb) | sed "s|^|$folder/|"

# Build folders. Sourced by the programs in tools/.

# configure_build FOLDER MESON-OPTION...: makes the folder, or brings its options up to date; on
# failure prints what meson said.
configure_build() {
  local folder=$1 said
  shift
  if [[ -f $folder/build.ninja ]]; then
    said=$(meson configure "$folder" "$@" 2>&1) && return
  else
    said=$(meson setup "$folder" "$WIRELAY_ROOT" "$@" 2>&1) && return
  fi
  tail -n 30 <<<"$said" >&2
  echo "The build in $folder cannot be configured." >&2
  return 1
}

# run_build FOLDER [TARGET...]: builds; on failure prints what the compiler said.
run_build() {
  local folder=$1 log
  log=$(mktemp)
  if ninja -C "$@" >"$log" 2>&1; then
    rm -f "$log"
  else
    grep -vE '^\[[0-9]+/[0-9]+\] ' "$log" | head -n 80
    rm -f "$log"
    echo "The build in $folder failed." >&2
    return 1
  fi
}

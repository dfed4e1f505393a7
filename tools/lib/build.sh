# Build folders. Sourced by the programs in tools/.

# configure_build FOLDER MESON-OPTION...: makes the folder, or brings its options up to date.
configure_build() {
  local folder=$1
  shift
  if [[ -f $folder/build.ninja ]]; then
    meson configure "$folder" "$@" >/dev/null
  else
    meson setup "$folder" "$WIRELAY_ROOT" "$@" >/dev/null
  fi
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

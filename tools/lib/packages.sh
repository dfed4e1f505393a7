# Installs Debian packages of tools/packages.txt. Sourced by the programs in tools/.

# Prints those packages of the groups "$@" that are not installed.
missing_packages() {
  local group package _
  while read -r group package _; do
    [[ " $* " == *" $group "* ]] || continue
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      printf '%s\n' "$package"
  done < <(grep -v '^#' "$WIRELAY_ROOT/tools/packages.txt")
}

# Installs what is missing of the groups "$@"; needs no network when nothing is.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  echo "Installing: ${missing[*]}"
  if ((EUID != 0)); then
    echo "Not root: install them yourself: apt-get install ${missing[*]}" >&2
    return 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  # Package lists may be fresh enough: only ask for new ones when installing fails without.
  apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null 2>&1 ||
    { apt-get update -qq </dev/null &&
      apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null; } || {
    echo "Could not install: ${missing[*]}. Is a Debian mirror reachable?" >&2
    return 1
  }
}

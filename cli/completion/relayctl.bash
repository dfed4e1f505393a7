# Bash completion for relayctl: commands and options as the program itself lists them, names as the
# relay knows them (asked for those behind what is there already: it may have many), files where an
# option takes one.

_relayctl_kinds='started connected disconnected roamed refused shared_key quota expiry change link gateway draining nat_block lost'

_relayctl_names() {
  local -a socket=()
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == --socket ]] && socket=(--socket "${COMP_WORDS[i + 1]}")
  done
  relayctl "$1" list --names --limit 100 --after "$cur" "${socket[@]}" 2>/dev/null
}

_relayctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local -a words=()
  local i listed command
  COMPREPLY=()

  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --socket) ((i++)) ;;
      -*) ;;
      *) words+=("${COMP_WORDS[i]}") ;;
    esac
  done

  case $prev in
    --socket | --file | --output | --qr-png | --qr-svg | --key-output | --preshared-key-file | --private-key-file)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    --user)
      mapfile -t COMPREPLY < <(compgen -W "$(_relayctl_names user)" -- "$cur")
      return
      ;;
    --kind)
      mapfile -t COMPREPLY < <(compgen -W "$_relayctl_kinds" -- "$cur")
      return
      ;;
    --rate* | --packets*)
      mapfile -t COMPREPLY < <(compgen -W 'unlimited' -- "$cur")
      return
      ;;
  esac

  listed=$(relayctl help --words 2>/dev/null) || return
  if [[ ${words[0]} == help ]]; then words=("${words[@]:1}"); fi
  command="${words[*]:0:2}"
  if ! grep -q "^$command:" <<<"$listed"; then command=${words[0]}; fi

  if grep -q "^$command:" <<<"$listed"; then
    if [[ $cur == -* ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^$command://p" <<<"$listed")" -- "$cur")
      return
    fi
    case $command in
      'user set' | 'user rename' | 'user remove' | 'user reset-quota' | 'user show' | usage)
        mapfile -t COMPREPLY < <(compgen -W "$(_relayctl_names user)" -- "$cur")
        ;;
      'peer set' | 'peer rename' | 'peer remove' | 'peer rotate' | 'peer forget-timestamp' | 'peer show' | \
        'peer config')
        mapfile -t COMPREPLY < <(compgen -W "$(_relayctl_names peer)" -- "$cur")
        ;;
      export | import | backup) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
  elif ((${#words[@]} == 0)); then
    mapfile -t COMPREPLY < <(compgen -W "help $(sed 's/[ :].*//' <<<"$listed" | sort -u)" -- "$cur")
  else
    mapfile -t COMPREPLY < <(
      compgen -W "$(sed -n "s/^${words[0]} \([a-z-]*\):.*/\1/p" <<<"$listed")" -- "$cur"
    )
  fi
}

complete -F _relayctl relayctl

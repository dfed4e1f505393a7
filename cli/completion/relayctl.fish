# Fish completion for relayctl: commands and options as the program itself lists them, names as the
# relay knows them (asked for those behind what is there already: it may have many), files where an
# option takes one.

function __relayctl_names
    set -l socket
    set -l words (commandline -opc)
    if set -l i (contains -i -- --socket $words)
        set socket --socket $words[(math $i + 1)]
    end
    relayctl $argv[1] list --names --limit 100 --after (commandline -ct) $socket 2>/dev/null
end

# What was said, without options; the value of --socket is one's own affair.
function __relayctl_said
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if test "$word" = --socket
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

function __relayctl_complete
    set -l said (__relayctl_said)
    switch (commandline -opc)[-1]
        case --socket --file --output --qr-png --qr-svg --key-output --preshared-key-file --private-key-file
            __fish_complete_path (commandline -ct)
            return
        case --user
            __relayctl_names user
            return
        case --kind
            printf '%s\n' started connected disconnected roamed refused shared_key quota expiry change link gateway draining nat_block lost
            return
        case '--rate*' '--packets*'
            echo unlimited
            return
    end
    set -l listed (relayctl help --words 2>/dev/null)
    if test "$said[1]" = help
        set -e said[1]
    end
    set -l command "$said[1..2]"
    if not string match -q -- "$command:*" $listed
        set command $said[1]
    end
    if test -n "$command"; and string match -q -- "$command:*" $listed
        if string match -q -- '-*' (commandline -ct)
            string split -n ' ' (string replace "$command:" '' (string match -- "$command:*" $listed))
            return
        end
        switch $command
            case 'user set' 'user rename' 'user remove' 'user reset-quota' 'user show' usage
                __relayctl_names user
            case 'peer set' 'peer rename' 'peer remove' 'peer rotate' 'peer forget-timestamp' 'peer show' 'peer config'
                __relayctl_names peer
            case export import backup
                __fish_complete_path (commandline -ct)
        end
    else if test (count $said) = 0
        echo help
        string replace -r '[ :].*' '' $listed | sort -u
    else
        string replace -rf "^$said[1] ([a-z-]*):.*" '$1' $listed
    end
end

complete -c relayctl -f -a '(__relayctl_complete)'

# shellcheck shell=sh
# What start/stop scripts know of processes: by their numbers, never by their names alone.

# The number in a pid file, if a process of one of these names has it.
# Usage: running FILE NAME ...
running() {
    number=$(cat "$1" 2> /dev/null) || return 1
    shift
    case $number in '' | *[!0-9]*) return 1 ;; esac
    command=$(cat "/proc/$number/comm" 2> /dev/null) || return 1
    for name; do
        # The kernel keeps 15 bytes of a name.
        if [ "$command" = "$(printf %.15s "$name")" ]; then
            echo "$number"
            return
        fi
    done
    return 1
}

# Whether a process has a socket that others can connect to.
listens() {
    for descriptor in "/proc/$1/fd/"*; do
        case $(readlink "$descriptor") in
            socket:*) socket=$(readlink "$descriptor" | tr -dc 0-9) ;;
            *) continue ;;
        esac
        # State 0A of TCP is LISTEN; the inode is the tenth word.
        cat /proc/net/tcp /proc/net/tcp6 2> /dev/null |
            awk -v socket="$socket" '$4 == "0A" && $10 == socket { found = 1 } END { exit !found }' &&
            return
    done
    return 1
}

# Whether a process holds the lock on a file.
locks() {
    inode=$(stat -c %i "$2" 2> /dev/null) &&
        awk -v pid="$1" -v inode="$inode" '
            $5 == pid && $6 ~ ":" inode "$" { found = 1 }
            END { exit !found }' /proc/locks
}

# The process group that a process is in.
group_of() {
    # Behind the name, which may hold anything but is in parentheses: state, parent, group.
    sed 's/.*) //' "/proc/$1/stat" 2> /dev/null | cut -d ' ' -f 3
}

# Whether anybody in a process group is left. Those that have ended count only until somebody looks.
group_is_there() {
    for stat in /proc/[0-9]*/stat; do
        sed -n 's/.*) \([A-Z]\) [0-9]* \([0-9]*\) .*/\1 \2/p' "$stat" 2> /dev/null
    done | grep -q "^[^ZX] $1\$"
}

# Whether a process is there.
is_there() {
    [ -e "/proc/$1" ] && ! grep -q '^State:.*[ZX] (' "/proc/$1/status" 2> /dev/null
}

# Tries for so many seconds until a command succeeds.
# Usage: within SECONDS COMMAND ...
within() {
    left=$(($1 * 10))
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}

gone() {
    ! is_there "$1"
}

group_is_gone() {
    ! group_is_there "$1"
}

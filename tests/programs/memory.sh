#!/usr/bin/env bash
# Out of memory: whatever the limit is, one message and status 1, never a signal. A save asks for no memory to
# speak of, so a run that has done an update and logged it has its checkpoint too.
. "$(dirname "$0")/../shell.sh"
case $BIN in *san*) skip "the sanitizers reserve terabytes" ;; esac

# Runs training under a limit (KB): true if it ended well, false if it ended as it should without memory.
fits() { # LIMIT PROGRAM OPTIONS...
    local status=0 limit=$1 program=$2
    shift 2
    rm -rf "$tmp/run"
    (ulimit -v "$limit" && exec "$BIN$program" "$@" --quiet --plot none --steps 1 --out "$tmp/run") >"$tmp/out" 2>&1 || status=$?
    grep -q '^1,' "$tmp/run/log.csv" 2>/dev/null && [ ! -e "$tmp/run/model.safetensors" ] &&
        { cat "$tmp/out" >&2; fail "limit $limit: an update was logged and not saved: $program $*"; }
    [ "$status" -eq 0 ] && return 0
    [ "$status" -eq 1 ] || { cat "$tmp/out" >&2; fail "limit $limit: status $status, not 1: $program $*"; }
    [ "$(grep -c 'out of memory' "$tmp/out") $(wc -l <"$tmp/out")" = "1 1" ] ||
        { cat "$tmp/out" >&2; fail "limit $limit: not one message: $program $*"; }
    compgen -G "$tmp/run/*.tmp.*" >/dev/null && fail "limit $limit: a temporary file was left: $program $*"
    return 1
}

# The least limit under which training runs, to 4 MB: the runs just below it fail as late as can be.
search() { # PROGRAM OPTIONS...
    local low=70000 high=1200000
    fits $high "$@" || fail "does not fit into $high KB: $*"
    ! fits $low "$@" || fail "fits into $low KB: $*"
    while [ $((high - low)) -gt 4000 ]; do
        local middle=$(((low + high) / 2))
        if fits $middle "$@"; then high=$middle; else low=$middle; fi
    done
    echo "at least $high KB: $*"
}

search transformer/train --task copy --channels 192 --layers 3 --batch 2 --seq-len 4 --threads 1
search lstm_gru/train --task parity --hidden 512 --channels 256 --threads 2
exit 0

#!/usr/bin/env bash
# Out of memory: at every limit a program ends with one message and status 1, never by a signal. A save needs hardly
# any memory, so a run that has logged an update also has its checkpoint.
. "$(dirname "$0")/../shell.sh"
case $BIN in *san*) skip "the sanitizers reserve terabytes" ;; esac

# Trains under a memory limit (KB): true if training succeeds, false if it ends with the right message.
fits() { # LIMIT PROGRAM OPTIONS...
    local status=0 limit=$1 program=$2
    shift 2
    rm -rf "$tmp/run"
    (ulimit -v "$limit" && exec "$BIN$program" "$@" --quiet --plot none --steps 1 --out "$tmp/run") >"$tmp/out" 2>&1 || status=$?
    grep -q '^1,' "$tmp/run/log.csv" 2>/dev/null && [ ! -e "$tmp/run/model.safetensors" ] &&
        { cat "$tmp/out" >&2; fail "limit $limit: an update was logged but not saved: $program $*"; }
    [ "$status" -eq 0 ] && return 0
    [ "$status" -eq 1 ] || { cat "$tmp/out" >&2; fail "limit $limit: status $status, expected 1: $program $*"; }
    [ "$(grep -c 'out of memory' "$tmp/out") $(wc -l <"$tmp/out")" = "1 1" ] ||
        { cat "$tmp/out" >&2; fail "limit $limit: expected exactly one message: $program $*"; }
    compgen -G "$tmp/run/*.tmp.*" >/dev/null && fail "limit $limit: a temporary file was left: $program $*"
    return 1
}

# Finds the lowest limit that training fits into, to 4 MB: runs just below it fail at the latest possible moment.
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

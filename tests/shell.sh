# shellcheck shell=bash
# What the shell tests share. Source it first: it moves to the top of the project, makes $tmp, and
# gives `expect STATUS TEXT COMMAND...` and `fail MESSAGE`. $BIN: where the programs stand.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
BIN=${BIN:-./}
[ "${BIN#/}" = "$BIN" ] && BIN=./$BIN
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

skip() {
    echo "skipped: $*"
    exit 77
}

# Runs a command; its status must be STATUS and its output (both streams) contain TEXT.
expect() {
    local status=$1 text=$2 got=0
    shift 2
    "$@" >"$tmp/out" 2>&1 </dev/null || got=$?
    [ "$got" -eq "$status" ] || { cat "$tmp/out" >&2; fail "status $got, not $status: $*"; }
    [ -z "$text" ] || grep -qF -- "$text" "$tmp/out" || { cat "$tmp/out" >&2; fail "no \"$text\" from: $*"; }
}

# The log without its time columns (3: seconds, 9: tokens_per_second).
log_of() {
    cut -d, -f1,2,4-8 "$1/log.csv"
}

# shellcheck disable=SC2034 # used by those who source this
data=${LMZOO_DATA:-../shared/data}

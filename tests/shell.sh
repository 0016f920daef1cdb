# shellcheck shell=bash
# Helpers of the shell tests. Source this file first: it changes to the top folder, makes the folder $tmp, and
# defines `expect STATUS TEXT COMMAND...`, `fail MESSAGE`, `values_of FILE` and `skip MESSAGE`. $BIN: the folder of
# the programs.
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

# Runs a command, and fails unless its status is STATUS and its output (both streams) contains TEXT.
expect() {
    local status=$1 text=$2 got=0
    shift 2
    "$@" >"$tmp/out" 2>&1 </dev/null || got=$?
    [ "$got" -eq "$status" ] || { cat "$tmp/out" >&2; fail "status $got, expected $status: $*"; }
    [ -z "$text" ] || grep -qF -- "$text" "$tmp/out" || { cat "$tmp/out" >&2; fail "the output lacks \"$text\": $*"; }
}

# Prints log.csv without its time columns (3: seconds, 9: tokens_per_second).
log_of() {
    cut -d, -f1,2,4-8 "$1/log.csv"
}

# Prints the data of a safetensors file, without its header: the metadata differ if the options do.
values_of() { # FILE
    tail -c +$((9 + $(od -An -tu8 -N8 "$1" | tr -d ' '))) "$1"
}

# shellcheck disable=SC2034 # used by the tests
data=${LMZOO_DATA:-../shared/data}

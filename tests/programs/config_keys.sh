#!/usr/bin/env bash
# A value that cannot be, at any key of config.json, is an error that names the key, in train --resume and in eval.
. "$(dirname "$0")/../shell.sh"

# Prints config.json with another value at a key of the outer object.
replaced() { # KEY VALUE
    awk -v key="  \"$1\": " -v value="$2" '
        skipped && !/^  []}],?$/ { next }
        !skipped && index($0, key) != 1 { print; next }
        { skipped = !skipped && /[[{]$/ }
        !skipped { print key value (/,$/ ? "," : "") }' "$tmp/config.json"
}

# Fails unless the program ends with status 1 and names the key.
refuses() { # KEY VALUE COMMAND...
    local spelled=${1//_/-} status=0
    "${@:3}" >"$tmp/out" 2>&1 </dev/null || status=$?
    tried=$((tried + 1))
    [ $status -eq 1 ] && grep -q -- "$1\|--$spelled" "$tmp/out" && return
    cat "$tmp/out" >&2
    fail "\"$1\": $2: status $status, expected 1 and the name: ${*:3}"
}

# Tries all values at all keys of a run.
tried=0
try_all() { # PROGRAM VALUE...
    local run=$tmp/$1 key value old
    cp "$run/config.json" "$tmp/config.json"
    for key in $(sed -n 's/^  "\([a-z0-9_]*\)": .*/\1/p' "$tmp/config.json"); do
        old=$(sed -n "s/^  \"$key\": \([^,]*\),\{0,1\}$/\1/p" "$tmp/config.json")
        for value in "${@:2}"; do
            [ "$value" = "$old" ] && continue
            # Flags that are of one call, so that any of both values is right.
            case "$key $value" in
            quiet*true | dry_run*true | overwrite*true | other_data*true | resume*true | trace*true) continue ;;
            esac
            replaced "$key" "$value" >"$run/config.json"
            cmp -s "$tmp/config.json" "$run/config.json" && fail "$key was not replaced"
            refuses "$key" "$value" "$BIN$1/train" --resume --steps 4 --plot none --quiet --threads 1 --out "$run"
            # eval has no --trace.
            [ "$key" = trace ] || refuses "$key" "$value" "$BIN$1/eval" --plot none "$run"
        done
    done
    cp "$tmp/config.json" "$run/config.json"
    echo "$1: $tried values tried"
}

small=(--steps 3 --hidden 8 --channels 8 --plot none --quiet --threads 1)
for i in $(seq 60); do printf 'a%d b\tb %d\n' "$i" "$i"; done >"$tmp/pairs.tsv"
"$BIN"rnn/train --lines "${small[@]}" --out "$tmp/rnn" || fail "rnn"
"$BIN"lstm_gru/train --task parity "${small[@]}" --out "$tmp/lstm_gru" || fail "lstm_gru"
"$BIN"seq2seq_attention/train --pairs "$tmp/pairs.tsv" "${small[@]}" --out "$tmp/seq2seq_attention" || fail "seq2seq"
"$BIN"transformer/train --task copy --steps 3 --channels 8 --heads 2 --plot none --quiet --out "$tmp/transformer" ||
    fail "transformer"
# All values in `make check-full`, some in `make check`.
everything=('null' '[]' '1e999')
[ -z "${FULL:-}" ] || everything+=('""' '{}' 'true' '1e300' '99999999999999999999')
try_all rnn "${everything[@]}"
try_all seq2seq_attention 'null'
try_all lstm_gru '{}'
try_all transformer '[]'
exit 0

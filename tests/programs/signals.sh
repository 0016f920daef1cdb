#!/usr/bin/env bash
# Ctrl-C saves and exits 130, SIGTERM 143; a second one ends at once; two trainers in one directory
# are refused.
. "$(dirname "$0")/../shell.sh"

for signal in INT TERM; do
    rm -rf "$tmp/run"
    "$BIN"rnn/train --task parity --steps 1000000 --plot none --out "$tmp/run" 2>"$tmp/err" &
    job=$!
    until [ "$(wc -l 2>/dev/null <"$tmp/run/log.csv")" ]; do sleep 0.05; done
    sleep 0.4
    expect 1 "another program is training there" \
        "$BIN"rnn/train --task parity --steps 10 --overwrite --out "$tmp/run"
    kill -$signal $job
    wait $job
    status=$?
    case $signal in INT) want=130 ;; TERM) want=143 ;; esac
    [ "$status" -eq "$want" ] || fail "SIG$signal: status $status"
    grep -q "go on with --resume" "$tmp/err" || fail "SIG$signal: no hint"
    expect 0 '"arch":"rnn"' "$BIN"rnn/eval "$tmp/run" --json --plot none --examples 8
done

# timeout(1) sends the signal to the program and to its group; a signal may come while a kernel of the
# matrix library has the stack pointer in its own buffer, and must not harm what lies before it.
for try in 1 2 3 4 5; do
    rm -rf "$tmp/run"
    timeout -s TERM "1.$try" \
        "$BIN"rnn/train --task parity --steps 1000000 --plot none --out "$tmp/run" 2>"$tmp/err"
    [ -s "$tmp/run/model.safetensors" ] || fail "try $try: nothing was saved: $(tail -1 "$tmp/err")"
done
exit 0

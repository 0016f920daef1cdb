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

# A signal that comes twice at once is one, and saves; a second one later ends the run where it stands. A
# step must be long for that, or it is over before the second comes.
for pause in 0.02 0.4; do
    rm -rf "$tmp/run"
    "$BIN"rnn/train --quiet --task parity --hidden 512 --batch 2048 --steps 100 --eval-every 100 --save-every 100 \
        --plot none --out "$tmp/run" &
    job=$!
    until [ -s "$tmp/run/log.csv" ] && [ "$(wc -l <"$tmp/run/log.csv")" -ge 2 ]; do sleep 0.02; done
    kill -TERM $job
    sleep $pause
    kill -TERM $job 2>/dev/null
    wait $job
    [ $? -eq 143 ] || fail "two signals: not status 143"
    if [ $pause = 0.02 ]; then
        [ -s "$tmp/run/model.safetensors" ] || fail "two signals at once: nothing was saved"
    elif awk -F, 'NR == 2 { exit !($3 > 1.5) }' "$tmp/run/log.csv"; then
        [ -e "$tmp/run/model.safetensors" ] && fail "the second signal did not end the run"
    fi
done
exit 0

#!/usr/bin/env bash
# Ctrl-C saves and exits with status 130, SIGTERM with 143; a second signal ends the run at once; a second trainer
# in the same directory is refused.
. "$(dirname "$0")/../shell.sh"

for signal in INT TERM; do
    rm -rf "$tmp/run"
    "$BIN"rnn/train --task parity --steps 1000000 --plot none --out "$tmp/run" 2>"$tmp/err" &
    job=$!
    until [ "$(wc -l 2>/dev/null <"$tmp/run/log.csv")" ]; do sleep 0.05; done
    sleep 0.4
    expect 1 "another program is training in it" \
        "$BIN"rnn/train --task parity --steps 10 --overwrite --out "$tmp/run"
    kill -$signal $job
    wait $job
    status=$?
    case $signal in INT) want=130 ;; TERM) want=143 ;; esac
    [ "$status" -eq "$want" ] || fail "SIG$signal: status $status"
    grep -q "continue with --resume" "$tmp/err" || fail "SIG$signal: the message does not name --resume"
    expect 0 '"arch":"rnn"' "$BIN"rnn/eval "$tmp/run" --json --plot none --examples 8
done

# timeout(1) sends the signal to the program and to its group. A signal may come while a kernel of the matrix library
# keeps the stack pointer in a buffer of its own, and must not overwrite the memory below it.
for try in 1 2 3 4 5; do
    rm -rf "$tmp/run"
    timeout -s TERM "1.$try" \
        "$BIN"rnn/train --task parity --steps 1000000 --plot none --out "$tmp/run" 2>"$tmp/err"
    [ -s "$tmp/run/model.safetensors" ] || fail "try $try: nothing was saved: $(tail -1 "$tmp/err")"
done

# Signals in quick succession reach the threads that help the main one, if those do not block them.
rm -rf "$tmp/run"
"$BIN"rnn/train --quiet --task parity --steps 1000000 --plot none --threads 2 --out "$tmp/run" 2>"$tmp/err" &
job=$!
until [ -s "$tmp/run/log.csv" ]; do sleep 0.02; done
for _ in $(seq 20000); do kill -CONT $job 2>/dev/null || break; done
kill -TERM $job 2>/dev/null
wait $job
[ $? -eq 143 ] || fail "many signals: not status 143: $(tail -1 "$tmp/err")"
[ -s "$tmp/run/model.safetensors" ] || fail "many signals: nothing was saved"

# Two signals at once count as one, and the run saves; a later second signal ends the run without saving. The step
# must be long, or it is over before the second signal comes.
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

# A signal also stops a validation that takes seconds. Its partial scores are dropped and the run is saved. A resumed
# run writes the missing row first, so log and best checkpoint equal those of an uninterrupted run.
awk 'BEGIN { srand(3); for (i = 0; i < 300000; i++) printf "%c%s", 97 + int(26 * rand()), i % 9 ? "" : "\n" }' \
    >"$tmp/text"
slow=(--quiet --text "$tmp/text" --heldout 0.8 --hidden 640 --layers 3 --seq-len 8 --batch 1 --steps 1 --plot none)
"$BIN"rnn/train "${slow[@]}" --out "$tmp/whole" || fail "an uninterrupted run"
"$BIN"rnn/train "${slow[@]}" --out "$tmp/cut" &
job=$!
until [ -s "$tmp/cut/log.csv" ]; do sleep 0.02; done
sleep 0.5
since=$(date +%s%N)
kill -INT $job
wait $job
[ $? -eq 130 ] || fail "a signal in a validation: not status 130"
[ $(($(date +%s%N) - since)) -lt 2500000000 ] || fail "the validation continued after the signal"
[ "$(wc -l <"$tmp/cut/log.csv")" -eq 1 ] || fail "the signal came after the validation: nothing was tested"
[ -s "$tmp/cut/model.safetensors" ] || fail "a signal in a validation: nothing was saved"
"$BIN"rnn/train "${slow[@]}" --out "$tmp/cut" --resume || fail "resuming in a validation"
[ "$(log_of "$tmp/whole")" = "$(log_of "$tmp/cut")" ] || fail "an interrupted validation: the log differs"
cmp "$tmp/whole/best.safetensors" "$tmp/cut/best.safetensors" || fail "an interrupted validation: best.safetensors differs"

# A signal stops eval's scoring too, which then prints no score.
"$BIN"rnn/eval "$tmp/whole" --plot none --samples 0 >"$tmp/out" 2>"$tmp/err" &
job=$!
sleep 0.7
since=$(date +%s%N)
kill -TERM $job
wait $job
[ $? -eq 143 ] || fail "a signal in a scoring: not status 143"
[ $(($(date +%s%N) - since)) -lt 2500000000 ] || fail "scoring continued after the signal"
[ -s "$tmp/out" ] && fail "a partial score was printed"
grep -q "stopped by a signal" "$tmp/err" || fail "eval does not say why it stopped: $(cat "$tmp/err")"
exit 0

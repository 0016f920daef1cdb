#!/usr/bin/env bash
# After kill -9 at any moment --resume goes on bit for bit: model and log end as if nothing happened.
. "$(dirname "$0")/../shell.sh"

options=(--quiet --plot none --steps 300 --save-every 7 --stream --hidden 32 --batch 8 --layers 2
    --dropout 0.1)
run() { # DIR OPTIONS...
    local dir=$1
    shift
    "$BIN"rnn/train "${options[@]}" --out "$tmp/$dir" "$@"
}

run whole || fail "uninterrupted run"
RANDOM=4711
for trial in 1 2 3 4 5; do
    rm -rf "$tmp/killed"
    kills=0
    until [ -f "$tmp/killed/done" ]; do
        resume=""
        [ -f "$tmp/killed/state.safetensors" ] && resume=--resume
        [ -z "$resume" ] && rm -rf "$tmp/killed"
        # shellcheck disable=SC2086
        (run killed $resume && touch "$tmp/killed/done") 2>"$tmp/err" &
        job=$!
        if [ $kills -lt 6 ]; then
            sleep "0.0$((RANDOM % 90 + 10))"
            pkill -9 -P $job 2>/dev/null && kills=$((kills + 1))
        fi
        wait $job 2>/dev/null
        [ $kills -gt 50 ] && fail "no end"
    done
    cmp "$tmp/whole/model.safetensors" "$tmp/killed/model.safetensors" ||
        fail "trial $trial: another model after $kills kills"
    [ "$(log_of "$tmp/whole")" = "$(log_of "$tmp/killed")" ] || fail "trial $trial: another log"
done

# A signal saves wherever the run is; going on from there ends no differently either.
"$BIN"rnn/train "${options[@]}" --save-every 1000 --out "$tmp/signal" &
job=$!
until [ "$(wc -l 2>/dev/null <"$tmp/signal/log.csv")" ]; do sleep 0.02; done
sleep 0.05
kill -INT $job
wait $job
[ $? -eq 130 ] || fail "status after SIGINT"
step=$(tail -n 1 "$tmp/signal/log.csv" | cut -d, -f1)
[ "$step" != 300 ] || fail "the signal came too late to show anything"
run signal --resume || fail "going on after SIGINT"
cmp "$tmp/whole/model.safetensors" "$tmp/signal/model.safetensors" || fail "SIGINT: another model"
[ "$(log_of "$tmp/whole")" = "$(log_of "$tmp/signal")" ] || fail "SIGINT: another log"

# The gated cells carry more (an LSTM its c besides): the same, after one kill and one signal each.
for cell in lstm gru; do
    gated() { # DIR OPTIONS...
        "$BIN"lstm_gru/train "${options[@]}" --cell $cell --out "$tmp/$cell-$1" "${@:2}"
    }
    gated whole || fail "$cell: uninterrupted run"
    for signal in KILL INT; do
        # Not by the function: the signal would reach the shell that runs it.
        "$BIN"lstm_gru/train "${options[@]}" --cell $cell --out "$tmp/$cell-$signal" &
        job=$!
        until [ -f "$tmp/$cell-$signal/state.safetensors" ]; do sleep 0.01; done
        kill -$signal $job
        wait $job 2>/dev/null
        step=$(tail -n 1 "$tmp/$cell-$signal/log.csv" | cut -d, -f1)
        [ "$step" != 300 ] || fail "$cell: SIG$signal came too late to show anything"
        gated $signal --resume || fail "$cell: going on after SIG$signal"
        cmp "$tmp/$cell-whole/model.safetensors" "$tmp/$cell-$signal/model.safetensors" ||
            fail "$cell, SIG$signal: another model"
        [ "$(log_of "$tmp/$cell-whole")" = "$(log_of "$tmp/$cell-$signal")" ] ||
            fail "$cell, SIG$signal: another log"
    done
done
exit 0

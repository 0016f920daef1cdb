#!/usr/bin/env bash
# After kill -9 at any moment --resume continues bit for bit: model and log end like those of an uninterrupted run.
. "$(dirname "$0")/../shell.sh"

small=(--quiet --plot none --steps 300 --save-every 7 --batch 8 --layers 2 --dropout 0.1)
options=("${small[@]}" --hidden 32 --stream)
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
        [ $kills -gt 50 ] && fail "trial $trial: no end after $kills kills"
    done
    cmp "$tmp/whole/model.safetensors" "$tmp/killed/model.safetensors" ||
        fail "trial $trial: the model differs after $kills kills"
    [ "$(log_of "$tmp/whole")" = "$(log_of "$tmp/killed")" ] || fail "trial $trial: the log differs"
done

# A signal saves at any moment; a resumed run ends in the same bits.
"$BIN"rnn/train "${options[@]}" --save-every 1000 --out "$tmp/signal" &
job=$!
until [ "$(wc -l 2>/dev/null <"$tmp/signal/log.csv")" ]; do sleep 0.02; done
sleep 0.05
kill -INT $job
wait $job
[ $? -eq 130 ] || fail "status after SIGINT"
step=$(tail -n 1 "$tmp/signal/log.csv" | cut -d, -f1)
[ "$step" != 300 ] || fail "the signal came too late: nothing was tested"
run signal --resume || fail "resuming after SIGINT"
cmp "$tmp/whole/model.safetensors" "$tmp/signal/model.safetensors" || fail "SIGINT: the model differs"
[ "$(log_of "$tmp/whole")" = "$(log_of "$tmp/signal")" ] || fail "SIGINT: the log differs"

# --resume with more steps writes their number into config.json, for the next --resume.
longer=(--quiet --plot none --hidden 8 --batch 4 --out "$tmp/longer")
"$BIN"rnn/train "${longer[@]}" --steps 5 || fail "5 steps"
"$BIN"rnn/train --plot none --out "$tmp/longer" --resume --steps 9 2>"$tmp/said" || fail "9 steps"
grep -q 'note: --steps is 9 instead of 5: from here on the learning rate follows the schedule of 9' "$tmp/said" ||
    fail "--resume with more steps does not mention the learning rate: $(cat "$tmp/said")"
grep -q '"steps": 9' "$tmp/longer/config.json" || fail "config.json does not have the 9 steps of --resume"
grep -q '"resume": false' "$tmp/longer/config.json" || fail "config.json has --resume in it"

# The same after one kill and one signal for the other models: an LSTM also carries c, pairs have other data, a
# Transformer has no state.
interrupted() { # NAME FOLDER OPTIONS...
    local name=$1 folder=$2 signal job step
    shift 2
    "$BIN$folder/train" "${small[@]}" "$@" --out "$tmp/$name-whole" || fail "$name: uninterrupted run"
    for signal in KILL INT; do
        "$BIN$folder/train" "${small[@]}" "$@" --out "$tmp/$name-$signal" &
        job=$!
        until [ -f "$tmp/$name-$signal/state.safetensors" ]; do sleep 0.01; done
        kill -$signal $job
        wait $job 2>/dev/null
        step=$(tail -n 1 "$tmp/$name-$signal/log.csv" | cut -d, -f1)
        [ "$step" != 300 ] || fail "$name: SIG$signal came too late: nothing was tested"
        "$BIN$folder/train" "${small[@]}" "$@" --out "$tmp/$name-$signal" --resume ||
            fail "$name: resuming after SIG$signal"
        cmp "$tmp/$name-whole/model.safetensors" "$tmp/$name-$signal/model.safetensors" ||
            fail "$name, SIG$signal: the model differs"
        [ "$(log_of "$tmp/$name-whole")" = "$(log_of "$tmp/$name-$signal")" ] ||
            fail "$name, SIG$signal: the log differs"
    done
}
interrupted lstm lstm_gru --hidden 32 --stream --cell lstm
interrupted gru lstm_gru --hidden 32 --stream --cell gru
interrupted accumulated lstm_gru --hidden 32 --stream --accumulate 3
interrupted additive seq2seq_attention --hidden 32 --task numbers --attention additive --cell lstm
interrupted dot seq2seq_attention --hidden 32 --task sort --attention dot --feed --reverse-source
awk 'BEGIN { for (i = 0; i < 600; i++) print "a" i % 7, "b" i % 11 "\tc" i % 11, "d" i % 7, "e" i % 13 }' \
    >"$tmp/pairs.tsv"
interrupted none seq2seq_attention --hidden 32 --pairs "$tmp/pairs.tsv" --attention none
narrow=(--channels 32 --heads 2 --ffn 64)
interrupted transformer transformer "${narrow[@]}" --task numbers --label-smoothing 0.1
interrupted decoder transformer "${narrow[@]}" --task recall --norm pre --positions learned
interrupted gpt gpt --channels 32 --heads 2 --seq-len 32
interrupted gpt1 gpt --channels 32 --heads 2 --lines --norm post --gelu erf --no-tied --accumulate 2
exit 0

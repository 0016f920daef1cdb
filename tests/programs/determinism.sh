#!/usr/bin/env bash
# The same seed gives the same bits on every run and for 1, 2 and 3 threads. The sizes are large enough that threads
# share every product; OMP_DYNAMIC=false keeps all threads at work on a busy machine. A few steps are enough, because
# a difference of one bit stays to the end.
. "$(dirname "$0")/../shell.sh"

train() { # PROGRAM DIR OPTIONS...
    local program=$1 dir=$2
    shift 2
    "$BIN$program/train" --quiet --plot none --steps 8 --warmup 2 --eval-every 8 --batch 48 \
        --out "$tmp/$dir" "$@" || fail "$dir"
}

while read -r program what; do
    # shellcheck disable=SC2086 # options, split on purpose
    for threads in 1 2 3; do OMP_DYNAMIC=false train "$program" $threads --overwrite --threads $threads $what; done
    # shellcheck disable=SC2086
    OMP_DYNAMIC=true train "$program" again --overwrite --threads 2 $what
    for other in 2 3 again; do
        cmp "$tmp/1/model.safetensors" "$tmp/$other/model.safetensors" ||
            fail "$program $what: model of $other"
        [ "$(log_of "$tmp/1")" = "$(log_of "$tmp/$other")" ] || fail "$program $what: log of $other"
    done
done <<'END'
rnn --lines
rnn --stream
rnn --task adding
rnn --task agreement --dropout 0.2 --layers 2
lstm_gru --cell lstm --lines --dropout 0.2 --layers 2 --hidden 128
lstm_gru --cell lstm --task adding --no-forget-gate
lstm_gru --cell gru --stream --inner-bias --hidden 64
lstm_gru --cell gru --task agreement --reset before
seq2seq_attention --task places --dropout 0.2
seq2seq_attention --task reverse --attention dot --feed --cell lstm --layers 2
seq2seq_attention --task numbers --attention concat --cell rnn --reverse-source
seq2seq_attention --task sort --attention none --no-bidirectional
transformer --task numbers --dropout 0.1 --label-smoothing 0.1
transformer --task recall --norm pre --positions learned
gpt --dropout 0.1
gpt --lines --norm post --gelu erf --no-tied
gpt --stream --seq-len 32
END

# Decoded outputs are the same too.
train seq2seq_attention pairs --task dates --steps 30
for threads in 1 2; do
    for beam in 1 3; do
        "$BIN"seq2seq_attention/eval "$tmp/pairs" --threads $threads --beam $beam --examples 70 \
            --plot none >"$tmp/decoded-$beam-$threads" || fail "decoding with $threads threads, beam $beam"
    done
done
for beam in 1 3; do
    cmp "$tmp/decoded-$beam-1" "$tmp/decoded-$beam-2" || fail "2 threads decode other outputs, beam $beam"
done

train rnn first --lines
train rnn seed --seed 2 --lines
cmp -s <(values_of "$tmp/first/model.safetensors") <(values_of "$tmp/seed/model.safetensors") &&
    fail "another seed gives the same model"
exit 0

#!/usr/bin/env bash
# The scores that the programs must reach with the default seed and the default options.
. "$(dirname "$0")/../shell.sh"

# Under sanitizers it would take ten times as long and show no more than shorter runs.
[[ $BIN == *san/ ]] && skip "under sanitizers resume.sh, determinism.sh and cli.sh train as well"

# Prints the number of a key in a line of JSON.
value() {
    sed -n "s/.*\"$1\":\\([-0-9.e+]*\\).*/\\1/p" "$tmp/json"
}
below() {
    awk -v x="$1" -v limit="$2" 'BEGIN { exit !(x != "" && x + 0 <= limit + 0) }' ||
        fail "$3: $1, must be at most $2"
}
scored=() # options of eval
train_with() { # FOLDER NAME OPTIONS...
    local folder=$1 name=$2
    shift 2
    "$BIN$folder/train" --quiet --plot none --out "$tmp/$name" "$@" || fail "training on $name"
    "$BIN$folder/eval" "$tmp/$name" --json --plot none "${scored[@]}" >"$tmp/json" ||
        fail "evaluating $name"
    cat "$tmp/json"
}
train() { # NAME OPTIONS...
    train_with rnn "$@"
}

train agreement --task agreement
below "$(value loss)" "$(awk -v b="$(value loss_perfect)" 'BEGIN { print b + 0.02 }')" "agreement: loss"

train parity --task parity
for length in 20 160; do
    accuracy=$(sed -n "s/.*\"value_by_length\":{[^}]*\"$length\":\\([0-9.]*\\).*/\\1/p" "$tmp/json")
    below 0.99 "$accuracy" "parity at $length: accuracy"
done

train copy-memory --task copy-memory
for side in 1 -1; do # within 0.002 of the theory, from above and from below
    below "$(awk -v s=$side -v x="$(value loss)" -v t="$(value loss_chance)" \
        'BEGIN { print s * (x - t) }')" 0.002 "copy-memory: distance from the theory"
done

# The adding problem at T = 100: the tanh network stays near 0.1667, the error of always answering 1; the gated
# networks solve it (T = 200 takes longer: make experiments).
adding=(--task adding --seq-len 100 --hidden 64)
train_with rnn adding-rnn "${adding[@]}" --steps 700
below "$(value loss)" 0.20 "adding, rnn: mse"
below 0.12 "$(value loss)" "adding, rnn: mse"
train_with lstm_gru adding-gru "${adding[@]}" --cell gru --steps 700 --lr 3e-3
below "$(value loss)" 0.02 "adding, gru: mse"
train_with lstm_gru adding-lstm "${adding[@]}" --cell lstm --steps 1000 --lr 5e-3
below "$(value loss)" 0.05 "adding, lstm: mse"

# --- encoder-decoder networks ---

above() {
    awk -v x="$1" -v limit="$2" 'BEGIN { exit !(x != "" && x + 0 >= limit + 0) }' ||
        fail "$3: $1, must be at least $2"
}
exact_at() { # LENGTH: prints the sequence accuracy of that length
    sed -n "s/.*\"by_length\":{[^}]*\"$1\":\\([0-9.e-]*\\).*/\\1/p" "$tmp/json"
}

scored=(--examples 1000)

# Dates in 400 updates: attention solves them; a network without attention needs several times as many.
train_with seq2seq_attention dates --task dates --attention dot --steps 400
above "$(value exact)" 0.99 "dates, dot: exact match"
train_with seq2seq_attention dates-none --task dates --attention none --steps 400
below "$(value exact)" 0.9 "dates, none: exact match"

# While the decoder writes the year, attention looks at the year. A shade gives a weight in tenths, rounded down.
line="September 27, 1994" before="September 27, "
"$BIN"seq2seq_attention/eval "$tmp/dates" --interactive --alignment <<<"$line" >"$tmp/looks" ||
    fail "$line: eval"
[ "$(head -n 1 "$tmp/looks")" = 1994-09-27 ] || fail "$line: $(head -n 1 "$tmp/looks")"
awk -v year=$((${#before} + 1)) 'NR >= 3 && NR <= 6 {
        bar = index($0, "|")
        tenths = 0
        for (i = year; i < year + 4; i++) tenths += index(" .:-=+*#%@", substr($0, bar + i, 1)) - 1
        if (tenths < 5 || $1 != substr("1994", NR - 2, 1)) bad = 1
    }
    END { exit bad || NR < 6 }' "$tmp/looks" || { cat "$tmp/looks"; fail "$line: attention does not look at the year"; }

# A beam finds outputs of a higher probability than greedy decoding.
for beam in 1 4; do
    "$BIN"seq2seq_attention/eval "$tmp/dates-none" --beam $beam --length-penalty 0 --examples 500 \
        --json --plot none >"$tmp/json" || fail "beam $beam"
    [ "$(value beam) $(value decoded)" = "$beam 500" ] || fail "beam $beam: $(cat "$tmp/json")"
    likely[beam]=$(value log_probability)
done
above "${likely[4]}" "$(awk -v g="${likely[1]}" 'BEGIN { print g + 0.01 }')" "log p of a beam of 4"

# The bottleneck: one vector holds five symbols but not fifteen; attention reads twenty. (make experiments runs the
# full comparison, with additive attention.)
reverse=(--task reverse --seq-len 20 --hidden 64 --channels 32 --batch 32)
train_with seq2seq_attention reverse-none "${reverse[@]}" --attention none --no-bidirectional \
    --steps 2500 --lr 1e-2
above "$(exact_at 5)" 0.95 "reverse, none: sequence accuracy at 5"
below "$(exact_at 15)" 0.30 "reverse, none: sequence accuracy at 15"
train_with seq2seq_attention reverse-dot "${reverse[@]}" --attention dot --steps 3000 --lr 7e-3
above "$(exact_at 20)" 0.95 "reverse, dot: sequence accuracy at 20"

# --- Transformer ---

# Two layers of attention find the value that stood beside a key; one layer guesses among eight.
recall=(--task recall --norm pre --channels 64 --heads 1 --ffn 0 --no-tied --lr 4e-3 --steps 500)
train_with transformer recall "${recall[@]}" --layers 2
above "$(value value)" 0.95 "recall, 2 layers: accuracy"
train_with transformer recall-1 "${recall[@]}" --layers 1
below "$(value value)" 0.4 "recall, 1 layer: accuracy"

# --- GPT ---

# In-context learning: one example of a shift modulo 11 tells all; without one the best accuracy is 1/11 = 0.091.
shots() { # N: prints the accuracy after N examples
    sed -n "s/.*\"value_by_shot\":{[^}]*\"$1\":\\([0-9.e-]*\\).*/\\1/p" "$tmp/json"
}
train_with gpt shift --task shift --layers 2 --channels 64 --no-tied
below "$(shots 0)" 0.14 "shift, no example: accuracy"
above "$(shots 0)" 0.05 "shift, no example: accuracy"
for n in 1 2 8; do above "$(shots $n)" 0.97 "shift, $n examples: accuracy"; done
exit 0

#!/usr/bin/env bash
# What the programs must reach, from the default seed, with the default options.
. "$(dirname "$0")/../shell.sh"

# The number of a key in a line of JSON.
value() {
    sed -n "s/.*\"$1\":\\([-0-9.e+]*\\).*/\\1/p" "$tmp/json"
}
below() {
    awk -v x="$1" -v limit="$2" 'BEGIN { exit !(x != "" && x + 0 <= limit + 0) }' ||
        fail "$3: $1, must be at most $2"
}
train_with() { # FOLDER NAME OPTIONS...
    local folder=$1 name=$2
    shift 2
    "$BIN$folder/train" --quiet --plot none --out "$tmp/$name" "$@" || fail "training on $name"
    "$BIN$folder/eval" "$tmp/$name" --json --plot none >"$tmp/json" || fail "evaluating $name"
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

# The adding problem at T = 100: the tanh network stays near 0.1667, that of always answering 1, and
# the gates solve it (T = 200 takes longer: make experiments).
adding=(--task adding --seq-len 100 --hidden 64)
train_with rnn adding-rnn "${adding[@]}" --steps 700
below "$(value loss)" 0.20 "adding, rnn: mse"
below 0.12 "$(value loss)" "adding, rnn: mse"
train_with lstm_gru adding-gru "${adding[@]}" --cell gru --steps 700 --lr 3e-3
below "$(value loss)" 0.02 "adding, gru: mse"
train_with lstm_gru adding-lstm "${adding[@]}" --cell lstm --steps 1000 --lr 5e-3
below "$(value loss)" 0.05 "adding, lstm: mse"
exit 0

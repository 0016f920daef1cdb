#!/usr/bin/env bash
# What surrounds a training loop: the best checkpoint, early stopping, and their continuation bit for bit.
. "$(dirname "$0")/../shell.sh"

train() { # NAME OPTIONS...
    "$BIN"rnn/train --quiet --plot none --hidden 16 --batch 8 --out "$tmp/$1" "${@:2}" || fail "train $*"
}
loss_of() { # NAME OPTIONS...: of the evaluation, as printed
    "$BIN"rnn/eval "$tmp/$1" --plot none --json "${@:2}" | sed 's/.*"loss":\([^,]*\),.*/\1/'
}
rows_of() { # NAME: "STEP LOSS" of each validation
    awk -F, 'NR > 1 && $5 != "" { print $1, $5 }' "$tmp/$1/log.csv"
}

# A large rate with a short text overfits or diverges: the best validation comes before the last.
head -c 3000 README.md >"$tmp/text"
diverging=(--text "$tmp/text" --lr 0.5 --warmup 0 --eval-every 5)
train best "${diverging[@]}" --steps 60
lowest=$(rows_of best | sort -k2,2g | head -n 1 | cut -d' ' -f1)
[ "$lowest" -lt 60 ] || fail "the best validation is the last: nothing is shown"
train cut "${diverging[@]}" --steps 60 --early-stop 1000
cmp "$tmp/best/best.safetensors" "$tmp/cut/best.safetensors" || fail "best.safetensors is another one"
cmp -s "$tmp/best/best.safetensors" "$tmp/best/model.safetensors" && fail "the best checkpoint is the last one"
awk -v a="$(loss_of best --best)" -v b="$(loss_of best)" 'BEGIN { exit !(a < b) }' ||
    fail "eval --best: $(loss_of best --best) is not below $(loss_of best)"
rm "$tmp/cut/best.safetensors"
expect 1 "no validation was finished" "$BIN"rnn/eval "$tmp/cut" --best --plot none

# --early-stop ends after so many validations without a lower loss, and a run that is killed and goes on ends
# at the same update with the same bits. A larger number goes on.
train early "${diverging[@]}" --steps 1000 --early-stop 3
stopped=$(tail -n 1 "$tmp/early/log.csv" | cut -d, -f1)
[ "$stopped" -lt 1000 ] || fail "--early-stop 3 did not stop"
rows_of early | awk '{ if (best == "" || $2 < best) { best = $2; at = NR } } END { exit !(NR - at == 3) }' ||
    fail "--early-stop 3: $(rows_of early)"
for steps in 5 $((stopped - 5)); do
    rm -rf "$tmp/killed"
    train killed "${diverging[@]}" --steps "$steps" --schedule inverse-sqrt --early-stop 3
    train killed --resume --steps 1000
    train straight "${diverging[@]}" --steps 1000 --schedule inverse-sqrt --early-stop 3 --overwrite
    cmp "$tmp/straight/model.safetensors" "$tmp/killed/model.safetensors" || fail "stopping early: another model"
    cmp "$tmp/straight/best.safetensors" "$tmp/killed/best.safetensors" || fail "stopping early: another best"
done
expect 0 "go on with a larger --early-stop" "$BIN"rnn/train --resume --plot none --out "$tmp/early"
[ "$(tail -n 1 "$tmp/early/log.csv" | cut -d, -f1)" = "$stopped" ] || fail "a run that stopped early went on"
train early --resume --early-stop 5
[ "$(tail -n 1 "$tmp/early/log.csv" | cut -d, -f1)" -gt "$stopped" ] || fail "a larger --early-stop does not go on"
exit 0

#!/usr/bin/env bash
# What surrounds a training loop: the best checkpoint, --early-stop, --accumulate, --budget, the fingerprint of the
# data, --init-from, --freeze; a resumed run ends in the same bits.
. "$(dirname "$0")/../shell.sh"

train() { # NAME OPTIONS...
    "$BIN"rnn/train --quiet --plot none --hidden 32 --batch 8 --out "$tmp/$1" "${@:2}" || fail "train $*"
}
loss_of() { # NAME OPTIONS...: prints eval's loss
    "$BIN"rnn/eval "$tmp/$1" --plot none --json "${@:2}" | sed 's/.*"loss":\([^,]*\),.*/\1/'
}
rows_of() { # NAME: prints "STEP LOSS" for each validation
    awk -F, 'NR > 1 && $5 != "" { print $1, $5 }' "$tmp/$1/log.csv"
}

# The last update changes the weights, also if it is the only one.
for rate in 0.1 100; do
    train "one-$rate" --task parity --steps 1 --warmup 0 --lr $rate
done
! cmp -s <(values_of "$tmp/one-0.1/model.safetensors") <(values_of "$tmp/one-100/model.safetensors") ||
    fail "one update at rates of 0.1 and 100 gives the same weights: it changed nothing"

# Random letters can only be memorised: the validation loss falls to that of the letters' frequencies and then rises.
awk 'BEGIN { srand(5); for (i = 0; i < 3000; i++) printf "%c", 97 + int(10 * rand() * rand()) }' >"$tmp/text"
noise=(--text "$tmp/text" --lr 0.02 --min-lr 0.02 --warmup 0 --eval-every 5)
train best "${noise[@]}" --steps 60
lowest=$(rows_of best | sort -k2,2g | head -n 1 | cut -d' ' -f1)
[ "$lowest" -lt 60 ] || fail "the best validation is the last one: nothing was tested"
train cut "${noise[@]}" --steps 60 --early-stop 1000
cmp "$tmp/best/best.safetensors" "$tmp/cut/best.safetensors" || fail "best.safetensors differs"
cmp -s "$tmp/best/best.safetensors" "$tmp/best/model.safetensors" && fail "the best checkpoint is the last one"
awk -v a="$(loss_of best --best)" -v b="$(loss_of best)" 'BEGIN { exit !(a < b) }' ||
    fail "eval --best: $(loss_of best --best) is not below $(loss_of best)"
rm "$tmp/cut/best.safetensors"
expect 1 "no validation has finished" "$BIN"rnn/eval "$tmp/cut" --best --plot none

# --early-stop N ends a run after N validations without a lower loss. A run that was killed and resumed ends at the
# same update with the same bits. A larger N continues the run.
train early "${noise[@]}" --steps 1000 --early-stop 3
stopped=$(tail -n 1 "$tmp/early/log.csv" | cut -d, -f1)
[ "$stopped" -lt 1000 ] || fail "--early-stop 3 did not stop"
rows_of early | awk '{ if (best == "" || $2 < best) { best = $2; at = NR } } END { exit !(NR - at == 3) }' ||
    fail "--early-stop 3: $(rows_of early)"
for steps in 5 $((stopped - 5)); do
    rm -rf "$tmp/killed"
    train killed "${noise[@]}" --steps "$steps" --schedule inverse-sqrt --early-stop 3
    train killed --resume --steps 1000
    train straight "${noise[@]}" --steps 1000 --schedule inverse-sqrt --early-stop 3 --overwrite
    cmp "$tmp/straight/model.safetensors" "$tmp/killed/model.safetensors" || fail "stopping early: the model differs"
    cmp "$tmp/straight/best.safetensors" "$tmp/killed/best.safetensors" || fail "stopping early: best.safetensors differs"
done
expect 0 "continue with a larger --early-stop" "$BIN"rnn/train --resume --plot none --out "$tmp/early"
[ "$(tail -n 1 "$tmp/early/log.csv" | cut -d, -f1)" = "$stopped" ] || fail "a run that stopped early continued"
train early --resume --early-stop 5
[ "$(tail -n 1 "$tmp/early/log.csv" | cut -d, -f1)" -gt "$stopped" ] || fail "a larger --early-stop does not continue the run"

# Four micro-batches of 8 make the same update as a batch of 32, also if they have unequal numbers of targets.
numbers() { # NAME OPTIONS...
    "$BIN"seq2seq_attention/train --quiet --plot none --task numbers --hidden 16 --channels 16 --steps 4 \
        --optimizer sgd --beta1 0.5 --lr 0.5 --warmup 0 --out "$tmp/$1" "${@:2}" || fail "numbers $*"
}
losses_of() { # NAME
    sed 1d "$tmp/$1/log.csv" | cut -d, -f4,5
}
numbers of-32 --batch 32
numbers of-4x8 --batch 8 --accumulate 4
numbers of-8 --batch 8
paste -d, <(losses_of of-32) <(losses_of of-4x8) | awk -F, '{ for (i = 1; i < 3; i++) {
    d = $i - $(i + 2); if (d > 2e-6 || d < -2e-6) bad = 1 } } END { exit bad || NR != 4 }' ||
    fail "4 x 8: $(losses_of of-4x8) and 32: $(losses_of of-32)"
cmp -s <(losses_of of-32) <(losses_of of-8) && fail "a batch of 8 has the losses of one of 32: nothing was tested"
[ "$(cut -d, -f2 "$tmp/of-32/log.csv" | tail -n 1)" -gt 0 ] || fail "no tokens"
expect 0 "100 updates of 4 x 8 sequences" "$BIN"rnn/train --task parity --steps 100 --batch 8 --accumulate 4 --dry-run

# --budget chooses the number of updates, writes it into config.json and keeps to the time; --resume is exact.
budget=(--text "$tmp/text" --budget 3s)
since=$(date +%s%N)
train budget "${budget[@]}"
spent=$((($(date +%s%N) - since) / 1000000))
steps=$(sed -n 's/.*"steps": \([0-9]*\),.*/\1/p' "$tmp/budget/config.json")
[ "$steps" -gt 20 ] || fail "--budget 3s: $steps steps"
[ "$(tail -n 1 "$tmp/budget/log.csv" | cut -d, -f1)" = "$steps" ] || fail "--budget: other steps than config.json's"
if [ $spent -lt 600 ] || [ $spent -gt 12000 ]; then fail "--budget 3s took $spent ms"; fi
train given --text "$tmp/text" --steps "$steps"
cmp "$tmp/given/model.safetensors" "$tmp/budget/model.safetensors" || fail "measuring the rate changed the model"
[ "$(log_of "$tmp/given")" = "$(log_of "$tmp/budget")" ] || fail "measuring the rate changed the log"
"$BIN"rnn/train --quiet --plot none --hidden 32 --batch 8 "${budget[@]}" --stream --out "$tmp/cut-budget" &
job=$!
until [ "$(wc -l 2>/dev/null <"$tmp/cut-budget/log.csv")" -gt 3 ]; do sleep 0.02; done 2>/dev/null
kill -INT $job
wait $job
[ $? -eq 130 ] || fail "--budget: the signal came too late"
steps=$(sed -n 's/.*"steps": \([0-9]*\),.*/\1/p' "$tmp/cut-budget/config.json")
train cut-budget --resume
train streamed --text "$tmp/text" --stream --steps "$steps"
cmp "$tmp/streamed/model.safetensors" "$tmp/cut-budget/model.safetensors" || fail "--budget and --resume: the model differs"
expect 2 "leave out one" "$BIN"rnn/train --task parity --budget 1s --steps 3 --out "$tmp/x"
expect 2 "is not a time like 60s, 10m or 1h" "$BIN"rnn/train --task parity --budget 1d --out "$tmp/x"
expect 0 "the run makes one update" "$BIN"rnn/train --task parity --budget 0.01s --plot none --out "$tmp/short"

# A run is resumed with the data of its start; with other data only by --other-data.
cp "$tmp/text" "$tmp/moved"
train moving --text "$tmp/moved" --steps 2
sed -i 's/a/e/' "$tmp/moved"
expect 1 "restore the old data, or continue with the new data by --other-data" \
    "$BIN"rnn/train --resume --steps 3 --plot none --out "$tmp/moving"
train moving --resume --steps 3 --other-data
train moving --resume --steps 4
# The best loss on the old data is no bar for the new: best.safetensors follows, --early-stop counts anew.
head -c 3000 "$tmp/text" >"$tmp/held"
train newly --text "$tmp/text" --valid "$tmp/held" --steps 40 --eval-every 10 --early-stop 1 --lr 0.01
fold -w 1 "$tmp/held" | sort | tr -d '\n' >"$tmp/sorted"
mv "$tmp/sorted" "$tmp/held"
train newly --resume --steps 50 --other-data
cmp "$tmp/newly/best.safetensors" "$tmp/newly/model.safetensors" || fail "--other-data: best.safetensors is of the old data"

# --init-from takes the parameters and tokens of a trained run, and names new and left-over parameters.
train trunk --text "$tmp/text" --steps 30
tr a-m n-z <"$tmp/text" | head -c 2500 >"$tmp/other"
expect 0 "6 of 6 parameters are taken from" "$BIN"rnn/train --plot none --hidden 32 --batch 8 --text "$tmp/other" \
    --steps 1 --lr 1e-30 --out "$tmp/tuned" --init-from "$tmp/trunk"
cmp <(values_of "$tmp/trunk/model.safetensors") <(values_of "$tmp/tuned/model.safetensors") ||
    fail "--init-from: the parameters differ"
vocab_of() { # NAME
    sed -n '/"vocab"/,/}/p' "$tmp/$1/config.json"
}
[ -n "$(vocab_of trunk)" ] || fail "no vocabulary in config.json"
[ "$(vocab_of trunk)" = "$(vocab_of tuned)" ] || fail "--init-from: the tokens differ"
expect 0 "new, initialised at random: head.w, head.b" "$BIN"rnn/train --plot none --hidden 32 --batch 8 \
    --text "$tmp/other" --steps 1 --out "$tmp/new-head" --init-from "$tmp/trunk" --fresh 'head.*'
train new-head --resume --steps 2
expect 1 "shape" "$BIN"rnn/train --hidden 17 --text "$tmp/other" --out "$tmp/x" --init-from "$tmp/trunk"
expect 1 "give --unit char" "$BIN"rnn/train --text "$tmp/other" --unit byte --out "$tmp/x" --init-from "$tmp/trunk"
expect 1 "$tmp/nowhere" "$BIN"rnn/train --text "$tmp/other" --out "$tmp/x" --init-from "$tmp/nowhere"
expect 2 "--fresh: without --init-from" "$BIN"rnn/train --text "$tmp/other" --out "$tmp/x" --fresh head
[ -e "$tmp/x" ] && fail "--init-from: a failed start left a directory"

# A frozen parameter keeps its bytes and the others learn, also after --resume.
tensor_of() { # NAME TENSOR: prints the bytes of a tensor
    local file="$tmp/$1/model.safetensors" len range
    len=$(od -An -tu8 -N8 "$file" | tr -d ' ')
    range=$(tail -c +9 "$file" | head -c "$len" | grep -o "\"$2\":{[^}]*}" | sed 's/.*offsets":\[\([0-9, ]*\)\].*/\1/')
    tail -c +$((9 + len + ${range%,*})) "$file" | head -c $((${range#*,} - ${range%,*}))
}
train frozen --text "$tmp/text" --steps 4 --init-from "$tmp/trunk" --freeze 'embed*' --weight-decay 0.1
train frozen --resume --steps 8
[ "$(tensor_of trunk embed | wc -c)" -gt 1000 ] || fail "the embedding was not found in the file"
cmp <(tensor_of trunk embed) <(tensor_of frozen embed) || fail "--freeze: the frozen parameter changed"
cmp -s <(tensor_of trunk head.w) <(tensor_of frozen head.w) && fail "--freeze: the head did not change"
expect 0 "frozen" "$BIN"rnn/train --task parity --freeze 'head*' --dry-run
expect 2 "no parameter has such a name; choose among embed, " "$BIN"rnn/train --task parity --freeze nothing --out "$tmp/x"
expect 2 "nothing is left to train" "$BIN"rnn/train --task parity --freeze '*' --out "$tmp/x"
[ -e "$tmp/x" ] && fail "--freeze: a failed start left a directory"
exit 0

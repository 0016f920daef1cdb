#!/usr/bin/env bash
# A NaN in a weight stops the run in the same step: exit 3, op and tensor named, checkpoint kept.
. "$(dirname "$0")/../shell.sh"

"$BIN"rnn/train --quiet --plot none --lines --steps 5 --out "$tmp/run" || fail "training"
cp "$tmp/run/model.safetensors" "$tmp/before"

# Tensors stand in the file in the order of their names; l0.u is found by its offsets.
state="$tmp/run/state.safetensors"
header=$(od -An -tu8 -N8 "$state" | tr -d ' ')
offset=$(head -c $((header + 8)) "$state" | tail -c "$header" |
    sed -n 's/.*"l0\.u":{[^}]*"data_offsets":\[\([0-9]*\),.*/\1/p')
[ -n "$offset" ] || fail "no l0.u in state.safetensors"
printf '\000\000\300\177' |
    dd of="$state" bs=1 seek=$((8 + header + offset + 20)) conv=notrunc 2>/dev/null

expect 3 "parameter l0.u" "$BIN"rnn/train --quiet --plot none --resume --steps 20 --out "$tmp/run"
grep -q "step 6" "$tmp/out" || fail "not in the first step"
grep -q "op rnn" "$tmp/out" || fail "the op is not named"
cmp "$tmp/before" "$tmp/run/model.safetensors" || fail "the checkpoint was touched"

# Weights that blow up on their own (each update multiplies them by 1 - lr decay): the same way out.
expect 3 "the last checkpoint" "$BIN"rnn/train --quiet --plot none --lines --lr 100 --warmup 0 \
    --weight-decay 10 --steps 300 --batch 4 --out "$tmp/diverges"
exit 0

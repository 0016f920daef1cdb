#!/usr/bin/env bash
# A number that is not finite ends a run in the same step: status 3, a message with the op and the tensor. It is never
# read from a file, nor saved.
. "$(dirname "$0")/../shell.sh"

"$BIN"rnn/train --quiet --plot none --lines --steps 5 --out "$tmp/run" || fail "training"
cp "$tmp/run/model.safetensors" "$tmp/before"

# Writes a NaN into the tensor l0.u, at the offset that the header of the file gives.
damage() { # FILE
    local header offset
    header=$(od -An -tu8 -N8 "$1" | tr -d ' ')
    offset=$(head -c $((header + 8)) "$1" | tail -c "$header" |
        sed -n 's/.*"l0\.u":{[^}]*"data_offsets":\[\([0-9]*\),.*/\1/p')
    [ -n "$offset" ] || fail "no l0.u in $1"
    printf '\000\000\300\177' |
        dd of="$1" bs=1 seek=$((8 + header + offset + 20)) conv=notrunc 2>/dev/null
}
# A damaged file is found when it is read, by its checksum.
damage "$tmp/run/state.safetensors"
expect 1 'state.safetensors: tensor "l0.u": its checksum' "$BIN"rnn/train --quiet --plot none --resume --steps 20 --out "$tmp/run"
cmp "$tmp/before" "$tmp/run/model.safetensors" || fail "the checkpoint was changed"
damage "$tmp/run/model.safetensors"
expect 1 'model.safetensors: tensor "l0.u": its checksum' "$BIN"rnn/eval "$tmp/run" --plot none

# eval refuses a file without checksums (of an older version) with a NaN too: it prints no score, and its message
# names the directory and the tensor.
LC_ALL=C sed -i 's/"xxh3/"yyh3/g' "$tmp/run/model.safetensors"
for options in "" --json; do
    # shellcheck disable=SC2086 # an option or none
    expect 3 "$tmp/run: the loss on held-out data is not finite: parameter l0.u" "$BIN"rnn/eval "$tmp/run" --plot none $options
    [ "$(wc -l <"$tmp/out")" -eq 1 ] || fail "more than the error: $(cat "$tmp/out")"
done

# Weights that grow without limit (each update multiplies them by 1 - lr decay) end the run.
expect 3 "no checkpoint of this run was saved; start a new run" "$BIN"rnn/train --quiet --plot none --lines --lr 100 --warmup 0 \
    --weight-decay 10 --steps 300 --batch 4 --out "$tmp/diverges"
grep -q "step 14: .*op embed read the value -inf in parameter embed" "$tmp/out" || fail "neither op nor tensor: $(cat "$tmp/out")"
[ -e "$tmp/diverges/model.safetensors" ] && fail "a model was saved"
exit 0

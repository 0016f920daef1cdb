#!/usr/bin/env bash
# A number that is not finite ends a run in the same step: status 3, a message with the op and the tensor. It is never
# read from a file, nor saved.
. "$(dirname "$0")/../shell.sh"

"$BIN"rnn/train --quiet --plot none --lines --steps 5 --out "$tmp/run" || fail "training"
cp "$tmp/run/model.safetensors" "$tmp/before"

# Writes a number, by default NaN, into a tensor, by default l0.u, at the offset that the header of the file gives.
damage() { # FILE [TENSOR [BYTES]]
    local header offset tensor=${2:-l0.u}
    header=$(od -An -tu8 -N8 "$1" | tr -d ' ')
    offset=$(head -c $((header + 8)) "$1" | tail -c "$header" |
        sed -n 's/.*"'"$tensor"'":{[^}]*"data_offsets":\[\([0-9]*\),.*/\1/p')
    [ -n "$offset" ] || fail "no $tensor in $1"
    printf '%b' "${3:-\\000\\000\\300\\177}" |
        dd of="$1" bs=1 seek=$((8 + header + offset + 20)) conv=notrunc 2>/dev/null
}
# Makes a run like that of an older version: config.json promises no checksums, and the file has none.
older_version() { # DIRECTORY FILE
    LC_ALL=C sed -i 's/"xxh3/"yyh3/g' "$1/$2.safetensors"
    case $2 in
    state) expect 1 "the file has no checksums" "$BIN"rnn/train --quiet --resume --steps 20 --out "$1" ;;
    model) expect 1 "the file has no checksums" "$BIN"rnn/eval "$1" --plot none ;;
    esac
    sed -i 's/"checksums"/"older"/' "$1/config.json"
}

# A damaged file is found when it is read, by its checksum.
damage "$tmp/run/state.safetensors"
expect 1 'state.safetensors: tensor "l0.u": its checksum' "$BIN"rnn/train --quiet --plot none --resume --steps 20 --out "$tmp/run"
cmp "$tmp/before" "$tmp/run/model.safetensors" || fail "the checkpoint was changed"
damage "$tmp/run/model.safetensors"
expect 1 'model.safetensors: tensor "l0.u": its checksum' "$BIN"rnn/eval "$tmp/run" --plot none

# eval refuses a file without checksums (of an older version) with a NaN too: it prints no score, and its message
# names the directory and the tensor.
older_version "$tmp/run" model
for options in "" --json; do
    # shellcheck disable=SC2086 # an option or none
    expect 3 "$tmp/run: the loss on held-out data is not finite: parameter l0.u" "$BIN"rnn/eval "$tmp/run" --plot none $options
    [ "$(wc -l <"$tmp/out")" -eq 1 ] || fail "more than the error: $(cat "$tmp/out")"
done

# A state with a second moment below 0 is no state of AdamW, even if no checksum says that it was changed.
"$BIN"rnn/train --quiet --plot none --lines --steps 5 --overwrite --out "$tmp/run" || fail "training"
older_version "$tmp/run" state
damage "$tmp/run/state.safetensors" optim.v.l0.u '\000\000\200\277'
expect 1 'tensor "optim.v.l0.u": a value is -1; all must be finite and at least 0' "$BIN"rnn/train --quiet --plot none \
    --resume --steps 20 --out "$tmp/run"

# Weights that grow without limit (each update multiplies them by 1 - lr decay) end the run.
expect 3 "no checkpoint of this run was saved; start a new run" "$BIN"rnn/train --quiet --plot none --lines --lr 100 --warmup 0 \
    --weight-decay 10 --steps 300 --batch 4 --out "$tmp/diverges"
grep -q "step 14: .*op embed read the value -inf in parameter embed" "$tmp/out" || fail "neither op nor tensor: $(cat "$tmp/out")"
[ -e "$tmp/diverges/model.safetensors" ] && fail "a model was saved"
# A validation finds the weights of the last update, and a checkpoint does not get them.
expect 3 'step 13: the validation loss is not finite: tensor "embed": a value is -inf' "$BIN"rnn/train --quiet \
    --plot none --lines --lr 100 --warmup 0 --weight-decay 10 --steps 300 --batch 4 --eval-every 1 --out "$tmp/validated"
expect 3 'step 13: nothing is saved: tensor "embed": a value is -inf; all must be finite; the checkpoint of step 12' \
    "$BIN"rnn/train --quiet --plot none --lines --lr 100 --warmup 0 --weight-decay 10 --steps 300 --batch 4 \
    --save-every 1 --out "$tmp/saved"
expect 0 "" "$BIN"rnn/train --quiet --plot none --resume --steps 12 --out "$tmp/saved"
exit 0

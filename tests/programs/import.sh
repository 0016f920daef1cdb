#!/usr/bin/env bash
# Weights that were trained elsewhere: those of PyTorch (tests/golden/weights.py) and of a published TensorFlow LSTM.
# The loss equals theirs; a file that cannot be read is refused with a message.
. "$(dirname "$0")/../shell.sh"
golden=tests/golden/weights

loss_of() { # PROGRAM OPTIONS...
    "$BIN$1" "${@:2}" --json --plot none >"$tmp/json" || fail "$*"
    sed -n 's/.*"loss":\([-0-9.e+]*\),.*/\1/p' "$tmp/json"
}
near() { # FOUND WANTED MARGIN WHAT
    awk -v a="$1" -v b="$2" -v m="$3" 'BEGIN { exit !(a != "" && a - b <= m && b - a <= m) }' ||
        fail "$4: $1, must be $2 +- $3"
}
folder_of() { [ "$1" = rnn ] && echo rnn || echo lstm_gru; }

while read -r cell loss; do
    found=$(loss_of "$(folder_of "$cell")/eval" --import "$golden/$cell.safetensors" --text "$golden/text.txt")
    near "$found" "$loss" 2e-6 "$cell of PyTorch: loss"
done <"$golden/losses.txt"

# Standard input is read once; if the vocabulary that was named is missing, bytes do not replace it.
near "$(loss_of lstm_gru/eval --import $golden/lstm.safetensors --text - <$golden/text.txt)" \
    "$(sed -n 's/^lstm //p' $golden/losses.txt)" 2e-6 "a text from standard input: loss"
expect 1 "does not exist" "$BIN"lstm_gru/eval --import $golden/lstm.safetensors --vocab "$tmp/no.json" \
    --text $golden/text.txt

expect 1 "use ./rnn/eval" "$BIN"lstm_gru/eval --import $golden/rnn.safetensors --text $golden/text.txt
expect 1 "use ./lstm_gru/eval" "$BIN"rnn/eval --import $golden/gru.safetensors --text $golden/text.txt
expect 1 "does not exist" "$BIN"lstm_gru/eval --import "$tmp/none" --text $golden/text.txt
expect 1 "manifest.json" "$BIN"lstm_gru/eval --import "$tmp" --text $golden/text.txt
expect 2 "or --import" "$BIN"lstm_gru/eval --text $golden/text.txt
expect 1 "weight_ih_l0" "$BIN"rnn/eval --import tests/golden/ops.safetensors --text $golden/text.txt

cp $golden/lstm.safetensors "$tmp/lstm.safetensors"
expect 1 "vocab.json does not exist" "$BIN"lstm_gru/eval --import "$tmp/lstm.safetensors" --text $golden/text.txt
for damage in 's/"a": /"": /' 's/"a": /"ab": /' 's/"a": [0-9]*/"a": 999/' 's/"a": [0-9]*/"a": "x"/' \
    's/"a": [0-9]*, //' 's/{/[/; s/}/]/'; do
    sed "$damage" $golden/vocab.json >"$tmp/vocab.json"
    expect 1 "vocab.json" "$BIN"lstm_gru/eval --import "$tmp/lstm.safetensors" --text $golden/text.txt
done
for damage in 's/cell.weight_hh_l1/cell.weight_hr_l1/' 's/"shape":\[22,5\]/"shape":[5,22]/' \
    's/cell.bias_hh_l0/cell.bias_hx_l0/' 's/"shape":\[24,6\]/"shape":[12,12]/'; do
    LC_ALL=C sed "$damage" $golden/lstm.safetensors >"$tmp/lstm.safetensors"
    expect 1 "error:" "$BIN"lstm_gru/eval --import "$tmp/lstm.safetensors" --vocab $golden/vocab.json \
        --text $golden/text.txt
done

# A tensor that no rule uses is an error that names it.
LC_ALL=C sed 's/"out.bias"/"out.bios"/' $golden/lstm.safetensors >"$tmp/lstm.safetensors"
expect 1 'tensor "out.bios": is not known' "$BIN"lstm_gru/eval --import "$tmp/lstm.safetensors" \
    --vocab $golden/vocab.json --text $golden/text.txt

theirs=$data/checkpoints/ml5-charRNN/shakespeare
[ -d "$theirs" ] || { echo "skipped: there is no $theirs"; exit 0; }
head -c 8000 "$data/lm/tinyshakespeare.txt" >"$tmp/first.txt"
expect 1 "not one character" "$BIN"lstm_gru/eval --import "$theirs" --text "$tmp/first.txt"
# Two keys of the published vocabulary are damaged: U and u.
sed 's/"": 40/"U": 40/; s/"  ": 13/"u": 13/' "$theirs/vocab.json" >"$tmp/vocab.json"
near "$(loss_of lstm_gru/eval --import "$theirs" --vocab "$tmp/vocab.json" --text "$tmp/first.txt")" \
    1.30767 0.0005 "the LSTM of TensorFlow: loss"
# Layers are numbered by their names, whatever the order of the manifest.
mkdir "$tmp/order" && cp "$theirs"/* "$tmp/order/" && chmod -R u+w "$tmp/order"
awk '/^  "/ { b = /cell_0/ ? 1 : /cell_1/ ? 2 : b ? 3 : 0 } { b += 0; t[b] = t[b] $0 "\n" }
    END { printf "%s%s%s%s", t[0], t[2], t[1], t[3] }' "$theirs/manifest.json" >"$tmp/order/manifest.json"
cmp -s "$theirs/manifest.json" "$tmp/order/manifest.json" && fail "the manifest has the same order"
near "$(loss_of lstm_gru/eval --import "$tmp/order" --vocab "$tmp/vocab.json" --text "$tmp/first.txt")" \
    1.30767 0.0005 "the LSTM of TensorFlow, its manifest in another order: loss"
mkdir "$tmp/theirs" && cp "$theirs"/* "$tmp/theirs/" && chmod -R u+w "$tmp/theirs"
cp "$tmp/vocab.json" "$tmp/theirs/vocab.json"
for damage in 'truncate -s -4 embedding' 'rm rnnlm_softmax_b' 'sed -i s/512/511/ manifest.json' \
    'sed -i s,rnnlm_softmax_w,../rnnlm_softmax_w, manifest.json' 'echo {} >manifest.json' 'sed -i 2s/Variable/Other/ manifest.json' 'sed -i s/65/-65/ manifest.json'; do
    rm -rf "$tmp/broken" && cp -r "$tmp/theirs" "$tmp/broken"
    (cd "$tmp/broken" && eval "$damage")
    expect 1 "error:" "$BIN"lstm_gru/eval --import "$tmp/broken" --text "$tmp/first.txt"
done
exit 0

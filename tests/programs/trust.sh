#!/usr/bin/env bash
# What the files of a run directory say is compared before it is trusted: the checkpoint belongs to config.json and to
# its data; sizes are compared before memory is allocated; only regular files are read.
. "$(dirname "$0")/../shell.sh"

small=(--task parity --hidden 16 --channels 8 --batch 4 --seq-len 16 --plot none --quiet --threads 1)
train() { # NAME OPTIONS...
    "$BIN"rnn/train "${small[@]}" --out "$tmp/$1" "${@:2}" || fail "training $1"
}
resume() { # NAME: the command that continues a run
    echo "$BIN"rnn/train --resume --steps 9 --plot none --quiet --out "$tmp/$1"
}
evaluate() {
    echo "$BIN"rnn/eval "$tmp/$1" --plot none --examples 4 --threads 1
}

# --- the state or the model of another run ---
train a --steps 3 --seed 5
train b --steps 3 --seed 6 --lr 0.1
cp "$tmp/b/model.safetensors" "$tmp/own"
cp "$tmp/a/state.safetensors" "$tmp/a/model.safetensors" "$tmp/b/"
for command in "$(resume b)" "$(evaluate b)"; do
    # shellcheck disable=SC2086 # a command line
    expect 1 "lr is 0.001, in config.json 0.1; seed is 5, in config.json 6" $command
done
expect 1 "seed is 5, in config.json 6" "$BIN"rnn/train "${small[@]}" --init-from "$tmp/b" --out "$tmp/x"
cp "$tmp/own" "$tmp/b/model.safetensors"
# shellcheck disable=SC2046 # a command line
expect 0 "" $(evaluate b)

# Other data, other vocabularies.
for name in abab abba; do
    for i in $(seq 300); do echo "$name$name$i"; done >"$tmp/$name.txt"
    "$BIN"rnn/train --text "$tmp/$name.txt" --steps 3 --hidden 8 --plot none --quiet --out "$tmp/$name" || fail "$name"
done
cp "$tmp/abab/state.safetensors" "$tmp/abab/model.safetensors" "$tmp/abba/"
# shellcheck disable=SC2046
expect 1 "data_fingerprint is" $(resume abba)
# shellcheck disable=SC2046
expect 1 "data_fingerprint is" $(evaluate abba)
sed -i 's/"symbols": "\(.*\)t/"symbols": "\1u/; s/"symbols": "\(.*\)b/"symbols": "\1c/' "$tmp/abab/config.json"
# shellcheck disable=SC2046
expect 1 "the checksum of the vocabulary" $(resume abab)
# shellcheck disable=SC2046
expect 1 "the checksum of the vocabulary" $(evaluate abab)

# --- sizes ---
# A changed size is found before memory is asked for, by the options of the checkpoint, or by the shapes if an older
# version wrote the run.
train h --steps 3
sed -i 's/"hidden": 16/"hidden": 40000/' "$tmp/h/config.json"
older() {
    LC_ALL=C sed -i 's/"xxh3/"yyh3/g; s/"options"/"optionz"/; s/"vocabulary"/"vocabularz"/' "$tmp/h/$1.safetensors"
    sed -i 's/"checksums"/"older"/' "$tmp/h/config.json"
}
limited() { # KB STATUS TEXT COMMAND...
    local limit=$1
    case $BIN in *san*) limit=unlimited ;; esac # the sanitizers reserve terabytes
    (ulimit -v "$limit" && expect "$2" "$3" timeout 20 "${@:4}") || exit 1
}
# shellcheck disable=SC2046
limited 400000 1 "hidden is 16, in config.json 40000" $(evaluate h)
# shellcheck disable=SC2046
limited 400000 1 "hidden is 16, in config.json 40000" $(resume h)
older model
older state
for command in "$(resume h)" "$(evaluate h)"; do
    # shellcheck disable=SC2086
    limited 400000 1 'has shape (8,16) in the file and (8,40000) in the model' $command
done

# Sizes at the limits of an int overflow nowhere.
for size in '"layers": 2147483647' '"hidden": 65536' '"channels": 65536' '"seq_len": 2147483647' '"batch": 65536'; do
    rm -rf "$tmp/limits" && train limits --steps 1
    sed -i "s/${size%:*}: [0-9]*/$size/" "$tmp/limits/config.json"
    for command in "$(resume limits)" "$(evaluate limits)"; do
        name=${size%\"*} # the key
        # shellcheck disable=SC2086
        limited 400000 1 "${name#\"}" $command
    done
done

# --- files that are no files, or too large ones ---
train f --steps 3
for file in config.json model.safetensors state.safetensors; do
    command=$(evaluate f)
    [ $file = state.safetensors ] && command=$(resume f)
    path=$tmp/f/$file
    cp "$path" "$tmp/kept"
    truncate -s 4G "$path"
    # shellcheck disable=SC2086
    limited 400000 1 "$path: " $command
    for make in mkfifo mkdir 'ln -s /dev/zero'; do
        rm -rf "$path"
        $make "$path"
        # shellcheck disable=SC2086
        limited 400000 1 "$path: " $command
    done
    rm -rf "$path"
    cp "$tmp/kept" "$path"
done
mkfifo "$tmp/pipe"
golden=tests/golden/weights
for path in "$tmp/pipe" /dev/zero; do
    limited 400000 1 "$path" "$BIN"lstm_gru/eval --import "$path" --text README.md
    limited 400000 1 "$path" "$BIN"lstm_gru/eval --import $golden/lstm.safetensors --vocab "$path" --text README.md
    limited 400000 1 "$path" "$BIN"rnn/train --init-from "$path" --out "$tmp/x"
done
expect 1 "nowhere/config.json: cannot be read: No such file or directory; name the directory of a run" \
    "$BIN"rnn/eval "$tmp/nowhere"
exit 0

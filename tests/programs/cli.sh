#!/usr/bin/env bash
# The command line: help, mistakes, missing files, exit statuses.
. "$(dirname "$0")/../shell.sh"
train="$BIN"rnn/train eval="$BIN"rnn/eval ngram="$BIN"rnn/ngram

for program in "$train" "$eval" "$ngram" "$BIN"lstm_gru/train "$BIN"lstm_gru/eval \
    "$BIN"seq2seq_attention/train "$BIN"seq2seq_attention/eval; do
    expect 0 "--help" "$program" --help
    [ "$(awk '{ if (length > n) n = length } END { print n }' "$tmp/out")" -le 80 ] ||
        fail "$program --help is wider than 80 columns"
    "$program" --help 2>&1 >/dev/null | grep -q . && fail "$program --help writes to stderr"
    expect 0 "lmzoo" "$program" --version
    expect 2 "did you mean" "$program" --plto 3
    count=--threads
    [ "$program" = "$ngram" ] && count=--seed
    expect 2 "is not a whole number" "$program" $count 3x
done
expect 0 "oneDNN" "$train" --version

for bad in "" x 1x nan inf -1 1e999 0x10 9223372036854775808; do
    expect 2 "--steps" "$train" --steps "$bad"
    expect 2 "--lr" "$train" --lr "${bad:-e}x"
done
expect 2 "adamw" "$train" --optimizer adam
expect 2 "--stream" "$train" --task parity --stream
expect 1 "agreement" "$train" --task nothing --out "$tmp/x"
expect 1 "choose one" "$train" --task parity --text README.md --out "$tmp/x"
expect 1 "No such file" "$train" --text "$tmp/missing.txt" --out "$tmp/x"
expect 1 "directory" "$train" --text "$tmp" --out "$tmp/x"
expect 1 "--out" "$train" --task parity --steps 1 --out /dev/null/run
expect 1 "no run to go on with" "$train" --resume --out "$tmp/none"
expect 2 "run directory" "$eval"
expect 1 "No such file" "$eval" "$tmp/none"
: >"$tmp/empty.txt"
expect 1 "empty" "$train" --text "$tmp/empty.txt" --out "$tmp/x"
[ -e "$tmp/x" ] && fail "a failed start left a directory"

# Any text will do: NULs, bytes that are no UTF-8, one long line, standard input.
head -c 20000 /dev/urandom >"$tmp/noise"
expect 0 "" "$train" --text "$tmp/noise" --steps 3 --plot none --out "$tmp/noise-char"
expect 0 "" "$train" --text "$tmp/noise" --unit byte --steps 3 --plot none --out "$tmp/noise-byte"
"$train" --text - --steps 3 --plot none --quiet --out "$tmp/stdin" <README.md || fail "stdin"

# A run is never overwritten by accident, and never resumed as another one.
expect 0 "" "$train" --task parity --steps 4 --plot none --out "$tmp/run"
expect 1 "--overwrite" "$train" --task parity --steps 4 --plot none --out "$tmp/run"
expect 1 "--lr" "$train" --resume --lr 0.5 --plot none --out "$tmp/run"
expect 0 "" "$train" --resume --steps 6 --plot none --out "$tmp/run"
[ "$(tail -n 1 "$tmp/run/log.csv" | cut -d, -f1)" = 6 ] || fail "resume did not reach step 6"
expect 0 "memory" "$train" --dry-run --out "$tmp/dry"
[ -e "$tmp/dry" ] && fail "--dry-run made a directory"

# Damaged run directories.
for damage in 'echo {} >config.json' 'echo [ >config.json' ': >model.safetensors' \
    'truncate -s -4 model.safetensors' 'rm model.safetensors' \
    'sed -i s/hidden\":\ 256/hidden\":\ 64/ config.json' \
    'sed -i s/hidden\":\ 256/hidden\":\ -1/ config.json'; do
    rm -rf "$tmp/broken" && cp -r "$tmp/run" "$tmp/broken"
    (cd "$tmp/broken" && eval "$damage")
    expect 1 "error:" "$eval" "$tmp/broken" --plot none
done

# A number reads the same whatever the user's locale.
LC_ALL=de_DE.UTF-8 expect 0 "" "$train" --task parity --lr 0.001 --steps 2 --plot none --out "$tmp/locale"
COLUMNS=20 expect 0 "--help" "$train" --help

# The gated cells: their options, and a run of one folder given to the other's eval.
gated="$BIN"lstm_gru/train
expect 2 "lstm|gru" "$gated" --cell elman
expect 2 "after|before" "$gated" --reset never
expect 2 "needs --reset after" "$gated" --cell gru --reset before --inner-bias --out "$tmp/x"
for options in "--cell lstm --no-forget-gate" "--cell gru --reset before" "--cell gru --inner-bias --layers 2"; do
    # shellcheck disable=SC2086 # options, split on purpose
    expect 0 "" "$gated" --task parity --steps 3 --hidden 16 --plot none --overwrite --out "$tmp/gated" $options
    expect 0 '"loss":' "$BIN"lstm_gru/eval "$tmp/gated" --json --plot none --examples 8
done
expect 1 "use ./lstm_gru/eval" "$eval" "$tmp/gated"
sed -i 's/"reset": "after"/"reset": "before"/' "$tmp/gated/config.json"
expect 1 "needs --reset after" "$BIN"lstm_gru/eval "$tmp/gated"
expect 1 "use ./rnn/eval" "$BIN"lstm_gru/eval "$tmp/run"
expect 0 "" "$gated" --lines --steps 3 --hidden 16 --trace --plot none --out "$tmp/traced"
expect 0 "" "$BIN"lstm_gru/eval "$tmp/traced" --gates Seoul --samples 0 --plot none
expect 0 "1 characters of --gates are not" "$BIN"lstm_gru/eval "$tmp/traced" --gates 'Se%oul' --samples 0 \
    --plot none
expect 0 "" "$BIN"lstm_gru/eval "$tmp/traced" --gates Seoul --samples 0 --plot none
[ "$(wc -l <"$tmp/traced/trace.csv")" -gt 5 ] || fail "no trace.csv"
[ "$(sed 1d "$tmp/traced/gates.csv" | cut -d, -f1 | sort -un | wc -l)" -eq 5 ] || fail "gates.csv is not of five letters"
exit 0

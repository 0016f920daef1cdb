#!/usr/bin/env bash
# The command line: help, mistakes, missing files, exit statuses.
. "$(dirname "$0")/../shell.sh"
train="$BIN"rnn/train eval="$BIN"rnn/eval ngram="$BIN"lessons/03-counting

for program in "$train" "$eval" "$ngram" "$BIN"lstm_gru/train "$BIN"lstm_gru/eval \
    "$BIN"seq2seq_attention/train "$BIN"seq2seq_attention/eval \
    "$BIN"transformer/train "$BIN"transformer/eval "$BIN"gpt/train "$BIN"gpt/eval; do
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
for option in --lines "--valid README.md" "--heldout 0.2" "--unit char"; do
    # shellcheck disable=SC2086 # an option and its value
    expect 2 "${option% *} does not apply to task parity" "$train" --task parity $option --out "$tmp/x"
done
expect 2 "valid names the held-out text" "$train" --text README.md --valid README.md --heldout 0.2 --out "$tmp/x"
expect 2 "--heldout: one line in ten" "$ngram" --heldout 0.2 --out "$tmp/x"
expect 2 "--heldout: one line in ten" "$train" --lines --heldout 0.2 --out "$tmp/x"
expect 1 "agreement" "$train" --task nothing --out "$tmp/x"
expect 1 "choose one" "$train" --task parity --text README.md --out "$tmp/x"
expect 1 "No such file" "$train" --text "$tmp/missing.txt" --out "$tmp/x"
expect 1 "directory" "$train" --text "$tmp" --out "$tmp/x"
expect 1 "--out" "$train" --task parity --steps 1 --out /dev/null/run
expect 1 "no run to continue" "$train" --resume --out "$tmp/none"
expect 2 "run directory" "$eval"

# A language model of words: the metric names the unit, samples have spaces, and unknown words are counted.
awk 'BEGIN { for (i = 0; i < 300; i++) print "The cat" i % 5, "sat on the mat" i "." }' >"$tmp/words.txt"
expect 0 "of the held-out ones are unknown" "$train" --text "$tmp/words.txt" --unit word --seq-len 16 \
    --steps 100 --lr 1e-2 --plot none --out "$tmp/words"
expect 0 '"metric":"bits per word"' "$eval" "$tmp/words" --json --plot none
expect 0 "the words unknown: not comparable with characters" "$eval" "$tmp/words" --plot none --samples 1 \
    --prompt "The cat1" --temperature 0 --sample-len 11
grep -q "^the cat1 sat on the cat" "$tmp/out" || fail "a sample of words: $(tail -n 4 "$tmp/out")"
grep -q "<unk>" "$tmp/out" && fail "the unknown word was drawn: $(tail -n 4 "$tmp/out")"
expect 0 "warning: 1 word of the prompt is" "$eval" "$tmp/words" --plot none --samples 1 --prompt "The dog"
expect 0 "vocabulary of 4" "$train" --text "$tmp/words.txt" --unit word --vocab-limit 3 --seq-len 16 --steps 1 \
    --plot none --overwrite --out "$tmp/words"
expect 2 "char|byte|word|jamo|bpe" "$train" --unit eojeol --out "$tmp/x"
expect 0 '"metric": "bits per word"' "$ngram" --text "$tmp/words.txt" --unit word --json --plot none --out "$tmp/ngram"

# Seeds go up to 2^64 - 1; JSON has no such integers, so a seed of 2^63 or more is a string there.
printf 'abc abd abe%.0s' {1..100} >"$tmp/one-line.txt"
expect 0 "" "$ngram" --seed 7 --samples 2 --plot none --out "$tmp/ngram"
for seed in 7 9223372036854775807 '"18446744073709551615"'; do
    expect 0 "\"seed\": $seed," "$ngram" --seed "${seed//\"/}" --json --plot none --out "$tmp/ngram"
    expect 0 "" "$train" --text "$tmp/one-line.txt" --steps 2 --seed "${seed//\"/}" --plot none --overwrite \
        --out "$tmp/seed"
    expect 0 "\"seed\":$seed," "$eval" "$tmp/seed" --json --plot none
    grep -q "\"seed\": $seed" "$tmp/seed/config.json" || fail "config.json: seed $seed"
done

# A vocabulary without a newline: only unknown characters of the prompt are counted.
expect 0 "" "$eval" "$tmp/seed" --plot none --samples 1
grep -q "warning" "$tmp/out" && fail "without a prompt: $(grep warning "$tmp/out")"
expect 0 "warning: 2 characters of the prompt" "$eval" "$tmp/seed" --plot none --samples 1 --prompt axcz

expect 1 "No such file" "$eval" "$tmp/none"
: >"$tmp/empty.txt"
expect 1 "empty" "$train" --text "$tmp/empty.txt" --out "$tmp/x"
[ -e "$tmp/x" ] && fail "a failed start left a directory"

# Every kind of text is accepted: NULs, bytes that are not UTF-8, one long line, standard input.
head -c 20000 /dev/urandom >"$tmp/noise"
expect 0 "is not UTF-8: " "$train" --text "$tmp/noise" --steps 3 --plot none --out "$tmp/noise-char"
expect 0 "" "$train" --text "$tmp/noise" --unit byte --steps 3 --plot none --out "$tmp/noise-byte"
"$train" --text - --steps 3 --plot none --quiet --out "$tmp/stdin" <README.md || fail "stdin"

# A run is never overwritten by accident, and never resumed with other options.
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
expect 1 "stdin was trained on standard input: give the text with --text" "$eval" "$tmp/stdin" --plot none
expect 1 'broken/config.json: "hidden": -1' "$eval" "$tmp/broken" --plot none
sed 's/"arch": "[a-z_]*"/"arch": "\\u001b[2Jrnn"/' "$tmp/run/config.json" >"$tmp/broken/config.json"
expect 1 '"\x1b[2Jrnn"' "$eval" "$tmp/broken" --plot none

# Numbers are read the same in every locale.
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
expect 1 'reset is "after", in config.json "before"' "$BIN"lstm_gru/eval "$tmp/gated"
expect 1 "use ./rnn/eval" "$BIN"lstm_gru/eval "$tmp/run"
expect 0 "" "$gated" --lines --steps 3 --hidden 16 --trace --plot none --out "$tmp/traced"
expect 0 "" "$BIN"lstm_gru/eval "$tmp/traced" --gates Seoul --samples 0 --plot none
expect 0 "1 characters of --gates are not" "$BIN"lstm_gru/eval "$tmp/traced" --gates 'Se%oul' --samples 0 \
    --plot none
expect 0 "" "$BIN"lstm_gru/eval "$tmp/traced" --gates Seoul --samples 0 --plot none
[ "$(wc -l <"$tmp/traced/trace.csv")" -gt 5 ] || fail "no trace.csv"
[ "$(sed 1d "$tmp/traced/gates.csv" | cut -d, -f1 | sort -un | wc -l)" -eq 5 ] || fail "gates.csv does not have five letters"

# Encoder-decoder networks: contradicting options, invalid data, every kind of attention.
pairs="$BIN"seq2seq_attention/train decode="$BIN"seq2seq_attention/eval
tiny=(--steps 3 --hidden 16 --channels 8 --plot none --overwrite)
expect 2 "none|additive|dot|general|concat" "$pairs" --task sort --attention bahdanau
expect 2 "rnn|lstm|gru" "$pairs" --task sort --cell elman
expect 2 "input feeding is for --attention dot" "$pairs" --task sort --feed --out "$tmp/y"
expect 2 "input feeding is for --attention dot" "$pairs" --task sort --attention none --feed --out "$tmp/y"
expect 2 "--hidden 33: must be even" "$pairs" --task sort --hidden 33 --out "$tmp/y"
expect 2 "--beam" "$decode" --beam 0 "$tmp/run"
expect 2 "--length-penalty" "$decode" --length-penalty -1 "$tmp/run"
expect 2 "usage:" "$decode"
expect 1 "no data: give --task" "$pairs" --out "$tmp/y"
expect 1 "there is no task \"parity\" of pairs" "$pairs" --task parity --out "$tmp/y"
expect 1 "choose one" "$pairs" --task sort --pairs README.md --out "$tmp/y"
for option in --swap "--items 3" "--max-words 9" "--heldout 0.2" "--vocab-limit 9" "--unit jamo"; do
    # shellcheck disable=SC2086 # an option and its value
    expect 2 "${option% *} does not apply to task sort" "$pairs" --task sort $option --out "$tmp/y"
    # shellcheck disable=SC2086
    expect 2 "${option% *} does not apply to task recall" "$BIN"transformer/train --task recall $option --out "$tmp/y"
done
expect 2 "--valid needs training pairs" "$pairs" --task sort --valid README.md --out "$tmp/y"
expect 2 "--test needs training pairs" "$pairs" --task dates --test README.md --out "$tmp/y"
expect 2 "--heldout: --valid and --test name" "$pairs" --pairs a --valid b --test c --heldout 0.2 --out "$tmp/y"
expect 0 "" "$pairs" --task dates --heldout 0.2 --vocab-limit 9 --dry-run --out "$tmp/y"
expect 1 "--seq-len 9 does not apply" "$pairs" --task dates --seq-len 9 --out "$tmp/y"
expect 1 "No such file" "$pairs" --pairs "$tmp/missing.tsv" --out "$tmp/y"
printf 'a b\tx y\nc d\tz\nno tab here\ne\tw\n' >"$tmp/bad.tsv"
expect 1 "bad.tsv: line 3 has no tab" "$pairs" --pairs "$tmp/bad.tsv" --out "$tmp/y"
printf 'a b\tx y\nc\0d\tz\n' >"$tmp/bad.tsv"
expect 1 "bad.tsv: line 2 has a 0 byte" "$pairs" --pairs "$tmp/bad.tsv" --out "$tmp/y"
printf 'a b\tx y\n' >"$tmp/bad.tsv"
expect 1 "0 validation" "$pairs" --pairs "$tmp/bad.tsv" --out "$tmp/y"
[ -e "$tmp/y" ] && fail "a failed start left a directory"
for options in "--attention none" "--attention additive --cell lstm --layers 2" \
    "--attention dot --feed --no-bidirectional --hidden 17" "--attention general --reverse-source" \
    "--attention concat --feed --cell rnn --dropout 0.2"; do
    # shellcheck disable=SC2086 # options, split on purpose
    expect 0 "" "$pairs" --task sort --seq-len 5 "${tiny[@]}" --out "$tmp/sort" $options
    for beam in 1 3; do
        expect 0 '"exact":' "$decode" "$tmp/sort" --json --plot none --examples 8 --beam $beam
    done
done
expect 1 "use ./rnn/eval" "$decode" "$tmp/run"
expect 1 "use ./seq2seq_attention/eval" "$eval" "$tmp/sort"
sed -i 's/"attention": "concat"/"attention": "additive"/' "$tmp/sort/config.json"
expect 1 'attention is "concat", in config.json "additive"' "$decode" "$tmp/sort"
expect 0 "memory" "$pairs" --task sort --dry-run --out "$tmp/dry"
[ -e "$tmp/dry" ] && fail "--dry-run made a directory"

# Pairs from a file: the run keeps its vocabularies, so eval reads the same tokens after the file has changed.
awk 'BEGIN { for (i = 0; i < 300; i++) print "red" i % 5, "blue" i % 7 "\tblau" i % 7, "rot" i % 5 "s" i % 9 }' \
    >"$tmp/colours.tsv"
expect 0 "" "$pairs" --pairs "$tmp/colours.tsv" "${tiny[@]}" --steps 200 --lr 1e-2 --attention dot --out "$tmp/colours"
for side in source target; do
    grep -q "\"${side}_vocab\": *{" "$tmp/colours/config.json" || fail "config.json has no ${side}_vocab"
done
grep -q '"red4"' "$tmp/colours/config.json" || fail "config.json does not have the words"
expect 0 '"task":"pairs"' "$decode" "$tmp/colours" --json --plot none
parameters=$(sed -n 's/.*"parameters":\([0-9]*\),.*/\1/p' "$tmp/out")
awk 'BEGIN { for (i = 0; i < 50; i++) print "new" i, "word" i "\tneu" i }' >>"$tmp/colours.tsv"
expect 0 "\"parameters\":$parameters," "$decode" "$tmp/colours" --json --plot none
cp -r "$tmp/colours" "$tmp/broken-pairs"
for damage in 's/"source_vocab"/"source_words"/' 's/"red4"/"red3"/' 's/"red4", *//' 's/"red4"/""/' \
    's/"unit": "auto"/"unit": "char"/'; do
    sed "$damage" "$tmp/colours/config.json" >"$tmp/broken-pairs/config.json"
    expect 1 "error:" "$decode" "$tmp/broken-pairs" --plot none
done

# Held-out pairs in files of their own: all pairs are used, unchanged.
head -n 20 "$tmp/colours.tsv" >"$tmp/held.tsv"
expect 0 "held.tsv: 20 of 20 pairs share" "$pairs" --pairs "$tmp/colours.tsv" --valid "$tmp/held.tsv" \
    --test "$tmp/held.tsv" "${tiny[@]}" --out "$tmp/given"
expect 0 '"examples":20,' "$decode" "$tmp/given" --json --plot none

# --interactive writes one line for each line, also for empty and unknown ones; stderr names unknown words.
printf 'red1 blue2\n\nred1 xyzzy plugh\n  \t \nblue3' |
    "$decode" "$tmp/colours" --interactive >"$tmp/lines" 2>"$tmp/err" || fail "--interactive"
[ "$(wc -l <"$tmp/lines")" -eq 5 ] || fail "--interactive: $(wc -l <"$tmp/lines") lines for 5"
[ -n "$(sed -n 1p "$tmp/lines")" ] || fail "--interactive: the first line has no translation"
[ -z "$(sed -n '2p;4p' "$tmp/lines")" ] || fail "--interactive: an empty line has a translation"
[ "$(grep -c . "$tmp/err")" -eq 1 ] || fail "--interactive: $(cat "$tmp/err")"
grep -qF "warning: not in the vocabulary: xyzzy plugh" "$tmp/err" || fail "--interactive: no warning about xyzzy"
[ -z "$("$decode" "$tmp/colours" --interactive </dev/null)" ] || fail "--interactive: output without input"
expect 1 "standard output" bash -c "yes red1 | head -n 3 | '$decode' '$tmp/colours' --interactive >/dev/full"

# Figures: the alignments are written as a file of weights; without attention there is no such file.
expect 0 "" "$decode" "$tmp/colours" --plot svg --examples 20 --samples 2
[ "$(head -n 1 "$tmp/colours/alignment.csv")" = sentence,target_index,target,source_index,source,weight ] ||
    fail "alignment.csv: $(head -n 1 "$tmp/colours/alignment.csv")"
awk -F, 'NR > 1 { sum[$1 "," $2] += $NF } END { for (i in sum) if (sum[i] < .999 || sum[i] > 1.001) exit 1 }' \
    "$tmp/colours/alignment.csv" || fail "alignment.csv: a row does not sum to 1"
expect 0 "" "$pairs" --pairs "$tmp/colours.tsv" "${tiny[@]}" --attention none --out "$tmp/no-colours"
expect 0 "" "$decode" "$tmp/no-colours" --plot svg --examples 20
[ -e "$tmp/no-colours/alignment.csv" ] && fail "an alignment without attention"

# The Transformer: contradicting sizes and positions, and a source that is longer than its positions.
transformer="$BIN"transformer/train
expect 2 "--preset tiny sets it already" "$transformer" --task sort --preset tiny --layers 1
expect 2 "--longest 30" "$transformer" --task sort --positions learned --longest 30
expect 2 "must be a multiple of --heads" "$transformer" --task sort --heads 3
expect 0 "encoder 1 .. 6 " "$transformer" --task sort --preset base --dry-run
grep -q "decoder 1 .. 6 " "$tmp/out" || fail "--dry-run: base is not 6 and 6 layers"
awk 'length > 80 { exit 1 }' "$tmp/out" || fail "--dry-run: more than 80 columns"
expect 0 "a vocabulary of 64" "$transformer" --task recall --dry-run
expect 0 "" "$transformer" --task numbers --positions learned --longest 40 --layers 1 --channels 16 \
    --heads 2 --ffn 16 --steps 2 --quiet --plot none --out "$tmp/places"
yes one | head -n 60 | paste -sd' ' | "$BIN"transformer/eval "$tmp/places" --interactive >"$tmp/out" 2>"$tmp/err" ||
    fail "a source longer than the model's positions"
grep -q "a line of 60 tokens is too long" "$tmp/err" || fail "no warning about a source longer than the model's positions"
[ "$(wc -l <"$tmp/out")" -eq 1 ] || fail "--interactive: not one line for one line"

# The attention weights of every head, in three parts for a pair and one for a single sequence; learned positions.
decode="$BIN"transformer/eval
expect 0 "attention weights of each head" "$decode" "$tmp/places" --examples 3 --samples 0 --plot svg --head-table
[ "$(grep -cE '^  (encoder|decoder|cross) ' "$tmp/out")" -eq 6 ] || fail "--head-table: not one line for each head"
[ "$(cut -d, -f1-3 "$tmp/places/heads.csv" | sed 1d | sort -u | wc -l)" -eq 6 ] || fail "heads.csv: not six heads"
awk -F, 'NR > 1 { sum[$1 "," $2 "," $3 "," $4] += $NF }
    END { for (i in sum) if (sum[i] < .999 || sum[i] > 1.001) exit 1 }' "$tmp/places/heads.csv" ||
    fail "heads.csv: a row does not sum to 1"
[ "$(wc -l <"$tmp/places/positions.csv")" -eq $((1 + 2 * 40 * 16)) ] || fail "positions.csv is not two tables"
if command -v gnuplot >/dev/null; then
    for picture in heads-encoder heads-decoder heads-cross positions; do
        [ -s "$tmp/places/$picture.svg" ] || fail "no $picture.svg"
    done
fi
expect 0 "" "$transformer" --task recall --positions none --layers 1 --channels 16 --heads 2 --ffn 16 --steps 2 \
    --quiet --plot none --out "$tmp/one"
expect 0 '"head_table":[{"part":"decoder",' "$decode" "$tmp/one" --examples 3 --plot none --json --head-table
[ -e "$tmp/one/heads.csv" ] && fail "--plot none wrote heads.csv"
expect 0 "" "$decode" "$tmp/one" --examples 3 --plot svg
[ "$(cut -d, -f1 "$tmp/one/heads.csv" | sed 1d | sort -u)" = decoder ] || fail "heads.csv: not the decoder alone"
[ -e "$tmp/one/positions.csv" ] && fail "positions.csv was written for a model without positions"

# A pipe without a writer in place of a file of a run is an error; nothing waits for a writer.
for file in config.json model.safetensors; do
    cp -r "$tmp/run" "$tmp/fifo-$file"
    rm "$tmp/fifo-$file/$file" && mkfifo "$tmp/fifo-$file/$file"
    expect 1 "$file: is a device or pipe, not a file" timeout 20 "$eval" "$tmp/fifo-$file" --plot none
done
for file in config.json state.safetensors log.csv; do
    rm -rf "$tmp/fifo" && cp -r "$tmp/run" "$tmp/fifo"
    rm "$tmp/fifo/$file" && mkfifo "$tmp/fifo/$file"
    expect 1 "$file: is a device or pipe, not a file" timeout 20 "$train" --resume --plot none --out "$tmp/fifo"
done
exit 0

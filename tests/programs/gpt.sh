#!/usr/bin/env bash
# The programs of gpt/: options, sizes, windows of a text, samples beyond the context, tasks with shots.
. "$(dirname "$0")/../shell.sh"
train="$BIN"gpt/train eval="$BIN"gpt/eval
small=(--layers 1 --channels 16 --heads 2 --steps 4 --quiet --plot none)

expect 2 "--preset sets it already" "$train" --preset gpt2 --layers 3 --dry-run
expect 2 "must be a multiple of --heads" "$train" --heads 3 --dry-run
expect 2 "--context 63: sequences have up to 64 steps" "$train" --context 63 --dry-run
expect 2 "the preset's context of 16: sequences have up to 64 steps" "$train" --preset microgpt --dry-run
expect 2 "a GPT reads tokens" "$train" --task adding --dry-run
while read -r preset parameters; do
    expect 0 " $parameters with the published vocabulary" "$train" --preset "$preset" --dry-run
    awk 'length > 80 { exit 1 }' "$tmp/out" || fail "--dry-run: more than 80 columns"
done <<'EOF'
gpt1 116534784
gpt2 124439808
medium 354823168
large 774030080
xl 1557611200
EOF

# A text, in windows at random places or in order. Samples go on beyond the context.
for i in $(seq 400); do echo "line $i of a text that is $((i * i)) long"; done >"$tmp/text"
for order in "" --stream; do
    # shellcheck disable=SC2086 # an option or none
    expect 0 "" "$train" --text "$tmp/text" --seq-len 12 --context 16 $order "${small[@]}" --out "$tmp/run" --overwrite
    expect 0 "of a text" "$eval" "$tmp/run" --plot none --samples 3 --sample-len 100 --prompt "of a text, of a text"
    awk '/^---/ { if (n++ && len < 100) bad = 1; len = 0; next } n { len += length + 1 } END { exit bad || n < 3 }' \
        "$tmp/out" || fail "a sample ends at the context"
done
cp "$tmp/run/config.json" "$tmp/config.json"
grep -q '"context": 16' "$tmp/config.json" || fail "config.json does not have the context"
expect 0 '"arch":"gpt","task":"text"' "$eval" "$tmp/run" --plot none --json
expect 0 "" "$train" --out "$tmp/run" --resume --steps 6 --plot none --quiet
expect 1 "the run is of \"gpt\"" "$BIN"rnn/eval "$tmp/run"

# Prompts from standard input, one text for each line; several samples at a time; stop strings.
printf 'of a\nline 3\n' | "$eval" "$tmp/run" --interactive --sample-len 1 --seed 3 >"$tmp/lines" || fail "--interactive"
[ "$(tr -cd '[:print:]\n' <"$tmp/lines" | grep -cE '^(of a|line 3)')" -eq 2 ] || fail "--interactive: $(cat "$tmp/lines")"
expect 2 "leave out one" "$eval" "$tmp/run" --interactive --json
for batch in 1 3 8; do
    "$eval" "$tmp/run" --no-score --samples 5 --sample-len 40 --sample-batch $batch --min-p 0.01 --stop 'xx|q' \
        --repetition-penalty 1.1 >"$tmp/batch-$batch" || fail "--sample-batch $batch"
done
for batch in 3 8; do cmp "$tmp/batch-1" "$tmp/batch-$batch" || fail "--sample-batch $batch gives other samples"; done
sed '/^---/d' "$tmp/batch-1" | grep -q q && fail "a sample goes on after a stop string"

# Hugging Face's folder: what --export writes, --import scores and samples. It is not written over a run.
expect 0 "" "$eval" "$tmp/run" --export "$tmp/hf" --no-score --samples 0
expect 1 "not an empty directory" "$eval" "$tmp/run" --export "$tmp/run" --no-score --samples 0
expect 0 "this model" "$eval" --import "$tmp/hf" --text "$tmp/text" --samples 2 --sample-len 40
expect 0 "this model" "$eval" --import "$tmp/hf" --text README.md --samples 0
expect 0 "samples" "$eval" --import "$tmp/hf" --no-score --samples 2 --sample-len 40
expect 1 "config.json: cannot be read" "$eval" --import "$tmp/text" --no-score
sed 's/"vocab_size": [0-9]*/"vocab_size": 3/' "$tmp/hf/config.json" >"$tmp/config" && mv "$tmp/config" "$tmp/hf/config.json"
expect 1 '"vocab_size" is 3' "$eval" --import "$tmp/hf" --no-score

# In-context tasks are scored by the number of shots.
for task in shift labels; do
    expect 0 "" "$train" --task $task --seq-len 3 "${small[@]}" --out "$tmp/$task"
    expect 0 "accuracy with 1 shot: " "$eval" "$tmp/$task" --examples 64 --plot none
    expect 2 "the run is of no text" "$eval" "$tmp/$task" --interactive
    expect 0 '"value_by_shot":{"0":' "$eval" "$tmp/$task" --examples 64 --plot none --json
done
exit 0

#!/usr/bin/env bash
# The unit bpe in the programs: vocabularies that are learned or read, running text and lines, runs that keep their
# tokenizer, and options that do not fit together.
. "$(dirname "$0")/../shell.sh"

head -c 6000 README.md >"$tmp/text"
awk 'NR > 1 && NR < 400 { print $1 }' common/data/places.tsv >"$tmp/lines"
mkdir "$tmp/files" "$tmp/huggingface"

# A tokenizer of two merges: the bytes in order, "th" and "the", and the special token.
awk 'BEGIN {
    printf "{"
    for (i = 33; i < 127; i++) printf "\"%s\": %d, ", (i == 34 || i == 92 ? "\\" : "") sprintf("%c", i), n++
    for (i = 161; i < 324; i++)
        if (i <= 172 || (i >= 174 && i <= 323)) printf "\"\\u%04x\": %d, ", i, n++
    printf "\"th\": %d, \"the\": %d, \"<|endoftext|>\": %d}", n, n + 1, n + 2
}' >"$tmp/files/vocab.json"
printf '#version: 0.2\nt h\nth e\n' >"$tmp/files/merges.txt"
{
    printf '{"added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, '
    printf '"model": {"type": "BPE", "merges": ["t h", "th e"], "vocab": %s}}' "$(cat "$tmp/files/vocab.json")"
} >"$tmp/huggingface/tokenizer.json"

tensors() { # NAME: the data of the run's model, without the header, which names the options
    tail -c +$((9 + $(od -An -tu8 -N8 "$tmp/$1/model.safetensors"))) "$tmp/$1/model.safetensors"
}
train() { # PROGRAM NAME OPTIONS...
    "$BIN$1/train" --quiet --plot none --steps 20 --out "$tmp/$2" --unit bpe "${@:3}" || fail "training of $2"
}
score() { # PROGRAM NAME
    "$BIN$1/eval" "$tmp/$2" --plot none --json "${@:3}" || fail "scoring of $2"
}
sample() { # PROGRAM NAME
    "$BIN$1/eval" "$tmp/$2" --samples 3 --prompt the --plot none --no-score || fail "sampling from $2"
}

train rnn learned --text "$tmp/text" --vocab-size 300 --hidden 16
train rnn read --text "$tmp/text" --tokenizer "$tmp/files" --hidden 16
train rnn other --text "$tmp/text" --tokenizer "$tmp/huggingface/tokenizer.json" --hidden 16
train lstm_gru list --lines --text "$tmp/lines" --vocab-size 280 --hidden 16
train gpt gpt --text "$tmp/text" --vocab-size 300 --layers 1 --channels 16 --heads 2 --seq-len 16
for run in rnn/learned rnn/read lstm_gru/list gpt/gpt; do
    score "${run%/*}" "${run#*/}" >"$tmp/json"
    grep -q '"metric":"bits per token"' "$tmp/json" || fail "$run: no bits per token: $(cat "$tmp/json")"
    grep -q '"bits_per_byte":[0-9]' "$tmp/json" || fail "$run: no bits per byte: $(cat "$tmp/json")"
done
cmp <(tensors read) <(tensors other) || fail "the two spellings of one tokenizer differ"

# bits/byte = bits per token * tokens / bytes, for the held-out part (10 %) of the text.
score rnn learned | sed "s/[,{]/\n/g" | awk -F: -v bytes=600 '
    { value[$1] = $2 }
    END { x = value["\"value\""] * value["\"tokens\""] / bytes; y = value["\"bits_per_byte\""]
          exit !(x > 0 && (x - y) / y < 0.02 && (y - x) / y < 0.02) }' || fail "bits per byte are not those of the tokens"
expect 0 "bits/byte" "$BIN"rnn/eval "$tmp/learned" --plot none --samples 0

# A run keeps its tokenizer: without the files it scores, samples and resumes as before.
score rnn read >"$tmp/want.json"
sample rnn read >"$tmp/want"
mv "$tmp/files" "$tmp/elsewhere"
score rnn read >"$tmp/got.json"
sample rnn read >"$tmp/got"
cmp "$tmp/want.json" "$tmp/got.json" || fail "the scores without the tokenizer's files differ"
cmp "$tmp/want" "$tmp/got" || fail "the samples without the tokenizer's files differ"
[ -s "$tmp/want" ] || fail "no samples"
expect 0 "" "$BIN"rnn/train --resume --quiet --plot none --steps 24 --out "$tmp/read"
# A run is a tokenizer for another run, and the start of one.
train rnn again --text "$tmp/text" --tokenizer "$tmp/learned" --hidden 16
cmp <(tensors learned) <(tensors again) || fail "the tokenizer of a run differs"
expect 0 "" "$BIN"rnn/train --init-from "$tmp/learned" --text "$tmp/lines" --unit bpe --hidden 16 --steps 1 --quiet \
    --plot none --out "$tmp/from"
expect 1 "leave out --tokenizer" "$BIN"rnn/train --init-from "$tmp/learned" --text "$tmp/text" --unit bpe --hidden 16 \
    --tokenizer "$tmp/huggingface" --out "$tmp/from2"

# Hugging Face's folder has the tokenizer's two files.
expect 0 "" "$BIN"gpt/eval "$tmp/gpt" --export "$tmp/hf" --no-score --samples 0
[ -s "$tmp/hf/vocab.json" ] || fail "there is no exported vocabulary"
[ "$(wc -l <"$tmp/hf/merges.txt")" -eq 45 ] || fail "the exported merges are not 44"
expect 0 "bits/byte" "$BIN"gpt/eval --import "$tmp/hf" --text "$tmp/text" --samples 0
train rnn exported --text "$tmp/text" --tokenizer "$tmp/hf" --hidden 16
cmp <(tensors learned) <(tensors exported) || fail "the exported tokenizer differs"

# <|endoftext|> in the training text is one token, in a vocabulary that is learned and in one that is read.
{ cat "$tmp/text"; printf '<|endoftext|>'; cat "$tmp/text"; } >"$tmp/both"
train rnn documents --text "$tmp/both" --vocab-size 300 --hidden 16
train rnn documents2 --text "$tmp/both" --tokenizer "$tmp/elsewhere" --hidden 16
for run in documents documents2; do
    grep -q '"special_in_text"' "$tmp/$run/config.json" || fail "$run: <|endoftext|> is not one token"
done
grep -q '"special_in_text"' "$tmp/read/config.json" && fail "a text without <|endoftext|> has a special token"

# A vocabulary without the space, or without the newline.
mkdir "$tmp/few"
printf '{"a": 0, "b": 1, "ab": 2, "\\u010A": 3}' >"$tmp/few/vocab.json"
printf 'a b\n' >"$tmp/few/merges.txt"
yes "ab abb" | head -n 400 >"$tmp/abb"
expect 0 "360 bytes of the training text have no token" "$BIN"rnn/train --text "$tmp/abb" --unit bpe --tokenizer "$tmp/few" \
    --hidden 16 --steps 1 --plot none --out "$tmp/spaceless"
printf '{"a": 0, "b": 1, "ab": 2}' >"$tmp/few/vocab.json"
expect 1 "no token for the newline" "$BIN"rnn/train --text "$tmp/abb" --unit bpe --tokenizer "$tmp/few" --out "$tmp/x"

expect 2 "give --unit bpe" "$BIN"rnn/train --tokenizer "$tmp/huggingface"
expect 2 "give --unit bpe" "$BIN"rnn/train --unit word --vocab-size 300
expect 2 "give --vocab-size" "$BIN"rnn/train --unit bpe --vocab-limit 300
expect 2 "leave out one of them" "$BIN"rnn/train --unit bpe --vocab-size 300 --tokenizer "$tmp/huggingface"
expect 2 "--vocab-size does not apply to task parity" "$BIN"rnn/train --task parity --vocab-size 300
expect 1 "--tokenizer: $tmp/files: cannot be read" "$BIN"rnn/train --unit bpe --tokenizer "$tmp/files" --text "$tmp/text"
expect 0 "" "$BIN"rnn/train --quiet --plot none --steps 1 --out "$tmp/char" --text "$tmp/text" --hidden 16
expect 1 "has the unit char, not bpe" "$BIN"rnn/train --text "$tmp/text" --unit bpe --tokenizer "$tmp/char" --out "$tmp/x"
exit 0

#!/usr/bin/env bash
# A run directory without its data can sample and translate. Scoring names the missing data, and accepts any other
# file. eval --pairs scores a file, --output writes the translation of each line.
. "$(dirname "$0")/../shell.sh"

mkdir "$tmp/data" "$tmp/runs"
head -c 4000 README.md >"$tmp/data/text"
awk 'NR > 1 && NR < 400 { print $1 }' common/data/places.tsv >"$tmp/data/lines"
awk 'BEGIN { for (i = 0; i < 400; i++) print "a" i % 20, "b" int(i / 20) "\tc" i % 20, "d" int(i / 20) }' \
    >"$tmp/data/pairs"
train() { # PROGRAM NAME OPTIONS...
    "$BIN$1/train" --quiet --plot none --steps 20 --out "$tmp/runs/$2" "${@:3}" || fail "training of $2"
}
train rnn text --text "$tmp/data/text" --hidden 16
train lstm_gru lines --lines --text "$tmp/data/lines" --hidden 16
train seq2seq_attention pairs --pairs "$tmp/data/pairs" --hidden 16 --channels 8
train transformer words --pairs "$tmp/data/pairs" --layers 1 --channels 16 --heads 2 --ffn 16
train seq2seq_attention drawn --task sort --hidden 16 --channels 8

# Samples and translations are the same with and without the data.
sample() { # PROGRAM NAME
    "$BIN$1/eval" "$tmp/runs/$2" --samples 3 --prompt e --plot none "${@:3}" | sed '1,/^samples/d'
}
translate() { # PROGRAM NAME
    printf 'a1 b2\na3 b4\n' | "$BIN$1/eval" "$tmp/runs/$2" --interactive
}
sample rnn text >"$tmp/text.want"
sample lstm_gru lines >"$tmp/lines.want"
translate seq2seq_attention pairs >"$tmp/pairs.want"
translate transformer words >"$tmp/words.want"
mv "$tmp/data" "$tmp/elsewhere"
sample rnn text --no-score >"$tmp/text.got" || fail "sampling without the text"
sample lstm_gru lines --no-score >"$tmp/lines.got" || fail "sampling without the lines"
translate seq2seq_attention pairs >"$tmp/pairs.got" || fail "translating without the pairs"
translate transformer words >"$tmp/words.got" || fail "translating without the pairs"
for name in text lines pairs words; do
    [ -s "$tmp/$name.want" ] || fail "$name: the output is empty, nothing was tested"
    cmp "$tmp/$name.want" "$tmp/$name.got" || fail "$name: the output without the data differs"
done
expect 0 "is not here, so there are no scores" "$BIN"rnn/eval "$tmp/runs/text" --plot none
expect 1 "sample without data by --no-score" "$BIN"rnn/eval "$tmp/runs/text" --plot none --json
expect 1 "translate without data by --interactive" "$BIN"seq2seq_attention/eval "$tmp/runs/pairs" --plot none
expect 2 "--json prints scores" "$BIN"rnn/eval "$tmp/runs/text" --no-score --json
expect 0 '"loss":' "$BIN"rnn/eval "$tmp/runs/text" --text "$tmp/elsewhere/text" --json --plot none

# eval --pairs scores every pair of a file in its order; --output has one line for each pair.
translations() { # PROGRAM NAME OPTIONS...
    expect 0 "" "$BIN$1/eval" "$tmp/runs/$2" --plot none --json --output "$tmp/hypotheses" "${@:3}"
}
{
    printf 'a3 b4\tc3 d4\na1 b2\tc1 d2\na3 b4\tc3 d4\n'
    for i in $(seq 2100); do echo "a$((i % 20)) b$((i % 7))	c1 d2"; done
} >"$tmp/scored"
for run in seq2seq_attention/pairs transformer/words; do
    program=${run%/*} name=${run#*/}
    translations "$program" "$name" --pairs "$tmp/scored"
    grep -q '"decoded":2103[,}]' "$tmp/out" || fail "$name: not all pairs were decoded: $(cat "$tmp/out")"
    grep -q '"examples":2103,' "$tmp/out" || fail "$name: not all pairs were scored: $(cat "$tmp/out")"
    [ "$(wc -l <"$tmp/hypotheses")" -eq 2103 ] || fail "$name: $(wc -l <"$tmp/hypotheses") hypotheses"
    translate "$program" "$name" | cmp - <(sed -n '2p;1p' "$tmp/hypotheses" | tac) ||
        fail "$name: the translations differ from those of --interactive"
    cmp <(sed -n 1p "$tmp/hypotheses") <(sed -n 3p "$tmp/hypotheses") || fail "$name: the order of the translations differs from that of the file"
    translations "$program" "$name" --pairs "$tmp/scored" --examples 2
    [ "$(wc -l <"$tmp/hypotheses")" -eq 2 ] || fail "$name: --examples 2 is ignored"
    expect 0 "scored: " "$BIN$program/eval" "$tmp/runs/$name" --plot none --pairs "$tmp/scored" --examples 2
done
printf 'a\tb\n\tc\n' >"$tmp/empty-side"
expect 1 "1 of its pairs have an empty side" "$BIN"transformer/eval "$tmp/runs/words" --pairs "$tmp/empty-side"
: >"$tmp/empty"
expect 1 "the file has no pairs" "$BIN"transformer/eval "$tmp/runs/words" --pairs "$tmp/empty"
expect 1 "No such file" "$BIN"transformer/eval "$tmp/runs/words" --pairs "$tmp/missing"
expect 1 "no/such" "$BIN"transformer/eval "$tmp/runs/words" --pairs "$tmp/scored" --examples 1 --output "$tmp/no/such"
translations seq2seq_attention drawn --examples 5
[ "$(wc -l <"$tmp/hypotheses")" -eq 5 ] || fail "--output of drawn pairs"

# --output replaces neither the pairs nor a file of the run, under any name.
cp "$tmp/scored" "$tmp/scored.before"
cp "$tmp/runs/words/model.safetensors" "$tmp/model.before"
ln "$tmp/scored" "$tmp/linked"
for name in scored ./scored linked runs/words/model.safetensors runs/words/config.json; do
    expect 1 "would replace" "$BIN"transformer/eval "$tmp/runs/words" --plot none --pairs "$tmp/scored" \
        --examples 1 --output "$tmp/$name"
done
cmp "$tmp/scored" "$tmp/scored.before" || fail "--output: the pairs are replaced"
cmp "$tmp/runs/words/model.safetensors" "$tmp/model.before" || fail "--output: the model is replaced"
expect 2 "leave out --output" "$BIN"transformer/eval "$tmp/runs/words" --interactive --output "$tmp/o" </dev/null
expect 1 "missing: cannot be read" "$BIN"rnn/eval "$tmp/runs/text" --text "$tmp/missing"
! grep -q "was trained on it" "$tmp/out" || fail "--text: a file that is not the run's is called so"

# A relative path of the data is found from another folder; config.json keeps it. If it is nowhere, the message says where
# the program looked.
top=$PWD
case $BIN in /*) bin=$BIN ;; *) bin=$top/$BIN ;; esac
mkdir "$tmp/here" "$tmp/there"
head -c 4000 README.md >"$tmp/here/text"
head -c 2000 Makefile >"$tmp/here/valid"
cp "$tmp/elsewhere/pairs" "$tmp/here/pairs"
small=(--quiet --plot none --hidden 8)
(cd "$tmp/here" && "$bin"rnn/train "${small[@]}" --text text --valid valid --steps 3 --out ../run &&
    "$bin"seq2seq_attention/train "${small[@]}" --pairs pairs --steps 3 --out ../run-pairs &&
    "$bin"rnn/eval ../run --json --plot none >../score &&
    "$bin"seq2seq_attention/eval ../run-pairs --json --plot none >../score-pairs) || fail "in the folder of the data"
cd "$tmp/there" || fail "no folder"
"$bin"rnn/eval ../run --json --plot none | cmp - ../score || fail "eval from another folder"
"$bin"seq2seq_attention/eval ../run-pairs --json --plot none | cmp - ../score-pairs || fail "eval of pairs from another folder"
expect 0 "" "$bin"rnn/train --resume --plot none --steps 4 --out ../run
grep -q '"text": "text"' ../run/config.json || fail "--resume from another folder changed the path: $(cat ../run/config.json)"
grep -q "\"directory\": \"$tmp/here\"" ../run/config.json || fail "--resume from another folder changed the folder"
mv ../here ../gone
expect 1 "neither here nor in $tmp/here, where the run was started" "$bin"rnn/train --resume --steps 5 --out ../run
expect 1 "neither here nor in $tmp/here, where the run was started" "$bin"rnn/eval ../run --json --plot none
cd ../gone || fail "no folder"
expect 0 "" "$bin"rnn/train --resume --steps 5 --out ../run # the project was moved
cd "$top" || fail "no folder"
exit 0

#!/usr/bin/env bash
# Every level of a report (this model, n-gram, chance, bits per byte) is over the same tokens, and what is left out
# of them is said, with --quiet too.
. "$(dirname "$0")/../shell.sh"

repeat() { # TEXT TIMES
    local i
    for ((i = 0; i < $2; i++)); do printf '%b' "$1"; done
}
number() { # KEY: prints a number of the JSON object in $tmp/out
    sed -n "s/.*\"$1\":\([-0-9.e+]*\)[,}].*/\1/p" "$tmp/out"
}
near() { # FOUND WANTED MARGIN WHAT
    awk -v a="$1" -v b="$2" -v m="$3" 'BEGIN { exit !(a != "" && b != "" && a - b <= m && b - a <= m) }' ||
        fail "$4: $1, must be $2 +- $3"
}
count() { # OPTIONS...
    expect 0 "" "$BIN"lessons/03-counting --plot none --out "$tmp/counts" "$@"
}
row() { # N: prints the held-out loss of an n-gram
    awk -F, -v n="$1" '$1 == n { print $4 }' "$tmp/counts/ngram.csv"
}
train() { # NAME OPTIONS...
    expect 0 "" "$BIN"rnn/train --quiet --plot none --hidden 4 --channels 4 --steps 1 --threads 1 --out "$tmp/run-$1" "${@:2}"
}
evaluate() { # NAME OPTIONS...
    expect 0 "" "$BIN"rnn/eval "$tmp/run-$1" --plot none --samples 0 "${@:2}"
}

# The vocabulary has one letter, and the held-out text another: two outcomes, p(unknown) = (0 + 1000) / (900 + 2000).
{ repeat a 900; repeat b 100; } >"$tmp/ab"
count --text "$tmp/ab" --n-max 1 --smoothing 1000
near "$(row 1)" 1.064711 1e-5 "loss of the unknown token"
grep -qF "uniform, ln 2" "$tmp/out" || fail "a uniform guess between the letter and the unknown token"

# Every order scores all 12 tokens after the first: b b b b a b a b a b a b.
repeat ab 500 >"$tmp/train"
printf bbbbbabababab >"$tmp/valid"
count --text "$tmp/train" --valid "$tmp/valid"
grep -qF "12 held out" "$tmp/out" || fail "tokens held out: $(head -n 1 "$tmp/out")"
near "$(row 1)" "$(awk 'BEGIN { print log(2) }')" 1e-6 "1-gram"
want=$(awk 'BEGIN { a = 500.1 / 500.2; b = 499.1 / 499.2; print -(4 * log(.1 / 499.2) + 4 * log(a) + 4 * log(b)) / 12 }')
near "$(row 2)" "$want" 1e-5 "2-gram"
want=$(awk 'BEGIN { a = 499.1 / 499.2; print -(5 * log(1 / 2) + 7 * log(a)) / 12 }')
near "$(row 3)" "$want" 1e-5 "3-gram"

# A line is scored from its first token to its newline: 3 tokens of 3 + 3 + 1 bytes.
printf '한국\n국한\n한한\n국국\n' >"$tmp/four"
printf '한국\n' >"$tmp/one"
train four --lines --text "$tmp/four" --valid "$tmp/one"
evaluate four --json
near "$(number tokens)" 3 0 "tokens of a line"
near "$(number bits_per_byte)" "$(awk -v l="$(number loss)" 'BEGIN { print 3 * l / log(2) / 7 }')" 1e-6 "bits per byte"

# Of longer lines only the first 8 tokens are trained on and scored, by every model; eval and train say so.
for i in 1 2 3 4 5 6 7 8 9; do printf 'abababab\n'; done >"$tmp/long"
printf 'abababab가나다\nab\n' >"$tmp/longer"
train long --lines --text "$tmp/long" --valid "$tmp/longer" --seq-len 8
grep -qF "9 of 9 training lines are longer than 8 tokens: the 9 tokens beyond are not trained on" "$tmp/out" ||
    fail "train does not say what is cut: $(cat "$tmp/out")"
evaluate long --json
grep -qF "1 of 2 held-out lines are longer than 8 tokens: the 4 tokens beyond are not scored" "$tmp/out" ||
    fail "eval does not say what is cut: $(cat "$tmp/out")"
near "$(number tokens)" 11 0 "tokens of cut lines"
near "$(number cut_tokens)" 4 0 "tokens cut off"
near "$(number bits_per_byte)" "$(awk -v l="$(number loss)" 'BEGIN { print l / log(2) }')" 1e-6 "bits per byte of cut lines"
evaluate long
grep -qF "not scored: 4 tokens of 1 lines" "$tmp/out" || fail "the report does not say what is cut: $(cat "$tmp/out")"

# Text outside the vocabulary is a warning, quiet or not, in train and in eval.
repeat 'the quick brown fox. ' 50 >"$tmp/english"
repeat '나는 학교에 갑니다. ' 50 >"$tmp/korean"
unknown="(66.7%) are not in the vocabulary"
train english --text "$tmp/english" --valid "$tmp/korean"
grep -qF "$unknown" "$tmp/out" || fail "train is silent about a text outside the vocabulary: $(cat "$tmp/out")"
# The report names the text that is scored.
evaluate english
grep -qF "rnn on $tmp/korean:" "$tmp/out" || fail "the report names another text: $(cat "$tmp/out")"
expect 0 "$unknown" "$BIN"rnn/eval "$tmp/run-english" --samples 0 --plot none --valid "$tmp/korean"

# eval says how much of a running text a model sees.
grep -qF "in one stream: each token is predicted from all tokens before it" "$tmp/out" || fail "what a model sees"
expect 0 "" "$BIN"gpt/train --quiet --plot none --layers 1 --channels 8 --heads 2 --steps 1 \
    --text "$tmp/english" --seq-len 16 --out "$tmp/run-windows"
expect 0 "in windows of 16 tokens" "$BIN"gpt/eval "$tmp/run-windows" --plot none --samples 0

# A counting model of a long text is not of all of it.
yes 'abc def' | head -c 1200000 >"$tmp/million"
train million --text "$tmp/million"
evaluate million
grep -qF "gram is counted on the first 1000000 of 1080000 training tokens" "$tmp/out" || fail "the n-gram's text: $(cat "$tmp/out")"

# Valid UTF-8 is never called anything else: rare letters, U+FFFD.
{ repeat 'abc\xef\xbf\xbd' 200; printf '가나다\n'; repeat abc 200; } >"$tmp/rare"
train rare --text "$tmp/rare" --vocab-limit 3
grep -qF "are not in the vocabulary" "$tmp/out" || fail "--vocab-limit: no warning: $(cat "$tmp/out")"
grep -qF "not UTF-8" "$tmp/out" && fail "valid UTF-8 is called none: $(cat "$tmp/out")"
exit 0

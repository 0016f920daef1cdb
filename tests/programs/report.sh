#!/usr/bin/env bash
# What the programs report: the numbers in log.csv, in eval's report and in its JSON are correct and agree.
. "$(dirname "$0")/../shell.sh"

train() { # NAME OPTIONS...
    "$BIN"rnn/train --quiet --plot none --hidden 16 --channels 8 --out "$tmp/$1" "${@:2}" || fail "training of $1"
}
column() { # NAME N: prints a column of the run's log, without the heading
    sed 1d "$tmp/$1/log.csv" | cut -d, -f"$2"
}
number() { # KEY: prints a number of the JSON object in $tmp/out
    sed -n "s/.*\"$1\":\([-0-9.e+]*\)[,}].*/\1/p" "$tmp/out"
}
evaluate() { # NAME OPTIONS...
    expect 0 "" "$BIN"rnn/eval "$tmp/$1" --plot none --samples 0 "${@:2}"
}
near() { # FOUND WANTED MARGIN WHAT
    awk -v a="$1" -v b="$2" -v m="$3" 'BEGIN { exit !(a != "" && b != "" && a - b <= m && b - a <= m) }' ||
        fail "$4: $1, must be $2 +- $3"
}

# Twenty validations; the number of tokens; the learning rate of this step, not of the next.
train log --text README.md --steps 40 --batch 4 --seq-len 10 --lr 1 --warmup 10
[ "$(column log 5 | grep -c .)" -eq 20 ] || fail "$(column log 5 | grep -c .) validations"
[ "$(column log 2 | tail -n 1)" -eq 1600 ] || fail "$(column log 2 | tail -n 1) tokens of 40 x 4 x 10"
[ "$(column log 7 | head -n 1)" = 0.1 ] || fail "rate of step 1: $(column log 7 | head -n 1)"

# The training loss of a row is the mean since the last row: with 600 steps every second step has a row.
options=(--task parity --batch 4 --seq-len 10 --schedule inverse-sqrt)
train each "${options[@]}" --steps 6 --eval-every 100
train second "${options[@]}" --steps 600 --eval-every 600
column each 4 | paste - - | awk '{ print ($1 + $2) / 2 }' >"$tmp/means"
for row in 1 2 3; do
    near "$(column second 4 | sed -n ${row}p)" "$(sed -n ${row}p "$tmp/means")" 2e-6 "mean of two steps, row $row"
done

# After --resume the seconds continue, and config.json does not record --resume and --overwrite.
train log --text README.md --steps 40 --batch 4 --seq-len 10 --lr 1 --warmup 10 --overwrite
train log --resume --steps 60
column log 3 | awk '$1 < last { exit 1 } { last = $1 }' || fail "after --resume the seconds start again at 0"
for option in resume overwrite; do
    grep -q "\"$option\": false" "$tmp/log/config.json" || fail "config.json: $option after --resume"
done

# AdamW stores two moments for each parameter, SGD one.
for moments in "adamw 2" "sgd 1"; do
    expect 0 "" "$BIN"rnn/train --task parity --hidden 1000 --optimizer "${moments% *}" --dry-run --out "$tmp/dry"
    awk -v n="${moments#* }" '/^memory/ { exit !($8 - n * $2 < .1 && n * $2 - $8 < .1) }' "$tmp/out" ||
        fail "--dry-run: $(grep ^memory "$tmp/out")"
done

# eval's loss is the last validation loss of the log, unless eval is given another text.
train text --text README.md --steps 30
evaluate text --json
near "$(number loss)" "$(column text 5 | tail -n 1)" 2e-6 "eval's loss beside the log's"
own=$(number loss)
for option in --text --valid; do
    evaluate text --json $option common/README.md
    [ "$(number loss)" != "$own" ] || fail "$option: eval scored the run's own text"
done
rm -f "$tmp/text"/loss.*
for option in --text --valid; do
    expect 0 "" "$BIN"rnn/eval "$tmp/text" --plot svg --samples 0 $option common/README.md
    [ -e "$tmp/text/loss.gp" ] && fail "$option: loss.gp compares the run's losses with levels of another text"
done
expect 0 "" "$BIN"rnn/eval "$tmp/text" --plot none --samples 3 --sample-len 60
awk 'BEGIN { RS = "--- [0-9]+ ---\n" } NR > 1 { if (seen[$0]++) exit 1 }' "$tmp/out" || fail "two samples are equal"

# A character has three bytes here, so the bits per byte are a third of the bits per character.
printf '가나다라마바사%.0s' {1..200} >"$tmp/hangul.txt"
train hangul --text "$tmp/hangul.txt" --steps 2
evaluate hangul --json
near "$(number bits_per_byte)" "$(awk -v l="$(number loss)" 'BEGIN { print l / log(2) / 3 }')" 1e-5 "bits_per_byte"
near "$(number value)" "$(awk -v l="$(number loss)" 'BEGIN { print l / log(2) }')" 1e-5 "bits per character"
bits=$(number bits_per_byte)
evaluate hangul
near "$(awk '$1 == "bits/byte" { print $2 }' "$tmp/out")" "$bits" 6e-5 "bits/byte of the report"

# The scores by length are the same in the report's table and in the JSON.
evaluate second --examples 64
awk '/^ +length/ { table = 1; next } table && NF == 4 { printf "%s%s:%s", n++ ? "," : "", $1, $3 }' \
    "$tmp/out" >"$tmp/table"
evaluate second --examples 64 --json
sed 's/.*"value_by_length":{\([^}]*\)}.*/\1/' "$tmp/out" | tr ',' '\n' | tr -d '"' |
    awk -F: '{ printf "%s%s:%.4f", n++ ? "," : "", $1, $2 }' >"$tmp/json"
[ "$(tr ',' '\n' <"$tmp/json" | wc -l)" -ge 2 ] || fail "no value_by_length"
cmp -s "$tmp/table" "$tmp/json" || fail "by length: $(cat "$tmp/table") and $(cat "$tmp/json")"

# An exact best possible loss is that of the scored sequences.
train grammar --task agreement --steps 2
evaluate grammar --examples 20
best=$(awk '/^ +best possible/ { print $3 }' "$tmp/out")
evaluate grammar --examples 20 --json
near "$(number loss_perfect)" "$best" 6e-5 "loss_perfect beside the report's best possible"

# Pairs: in the test part every source word is known, and every second target word.
pairs() { # NAME OPTIONS...
    "$BIN"seq2seq_attention/train --plot none --hidden 16 --channels 8 --steps 2 --out "$tmp/$1" "${@:2}" \
        >"$tmp/out" 2>&1 || fail "training of $1: $(cat "$tmp/out")"
}
awk 'BEGIN { for (i = 0; i < 400; i++) print "red" i % 5, "blue" i % 7 "\tone u" i }' >"$tmp/pairs.tsv"
pairs pairs --pairs "$tmp/pairs.tsv"
grep -q "; 0.00% and 50.00% of the test tokens are not in them" "$tmp/out" ||
    fail "unknown tokens: $(grep vocabularies "$tmp/out")"

# A line may end in CR LF: the CR is not part of its text.
pairs dates --task dates --items 200
printf '3 Mar 1999\r\n' | "$BIN"seq2seq_attention/eval "$tmp/dates" --interactive >"$tmp/out" 2>"$tmp/err" ||
    fail "--interactive"
grep -vq "(cut off)" "$tmp/err" && fail "a line that ends in CR LF gives a warning: $(cat -v "$tmp/err")"

# The head table averages over as many pairs as there are. A panel of positions reads its own rows of the table, and
# its line marks the first position that no held-out sequence reaches.
small=(--positions learned --longest 40 --layers 1 --channels 16 --heads 2 --ffn 16 --steps 2 --plot none)
expect 0 " for test" "$BIN"transformer/train --pairs "$tmp/pairs.tsv" "${small[@]}" --out "$tmp/heads"
there=$(sed -n 's/.* \([0-9]*\) for test$/\1/p' "$tmp/out")
[ "$there" -lt 60 ] || fail "$there pairs for test"
expect 0 "the mean over $there held-out sequences" "$BIN"transformer/eval "$tmp/heads" --samples 0 --plot svg \
    --head-table
for panel in "1::640 with image, 1.5" "641::1280 with image, 2.5"; do
    grep -q "every ::$panel with lines" "$tmp/heads/positions.gp" || fail "positions.gp: no $panel"
done
[ "$(grep -c 'first [12].5 right' "$tmp/heads/positions.gp")" -eq 2 ] || fail "positions.gp: the lines where sequences end are wrong"

# A source may have --longest tokens; a longer one is refused.
words() { # N: prints N words
    yes red1 | head -n "$1" | paste -sd ' '
}
for n in 40 41; do
    words $n | "$BIN"transformer/eval "$tmp/heads" --interactive >"$tmp/out" 2>"$tmp/err" || fail "$n words"
    [ "$(wc -l <"$tmp/out")" -eq 1 ] || fail "$n words: not one line for one line"
done
grep -q "a line of 41 tokens is too long: the model takes 40" "$tmp/err" || fail "41 words: $(cat "$tmp/err")"
words 40 | "$BIN"transformer/eval "$tmp/heads" --interactive 2>"$tmp/err" >/dev/null
grep -q "too long" "$tmp/err" && fail "40 words: $(cat "$tmp/err")"
exit 0

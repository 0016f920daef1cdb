#!/usr/bin/env bash
# Texts that users give: parts of a file, standard input, directories, empty and huge files, what is not UTF-8, and what
# is printed of them.
. "$(dirname "$0")/../shell.sh"
train="$BIN"rnn/train eval="$BIN"rnn/eval
small=(--steps 2 --hidden 8 --channels 8 --batch 4 --seq-len 8 --plot none --overwrite)

# A text that is not the run's is scored whole; of the run's own text the held-out part, under any name.
printf 'the quick brown fox. %.0s' {1..100} >"$tmp/own"
printf 'a quick text of its own. %.0s' {1..40} >"$tmp/other"
expect 0 "" "$train" --text "$tmp/own" "${small[@]}" --out "$tmp/run"
expect 0 "scored: the last 210 of the 2100 bytes of $tmp/own" "$eval" "$tmp/run" --plot none --samples 0
expect 0 "scored: all 1000 bytes of $tmp/other" "$eval" "$tmp/run" --plot none --samples 0 --text "$tmp/other"
grep -q -- "-gram" "$tmp/out" && fail "an n-gram was counted on the text that is scored: $(cat "$tmp/out")"
grep -q "^rnn on .* 999 held-out tokens" "$tmp/out" || fail "not all tokens: $(head -n 1 "$tmp/out")"
cp "$tmp/own" "$tmp/copy"
expect 0 "scored: the last 210 of the 2100 bytes of $tmp/copy" "$eval" "$tmp/run" --plot none --samples 0 --text "$tmp/copy"
expect 0 "scored: all 1000 bytes of $tmp/other" "$eval" "$tmp/run" --plot none --samples 0 --valid "$tmp/other"
expect 0 '"heldout_bytes":1000,"text_bytes":1000,' "$eval" "$tmp/run" --plot none --text "$tmp/other" --json
printf 'ab' >"$tmp/two"
expect 1 "a sequence of 8 steps needs" "$eval" "$tmp/run" --plot none --text "$tmp/two"
seq 1000 >"$tmp/list"
expect 0 "" "$train" --lines --text "$tmp/list" "${small[@]}" --out "$tmp/lines"
expect 0 "of the 1000 lines of $tmp/list, one in ten" "$eval" "$tmp/lines" --plot none --samples 0
seq 2000 2099 >"$tmp/list2"
expect 0 "scored: all 100 lines of $tmp/list2" "$eval" "$tmp/lines" --plot none --samples 0 --text "$tmp/list2"

# Standard input serves each option once, and is never waited for without a word.
"$eval" "$tmp/run" --plot none --samples 0 --text - <"$tmp/other" >"$tmp/out" 2>&1 || fail "--text -: $(cat "$tmp/out")"
grep -q "scored: all 1000 bytes of -" "$tmp/out" || fail "--text -: $(cat "$tmp/out")"
"$eval" "$tmp/run" --plot none --samples 0 --valid - < <(cat "$tmp/other") >"$tmp/out" 2>&1 || fail "--valid -"
grep -q "rnn/eval: reading standard input to its end" "$tmp/out" || fail "--valid -: $(cat "$tmp/out")"
grep -q "scored: all 1000 bytes of -" "$tmp/out" || fail "--valid -: $(cat "$tmp/out")"
expect 2 "standard input can be read only once" "$eval" "$tmp/run" --plot none --text - --valid -
expect 2 "--text - and --valid -: standard input can be read only once" "$train" --text - --valid - --out "$tmp/x"
expect 2 "--pairs - and --test -" "$BIN"seq2seq_attention/train --pairs - --test - --out "$tmp/x"
"$train" --text "$tmp/own" --valid - "${small[@]}" --out "$tmp/piped" <"$tmp/other" >"$tmp/out" 2>&1 || fail "train --valid -"
expect 1 "piped was trained on standard input: give the text with --valid" timeout 20 "$eval" "$tmp/piped" --plot none
"$train" --text - "${small[@]}" --out "$tmp/piped" <"$tmp/own" >"$tmp/out" 2>&1 || fail "train --text -"
expect 0 "scored: the last 210 of the 2100 bytes" "$eval" "$tmp/piped" --plot none --samples 0 --text "$tmp/own"
expect 0 "scored: all 1000 bytes" "$eval" "$tmp/piped" --plot none --samples 0 --text "$tmp/other"
"$eval" "$tmp/piped" --plot none --samples 0 --text - <"$tmp/own" >"$tmp/out" 2>&1 || fail "--text - of a piped run"
grep -q "scored: the last 210 of the 2100 bytes of -" "$tmp/out" || fail "--text - of a piped run: $(cat "$tmp/out")"
awk 'BEGIN { for (i = 0; i < 99; i++) print "a" i "\tb" i }' >"$tmp/pairs"
"$BIN"seq2seq_attention/train --pairs - --steps 1 --hidden 8 --channels 8 --plot none --out "$tmp/pp" <"$tmp/pairs" \
    >"$tmp/out" 2>&1 || fail "train --pairs -"
expect 1 "pp was trained on standard input: give the text with --pairs" timeout 20 "$BIN"seq2seq_attention/eval "$tmp/pp"
expect 2 "leave out --pairs" "$BIN"seq2seq_attention/eval "$tmp/pp" --interactive --pairs "$tmp/pairs"
mkfifo "$tmp/fifo"
"$train" --text "$tmp/fifo" "${small[@]}" --out "$tmp/x" >"$tmp/out" 2>&1 &
waiting=$!
for _ in {1..100}; do grep -q "reading $tmp/fifo to its end" "$tmp/out" && break; sleep 0.1; done
grep -q "reading $tmp/fifo to its end" "$tmp/out" || fail "a pipe is waited for without a word"
cat "$tmp/own" >"$tmp/fifo"
wait "$waiting" || fail "a text from a named pipe: $(cat "$tmp/out")"

# Nothing to read, and too much.
: >"$tmp/none"
printf '\xef\xbb\xbf' >"$tmp/bom"
printf 'a' >"$tmp/one"
head -c 5000 /dev/zero >"$tmp/zeros"
yes '' | head -n 500 >"$tmp/newlines"
truncate -s 10G "$tmp/sparse"
tr '\n' '\r' <"$tmp/list" >"$tmp/mac"
for program in rnn lstm_gru; do
    expect 1 "none is empty" "$BIN$program/train" --text "$tmp/none" --out "$tmp/x"
    expect 1 "standard input is empty" "$BIN$program/train" --text - --out "$tmp/x"
    expect 1 "bom is empty" "$BIN$program/train" --text "$tmp/bom" --out "$tmp/x"
    expect 1 "0 training tokens and 1 held-out tokens" "$BIN$program/train" --text "$tmp/one" --out "$tmp/x"
    expect 1 "the text has no character" "$BIN$program/train" --text "$tmp/zeros" --out "$tmp/x"
    expect 0 "zeros has 5000 zero bytes" "$BIN$program/train" --text "$tmp/own" --valid "$tmp/zeros" "${small[@]}" --out "$tmp/x"
    expect 1 "0 training lines and 0 held-out lines" "$BIN$program/train" --lines --text "$tmp/newlines" --out "$tmp/x"
    expect 1 "mac: its lines end in a carriage return" "$BIN$program/train" --lines --text "$tmp/mac" --out "$tmp/x"
    for device in /dev/zero /dev/urandom /dev/full; do
        expect 1 "$device: is a device" timeout 20 "$BIN$program/train" --text $device --out "$tmp/x"
        expect 1 "$device: is a device" timeout 20 "$BIN$program/train" --text "$tmp/own" --valid $device --out "$tmp/x"
    done
    expect 1 "sparse: more than 1073741824 bytes" timeout 20 "$BIN$program/train" --text "$tmp/sparse" --out "$tmp/x"
done
expect 1 "sparse: more than 1073741824 bytes" timeout 20 "$BIN"transformer/train --pairs "$tmp/sparse" --out "$tmp/x"

# What is not UTF-8, with its place in the file, quiet or not, for every unit that has an unknown token.
printf 'caf\xe9 und th\xe9 %.0s' {1..100} >"$tmp/latin"
for unit in char word jamo byte; do
    expect 0 "" "$train" --text "$tmp/latin" --unit $unit --quiet "${small[@]}" --out "$tmp/latin-run"
    said=$(grep -cF "latin is not UTF-8: 200 of its bytes are no character, the first in line 1, byte 4 (offset 3)" "$tmp/out")
    [ "$said" -eq "$([ $unit = byte ] && echo 0 || echo 1)" ] || fail "--unit $unit: $(cat "$tmp/out")"
done

# A directory: the files in the order of their names, with a newline between them and without their marks.
mkdir "$tmp/dir"
printf '\xef\xbb\xbfone' >"$tmp/dir/b.md"
printf '\xef\xbb\xbftwo\n' >"$tmp/dir/a.md"
for name in .hidden.md c.txt; do echo hidden >"$tmp/dir/$name"; done
for i in {1..40}; do echo "line $i of many" >>"$tmp/dir/c.md"; done
{ printf 'two\none\n'; cat "$tmp/dir/c.md"; } >"$tmp/joined"
expect 0 "3 *.md files in the order of their names; 2 other entries are left out" "$train" --text "$tmp/dir" "${small[@]}" \
    --out "$tmp/from-dir"
expect 0 "" "$train" --text "$tmp/joined" "${small[@]}" --out "$tmp/from-file"
print_of() { grep -o '"data_fingerprint": "[^"]*"' "$tmp/$1/config.json"; }
[ "$(print_of from-dir)" = "$(print_of from-file)" ] || fail "a directory is not its files joined"
mkdir "$tmp/dir/d.md"
expect 1 "d.md: is a directory, not a file" "$train" --text "$tmp/dir" --out "$tmp/x"
rmdir "$tmp/dir/d.md" && mkfifo "$tmp/dir/d.md"
expect 1 "d.md: is a device or pipe" timeout 20 "$train" --text "$tmp/dir" --out "$tmp/x"

# Carriage returns that the text has are in a sample; one line for each sample of a list.
for _ in {1..400}; do printf 'ab\r\n'; done >"$tmp/crlf"
expect 0 "" "$train" --text "$tmp/crlf" --steps 200 --hidden 16 --plot none --out "$tmp/crlf-run"
"$eval" "$tmp/crlf-run" --samples 1 --sample-len 8 --plot none | tail -n 3 | head -c 8 | cmp - <(printf 'ab\r\nab\r\n') ||
    fail "a sample of lines that end in CR LF"
"$eval" "$tmp/lines" --samples 40 --plot none --no-score 2>&1 | sed '1,/^samples/d' >"$tmp/out"
[ "$(wc -l <"$tmp/out")" -eq 40 ] || fail "--lines: $(wc -l <"$tmp/out") lines for 40 samples"

# --json is JSON, whatever the names and texts are.
name=$(printf '%s/a"\\\tb\x01' "$tmp")
cp "$tmp/own" "$name"
expect 0 "" "$train" --text "$name" "${small[@]}" --out "$tmp/named"
"$eval" "$tmp/named" --json --plot none >"$tmp/json" || fail "--json"
if command -v python3 >/dev/null; then
    python3 -m json.tool "$tmp/json" >/dev/null || fail "--json: $(cat "$tmp/json")"
    python3 -m json.tool "$tmp/named/config.json" >/dev/null || fail "config.json"
fi
exit 0

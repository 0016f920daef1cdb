#!/usr/bin/env bash
# What is typed and what is read from a file are treated alike, by every program that translates; what is no UTF-8 is
# said, with its place, quiet or not.
. "$(dirname "$0")/../shell.sh"

awk 'BEGIN { for (i = 0; i < 400; i++) print "a" i % 20, "b" int(i / 20) "\tc" i % 20, "d" int(i / 20) }' >"$tmp/pairs"
"$BIN"seq2seq_attention/train --quiet --plot none --steps 100 --hidden 16 --channels 8 --lr 1e-2 --pairs "$tmp/pairs" \
    --out "$tmp/seq2seq_attention" || fail "training"
"$BIN"transformer/train --quiet --plot none --steps 60 --layers 1 --channels 16 --heads 2 --ffn 16 --lr 1e-2 \
    --pairs "$tmp/pairs" --unit char --out "$tmp/transformer" || fail "training"
"$BIN"transformer/train --quiet --plot none --steps 3 --layers 1 --channels 16 --heads 2 --ffn 16 --swap \
    --pairs "$tmp/pairs" --unit char --out "$tmp/swapped" || fail "training"
"$BIN"seq2seq_attention/train --quiet --plot none --steps 1 --hidden 16 --channels 8 --unit byte --pairs "$tmp/pairs" \
    --out "$tmp/bytes" || fail "training"

translate() { # RUN OPTIONS...: translates the lines of standard input; standard error goes to $tmp/err
    local program=$1
    [ -d "$BIN$1" ] || program=seq2seq_attention
    [ "$1" = swapped ] && program=transformer
    "$BIN$program/eval" "$tmp/$1" --interactive "${@:2}" 2>"$tmp/err"
}
for run in seq2seq_attention transformer bytes; do
    # The same text in every form: blanks at either end, CR LF, a byte order mark, further columns, no last newline.
    want=$(printf 'a3 b4\n' | translate "$run")
    [ -n "$want" ] || fail "$run: no translation"
    printf '\xef\xbb\xbfa3 b4\n a3 b4  \na3 b4\r\na3 b4\tc3 d4\tmore\na3 b4' | translate "$run" >"$tmp/got" || fail "$run"
    cmp "$tmp/got" <(yes "$want" | head -n 5) || fail "$run: the same text in five forms gives $(cat "$tmp/got"), not $want"
    # A file of pairs is translated as eval --pairs does it.
    head -n 5 "$tmp/pairs" | sed 's/^/  /; s/$/\r/' >"$tmp/few"
    program=$run
    [ "$run" = bytes ] && program=seq2seq_attention
    expect 0 "" "$BIN$program/eval" "$tmp/$run" --plot none --pairs "$tmp/few" --output "$tmp/output"
    translate "$run" <"$tmp/few" | cmp - "$tmp/output" || fail "$run: --interactive differs from --output"
    # Lines without a translation: one line of output each, and standard error says which line and why.
    printf 'a\0b\n\na\rb\na3 b4\n' | translate "$run" >"$tmp/got" || fail "$run: lines without a translation"
    cmp "$tmp/got" <(printf '\n\n\n%s\n' "$want") || fail "$run: $(cat -v "$tmp/got")"
    grep -q "line 1 has a 0 byte" "$tmp/err" || fail "$run: a 0 byte: $(cat "$tmp/err")"
    grep -q "line 3 has a carriage return" "$tmp/err" || fail "$run: a carriage return: $(cat "$tmp/err")"
    # A directory as standard input; a line that is longer than memory allows.
    translate "$run" <"$tmp" >"$tmp/got" && fail "$run: a directory as standard input is no error"
    grep -q "standard input: cannot be read: Is a directory" "$tmp/err" || fail "$run: $(cat "$tmp/err")"
    { head -c 3000000 /dev/zero | tr '\0' a; printf '\na3 b4\n'; } | translate "$run" >"$tmp/got" || fail "$run: a long line"
    [ "$(tail -n 1 "$tmp/got")" = "$want" ] || fail "$run: after a long line: $(tail -c 100 "$tmp/got")"
    grep -q "line 1 has more than 1048576 bytes" "$tmp/err" || fail "$run: a long line: $(head -c 300 "$tmp/err")"
    # One JSON object a line, whatever the input is.
    printf 'a3 b4\n\na\0\n\xe9\x1b"\\\nb1\t' | translate "$run" --json >"$tmp/got" || fail "$run --json"
    [ "$(wc -l <"$tmp/got")" -eq 5 ] || fail "$run --json: not one line for one line: $(cat "$tmp/got")"
    grep -qF "{\"source\":\"a3 b4\",\"output\":\"$want\",\"finished\":" "$tmp/got" || fail "$run --json: $(cat "$tmp/got")"
    sed -n 2p "$tmp/got" | grep -qF '{"source":"","output":null}' || fail "$run --json: $(cat "$tmp/got")"
    sed -n 3p "$tmp/got" | grep -qF '"output":null,"missing":"has a 0 byte' || fail "$run --json: $(cat "$tmp/got")"
    sed -n 4p "$tmp/got" | grep -qF '�\u001B\"' || fail "$run --json: $(cat "$tmp/got")"
    if command -v python3 >/dev/null; then
        while read -r line; do
            python3 -m json.tool <<<"$line" >"$tmp/tool" || fail "$run --json: $line is no JSON"
        done <"$tmp/got"
    fi
done

# Typed text that is not UTF-8 is said, except of bytes.
printf 'a3 \xe9\n' | translate seq2seq_attention >"$tmp/got"
grep -q "line 1 is not UTF-8" "$tmp/err" || fail "no note: $(cat "$tmp/err")"
printf 'a3 \xe9\n' | translate bytes >"$tmp/got"
grep -q "is not UTF-8" "$tmp/err" && fail "bytes: $(cat "$tmp/err")"

# With --swap the second column is the source; a line with one column is the source.
printf 'x\tc3 d4\nc3 d4\n' | translate swapped >"$tmp/got"
[ "$(sort -u "$tmp/got" | wc -l)" -eq 1 ] || fail "--swap: $(cat "$tmp/got")"

# An output that does not end is said to be cut off.
printf 'a3 b4\n' | translate bytes --json >"$tmp/got"
grep -q '"finished":false' "$tmp/got" || fail "a model of one update ends its output: $(cat "$tmp/got")"
grep -q "line 1 (cut off): the output does not end within 30 tokens" "$tmp/err" || fail "no (cut off): $(cat "$tmp/err")"

# A model of texts continues typed lines: a mark, CR LF and a 0 byte are treated as above; a directory is an error.
printf 'abc abd %.0s' {1..200} >"$tmp/text"
"$BIN"rnn/train --quiet --plot none --steps 20 --hidden 8 --text "$tmp/text" --out "$tmp/rnn" || fail "training"
more=("$BIN"rnn/eval "$tmp/rnn" --interactive --sample-len 5 --temperature 0)
want=$(printf 'abc\n' | "${more[@]}")
[ -n "$want" ] || fail "a text is not continued"
printf '\xef\xbb\xbfabc\r\na\0b\nabc' | "${more[@]}" >"$tmp/got" 2>"$tmp/err" || fail "typed texts"
cmp "$tmp/got" <(printf '%s\n\n%s\n' "$want" "$want") || fail "typed texts: $(cat -v "$tmp/got")"
grep -q "line 2 has a 0 byte" "$tmp/err" || fail "typed texts, a 0 byte: $(cat "$tmp/err")"
"${more[@]}" <"$tmp" >"$tmp/got" 2>"$tmp/err" && fail "typed texts: a directory is no error"
grep -q "Is a directory" "$tmp/err" || fail "typed texts: $(cat "$tmp/err")"

# Files of pairs that are not UTF-8: the place of the first fault, in training and evaluation, quiet or not.
for i in $(seq 60); do printf 'a%d\t\xe9%d\nb%d\t\xe8%d\n' "$i" "$i" "$i" "$i"; done >"$tmp/latin.tsv"
printf '\xc7\xd1\xb1\xb9\tkorea\nb\tc\n' >"$tmp/cp949.tsv"
note="is not UTF-8: 120 of its bytes are no character, the first in line 1, byte 4 (offset 3)"
small=(--steps 1 --hidden 8 --channels 8 --plot none --overwrite)
for quiet in "" --quiet; do
    # shellcheck disable=SC2086 # an option or none
    expect 0 "latin.tsv $note" "$BIN"seq2seq_attention/train --pairs "$tmp/latin.tsv" "${small[@]}" $quiet --out "$tmp/latin"
    # shellcheck disable=SC2086
    expect 0 "cp949.tsv is not UTF-8: 2 of its bytes" "$BIN"seq2seq_attention/train --pairs "$tmp/pairs" \
        --test "$tmp/cp949.tsv" "${small[@]}" $quiet --out "$tmp/cp949"
done
expect 0 "latin.tsv $note" "$BIN"seq2seq_attention/eval "$tmp/latin" --plot none --samples 0
expect 0 "cp949.tsv is not UTF-8: 2 of its bytes" "$BIN"seq2seq_attention/eval "$tmp/seq2seq_attention" \
    --pairs "$tmp/cp949.tsv" --plot none
expect 0 "" "$BIN"seq2seq_attention/train --pairs "$tmp/latin.tsv" --unit byte "${small[@]}" --out "$tmp/latin"
grep -q "not UTF-8" "$tmp/out" && fail "bytes: $(cat "$tmp/out")"

# Pairs that are too long for memory, further columns, lines of an old Macintosh, a 0 byte.
{ cat "$tmp/pairs"; printf 'a1 b1\t%s\tmore\n' "$(yes c1 | head -n 5000 | paste -sd ' ')"; } >"$tmp/long"
expect 0 "1 too long" "$BIN"seq2seq_attention/train --pairs "$tmp/long" "${small[@]}" --out "$tmp/long-run"
grep -q "^1 lines have more than two columns" "$tmp/out" || fail "columns: $(cat "$tmp/out")"
expect 1 "1 of its pairs have more than 4096 tokens" "$BIN"seq2seq_attention/train --pairs "$tmp/pairs" \
    --valid "$tmp/long" "${small[@]}" --out "$tmp/long-run"
expect 1 "1 of its pairs have more than 4096 tokens" "$BIN"seq2seq_attention/eval "$tmp/seq2seq_attention" --pairs "$tmp/long"
tr '\n' '\r' <"$tmp/pairs" >"$tmp/mac"
expect 1 "mac: line 1 has a carriage return in it" "$BIN"transformer/train --pairs "$tmp/mac" --out "$tmp/x"
for device in /dev/zero /dev/urandom; do
    expect 1 "$device: is a device, not a file" timeout 20 "$BIN"transformer/train --pairs $device --out "$tmp/x"
done
exit 0

#!/usr/bin/env bash
# Control characters of paths and texts reach neither a terminal nor a picture; a name with quotes gets its picture.
. "$(dirname "$0")/../shell.sh"

no_controls() { # FILE...: C0 except newline, DEL, C1
    LC_ALL=C grep -nP '[\x00-\x08\x0B-\x1F\x7F]|\xC2[\x80-\x9F]' "$@" && fail "a control character in the output"
}
name=$'a\033]0;x\007\xc2\x9b\n2J'
mkdir "$tmp/$name"
for i in $(seq 500); do echo "abc $((i % 7))"; done >"$tmp/$name/text"
small=(--steps 3 --hidden 8 --threads 1)
"$BIN"rnn/train "${small[@]}" --text "$tmp/$name/text" --plot svg --out "$tmp/$name/run" 2>"$tmp/said" || fail "train"
"$BIN"rnn/eval "$tmp/$name/run" --samples 0 --plot svg >"$tmp/report" 2>>"$tmp/said" || fail "eval"
"$BIN"rnn/train --text "$tmp/$name" --out "$tmp/$name/run" 2>>"$tmp/said" && fail "no error"
"$BIN"rnn/train "--$name" "$name" 2>>"$tmp/said" && fail "no error"
"$BIN"rnn/eval "$tmp/$name" 2>>"$tmp/said" && fail "no error"
"$BIN"lessons/01-tokens "$tmp/$name/text" --plot none --out "$tmp/$name/lesson" >>"$tmp/report" 2>>"$tmp/said" || fail "lesson"
grep -qF 'a\x1b]0;x\x07\xc2\x9b\n2J' "$tmp/said" "$tmp/report" || fail "the name is not shown"
no_controls "$tmp/said" "$tmp/report" "$tmp/$name/run/loss.gp"
command -v gnuplot >/dev/null || skip "gnuplot is missing"
no_controls "$tmp/$name/run/loss.svg"

# A name with quotes of every kind: the picture is drawn, and no command of it is run.
# shellcheck disable=SC2016 # the names themselves
for name in "it's" "it''s" '`touch pwned`' "'\`touch pwned\`'" '"`touch pwned`"' '$(touch pwned)' "\\'" '@x'; do
    mkdir -p "$tmp/dir $name"
    cp "$tmp"/a*/text "$tmp/dir $name/text"
    "$BIN"rnn/train "${small[@]}" --quiet --text "$tmp/dir $name/text" --out "$tmp/dir $name/run" 2>"$tmp/said" ||
        fail "$name: $(cat "$tmp/said")"
    [ -s "$tmp/dir $name/run/loss.png" ] || fail "no picture for $name: $(cat "$tmp/said")"
    [ -z "$(find "$tmp" . -maxdepth 3 -name 'pwned*')" ] || fail "gnuplot ran a command"
done
exit 0

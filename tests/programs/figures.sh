#!/usr/bin/env bash
# Figures: eval draws the numbers that training wrote, and never runs a gnuplot script that it finds: a run may
# come from somebody else, and a script can do anything.
. "$(dirname "$0")/../shell.sh"
command -v gnuplot >/dev/null || skip "gnuplot is not installed"

train() { # FOLDER NAME OPTIONS...
    "$BIN$1/train" --quiet --plot none --steps 3 --out "$tmp/$2" "${@:3}" || fail "training of $2"
}
figures="loss trace gates by_length by_source alignment positions heads-encoder heads-decoder heads-cross"
hostile() { # NAME: writes scripts that would create a file PWNED
    for figure in $figures; do
        printf 'system("touch PWNED")\n!touch PWNED\nplot x\n' >"$tmp/$1/$figure.gp"
    done
}
unharmed() { # NAME
    [ -e "$tmp/$1/PWNED" ] && fail "$1: eval ran a script that it found"
    return 0
}

small=(--channels 16 --heads 2 --ffn 16 --layers 1)
train lstm_gru lines --lines --hidden 16 --trace
train rnn parity --task parity --hidden 16
train seq2seq_attention sort --task sort --hidden 16 --channels 8
train transformer numbers --task numbers --positions learned "${small[@]}"
awk 'BEGIN { for (i = 0; i < 300; i++) print "red" i % 5, "blue" i % 7 "\tblau" i % 7, "rot" i % 5 "s" i % 9 }' \
    >"$tmp/colours.tsv"
train transformer colours --pairs "$tmp/colours.tsv" "${small[@]}"

folder_of() {
    case $1 in lines) echo lstm_gru ;; parity) echo rnn ;; sort) echo seq2seq_attention ;; *) echo transformer ;; esac
}
for name in lines parity sort numbers colours; do
    for plot in png dumb; do
        hostile $name
        expect 0 "" "$BIN$(folder_of $name)"/eval "$tmp/$name" --examples 8 --samples 0 --plot $plot
        unharmed $name
    done
done
# eval names the files that it drew, but not when it draws on the terminal.
expect 0 "drawn in $tmp/lines: loss.png trace.png gates.png" "$BIN"lstm_gru/eval "$tmp/lines" --samples 0
expect 0 "drawn in $tmp/sort: loss.svg" "$BIN"seq2seq_attention/eval "$tmp/sort" --examples 8 --plot svg
"$BIN"rnn/eval "$tmp/parity" --examples 8 --plot dumb 2>&1 | grep -q "drawn in" && fail "--plot dumb: eval names a file"
for picture in lines/loss lines/trace lines/gates parity/loss parity/by_length colours/by_source \
    sort/alignment numbers/heads-cross numbers/positions; do
    [ -s "$tmp/$picture.png" ] || fail "no $picture.png"
done

# If the numbers cannot be written, a script that lies there is not run either.
for name in parity sort numbers colours; do
    hostile $name
    for csv in by_length by_source alignment heads positions; do
        rm -f "$tmp/$name/$csv.csv" && mkdir "$tmp/$name/$csv.csv"
    done
    expect 0 "warning:" "$BIN$(folder_of $name)"/eval "$tmp/$name" --examples 8 --samples 0 --plot png
    unharmed $name
done

# The fields of a table are never run as commands, and a file that is not a table of gates is refused.
cat >"$tmp/lines/gates.csv" <<'CSV'
position,token,rank,unit,"in'.system('touch PWNED').'"
0,"'.system('touch PWNED').'",0,3,0.5
0,"'.system('touch PWNED').'",1,2,0.25
1,"`touch PWNED`",0,3,0.5
1,"`touch PWNED`",1,2,"`touch PWNED`"
CSV
rm "$tmp/lines/gates.png"
expect 0 "" "$BIN"lstm_gru/eval "$tmp/lines" --samples 0 --plot png
unharmed lines
[ -s "$tmp/lines/gates.png" ] || fail "no picture of quoted gates"
for bad in "" "position,token,rank,unit" "position,token,rank,unit,a,b,c,d" "position,token,rank,unit,input" \
    "$(printf 'position,token,rank,unit,input\n0,a')" "$(printf 'position,token,rank,unit,input\n0,"a')"; do
    printf '%s\n' "$bad" >"$tmp/lines/gates.csv"
    expect 0 "lines/gates.csv: not what --trace" "$BIN"lstm_gru/eval "$tmp/lines" --samples 0 --plot png
done
yes "a, it's \"b\"" | head -n 100 >"$tmp/quotes.txt"
train lstm_gru quotes --text "$tmp/quotes.txt" --hidden 16
expect 0 "" "$BIN"lstm_gru/eval "$tmp/quotes" --samples 0 --gates "a,\"' "
[ "$(grep -c '^2,"""",' "$tmp/quotes/gates.csv")" -eq 16 ] || fail "gates.csv: not one row for each unit at the quote"
grep -qF "('a' 0,',' 1,'\"' 2,\"\\047\" 3,'·' 4)" "$tmp/quotes/gates.gp" ||
    fail "gates.gp: $(grep xtics "$tmp/quotes/gates.gp")"

# eval draws the loss by the same script as train, and does not draw it if it scores another text.
"$BIN"lstm_gru/train --quiet --lines --steps 3 --hidden 16 --overwrite --out "$tmp/lines" || fail "training again"
cp "$tmp/lines/loss.gp" "$tmp/loss.gp"
rm "$tmp/lines/loss.png"
expect 0 "" "$BIN"lstm_gru/eval "$tmp/lines" --samples 0 --text README.md
[ -e "$tmp/lines/loss.png" ] && fail "loss.png compares the run's losses with levels of another text"
expect 0 "" "$BIN"lstm_gru/eval "$tmp/lines" --samples 0
cmp "$tmp/loss.gp" "$tmp/lines/loss.gp" || fail "eval's loss.gp is not train's"
[ -s "$tmp/lines/loss.png" ] || fail "no loss.png"

# --overwrite removes all files of the old run and keeps all other files.
rm -rf "$tmp/numbers"
train transformer numbers --task numbers --positions learned "${small[@]}"
expect 0 "" "$BIN"transformer/eval "$tmp/numbers" --examples 8 --samples 0 --plot svg
train lstm_gru gates --lines --hidden 16 --trace
expect 0 "" "$BIN"lstm_gru/eval "$tmp/gates" --samples 0 --gates Seoul
train rnn by-length --task parity --hidden 16
expect 0 "" "$BIN"rnn/eval "$tmp/by-length" --examples 8
for drawn in numbers/heads-cross.svg numbers/heads.csv numbers/alignment.csv numbers/by_source.svg gates/gates.csv \
    gates/trace.png by-length/by_length.csv; do
    [ -s "$tmp/$drawn" ] || fail "$drawn was not drawn: nothing to remove"
done
touch "$tmp/numbers/notes.txt" "$tmp/numbers/loss.csv" "$tmp/gates/notes.txt" "$tmp/by-length/notes.txt"
train transformer numbers --task numbers --positions none "${small[@]}" --overwrite
train lstm_gru gates --lines --hidden 16 --overwrite
train rnn by-length --task parity --hidden 16 --overwrite
for name in numbers gates by-length; do
    left=$(cd "$tmp/$name" && echo *)
    [ "${left/loss.csv /}" = "best.safetensors config.json log.csv model.safetensors notes.txt state.safetensors" ] ||
        fail "--overwrite left $left"
done
exit 0

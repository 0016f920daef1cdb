#!/usr/bin/env bash
# Each message's advice names options of the program that prints it, or says which program has them.
. "$(dirname "$0")/../shell.sh"

try() { # STATUS PROGRAM OPTIONS...: runs it, and looks up every option in the last line of its output in --help
    local program=$2 option
    expect "$1" "" "$BIN$program" "${@:3}"
    tail -1 "$tmp/out" >"$tmp/message"
    grep -q 'error: ' "$tmp/message" || fail "no error: $program ${*:3}"
    "$BIN$program" --help >"$tmp/help"
    grep -q ' train ' "$tmp/message" && "$BIN${program%/*}/train" --help >>"$tmp/help" # it says whose options they are
    sed 's/ (--[a-z-]* is an option of .*)//; s/.*error: //' "$tmp/message" |
        grep -oE -- "(^|[ (\"'])--[a-z][a-z0-9-]*" | grep -oE -- '--.*' | sort -u >"$tmp/options"
    if grep -qF "is an option of ./${program%/*}/train)" "$tmp/message"; then
        other=$(grep -oE -- '\(--[a-z-]* is' "$tmp/message" | grep -oE -- '--[a-z-]*')
        "$BIN${program%/*}/train" --help | grep -qE -- "^ +(-., )?$other\b" || fail "./${program%/*}/train has no $other"
        grep -vxF -- "$other" "$tmp/options" >"$tmp/own"
        mv "$tmp/own" "$tmp/options"
    fi
    while read -r option; do
        case $option in --help | --version) continue ;; esac
        name=${option#--}
        grep -qE -- "^ +(-., )?--(\[no-\]|no-)?${name#no-}( |$)" "$tmp/help" ||
            fail "$program has no $option: $(cat "$tmp/message")"
        seen=$((seen + 1))
    done <"$tmp/options"
}
seen=0
small=(--steps 2 --plot none --quiet --hidden 8)
printf 'ab\n' >"$tmp/short"
: >"$tmp/empty"
for i in $(seq 300); do echo "abc $((i % 7))"; done >"$tmp/text"
for i in $(seq 200); do printf 'k%d x\tu%d\n' "$i" "$i"; done >"$tmp/pairs"
for program in rnn lstm_gru transformer gpt; do
    size=("${small[@]}")
    case $program in transformer | gpt) size=(--steps 2 --plot none --quiet --layers 1 --channels 8 --heads 2) ;; esac
    run=(--out "$tmp/$program")
    data=(--text "$tmp/text")
    [ $program = transformer ] && data=(--task recall)
    "$BIN$program/train" "${size[@]}" "${data[@]}" "${run[@]}" || fail "$program"
    try 1 $program/train "${size[@]}" "${data[@]}" "${run[@]}"
    try 1 $program/train --resume --out "$tmp/none"
    try 1 $program/train --resume --seed 3 "${run[@]}"
    try 1 $program/train --resume --steps 1 "${run[@]}"
    try 2 $program/train --steps 3 --budget 3s --out "$tmp/new"
    try 2 $program/train "${size[@]}" "${data[@]}" --fresh x --out "$tmp/new"
    try 2 $program/train "${data[@]}" --batch 60000 --accumulate 30000 --out "$tmp/new"
    try 1 $program/train "${size[@]}" "${data[@]}" --init-from "$tmp/none" --out "$tmp/new"
    rm "$tmp/$program/best.safetensors"
    try 1 $program/eval "$tmp/$program" --best --plot none
    try 1 $program/eval "$tmp/none" --plot none
    [ $program = transformer ] && continue
    for file in short empty none; do
        try 1 $program/train "${size[@]}" --text "$tmp/$file" --out "$tmp/new"
        try 1 $program/eval "$tmp/$program" --text "$tmp/$file" --plot none --json
    done
    try 2 $program/eval "$tmp/$program" --json --no-score
done
for program in seq2seq_attention transformer; do
    size=("${small[@]}" --channels 8)
    [ $program = transformer ] && size=(--steps 2 --plot none --quiet --layers 1 --channels 8 --heads 2 --ffn 8)
    "$BIN$program/train" "${size[@]}" --pairs "$tmp/pairs" --out "$tmp/$program-pairs" || fail "$program"
    try 1 $program/train "${size[@]}" --pairs "$tmp/pairs" --max-words 1 --out "$tmp/new"
    try 1 $program/train "${size[@]}" --pairs "$tmp/short" --out "$tmp/new"
    try 1 $program/eval "$tmp/$program-pairs" --pairs "$tmp/short" --plot none
    try 1 $program/eval "$tmp/$program-pairs" --output "$tmp/$program-pairs/model.safetensors" --plot none
    rm "$tmp/$program-pairs/best.safetensors"
    mv "$tmp/pairs" "$tmp/away"
    try 1 $program/eval "$tmp/$program-pairs" --plot none
    try 1 $program/train --resume --out "$tmp/$program-pairs"
    mv "$tmp/away" "$tmp/pairs"
done
[ "$seen" -gt 50 ] || fail "only $seen options were looked up"

# What a program prints on standard output does not arrive: status 1 and a message, in every program.
programs=$(find common/programs lessons rnn lstm_gru seq2seq_attention transformer gpt -name '*.c' \
    -exec grep -l '^int main' {} + | sed 's/\.c$//')
[ "$(echo "$programs" | wc -l)" -gt 15 ] || fail "few programs: $programs"
for program in $programs; do
    expect 1 "standard output: cannot be written" bash -c "'$BIN$program' --help >/dev/full"
    expect 1 "standard output: cannot be written" bash -c "'$BIN$program' --version >/dev/full"
done
for program in rnn lstm_gru seq2seq_attention transformer gpt; do
    task=(--task reverse)
    case $program in rnn | lstm_gru | gpt) task=(--lines) ;; esac
    expect 1 "standard output: cannot be written" bash -c "'$BIN$program/train' --dry-run ${task[*]} >/dev/full"
done
for options in "" --json; do
    expect 1 "standard output: cannot be written" bash -c "'$BIN'rnn/eval '$tmp/rnn' --plot none $options >/dev/full"
done
expect 1 "standard output: cannot be written" \
    bash -c "echo 'k1 x' | '$BIN'seq2seq_attention/eval '$tmp/seq2seq_attention-pairs' --interactive >/dev/full"
exit 0

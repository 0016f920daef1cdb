#!/usr/bin/env bash
# common/programs/zoo with dummy programs: what it does if one of them fails or cannot be waited for.
. "$(dirname "$0")/../shell.sh"
zoo=$(realpath "$BIN"common/programs/zoo)

for folder in rnn lstm_gru seq2seq_attention transformer; do
    mkdir "$tmp/$folder"
    printf '#!/bin/sh\nexit 0\n' >"$tmp/$folder/train"
    printf '#!/bin/sh\necho "{\\"loss\\": 1, \\"value\\": 2, \\"exact\\": 0.5, \\"loss_perfect\\": 0.25}"\n' \
        >"$tmp/$folder/eval"
    chmod +x "$tmp/$folder/train" "$tmp/$folder/eval"
done
cd "$tmp" || exit 1
expect 0 "usage:" "$zoo" --help
expect 2 "" "$zoo" now
[ -e runs ] && fail "zoo: --help or a wrong call started a training"
expect 0 "Continue with" "$zoo"
script=runs/zoo/zoo.gp
[ "$(grep -c "^plot 'places-rnn/log.csv'" $script)" -eq 1 ] || fail "zoo.gp: there is no panel for the places"
[ "$(grep -c "^plot " $script)" -eq "$(grep -c "^set title" $script)" ] || fail "zoo.gp: a panel without a plot"
grep -q ", 0.25 with lines" $script || fail "zoo.gp: there is no line for the best possible loss"

# An eval whose JSON is longer than a pipe holds.
printf '#!/bin/sh\nprintf "%%70000s" ""\necho "{\\"loss\\": 1, \\"value\\": 7, \\"exact\\": 0.5}"\n' >transformer/eval
expect 0 "7.0000" "$zoo"

# A process that ignores SIGCHLD passes this on to its children: the kernel then drops the status of zoo's programs.
expect 1 "zoo: error: waitpid: No child processes" env --ignore-signal=CHLD "$zoo"
printf '#!/bin/sh\nexit 3\n' >transformer/train
expect 3 "zoo: stopped" "$zoo"
exit 0

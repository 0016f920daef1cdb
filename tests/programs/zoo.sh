#!/usr/bin/env bash
# common/programs/zoo with dummy programs: its tables, its figure and its sweep of the learning rates, and what it
# does if a program fails or cannot be waited for.
. "$(dirname "$0")/../shell.sh"
zoo=$(realpath "$BIN"common/programs/zoo)

# The dummy train writes a log.csv whose losses depend on the rate. The lowest of rnn is at 6e-3, or at 1e-2 with
# another seed than the first; that of lstm_gru is at 3e-2. In the sweep the rate 5e-2 diverges.
cat >"$tmp/train" <<'END'
#!/bin/sh
seed=1337
while [ $# -gt 0 ]; do
    case $1 in --lr) rate=$2 ;; --out) out=$2 ;; --seed) seed=$2 ;; esac
    shift
done
case $rate-$out in 5e-2-*sweep*) exit 3 ;; esac
mkdir -p "$out"
case $0-$seed in *lstm_gru*) best=3e-2 ;; *-1337) best=6e-3 ;; *) best=1e-2 ;; esac
awk -v rate="$rate" -v best="$best" 'BEGIN {
    print "step,tokens,seconds,train_loss,valid_loss,metric,lr,grad_norm,tokens_per_second"
    for (i = 1; i <= 20; i++) {
        print i * 5 - 1 ",1,1,9,,,1,1,1"
        print i * 5 ",1,1,9," 1 + 0.05 * log(rate / best) ^ 2 + 8 / i - 0.4 ",0.5,1,1,1"
    }
}' >"$out/log.csv"
END
for folder in rnn lstm_gru seq2seq_attention transformer; do
    mkdir "$tmp/$folder"
    cp "$tmp/train" "$tmp/$folder/train"
    printf '#!/bin/sh\necho "{\\"loss\\": 1, \\"value\\": 2, \\"exact\\": 0.5, \\"loss_perfect\\": 0.25}"\n' \
        >"$tmp/$folder/eval"
    chmod +x "$tmp/$folder/train" "$tmp/$folder/eval"
done
cd "$tmp" || exit 1
expect 0 "usage:" "$zoo" --help
expect 2 "" "$zoo" now
expect 2 "there is no such task" "$zoo" --sweep nothing
[ -e runs ] && fail "zoo: --help or a wrong call wrote something"
expect 0 "Continue with" "$zoo"
grep -qF -- "--sweep all" "$tmp/out" || fail "zoo: the output does not say where the rates come from"
grep -q "^prose *rate .*| *[1-9]e-[1-9] *[1-9]e-[1-9] *[1-9]e-[1-9]$" "$tmp/out" || fail "zoo: no rates of prose"
script=runs/zoo/zoo.gp
[ "$(grep -c "^plot 'places-rnn/log.csv'" $script)" -eq 1 ] || fail "zoo.gp: there is no panel for the places"
[ "$(grep -c "^plot '" $script)" -eq "$(grep -c "^set title '" $script)" ] || fail "zoo.gp: a panel without a plot"
[ "$(grep -c "^plot NaN" $script)" -eq 1 ] || fail "zoo.gp: there must be one legend"
grep -q ", 0.25 with lines" $script || fail "zoo.gp: there is no line for the best possible loss"

# The axis of a panel runs from the lowest loss to the highest after the first tenth of the run.
awk '/^set yrange \[[0-9]/ && !/:1]/ {
    split(substr($3, 2), end, /[]:]/)
    if (end[1] < 0.7 || end[1] > 1.05 || end[2] < 3.2 || end[2] > 4) bad = 1
    n++
} END { exit bad || n != 11 }' $script || fail "zoo.gp: axes do not follow the curves"
[ "$(grep -o "linecolor rgb '#d55e00'" $script | sort -u | wc -l)" -eq 1 ] || fail "zoo.gp: the lstm has no colour"

# The sweep: the range grows while the lowest loss is at its end, and close calls are decided by three seeds.
expect 0 "" "$zoo" --sweep prose
row() { # ARCHITECTURE PATTERN
    grep -E "^\| prose +\| $1 +\|$2" "$tmp/out" >/dev/null || { cat "$tmp/out"; fail "zoo --sweep: $1"; }
}
row rnn ".*\| 5e-3: 1\.0[0-9]*, 1e-2: 1\.0[0-9]* +\| 1e-2 +\|$"
row lstm "( +\|){3}.* inf \|.*\| 3e-2 +\|$"
[ -e runs/zoo/sweep/prose-lstm-3e-2-1337 ] || fail "zoo --sweep: the range of the lstm did not grow"
[ -e runs/zoo/sweep/prose-rnn-2e-2-1337 ] && fail "zoo --sweep: the range of the rnn grew"

# An eval whose JSON is longer than a pipe holds.
printf '#!/bin/sh\nprintf "%%70000s" ""\necho "{\\"loss\\": 1, \\"value\\": 7, \\"exact\\": 0.5}"\n' >transformer/eval
expect 0 "7.0000" "$zoo"

# A process that ignores SIGCHLD passes this on to its children: the kernel then drops the status of zoo's programs.
expect 1 "zoo: error: waitpid: No child processes" env --ignore-signal=CHLD "$zoo"
printf '#!/bin/sh\nexit 4\n' >transformer/train
expect 4 "zoo: stopped" "$zoo"
expect 4 "zoo: stopped" "$zoo" --sweep recall
exit 0

#!/usr/bin/env bash
# A run directory: links, closed streams, a log row that fails, a directory that is replaced, --overwrite that is killed
# at each system call, signals and limits while saving, a run without a checkpoint.
# Under nohup the programs ignore SIGHUP, as they should; here they must not.
[ -n "${HUP_IS_DEFAULT:-}" ] || HUP_IS_DEFAULT=1 exec env --default-signal=HUP bash "$0" "$@"
. "$(dirname "$0")/../shell.sh"

small=(--task parity --hidden 8 --channels 4 --batch 2 --seq-len 8 --plot none --quiet --threads 1)
train() {
    "$BIN"rnn/train "${small[@]}" "$@"
}
start() { # DIR OPTIONS...: trains in the background, as process $job, and returns after the first row
    "$BIN"rnn/train "${small[@]}" "${@:2}" --out "$1" 2>"$tmp/said" &
    job=$!
    until [ "$(wc -l 2>/dev/null <"$1/log.csv" || echo 0)" -ge 2 ]; do sleep 0.02; done
}
no_temporaries() { # DIR
    [ -z "$(find "$1" -name '*.tmp.*' -o -name '.run.*')" ] || fail "left behind: $(ls -A "$1")"
}

# Files of a run that are links: what they lead to stays as it is, and the run gets files of its own.
mkdir "$tmp/linked" "$tmp/other"
for file in config.json model.safetensors best.safetensors state.safetensors log.csv loss.gp .files; do
    echo "mine: $file" >"$tmp/other/$file"
done
cksum "$tmp"/other/* "$tmp/other/.files" >"$tmp/before"
train --steps 3 --out "$tmp/linked"
ln -sf ../other/log.csv "$tmp/linked/log.csv"
expect 1 "log.csv: its first line is not that of a log" train --resume --steps 5 --out "$tmp/linked"
for file in config.json model.safetensors best.safetensors .files; do
    ln -sf "../other/$file" "$tmp/linked/$file"
done
expect 1 "holds a run already" train --out "$tmp/linked"
expect 0 "" train --steps 3 --trace --overwrite --out "$tmp/linked"
cksum "$tmp"/other/* "$tmp/other/.files" | cmp - "$tmp/before" || fail "a file outside the run directory was written"
[ -z "$(find "$tmp/linked" -type l)" ] || fail "a link is a file of the run"
for file in config.json model.safetensors best.safetensors state.safetensors; do
    ln -f "$tmp/linked/$file" "$tmp/other/hard-$file" # another name of the file that the run writes next
done
ln -f "$tmp/linked/log.csv" "$tmp/other/hard-log.csv"
cksum "$tmp"/other/* >"$tmp/before"
expect 0 "" train --resume --steps 5 --out "$tmp/linked"
cksum "$tmp"/other/* | cmp - "$tmp/before" || fail "a file with two names was written in place"
rm "$tmp/linked/.lock"
ln -s ../other/lock "$tmp/linked/.lock"
expect 1 ".lock: is a link" train --resume --steps 6 --out "$tmp/linked"
[ -e "$tmp/other/lock" ] && fail "the lock was made through a link"

# Streams that are closed at the start: log.csv holds rows only, and what could not be printed is said by the status.
"$BIN"rnn/train "${small[@]}" --no-quiet --steps 40 --out "$tmp/closed" 0<&- 1>&- 2>&- || fail "closed streams"
[ "$(grep -vc '^[0-9s][0-9a-z_,.+-]*$' "$tmp/closed/log.csv")" -eq 0 ] || fail "a progress line is in the log"
"$BIN"rnn/eval "$tmp/closed" --plot none >&- 2>"$tmp/said" && fail "eval without standard output succeeded"
grep -q "standard output" "$tmp/said" || fail "eval does not say that it cannot print"

# The first trainer notices that another run is in its place, and touches nothing of it.
start "$tmp/place" --steps 1000000 --save-every 600000
mv "$tmp/place" "$tmp/away"
train --steps 30 --out "$tmp/place"
cksum "$tmp"/place/* >"$tmp/before"
kill -INT $job 2>/dev/null
wait $job
[ $? -eq 1 ] || fail "a replaced directory: not status 1"
grep -q "place: was moved, replaced or removed" "$tmp/said" || fail "a replaced directory: $(cat "$tmp/said")"
cksum "$tmp"/place/* | cmp - "$tmp/before" || fail "the run in the place of another was changed"

# A run that was stopped before its first checkpoint: --resume says so and starts it again, with the same bits.
train --steps 20 --out "$tmp/whole"
train --steps 20 --save-every 20 --out "$tmp/begun"
rm "$tmp/begun/model.safetensors" "$tmp/begun/state.safetensors"
expect 0 "there is nothing to continue; it starts again from the beginning" \
    "$BIN"rnn/train --plot none --resume --out "$tmp/begun"
cmp "$tmp/whole/model.safetensors" "$tmp/begun/model.safetensors" || fail "a restarted run: the model differs"
[ "$(log_of "$tmp/whole")" = "$(log_of "$tmp/begun")" ] || fail "a restarted run: the log differs"
rm "$tmp/begun/state.safetensors"
expect 1 "state.safetensors: no such file, so the run cannot be continued" train --resume --out "$tmp/begun"

# A run that replaces the one that eval is reading: its model is not evaluated with the options of the old one.
head -c 4000 README.md >"$tmp/text"
mkfifo "$tmp/pipe"
text=(--text "$tmp/text" --hidden 8 --plot none --quiet --threads 1 --steps 2)
"$BIN"rnn/train "${text[@]}" --out "$tmp/read" || fail "training on a text"
"$BIN"rnn/eval "$tmp/read" --text "$tmp/pipe" --json --plot none >"$tmp/out" 2>"$tmp/said" &
job=$!
exec 9>"$tmp/pipe" # returns when eval has read config.json and opens its text
"$BIN"rnn/train "${text[@]}" --seed 2 --overwrite --out "$tmp/read" || fail "--overwrite while eval reads"
cat "$tmp/text" >&9
exec 9>&-
wait $job
[ $? -eq 1 ] || fail "eval mixed two runs: $(cat "$tmp/out")"
grep -q "while the run was read" "$tmp/said" || fail "eval of a run that is replaced: $(cat "$tmp/said")"

# --steps below the updates that are done is refused, and config.json keeps its goal.
expect 1 "--steps 5: the run in $tmp/whole has made 20 updates already" train --resume --steps 5 --out "$tmp/whole"
grep -q '"steps": 20' "$tmp/whole/config.json" || fail "a refused --steps changed the goal"

# A limit on the size of files ends the run with a message, a hang-up saves; nothing is left behind.
expect 1 "raise the limit on file sizes" bash -c "ulimit -f 1; '$BIN'rnn/train --task parity --steps 50 \
    --save-every 5 --plot none --quiet --threads 1 --out '$tmp/limit'"
no_temporaries "$tmp/limit"
start "$tmp/hup" --steps 1000000
kill -HUP $job
wait $job
[ $? -eq 129 ] || fail "SIGHUP: not status 129"
[ -s "$tmp/hup/model.safetensors" ] || fail "SIGHUP: nothing was saved"
no_temporaries "$tmp/hup"
trap '' HUP
start "$tmp/nohup" --steps 3000
trap - HUP
kill -HUP $job
wait $job || fail "a hang-up that nohup ignores ended the run"

# Time in which the run is stopped (Ctrl-Z) does not count.
start "$tmp/slept" --steps 1000000
since=$(date +%s%N)
kill -STOP $job
sleep 1.5
kill -CONT $job
sleep 0.2
kill -INT $job
wait $job
spent=$(($(date +%s%N) - since))
tail -1 "$tmp/slept/log.csv" | awk -F, -v spent=$spent '{ exit !($3 < 1e-9 * spent - 1) }' ||
    fail "the time in which the run was stopped counts: $(tail -1 "$tmp/slept/log.csv")"

command -v strace >/dev/null || skip "strace is missing: nothing was killed at a system call"
strace -f -o "$tmp/trace" true 2>/dev/null || skip "strace cannot trace here"
export ASAN_OPTIONS=detect_leaks=0 # LeakSanitizer does not work under strace
traced() { # CALLS INJECTION TRAIN-OPTIONS...: writes $tmp/trace
    { # without the shell's own lines about what was killed
        strace -f -qq -o "$tmp/trace" -e trace="$1" ${2:+-e inject="$2"} \
            "$BIN"rnn/train "${small[@]}" "${@:3}" 2>"$tmp/err"
    } 2>/dev/null
}

# After a row that could not be written nothing is saved: the log of the resumed run has every row.
traced write "" --steps 6 --save-every 2 --eval-every 2 --out "$tmp/rows"
row=$(grep ' write(' "$tmp/trace" | grep -n '"4,' | cut -d: -f1)
[ "$row" ] || fail "no write of row 4 in the trace"
rm -rf "$tmp/rows"
traced write "write:error=ENOSPC:when=$row" --steps 6 --save-every 2 --eval-every 2 --out "$tmp/rows"
[ $? -eq 1 ] || fail "a row that could not be written: not status 1"
grep -q "log.csv: No space left" "$tmp/err" || fail "a row that could not be written: $(cat "$tmp/err")"
expect 0 "" train --resume --out "$tmp/rows"
[ "$(cut -d, -f1 "$tmp/rows/log.csv" | tr '\n' ' ')" = "step 1 2 3 4 5 6 " ] || fail "the log has a hole"

# EINTR at each of these calls changes nothing.
for call in write fsync openat flock; do
    rm -rf "$tmp/eintr"
    strace -f -qq -o /dev/null -e trace=$call -e inject=$call:error=EINTR:when=3+7 \
        "$BIN"rnn/train "${small[@]}" --steps 20 --out "$tmp/eintr" 2>"$tmp/err" || fail "EINTR in $call: $(cat "$tmp/err")"
    cmp "$tmp/whole/model.safetensors" "$tmp/eintr/model.safetensors" || fail "EINTR in $call: the model differs"
done

# --overwrite killed at a system call: the old run or the new one is whole, then and after the next program. config.json
# says which one it is.
run_is() { # DIR: prints old or new if all its files are of that run
    local which=new file
    grep -q '"seed": 2,' "$1/config.json" || which=old
    for file in model best; do
        cmp -s "$tmp/$which/$file.safetensors" "$1/$file.safetensors" || return 1
    done
    # The state has the seconds in it, which differ: a copy of the new run must continue as the new run does.
    if [ $which = old ]; then
        cmp -s "$tmp/old/state.safetensors" "$1/state.safetensors" || return 1
    elif [ ! -e "$1/.run.ready" ]; then
        rm -rf "$tmp/copy" && cp -r "$1" "$tmp/copy" && train --resume --steps 6 --out "$tmp/copy"
        cmp -s "$tmp/new-6/model.safetensors" "$tmp/copy/model.safetensors" || return 1
    fi
    [ "$(log_of "$1")" = "$(log_of "$tmp/$which")" ] || return 1
    [ "$(cat "$1/notes.txt")" = mine ] || return 1
    echo $which
}
train --steps 4 --seed 1 --trace --out "$tmp/old"
echo mine >"$tmp/old/notes.txt"
cp -r "$tmp/old" "$tmp/killed"
calls=rename,renameat,renameat2,unlink,unlinkat,mkdirat
traced $calls "" --steps 3 --seed 2 --save-every 3 --overwrite --out "$tmp/killed" || fail "--overwrite: $(cat "$tmp/err")"
cp -r "$tmp/killed" "$tmp/new"
cp -r "$tmp/new" "$tmp/new-6"
train --resume --steps 6 --out "$tmp/new-6"
[ -e "$tmp/new/trace.csv" ] && fail "--overwrite left a figure of the old run"
cp "$tmp/trace" "$tmp/calls"
total=$(wc -l <"$tmp/calls")
[ "$total" -gt 15 ] || fail "only $total system calls"
seen=""
for ((k = 1; k <= total; k++)); do
    call=$(sed -n "${k}s/^[0-9]* *\([a-z0-9]*\)(.*/\1/p" "$tmp/calls")
    when=$(head -$k "$tmp/calls" | grep -c "^[0-9]* *$call(")
    rm -rf "$tmp/killed"
    cp -r "$tmp/old" "$tmp/killed"
    traced $calls "$call:signal=KILL:when=$when" --steps 3 --seed 2 --save-every 3 --overwrite --out "$tmp/killed" &&
        fail "not killed at $call $when"
    if [ -e "$tmp/killed/.run.ready" ] || [ -e "$tmp/killed/.run.moving" ]; then
        expect 0 '"seed":2' "$BIN"rnn/eval "$tmp/killed" --json --plot none --examples 4
        seen+=" finished"
    fi
    which=$(run_is "$tmp/killed") || fail "killed at $call $when: the run is not whole: $(ls -A "$tmp/killed")"
    seen+=" $which"
done
for which in old new finished; do
    [[ $seen == *" $which"* ]] || fail "no kill left the directory in the state \"$which\": nothing was tested"
done
expect 0 "" train --resume --steps 6 --out "$tmp/killed"
no_temporaries "$tmp/killed"
exit 0

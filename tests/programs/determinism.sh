#!/usr/bin/env bash
# The same seed gives the same bits: on every run and for 1, 2 and 3 threads.
. "$(dirname "$0")/../shell.sh"

train() { # DIR OPTIONS...
    local dir=$1
    shift
    "$BIN"rnn/train --quiet --plot none --steps 24 --batch 48 --out "$tmp/$dir" "$@" || fail "$dir"
}

for what in "--lines" "--stream" "--task adding" "--task agreement --dropout 0.2 --layers 2"; do
    # shellcheck disable=SC2086 # options, split on purpose
    for threads in 1 2 3; do train $threads --overwrite --threads $threads $what; done
    # shellcheck disable=SC2086
    OMP_DYNAMIC=true train again --overwrite --threads 2 $what
    for other in 2 3 again; do
        cmp "$tmp/1/model.safetensors" "$tmp/$other/model.safetensors" || fail "$what: model of $other"
        [ "$(log_of "$tmp/1")" = "$(log_of "$tmp/$other")" ] || fail "$what: log of $other"
    done
done

train seed --seed 2 --lines
cmp -s "$tmp/1/model.safetensors" "$tmp/seed/model.safetensors" && fail "another seed, same model"
exit 0

#!/bin/bash
# Measures the same training steps here and in PyTorch, in turns, on one and on two threads.
#
#   tests/bench/peer.sh BENCH          BENCH: the built tests/bench/bench
#
# $PYTHON is the Python to use (default python3); it must be able to import torch. The speed of a run is that of its
# median update. $SECONDS_A_RUN is the length of a run (default 1).
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: peer.sh BENCH" >&2; exit 2; }
bench=$1
peer=$(dirname "$0")/peer_torch.py
python=${PYTHON:-python3}
seconds=${SECONDS_A_RUN:-1}

torch=$("$python" -c 'import torch; print(torch.__version__)' 2>/dev/null) || {
    echo "PyTorch: $python cannot import torch; for a comparison set PYTHON to a Python that can."
    exit 0
}

# speed COMMAND...: prints the tokens/s from the command's line of JSON
speed() {
    "$@" | sed -n 's/.*"tokens_per_second_median": *\([0-9]*\).*/\1/p'
}

# Reads lines "ours theirs" and prints the medians, the median ratio and its range.
summary() {
    "$python" -c '
import statistics, sys
ours, theirs = zip(*([float(x) for x in line.split()] for line in sys.stdin))
ratios = [a / b for a, b in zip(ours, theirs)]
median = statistics.median
print(f"{median(ours):10.0f} {median(theirs):10.0f} {median(ratios):7.2f}   ({min(ratios):.2f} .. {max(ratios):.2f})")'
}

counts="1"
[ "$(nproc)" -lt 2 ] || counts="1 2"
printf '\nBeside PyTorch %s, three runs each in turns; median update.\n\n' "$torch"
printf '  %-8s %-5s %7s %10s %10s %7s\n' model size threads tokens/s PyTorch ratio
"$python" "$peer" --list | while read -r model size; do
    for threads in $counts; do
        run=(--model "$model" --size "$size" --threads "$threads" --seconds "$seconds")
        printf '  %-8s %-5s %7d ' "$model" "$size" "$threads"
        for _ in 1 2 3; do
            ours=$(speed "$bench" "${run[@]}" --json)
            theirs=$(speed "$python" -W ignore "$peer" "${run[@]}")
            echo "$ours $theirs"
        done </dev/null | summary
    done
done

#!/bin/bash
# Measures byte-level BPE here, in tiktoken and in Hugging Face's tokenizers, in turns, on one thread each: learning
# 10,000 tokens, and encoding with GPT-2's tokenizer.
#
#   tests/bench/tokens.sh BENCH TEXT DIRECTORY [MEGABYTES]     BENCH: the built tests/bench/tokens
#
# DIRECTORY has encoder.json and vocab.bpe. $PYTHON is the Python that has the two libraries (default python3).
# MEGABYTES: the text is repeated to this size (default 100).
set -euo pipefail

[ $# -ge 3 ] || { echo "usage: tokens.sh BENCH TEXT DIRECTORY [MEGABYTES]" >&2; exit 2; }
bench=$1 text=$2 directory=$3 megabytes=${4:-100}
peer=$(dirname "$0")/tokens_peer.py
python=${PYTHON:-python3}
export OMP_NUM_THREADS=1

number() { # KEY: prints the number of a key in a line of JSON
    sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p"
}

printf '%-12s %14s %14s %12s\n' '' 'learn 10,000 s' 'encode MB/s' ids
for _ in 1 2 3; do
    ours=$("$bench" "$text" "$directory" "$megabytes" 10000)
    printf '%-12s %14s %14s %12s\n' here "$(number learn_seconds_median <<<"$ours")" \
        "$(number encode_mb_per_second_median <<<"$ours")" "$(number ids <<<"$ours")"
    for library in tiktoken tokenizers; do
        learned=-
        "$python" -c "import $library" 2>/dev/null || { echo "$library: $python cannot import it; set PYTHON"; continue; }
        [ $library = tiktoken ] || learned=$("$python" "$peer" learn "$text" 10000 | number learn_seconds)
        theirs=$("$python" "$peer" $library "$text" "$directory" "$megabytes")
        printf '%-12s %14.5s %14.5s %12s\n' $library "$learned" "$(number mb_per_second <<<"$theirs")" \
            "$(number ids <<<"$theirs")"
    done
done

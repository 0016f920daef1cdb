#!/usr/bin/env bash
# Format, static analysis, shell scripts, the floors of common/, and the links of the READMEs.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
note() { echo "lint: $*" >&2; bad=1; }

mapfile -t sources < <(git ls-files '*.c' '*.h')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)

# clang-format-14 formats; other versions break lines elsewhere.
format=$(command -v clang-format-14 || command -v clang-format)
"$format" --dry-run -Werror "${sources[@]}" || note "run make format"

# Suppressed: a sum of exponentials that holds exp(0) taken for 0; a CHECK taken to be passed over.
cppcheck --quiet --error-exitcode=1 --std=c11 --language=c --enable=warning,portability \
    --library=tests/cppcheck.cfg --suppress=missingIncludeSystem --suppress=invalidFunctionArg:common/ops_loss.c \
    --suppress=zerodivcond:common/ops_shape.c --inline-suppr -Icommon -j 2 "${sources[@]}" || note "cppcheck"

shellcheck "${scripts[@]}" || note "shellcheck"

# A file includes only its own header and lower floors. Listed from the lowest up.
floors="
base real rng
arena args file utf8
tensor blas parallel vecmath
tape
ops
params nn cell optim
safetensors checkpoint vocab pieces lexicon sample plot ngram agreement metrics decode carried translator label heads alignment
task tasks text pairs
model generate trace foreign
data runlog
trainer evaluator translate
"
floor_of() { # ops_matmul is on the floor of ops, tasks_dyck on that of tasks
    awk -v name="$1" '{ for (i = 1; i <= NF; i++) if (name == $i || index(name, $i "_") == 1) f = NR }
                      END { print f ? f : 0 }' <<<"$floors"
}
for file in common/*.[ch]; do
    own=$(basename "$file" | sed 's/\.[ch]$//')
    [ "$own" = zoo ] && continue
    mine=$(floor_of "$own")
    [ "$mine" -gt 0 ] || note "$file stands on no floor (tests/lint.sh)"
    for header in $(sed -n 's/^#include "\(.*\)\.h"$/\1/p' "$file"); do
        [ "$header" = "$own" ] && continue
        [ "$(floor_of "$header")" -le "$mine" ] || note "$file includes $header.h from a higher floor"
    done
done
# Model folders stand alone on common/.
for dir in rnn lstm_gru seq2seq_attention transformer bert gpt; do
    for header in $(cat "$dir"/*.[ch] 2>/dev/null | sed -n 's/^#include "\(.*\)"$/\1/p' | sort -u); do
        [ -f "common/$header" ] || [ -f "$dir/$header" ] || note "$dir includes $header"
    done
done
grep -lE '#include <(omp|dnnl|cblas)' common/*.c rnn/*.c lstm_gru/*.c seq2seq_attention/*.c transformer/*.c | grep -vE 'common/(parallel|blas)\.c' &&
    note "only parallel.c names OpenMP's runtime, only blas.c the BLAS"

# Links and pictures of the READMEs lead somewhere (of the lessons: tests/lessons.sh).
for page in $(git ls-files '*README.md'); do
    for target in $(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//; s/#.*//' | grep -vE '^([a-z]+:|$)'); do
        [ -e "$(dirname "$page")/$target" ] || note "$page: a link to $target, which is not there"
    done
done

# The project speaks of itself alone, and no calls that cannot be used safely.
grep -nE '(^|[ ;=!&|])(gets|strcpy|sprintf|atoi|atof|strtok)\(' "${sources[@]}" && note "unsafe call"
exit $bad

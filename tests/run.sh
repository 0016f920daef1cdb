#!/usr/bin/env bash
# Runs suites (names of programs in $OUT/tests), other test programs (paths) and shell tests (*.sh), and prints how
# many passed. As many run at a time as there are cores (or $JOBS); tests that measure time run alone.
# $BIN: the folder of the programs under test. $FULL: not empty if the programs of tests/full run all their cases.
set -u
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readonly alone=" signals "
jobs=${JOBS:-$(nproc)}
export OMP_DYNAMIC=false # keeps all threads at work on a busy machine: see common/math/parallel.c

name_of() { # TEST
    case $1 in
    *.sh) basename "$1" .sh ;;
    */full/*) echo "full-$(basename "$1")" ;;
    */*) basename "$1" ;;
    *) echo "${1#test_}" ;;
    esac
}

# Runs one test, prints its line at once, and leaves its exit status in $work/NAME.
one() { # TEST
    local name log status=0 start
    name=$(name_of "$1") log=$work/$(name_of "$1").log start=$(date +%s.%N)
    case $1 in
    *.sh) BIN=$BIN bash "$1" ;;
    */full/*) BIN=$BIN "$1" ${FULL:+--full} ;;
    */*) "$1" ;;
    *) "$OUT/tests/$1" ;;
    esac >"$log" 2>&1 || status=$?
    echo $status >"$work/$name"
    {
        case $status in
        0)
            printf 'ok    %-28s %6s s\n' "$name" \
                "$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')"
            grep '^skipped: ' "$log" | sort -u | sed 's/^/      /'
            [[ $1 != */full/* ]] || tail -n 1 "$log" | sed 's/^/      /' # the counts
            ;;
        77) printf 'skip  %-28s %s\n' "$name" "$(tail -n 1 "$log")" ;;
        *) printf 'FAIL  %-28s (status %d)\n' "$name" "$status" && sed 's/^/      /' "$log" ;;
        esac
    } >"$log.line"
    cat "$log.line"
}

# Two programs that both use all cores are slower side by side than one after the other, so each gets a share.
share=$(($(nproc) / jobs))
export OMP_NUM_THREADS=$((share > 0 ? share : 1))
running=0
for test in "$@"; do
    [[ $alone != *" $(name_of "$test") "* ]] || continue
    if [ $running -eq "$jobs" ]; then
        wait -n
        running=$((running - 1))
    fi
    one "$test" &
    running=$((running + 1))
done
wait
unset OMP_NUM_THREADS
for test in "$@"; do
    [[ $alone != *" $(name_of "$test") "* ]] || one "$test"
done

passed=0 failed=0 skipped=0 list=""
for test in "$@"; do
    name=$(name_of "$test")
    case $(cat "$work/$name" 2>/dev/null) in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)) list="$list $name" ;;
    esac
done
[ -z "$list" ] || echo "failed:$list"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]

#!/usr/bin/env bash
# Runs suites (names, from $OUT/tests), other test programs (paths) and shell tests (*.sh), and says
# how many passed. $BIN: where the zoo's own programs stand.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0 skipped=0 list=""
log=$(mktemp)
trap 'rm -f "$log"' EXIT

one() { # NAME COMMAND...
    local name=$1 start status=0
    shift
    start=$(date +%s.%N)
    "$@" >"$log" 2>&1 || status=$?
    local seconds
    seconds=$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')
    case $status in
    0) passed=$((passed + 1)) && printf 'ok    %-28s %6s s\n' "$name" "$seconds" ;;
    77) skipped=$((skipped + 1)) && printf 'skip  %-28s %s\n' "$name" "$(tail -n 1 "$log")" ;;
    *)
        failed=$((failed + 1)) list="$list $name"
        printf 'FAIL  %-28s (status %d)\n' "$name" "$status"
        sed 's/^/      /' "$log"
        ;;
    esac
    [ $status -eq 0 ] && grep '^skipped: ' "$log" | sort -u | sed 's/^/      /'
}

for test in "$@"; do
    case $test in
    *.sh) one "$(basename "$test" .sh)" env BIN="$BIN" bash "$test" ;;
    */*) one "$(basename "$test")" "$test" ;;
    *) one "${test#test_}" "$OUT/tests/$test" ;;
    esac
done

[ -z "$list" ] || echo "failed:$list"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]

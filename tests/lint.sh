#!/usr/bin/env bash
# Checks the format, static analysis, shell scripts, the rooms of common/, the length of files, and the links of the READMEs.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
note() { echo "lint: $*" >&2; bad=1; }

mapfile -t sources < <(git ls-files '*.c' '*.h')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)

# Version 14 defines the format: other versions break lines differently.
format=$(command -v clang-format-14 || command -v clang-format)
"$format" --dry-run -Werror "${sources[@]}" || note "run make format"

# Suppressed, both false: a sum of exponentials that contains exp(0) could be 0; the code goes on after a failed CHECK.
cppcheck --quiet --error-exitcode=1 --std=c11 --language=c --enable=warning,portability \
    --library=tests/cppcheck.cfg --suppress=missingIncludeSystem --suppress=invalidFunctionArg:common/ops/ops_loss.c \
    --suppress=zerodivcond:common/ops/ops_shape.c --inline-suppr -I. -Icommon -j 2 "${sources[@]}" || note "cppcheck"

shellcheck "${scripts[@]}" || note "shellcheck"

# The rooms of common/, lowest first: a file includes headers of its own room and of lower ones.
rooms="base system math autograd ops nn tokens tasks data decoding formats measure figures models programs"
height_of() { # ROOM: prints its place in the list, 1 for the lowest; 0 if there is no such room
    awk -v room="$1" '{ for (i = 1; i <= NF; i++) if ($i == room) h = i } END { print h + 0 }' <<<"$rooms"
}
for file in common/*.[ch]; do
    [ ! -e "$file" ] || note "$file is in no room; move it into one of the folders of common/"
done
for file in common/*/*.[ch]; do
    room=$(basename "$(dirname "$file")")
    height=$(height_of "$room")
    [ "$height" -gt 0 ] || note "$file: there is no room $room (tests/lint.sh lists the rooms)"
    for header in $(sed -n 's/^#include "\(.*\)"$/\1/p' "$file"); do
        [ -f "common/$header" ] || note "$file includes $header; write it as ROOM/FILE.h"
        below=$(height_of "${header%%/*}")
        { [ "$below" -gt 0 ] && [ "$below" -le "$height" ]; } || note "$file includes $header from a higher room"
    done
done
# A model folder includes only its own headers and those of common/.
models="rnn lstm_gru seq2seq_attention transformer bert gpt"
for dir in $models; do
    for header in $(cat "$dir"/*.[ch] 2>/dev/null | sed -n 's/^#include "\(.*\)"$/\1/p' | sort -u); do
        [ -f "common/$header" ] || [ "${header%%/*}" = "$dir" ] || note "$dir includes $header"
    done
done
# shellcheck disable=SC2086 # a list of folders
grep -rlE '#include <(omp|dnnl|cblas)' --include='*.[ch]' common $models 2>/dev/null | grep -vE 'common/math/(parallel|blas)\.c' &&
    note "only math/parallel.c may include OpenMP's runtime, only math/blas.c the BLAS"

# shellcheck disable=SC2086 # a list of folders
grep -rnE 'fprintf\(stderr|perror\(|vfprintf\(stderr' --include='*.[ch]' common $models lessons 2>/dev/null | grep -v '^common/base/' &&
    note "print messages with say (base/say.h), which escapes what they quote"

# common/README.md: its picture names all rooms and model folders, the row of each room names all its files, every
# `ROOM/FILE` exists, and the file of each `ROOM/FILE`: `NAME` contains the name.
page=common/README.md
for room in $rooms; do
    grep -q ">$room<" common/house.svg || note "common/house.svg: there is no room $room"
    row=$(grep -F "| [$room]($room) |" $page) || note "$page: no row for the room $room"
    for file in common/"$room"/*.[ch]; do
        stem=$(basename "${file%.*}")
        grep -qF "\`$stem\`" <<<"$row" || note "$page: the row of $room does not name $stem"
    done
    # shellcheck disable=SC2016 # backquotes, not a command
    for stem in $(sed 's/.* | \(`.*\) |$/\1/; s/`//g' <<<"$row"); do
        compgen -G "common/$room/$stem.[ch]" >/dev/null || note "$page: there is no file common/$room/$stem"
    done
done
for dir in $models; do
    [ ! -d "$dir" ] || grep -q ">$dir<" common/house.svg || note "common/house.svg: there is no folder $dir"
done
# shellcheck disable=SC2016 # backquotes, not a command
while IFS=' ' read -r path name; do
    file=common/$path
    [ -e "$file" ] || file=$path
    [ -e "$file" ] || { note "$page: there is no $path"; continue; }
    [ -z "$name" ] || grep -qw -- "$name" "$file" || note "$page: $path has no $name"
done < <(grep -oE '`[a-z_]+/[a-z_./]*`(: `[A-Za-z_]+`)?' $page | tr -d '`' | sed 's/: / /' | sort -u)

# A reader takes in a file of 350 lines.
for file in common/*/*.[ch] tests/*.[ch] tests/*/*.[ch] tests/*.sh tests/*/*.sh; do
    [ "$(wc -l <"$file")" -le 350 ] || note "$file has more than 350 lines; split it by topic"
done

# No built program is part of the tree.
for file in $(git ls-files | grep -v '\.'); do
    [ "$(head -c 4 "$file" | tail -c 3)" != ELF ] || note "$file is a built program: git rm --cached it"
done

# Links and pictures of the READMEs lead to a file (tests/lessons.sh checks those of the lessons).
for page in $(git ls-files '*README.md'); do
    for target in $(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//; s/#.*//' | grep -vE '^([a-z]+:|$)'); do
        [ -e "$(dirname "$page")/$target" ] || note "$page: the link to $target leads nowhere"
    done
done

# Library calls that cannot be used safely.
grep -nE '(^|[ ;=!&|])(gets|strcpy|sprintf|atoi|atof|strtok)\(' "${sources[@]}" && note "unsafe call"
exit $bad

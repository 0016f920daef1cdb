#!/usr/bin/env bash
# Checks that every lesson is true. It runs the `sh run` blocks of each page and compares their numbers with the
# ranges below them. It checks that quoted code is in the sources, that equations and the code that computes
# them name each other, that links lead to a file, that the page's own commands draw its figures, and that all
# pages have the same headings in the same order.
#
#   bash tests/lessons.sh            all pages of lessons/ (or of $LESSONS_DIR)
#   bash tests/lessons.sh 01 03      only these pages
#   READ_ONLY=1 bash tests/lessons.sh    runs no commands: seconds instead of minutes
#   FIGURES=1 bash tests/lessons.sh      copies the new pictures into lessons/figures
#
# As many pages run at a time as there are cores; pages that measure time run alone.
set -u
cd "$(dirname "$0")/.." || exit 1
dir=${LESSONS_DIR:-lessons} runs=${RUNS_DIR:-runs}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

headings="## The one idea
## Predict first
## Run it
## The figure
## By hand
## The maths
## Code tour
## Break it
## The paper and ours
## Exercises
## Common mistakes
## Quiz
## Summary
## What still fails"
readonly most_words=1200 most_quoted=60 patience=300 # seconds of one block
readonly alone=" 21 "                                # pages that measure time
failed=0

fail() { # WHERE MESSAGE
    printf 'FAIL  %-28s %s\n' "$1" "$2"
    failed=$((failed + 1))
}

seconds_since() {
    awk -v a="$1" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }'
}

# Prints all items of one kind, their fields from LINE on.
items() { # KIND
    awk -F '\t' -v kind="$1" '$1 == kind { print substr($0, length(kind) + 2) }' "$here/items"
}

count() { # KIND
    items "$1" | wc -l
}

# --- checks that only read the page ----------------------------------------------------------------

check_headings() {
    local title
    title=$(sed -n 1p "$page")
    [[ $title == "# $number "?* ]] || fail "$name:1" "expected \"# $number Title\", found \"$title\""
    grep -qE '^\*read [0-9]+ min · run [0-9]+ min · do [0-9]+ min · needs .+\*$' "$page" ||
        fail "$name" "expected a line \"*read 10 min · run 1 min · do 40 min · needs ...*\", found none"
    diff <(echo "$headings") <(items heading | cut -f2 | grep '^## ') >"$here/diff" ||
        fail "$name" "headings (< expected, > found): $(grep '^[<>]' "$work/diff" | paste -sd';')"
    [ "$(count run)" -gt 0 ] || fail "$name" "expected a block to run, found none"
}

check_words() {
    local words
    words=$(items words | cut -f2)
    [ "$words" -le $most_words ] || fail "$name" "expected at most $most_words words, found $words"
}

check_links() {
    local line target
    while IFS=$'\t' read -r line target; do
        [ -e "$dir/$target" ] || fail "$name:$line" "the link to $target leads nowhere: there is no such file"
    done < <(items link)
}

# Prints the picture in runs/ that a figure is a copy of: figures/l09-parity-by_length.png is a copy of
# runs/l09-parity/by_length.png.
drawn() { # FIGURE
    local file flat
    for file in "$runs"/*.png "$runs"/*/*.png; do
        flat=${file#"$runs"/} flat=${flat//\//-}
        [ "$flat" != "${1##*/}" ] || echo "$file"
    done
}

check_figures() {
    local line target
    [ "$(count figure)" -gt 0 ] || fail "$name" "expected a figure, found none"
    while IFS=$'\t' read -r line target; do
        [ -s "$dir/$target" ] || [ -n "${FIGURES:-}" ] ||
            fail "$name:$line" "the figure $target is missing; make figures draws all figures"
    done < <(items figure)
}

# Checks, after the run blocks, that they drew the picture of each figure.
check_drawn() {
    local line target file
    while IFS=$'\t' read -r line target; do
        file=$(drawn "$target")
        if [ -z "$file" ] || [ "$file" -ot "$here/items" ]; then
            fail "$name:$line" "expected the page to draw $target in runs/, found no new picture"
        elif [ -n "${FIGURES:-}" ]; then
            mkdir -p "$dir/figures" && cp "$file" "$dir/$target"
        fi
    done < <(items figure)
}

# Checks that the quoted lines follow one another in the source, unchanged.
check_quotes() {
    local line file source total=0
    while IFS=$'\t' read -r line file source; do
        total=$((total + $(wc -l <"$file")))
        [ -f "$source" ] || { fail "$name:$line" "quotes $source, but there is no such file"; continue; }
        awk 'NR == FNR { want[n++] = $0; next }
             { have[m++] = $0 }
             END {
                 for (at = 0; at + n <= m; at++) {
                     for (i = 0; i < n && have[at + i] == want[i]; i++) {}
                     if (i == n && n) exit 0
                     if (i > most) { most = i; near = at }
                 }
                 printf "expected \"%s\", ", want[most]
                 if (most) printf "found \"%s\" in line %d", have[near + most], near + most + 1
                 else printf "but the source does not have the first quoted line"
                 exit 1
             }' "$file" "$source" >"$here/why" ||
            fail "$name:$line" "quote of $source: $(cat "$here/why")"
    done < <(items quote)
    [ $total -le $most_quoted ] ||
        fail "$name" "expected at most $most_quoted quoted lines, found $total"
}

# Lists the tags of all comments `eq 4.1` in the sources, except those in tests/.
list_source_tags() {
    grep -rohE --include='*.[ch]' --exclude-dir=build --exclude-dir=runs --exclude-dir=tests \
        '\beq [0-9]+\.[0-9]+\b' . | cut -c4- | sort -u
}

check_tags() {
    local tag
    for tag in $(items tag | cut -f2 | sort -u); do
        grep -qxF "$tag" "$work/source_tags" ||
            fail "$name" "equation ($tag): expected a source with the comment eq $tag, found none"
    done
    for tag in $(grep "^$((10#$number))\." "$work/source_tags"); do
        items tag | cut -f2 | grep -qxF "$tag" ||
            fail "$name" "a source has eq $tag: expected an equation ($tag) here, found none"
    done
}

# --- checks that run the page's commands -----------------------------------------------------------

# Prints the first number (nan and inf count) after the text, in the last line that has the text.
number_after() { # TEXT FILE
    TEXT=$1 awk '{ at = index($0, ENVIRON["TEXT"])
                   if (at) rest = substr($0, at + length(ENVIRON["TEXT"])) }
         END {
             number = "[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?"
             if (match(rest, number)) { from = RSTART; len = RLENGTH }
             if (match(tolower(rest), /(nan|inf)/) && (!from || RSTART < from)) {
                 from = RSTART; len = RLENGTH
             }
             if (from) print substr(rest, from, len)
         }' "$2"
}

check_ranges() { # BLOCK
    local line file low high text found
    while IFS=$'\t' read -r line file low high text; do
        [ "$file" = "$1" ] || continue
        found=$(number_after "$text" "$1.out")
        awk -v x="$found" -v low="$low" -v high="$high" \
            'BEGIN { exit !(x ~ /[0-9]/ && x + 0 >= low + 0 && x + 0 <= high + 0) }' ||
            fail "$name:$line" "expected \`$text\` $low .. $high, found ${found:-no such number}"
    done < <(items expect)
}

run_blocks() {
    local line file start before status
    while IFS=$'\t' read -r line file; do
        start=$(date +%s.%N) before=$failed status=0
        timeout $patience bash -e "$file" >"$file.out" 2>&1 </dev/null || status=$?
        if [ $status -ne 0 ]; then
            fail "$name:$line" "expected status 0, found $status; the end of the output:"
            tail -n 20 "$file.out" | sed 's/^/      /'
        fi
        check_ranges "$file"
        [ $failed -gt "$before" ] || printf 'ok    %-28s %6s s\n' "$name:$line" "$(seconds_since "$start")"
    done < <(items run)
}

# --- all pages -------------------------------------------------------------------------------------

check_page() { # PAGE
    local page=$1 name number here start
    name=$(basename "$page") number=${name%%-*} here=$work/$(basename "$page") start=$(date +%s.%N)
    mkdir -p "$here"
    awk -v dir="$here" -v number="$((10#$number))" -f tests/lessons.awk "$page" >"$here/items"
    while IFS=$'\t' read -r line message; do
        fail "$name:$line" "$message"
    done < <(items bad)
    check_headings
    check_words
    check_links
    check_figures
    check_quotes
    check_tags
    [ -n "${READ_ONLY:-}" ] || { run_blocks; check_drawn; }
    [ $failed -gt 0 ] && return 1
    printf 'ok    %-28s %6s s   %d run, %d ranges, %d figures, %d quotes, %d equations, %d links, %d words\n' \
        "$name" "$(seconds_since "$start")" "$(count run)" "$(count expect)" "$(count figure)" \
        "$(count quote)" "$(count tag)" "$(count link)" "$(items words | cut -f2)"
}

# Checks a page in a shell of its own, and prints its messages together when it is done.
check_apart() { # PAGE
    local log
    log=$work/$(basename "$1").log
    (check_page "$1") >"$log" 2>&1 || grep -c '^FAIL' "$log" >"$log.failed"
    cat "$log"
}

list_source_tags >"$work/source_tags"
pages=() last=()
for wanted in "${@:-[0-9][0-9]}"; do
    mapfile -t found < <(compgen -G "$dir/$wanted-*.md")
    [ ${#found[@]} -gt 0 ] || fail "$dir" "there is no page $wanted-NAME.md"
    for page in "${found[@]}"; do
        number=$(basename "$page")
        [[ $alone == *" ${number%%-*} "* ]] && last+=("$page") || pages+=("$page")
    done
done
for page in ${pages[@]+"${pages[@]}"}; do
    while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    check_apart "$page" &
done
wait
for page in ${last[@]+"${last[@]}"}; do check_apart "$page"; done
for count in "$work"/*.failed; do
    [ -f "$count" ] && failed=$((failed + $(cat "$count")))
done

# Equations of lessons that have no page.
if [ $# -eq 0 ]; then
    while IFS=. read -r lesson k; do
        compgen -G "$dir/$(printf %02d "$lesson")-*.md" >"$work/pages" ||
            fail "eq $lesson.$k" "a source has it: expected a page of lesson $lesson, found none"
    done <"$work/source_tags"
fi

[ $failed -eq 0 ] || { echo "$failed failures"; exit 1; }

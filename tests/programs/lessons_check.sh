#!/usr/bin/env bash
# Checks that tests/lessons.sh finds faults: a correct page passes, and each fault that is put into it is reported.
# shellcheck disable=SC2016 # the backticks are those of Markdown
. "$(dirname "$0")/../shell.sh"

# The programs of the lessons refuse options that they cannot show.
expect 2 "needs --reset after" "$BIN"lessons/11-lstm --reset before --inner-bias --out "$tmp/x"
expect 2 "--cell gru: has no c" "$BIN"lessons/11-lstm --cell gru --out "$tmp/x"
expect 2 "give --text, without" "$BIN"lessons/11-lstm --lines --out "$tmp/x"
expect 2 "sources of numbers differ" "$BIN"lessons/15-attention --task numbers --out "$tmp/x"
expect 2 "--channels 5: must be a multiple of 4" "$BIN"lessons/20-transformer --channels 5 --out "$tmp/x"
expect 2 "--channels 30: must be a multiple of --heads 4" "$BIN"lessons/21-parallelism --channels 30 --out "$tmp/x"
expect 2 "--tokens 1500: must be a multiple of 1024" "$BIN"lessons/21-parallelism --tokens 1500 --out "$tmp/x"
[ -e "$tmp/x" ] && fail "a refused start left something behind"

# The project's own pages: quotes, links, headings and equations.
expect 0 "" env READ_ONLY=1 bash tests/lessons.sh

export LESSONS_DIR=$tmp/lessons RUNS_DIR=$tmp/runs
page=$LESSONS_DIR/01-page.md
figure=$LESSONS_DIR/figures/curve-loss.png
mkdir -p "$LESSONS_DIR/figures" "$RUNS_DIR/curve"

# Writes a page that quotes two lines of one of our headers and names the equations of lesson 01.
write_page() {
    {
        printf '# 01 Page\n\n*read 1 min · run 1 min · do 1 min · needs nothing*\n\n'
        printf '## %s\n\n' "The one idea" "Predict first" "Run it"
        printf '```sh run\necho "loss 9 lr 2"\necho "loss: 1.5e0 lr 2" >&2\n'
        printf 'echo new >%s\n```\n\n' "$RUNS_DIR/curve/loss.png"
        printf '> Expect: `loss` 1.4 .. 1.6\n\n'
        printf '## The figure\n\n![A curve that falls from left to right, and ends](figures/curve-loss.png)\n\n'
        printf '## %s\n\n' "By hand" "The maths"
        # shellcheck disable=SC2046 # each tag is one word
        printf '    equation (%s)\n' $(grep -rohE --include='*.[ch]' '\beq 1\.[0-9]' \
            common lessons rnn | cut -c4- | sort -u)
        printf '\n## %s\n\n' "Code tour"
        printf '```c common/system/utf8.h\n%s\n```\n\n' "$(sed -n '/^#ifndef/,/^#define/p' common/system/utf8.h)"
        printf '## %s\n\n' "Break it" "The paper and ours" "Exercises" "Common mistakes" "Quiz" \
            "Summary" "What still fails"
        printf '[this page](01-page.md#summary), [the web](https://example.org)\n'
    } >"$page"
}

spoil() { # EXPECTED-MESSAGE SED-SCRIPT
    write_page
    sed -i "$2" "$page"
    expect 1 "$1" bash tests/lessons.sh 01
}

write_page
echo old >"$figure"
expect 0 "ok    01-page.md " bash tests/lessons.sh 01
grep -q old "$figure" || fail "a figure was replaced without FIGURES=1"
spoil 'expected a figure, found none' '/^!/d'
spoil 'expected the form' 's/^!.*\]/![A curve]/'
spoil 'figures/curve-loss.pdf' 's/loss\.png)$/loss.pdf)/'
spoil 'the figure figures/curve-gain.png is missing' 's/loss\.png)$/gain.png)/'
spoil 'expected the page to draw figures/curve-loss.png' '/^echo new/d'
rm "$figure"
spoil 'figures/curve-loss.png is missing; make figures' ''
expect 0 "" env FIGURES=1 bash tests/lessons.sh 01
grep -q new "$figure" || fail "FIGURES=1 did not copy the new picture"
spoil 'expected `loss` 1.6 .. 1.7, found 1.5e0' 's/1\.4 \.\. 1\.6/1.6 .. 1.7/'
spoil 'expected `loss` 1.4 .. 1.6, found nan' 's/1\.5e0/nan/'
spoil 'found no such number' 's/1\.5e0 lr 2/high/'
spoil 'found no such number' 's/`loss`/`gain`/'
spoil 'expected the form' 's/1\.4 \.\. 1\.6/1.4 to 1.6/'
spoil 'a range needs a run block before it' 's/```sh run/```sh/'
spoil 'expected a block to run, found none' 's/```sh run/```sh/'
spoil 'this kind of fence is unknown: sh runs' 's/```sh run/```sh runs/'
spoil 'expected status 0, found 1' 's/^echo "loss 9.*/false/'
spoil 'expected "#define UTF9_H", found "#define UTF8_H"' 's/^#define UTF8_H/#define UTF9_H/'
spoil 'quotes common/system/utf9.h, but there is no such file' 's/common\/system\/utf8\.h/common\/system\/utf9.h/'
spoil 'the link to 02-page.md' 's/](01-page/](02-page/'
spoil 'a source has eq 1.1' '/^    equation (1\.1)/d'
spoil 'expected a source with the comment eq 1.9, found none' 's/^    equation (1\.1)/&\n    more (1.9)/'
spoil 'headings' '/^## Quiz/d'
spoil 'headings' 's/^## Quiz/## Questions/'
spoil 'expected "# 01 Title"' 's/^# 01/# 02/'
spoil 'read 10 min' '/^\*read/d'
spoil 'a fence is not closed' '/^\[this page/s/^/```\n/'
spoil 'found 1' "/^\\[this page/s/\$/$(yes word | head -n 1300 | paste -sd' ')/"
expect 1 "no page 77-NAME.md" bash tests/lessons.sh 77
write_page
expect 1 "expected a page of lesson 3, found none" bash tests/lessons.sh
exit 0

# Reads a lesson page and lists the items that tests/lessons.sh checks, one a line, with tabs between the fields:
#
#   heading LINE TEXT        run LINE FILE                 quote LINE FILE PATH
#   link    LINE TARGET      expect LINE FILE LOW HIGH TEXT
#   tag     LINE N.K         words LINE COUNT              bad LINE MESSAGE
#   figure  LINE TARGET
#
# The lines of a run block or a quote go to FILE, in the folder `dir`; the FILE of an expect is the run block
# before it. `number` is the number of the page: only the tags (number.k) are its equations.
BEGIN { FS = "\n"; OFS = "\t"; quiz_answer = 0; fence = "" }

function item(kind, a, b, c, d) {
    printf "%s\t%d\t%s", kind, NR, a
    if (b != "") printf "\t%s", b
    if (c != "") printf "\t%s\t%s", c, d
    printf "\n"
}

function open_fence(info) {
    fence = "plain"
    if (info == "sh run") {
        block = file = dir "/" NR ".run"
        fence = "kept"
        item("run", file)
    } else if (info ~ /^c [^ ]+$/) {
        file = dir "/" NR ".quote"
        fence = "kept"
        item("quote", file, substr(info, 3))
    } else if (info !~ /^(|c|sh|text|csv|gnuplot)$/) {
        item("bad", "this kind of fence is unknown: " info)
    }
    if (fence == "kept") printf "" > file
}

# > Expect: `text` 1.95 .. 2.15
function expect(line,    text, range) {
    if (line !~ /^> Expect: `[^`]+` +[-+.0-9eE]+ \.\. [-+.0-9eE]+$/) {
        item("bad", "expected the form > Expect: `text` LOW .. HIGH: " line)
        return
    }
    text = line
    sub(/^[^`]*`/, "", text)
    range = text
    sub(/`.*/, "", text)
    sub(/^[^`]*` +/, "", range)
    split(range, bound, / \.\. /)
    if (block == "") item("bad", "a range needs a run block before it: " line)
    else item("expect", block, bound[1], bound[2], text)
}

# [words](target), except links to the web; the part after # is dropped.
function links(line,    target) {
    gsub(/`[^`]*`/, "", line)
    while (match(line, /\]\([^)]*\)/)) {
        target = substr(line, RSTART + 2, RLENGTH - 3)
        line = substr(line, RSTART + RLENGTH)
        sub(/#.*/, "", target)
        if (target != "" && target !~ /^[a-z]+:/) item("link", target)
    }
}

# ![a description of the picture](target), alone on its line.
function figure(line,    words) {
    if (line !~ /^!\[[^]]*\]\([^)]+\.png\)$/ || split(line, words, / +/) < 8) {
        item("bad", "expected the form ![at least eight words](figures/NAME.png): " line)
        return
    }
    sub(/.*\(/, "", line)
    item("figure", substr(line, 1, length(line) - 1))
}

function tag(line) {
    if (match(line, /\([0-9]+\.[1-9]\) *$/)) {
        line = substr(line, RSTART + 1)
        sub(/\).*/, "", line)
        if (index(line, number ".") == 1) item("tag", line)
    }
}

/^```/ {
    if (fence == "") {
        open_fence(substr($0, 4))
    } else {
        if (fence == "kept") close(file)
        fence = ""
    }
    next
}
fence == "kept" { print > file; next }
{ tag($0) }
fence == "plain" { next }

/^#/ { item("heading", $0) }
/^> *[Ee]xpect/ { expect($0); next }
/^!/ { figure($0); next }
/^<details>/ { quiz_answer = 1 }
{ links($0) }
!/^\|/ && !/^#/ && !quiz_answer { words += split($0, word, / +/) }
/<\/details>/ { quiz_answer = 0 }

END {
    if (fence != "") item("bad", "a fence is not closed")
    item("words", words + 0)
}

#!/usr/bin/env bash
# The archives of the model folders: two folders may have functions of the same name, and every public name of a
# folder begins with a prefix of that folder, so a program can use two folders.
. "$(dirname "$0")/../shell.sh"
OUT=${OUT:-build/opt}

prefixes_of() { # FOLDER
    case $1 in
    lstm_gru) echo "gated lstm gru" ;;
    seq2seq_attention) echo "seq2seq" ;;
    *) echo "$1" ;;
    esac
}

checked=0
for folder in rnn lstm_gru seq2seq_attention transformer gpt; do
    while read -r name; do
        found=
        for prefix in $(prefixes_of $folder); do [[ $name != "$prefix"_* ]] || found=1; done
        [ -n "$found" ] || fail "$folder: the public name $name begins with none of: $(prefixes_of $folder)"
        checked=$((checked + 1))
    done < <(nm -g --defined-only "$OUT/lib$folder.a" | awk 'NF == 3 && $3 !~ /^_/ { print $3 }')
done
[ $checked -gt 20 ] || fail "only $checked public names in $OUT/lib*.a"

# Two folders built by the Makefile's own rules: each program must call the function of its own folder.
makefile=$PWD/Makefile
mkdir -p "$tmp/house/one" "$tmp/house/two" "$tmp/house/tests"
cp tests/deps.sh "$tmp/house/tests"
for folder in one two; do
    echo "const char *look(void);" >"$tmp/house/$folder/look.h"
    printf '#include "%s/look.h"\nconst char *look(void)\n{\n    return "%s";\n}\n' $folder $folder \
        >"$tmp/house/$folder/look.c"
    printf '#include <stdio.h>\n#include "%s/look.h"\nint main(void)\n{\n    return puts(look()) < 0;\n}\n' $folder \
        >"$tmp/house/$folder/show.c"
done
expect 0 "" env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$tmp/house" -f "$makefile" MODE=opt BUILD=build COMMON= \
    FOLDERS="one two" PROGRAMS="one/show two/show" all
for folder in one two; do
    expect 0 "" "$tmp/house/$folder/show"
    [ "$(cat "$tmp/out")" = $folder ] || fail "$folder/show calls look() of folder $(cat "$tmp/out")"
done

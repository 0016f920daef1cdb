#!/usr/bin/env bash
# A full disk: status 1, a message that says so, and an unchanged older checkpoint.
. "$(dirname "$0")/../shell.sh"

"$BIN"rnn/train --quiet --plot none --lines --steps 5 --hidden 64 --out "$tmp/run" || fail "training"
expect 1 "standard output" bash -c "'$BIN'rnn/eval '$tmp/run' --json --plot none >/dev/full"

# A limit on the size of files acts like a full disk.
cp -r "$tmp/run" "$tmp/limited"
expect 1 "limited" bash -c "trap '' XFSZ; ulimit -f 40; exec '$BIN'rnn/train --quiet --plot none \
    --resume --steps 9 --out '$tmp/limited'"
cmp "$tmp/run/model.safetensors" "$tmp/limited/model.safetensors" || fail "the checkpoint changed"
cmp "$tmp/run/state.safetensors" "$tmp/limited/state.safetensors" || fail "the state changed"
compgen -G "$tmp/limited/*.tmp.*" >/dev/null && fail "a temporary file was left"
expect 0 "" "$BIN"rnn/train --quiet --plot none --resume --steps 9 --out "$tmp/limited"

# A real small disk, if the system lets us mount one.
if unshare -rm true 2>/dev/null; then
    # shellcheck disable=SC2016 # expanded by the inner shell
    script='mkdir -p "$1/small" && mount -t tmpfs -o size=200k none "$1/small" || exit 77
        "$2"rnn/train --quiet --plot none --lines --hidden 64 --steps 5 --out "$1/small/run"
        [ $? -eq 1 ] || exit 1
        [ ! -f "$1/small/run/model.safetensors" ] || exit 2'
    unshare -rm bash -c "$script" - "$tmp" "$BIN" >"$tmp/out" 2>&1
    status=$?
    [ $status -eq 77 ] || [ $status -eq 0 ] || { cat "$tmp/out"; fail "small disk: $status"; }
    [ $status -eq 77 ] || grep -q "space" "$tmp/out" || fail "the message does not mention space"
fi
exit 0

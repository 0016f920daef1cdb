#!/usr/bin/env bash
# Python's safetensors package, if it is installed, opens our models.
. "$(dirname "$0")/../shell.sh"
python=${PYTHON:-python3}
"$python" -c 'import numpy, safetensors' 2>/dev/null || skip "$python has no safetensors and numpy"

"$BIN"rnn/train --quiet --plot none --lines --steps 5 --hidden 48 --out "$tmp/run" || fail "training"
"$python" - "$tmp/run" <<'PYTHON' || fail "python"
import json, sys
from safetensors.numpy import load_file
run = sys.argv[1]
config = json.load(open(run + "/config.json"))
model = load_file(run + "/model.safetensors")
assert model["l0.u"].shape == (48, 48), model["l0.u"].shape
assert sum(t.size for t in model.values()) == config["parameters"]
state = load_file(run + "/state.safetensors")
for name, tensor in model.items():
    assert (state[name] == tensor).all(), name
    assert state["optim.m." + name].shape == tensor.shape
PYTHON
exit 0

#!/usr/bin/env bash
# Python's transformers, if it is installed, loads what gpt/eval --export writes: no missing and no unexpected keys,
# and the same loss.
. "$(dirname "$0")/../shell.sh"
python=${PYTHON:-python3}
"$python" -c 'import torch, transformers' 2>/dev/null || skip "$python has no torch and transformers"

small=(--text README.md --unit byte --seq-len 16 --layers 2 --channels 16 --heads 2 --steps 20 --quiet --plot none)
for model in pre post untied erf; do
    case $model in
    pre) options=() ;;
    post) options=(--norm post) ;;
    untied) options=(--no-tied) ;;
    erf) options=(--gelu erf) ;;
    esac
    "$BIN"gpt/train "${small[@]}" "${options[@]}" --out "$tmp/$model" || fail "training: $model"
    expect 0 "" "$BIN"gpt/eval "$tmp/$model" --export "$tmp/$model-hf" --no-score --samples 0
    expect 0 '"loss":' "$BIN"gpt/eval --import "$tmp/$model-hf" --text README.md --json
    "$python" - "$tmp/$model-hf" "$tmp/out" <<'PYTHON' || fail "python: $model"
import json, sys
import torch
from transformers import AutoModelForCausalLM

net, info = AutoModelForCausalLM.from_pretrained(sys.argv[1], output_loading_info=True)
assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"], info
ids = torch.tensor(list(open("README.md", "rb").read()))
net, total = net.eval(), 0.0
with torch.no_grad():
    for i in range(0, len(ids) - 1, 16):
        x, y = ids[i : i + 16], ids[i + 1 : i + 17]
        x = x[: len(y)]
        total += torch.nn.functional.cross_entropy(net(x[None]).logits[0], y, reduction="sum").item()
ours = json.load(open(sys.argv[2]))["loss"]
assert abs(total / (len(ids) - 1) - ours) < 1e-5, (total / (len(ids) - 1), ours)
PYTHON
done
exit 0

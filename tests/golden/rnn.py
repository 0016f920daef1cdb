"""Computes golden values of the recurrent network by PyTorch: writes rnn.safetensors beside this file.

    python3 tests/golden/rnn.py          (any Python with torch, numpy and safetensors)

The network is a two-layer nn.RNN between nn.Embedding and nn.Linear, with random weights, ids, targets and
initial state. The file holds the weights and PyTorch's results, in the layout and with the names of rnn/rnn.c:
logits, loss, final state and the gradient of every parameter.

Computed in double from values that a float holds exactly, so a test sees only its own rounding error.
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

B, T, V, C, H, LAYERS = 3, 7, 11, 5, 6, 2
IGNORED = -1

torch.manual_seed(1337)
torch.set_default_dtype(torch.float64)


def as_float(t):
    """Returns the values rounded to floats."""
    return t.float().double()


embed, rnn, head = nn.Embedding(V, C), nn.RNN(C, H, LAYERS), nn.Linear(H, V)
with torch.no_grad():
    for p in [*embed.parameters(), *rnn.parameters(), *head.parameters()]:
        p.copy_(as_float(0.5 * torch.randn(p.shape)))
    for layer in range(LAYERS):  # PyTorch has two biases a layer, ours one: their sum
        getattr(rnn, f"bias_hh_l{layer}").zero_()

ids = torch.randint(V, (T, B))
targets = torch.randint(V, (T, B))
targets[T - 2 :, 1] = IGNORED  # a shorter sequence
targets[0, 2] = IGNORED
h0 = as_float(0.5 * torch.randn(LAYERS, B, H))

states, hT = rnn(embed(ids), h0)
logits = head(states)
loss = nn.functional.cross_entropy(logits.view(T * B, V), targets.view(T * B), ignore_index=IGNORED)
loss.backward()

# Our name, PyTorch's tensor, whether PyTorch's is transposed.
parameters = [("embed", embed.weight, False)]
for layer in range(LAYERS):
    parameters += [
        (f"l{layer}.w", getattr(rnn, f"weight_ih_l{layer}"), True),
        (f"l{layer}.u", getattr(rnn, f"weight_hh_l{layer}"), True),
        (f"l{layer}.b", getattr(rnn, f"bias_ih_l{layer}"), False),
    ]
parameters += [("head.w", head.weight, True), ("head.b", head.bias, False)]

golden = {"logits": logits, "loss": loss.view(1), "hT": hT, "h0": h0}
golden |= {"ids": ids.int(), "targets": targets.int()}
for name, p, transposed in parameters:
    golden[name] = p.t() if transposed else p
    golden["grad." + name] = p.grad.t() if transposed else p.grad

path = pathlib.Path(__file__).with_suffix(".safetensors")
save_file({k: v.detach().contiguous() for k, v in golden.items()}, path)
print(f"{path.name}: {len(golden)} tensors, loss {loss.item():.6f}, torch {torch.__version__}")

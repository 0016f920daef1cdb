"""Computes golden values of the gated networks by PyTorch: writes lstm.safetensors and gru.safetensors
beside this file.

    python3 tests/golden/gated.py        (any Python with torch, numpy and safetensors)

The network is a two-layer nn.LSTM or nn.GRU between nn.Embedding and nn.Linear, with random weights, ids,
targets and initial state. The files hold the weights and PyTorch's results, in the layout and with the names
of lstm_gru/gated.c: logits, loss, final states and the gradient of every parameter.

PyTorch's LSTM has the gates in the order i f g o, ours i f o g; the GRU's r z n are the same. PyTorch has two
biases a layer. The bias of the hidden state is redundant, and 0 here, except for the last third in a GRU,
which is inside the reset: that is our k.

Computed in double from values that a float holds exactly, so a test sees only its own rounding error.
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

B, T, V, C, H, LAYERS = 3, 7, 11, 5, 6, 2
IGNORED = -1
GATES = {"lstm": [0, 1, 3, 2], "gru": [0, 1, 2]}  # PyTorch's gates in our order

torch.set_default_dtype(torch.float64)


def as_float(t):
    """Returns the values rounded to floats."""
    return t.float().double()


def ours(cell, t):
    """Returns a tensor with its rows of gates in our order; a matrix transposed."""
    blocks = t.split(H)
    t = torch.cat([blocks[k] for k in GATES[cell]])
    return t.t() if t.dim() == 2 else t


def write(cell):
    torch.manual_seed(1337)
    embed, head = nn.Embedding(V, C), nn.Linear(H, V)
    net = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](C, H, LAYERS)
    with torch.no_grad():
        for p in [*embed.parameters(), *net.parameters(), *head.parameters()]:
            p.copy_(as_float(0.5 * torch.randn(p.shape)))
        for layer in range(LAYERS):
            hidden_bias = getattr(net, f"bias_hh_l{layer}")
            hidden_bias[: hidden_bias.numel() if cell == "lstm" else 2 * H].zero_()

    ids = torch.randint(V, (T, B))
    targets = torch.randint(V, (T, B))
    targets[T - 2 :, 1] = IGNORED  # a shorter sequence
    targets[0, 2] = IGNORED
    names = ["h", "c"] if cell == "lstm" else ["h"]
    start = [as_float(0.5 * torch.randn(LAYERS, B, H)) for _ in names]

    states, end = net(embed(ids), tuple(start) if cell == "lstm" else start[0])
    logits = head(states)
    loss = nn.functional.cross_entropy(
        logits.view(T * B, V), targets.view(T * B), ignore_index=IGNORED
    )
    loss.backward()

    golden = {"logits": logits, "loss": loss.view(1), "ids": ids.int(), "targets": targets.int()}
    for name, s, e in zip(names, start, end if cell == "lstm" else [end]):
        golden |= {name + "0": s, name + "T": e}

    def add(name, p, change=lambda t: t):
        golden[name], golden["grad." + name] = change(p), change(p.grad)

    add("embed", embed.weight)
    for layer in range(LAYERS):
        for name, theirs in [("w", "weight_ih"), ("u", "weight_hh"), ("b", "bias_ih")]:
            add(f"l{layer}.{name}", getattr(net, f"{theirs}_l{layer}"), lambda t: ours(cell, t))
        if cell == "gru":
            add(f"l{layer}.k", getattr(net, f"bias_hh_l{layer}"), lambda t: t[2 * H :])
    add("head.w", head.weight, torch.t)
    add("head.b", head.bias)

    path = pathlib.Path(__file__).with_name(cell + ".safetensors")
    save_file({k: v.detach().contiguous() for k, v in golden.items()}, path)
    print(f"{path.name}: {len(golden)} tensors, loss {loss.item():.6f}, torch {torch.__version__}")


for cell in ["lstm", "gru"]:
    write(cell)

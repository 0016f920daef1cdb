"""Golden values of the gated networks, by PyTorch: writes lstm.safetensors and gru.safetensors
beside this file.

    python3 tests/golden/gated.py        (any Python with torch, numpy and safetensors)

A two-layer nn.LSTM or nn.GRU between nn.Embedding and nn.Linear, on weights, ids, targets and an
initial state drawn at random. The files hold, in the layout and under the names of
lstm_gru/gated.c, the weights and what PyTorch makes of them: logits, loss, final states and the
gradient of every parameter.

PyTorch's gates stand in the order i f g o, ours in i f o g; the GRU's r z n are the same. PyTorch
has two biases a layer: of those of the hidden state only the GRU's last third, which stands inside
of the reset, is more than a second name for the other; it is our k. Where they are one, theirs is 0
here.

Computed in double from values that a float holds exactly, so that the only rounding error a test
sees is its own.
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

B, T, V, C, H, LAYERS = 3, 7, 11, 5, 6, 2
IGNORED = -1
GATES = {"lstm": [0, 1, 3, 2], "gru": [0, 1, 2]}  # theirs in our order

torch.set_default_dtype(torch.float64)


def as_float(t):
    """The same values, rounded to what a float can hold."""
    return t.float().double()


def ours(cell, t):
    """Rows of gates in our order; a matrix transposed."""
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

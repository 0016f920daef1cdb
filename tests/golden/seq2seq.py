"""Computes golden values of the encoder-decoder networks by PyTorch: writes seq2seq-NAME.safetensors beside
this file, one for each network in NETWORKS.

    python3 tests/golden/seq2seq.py      (any Python with torch, numpy and safetensors)

The encoder is nn.RNN, nn.LSTM or nn.GRU over packed sequences, so PyTorch itself skips the padding. The
decoder runs the same modules step by step. Attention masks the padding with -inf before the softmax. The files
hold the weights and PyTorch's results, in the layout and with the names of seq2seq_attention/seq2seq.c: logits,
loss, attention weights and the gradient of every parameter.

PyTorch's LSTM has the gates in the order i f g o, ours i f o g; the others are the same. PyTorch's second bias
is 0 here. Computed in double from values that a float holds exactly.
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

B, S, T, V_SOURCE, V, C, H = 3, 6, 5, 9, 8, 4, 6
IGNORED = -1
NETWORKS = {  # attention, cell, layers, bidirectional, feed, reverse
    "additive": ("additive", "gru", 1, True, False, False),
    "dot": ("dot", "lstm", 2, True, True, False),
    "general": ("general", "gru", 2, False, False, True),
    "concat": ("concat", "rnn", 1, True, True, False),
    "none": ("none", "lstm", 2, False, False, True),
}
MODULE = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
GATES = {"rnn": [0], "lstm": [0, 1, 3, 2], "gru": [0, 1, 2]}  # PyTorch's gates in our order

torch.set_default_dtype(torch.float64)


def as_float(t):
    """Returns the values rounded to floats."""
    return t.float().double()


def ours(cell, t):
    """Returns a tensor with its rows of gates in our order; a matrix transposed."""
    blocks = t.chunk(len(GATES[cell]))
    t = torch.cat([blocks[k] for k in GATES[cell]])
    return t.t() if t.dim() == 2 else t


class Network(nn.Module):
    def __init__(self, attention, cell, layers, bidirectional, feed, reverse):
        super().__init__()
        self.kind, self.cell, self.layers, self.feed, self.reverse = attention, cell, layers, feed, reverse
        self.ways = 2 if bidirectional else 1
        self.source = nn.Embedding(V_SOURCE, C)
        self.target = nn.Embedding(V, C)
        self.encoder = MODULE[cell](C, H // self.ways, layers, bidirectional=bidirectional)
        fed = H if feed or attention == "additive" else 0
        self.decoder = MODULE[cell](C + fed, H, layers)
        if attention in ("additive", "concat"):
            self.query, self.score = nn.Linear(H, H, bias=False), nn.Parameter(torch.zeros(H))
        if attention in ("additive", "concat", "general"):
            self.key = nn.Linear(H, H, bias=False)
        if attention != "none":
            self.out = nn.Linear(2 * H, H)
        self.head = nn.Linear(H, V)

    def attend(self, h, memory, lengths):
        """Returns the context (B,H) and the attention weights (B,S) of h (B,H) and memory (S,B,H)."""
        memory = memory.transpose(0, 1)
        if self.kind in ("additive", "concat"):
            e = torch.tanh(self.query(h)[:, None] + self.key(memory)) @ self.score
        else:
            e = torch.einsum("bh,bsh->bs", h, self.key(memory) if self.kind == "general" else memory)
        e = e.masked_fill(torch.arange(S)[None] >= lengths[:, None], float("-inf"))
        p = e.softmax(-1)
        return torch.einsum("bs,bsh->bh", p, memory), p

    def forward(self, s, lengths, x):
        if self.reverse:
            s = s.clone()
            for b, n in enumerate(lengths.tolist()):
                s[:n, b] = s[:n, b].flip(0)
        packed = pack_padded_sequence(self.source(s), lengths, enforce_sorted=False)
        memory, state = self.encoder(packed)
        memory, _ = pad_packed_sequence(memory, total_length=S)

        def joined(h):  # (L*ways,B,H/ways) -> (L,B,H)
            h = h.view(self.layers, self.ways, B, H // self.ways)
            return torch.cat([h[:, w] for w in range(self.ways)], -1)

        state = tuple(map(joined, state)) if self.cell == "lstm" else joined(state)
        outs, weights, fed = [], [], torch.zeros(B, H)
        for t in range(T):
            top = (state[0] if self.cell == "lstm" else state)[-1]
            y = self.target(x[t])
            if self.kind == "additive":
                context, p = self.attend(top, memory, lengths)
                y = torch.cat([y, context], -1)
            elif self.feed:
                y = torch.cat([y, fed], -1)
            h, state = self.decoder(y[None], state)
            h = h[0]
            if self.kind == "none":
                outs.append(h)
                continue
            if self.kind != "additive":
                context, p = self.attend(h, memory, lengths)
            fed = torch.tanh(self.out(torch.cat([context, h], -1)))
            outs.append(fed)
            weights.append(p)
        return self.head(torch.stack(outs)), weights


def write(name, network):
    torch.manual_seed(1337)
    net = Network(*network)
    with torch.no_grad():
        for key, p in net.named_parameters():
            p.copy_(as_float(0.5 * torch.randn(p.shape)))
            if "bias_hh" in key:
                p.zero_()
    lengths = torch.tensor([6, 2, 4])
    s = torch.randint(4, V_SOURCE, (S, B))
    for b, n in enumerate(lengths.tolist()):
        s[n:, b] = 0
    x, targets = torch.randint(V, (T, B)), torch.randint(V, (T, B))
    targets[3:, 1] = IGNORED  # a shorter output

    logits, weights = net(s, lengths, x)
    loss = nn.functional.cross_entropy(logits.view(T * B, V), targets.view(T * B), ignore_index=IGNORED)
    loss.backward()
    golden = {"logits": logits, "loss": loss.view(1)}
    golden |= {"source": s.int(), "lengths": lengths.int(), "ids": x.int(), "targets": targets.int()}
    if weights:
        golden["weights"] = torch.stack(weights)  # (T,B,S)

    def add(key, p, change=lambda t: t):
        golden[key], golden["grad." + key] = change(p), change(p.grad)

    def add_cell(key, module, suffix, first):
        """first: the number of input columns of the embedding; the columns after them are fed back."""
        for part, theirs in [("w", "weight_ih"), ("u", "weight_hh"), ("b", "bias_ih")]:
            p = getattr(module, f"{theirs}_{suffix}")
            rows = {"w": slice(0, first)}.get(part, slice(None))
            add(f"{key}.{part}", p, lambda t: ours(net.cell, t)[rows])
            if part == "w" and p.shape[1] > first:
                add("decoder0.context", p, lambda t: ours(net.cell, t)[first:])

    add("source.embed", net.source.weight)
    add("target.embed", net.target.weight)
    for i in range(net.layers):
        add_cell(f"encoder{i}.forward", net.encoder, f"l{i}", H if i else C)
        if net.ways == 2:
            add_cell(f"encoder{i}.backward", net.encoder, f"l{i}_reverse", H if i else C)
        add_cell(f"decoder{i}.cell", net.decoder, f"l{i}", H if i else C)
    if net.kind in ("additive", "concat"):
        add("attention.query", net.query.weight, torch.t)
        add("attention.score", net.score)
    if net.kind in ("additive", "concat", "general"):
        add("attention.key", net.key.weight, torch.t)
    if net.kind != "none":
        add("attention.out.w", net.out.weight, torch.t)
        add("attention.out.b", net.out.bias)
    add("head.w", net.head.weight, torch.t)
    add("head.b", net.head.bias)
    path = pathlib.Path(__file__).with_name(f"seq2seq-{name}.safetensors")
    save_file({k: v.detach().contiguous() for k, v in golden.items()}, path)
    print(f"{path.name}: {len(golden)} tensors, loss {loss.item():.6f}, torch {torch.__version__}")


for name, network in NETWORKS.items():
    write(name, network)

"""Computes golden values of the Transformer by PyTorch: writes transformer-NAME.safetensors beside this file,
one for each network in NETWORKS.

    python3 tests/golden/transformer.py      (any Python with torch, numpy and safetensors)

The network is nn.Transformer with embeddings, sinusoidal positions and a linear head. It is post-norm as
published (without the extra LayerNorm of nn.Transformer after the last layer) or pre-norm, with an encoder or as
a decoder alone, which is nn.TransformerEncoder with a causal mask. The files hold the weights and PyTorch's
results, in the layout and with the names of transformer/transformer.c: logits, loss, loss with label smoothing,
and the gradients of the loss without smoothing for every parameter.

Computed in double from values that a float holds exactly.
"""

import math
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

B, S, T, V_SOURCE, V, C, H, F, LAYERS = 3, 6, 5, 9, 8, 8, 2, 12, 2
IGNORED, SMOOTHING = -1, 0.1
NETWORKS = {  # encoder, pre-norm, positions, tied
    "post": (True, False, "sinusoid", True),
    "pre": (True, True, "learned", False),
    "decoder": (False, True, "sinusoid", True),
}

torch.set_default_dtype(torch.float64)


def as_float(t):
    """Returns the values rounded to floats."""
    return t.float().double()


def sinusoid(steps):
    pe = torch.zeros(steps, C)
    for i in range(0, C, 2):
        angle = torch.arange(steps) / 10000 ** (i / C)
        pe[:, i], pe[:, i + 1] = angle.sin(), angle.cos()
    return pe


class Network(nn.Module):
    def __init__(self, has_encoder, pre, positions, tied):
        super().__init__()
        self.has_encoder, self.pre, self.positions = has_encoder, pre, positions
        options = dict(dim_feedforward=F, dropout=0, batch_first=True, norm_first=pre)
        last = lambda: nn.LayerNorm(C) if pre else None
        self.target = nn.Embedding(V, C)
        if has_encoder:
            self.source = nn.Embedding(V_SOURCE, C)
            self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(C, H, **options), LAYERS, last(),
                                                 enable_nested_tensor=False)
            self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(C, H, **options), LAYERS, last())
        else:
            self.decoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(C, H, **options), LAYERS, last(),
                                                 enable_nested_tensor=False)
        if positions == "learned":
            self.source_place, self.target_place = nn.Embedding(S + 1, C), nn.Embedding(S + 1, C)
        if not tied:
            self.head = nn.Linear(C, V)
        self.tied = tied

    def embedded(self, table, place, ids):
        steps = ids.shape[1]
        return table(ids) * math.sqrt(C) + (place.weight[:steps] if place else sinusoid(steps))

    def forward(self, s, lengths, x):
        learned = self.positions == "learned"
        y = self.embedded(self.target, self.target_place if learned else None, x.t())
        causal = nn.Transformer.generate_square_subsequent_mask(T)
        if self.has_encoder:
            padding = torch.arange(S)[None] >= lengths[:, None]
            e = self.embedded(self.source, self.source_place if learned else None, s.t())
            memory = self.encoder(e, src_key_padding_mask=padding)
            y = self.decoder(y, memory, tgt_mask=causal, memory_key_padding_mask=padding)
        else:
            y = self.decoder(y, mask=causal)
        z = y @ self.target.weight.t() if self.tied else self.head(y)
        return z.transpose(0, 1)


def write(name, network):
    torch.manual_seed(1337)
    net = Network(*network)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(as_float(0.4 * torch.randn(p.shape)))
    lengths = torch.tensor([6, 2, 4])
    s = torch.randint(4, V_SOURCE, (S, B))
    for b, n in enumerate(lengths.tolist()):
        s[n:, b] = 0
    x, targets = torch.randint(V, (T, B)), torch.randint(V, (T, B))
    targets[3:, 1] = IGNORED  # a shorter output
    logits = net(s, lengths, x)
    flat = logits.reshape(T * B, V), targets.view(T * B)
    loss = nn.functional.cross_entropy(*flat, ignore_index=IGNORED)
    smoothed = nn.functional.cross_entropy(*flat, ignore_index=IGNORED, label_smoothing=SMOOTHING)
    loss.backward()
    golden = {"logits": logits, "loss": loss.view(1), "smoothed": smoothed.view(1)}
    golden |= {"source": s.int(), "lengths": lengths.int(), "ids": x.int(), "targets": targets.int()}

    def add(key, p, rows=slice(None)):
        change = (lambda t: t[rows].t()) if p.dim() == 2 and "embed" not in key and "place" not in key else (lambda t: t[rows])
        golden[key], golden["grad." + key] = change(p), change(p.grad)

    def add_heads(key, a):
        for k, part in enumerate("qkv"):
            add(f"{key}.{part}.w", a.in_proj_weight, slice(k * C, (k + 1) * C))
            add(f"{key}.{part}.b", a.in_proj_bias, slice(k * C, (k + 1) * C))
        add(key + ".out.w", a.out_proj.weight)
        add(key + ".out.b", a.out_proj.bias)

    def add_norm(key, n):
        add(key + ".g", n.weight)
        add(key + ".b", n.bias)

    def add_layers(key, stack, has_cross):
        for i, layer in enumerate(stack.layers):
            name = f"{key}{i}"
            add_heads(name + ".self", layer.self_attn)
            norms = ["norm_self", "norm_cross", "norm_ffn"] if has_cross else ["norm_self", "norm_ffn"]
            for k, n in enumerate(norms):
                add_norm(f"{name}.{n}", getattr(layer, f"norm{k + 1}"))
            if has_cross:
                add_heads(name + ".cross", layer.multihead_attn)
            for part, theirs in [("up", layer.linear1), ("down", layer.linear2)]:
                add(f"{name}.{part}.w", theirs.weight)
                add(f"{name}.{part}.b", theirs.bias)
        if stack.norm is not None:
            add_norm(key + ".norm", stack.norm)

    add("target.embed", net.target.weight)
    add_layers("decoder", net.decoder, net.has_encoder)
    if net.has_encoder:
        add("source.embed", net.source.weight)
        add_layers("encoder", net.encoder, False)
    if net.positions == "learned":
        add("source.place", net.source_place.weight)
        add("target.place", net.target_place.weight)
    if not net.tied:
        add("head.w", net.head.weight)
        add("head.b", net.head.bias)
    path = pathlib.Path(__file__).with_name(f"transformer-{name}.safetensors")
    save_file({k: v.detach().contiguous() for k, v in golden.items()}, path)
    print(f"{path.name}: {len(golden)} tensors, loss {loss.item():.6f}, torch {torch.__version__}")


for name, network in NETWORKS.items():
    write(name, network)

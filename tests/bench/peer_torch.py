"""Measures the training step of bench.c in PyTorch, at the same sizes: prints one line of JSON.

    python3 tests/bench/peer_torch.py --model rnn --size class --threads 1 --seconds 2

--cell, --optim and --compile choose between PyTorch's variants. The defaults are the fastest found on a CPU. A
scripted loop over the steps of a tanh network was 0 to 9 % faster than nn.RNN. The fused AdamW was up to 10 %
faster than the others; torch.compile was slower. nn.LSTM and nn.GRU have no variant.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn

SIZES = {  # as in the table of bench.c
    ("rnn", "class"): dict(B=32, T=64, C=128, H=128, V=65),
    ("rnn", "large"): dict(B=64, T=64, C=512, H=512, V=256),
}
SIZES |= {(m, size): s for m in ("lstm", "gru") for (_, size), s in list(SIZES.items())}
SIZES |= {(m, "pairs"): dict(B=32, T=20, C=128, H=128, V=24) for m in ("none", "additive", "dot")}
SIZES |= {(m, "write"): dict(B=1, T=20, C=128, H=128, V=24) for m in ("none", "additive", "dot")}
SIZES |= {
    ("transf", "pairs"): dict(B=32, T=20, C=128, H=4, V=24),
    ("transf", "base"): dict(B=8, T=128, C=512, H=8, V=256),
    ("transf", "write"): dict(B=1, T=20, C=128, H=4, V=24),
    ("gpt", "nano"): dict(B=12, T=64, C=128, H=4, V=65, layers=4),
    ("gpt", "mid"): dict(B=8, T=256, C=384, H=6, V=65, layers=6),
    ("gpt", "124M"): dict(B=4, T=64, C=768, H=12, V=50257, layers=12),
}
WARM_UPS, MIN_STEPS = 5, 3


class Steps(nn.Module):
    """nn.RNN as a loop: one product for the inputs of all steps, then h u step by step."""

    def __init__(self, C: int, H: int):
        super().__init__()
        self.w, self.u = nn.Linear(C, H), nn.Linear(H, H, bias=False)

    def forward(self, x):
        z = self.w(x)
        h = torch.zeros_like(z[0])
        states = []
        for zt in z.unbind(0):
            h = torch.tanh(torch.addmm(zt, h, self.u.weight.t()))
            states.append(h)
        return torch.stack(states)


class CharRnn(nn.Module):
    """Embedding, one recurrent layer, Linear. For a tanh network the cell "torch" is nn.RNN, any other is
    Steps."""

    def __init__(self, model, cell, C, H, V):
        super().__init__()
        self.embed, self.head = nn.Embedding(V, C), nn.Linear(H, V)
        steps = model == "rnn" and cell != "torch"
        self.rnn = Steps(C, H) if steps else {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[model](C, H)
        if steps and cell == "script":
            self.rnn = torch.jit.script(self.rnn)
        self.returns_state = not steps

    def forward(self, x):
        h = self.rnn(self.embed(x))
        return self.head(h[0] if self.returns_state else h)


class Seq2seq(nn.Module):
    """A bidirectional nn.GRU as encoder, an nn.GRU as decoder. Without attention and with dot attention the
    decoder is one nn.GRU call for all steps; additive attention feeds its context back, so it needs a loop.
    All sources have the same length here, so nothing is masked."""

    def __init__(self, attention, C, H, V):
        super().__init__()
        self.attention = attention
        self.source, self.target, self.head = nn.Embedding(V, C), nn.Embedding(V, C), nn.Linear(H, V)
        self.encoder = nn.GRU(C, H // 2, bidirectional=True)
        if attention == "additive":
            self.decoder = nn.GRUCell(C + H, H)
            self.query, self.key = nn.Linear(H, H, bias=False), nn.Linear(H, H, bias=False)
            self.score = nn.Linear(H, 1, bias=False)
        else:
            self.decoder = nn.GRU(C, H)
        if attention != "none":
            self.out = nn.Linear(2 * H, H)

    def forward(self, s, x):
        memory, state = self.encoder(self.source(s))
        y, h = self.target(x), torch.cat([state[0], state[1]], -1)
        if self.attention == "none":
            return self.head(self.decoder(y, h[None])[0])
        if self.attention == "dot":
            h = self.decoder(y, h[None])[0].transpose(0, 1)
            memory = memory.transpose(0, 1)
            c = torch.bmm(torch.bmm(h, memory.transpose(1, 2)).softmax(-1), memory)
            return self.head(torch.tanh(self.out(torch.cat([c, h], -1)))).transpose(0, 1)
        memory = memory.transpose(0, 1).contiguous()
        key, hs, cs = self.key(memory), [], []
        for yt in y.unbind(0):
            e = self.score(torch.tanh(self.query(h)[:, None] + key)).squeeze(-1)
            c = torch.bmm(e.softmax(-1)[:, None], memory).squeeze(1)
            h = self.decoder(torch.cat([yt, c], -1), h)
            hs.append(h)
            cs.append(c)
        return self.head(torch.tanh(self.out(torch.cat([torch.stack(cs), torch.stack(hs)], -1))))

    @torch.inference_mode()
    def write(self, s, T):
        """Decodes T tokens greedily from one source."""
        memory, state = self.encoder(self.source(s))
        h = torch.cat([state[0], state[1]], -1)
        memory = memory.transpose(0, 1)
        key = self.key(memory) if self.attention == "additive" else memory
        y, out = torch.ones(1, dtype=torch.long), []
        for _ in range(T):
            e = self.target(y)
            if self.attention == "additive":
                p = self.score(torch.tanh(self.query(h)[:, None] + key)).squeeze(-1).softmax(-1)
                c = torch.bmm(p[:, None], memory).squeeze(1)
                h = self.decoder(torch.cat([e, c], -1), h)
            else:
                h = self.decoder(e[None], h[None])[1][0]
            if self.attention == "dot":
                c = torch.bmm(torch.bmm(h[:, None], key.transpose(1, 2)).softmax(-1), memory).squeeze(1)
            r = h if self.attention == "none" else torch.tanh(self.out(torch.cat([c, h], -1)))
            y = self.head(r).argmax(-1)
            out.append(y)
        return torch.stack(out)


class Transformer(nn.Module):
    """nn.Transformer with 2 and 2 layers, without sinusoids: they would cost no time here."""

    def __init__(self, C, H, V):
        super().__init__()
        self.source, self.target = nn.Embedding(V, C), nn.Embedding(V, C)
        self.net = nn.Transformer(C, H, 2, 2, 4 * C, dropout=0.0, batch_first=True)

    def forward(self, s, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[0])
        y = self.net(self.source(s.t()), self.target(x.t()), tgt_mask=mask, tgt_is_causal=True)
        return (y @ self.target.weight.t()).transpose(0, 1)

    @torch.inference_mode()
    def write(self, s, T):
        """Decodes T tokens greedily from one source; the decoder reads all of them again at every step."""
        memory = self.net.encoder(self.source(s.t()))
        out = torch.ones(1, 1, dtype=torch.long)
        for t in range(T):
            mask = nn.Transformer.generate_square_subsequent_mask(t + 1)
            y = self.net.decoder(self.target(out), memory, tgt_mask=mask, tgt_is_causal=True)
            out = torch.cat([out, (y[:, -1] @ self.target.weight.t()).argmax(-1, keepdim=True)], 1)
        return out


class Block(nn.Module):
    def __init__(self, C, H):
        super().__init__()
        self.H, self.norm1, self.norm2 = H, nn.LayerNorm(C), nn.LayerNorm(C)
        self.qkv, self.out = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.up, self.down, self.gelu = nn.Linear(C, 4 * C), nn.Linear(4 * C, C), nn.GELU(approximate="tanh")

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = (a.view(B, T, self.H, -1).transpose(1, 2) for a in self.qkv(self.norm1(x)).split(C, 2))
        a = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(a.transpose(1, 2).reshape(B, T, C))
        return x + self.down(self.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    """nanoGPT's form of GPT-2: one product for queries, keys and values, and fused attention."""

    def __init__(self, C, H, V, T, layers):
        super().__init__()
        self.word, self.position, self.norm = nn.Embedding(V, C), nn.Embedding(T, C), nn.LayerNorm(C)
        self.blocks = nn.Sequential(*(Block(C, H) for _ in range(layers)))
        for p in self.parameters():
            nn.init.normal_(p, std=0.02) if p.dim() > 1 else None

    def forward(self, x):
        y = self.word(x.t()) + self.position.weight
        return (self.norm(self.blocks(y)) @ self.word.weight.t()).transpose(0, 1)


def adamw(parameters, kind):
    options = dict(lr=1e-3, betas=(0.9, 0.99), weight_decay=0.01)
    try:
        return torch.optim.AdamW(parameters, fused=kind == "fused", foreach=kind == "foreach", **options)
    except RuntimeError:  # before 2.4 the fused form was for GPUs only
        return torch.optim.AdamW(parameters, foreach=True, **options)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="rnn", choices=sorted({m for m, _ in SIZES}))
    parser.add_argument("--size", default="class", choices=sorted({s for _, s in SIZES}))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--cell", default="script", choices=["torch", "steps", "script"])
    parser.add_argument("--optim", default="fused", choices=["fused", "foreach", "plain"])
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--list", action="store_true", help="print the models and sizes there are")
    return parser.parse_args()


def main():
    a = options()
    if a.list:
        print("\n".join(" ".join(key) for key in SIZES))
        return

    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    s = SIZES[a.model, a.size]
    B, T, V = s["B"], s["T"], s["V"]
    pairs = a.size in ("pairs", "write", "base")
    if a.model == "gpt":
        model = Gpt(s["C"], s["H"], V, T, s["layers"])
    elif a.model == "transf":
        model = Transformer(s["C"], s["H"], V)
    else:
        model = Seq2seq(a.model, s["C"], s["H"], V) if pairs else CharRnn(a.model, a.cell, s["C"], s["H"], V)
    parameters = list(model.parameters())
    optimizer = adamw(parameters, a.optim)
    x, y = torch.randint(V, (T, B)), torch.randint(V, (T * B,))
    inputs = (torch.randint(V, (T, B)), x) if pairs else (x,)

    def loss_of(inputs, y):
        return nn.functional.cross_entropy(model(*inputs).reshape(T * B, V), y)

    if a.compile:
        loss_of = torch.compile(loss_of)

    def update():
        loss = loss_of(inputs, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    if a.size == "write":
        def update():
            model.write(inputs[0], T)

    for _ in range(WARM_UPS):
        update()
    took, end = [], time.perf_counter() + a.seconds
    while len(took) < MIN_STEPS or time.perf_counter() < end:
        before = time.perf_counter()
        update()
        took.append(time.perf_counter() - before)
    print(json.dumps({
        "model": a.model, "size": a.size, "threads": a.threads,
        "tokens_per_second": round(T * B / min(took)),
        "tokens_per_second_median": round(T * B / statistics.median(took)),
        "torch": torch.__version__,
    }))


if __name__ == "__main__":
    main()

"""Makes models as PyTorch stores them, for `eval --import`: writes rnn, lstm and gru.safetensors, vocab.json,
text.txt and losses.txt into the folder weights/ beside this file.

    python3 tests/golden/weights.py          (any Python with torch, numpy and safetensors)

Each model is nn.Embedding, a two-layer nn.RNN, nn.LSTM or nn.GRU, and nn.Linear, with random weights and with
names of its own. losses.txt has a line for each model: the cell, and the mean loss in nats for every next
character of text.txt from a zero state, computed in double.
"""

import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

C, H, LAYERS = 5, 6, 2
TEXT = "a state that every token changes carries order: what came, and when.\n" * 3

torch.manual_seed(1337)
torch.set_default_dtype(torch.float64)
folder = pathlib.Path(__file__).parent / "weights"
folder.mkdir(exist_ok=True)

symbols = sorted(set(TEXT))
ids = {c: (7 * i + 3) % len(symbols) for i, c in enumerate(symbols)}  # an arbitrary order
assert len(set(ids.values())) == len(symbols)
(folder / "vocab.json").write_text(json.dumps(ids))
(folder / "text.txt").write_text(TEXT)


class Net(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.emb = nn.Embedding(len(symbols), C)
        self.cell = cell(C, H, LAYERS)
        self.out = nn.Linear(H, len(symbols))

    def forward(self, x):
        return self.out(self.cell(self.emb(x))[0])


x = torch.tensor([ids[c] for c in TEXT])
lines = []
for name, cell in [("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)]:
    net = Net(cell)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_((0.7 * torch.randn(p.shape)).float().double())
        loss = nn.functional.cross_entropy(net(x[:-1, None])[:, 0], x[1:]).item()
    save_file({k: v.float().contiguous() for k, v in net.state_dict().items()}, folder / f"{name}.safetensors")
    lines.append(f"{name} {loss:.6f}")
(folder / "losses.txt").write_text("\n".join(lines) + "\n")
print("\n".join(lines))

"""Computes golden values of rotary positions and of attention with slopes by PyTorch: writes
positions.safetensors beside this file.

    python3 tests/golden/positions.py          (any Python with torch, numpy and safetensors)

Case rotary: x (B,T,C) with 3 heads, rotated from position 5 on as in LLaMA's published code: two neighbouring
columns are a complex number, which is multiplied by another. Cases alibi and sided: attention with 2 heads,
q k v (B,T,C), and a matrix of -slope |t - s| added to the scores; slope (2,heads) for keys before and after the
step. With random r the gradients d* are those of sum(r * y). Computed in double from values that a float holds
exactly.
"""

import math
import pathlib

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

torch.manual_seed(1337)
torch.set_default_dtype(torch.float64)
golden = {}


def draw(*shape):
    return torch.randn(shape).float().double()


def rotary(heads, first, B, T, C):
    x, r, D = draw(B, T, C).requires_grad_(), draw(B, T, C), C // heads
    w = 1 / 10000 ** (torch.arange(0, D, 2) / D)
    angle = torch.outer(torch.arange(first, first + T).double(), w)
    turn = torch.polar(torch.ones_like(angle), angle)
    pairs = torch.view_as_complex(x.view(B, T, heads, D // 2, 2))
    y = torch.view_as_real(pairs * turn[None, :, None]).reshape(B, T, C)
    (r * y).sum().backward()
    golden.update({"rotary.x": x, "rotary.r": r, "rotary.y": y, "rotary.dx": x.grad})


def attention(name, slope, causal, B, T, C):
    heads = slope.shape[1]
    q, k, v = (draw(B, T, C).requires_grad_() for _ in range(3))
    r = draw(B, T, C)
    d = torch.arange(T)[:, None] - torch.arange(T)  # the distance of key s before step t
    bias = torch.zeros(heads, T, T)
    for h in range(heads):
        bias[h][d > 0] = (-slope[0, h] * d)[d > 0]
        bias[h][d < 0] = (slope[1, h] * d)[d < 0]
    if causal:
        bias[:, d < 0] = -math.inf
    apart = [x.view(B, T, heads, C // heads).transpose(1, 2) for x in (q, k, v)]
    y = F.scaled_dot_product_attention(*apart, attn_mask=bias).transpose(1, 2).reshape(B, T, C)
    (r * y).sum().backward()
    golden.update({f"{name}.{w}": t for w, t in zip("qkvyr", (q, k, v, y, r))})
    golden.update({f"{name}.d{w}": t.grad for w, t in zip("qkv", (q, k, v))} | {f"{name}.slope": slope})


rotary(3, 5, 2, 6, 12)
attention("alibi", torch.tensor([[0.25, 0.0625], [0.25, 0.0625]]), True, 2, 9, 8)
attention("sided", torch.tensor([[0.25, math.inf], [math.inf, 0.5]]), False, 2, 7, 12)

path = pathlib.Path(__file__).with_suffix(".safetensors")
save_file({k: v.detach().clone().contiguous() for k, v in golden.items()}, path)
print(f"{path.name}: {len(golden)} tensors, torch {torch.__version__}")

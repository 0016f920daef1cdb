"""Computes golden values of attention and label smoothing by PyTorch: writes attention.safetensors beside
this file.

    python3 tests/golden/attention.py          (any Python with torch, numpy and safetensors)

Case NAME has inputs NAME.q (B,T,C), NAME.k and NAME.v (B,S,C), output NAME.y, and for the loss
sum(r * y) with random NAME.r the gradients NAME.dq, NAME.dk, NAME.dv. If some keys are padding, NAME.len
(B) is the number of true keys. multihead is nn.MultiheadAttention: multihead.x (B,T,C) attends to
multihead.m (B,S,C), with projections NAME.w_* (C,C), transposed like ours, and NAME.b_*; its gradients
are NAME.dx and so on. Computed in double from values that a float holds exactly.
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

torch.manual_seed(1337)
torch.set_default_dtype(torch.float64)
golden = {}


def as_float(t):
    """Returns the values rounded to floats."""
    return t.float().double()


def draw(*shape, scale=1.0):
    return as_float(scale * torch.randn(shape))


def attention(name, T, S, C, heads, causal=False, lengths=None):
    B = len(lengths) if lengths else 2
    q, k, v = (draw(B, n, C, scale=1.5).requires_grad_() for n in (T, S, S))
    mask = torch.ones(B, 1, T, S, dtype=torch.bool)
    if causal:  # the last step sees all keys
        mask &= torch.ones(T, S, dtype=torch.bool).tril(S - T)
    if lengths:
        mask &= (torch.arange(S) < torch.tensor(lengths)[:, None])[:, None, None]
        golden[f"{name}.len"] = torch.tensor(lengths).int()
    apart = [x.view(B, -1, heads, C // heads).transpose(1, 2) for x in (q, k, v)]
    if causal and T == S and not lengths:
        y = F.scaled_dot_product_attention(*apart, is_causal=True)
    else:
        y = F.scaled_dot_product_attention(*apart, attn_mask=mask)
    y = y.transpose(1, 2).reshape(B, T, C)
    r = draw(B, T, C)
    (r * y).sum().backward()
    golden.update({f"{name}.{w}": t for w, t in zip("qkvyr", (q, k, v, y, r))})
    golden.update({f"{name}.d{w}": t.grad for w, t in zip("qkv", (q, k, v))})


attention("plain", 5, 7, 12, 3)
attention("causal", 9, 9, 8, 2, causal=True)
attention("padded", 4, 6, 10, 2, lengths=[6, 3, 1])
attention("causal_padded", 8, 8, 8, 1, causal=True, lengths=[8, 5])
attention("cached", 3, 20, 16, 4, causal=True)

B, T, S, C, H = 2, 5, 7, 12, 3
mha = torch.nn.MultiheadAttention(C, H, batch_first=True)
with torch.no_grad():
    for p in mha.parameters():
        p.copy_(draw(*p.shape, scale=0.4))
x, m, r = draw(B, T, C).requires_grad_(), draw(B, S, C).requires_grad_(), draw(B, T, C)
y = mha(x, m, m, need_weights=False)[0]
(r * y).sum().backward()
golden |= {"multihead.x": x, "multihead.m": m, "multihead.y": y, "multihead.r": r}
golden |= {"multihead.dx": x.grad, "multihead.dm": m.grad}
grads = mha.in_proj_weight.grad, mha.in_proj_bias.grad
for d, weights, biases in (("", mha.in_proj_weight, mha.in_proj_bias), ("d", *grads)):
    for name, w, b in zip("qkv", weights.chunk(3), biases.chunk(3)):
        golden |= {f"multihead.{d}w_{name}": w.t(), f"multihead.{d}b_{name}": b}
out = mha.out_proj
golden |= {"multihead.w_out": out.weight.t(), "multihead.b_out": out.bias}
golden |= {"multihead.dw_out": out.weight.grad.t(), "multihead.db_out": out.bias.grad}

targets = torch.tensor([0, 8, -1, 3, 3, -1, 5])
z = draw(7, 9, scale=3).requires_grad_()
y = F.cross_entropy(z, targets, ignore_index=-1, label_smoothing=0.1).view(1)
y.backward()
golden |= {"smoothed.z": z, "smoothed.y": y, "smoothed.dz": z.grad, "smoothed.targets": targets.int()}

path = pathlib.Path(__file__).with_suffix(".safetensors")
save_file({k: v.detach().clone().contiguous() for k, v in golden.items()}, path)
print(f"{path.name}: {len(golden)} tensors, torch {torch.__version__}")

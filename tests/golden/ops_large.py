"""Computes golden values of the ops that large language models add by PyTorch: writes ops_large.safetensors
beside this file.

    python3 tests/golden/ops_large.py          (any Python with torch, numpy and safetensors)

Names and precision as in ops.py.
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


def op(name, function, *inputs):
    inputs = [x.clone().requires_grad_() for x in inputs]
    y = function(*inputs)
    r = draw(*y.shape)
    (r * y).sum().backward()
    golden[f"{name}.y"], golden[f"{name}.r"] = y, r
    for i, x in enumerate(inputs):
        golden[f"{name}.in{i}"], golden[f"{name}.d{i}"] = x, x.grad


# --- pointwise ------------------------------------------------------------------------------------
wide = as_float(torch.linspace(-6, 6, 97)).view(1, 97)
op("silu", F.silu, wide)
op("log_sigmoid", F.logsigmoid, wide)
op("exp", torch.exp, wide / 4)
op("min", torch.minimum, torch.tensor([1.0, 2, 3, -1]), torch.tensor([2.0, 2, 1, -1]))
# without the bounds themselves, where versions of PyTorch differ
op("clamp", lambda x: torch.clamp(x, -1, 2), torch.tensor([-2.0, -0.5, 0, 1.5, 3]))
op("swiglu", lambda a, b: F.silu(a) * b, draw(2, 5, 7, scale=2), draw(2, 5, 7))

# --- rows -----------------------------------------------------------------------------------------
op("layernorm", lambda x, g, b: F.layer_norm(x, (10,), g, b, eps=0.1), draw(4, 3, 10), draw(10), draw(10))
op("rmsnorm", lambda x, g: F.rms_norm(x, (10,), g, eps=0.1), draw(4, 3, 10, scale=0.5), draw(10))
op("l2_normalize", lambda x: F.normalize(x, dim=-1, eps=2.5), draw(4, 3, 7))
op("linear_gelu", lambda x, w, b: F.gelu(x @ w + b), draw(2, 5, 7), draw(7, 3), draw(3))
op("linear_gelu_tanh", lambda x, w, b: F.gelu(x @ w + b, approximate="tanh"), draw(2, 5, 7), draw(7, 3), draw(3))
rows = torch.tensor([4, 0, 4, 9])
op("gather", lambda x: x.view(-1, 3)[rows], draw(2, 5, 3))
golden["gather.rows"] = rows.int()

# --- losses: a target of -1 is not scored -----------------------------------------------------------
targets = torch.tensor([0, 8, -1, 3, 3, -1, 5])
weight = as_float(torch.rand(7))


def log_prob(z):
    picked = F.log_softmax(z, dim=-1).gather(1, targets.clamp(min=0).unsqueeze(1)).squeeze(1)
    return torch.where(targets >= 0, picked, 0)


op("log_prob", log_prob, draw(7, 9, scale=3))
op("cross_entropy_weighted", lambda z: (-(weight * log_prob(z)).sum() / weight[targets >= 0].sum()).view(1), draw(7, 9, scale=3))
golden |= {"log_prob.targets": targets.int(), "cross_entropy_weighted.weight": weight}


# --- rotary positions: Hugging Face's modeling_llama.py, x (B,T,heads*D) ------------------------------
def rotate_half(x):
    x1, x2 = x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def rotary(x, heads, first, base, linear=1.0):
    B, T, C = x.shape
    D = C // heads
    inv_freq = 1.0 / (base ** (torch.arange(0, D, 2).double() / D)) / linear
    freqs = torch.outer(torch.arange(first, first + T).double(), inv_freq)
    emb = torch.cat((freqs, freqs), dim=-1).unsqueeze(1)
    x = x.view(B, T, heads, D)
    return (x * emb.cos() + rotate_half(x) * emb.sin()).view(B, T, C)


op("rotary_halves", lambda x: rotary(x, 3, 5, 500000.0), draw(2, 4, 24))
op("rotary_linear", lambda x: rotary(x, 2, 9, 10000.0, linear=4.0), draw(2, 4, 12))
# NTK-aware scaling by 4, as transformers' dynamic NTK computes its base
op("rotary_ntk", lambda x: rotary(x, 2, 9, 10000.0 * 4 ** (6 / (6 - 2))), draw(2, 4, 12))


# --- attention: grouped keys, a causal window; q (B,T,heads*D), k and v (B,S,kv*D) ---------------------
def attention(heads, kv, mask):
    def function(q, k, v):
        def cut(x, n):
            return x.view(x.shape[0], x.shape[1], n, -1).transpose(1, 2)

        y = F.scaled_dot_product_attention(cut(q, heads), cut(k, kv), cut(v, kv), attn_mask=mask, enable_gqa=True)
        return y.transpose(1, 2).reshape(q.shape)

    return function


def window(T, S, n):
    """Step t has the position of key t + S - T, and sees that key and the n - 1 keys before it."""
    here, s = torch.arange(T).view(T, 1) + S - T, torch.arange(S)
    return (s <= here) & (s > here - n)


op("attention_grouped", attention(6, 2, None), draw(2, 5, 24), draw(2, 7, 8), draw(2, 7, 8))
op("attention_window", attention(2, 1, window(40, 45, 9)), draw(1, 40, 6), draw(1, 45, 3), draw(1, 45, 3))

path = pathlib.Path(__file__).with_suffix(".safetensors")
save_file({k: v.detach().clone().contiguous() for k, v in golden.items()}, path)
print(f"{path.name}: {len(golden)} tensors, torch {torch.__version__}")

"""Computes golden values of single ops, optimisers and clipping by PyTorch: writes ops.safetensors beside
this file.

    python3 tests/golden/ops.py          (any Python with torch, numpy and safetensors)

Op NAME has inputs NAME.in0, NAME.in1, ..., output NAME.y, and for the loss sum(r * y) with random
NAME.r the gradients NAME.d0, NAME.d1, ... Computed in double from values that a float holds exactly.
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


# --- pointwise, on a range that includes both flat ends ------------------------------------------
wide = as_float(torch.linspace(-6, 6, 97)).view(1, 97)
op("tanh", torch.tanh, wide)
op("sigmoid", torch.sigmoid, wide)
op("relu", torch.relu, wide + 1 / 32)  # not at 0, where PyTorch's slope differs from ours
op("gelu", F.gelu, wide)
op("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), wide)
golden["erf.x"], golden["erf.y"] = wide, torch.erf(wide)

# --- rows, products -------------------------------------------------------------------------------
op("softmax", lambda x: F.softmax(x, dim=-1), draw(4, 3, 9, scale=3))
op("layernorm", lambda x, g, b: F.layer_norm(x, (10,), g, b), draw(4, 3, 10, scale=2) + 1, draw(10), draw(10))
op("matmul", torch.matmul, draw(2, 5, 7), draw(7, 3))
op("linear", lambda x, w, b: x @ w + b, draw(2, 5, 7), draw(7, 3), draw(3))
op("bmm", torch.bmm, draw(3, 4, 5), draw(3, 5, 2))

# --- losses ---------------------------------------------------------------------------------------
ids = torch.tensor([[4, 0, 2], [2, 2, 1]])
op("embed", lambda w: F.embedding(ids, w), draw(5, 4))
golden["embed.ids"] = ids.int()

targets = torch.tensor([0, 8, -1, 3, 3, -1, 5])
op("cross_entropy", lambda z: F.cross_entropy(z, targets, ignore_index=-1).view(1), draw(7, 9, scale=3))
golden["cross_entropy.targets"] = targets.int()

goal = draw(6, 1)
op("mse", lambda y: F.mse_loss(y, goal).view(1), draw(6, 1))
golden["mse.goal"] = goal

# --- optimisers: five steps with given gradients; only the matrix decays ----------------------------
STEPS = 5
w0, b0, dw, db = draw(4, 3), draw(5), draw(STEPS, 4, 3), draw(STEPS, 5)
golden |= {"optim.w0": w0, "optim.b0": b0, "optim.dw": dw, "optim.db": db}


def five_steps(name, make):
    w, b = w0.clone().requires_grad_(), b0.clone().requires_grad_()
    optimizer, ws, bs = make(w, b), [], []
    for step in range(STEPS):
        w.grad, b.grad = dw[step].clone(), db[step].clone()
        optimizer.step()
        ws.append(w.detach().clone())
        bs.append(b.detach().clone())
    golden[f"{name}.w"], golden[f"{name}.b"] = torch.stack(ws), torch.stack(bs)


five_steps(
    "adamw",
    lambda w, b: torch.optim.AdamW(
        [{"params": [w], "weight_decay": 0.1}, {"params": [b], "weight_decay": 0.0}],
        lr=0.02,
        betas=(0.9, 0.98),
    ),
)
five_steps("sgd", lambda w, b: torch.optim.SGD([w, b], lr=0.02, momentum=0.9))

# --- clipping the gradients of step 0 to a joint norm of 1 ------------------------------------------
w, b = w0.clone().requires_grad_(), b0.clone().requires_grad_()
w.grad, b.grad = dw[0].clone(), db[0].clone()
golden["clip.norm"] = torch.nn.utils.clip_grad_norm_([w, b], 1.0).view(1)
golden["clip.dw"], golden["clip.db"] = w.grad, b.grad

path = pathlib.Path(__file__).with_suffix(".safetensors")
save_file({k: v.detach().clone().contiguous() for k, v in golden.items()}, path)
print(f"{path.name}: {len(golden)} tensors, torch {torch.__version__}")

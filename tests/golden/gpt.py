"""Computes golden values of GPT-2 and GPT-1 by Hugging Face's transformers: writes gpt-NAME.safetensors beside this
file, one for each network in NETWORKS.

    python3 tests/golden/gpt.py      (any Python with torch, transformers, numpy and safetensors)

It also writes the folders gpt-NAME-hf/, the same networks as save_pretrained writes them.

The networks are GPT2LMHeadModel and OpenAIGPTLMHeadModel with random weights. The files hold the weights, the logits
of every step, the loss and its gradients for every parameter, in the layout and with the names of gpt/gpt.c.

Computed in double from values that a float holds exactly.
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, OpenAIGPTConfig, OpenAIGPTLMHeadModel

B, T, V, C, H, LAYERS, CONTEXT = 3, 7, 11, 8, 2, 2, 9
IGNORED = -100
SIZES = dict(vocab_size=V, bos_token_id=None, eos_token_id=None, n_positions=CONTEXT, n_embd=C, n_head=H, n_layer=LAYERS)
DROPOUT = dict(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
NETWORKS = {
    "gpt1": lambda: OpenAIGPTLMHeadModel(OpenAIGPTConfig(**SIZES, **DROPOUT)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(**SIZES, **DROPOUT)),
    "untied": lambda: GPT2LMHeadModel(
        GPT2Config(**SIZES, **DROPOUT, activation_function="gelu", tie_word_embeddings=False)
    ),
}

torch.set_default_dtype(torch.float64)


def names_of(net):
    """Returns (our name, parameter, columns) for every parameter; Conv1D has our orientation, (in,out)."""
    body, is_1 = net.transformer, isinstance(net, OpenAIGPTLMHeadModel)
    names = [
        ("word", body.tokens_embed.weight if is_1 else body.wte.weight, None),
        ("position", body.positions_embed.weight if is_1 else body.wpe.weight, None),
    ]
    for i, h in enumerate(body.h):
        key = f"block{i}."
        for j, part in enumerate("qkv"):
            columns = slice(j * C, (j + 1) * C)
            names += [(f"{key}{part}.w", h.attn.c_attn.weight, columns), (f"{key}{part}.b", h.attn.c_attn.bias, columns)]
        for part, layer in [("out", h.attn.c_proj), ("up", h.mlp.c_fc), ("down", h.mlp.c_proj)]:
            names += [(f"{key}{part}.w", layer.weight, None), (f"{key}{part}.b", layer.bias, None)]
        for part, n in [("norm1", h.ln_1), ("norm2", h.ln_2)]:
            names += [(f"{key}{part}.g", n.weight, None), (f"{key}{part}.b", n.bias, None)]
    if not is_1:
        names += [("norm.g", body.ln_f.weight, None), ("norm.b", body.ln_f.bias, None)]
    if net.lm_head.weight is not names[0][1]:
        names += [("head", net.lm_head.weight, None)]
    return names


def write(name, make):
    torch.manual_seed(1337)
    net = make().double().eval()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_((0.4 * torch.randn(p.shape)).float().double())
    ids = torch.randint(V, (B, T))
    targets = torch.randint(V, (B, T))
    targets[1, 5:] = IGNORED
    logits = net(ids).logits
    loss = nn.functional.cross_entropy(logits.reshape(B * T, V), targets.reshape(-1), ignore_index=IGNORED)
    loss.backward()
    targets[targets == IGNORED] = -1
    golden = {"logits": logits, "loss": loss.view(1), "ids": ids.int(), "targets": targets.int()}
    names = names_of(net)
    assert sum(p.numel() for p in net.parameters()) == sum(
        p.numel() if columns is None else p[..., columns].numel() for _, p, columns in names
    )
    for key, p, columns in names:
        cut = (lambda t: t) if columns is None else (lambda t: t[..., columns])
        golden[key], golden["grad." + key] = cut(p), cut(p.grad)
    path = pathlib.Path(__file__).with_name(f"gpt-{name}.safetensors")
    save_file({k: v.detach().clone().contiguous() for k, v in golden.items()}, path)
    net.float().save_pretrained(path.with_name(f"gpt-{name}-hf"))
    (path.with_name(f"gpt-{name}-hf") / "generation_config.json").unlink(missing_ok=True)
    print(f"{path.name}: {len(golden)} tensors, loss {loss.item():.6f}, torch {torch.__version__}")


for name, make in NETWORKS.items():
    write(name, make)

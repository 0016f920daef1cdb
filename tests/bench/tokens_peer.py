"""Measures byte-level BPE in tiktoken and in Hugging Face's tokenizers, on one thread: prints one line of JSON.

    python3 tests/bench/tokens_peer.py tiktoken TEXT DIRECTORY MEGABYTES
    python3 tests/bench/tokens_peer.py tokenizers TEXT DIRECTORY MEGABYTES
    python3 tests/bench/tokens_peer.py learn TEXT VOCABULARY

DIRECTORY has GPT-2's encoder.json and vocab.bpe. Both libraries encode the text, repeated to MEGABYTES, as one string.
"learn" trains the tokenizers library. Packages: tiktoken, tokenizers.
"""

import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"


def byte_characters():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(others)}


def tiktoken_encoder(vocab):
    import tiktoken

    byte = byte_characters()
    ranks = {bytes(byte[c] for c in t): i for t, i in vocab.items() if t != "<|endoftext|>"}
    pattern = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
    encoding = tiktoken.Encoding("gpt2", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return encoding.encode_ordinary


def tokenizers_encoder(vocab, merges):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return lambda text: tokenizer.encode(text).ids


def learn(path, size):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False, initial_alphabet=alphabet)
    start = time.perf_counter()
    tokenizer.train([path], trainer)
    print(json.dumps({"learn_seconds": time.perf_counter() - start, "vocabulary": tokenizer.get_vocab_size()}))


def encode(library, path, directory, megabytes):
    with open(os.path.join(directory, "encoder.json"), encoding="utf-8") as f:
        vocab = json.load(f)
    with open(os.path.join(directory, "vocab.bpe"), encoding="utf-8") as f:
        merges = [tuple(line.split()) for line in f.read().split("\n")[1:] if line]
    encoder = tiktoken_encoder(vocab) if library == "tiktoken" else tokenizers_encoder(vocab, merges)
    with open(path, encoding="utf-8", newline="") as f:
        text = f.read()
    size = len(text.encode())
    times = int(megabytes * 1e6 / size) + 1
    start = time.perf_counter()
    ids = encoder(text * times)
    seconds = time.perf_counter() - start
    print(json.dumps({"mb_per_second": size * times / 1e6 / seconds, "ids": len(ids)}))


if sys.argv[1] == "learn":
    learn(sys.argv[2], int(sys.argv[3]))
else:
    encode(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))

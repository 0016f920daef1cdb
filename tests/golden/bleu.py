"""Writes bleu.json: sacreBLEU's tokens and scores of difficult sentences, for tests/test_metrics.c.

python3 -m venv v && v/bin/pip install sacrebleu==2.6.0 && v/bin/python tests/golden/bleu.py
"""

import json
import os
import random

from sacrebleu.metrics import BLEU

TOKENIZERS = ["13a", "char", "none"]

# The characters that str.split() splits at, and two at which it does not (zero width space, word joiner).
SPACES = [9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)]
SPACES += [0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
NO_SPACES = [0x200B, 0x2060]

LINES = [
    "", " ", "a", ".", "Hello, world!", "It costs 1,000.5 dollars.", "1,000", "1.5.", ".5", "5.", "a.b,c",
    "3.14,15", "U.S.A.", "e.g. this...", "a..b", ",,,", ".,.,", "1..2", "x.,1", "well-known", "1990-1995",
    "12-year-old", "--", "3--4", "- 5", "don't", "\"quoted\"", "'single'", "«Voilà», dit-elle ; n'est-ce pas ?",
    "l'été, c'est\u202fbeau\u00a0!", "déjà vu.", "été.2", "2.été", "안녕하세요, 세계!", "나는 1,000원을 냈다.", "한국어.한국어",
    "100%", "#1 @home & co", "a&amp;b &lt;c&gt; &quot;d&quot;", "&amp;lt;", "&apos;", "<skipped>", "a<skipped>b",
    "<skip<skipped>ped>", "end-\nof line", "line\nbreak", "end-\n", "tab\there", "  two  spaces  ", "(a[b]{c})",
    "http://x.org/a_b?c=1&d=~e", "$5.00", "5€", "…", "a—b", "back\\slash `tick` ^ | ~", "\u3000全角", "。，", "x\u0301.y",
    "🙂.🙂", "0-0.0,0-", "A.1.B,2,C-3-D",
]
LINES += ["".join(f"a{chr(c)}" for c in SPACES + NO_SPACES)]
LINES += [f"a-\n{chr(c)}" for c in SPACES] + [f"a-\n{chr(c)}b" for c in SPACES]

# Random lines of characters that the rules name.
rng = random.Random(1)
LINES += ["".join(rng.choice("ab17.,-'& é\n한") for _ in range(rng.randint(1, 24))) for _ in range(60)]

# Pairs: hypothesis, reference, a second reference.
PAIRS = [
    ("the cat is on the mat .", "there is a cat on the mat .", "the cat is on the mat"),
    ("It costs 1,000.5 dollars.", "It cost $1,000.5.", "The price is 1,000.5 dollars."),
    ("Voilà, l'été commence en juin !", "Voilà, l'été débute en juin !", "L'été, voilà, commence en juin."),
    ("나는 학교에 갔다.", "나는 어제 학교에 갔다.", "저는 학교에 갔습니다."),
    ("a well-known 12-year-old said \"yes\"", "the well-known 12-year-old said: \"yes\".", "\"yes\", said the boy"),
    ("", "nothing was said.", ""),
    ("Go.", "Go!", "Go."),
    ("the the the the the the the", "the cat is on the mat", "there is a cat on the mat"),
    ("a a b a a b a", "a b a a b", "b a a b a a"),
]
EQUAL = [(r, r, r) for _, r, _ in PAIRS]
CORPORA = {
    "all": PAIRS,
    "identical": EQUAL,
    "the seven": [PAIRS[7]],  # Papineni et al. 2002, example 2
    "short": [PAIRS[6]],
    "empty": [PAIRS[5]],
    "nothing in common": [("a b c d e", "f g h i j", "k")],
    "words but no pairs": [("a b c d e f", "f e d c b a", "a c e b d f")],
    "three words": [("a b c", "a b c", "a b d")],
    "long": [(h * 3, r * 2, s) for h, r, s in PAIRS],
    "brief": [("the cat is on", "the cat is on the mat today .", "the cat is on it")],
}


def scores(pairs, references):
    hypotheses = [p[0] for p in pairs]
    columns = [[p[1 + k] for p in pairs] for k in range(references)]
    for tokenizer in TOKENIZERS:
        for smoothing in ["exp", "none"]:
            metric = BLEU(tokenize=tokenizer, smooth_method=smoothing)
            s = metric.corpus_score(hypotheses, columns)
            signature = str(metric.get_signature()).rsplit("|", 1)[0]  # without the version
            yield {"tokenizer": tokenizer, "smoothing": smoothing, "references": references, "bleu": s.score,
                   "match": s.counts, "total": s.totals, "brevity": s.bp, "hypothesis_length": s.sys_len,
                   "reference_length": s.ref_len, "signature": signature}


def tokens(line):
    """Returns the metric's tokens: its preprocessing, then the split into the words of its n-grams."""
    return {t: " ".join(BLEU(tokenize=t)._preprocess_segment(line).split()) for t in TOKENIZERS}


golden = {
    "tokens": [{"line": line} | tokens(line) for line in LINES],
    "corpora": [{"name": name, "pairs": pairs, "scores": [*scores(pairs, 1), *scores(pairs, 2)]}
                for name, pairs in CORPORA.items()],
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bleu.json")
with open(path, "w", encoding="utf-8") as f:
    json.dump(golden, f, ensure_ascii=False, separators=(",", ":"))
    f.write("\n")

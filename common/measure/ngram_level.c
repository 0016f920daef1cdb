#include "measure/ngram_level.h"

#include <math.h>

#include "system/stop.h"

enum { NGRAM_LONGEST = 4, NGRAM_TOKENS = 1000000 };

double ngram_text_loss(const Ngram *m, const Text *t, Split split, int pad)
{
    double sum = 0, scored = 0;
    for (int i = 0; i < text_items(t, split); i++) {
        const TokenRange r = text_scored(t, split, i);
        for (int k = r.begin; k < r.end; k++) sum -= ngram_logp(m, t->ids[split], k, pad);
        scored += r.end - r.begin;
    }
    return scored > 0 ? sum / scored : (double)NAN;
}

NgramLevel ngram_level(const Data *d)
{
    NgramLevel best = {.loss = NAN};
    if (!d->is_text) return best;
    const Text *t = &d->text;
    const int all = t->n[SPLIT_TRAIN] - t->by_line; /* without the newline before the first line */
    const int train = all < NGRAM_TOKENS ? all : NGRAM_TOKENS;
    const int newline = tokenizer_id(&t->tokens, "\n");
    int first;
    const int V = text_outcomes(t, &first);
    for (int n = 1; n <= NGRAM_LONGEST && !stop_requested(); n++) {
        Ngram m = ngram_train(n, first, V, 0.1, t->ids[SPLIT_TRAIN] + t->by_line, train, newline);
        const double loss = ngram_text_loss(&m, t, SPLIT_VALID, newline);
        ngram_free(&m);
        if (n == 1 || loss < best.loss) best = (NgramLevel){n, loss, train};
    }
    return best;
}

#include "measure/ngram_level.h"

#include <math.h>

#include "measure/ngram.h"
#include "system/stop.h"

enum { NGRAM_LONGEST = 4, NGRAM_TOKENS = 1000000 };

NgramLevel ngram_level(const Data *d)
{
    NgramLevel best = {.loss = NAN};
    if (!d->is_text) return best;
    const Text *t = &d->text;
    const int train = t->n[SPLIT_TRAIN] < NGRAM_TOKENS ? t->n[SPLIT_TRAIN] : NGRAM_TOKENS;
    const int newline = tokenizer_id(&t->tokens, "\n");
    int first;
    const int V = text_outcomes(t, &first);
    for (int n = 1; n <= NGRAM_LONGEST && !stop_requested(); n++) {
        Ngram m = ngram_train(n, V, 0.1, t->ids[SPLIT_TRAIN], train, newline);
        const double loss = ngram_loss(&m, t->ids[SPLIT_VALID], t->n[SPLIT_VALID], newline);
        ngram_free(&m);
        if (n == 1 || loss < best.loss) best = (NgramLevel){n, loss};
    }
    return best;
}

/* A running text as streams, for models that carry a state: B cursors read B parts of the text, side by side. */
#include "data/text.h"

static void check_running(const Text *t, int T, int B)
{
    CHECK(!t->by_line, "text_stream: lines cannot be streamed");
    CHECK(T >= 1 && B >= 1, "text_stream: %d steps of %d cursors", T, B);
}

/* Returns the position where cursor b begins. It predicts the tokens after that position, up to the
 * begin of cursor b + 1; together the cursors predict every token except the first. */
static int64_t cursor_begin(const Text *t, Split split, int B, int b)
{
    return (int64_t)(t->n[split] - 1) * b / B;
}

/* Returns the steps of the cursor with the most tokens. */
static int64_t longest_way(const Text *t, Split split, int B)
{
    return ((int64_t)t->n[split] - 1 + B - 1) / B;
}

int text_stream_batches(const Text *text, Split split, int T, int B)
{
    check_running(text, T, B);
    return (int)((longest_way(text, split, B) + T - 1) / T);
}

void text_stream(const Text *text, Split split, int T, int B, int64_t *cursor, Batch *out)
{
    check_running(text, T, B);
    CHECK(*cursor >= 0, "text_stream: cursor %lld", (long long)*cursor);
    const Task shape = {.outputs = text->tokens.size};
    const int64_t targets = text->n[split] - 1, left = longest_way(text, split, B) - *cursor;
    const int *ids = text->ids[split];
    int steps = T;
    if (split != SPLIT_TRAIN && left < T) steps = left > 1 ? (int)left : 1;
    batch_resize(out, &shape, steps, B);
    for (int b = 0; b < B; b++) {
        const int64_t begin = cursor_begin(text, split, B, b) + *cursor;
        const int64_t end = split == SPLIT_TRAIN ? INT64_MAX : cursor_begin(text, split, B, b + 1);
        for (int t = 0; t < steps && begin + t < end; t++) {
            const int64_t at = (begin + t) % targets;
            out->x[batch_at(out, t, b)] = ids[at];
            out->y[batch_at(out, t, b)] = ids[at + 1];
        }
    }
    *cursor += T;
}

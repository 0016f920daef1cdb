#include "nn/cell.h"

#include <math.h>

const char *const cell_names[] = {[CELL_RNN] = "rnn", [CELL_LSTM] = "lstm", [CELL_GRU] = "gru"};

Cell cell_init(Params *ps, CellKind kind, int C, int H, const char *name)
{
    static const int blocks[] = {[CELL_RNN] = 1, [CELL_LSTM] = 4, [CELL_GRU] = 3};
    const int N = blocks[kind] * H;
    Cell cell = {.kind = kind, .H = H, .in = linear_init(ps, C, N, name)};
    cell.u = param(ps, SHAPE(H, N), 0, "%s.u", name);
    param_orthogonal_blocks(ps, cell.u, 1);
    if (kind == CELL_LSTM) param_fill_range(ps, cell.in.b, H, H, 1);
    return cell;
}

CellState cell_zeros(Tape *tp, const Cell *cell, int B)
{
    CellState s = {.h = tape_zeros(tp, SHAPE(B, cell->H))};
    if (cell->kind == CELL_LSTM) s.c = tape_zeros(tp, SHAPE(B, cell->H));
    return s;
}

Tensor *cell_inputs(Tape *tp, const Cell *cell, Tensor *x)
{
    return linear(tp, &cell->in, x);
}

SequenceInput cell_inputs_of_words(Tape *tp, const Cell *cell, Tensor *embed, const int *ids, int T,
                                   int B, real p, Rng *dropout)
{
    if (p == 0 && embed->shape.d[0] <= T * B)
        return sequence_of_ids(cell_inputs(tp, cell, embed), ids, T, B);
    Tensor *x = op_dropout(tp, op_embed(tp, embed, ids, SHAPE(T, B)), p, dropout); /* (T,B,C) */
    return sequence_of(cell_inputs(tp, cell, x));
}

/* Returns x at the last true step of each sequence: (T,B,H) -> (B,H). */
static Tensor *last_of(Tape *tp, Tensor *x, const int *len)
{
    const int T = x->shape.d[0], B = x->shape.d[1];
    if (!len) return op_rows(tp, x, T - 1, 1);
    int *last = tape_save(tp, (size_t)B * sizeof *last);
    for (int b = 0; b < B; b++) last[b] = len[b] - 1;
    return op_pick(tp, x, last);
}

Tensor *cell_run(Tape *tp, const Cell *cell, SequenceInput z, CellState *s, const int *len)
{
    Tensor *h, *c = NULL; /* (T,B,H) */
    if (cell->kind == CELL_LSTM) {
        Tensor *hc = op_lstm(tp, z, s->h, s->c, cell->u); /* (2,T,B,H) */
        h = op_rows(tp, hc, 0, 1);
        c = op_rows(tp, hc, 1, 1);
        s->c = last_of(tp, c, len);
    } else {
        h = cell->kind == CELL_RNN ? op_rnn(tp, z, s->h, cell->u)
                                   : op_gru_after(tp, z, s->h, cell->u, NULL);
    }
    s->h = last_of(tp, h, len);
    return h;
}

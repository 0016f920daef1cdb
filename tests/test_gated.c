/* The gated networks as a whole: they learn, cannot see later tokens, padding and batching change nothing,
 * and gradients through their states decay as the theory says. (Numbers against PyTorch's:
 * test_gated_golden.c. Gradients: double/models.c.) */
#include "models/model.h"
#include "reader.h"

#include "lstm_gru/gated.h"
#include "math/parallel.h"

enum { H = 12 };

static const Task task = {.vocab = V, .outputs = V};

/* Every kind of cell that a network can have. */
static const struct {
    GatedCell cell;
    GruReset reset;
    bool forget_gate, inner_bias;
} cells[] = {{GATED_LSTM, RESET_AFTER, true, false},
             {GATED_LSTM, RESET_AFTER, false, false},
             {GATED_GRU, RESET_AFTER, true, false},
             {GATED_GRU, RESET_AFTER, true, true},
             {GATED_GRU, RESET_BEFORE, true, false}};

static Gated small(Params *ps, int cell, int layers)
{
    GatedConfig c = gated_defaults();
    c.cell = cells[cell].cell, c.reset = cells[cell].reset;
    c.forget_gate = cells[cell].forget_gate, c.inner_bias = cells[cell].inner_bias;
    c.layers = layers, c.channels = 5, c.hidden = H;
    parallel_init(1);
    return gated_init(ps, &c, &task);
}

static Model of_two_layers(Params *ps, int cell)
{
    static Gated gated;
    gated = small(ps, cell, 2);
    return gated_model(&gated);
}

/* --- tests for every network that reads from left to right ---------------------------------------- */

START_TEST(overfits_one_batch)
{
    for (int c = 0; c < LEN(cells); c++) check_overfits(of_two_layers, c);
}
END_TEST

START_TEST(sees_nothing_ahead)
{
    for (int c = 0; c < LEN(cells); c++) check_sees_nothing_ahead(of_two_layers, c);
}
END_TEST

START_TEST(padding_changes_nothing)
{
    for (int c = 0; c < LEN(cells); c++) check_padding(of_two_layers, c);
}
END_TEST

START_TEST(a_carried_state_joins_two_halves)
{
    for (int c = 0; c < LEN(cells); c++) check_state(of_two_layers, c);
}
END_TEST

START_TEST(a_sequence_is_the_same_alone)
{
    for (int c = 0; c < LEN(cells); c++) check_alone(of_two_layers, c);
}
END_TEST

/* --- properties of the cells ---------------------------------------------------------------------- */

enum { STEPS = 51 };

static LagTrace trace_of(const Gated *m, bool ends_alone)
{
    int x[STEPS * B], y[STEPS * B];
    random_ids(x, STEPS * B, 1);
    random_ids(y, STEPS * B, 2);
    for (int i = 0; i < (STEPS - 1) * B && ends_alone; i++) y[i] = -1;
    return gated_trace_lags(m, &(Batch){.T = STEPS, .B = B, .x = x, .y = y});
}

/* If all weights of the cell are 0, f is the sigmoid of its bias in every step, and |dL/dc| falls by that
 * factor: 0.5^50 with a bias of 0, 0.7311^50 with 1. Without a forget gate it does not fall. */
static void check_decay(int cell, double forget_bias, double factor)
{
    Params ps = params_init(6);
    const Gated m = small(&ps, cell, 1);
    const LstmLayer *l = &m.lstm[0];
    param_fill(&ps, l->w, 0), param_fill(&ps, l->u, 0);
    for (int j = H; j < 2 * H && l->forget; j++) l->b->data[j] = (real)forget_bias;
    LagTrace trace = trace_of(&m, false);
    ck_assert_int_eq(trace.T, STEPS);
    ck_assert_double_gt(trace.c[0], 1e-3);
    for (int k = 1; k < STEPS; k++) {
        const double want = pow(factor, k), got = trace.c[k] / trace.c[0];
        ck_assert_msg(fabs(got / want - 1) < 1e-3, "bias %g, lag %d: %g, not %g", forget_bias, k,
                      got, want);
        ck_assert(trace.h[k] == 0); /* only the head reads h */
    }
    trace_lags_free(&trace), params_free(&ps);
}

START_TEST(the_cell_forgets_by_its_gate)
{
    check_decay(0, 0, 0.5);
    check_decay(0, 1, 1 / (1 + exp(-1)));
    check_decay(1, 0, 1);
}
END_TEST

/* The same for a GRU: with weights of 0, dL/dh falls by z, the sigmoid of its bias. */
START_TEST(the_gru_forgets_by_its_gate)
{
    for (int c = 2; c < LEN(cells); c++) {
        Params ps = params_init(6);
        const Gated m = small(&ps, c, 1);
        param_fill(&ps, m.gru[0].w, 0), param_fill(&ps, m.gru[0].u, 0);
        for (int j = H; j < 2 * H; j++) m.gru[0].b->data[j] = 1;
        LagTrace trace = trace_of(&m, false);
        ck_assert(trace.c == NULL);
        for (int k = 1; k < STEPS; k++) {
            const double want = pow(1 + exp(-1), -k);
            ck_assert_double_lt(fabs(trace.h[k] / trace.h[0] / want - 1), 1e-3);
        }
        trace_lags_free(&trace), params_free(&ps);
    }
}
END_TEST

/* Only the last scored step of each sequence counts, also if earlier steps are scored. */
START_TEST(trace_is_of_the_last_step)
{
    for (int c = 0; c < LEN(cells); c++) {
        Params ps = params_init(7);
        const Gated m = small(&ps, c, 2);
        LagTrace all = trace_of(&m, false), last = trace_of(&m, true);
        ck_assert((all.c != NULL) == m.is_lstm);
        ck_assert_mem_eq(all.h, last.h, STEPS * sizeof *all.h);
        ck_assert_double_gt(all.h[0], 1e-3);
        trace_lags_free(&all), trace_lags_free(&last), params_free(&ps);
    }
}
END_TEST

static const char *const gates_of[] = {"input forget output", "input output", "reset update",
                                       "reset update", "reset update"};

START_TEST(gates_over_a_text)
{
    for (int c = 0; c < LEN(cells); c++) {
        Params ps = params_init(8);
        const Gated m = small(&ps, c, 2);
        int ids[9];
        random_ids(ids, LEN(ids), 1);
        GateTrace trace = gated_trace_gates(&m, ids, LEN(ids));
        ck_assert(trace.T == LEN(ids) && trace.H == H);
        char names[64] = "";
        double least = 1, most = 0;
        for (int k = 0; k < trace.gates; k++) {
            const size_t used = strlen(names);
            snprintf(names + used, sizeof names - used, "%s%s", k ? " " : "", trace.name[k]);
            for (int i = 0; i < trace.T * trace.H; i++) {
                least = fmin(least, (double)trace.value[k][i]);
                most = fmax(most, (double)trace.value[k][i]);
            }
        }
        ck_assert_str_eq(names, gates_of[c]);
        ck_assert_msg(0 <= least && least < .5 && .5 < most && most <= 1, "%g to %g", least, most);
        trace_gates_free(&trace), params_free(&ps);
    }
}
END_TEST

/* Each gate is traced under its own name: one open gate shows up as that gate only. */
START_TEST(gates_under_their_names)
{
    const struct {
        int cell, gate, columns; /* the gate's block of H columns in b */
    } row[] = {{0, 0, 0}, {0, 1, 1}, {0, 2, 2}, {1, 0, 0}, {1, 1, 1}, {2, 0, 0}, {4, 1, 1}};
    for (int i = 0; i < LEN(row); i++) {
        Params ps = params_init(8);
        const Gated m = small(&ps, row[i].cell, 1);
        Tensor *b = m.is_lstm ? m.lstm[0].b : m.gru[0].b;
        for (int j = 0; j < H; j++) b->data[row[i].columns * H + j] = 30;
        GateTrace trace = gated_trace_gates(&m, (const int[]){1, 2, 3}, 3);
        for (int k = 0; k < trace.gates; k++)
            for (int j = 0; j < 3 * H; j++)
                ck_assert_msg((trace.value[k][j] > .9999f) == (k == row[i].gate), "%s gate, row %d",
                              trace.name[k], i);
        trace_gates_free(&trace), params_free(&ps);
    }
}
END_TEST

static size_t weights_of_cell(int cell)
{
    Params ps = params_init(9);
    const Gated m = small(&ps, cell, 2);
    const size_t others = (size_t)(m.embed->len + m.head.w->len + m.head.b->len);
    const size_t n = ps.count - others;
    params_free(&ps);
    return n;
}

START_TEST(a_gru_has_three_quarters_of_the_weights)
{
    const size_t lstm = 4 * (5 * H + H * H + H) + 4 * (H * H + H * H + H);
    ck_assert_uint_eq(weights_of_cell(0), lstm);
    ck_assert_uint_eq(4 * weights_of_cell(1), 3 * lstm);
    ck_assert_uint_eq(4 * weights_of_cell(2), 3 * lstm);
    ck_assert_uint_eq(4 * weights_of_cell(4), 3 * lstm);
}
END_TEST

/* With an open reset gate, r = 1, both forms give the same bits; otherwise they differ. */
START_TEST(forms_of_the_gru)
{
    for (int open = 0; open < 2; open++) {
        real logits[2][T * B * V] = {{0}};
        real grad[2][H] = {{0}}; /* of the candidate's columns in the first row of u */
        for (int before = 0; before < 2; before++) {
            Params ps = params_init(10);
            const Gated m = small(&ps, before ? 4 : 2, 2);
            for (int i = 0; i < 2 && open; i++)
                for (int j = 0; j < H; j++) m.gru[i].b->data[j] = 30;
            int x[T * B], y[T * B];
            random_ids(x, T * B, 1);
            random_ids(y, T * B, 2);
            const Batch batch = {.T = T, .B = B, .x = x, .y = y};
            const Model model = gated_model(&m);
            logits_of(&model, &batch, NULL, logits[before]);
            Tape tp = {0};
            tape_backward(&tp, model_loss(&tp, &model, &batch, NULL, NULL).mean);
            memcpy(grad[before], m.gru[0].u->grad + 2 * H, sizeof grad[before]);
            tape_free(&tp), params_free(&ps);
        }
        double apart = 0;
        for (int j = 0; j < H; j++) apart = fmax(apart, fabs((double)(grad[0][j] - grad[1][j])));
        if (open) {
            ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
            ck_assert_double_lt(apart, 1e-7);
        } else {
            ck_assert_mem_ne(logits[0], logits[1], sizeof logits[0]);
            ck_assert_double_gt(apart, 1e-5);
        }
    }
}
END_TEST

/* Peepholes of 0 change nothing. Each other peephole changes its own gate: i and f by the cell of the
 * previous step, o by the new one. */
START_TEST(peepholes)
{
    for (int forget = 0; forget < 2; forget++) {
        Params ps = params_init(11);
        LstmLayer l = lstm_init(&ps, 5, H, forget, 1);
        Tensor *x = param(&ps, SHAPE(B, 5), 1, "x"), *h = param(&ps, SHAPE(B, H), 1, "h");
        Tensor *c = param(&ps, SHAPE(B, H), 1, "c"), *p = param(&ps, SHAPE(3, H), 0, "p");
        const LstmState s = {.h = h, .c = c};
        Tape tp = {0};
        const LstmState without = lstm_step(&tp, &l, x, s);
        l.p = p;
        const LstmState with = lstm_step(&tp, &l, x, s);
        ck_assert_mem_eq(with.h->data, without.h->data, B * H * sizeof(real));
        ck_assert_mem_eq(with.c->data, without.c->data, B * H * sizeof(real));

        for (int k = 0; k < 3; k++) {
            param_fill(&ps, p, 0);
            p->data[k * H + 3] = 2; /* of unit 3 */
            const LstmState open = lstm_step(&tp, &l, x, s);
            const Tensor *gate[] = {open.i, open.f, open.o}, *was[] = {with.i, with.f, with.o};
            for (int g = 0; g < 3; g++)
                for (int i = 0; i < B * H && gate[g]; i++) {
                    const double sees = (double)(g == 2 ? open.c : c)->data[i];
                    const double w = (double)was[g]->data[i], y = (double)gate[g]->data[i];
                    const double moved = log(y / (1 - y)) - log(w / (1 - w));
                    const bool seeing = g == k && i % H == 3;
                    ck_assert_msg(fabs(moved - (seeing ? 2 * sees : 0)) < 1e-4,
                                  "peephole %d, gate %d, %d: %g", k, g, i, moved);
                }
        }
        tape_free(&tp), params_free(&ps);
    }
}
END_TEST

START_TEST(too_many_layers)
{
    GatedConfig c = gated_defaults();
    Params ps = params_init(1);
    c.layers = GATED_MAX_LAYERS + 1;
    gated_init(&ps, &c, &task);
}
END_TEST

SUITE("gated",
      TESTS(overfits_one_batch, sees_nothing_ahead, padding_changes_nothing,
            a_carried_state_joins_two_halves, a_sequence_is_the_same_alone,
            the_cell_forgets_by_its_gate, the_gru_forgets_by_its_gate, trace_is_of_the_last_step,
            gates_over_a_text, gates_under_their_names, a_gru_has_three_quarters_of_the_weights,
            forms_of_the_gru, peepholes),
      ABORTS(too_many_layers))

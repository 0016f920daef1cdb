/* The architectures and tasks of `make zoo`. A new architecture or task is one line in the tables of its group.
 *
 * Every architecture has its own learning rate on every task: `zoo --sweep all` found them, as
 * tests/bench/SWEEP.md says. With one rate for all, the table would show which architecture the rate suits. */
#include "programs/zoo.h"

const char *const zoo_rate[ZOO_RATES] = {"5e-4", "1e-3", "2e-3", "3e-3", "5e-3",
                                         "1e-2", "2e-2", "3e-2", "5e-2"};
enum { FROM_2E3 = 2, FROM_3E3 = 3 }; /* places in zoo_rate */

/* --- group 1: one sequence. The cells have equal numbers of parameters, within a fifth; on prose LSTM and GRU
 * have a tenth fewer than the rnn. --- */
static const Architecture readers[] = {
    {"rnn", "rnn", "", FROM_3E3},
    {"lstm", "lstm_gru", "--cell lstm --hidden 128", FROM_3E3},
    {"gru", "lstm_gru", "--cell gru --hidden 152", FROM_3E3},
};
/* The tasks take about a minute per architecture on two cores. */
/* clang-format off */
static const Job reading[] = {
    /*                                                                     rnn     lstm    gru */
    {"places", "--lines", LOSS, "nats",                                   {"2e-3", "5e-3", "5e-3"}},
    {"prose", "", LOSS, "nats",                                           {"1e-2", "2e-2", "5e-3"}},
    {"adding", "--task adding --steps 1000", SQUARED, "mse",              {"5e-4", "1e-2", "2e-2"}},
    {"agreement", "--task agreement --steps 1200", LOSS, "nats",          {"5e-3", "2e-2", "2e-2"}},
    {"parity", "--task parity --steps 1000", VALUE, "accuracy",           {"2e-2", "2e-2", "5e-2"}},
    {"dyck", "--task dyck --steps 1000", VALUE, "accuracy",               {"2e-3", "1e-2", "5e-3"}},
    {"copy-memory", "--task copy-memory --steps 300", LOSS, "nats",       {"5e-3", "1e-2", "2e-2"}},
};
/* clang-format on */

/* --- group 2: pairs of sequences, with a fixed vector or attention between them --- */
static const Architecture translators[] = {
    {"vector", "seq2seq_attention", "--attention none --hidden 64", FROM_3E3},
    {"additive", "seq2seq_attention", "--attention additive --hidden 64", FROM_3E3},
    {"dot", "seq2seq_attention", "--attention dot --hidden 64", FROM_3E3},
    {"transformer", "transformer", "--norm pre --channels 64 --ffn 256", FROM_2E3},
};
/* clang-format off */
static const Job translating[] = {
    /*                                                       vector  additive dot    transformer */
    {"reverse", "--task reverse --steps 1500", EXACT, "exact", {"1e-2", "5e-3", "1e-2", "1e-2"}},
    {"sort", "--task sort --steps 1500", EXACT, "exact",       {"1e-2", "1e-2", "5e-3", "1e-2"}},
    {"dates", "--task dates --steps 400", EXACT, "exact",      {"2e-2", "3e-2", "2e-2", "5e-3"}},
};
/* clang-format on */

/* --- group 3: recall, with a fixed-size state or attention to all steps --- */
static const Architecture rememberers[] = {
    {"rnn", "rnn", "--hidden 128", FROM_3E3},
    {"lstm", "lstm_gru", "--cell lstm --hidden 96", FROM_3E3},
    {"gru", "lstm_gru", "--cell gru --hidden 112", FROM_3E3},
    {"transformer", "transformer", "--norm pre --channels 64 --ffn 256", FROM_2E3},
};
/* clang-format off */
static const Job remembering[] = {
    /*                                                            rnn     lstm    gru     transformer */
    {"recall", "--task recall --steps 1200", VALUE, "accuracy", {"1e-2", "1e-2", "3e-2", "2e-3"}},
};
/* clang-format on */

const Group zoo_groups[ZOO_GROUPS] = {
    {"sequences", readers, reading, LEN(readers), LEN(reading)},
    {"pairs", translators, translating, LEN(translators), LEN(translating)},
    {"memory", rememberers, remembering, LEN(rememberers), LEN(remembering)},
};

Result *zoo_result(const Group *g, Result *results, int job, int arch)
{
    return &results[job * g->archs + arch];
}

/* One loader for other people's weights. A model lists rules: which tensor of theirs fills which parameter of
 * ours, and how. Nothing is guessed: every tensor of the files is used, ignored by a rule that says why, or an
 * error; every parameter is filled, or reported (PARTIAL), or an error.
 *
 *     static const WeightRule rule[] = {
 *         {"wte.weight", "embed"},
 *         {"h.*.attn.c_attn.weight", "l*.q.w", .take = {COLUMNS, 0, 3}},
 *         {"h.*.attn.bias", .ignored = "a causal mask"},
 *         {"lm_head.weight", "embed", .flags = WEIGHT_TIED},
 *     }; */
#ifndef WEIGHTS_MAP_H
#define WEIGHTS_MAP_H

#include "formats/weights_files.h"
#include "nn/params.h"

typedef enum {
    ROWS,
    COLUMNS
} WeightAxis; /* the first and the last axis; of a vector only COLUMNS */

/* One of `count` equal pieces along an axis; count 0: the whole. */
typedef struct {
    WeightAxis axis;
    int index, count; /* at most 64 pieces */
} WeightPiece;

enum {
    WEIGHT_TRANSPOSED =
        1, /* theirs (N,C) is ours (C,N), before the piece is taken: nn.Linear's weight */
    WEIGHT_OPTIONAL = 2, /* theirs may be absent; then ours keeps its values */
    WEIGHT_TIED = 4,     /* theirs may be absent, and must equal ours, which another rule fills */
    WEIGHT_ADD = 8,      /* adds to ours, which another rule fills: a second bias */
};

typedef struct {
    const char *theirs;    /* name in the file; * stands for a layer's number */
    const char *ours;      /* name of the parameter; * is replaced by that number. NULL: ignored */
    WeightPiece take, put; /* which piece of theirs goes into which piece of ours */
    int flags;
    const char *ignored; /* the reason, if ours is NULL */
} WeightRule;

typedef struct {
    const WeightRule *rule;
    int n;
    const char *prefix; /* that may stand before each name of theirs, "transformer."; or NULL */
    bool partial;       /* parameters that no tensor fills keep their values */
} WeightMap;

typedef struct {
    int taken;       /* parameters that were filled */
    StNames fresh;   /* parameters that keep their values (partial, optional) */
    StNames ignored; /* tensors that a rule ignores */
} WeightReport;

/* Fills parameters from path: a safetensors file, the index.json of a sharded one, or a directory with
 * model.safetensors.index.json or model.safetensors. Errors name the tensor, with both shapes where they
 * differ; then values may have changed: the parameters are of no use. */
bool weights_map_load(const char *path, const WeightMap *map, Params *ps, WeightReport *report,
                      Error *err);

/* Does the same from tensors that are open already. */
bool weights_map_fill(const WeightFiles *files, const WeightMap *map, Params *ps,
                      WeightReport *report, Error *err);

#endif

/* Loads weights that other programs saved. A model lists rules: which tensor of the file ("theirs")
 * fills which parameter ("ours"), and how. The loader does not guess. Every tensor of the files
 * must be used, or ignored by a rule that says why; every parameter must be filled, or is reported
 * if the map is partial. Anything else is an error.
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

/* COLUMNS is the last axis, ROWS all others together. A vector has only COLUMNS. */
typedef enum { ROWS, COLUMNS } WeightAxis;

/* One of `count` equal pieces along an axis; count 0 means the whole tensor. */
typedef struct {
    WeightAxis axis;
    int index, count; /* at most 64 pieces */
} WeightPiece;

/* The flags of a rule:
 *   TRANSPOSED   theirs (N,C) becomes (C,N) before the piece is taken: nn.Linear's weight
 *   OPTIONAL     theirs may be absent; then ours keeps its values
 *   TIED         theirs may be absent; if present, it must equal ours, which another rule fills
 *   ADD          theirs is added to ours, which another rule fills: a second bias */
enum { WEIGHT_TRANSPOSED = 1, WEIGHT_OPTIONAL = 2, WEIGHT_TIED = 4, WEIGHT_ADD = 8 };

typedef struct {
    const char *theirs;    /* name of the tensor; * stands for a layer's number */
    const char *ours;      /* name of the parameter, * for that number; NULL: tensor is ignored */
    WeightPiece take, put; /* piece `take` of theirs is copied to piece `put` of ours */
    int flags;
    const char *ignored; /* why the tensor is ignored, if ours is NULL */
} WeightRule;

typedef struct {
    const WeightRule *rule;
    int n;
    const char *prefix; /* a prefix that names in the file may have, "transformer."; or NULL */
    bool partial;       /* parameters that no tensor fills keep their values */
} WeightMap;

typedef struct {
    int taken;       /* number of parameters that were filled */
    StNames fresh;   /* parameters that keep their values (partial, optional) */
    StNames ignored; /* tensors that a rule ignores */
} WeightReport;

/* Fills the parameters from path: a safetensors file, the index.json of a sharded one, or a
 * directory with model.safetensors.index.json or model.safetensors. Error messages name the tensor,
 * and both shapes if they differ. After an error the parameters may be partly overwritten; do not
 * use them. */
bool weights_map_load(const char *path, const WeightMap *map, Params *ps, WeightReport *report,
                      Error *err);

/* Fills the parameters from files that are open already. */
bool weights_map_fill(const WeightFiles *files, const WeightMap *map, Params *ps,
                      WeightReport *report, Error *err);

#endif

/* Flips single bits of the checkpoints of finished runs: in the header's length, in the header, and in the tensors.
 *
 * The program that reads a file must refuse it with status 1 and a message that names the file and, for a bit of a
 * tensor, the tensor; for any other bit, the header or a tensor. model.safetensors is read by eval, best.safetensors
 * by eval --best, state.safetensors by train --resume. A failure is a flip that is accepted, a message that names too
 * little, a signal, a time-out, or another file of the run that changed. */
#include "runs.h"

#include <jansson.h>

static const char *const files[] = {"model.safetensors", "best.safetensors", "state.safetensors"};
static const int chosen[] = {0, 3, 4, 5, 7}; /* one run of every model folder */
enum { FILES = LEN(files), RUNS = LEN(chosen) };

/* A safetensors file: 8 bytes of length, a header in JSON, the tensors' data. */
typedef struct {
    Bytes bytes;
    size_t start; /* of the data */
    json_t *header;
} Checkpoint;

static Checkpoint checkpoint_of(const char *path)
{
    Checkpoint c = {.bytes = bytes_of(path), .start = 8};
    NEED(c.bytes.len > 8, "%s is too short", path);
    for (int i = 7; i >= 0; i--) c.start += (size_t)(unsigned char)c.bytes.data[i] << (8 * i);
    NEED(c.start < c.bytes.len, "%s has no data", path);
    c.header = json_loadb(c.bytes.data + 8, c.start - 8, 0, NULL);
    NEED(c.header, "%s has no header", path);
    return c;
}

static void checkpoint_free(Checkpoint *c)
{
    free(c->bytes.data);
    json_decref(c->header);
}

/* Returns the name of the tensor that the byte belongs to. */
static const char *tensor_at(const Checkpoint *c, size_t byte)
{
    const char *name;
    json_t *entry;
    json_object_foreach(c->header, name, entry)
    {
        const json_t *range = json_object_get(entry, "data_offsets");
        const json_int_t at = (json_int_t)(byte - c->start);
        if (range && at >= json_integer_value(json_array_get(range, 0)) &&
            at < json_integer_value(json_array_get(range, 1)))
            return name;
    }
    return NULL;
}

/* True if the message names the tensor, or, where there is none, the header or any tensor. */
static bool names_it(const Checkpoint *c, const char *tensor, const char *message)
{
    if (tensor) return strstr(message, tensor) != NULL;
    const char *name;
    json_t *entry;
    json_object_foreach(c->header, name, entry)
    {
        if (strstr(message, name)) return true;
    }
    return strstr(message, "header") ||
           strstr(message, "tensor \""); /* a name that the flip changed */
}

typedef struct {
    int flips, found, accepted, crashes;
    int in_data;
} Counts;

/* Flips one bit in a copy of the run, and runs the program that reads the file. */
static void flip(Full *f, const Family *m, const char *run, const char *copy, int file,
                 const Checkpoint *c, size_t byte, int bit, Counts *n)
{
    const char *tensor = byte >= c->start ? tensor_at(c, byte) : NULL;
    char *path = xformat("%s/%s", copy, files[file]);
    copy_run(run, copy);
    Bytes changed = bytes_of(path);
    changed.data[byte] = (char)(changed.data[byte] ^ 1 << bit);
    put_bytes(path, changed.data, changed.len);
    const Line l = file == 2 ? resume_line(f, m, copy)
                             : eval_line(f, m, copy, file == 1 ? WORDS("--best") : WORDS(NULL));
    Outcome o = run_line(f, l, NULL);
    const char *bad = bad_end(&o);
    n->flips++, n->in_data += tensor != NULL;
    n->crashes += bad != NULL;
    n->accepted += !bad && o.status == 0;
    if (!bad && o.status == 0) bad = "it was accepted";
    if (!bad && o.status != 1) bad = "the status is not 1";
    if (!bad && !strstr(o.err, files[file])) bad = "the message does not name the file";
    if (!bad && !names_it(c, tensor, o.err)) bad = "the message names neither tensor nor header";
    for (int i = 0; i < FILES; i++)
        if (!bad && i != file && !same_file(run, copy, files[i]))
            bad = "another file of the run was changed";
    if (bad)
        full_failed(f, copy, "%s of %s: byte %zu, bit %d (%s): %s: %s", files[file], m->name, byte,
                    bit, tensor ? tensor : "header", bad, said(&o));
    else
        n->found++;
    outcome_free(&o);
    free(changed.data), free(path);
}

/* Flips bits of all files of one run: half of them before the data. */
static void flip_run(Full *f, const Family *m, int run_number, Counts *n)
{
    char *run = xformat("%s/run%d", f->work, run_number), *copy = xformat("%s/copy", f->work);
    Outcome trained = run_well(f, train_line(f, m, run, WORDS(NULL)), "training");
    outcome_free(&trained);
    Rng rng = rng_make(f->seed, RNG_TEST, (uint32_t)run_number);
    for (int file = 0; file < FILES; file++) {
        char *path = xformat("%s/%s", run, files[file]);
        Checkpoint c = checkpoint_of(path);
        const int cases = FILES * RUNS, number = run_number * FILES + file;
        for (int i = number; i < f->count; i += cases) {
            const bool in_data = rng_below(&rng, 2);
            const int from = in_data ? (int)c.start : 0,
                      to = in_data ? (int)c.bytes.len : (int)c.start;
            const size_t byte = (size_t)(from + rng_below(&rng, to - from));
            flip(f, m, run, copy, file, &c, byte, rng_below(&rng, 8), n);
        }
        checkpoint_free(&c);
        free(path);
    }
    free(run), free(copy);
}

int main(int argc, char **argv)
{
    Full f = full_begin(argc, argv, "flips",
                        "Flips bits of checkpoints, which must be found on load.", 60, 600);
    Counts n = {0};
    runs_begin(&f);
    for (int i = 0; i < RUNS; i++) flip_run(&f, &families[chosen[i]], i, &n);
    printf("flips: %d flips in %d files, %d of them in tensors: %d found, %d accepted, %d crashes",
           n.flips, FILES * RUNS, n.in_data, n.found, n.accepted, n.crashes);
    return full_end(&f);
}

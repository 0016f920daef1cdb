/* Running text and lists of lines as tasks (task.h): random crops, contiguous streams, whole lines.
 *
 * Predict the next token: x = tokens 0..T-1, y = tokens 1..T. Text: the last `heldout` part of the
 * file is the validation (and test) split, unless --valid names a file. Lines: every line is one
 * sequence that starts and ends with the newline, "\nemma\n"; without a validation file, the lines
 * that split_of puts into SPLIT_VALID, one in ten, are held out: by the hash of their bytes, so
 * that a name that stands in the list twice is on one side only. */
#ifndef TEXT_H
#define TEXT_H

#include "tokens/tokenizer.h"
#include "tasks/task.h"

typedef struct {
    Tokenizer tokens;
    int *ids[3], n[3]; /* the tokens of each split (SPLIT_TEST is SPLIT_VALID's) */
    int *start[3];     /* lines: the newline before each line, and the one after the last */
    int lines[3];      /* so line i is ids[start[i] .. start[i+1]], both newlines included */
    int cut;           /* lines of both splits that are longer than the task's length */
    bool by_line;
    /* Of each split: tokens without an id, in training of characters those that are no UTF-8; and the
     * offset of the first in its file, in bytes, -1 if there is none. */
    int64_t unknown[2], first_unknown[2];
    double bytes_per_token; /* of the validation split, for bits per byte */
    double chars_per_token;
} Text;

/* path: a file, "-" for standard input, or a directory, whose *.md files are read in the order of
 * their names; valid: the same, or NULL. A byte order mark is left out. Of lines, empty ones are
 * left out too, and a carriage return at the end. The tokenizer is learned from the training text
 * only, with the `limit` most frequent tokens (0: all), of words those that occur twice; or it is *given
 * (may be NULL; copied). length: steps of a training sequence; 0: 64, or the
 * longest line, at most 256 steps. Longer lines are cut. Errors: unreadable, empty, too short for
 * one sequence in each split.
 *
 * Sets up *task, which borrows *text. Its loss is in nats per token and its metric, the same in
 * bits, is left to the caller: metric has its name, and metric_chance is that of a uniform guess.
 * task_heldout's sequence i is line i of the split, or of a running text the i-th of the windows of
 * `length` steps that follow one another; after the last it begins anew. */
bool text_open(Text *text, Task *task, const char *path, const char *valid, const char *unit,
               int limit, bool by_line, double heldout, int length, const Tokenizer *given,
               Error *err);

/* Sets up *text and *task as text_open would, with a tokenizer (copied) and no text: for a model that is
 * only sampled from. */
void text_of_tokens(Text *text, Task *task, const Tokenizer *tokens, bool by_line, int length);
void text_close(Text *text);
double text_unknown(const Text *t, Split split); /* the share of its tokens that are unknown */

/* Returns how many tokens can be the next one, *first and those after it: of characters and jamo not the
 * unknown, which is what a file should not have; of words the unknown too, which is one word in many. */
int text_outcomes(const Text *t, int *first);

/* Contiguous batches with carried state: B cursors spread evenly over a running text, each moving
 * on by T steps a batch. *cursor is the state, 0 at first. In the training text they go on round
 * the end for ever. A held-out text is read once: each cursor stops where the next one began, so
 * that text_stream_batches() batches score every token but the text's first exactly once; the last
 * of them has as many steps as are left, and what is beyond a cursor's end has target -1. */
void text_stream(const Text *text, Split split, int T, int B, int64_t *cursor, Batch *out);
int text_stream_batches(const Text *text, Split split, int T, int B);

#endif

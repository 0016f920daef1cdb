/* Running text and lists of lines as tasks (task.h): random crops, contiguous streams, whole lines.
 *
 * The task is to predict the next token: x = tokens 0..T-1, y = tokens 1..T. Running text: the last
 * `heldout` part of the file is the validation (and test) split, unless --valid names a file.
 * Lines: every line is one sequence that starts and ends with the newline, "\nemma\n". Without a
 * validation file, the lines that split_of puts into SPLIT_VALID, one in ten, are held out. It
 * hashes the bytes of the line, so that a name that occurs twice in the list is in one split
 * only. */
#ifndef TEXT_H
#define TEXT_H

#include "data/input.h"
#include "tokens/tokenizer.h"
#include "tasks/task.h"

typedef struct {
    int lines, tokens;
} TextCut;

typedef struct {
    int begin, end; /* ids[begin .. end-1] */
} TokenRange;

typedef struct {
    Tokenizer tokens;
    int *ids[3], n[3]; /* the tokens of each split (SPLIT_TEST is the same as SPLIT_VALID) */
    int *start[3];     /* lines: index of the newline before each line and of the last newline */
    int lines[3];      /* line i is ids[start[i] .. start[i+1]], both newlines included */
    bool by_line;
    int length;     /* lines: steps of the longest sequence; what a line has beyond it is cut off */
    TextCut cut[2]; /* lines: what is cut off in each split; it is neither trained on nor scored */
    InputFaults faults[2]; /* of the text's file and of the validation file */
    int files, others;     /* of a directory: the files read, the entries that were not (input.h) */
    int64_t held_bytes,
        held_file; /* of the validation split and of the file that it is a part of */
    /* The number of unknown tokens in each split and of bytes that are not UTF-8, and the byte offset
     * of the first one in its file, -1 if there is none. */
    int64_t unknown[2], first_unknown[2];
    int64_t invalid[2], first_invalid[2];
    /* The validation split's tokens that are scored (text_scored), and how many bytes and characters
     * of its text they are. A token's bytes reach to the begin of the next token. */
    int64_t scored, scored_bytes, scored_chars;
    double bytes_per_token; /* scored_bytes / scored */
} Text;

/* Reads a text and makes it a task. path: a file, "-" for standard input, or a directory, whose
 * *.md files are read in the order of their names (input.h); valid: the same, or NULL. A byte order
 * mark is dropped. In lists, empty lines and the carriage return at the end of a line are dropped too. The
 * tokenizer is *given (copied); if given is NULL, it is learned from the training text only, with
 * the `limit` most frequent tokens (0: all; bpe: so many tokens), and for words only those that
 * occur twice. With the unit bpe, <|endoftext|> in the training text is a special token. length:
 * steps of a training sequence; 0 means 64, or for lines the longest line, at most 256 steps.
 * Longer lines are cut. Errors: unreadable, empty, too short for one sequence in each split.
 *
 * Sets up *task, which borrows *text. Its loss is in nats per token. Its metric is the loss in
 * bits, which the caller computes: metric has the name, metric_chance the value of a uniform guess.
 * Sequence i of task_heldout is line i of the split, or the i-th consecutive window of `length`
 * steps of a running text; after the last one it starts again at the first. */
bool text_open(Text *text, Task *task, const char *path, const char *valid, const char *unit,
               int limit, bool by_line, double heldout, int length, const Tokenizer *given,
               Error *err);

/* Sets up *text and *task with a tokenizer (copied) but no text, for a model that only samples. */
void text_of_tokens(Text *text, Task *task, const Tokenizer *tokens, bool by_line, int length);
void text_close(Text *text);
double text_unknown(const Text *t, Split split); /* the share of unknown tokens in the split */

/* Returns how many ids can be the next token; these are *first, *first + 1, ... They include UNK
 * for words, because rare words are unknown, and wherever a split has an unknown token: a model's
 * probabilities of all tokens that are scored then sum to 1. */
int text_outcomes(const Text *t, int *first);

/* The targets of a split: those of item i of text_items. In lists each line is an item: the tokens
 * after the newline before it, at most t->length. A running text is one item: all tokens except the
 * first, which has nothing before it. Every level of a report is a mean over these tokens. */
int text_items(const Text *t, Split split);
TokenRange text_scored(const Text *t, Split split, int i);

/* Fills *out with the next batch of contiguous text, for carried state: B cursors are spread evenly
 * over a running text, and each advances T steps per batch. *cursor is the position, 0 at first. In
 * the training text the cursors wrap around at the end, for ever. A held-out text is read once:
 * each cursor stops where the next one began, so that text_stream_batches() batches score every
 * token except the first one of the text exactly once. The last batch may be shorter; steps beyond
 * a cursor's end have target -1. */
void text_stream(const Text *text, Split split, int T, int B, int64_t *cursor, Batch *out);
int text_stream_batches(const Text *text, Split split, int T, int B);

#endif

/* The trainer's words and picture; only trainer.c uses this. */
#ifndef TRAINER_REPORT_H
#define TRAINER_REPORT_H

#include "trainer.h"

void trainer_arch(const Usage *usage, char *name, size_t room); /* "rnn" of "rnn/train" */

void trainer_print_sizes(Trainer *t);        /* --dry-run, to stdout: parameters and memory */
void trainer_print_header(const Trainer *t); /* to stderr, unless quiet, as the summary */
void trainer_print_summary(const Trainer *t);

/* loss.gp, and loss.png (or as --plot has it): training and validation loss against updates, with
 * chance, the best n-gram and the best possible loss as lines where they are known. */
void trainer_draw_loss(const Trainer *t);

#endif

/* The trainer's words and picture; only trainer.c uses this. */
#ifndef TRAINER_REPORT_H
#define TRAINER_REPORT_H

#include "trainer.h"

void trainer_arch(const Usage *usage, char *name, size_t room); /* "rnn" of "rnn/train" */

void trainer_print_sizes(Trainer *t);        /* --dry-run, to stdout: parameters and memory */
void trainer_print_header(const Trainer *t); /* to stderr, unless quiet, as the summary */
void trainer_print_summary(const Trainer *t);

/* loss.gp (runlog_script.h), and loss.png, or as --plot has it. */
void trainer_draw_loss(const Trainer *t);

#endif

/* What `--dry-run` prints: layers, parameters and costs, from the sizes alone. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "transformer.h"

/* Parameters of such a network, without making one; source_vocab 0: a decoder alone. */
size_t transformer_count(const TransformerConfig *config, int source_vocab, int vocab);

/* On stdout. */
void transformer_describe(const TransformerConfig *config, const Task *task);

#endif

/* The picture of how merges build the tokens of a word (lesson 02). */
#ifndef MERGE_TREE_H
#define MERGE_TREE_H

#include "tokens/bpe.h"

/* Returns a gnuplot script: the word's bytes in the bottom row, and above each merge its token, with
 * the rank of the merge. The caller frees it. The word must be ASCII. */
char *merge_tree(const Tokenizer *t, const char *word);

#endif

/* Reads the tokenizers of others that are byte-level BPE:
 *
 *     vocab.json + merges.txt      Hugging Face, GPT-2's two files; a prefix is allowed, as in
 *                                  small-vocab.json + small-merges.txt
 *     encoder.json + vocab.bpe     OpenAI, the same under other names
 *     tokenizer.json               Hugging Face: the model BPE with ByteLevel (and Digits before it)
 *     config.json                  a run directory of this project
 *
 * FORMATS: github.com/openai/gpt-2 (encoder.py), github.com/huggingface/tokenizers. */
#ifndef BPE_FILES_H
#define BPE_FILES_H

#include "tokens/tokenizer.h"

/* Reads the tokenizer from a directory, or from one of its files. Errors: a missing or malformed
 * file, a tokenizer of another kind; *t is then unchanged. */
bool bpe_read(Tokenizer *t, const char *path, Error *err);

/* Reads the parsed tokenizer.json. */
bool bpe_from_tokenizer_json(Tokenizer *t, const json_t *j, Error *err);

#endif

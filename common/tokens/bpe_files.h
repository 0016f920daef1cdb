/* Reads the tokenizers of others that are byte-level BPE, and writes such files:
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

/* Returns true if the directory has the files of a tokenizer; the config.json of a run is none. */
bool bpe_has_files(const char *dir);

/* Writes DIR/vocab.json and DIR/merges.txt for other programs. They cannot say that digits are alone
 * or that whole pieces need no merges: the tokenizer must have neither. */
bool bpe_write(const Tokenizer *t, const char *dir, Error *err);

/* Reads the parsed tokenizer.json. */
bool bpe_from_tokenizer_json(Tokenizer *t, const json_t *j, Error *err);

#endif

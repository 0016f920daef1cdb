/* Weights of Hugging Face's transformers: reads and writes GPT2LMHeadModel and OpenAIGPTLMHeadModel. A folder has
 * config.json and model.safetensors, or its shards with model.safetensors.index.json. */
#ifndef GPT_WEIGHTS_H
#define GPT_WEIGHTS_H

#include "gpt/gpt.h"
#include "tokens/tokenizer.h"

/* Reads DIR/config.json: the options of the model and the size V of its vocabulary. Errors: a size is missing or
 * out of range; the model has a part that ours lacks. The message names the key. */
bool gpt_read_config(const char *dir, GptConfig *config, int *V, Error *err);

/* Fills the parameters from DIR, or from one file of weights. Names may have the prefix "transformer.". Masks
 * are ignored; a head beside tied embeddings must equal them. Every other tensor must be used, and every
 * parameter filled. After an error the parameters may be partly overwritten. */
bool gpt_import(const char *path, const Gpt *m, Params *ps, Error *err);

/* Writes DIR/config.json and DIR/model.safetensors; DIR must be empty or missing. transformers' from_pretrained
 * loads them. tokens is kept in config.json under "vocab", which transformers ignores, and byte-pair encoding in
 * vocab.json and merges.txt as well; NULL: none. Errors: the
 * options are those of no model there (--norm post with --gelu erf); DIR has files; disk. */
bool gpt_export(const char *dir, const Gpt *m, const Params *ps, const Tokenizer *tokens,
                Error *err);

/* Opens the tokenizer of DIR, for a vocabulary of V: the one that gpt_export kept in config.json, byte-pair
 * encoding in vocab.json and merges.txt or in tokenizer.json, or bytes if there is none of them and V is 256. */
bool gpt_import_tokens(const char *dir, int V, Tokenizer *tokens, Error *err);

#endif

/* --init-from: training starts from the parameters of a trained model, and reads its tokens. --freeze: it leaves
 * some of them as they are. */
#include "programs/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/init_from.h"
#include "system/file.h"

/* The vocabularies of the run in --init-from: an id must mean what it meant to the parameters. */
bool trainer_tokens_from(const Trainer *t, Vocabularies *vocab, Error *err)
{
    const DataConfig *data = &t->config->data;
    char *path = xformat("%s/config.json", t->config->init_from);
    json_t *config = json_read(path, err);
    bool ok = config && (vocabularies_from_json(vocab, config, err) || error_in(err, path));
    const char *unit = vocab->of_text ? tokenizer_unit(&vocab->tokens) : NULL;
    if (ok && unit && !data->of_pairs && strcmp(unit, data->unit) != 0)
        ok = error_set(err, "--init-from %s: its tokens are of --unit %s, not %s; give --unit %s",
                       t->config->init_from, unit, data->unit, unit);
    json_decref(config);
    free(path);
    return ok;
}

static void say(const char *what, const StNames *names)
{
    if (names->n) fprintf(stderr, "  %s: %s\n", what, names->text);
}

bool trainer_init_from(Trainer *t, Error *err)
{
    const TrainConfig *c = t->config;
    InitFrom from;
    if (!init_from_run(c->init_from, t->params, c->fresh, &from, err)) return false;
    if (c->quiet) return true;
    fprintf(stderr, "%s: %d of %d parameters start from those of %s\n", t->usage->program,
            from.taken, t->params->n, c->init_from);
    say("new, at their initial values", &from.fresh);
    say("in the file, but not in this model", &from.unused);
    return true;
}

bool trainer_freeze(const Trainer *t, Error *err)
{
    const char *pattern = t->config->freeze;
    Params *ps = t->params;
    if (!pattern) return true;
    const int n = params_freeze(ps, pattern);
    if (n == ps->n)
        return error_set(err, "--freeze %s: it matches all parameters, nothing is left to train",
                         pattern);
    if (n > 0) {
        if (!t->config->quiet)
            fprintf(stderr, "%s: %d of %d parameters are frozen\n", t->usage->program, n, ps->n);
        return true;
    }
    StNames names = {0};
    for (int i = 0; i < ps->n; i++) safetensors_name(&names, ps->tensor[i]->name);
    return error_set(err, "--freeze %s: no parameter has such a name; there are %s", pattern,
                     names.text);
}

/* --init-from starts training from the parameters and the tokenizer of a trained model. --freeze excludes
 * parameters from training. */
#include "programs/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "formats/init_from.h"
#include "formats/origin.h"
#include "programs/run_config.h"
#include "system/file.h"

/* Reads the vocabularies of the run in --init-from: each id must keep its meaning for the parameters. */
bool trainer_tokens_from(const Trainer *t, Vocabularies *vocab, Error *err)
{
    const DataConfig *data = &t->config->data;
    if (!rundir_settle(t->config->init_from, err)) return false;
    json_t *config = run_config_read(t->config->init_from, err);
    char *path = xformat("%s/config.json", t->config->init_from);
    char *model = xformat("%s/model.safetensors", t->config->init_from);
    bool ok = config && (vocabularies_from_json(vocab, config, err) || error_in(err, path)) &&
              origin_check_file(model, config, false, err);
    if (ok && data->tokenizer)
        ok = error_set(err, "--init-from %s: the run has a tokenizer; leave out --tokenizer",
                       t->config->init_from);
    const char *unit = vocab->of_text ? tokenizer_unit(&vocab->tokens) : NULL;
    if (ok && unit && !data->of_pairs && strcmp(unit, data->unit) != 0)
        ok = error_set(err, "--init-from %s: the run has --unit %s, not %s; give --unit %s",
                       t->config->init_from, unit, data->unit, unit);
    json_decref(config);
    free(path), free(model);
    return ok;
}

static void list_names(const char *what, const StNames *names)
{
    if (names->n) say("  %s: %s\n", what, names->text);
}

bool trainer_init_from(Trainer *t, Error *err)
{
    const TrainConfig *c = t->config;
    InitFrom from;
    if (!init_from_run(c->init_from, t->params, c->fresh, &from, err)) return false;
    if (c->quiet) return true;
    say("%s: %d of %d parameters are taken from %s\n", t->usage->program, from.taken, t->params->n,
        c->init_from);
    list_names("new, initialised at random", &from.fresh);
    list_names("in the file, but not in this model", &from.unused);
    return true;
}

bool trainer_freeze(const Trainer *t, Error *err)
{
    const char *pattern = t->config->freeze;
    Params *ps = t->params;
    if (!pattern) return true;
    const int n = params_freeze(ps, pattern);
    if (n == ps->n)
        return error_set(
            err,
            "--freeze %s: the pattern matches all parameters, so nothing is left to train; "
            "choose a narrower pattern",
            pattern);
    if (n > 0) {
        if (!t->config->quiet)
            say("%s: %d of %d parameters are frozen\n", t->usage->program, n, ps->n);
        return true;
    }
    StNames names = {0};
    for (int i = 0; i < ps->n; i++) safetensors_name(&names, ps->tensor[i]->name);
    return error_set(err, "--freeze %s: no parameter has such a name; choose among %s", pattern,
                     names.text);
}

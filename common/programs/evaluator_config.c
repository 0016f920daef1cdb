/* What an evaluation reads from the config.json of its run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "formats/origin.h"
#include "programs/evaluator.h"
#include "programs/run_config.h"
#include "programs/run_paths.h"
#include "programs/trainer.h"

/* Reads all options of the run, so that a wrong value is found even where eval does not need it. */
static bool read_options(Evaluator *e, Option *size, int n_size, const json_t *config, Error *err)
{
    TrainConfig train = train_defaults("");
    train.data = e->run;
    Option texts[] = {TRAIN_OPTIONS(&train)}, pairs[] = {TRAIN_PAIRS_OPTIONS(&train)};
    Option *option = e->run.of_pairs ? pairs : texts;
    const int n = e->run.of_pairs ? LEN(pairs) : LEN(texts);
    if (!args_from_json(option, n, config, err)) return false;
    e->run = train.data;
    e->seed = train.seed;
    return args_from_json(size, n_size, config, err);
}

char *evaluator_model_path(const Evaluator *e)
{
    return xformat("%s/%s.safetensors", e->dir, e->config->best ? "best" : "model");
}

bool evaluator_read_config(Evaluator *e, Option *size, int n_size, Vocabularies *vocab, Error *err)
{
    char *path = xformat("%s/config.json", e->dir), *model = evaluator_model_path(e);
    if (stat(path, &e->opened) != 0) e->opened = (struct stat){0};
    json_t *config = run_config_read(e->dir, err);
    if (!config) return free(path), free(model), false;
    const char *arch = json_string_value(json_object_get(config, "arch"));
    const char *fingerprint = json_string_value(json_object_get(config, "data_fingerprint"));
    if (fingerprint) snprintf(e->fingerprint.text, sizeof e->fingerprint.text, "%s", fingerprint);
    bool ok = true;
    if (!arch || strcmp(arch, e->arch) != 0)
        ok = error_set(err, "%s: the run is of \"%s\"; use ./%s/eval", e->dir, arch ? arch : "?",
                       arch ? arch : "?");
    else
        ok = (read_options(e, size, n_size, config, err) &&
              vocabularies_from_json(vocab, config, err)) ||
             error_in(err, path);
    if (ok) run_paths_find(&e->run, NULL, 0, config);
    if (ok && run_paths_folder(config)) e->folder = xstrdup(run_paths_folder(config));
    ok = ok && origin_check_file(model, config, false, err);
    json_decref(config);
    free(path), free(model);
    return ok;
}

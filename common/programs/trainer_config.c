/* config.json of a run, and the ties of its checkpoints to it. */
#include <stdlib.h>

#include "formats/origin.h"
#include "programs/run_config.h"
#include "programs/run_paths.h"
#include "programs/trainer.h"
#include "system/file.h"

/* Returns the content of config.json. */
static json_t *config_of(const Trainer *t)
{
    char arch[32];
    trainer_arch(t->usage, arch, sizeof arch);
    json_t *config = args_to_json(t->option, t->n_options);
    json_object_set_new(config, "out", json_string(t->out));
    if (t->paths)
        run_paths_keep(config, t->paths);
    else
        run_paths_start(config);
    json_object_set_new(config, "resume", json_false()); /* of this call only, not of the run */
    json_object_set_new(config, "arch", json_string(arch));
    json_object_set_new(config, "data_fingerprint", json_string(t->fingerprint.text));
    json_object_set_new(config, "other_data", json_false());
    json_object_set_new(config, "parameters", json_integer((json_int_t)t->params->count));
    json_object_set_new(config, "checksums", json_true()); /* origin.h */
    vocabularies_to_json(&t->data, config);
    return config;
}

bool trainer_write_config(Trainer *t, Error *err)
{
    if (!rundir_ours(&t->log.dir, err)) return false;
    char *path = xformat("%s/config.json", t->config->out);
    json_t *config = config_of(t);
    const bool ok = json_write(path, config, err);
    json_decref(config);
    free(path);
    return ok;
}

void trainer_make_metadata(Trainer *t)
{
    json_t *config = config_of(t), *tied = run_config_tied(config, t->option, t->n_options);
    t->metadata = origin_of(config, tied);
    json_t *gates = t->model->gates ? json_string(t->model->gates) : NULL;
    if (t->model->gates && json_object_set_new(t->metadata, "gates", gates) != 0)
        too_large("out of memory: the metadata of a checkpoint need more");
    json_decref(config), json_decref(tied);
}

bool trainer_state_fits(const Trainer *t, Error *err)
{
    char *path = xformat("%s/state.safetensors", t->config->out);
    const bool ok = params_check(path, t->params, err);
    free(path);
    return ok;
}

bool trainer_renew_state(Trainer *t)
{
    char *path = xformat("%s/state.safetensors", t->config->out);
    const bool same = origin_is(path, t->metadata);
    free(path);
    return same || trainer_save(t);
}

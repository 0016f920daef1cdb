/* The config.json of a run directory. */
#ifndef RUN_CONFIG_H
#define RUN_CONFIG_H

#include "system/args.h"

/* Reads DIR/config.json and checks the entries that are no options. NULL: an error that names the path
 * and the key. */
json_t *run_config_read(const char *dir, Error *err);

/* Returns the entries of config that a checkpoint belongs to: "arch", "parameters", and each option that
 * --resume may not change. Paths are not among them: the fingerprint says what the data are. */
json_t *run_config_tied(const json_t *config, const Option *option, int n);

#endif

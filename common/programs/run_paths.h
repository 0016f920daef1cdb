/* The data files that config.json names. A relative path is looked up where the program runs, as it always was, so that a
 * project can be moved; if there is no such file, in the folder where the run was started, which config.json
 * has as "directory". */
#ifndef RUN_PATHS_H
#define RUN_PATHS_H

#include <jansson.h>

#include "data/data.h"

/* Sets each path of a data file that came from config (a given option did not) to the file in the run's folder, if it
 * is only there. option: n options, or NULL: all paths came from config. */
void run_paths_find(DataConfig *data, Option *option, int n, const json_t *config);

/* Puts the paths of another config, and its folder, into this one: a resumed run keeps what it was started with. */
void run_paths_keep(json_t *config, const json_t *from);

/* Sets "directory" to the working directory. */
void run_paths_start(json_t *config);

const char *run_paths_folder(const json_t *config); /* "directory", or NULL */

/* Adds to an error about this path, if there is no such file, where it was looked for. folder: of the run, or NULL.
 * Returns false. */
bool run_paths_missing(const char *path, const char *folder, Error *err);

#endif

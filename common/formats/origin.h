/* The run that a checkpoint belongs to. The metadata of its files say which:
 *
 *   "options"      the options that determine the run's numbers, as a JSON object
 *   "data"         the fingerprint of its data
 *   "vocabulary"   the checksum of its vocabularies
 *
 * They are compared with the run's config.json. So a file of another run is refused, and so is a
 * config.json that was changed. Files of older versions and of other programs have no such entries. */
#ifndef ORIGIN_H
#define ORIGIN_H

#include "formats/safetensors.h"

/* Returns the metadata. config is the content of config.json; options has those of its entries that
 * determine the numbers. The caller owns the object. */
json_t *origin_of(const json_t *config, const json_t *options);

/* Returns false if the metadata are of a run with another config.json; the error lists what differs.
 * other_data: the data may differ. */
bool origin_fits(const json_t *metadata, const json_t *config, bool other_data, Error *err);

/* Checks the header of a checkpoint's file, before anything is allocated: it belongs to the run of
 * config, and it has checksums if config.json has "checksums": true, as new runs have. Returns true if
 * there is no file. */
bool origin_check_file(const char *path, const json_t *config, bool other_data, Error *err);

/* Returns true if the file has checksums and its metadata name the same run. */
bool origin_is(const char *path, const json_t *metadata);

#endif

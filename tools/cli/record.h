/* record.h - a version on stdout, as JSON or as a line of columns.
 */
#ifndef RECORD_H
#define RECORD_H

#include "cli.h"

/* id, version, manifest, metadata, hash, created_at, updated_at,
 * created_us, updated_us, seq, place; the texts where they are there. */
void record_json_package(const struct pakhus_package *package);
void record_json(const struct pakhus_record *record);
/* id, version, updated_at, hash, separated by tabs. */
void record_columns(const struct pakhus_record *record);

#endif

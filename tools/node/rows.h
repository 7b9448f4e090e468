/* rows.h - what a call is told while it runs, kept for its result. */
#ifndef ROWS_H
#define ROWS_H

#include "values.h"

struct rows {
	void *item;
	size_t n, cap;
	int is_short; /* memory was */
};

/* Zeroed room for one more of size bytes; NULL without memory. */
void *rows_add(struct rows *r, size_t size);
void rows_free(struct rows *r);

/* pakhus_damage_fn for rows. */
void damage_add(void *rows, const char *path, const char *rule,
		const char *text);
napi_value damage_value(napi_env env, const struct rows *r);
void damage_free(struct rows *r);

#endif

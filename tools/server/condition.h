/* condition.h - entity tags and dates, as conditions of requests compare them
 * (RFC 9110, sections 8.8 and 13.1).
 */
#ifndef CONDITION_H
#define CONDITION_H

#include "coding.h"
#include "http.h"

#include <stdint.h>

enum { TAG_SIZE = 200, DATE_SIZE = 30 };

/* Whether a field's list has the tag, which is with its quotes, and W/ where
 * it is weak. is_strong: neither may be weak. "*" has every tag. */
int tags_have(const char *list, const char *tag, int is_strong);
/* The same of all lines of a field. */
int condition_has(const struct request *rq, const char *field,
		  const char *tag, int is_strong);

/* A representation's tag in a coding: "x" becomes "x-gzip". */
void tag_coded(const char *tag, enum coding c, char out[TAG_SIZE]);
/* Whether If-None-Match has the tag in one of the codings that the client
 * takes, which is then in out. */
int condition_known(const struct request *rq, const char *tag,
		    char out[TAG_SIZE]);

/* Seconds since 1970; 0, or -1: in none of the three forms. */
int date_parse(const char *text, int64_t *out);
void date_format(int64_t seconds, char out[DATE_SIZE]);

#endif

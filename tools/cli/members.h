/* members.h - the named members of one canonical JSON value.
 *
 * An object's members go by their keys; the elements of an array of objects
 * by their name, else id, else key, else position. Everything is a slice of
 * the text that was read: canonical text means that equal bytes are equal
 * values. Names are the inside of the quotes, still escaped.
 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct slice {
	const char *text;
	size_t size;
};

struct member {
	struct slice name; /* text NULL: a position, in nth */
	size_t nth;	   /* among members of the same name, from 0 */
	struct slice value;
	size_t at; /* place in the value that was read */
};

enum members_kind {
	MEMBERS_NONE, /* a scalar, or an array of something else */
	MEMBERS_OBJECT,
	MEMBERS_ARRAY
};

struct members {
	enum members_kind kind;
	bool all_named;
	struct member *item;
	size_t count;
	/* private */
	size_t *by_name, room;
};

void members_read(struct slice value, struct members *out);
void members_release(struct members *members);
/* The member of the same name; NULL where there is none. */
const struct member *members_find(const struct members *members,
				  const struct member *like);

bool slice_same(struct slice a, struct slice b);
/* `account`, `account#2` for the second of that name, `3` for a position. */
void member_put_name(const struct member *member, FILE *f);

#endif

/* heads.h - heads of requests as those who test the parser want them: found,
 * parsed in a copy of exactly their size, and written again. */
#ifndef HEADS_H
#define HEADS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tools/server/head.h"

/* Where bytes come one by one and where they come at once the answer has to
 * be the same: head_find() both ways. */
static inline long heads_find(const char *bytes, size_t size,
			      struct head_fault *fault)
{
	struct head_fault other = {0};
	size_t at = 0, slow = 0, n = 0;
	long whole = head_find(bytes, size, &at, fault), got = 0;

	while (!got && n < size)
		got = head_find(bytes, ++n, &slow, &other);
	if (got != whole || (whole < 0 && other.status != fault->status))
		abort();
	return whole;
}

/* The status of the fault; 0: it was read, and out points into *copy; -1: its
 * end is not there. Free *copy. */
static inline int heads_read(const char *bytes, size_t size, struct head *out,
			     char **copy, struct head_fault *fault)
{
	long end;

	*copy = NULL;
	end = heads_find(bytes, size, fault);
	if (end < 0)
		return fault->status;
	if (!end)
		return -1;
	*copy = malloc((size_t)end);
	memcpy(*copy, bytes, (size_t)end);
	return head_parse(*copy, (size_t)end, out, fault) ? fault->status : 0;
}

/* What was read, as the text that says no more than that; free it. */
static inline char *heads_write(const struct head *h)
{
	char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "%s %s HTTP/1.%d\r\n", h->method_name, h->target, h->minor);
	for (i = 0; i < h->field_count; i++)
		fprintf(f, "%s: %s\r\n", h->fields[i].name, h->fields[i].value);
	fputs("\r\n", f);
	fclose(f);
	return text;
}

/* A head that is taken means what its plain spelling means. Gives whether it
 * was taken. */
static inline int heads_again(const char *bytes, size_t size)
{
	struct head h, again;
	struct head_fault fault;
	char *copy, *other, *text;
	int rc = heads_read(bytes, size, &h, &copy, &fault);

	if (!rc) {
		text = heads_write(&h);
		/* plain may be longer, by a space behind each colon */
		if (strlen(text) <= HEAD_MAX) {
			if (heads_read(text, strlen(text), &again, &other,
				       &fault) ||
			    h.method != again.method ||
			    strcmp(h.target, again.target) ||
			    h.size != again.size ||
			    h.is_keep_alive != again.is_keep_alive ||
			    h.is_expecting != again.is_expecting ||
			    h.field_count != again.field_count)
				abort();
			free(other);
		}
		free(text);
	}
	free(copy);
	return !rc;
}

#endif

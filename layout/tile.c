#include "tile.h"

#include <assert.h>
#include <stdio.h>

void pk_tile_path(const struct pk_tile *t, char out[PK_TILE_PATH_SIZE])
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu",
			 (unsigned long long)t->index);
	int groups = (n + 2) / 3, lead = groups * 3 - n;
	char *p = out;

	p += t->level == PK_TILE_ENTRIES
		     ? sprintf(p, "tile/entries")
		     : sprintf(p, "tile/%d", t->level);
	for (int g = 0, at = -lead; g < groups; g++) {
		*p++ = '/';
		if (g < groups - 1)
			*p++ = 'x';
		for (int i = 0; i < 3; i++, at++)
			*p++ = at < 0 ? '0' : digits[at];
	}
	*p = '\0';
	if (t->width < PK_TILE_WIDTH)
		sprintf(p, ".p/%u", t->width);
}

static int take_number(const char **p, unsigned max, unsigned *out)
{
	unsigned v = 0;
	const char *from = *p;

	while (**p >= '0' && **p <= '9' && *p - from < 4)
		v = v * 10 + (unsigned)(*(*p)++ - '0');
	*out = v;
	return *p == from || (*from == '0' && *p - from > 1) || v > max;
}

static int take_group(const char **p, uint64_t *index)
{
	for (int i = 0; i < 3; i++) {
		char c = (*p)[i];

		if (c < '0' || c > '9' || *index > (UINT64_MAX - 9) / 10)
			return -1;
		*index = *index * 10 + (uint64_t)(c - '0');
	}
	*p += 3;
	return 0;
}

int pk_tile_parse(const char *path, struct pk_tile *t)
{
	char again[PK_TILE_PATH_SIZE];
	const char *p = path;
	unsigned n;

	t->index = 0;
	t->width = PK_TILE_WIDTH;
	if (strlen(path) >= sizeof(again) || strncmp(p, "tile/", 5))
		return -1;
	p += 5;
	if (!strncmp(p, "entries/", 8)) {
		t->level = PK_TILE_ENTRIES;
		p += 8;
	} else {
		if (take_number(&p, PK_TILE_LEVELS - 1, &n) || *p++ != '/')
			return -1;
		t->level = (int)n;
	}
	while (*p == 'x') {
		p++;
		if (take_group(&p, &t->index) || *p++ != '/')
			return -1;
	}
	if (take_group(&p, &t->index))
		return -1;
	if (*p) {
		if (strncmp(p, ".p/", 3))
			return -1;
		p += 3;
		if (take_number(&p, PK_TILE_WIDTH - 1, &t->width) || *p ||
		    !t->width)
			return -1;
	}
	/* one spelling only: no leading x000 */
	pk_tile_path(t, again);
	return strcmp(path, again) ? -1 : 0;
}

int pk_bundle_next(struct pk_bytes *b, struct pk_bytes *line)
{
	struct pk_bytes try = *b;
	const unsigned char *head;

	if (!b->left)
		return 0;
	head = pk_take(&try, 2);
	if (!head)
		return -1;
	line->left = pk_be16(head);
	line->at = pk_take(&try, line->left);
	if (!line->at)
		return -1;
	*b = try;
	return 1;
}

size_t pk_bundle_put(unsigned char *out, const void *line, size_t size)
{
	assert(size <= UINT16_MAX);
	pk_put_be16(out, (uint16_t)size);
	memcpy(out + 2, line, size);
	return size + 2;
}

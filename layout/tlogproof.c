#include "tlogproof.h"
#include "base64.h"
#include "line.h"

#include <stdio.h>

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

static int begins(const char *line, size_t size, const char *word)
{
	size_t n = strlen(word);

	return size >= n && !memcmp(line, word, n);
}

static size_t path_encode(const struct pk_path *path, char *out)
{
	char *p = out;

	for (size_t i = 0; i < path->n; i++) {
		p += pk_base64(path->hash[i], PK_HASH_SIZE, p);
		*p++ = '\n';
	}
	return (size_t)(p - out);
}

/* One hash more. */
static int path_add(struct pk_path *path, const char *line, size_t size)
{
	if (path->n == PK_PATH_MAX ||
	    pk_unbase64(line, size, path->hash[path->n], PK_HASH_SIZE) !=
		    PK_HASH_SIZE)
		return -1;
	path->n++;
	return 0;
}

/* ---- an entry in a log ---- */

size_t pk_proof_encode(const struct pk_proof *p, char out[PK_PROOF_TEXT])
{
	size_t n = (size_t)sprintf(out, FIRST_LINE "\nextra ");

	n += pk_base64(p->entry, p->entry_size, out + n);
	n += (size_t)sprintf(out + n, "\nindex %llu\n",
			     (unsigned long long)p->index);
	n += path_encode(&p->path, out + n);
	out[n++] = '\n';
	memcpy(out + n, p->note.at, p->note.left);
	return n + p->note.left;
}

const char *pk_proof_decode(const char *text, size_t size, struct pk_proof *p)
{
	struct pk_bytes b = { (const unsigned char *)text, size };
	const char *line;
	long n = 0;

	if (!pk_line_next(&b, &line, &size) || size != strlen(FIRST_LINE) ||
	    memcmp(line, FIRST_LINE, size))
		return "F-70 the first line is not " FIRST_LINE;
	if (pk_line_next(&b, &line, &size) && begins(line, size, "extra "))
		n = pk_unbase64(line + 6, size - 6, p->entry, PK_ENTRY_MAX);
	if (n <= 0)
		return "F-70 the second line does not bring a log entry";
	p->entry_size = (size_t)n;
	if (!pk_line_next(&b, &line, &size) || !begins(line, size, "index ") ||
	    pk_decimal(line + 6, size - 6, &p->index))
		return "F-70 the third line is not a position";
	p->path.n = 0;
	for (;;) {
		if (!pk_line_next(&b, &line, &size))
			return "F-70 there is no checkpoint";
		if (!size)
			break;
		if (path_add(&p->path, line, size))
			return "F-70 not a hash, or more than 63 of them";
	}
	if (!b.left || b.left > PK_NOTE_MAX)
		return "F-70 the checkpoint is empty, or longer than 16384 "
		       "bytes";
	p->note = b;
	return NULL;
}

/* ---- a log that has grown ---- */

size_t pk_growth_encode(const struct pk_growth *g, char out[PK_GROWTH_TEXT])
{
	size_t n = (size_t)sprintf(out, "consistency %llu %llu\n",
				   (unsigned long long)g->from,
				   (unsigned long long)g->to);

	return n + path_encode(&g->path, out + n);
}

const char *pk_growth_decode(const char *text, size_t size, struct pk_growth *g)
{
	static const char bad[] = "F-72 the first line is not consistency and "
				  "two sizes";
	struct pk_bytes b = { (const unsigned char *)text, size };
	const char *line, *space;

	if (!pk_line_next(&b, &line, &size) ||
	    !begins(line, size, "consistency "))
		return bad;
	line += strlen("consistency ");
	size -= strlen("consistency ");
	space = memchr(line, ' ', size);
	if (!space || pk_decimal(line, (size_t)(space - line), &g->from) ||
	    pk_decimal(space + 1, size - (size_t)(space - line) - 1, &g->to))
		return bad;
	if (!g->from || g->from > g->to)
		return "F-72 the sizes are not of a log that grows";
	g->path.n = 0;
	while (pk_line_next(&b, &line, &size))
		if (path_add(&g->path, line, size))
			return "F-72 not a hash, or more than 63 of them";
	return b.left ? "F-72 does not end in a newline" : NULL;
}

/* canon.c - the canonical text of every line of stdin, for canon.mjs.
 *
 * One answer a line: "ok TEXT", or "refused LINE:COLUMN WHY". With -v a line
 * is any one value, else a package document.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canon.h"

static int answer_document(const char *line, size_t n,
			   struct pk_canon_error *err)
{
	struct pk_document doc;
	int rc = pk_document_canon(line, n, 0, &doc, err);

	if (rc)
		return rc;
	printf("ok %s\n", doc.text);
	pk_document_release(&doc);
	return 0;
}

static int answer_value(const char *line, size_t n, struct pk_canon_error *err)
{
	char *text;
	size_t size;
	int rc = pk_value_canon(line, n, 0, &text, &size, err);

	if (rc)
		return rc;
	printf("ok %s\n", text);
	free(text);
	return 0;
}

int main(int argc, char **argv)
{
	int value = argc > 1 && !strcmp(argv[1], "-v");
	struct pk_canon_error err;
	char *line = NULL, *exact;
	size_t cap = 0, size;
	ssize_t n;
	int rc;

	while ((n = getline(&line, &cap, stdin)) >= 0) {
		size = (size_t)n;
		if (size > 0 && line[size - 1] == '\n')
			size--;
		/* of its very size, so that a sanitizer sees every over-read */
		exact = malloc(size ? size : 1);
		if (!exact)
			return 1;
		memcpy(exact, line, size);
		rc = value ? answer_value(exact, size, &err)
			   : answer_document(exact, size, &err);
		free(exact);
		if (rc)
			printf("refused %zu:%zu %s\n", err.line, err.column,
			       err.what);
	}
	free(line);
	return fflush(stdout) || ferror(stdin) ? 1 : 0;
}

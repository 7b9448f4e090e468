#include "secret.h"

#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "mem.h"
#include "say.h"

#define SECRET_MAX 1024 /* a name of 200 bytes makes it 273 */

int secret_read(const struct cli *cli, const char *path, char **out)
{
	char *text, *copy = NULL;
	size_t size;
	int rc;

	rc = input_read(cli, path, &text, &size);
	if (rc)
		return rc;
	if (size && size <= SECRET_MAX && !memchr(text, '\0', size)) {
		copy = mem_need(calloc(1, size + 1));
		memcpy(copy, text, size);
	} else {
		rc = say_failed(cli, CLI_FAILED, "%s: it is %s, not a private "
				"key", input_name(path),
				size ? "longer than a line of text" : "empty");
	}
	explicit_bzero(text, size);
	free(text);
	*out = copy;
	return rc;
}

void secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

#include "vkey.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "say.h"

/* NAME+ID+BASE64: a plus, eight digits, a plus. What else is wrong with it
 * the library says. */
static bool is_key(const char *text)
{
	const char *plus = strchr(text, '+');

	return plus && strspn(plus + 1, "0123456789abcdef") == 8 &&
	       plus[9] == '+';
}

int vkey_read(const struct cli *cli, char **key)
{
	const char *arg = cli->value[OPT_VKEY];
	size_t size;
	char *text;
	int rc;

	*key = NULL;
	if (!arg)
		return CLI_DONE;
	if (!*arg)
		return say_usage(cli, "--key: is empty");
	if (is_key(arg)) {
		*key = strdup(arg);
		return *key ? CLI_DONE
			    : say_failed(cli, CLI_FAILED, "out of memory");
	}
	rc = input_read(cli, arg, &text, &size);
	if (rc)
		return rc;
	if (size && text[size - 1] == '\n')
		size--;
	*key = memchr(text, '\0', size) ? NULL : strndup(text, size);
	free(text);
	if (*key && is_key(*key))
		return CLI_DONE;
	free(*key);
	return say_failed(cli, CLI_USAGE,
			  "--key: %s is neither a verifier key, "
			  "NAME+ID+BASE64, nor a file that holds one",
			  arg);
}

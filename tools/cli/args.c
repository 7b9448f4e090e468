#include "args.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "say.h"

#define DURATION_MAX (UINT64_C(36500) * 86400)

static int check(const struct cli *cli, const char *word,
		 struct args_spec *spec)
{
	if (!*spec->id) {
		args_spec_release(spec);
		return say_usage(cli, "the package id is empty");
	}
	if (spec->version && !*spec->version) {
		args_spec_release(spec);
		return say_usage(cli, "the version is empty: %s", word);
	}
	return CLI_DONE;
}

int args_split(const struct cli *cli, const char *word, struct args_spec *out)
{
	struct args_spec spec = {.id = mem_dup(word)};
	char *at = *word ? strrchr(spec.id + 1, '@') : NULL;
	int rc;

	if (at) {
		*at = '\0';
		spec.version = at + 1;
	}
	rc = check(cli, word, &spec);
	if (!rc)
		*out = spec;
	return rc;
}

int args_spec(const struct cli *cli, struct args_spec *out)
{
	const char *id = cli->value[OPT_ID], *word = NULL;
	struct args_spec spec = {NULL, cli->value[OPT_VERSION]};
	int rc;

	if (cli->operands)
		word = cli->operand[0];
	if (id && word)
		return say_usage(cli, "the package is named twice: %s and %s",
				 id, word);
	if (!id && word && !spec.version)
		return args_split(cli, word, out);
	if (!id)
		id = word;
	if (id)
		spec.id = mem_dup(id);
	else if (spec.version)
		return say_usage(cli, "a version of which package?");
	rc = id ? check(cli, id, &spec) : CLI_DONE;
	if (!rc)
		*out = spec;
	return rc;
}

void args_spec_release(struct args_spec *spec)
{
	free(spec->id);
	spec->id = NULL;
}

char *args_spec_text(const struct args_spec *spec)
{
	char *text;

	if (!spec->version)
		return mem_dup(spec->id);
	if (asprintf(&text, "%s@%s", spec->id, spec->version) < 0)
		text = NULL;
	return mem_need(text);
}

int args_id_not_found(const struct cli *cli, const char *id)
{
	bool split = *id && strchr(id + 1, '@');

	return say_failed(cli, CLI_NOT_FOUND, "not found: %s%s%s%s", id,
			  split ? " (" : "", split ? cli->command->name : "",
			  split ? " takes an id without a version)" : "");
}

static bool number_of(const char *text, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false; /* strtoull takes signs and blanks */
	errno = 0;
	*out = strtoull(text, &end, 10);
	return !errno && !*end;
}

int args_number(const struct cli *cli, enum cli_option opt, uint64_t min,
		uint64_t max, uint64_t *out)
{
	const char *text = cli->value[opt], *name = cli_options[opt].name;
	uint64_t n;

	if (!text)
		return CLI_DONE;
	if (!number_of(text, &n))
		return say_usage(cli, "--%s: not a number: \"%s\"", name, text);
	if (n < min)
		return say_usage(cli, "--%s: at least %" PRIu64, name, min);
	if (n > max)
		return say_usage(cli, "--%s: at most %" PRIu64, name, max);
	*out = n;
	return CLI_DONE;
}

/* In what unit; 0: in none that there is. */
static uint64_t unit_of(const char *text)
{
	if (!strcmp(text, "s"))
		return 1;
	if (!strcmp(text, "m"))
		return 60;
	if (!strcmp(text, "h"))
		return 3600;
	return strcmp(text, "d") ? 0 : 86400;
}

int args_duration(const struct cli *cli, enum cli_option opt, uint64_t min,
		  uint64_t *out)
{
	const char *text = cli->value[opt], *name = cli_options[opt].name;
	uint64_t n = 0, unit;
	size_t digits;

	if (!text)
		return CLI_DONE;
	digits = strspn(text, "0123456789");
	unit = min || strcmp(text, "0") ? unit_of(text + digits) : 1;
	if (!digits || !unit)
		return say_usage(cli,
				 "--%s: not a number with s, m, h or d behind "
				 "it: \"%s\"",
				 name, text);
	if (digits < 10) /* with d still less than 2^53 microseconds */
		n = strtoull(text, NULL, 10) * unit;
	if (digits >= 10 || n > DURATION_MAX)
		return say_usage(cli, "--%s: at most 36500d", name);
	if (n < min)
		return say_usage(cli, "--%s: at least %" PRIu64 "s", name, min);
	*out = n;
	return CLI_DONE;
}

int args_level(const struct cli *cli, int *level)
{
	uint64_t n = 0;
	int rc = args_number(cli, OPT_LEVEL, 1, 19, &n);

	if (!rc)
		*level = (int)n;
	return rc;
}

/* Those that this process may use, which taskset or a container limits. */
static uint64_t processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (uint64_t)CPU_COUNT(&set);
}

int args_threads(const struct cli *cli, unsigned *threads)
{
	uint64_t n = processors();
	int rc = args_number(cli, OPT_THREADS, 1, 64, &n);

	if (!rc)
		*threads = (unsigned)n;
	return rc;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static bool is_utf8(const char *text)
{
	json_t *string = json_string(text);

	json_decref(string);
	return string != NULL;
}

int args_by(const struct cli *cli, const char **by)
{
	const char *env = getenv("PAKHUS_BY"), *label = cli->value[OPT_BY];
	const char *whose = label ? "--by" : "PAKHUS_BY";

	if (!label)
		label = env && *env ? env : NULL;
	if (label && strlen(label) > PAKHUS_BY_MAX)
		return say_usage(cli, "%s: longer than %d bytes", whose,
				 PAKHUS_BY_MAX);
	if (label && has_control(label))
		return say_usage(cli, "%s: has a control character", whose);
	if (label && !is_utf8(label))
		return say_usage(cli, "%s: is not UTF-8", whose);
	*by = label;
	return CLI_DONE;
}

const char *args_tokens(const struct cli *cli)
{
	const char *env = getenv("PAKHUS_TOKENS");

	if (cli->value[OPT_TOKENS])
		return cli->value[OPT_TOKENS];
	return env && *env ? env : NULL;
}

/* cmd_serve.c - answers over HTTP until it is told to stop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../server/serve.h"
#include "args.h"
#include "out.h"
#include "say.h"
#include "store.h"

static void started(void *arg, const char *url)
{
	(void)arg;
	printf("%s\n", url);
	out_flush();
}

static int read_anonymous(const struct cli *cli, enum anonymous *out)
{
	const char *word = cli->value[OPT_ANONYMOUS];

	*out = args_tokens(cli) ? ANONYMOUS_LISTED : ANONYMOUS_ALL;
	if (!word)
		return CLI_DONE;
	if (!strcmp(word, "all"))
		*out = ANONYMOUS_ALL;
	else if (!strcmp(word, "listed"))
		*out = ANONYMOUS_LISTED;
	else if (!strcmp(word, "none"))
		*out = ANONYMOUS_NONE;
	else
		return say_usage(cli, "--anonymous: all, listed or none");
	return CLI_DONE;
}

/* --rates READS,WRITES,FAILED */
static int read_rates(const struct cli *cli, struct limit_rates *out)
{
	const char *text = cli->value[OPT_RATES];
	unsigned *const to[] = {&out->read, &out->write, &out->failed};
	size_t i, digits;

	for (i = 0; text && i < 3; i++) {
		digits = strspn(text, "0123456789");
		if (!digits || digits > 9 || text[digits] != (i < 2 ? ',' : 0))
			return say_usage(cli, "--rates: three numbers with "
					      "commas between, as "
					      "12000,1200,60");
		*to[i] = (unsigned)strtoul(text, NULL, 10);
		text += digits + 1;
	}
	return CLI_DONE;
}

static int read_options(const struct cli *cli, struct serve_options *opt)
{
	uint64_t threads = 0, connections = 0, document = 0;
	struct pakhus_error err = {0};
	int rc = read_anonymous(cli, &opt->server.anonymous);

	if (!rc)
		rc = read_rates(cli, &opt->server.rates);
	if (!rc)
		rc = args_number(cli, OPT_REQUESTS, 1, 64, &threads);
	if (!rc)
		rc = args_number(cli, OPT_CONNECTIONS, 1, 1000000,
				 &connections);
	if (!rc)
		rc = args_number(cli, OPT_MAX_DOCUMENT, 1,
				 PAKHUS_DOCUMENT_MAX, &document);
	if (!rc && !cli->value[OPT_TLS_CERT] != !cli->value[OPT_TLS_KEY])
		rc = say_usage(cli, "--tls-cert and --tls-key go together");
	if (!rc && !serve_may(opt, &err))
		rc = say_usage(cli, "%s", err.text);
	opt->threads = (unsigned)threads;
	opt->connections = (unsigned)connections;
	opt->server.max_body = (size_t)document;
	return rc;
}

int cmd_serve(const struct cli *cli)
{
	struct serve_options opt = {
		.server.store = cli->store,
		.server.tokens = args_tokens(cli),
		.server.is_read_only = cli->value[OPT_READ_ONLY] != NULL,
		.server.is_metrics_public =
			cli->value[OPT_METRICS_PUBLIC] != NULL,
		.server.rates = LIMIT_RATES_DEFAULT,
		.server.notice = store_notice,
		.listen = cli->value[OPT_LISTEN],
		.cert = cli->value[OPT_TLS_CERT],
		.key = cli->value[OPT_TLS_KEY],
		.access_log = cli->value[OPT_ACCESS_LOG],
		.trust_proxy = cli->value[OPT_TRUST_PROXY],
		.started = started,
	};
	struct pakhus_error err = {0};
	int rc = read_options(cli, &opt);

	if (rc)
		return rc;
	rc = serve_run(&opt, &err);
	if (rc)
		return say_error(cli, NULL, &err);
	return CLI_DONE;
}

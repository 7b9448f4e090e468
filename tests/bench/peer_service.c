/* peer_service.c - npm's @objectstack/service-package, in a child that runs
 * service.mjs; what they say to each other stands at the head of that file.
 *
 * Times are those that the child took around the service's own calls, so
 * that neither the pipes nor the texts made for us are counted.
 */
#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct service {
	pid_t pid;
	FILE *to, *from;
};

/* node, service.mjs and its node_modules; tests/bench/run puts them there. */
static const char *home(const char *name, char out[4096])
{
	const char *dir = getenv("BENCH_SERVICE");

	snprintf(out, 4096, "%s/%s", dir ? dir : "build/bench/service", name);
	return out;
}

static const char *service_missing(void)
{
	static const char *const needed[] = {
		"node", "service.mjs",
		"node_modules/@objectstack/service-package/package.json"};
	char path[4096];

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (access(home(needed[i], path), R_OK))
			return "npm, which has @objectstack/service-package, "
			       "is out of reach";
	return NULL;
}

/* Its numbers follow: two, and bytes of text as many as they say. */
static int64_t answered(struct service *s, size_t sizes[2])
{
	long long ns;
	char *why;

	if (fflush(s->to) ||
	    fscanf(s->from, "%lld %zu %zu", &ns, &sizes[0], &sizes[1]) != 3 ||
	    fgetc(s->from) != '\n')
		return bench_fail("service: it ended");
	if (ns >= 0)
		return ns;
	why = must(calloc(1, sizes[0] + 1));
	if (fread(why, 1, sizes[0], s->from) == sizes[0])
		bench_fail("service: %s", why);
	free(why);
	return -1;
}

static int64_t ask(struct service *s, size_t sizes[2], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int64_t ask(struct service *s, size_t sizes[2], const char *fmt, ...)
{
	size_t unused[2];
	va_list args;

	va_start(args, fmt);
	vfprintf(s->to, fmt, args);
	va_end(args);
	return answered(s, sizes ? sizes : unused);
}

static void service_free(struct service *s)
{
	fclose(s->to);
	fclose(s->from);
	if (s->pid)
		waitpid(s->pid, NULL, 0);
	free(s);
}

static void service_close(void *client)
{
	ask(client, NULL, "close\n");
	service_free(client);
}

/* An errno, or 0; the two streams are there either way. */
static int start(struct service *s)
{
	char node[4096], script[4096];
	char *argv[] = {(char *)home("node", node),
			(char *)home("service.mjs", script), NULL};
	posix_spawn_file_actions_t actions;
	int in[2], out[2], rc;

	/* both ends close on exec: another child must not keep them open */
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) {
		perror("bench: service");
		exit(1);
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	rc = posix_spawn(&s->pid, node, &actions, NULL, argv, environ);
	if (rc)
		s->pid = 0;
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	s->to = must(fdopen(in[1], "w"));
	s->from = must(fdopen(out[0], "r"));
	return rc;
}

static void *service_open(const struct peer *self, const char *dir,
			  const struct peer_options *opt)
{
	struct service *s = must(calloc(1, sizeof(*s)));
	int rc;

	(void)self;
	(void)opt;
	signal(SIGPIPE, SIG_IGN); /* that it ended is seen by its answer */
	mkdir(dir, 0777);
	rc = start(s);
	if (rc)
		bench_fail("service: %s", strerror(rc));
	if (!rc && ask(s, NULL, "open %s/registry.db\n", dir) >= 0)
		return s;
	service_free(s);
	return NULL;
}

static int64_t service_publish(void *client, const struct doc *doc)
{
	struct service *s = client;
	size_t unused[2];

	fprintf(s->to, "publish %zu\n", doc->size);
	fwrite(doc->text, 1, doc->size, s->to);
	return answered(s, unused);
}

/* A loop of publish(), as its users do it: it has nothing for many. */
static int64_t service_import(void *client, const struct doc *docs,
			      size_t count)
{
	struct service *s = client;
	int64_t ns, total = 0;

	for (size_t i = 0; i < count; i++) {
		ns = service_publish(s, &docs[i]);
		if (ns < 0)
			return -1;
		total += ns;
	}
	if (ask(s, NULL, "begin\n") < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (ask(s, NULL, "created %s %s %lld\n", docs[i].id,
			docs[i].version, (long long)docs[i].created) < 0)
			return -1;
	return ask(s, NULL, "commit\n") < 0 ? -1 : total;
}

static int64_t service_get(void *client, const char *id, const char *version,
			   struct answer *out)
{
	struct service *s = client;
	size_t sizes[2];
	int64_t ns;
	char *text;

	*out = (struct answer){0};
	ns = ask(s, sizes, version ? "get %s %s\n" : "get %s\n", id, version);
	if (ns < 0 || !sizes[0])
		return ns;
	text = must(malloc(sizes[0] + sizes[1]));
	if (fread(text, 1, sizes[0] + sizes[1], s->from) !=
	    sizes[0] + sizes[1]) {
		free(text);
		return bench_fail("service: an answer that ends early");
	}
	*out = (struct answer){
		.manifest = text,
		.metadata = text + sizes[0],
		.manifest_size = sizes[0],
		.metadata_size = sizes[1],
		.owner = text,
		.release = free,
	};
	return ns;
}

static int64_t service_list(void *client, size_t limit, size_t *count,
			    uint64_t *bytes)
{
	size_t sizes[2] = {0};
	int64_t ns = ask(client, sizes, "list %zu\n", limit);

	*count = sizes[0];
	*bytes = sizes[1];
	return ns;
}

static int64_t service_remove(void *client, const char *id, const char *version)
{
	return ask(client, NULL, "delete %s %s\n", id, version);
}

const struct peer peer_service = {
	.name = "service",
	.can = PEER_PROCESSES | PEER_DELETE | PEER_BYTES | PEER_COLD |
	       PEER_IMPORT,
	.missing = service_missing,
	.open = service_open,
	.close = service_close,
	.publish = service_publish,
	.import = service_import,
	.get = service_get,
	.list = service_list,
	.remove = service_remove,
	.getter = "get_service",
};

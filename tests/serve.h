/* serve.h - a server without sockets, and requests to it in one line. A test
 * file includes t.h and stores.h first.
 */
#ifndef SERVE_H
#define SERVE_H

#include "../tools/server/server.h"

static struct server *served;
static struct reply answer; /* to the request that was made last */

static inline void serve_open(struct server_options opt)
{
	assert_done(server_open(&served, &opt, &err));
}

static inline void serve_close(void)
{
	server_close(served);
	served = NULL;
}

/* A request with fields in pairs, up to NULL; the answer is in answer, and
 * its status is given. Free it with reply_free(). */
__attribute__((unused)) static int
ask_for(enum http_method method, const char *target, ...)
{
	struct request rq = { .method = method, .target = target, .body = "",
			      .peer = "192.0.2.1" };
	struct field fields[8];
	const char *name;
	va_list ap;

	va_start(ap, target);
	while ((name = va_arg(ap, const char *))) {
		fields[rq.field_count].name = name;
		fields[rq.field_count++].value = va_arg(ap, const char *);
	}
	va_end(ap);
	rq.fields = fields;
	server_handle(served, &rq, &answer);
	return answer.status;
}

/* The same, and the answer is not looked at. */
#define status_for(...) (ask_for(__VA_ARGS__), reply_free_status())
static inline int reply_free_status(void)
{
	int status = answer.status;

	reply_free(&answer);
	return status;
}

static inline int answer_has(const char *name, const char *value)
{
	const char *got = reply_value(&answer, name);

	if (value ? got && !strcmp(got, value) : !got)
		return 1;
	print_error("%s: %s\n", name, got ? got : "none");
	return 0;
}

/* The bytes that would be sent; to be freed. */
static inline char *answer_bytes(void)
{
	char *bytes = malloc(answer.size + 1);

	if (answer.fd >= 0)
		assert_int_equal(pread(answer.fd, bytes, answer.size,
				       (off_t)answer.offset), answer.size);
	else if (answer.size)
		memcpy(bytes, answer.body, answer.size);
	bytes[answer.size] = '\0';
	return bytes;
}

#endif

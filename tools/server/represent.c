/* represent.c - conditions, ranges and codings of replies (RFC 9110, sections
 * 8, 12 to 14), in the order of its section 13.2.2.
 *
 * The tag that a door gave is that of the bytes as they are, each coding has
 * one of its own. A range is one of the bytes as they are, so a reply has a
 * range or a coding and never both.
 */
#include "represent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "accept.h"
#include "condition.h"
#include "digest.h"
#include "range.h"

#define CODED_MIN 1024 /* shorter ones fit a packet as they are */
#define CODED_MAX ((uint64_t)16 << 20) /* longer ones would keep a worker */

static void drop_field(struct reply *rp, const char *name)
{
	size_t i;

	for (i = 0; i < rp->field_count; i++)
		if (!strcasecmp(rp->fields[i].name, name))
			break;
	if (i == rp->field_count)
		return;
	free(rp->fields[i].value);
	memmove(&rp->fields[i], &rp->fields[i + 1],
		(--rp->field_count - i) * sizeof(rp->fields[0]));
}

static void drop_body(struct reply *rp)
{
	free(rp->body);
	rp->body = NULL;
	if (rp->fd >= 0)
		close(rp->fd);
	rp->fd = -1;
	rp->size = rp->offset = 0;
}

/* Another answer in the place of the door's: nothing it said holds. */
static void forget(struct reply *rp)
{
	static const char *const said[] = {
		"ETag", "Last-Modified", "Cache-Control", "Content-Location",
		"Repr-Digest"};
	size_t i;

	drop_body(rp);
	for (i = 0; i < sizeof(said) / sizeof(*said); i++)
		drop_field(rp, said[i]);
}

static int is_compressible(const char *type)
{
	size_t n = strcspn(type, ";");

	return !strncmp(type, "text/", 5) ||
	       !strncmp(type, "application/json", 16) ||
	       (n > 5 && !strncmp(type + n - 5, "+json", 5)) ||
	       (n > 4 && !strncmp(type + n - 4, "+xml", 4));
}

static void vary(struct reply *rp)
{
	const char *old = reply_value(rp, "Vary");
	char *kept = old ? strdup(old) : NULL;

	if (kept && !strcasestr(kept, "Accept-Encoding"))
		reply_field(rp, "Vary", "%s, Accept-Encoding", kept);
	else if (!old)
		reply_field(rp, "Vary", "Accept-Encoding");
	free(kept);
}

/* ---- What is there, and what of it the client has ---- */

/* JSON that a door did not tag is what its bytes are. */
static void add_tag(struct reply *rp)
{
	const char *type = reply_value(rp, "Content-Type");
	unsigned char digest[DIGEST_SIZE];
	char hex[DIGEST_HEX + 1];

	if (reply_value(rp, "ETag") || rp->fd >= 0 || !rp->body || !type ||
	    strncmp(type, "application/json", 16) != 0 ||
	    digest_sha256(rp->body, rp->size, digest))
		return;
	digest_hex(digest, hex);
	reply_field(rp, "ETag", "\"%.32s\"", hex);
}

/* Failures too, which a cache might keep otherwise. */
static void add_freshness(struct exchange *x)
{
	if (!reply_value(x->reply, "Cache-Control"))
		reply_field(x->reply, "Cache-Control",
			    request_field(x->request, "Authorization")
				    ? "private, no-cache"
				    : "no-cache");
}

static int modified(const struct reply *rp, int64_t *out)
{
	const char *value = reply_value(rp, "Last-Modified");

	return value && !date_parse(value, out);
}

/* If-Match, If-Unmodified-Since */
static int is_failed(const struct exchange *x)
{
	const char *tag = reply_value(x->reply, "ETag");
	const char *since = request_field(x->request, "If-Unmodified-Since");
	char coded[TAG_SIZE];
	int64_t asked, have;
	enum coding c;

	if (request_field(x->request, "If-Match")) {
		for (c = 0; tag && c < CODINGS; c++) {
			tag_coded(tag, c, coded);
			if (condition_has(x->request, "If-Match", coded, 1))
				return 0;
		}
		return 1;
	}
	return since && !date_parse(since, &asked) &&
	       modified(x->reply, &have) && have > asked;
}

/* If-None-Match, If-Modified-Since; the tag that the client has is in known.
 */
static int is_known(const struct exchange *x, char known[TAG_SIZE])
{
	const char *tag = reply_value(x->reply, "ETag");
	const char *since = request_field(x->request, "If-Modified-Since");
	int64_t asked, have;

	snprintf(known, TAG_SIZE, "%s", tag ? tag : "");
	if (request_field(x->request, "If-None-Match"))
		return tag && condition_known(x->request, tag, known);
	return since && !date_parse(since, &asked) &&
	       modified(x->reply, &have) && have <= asked;
}

static void not_modified(struct exchange *x, const char *known)
{
	struct reply *rp = x->reply;
	const char *type = reply_value(rp, "Content-Type");

	if (*known)
		reply_field(rp, "ETag", "%s", known);
	if (!type || is_compressible(type))
		vary(rp);
	drop_field(rp, "Content-Type");
	drop_field(rp, "Repr-Digest");
	drop_body(rp);
	rp->status = 304;
}

/* ---- A part of it ---- */

/* If-Range; what is weak is never the same. */
static int is_same(const struct exchange *x, const char *tag)
{
	const char *value = request_field(x->request, "If-Range");
	int64_t asked, have;

	if (!value)
		return 1;
	if (*value == '"' || *value == 'W')
		return tags_have(value, tag, 1);
	return !date_parse(value, &asked) && modified(x->reply, &have) &&
	       have == asked;
}

static int takes_identity(const struct exchange *x)
{
	enum coding order[CODINGS];
	size_t n = accept_of(x->request, order);

	while (n--)
		if (order[n] == CODING_IDENTITY)
			return 1;
	return 0;
}

/* -1: out of memory for what says that it is a part. */
static int cut(struct reply *rp, uint64_t from, uint64_t count)
{
	reply_field(rp, "Content-Range", "bytes %llu-%llu/%llu",
		    (unsigned long long)from,
		    (unsigned long long)(from + count - 1),
		    (unsigned long long)rp->size);
	if (!reply_value(rp, "Content-Range"))
		return -1;
	if (rp->fd >= 0)
		rp->offset += from;
	else
		memmove(rp->body, rp->body + from, (size_t)count);
	rp->size = count;
	rp->status = 206;
	return 0;
}

/* 1: what is sent is settled. */
static int part(struct exchange *x)
{
	struct reply *rp = x->reply;
	const char *tag = reply_value(rp, "ETag");
	const char *type = reply_value(rp, "Content-Type");
	uint64_t from = 0, count = 0, whole = rp->size;

	if (x->request->method != HTTP_GET ||
	    request_lines(x->request, "Range") != 1 || !tag || *tag != '"' ||
	    !takes_identity(x) || !is_same(x, tag))
		return 0;
	switch (range_parse(request_field(x->request, "Range"), whole, &from,
			    &count)) {
	case RANGE_NONE:
		return 0;
	case RANGE_ONE:
		if (cut(rp, from, count))
			return 0;
		reply_field(rp, "Accept-Ranges", "bytes");
		if (type && is_compressible(type))
			vary(rp);
		return 1;
	case RANGE_BEHIND:
		break;
	}
	forget(rp);
	reply_error(x, 416, "RANGE_NOT_SATISFIABLE",
		    "The range begins behind the %llu bytes that there are.",
		    (unsigned long long)whole);
	reply_field(rp, "Content-Range", "bytes */%llu",
		    (unsigned long long)whole);
	return 1;
}

/* ---- Its coding ---- */

/* Takes a file's bytes into memory. */
static int load(struct reply *rp)
{
	size_t size = (size_t)rp->size, n = 0;
	char *body;
	ssize_t got;

	if (rp->fd < 0)
		return 0;
	body = malloc(size + 1);
	while (body && n < size) {
		got = pread(rp->fd, body + n, size - n,
			    (off_t)(rp->offset + n));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (!body || n < size) {
		free(body);
		return -1;
	}
	body[size] = '\0';
	close(rp->fd);
	rp->fd = -1;
	rp->offset = 0;
	rp->body = body;
	return 0;
}

/* It is of what is sent, coding and all: RFC 9530, section 3. */
static void add_digest(struct reply *rp)
{
	if (!reply_value(rp, "Repr-Digest"))
		return;
	drop_field(rp, "Repr-Digest");
	reply_digest(rp, rp->body, rp->size);
}

/* What the body is now has to be said, or it cannot be read. -1: out of
 * memory, and nothing is said. */
static int say_coding(struct reply *rp, enum coding c)
{
	const char *old = reply_value(rp, "ETag"), *said;
	char tag[TAG_SIZE];

	reply_field(rp, "Content-Encoding", "%s", coding_names[c]);
	if (!reply_value(rp, "Content-Encoding"))
		return -1;
	if (!old)
		return 0;
	tag_coded(old, c, tag);
	reply_field(rp, "ETag", "%s", tag);
	said = reply_value(rp, "ETag");
	if (strcmp(said, tag) != 0)
		drop_field(rp, "ETag");
	return 0;
}

/* 0, or -1 where it is not to be had, or would not be shorter. */
static int encode(struct reply *rp, enum coding c, int is_forced)
{
	size_t size;
	char *out;

	if (load(rp) || (c == CODING_ZSTD
				 ? zstd_encode(rp->body, rp->size, &out, &size)
				 : gzip_encode(rp->body, rp->size, &out,
					       &size)))
		return -1;
	if ((size >= rp->size && !is_forced) || say_coding(rp, c)) {
		free(out);
		return -1;
	}
	free(rp->body);
	rp->body = out;
	rp->size = size;
	add_digest(rp);
	return 0;
}

static void choose(struct exchange *x)
{
	struct reply *rp = x->reply;
	const char *type = reply_value(rp, "Content-Type");
	int is_worth = type && is_compressible(type), is_strict, i;
	enum coding order[CODINGS];
	int n = (int)accept_of(x->request, order);
	const char *tag;

	is_strict = rp->status == 200 && !takes_identity(x);
	if (is_worth)
		vary(rp);
	is_worth = is_worth && rp->size >= CODED_MIN;
	for (i = 0; i < n && rp->size <= CODED_MAX; i++) {
		if (order[i] == CODING_IDENTITY || !(is_worth || is_strict))
			break;
		if (!encode(rp, order[i], is_strict))
			return;
	}
	if (is_strict) {
		forget(rp);
		reply_error(x, 406, "NOT_ACCEPTABLE",
			    "This is not to be had in a content coding that "
			    "Accept-Encoding takes.");
		return;
	}
	tag = reply_value(rp, "ETag");
	if (rp->status == 200 && tag && *tag == '"')
		reply_field(rp, "Accept-Ranges", "bytes");
}

static void settle(struct exchange *x, int is_get)
{
	struct reply *rp = x->reply;
	char known[TAG_SIZE] = "";
	const char *tag;

	if (is_get && (rp->status == 200 || rp->status == 304)) {
		add_tag(rp);
		if (is_failed(x)) {
			forget(rp);
			reply_error(x, 412, "PRECONDITION_FAILED",
				    "It is not what the request says it is.");
			return;
		}
	}
	if (rp->status == 304) {
		tag = reply_value(rp, "ETag");
		snprintf(known, sizeof(known), "%s", tag ? tag : "");
		not_modified(x, known);
		return;
	}
	if (is_get && rp->status == 200) {
		if (is_known(x, known)) {
			not_modified(x, known);
			return;
		}
		if (part(x))
			return;
	}
	if ((rp->body || rp->fd >= 0) && rp->size &&
	    !reply_value(rp, "Content-Encoding"))
		choose(x);
}

void represent(struct exchange *x)
{
	int is_get = x->request->method == HTTP_GET ||
		     x->request->method == HTTP_HEAD;

	settle(x, is_get);
	if (is_get)
		add_freshness(x);
}

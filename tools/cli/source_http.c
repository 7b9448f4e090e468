/* source_http.c - a store or a mirror that a web server shows; the home of
 * libcurl.
 *
 * Up to 8 connections, or the streams of one where the server speaks HTTP/2.
 * A file that broke off is gone on with where the server says when it was
 * last changed: the part keeps that time, and If-Range asks whether it is
 * still the same. What was killed in between has another time, and begins
 * anew.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "interrupt.h"
#include "mem.h"
#include "part.h"
#include "progress.h"
#include "say.h"
#include "source.h"

#define CONNECTIONS 8
#define STREAMS 32 /* of files at once, where they are streams */
#define REDIRECTS 5
#define TRIES 4	       /* of a file; waits of 1/2, 1, 2 s between them */
#define WAIT_MAX 30    /* s, where a server says how long */
#define SLOW 100       /* bytes a second, for SOURCE_PATIENCE: given up */
#define BODY_MAX 65536 /* of an answer that is not the file */
#define LOOK_EVERY 250 /* ms: an interrupt */

struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct http *http;
	const char *name; /* NULL: free */
	struct part part;
	time_t changed; /* Last-Modified of what the part begins; -1: unknown */
	int tries;
	double not_before; /* when it is tried again; 0: it is under way */
	uint64_t skipped;  /* of a body that is not the file */
	bool begun;	   /* the body's first bytes were looked at */
	bool resumed;	   /* the part's size was asked for as a range */
	bool too_big, spliced;
	int sys; /* errno of a write that failed */
	char words[CURL_ERROR_SIZE];
};

struct http {
	char *base; /* without user, password, and slash behind */
	char *user, *password;
	const char *roots; /* a file of certificates; NULL: the system's */
	CURLM *multi;
	size_t width; /* files at once */
	struct transfer transfers[STREAMS];
	/* a fetch */
	int into;
	uint64_t max, bytes;
	size_t done, count;
	unsigned flags;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static long code_of(CURL *easy)
{
	long code = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

/* ---- A body ---- */

/* Where the range begins that a server sent; -1 where it does not say. */
static int64_t range_begin(CURL *easy)
{
	struct curl_header *h;
	int64_t begin;

	if (curl_easy_header(easy, "Content-Range", 0, CURLH_HEADER, -1, &h) ||
	    sscanf(h->value, "bytes %" SCNd64 "-", &begin) != 1)
		return -1;
	return begin;
}

/* The first bytes of the file itself: where they belong. */
static bool begin_body(struct transfer *t, long code)
{
	curl_off_t changed = -1;

	t->begun = true;
	curl_easy_getinfo(t->easy, CURLINFO_FILETIME_T, &changed);
	t->changed = (time_t)changed;
	if (code == 206) {
		t->spliced = !t->resumed ||
			     range_begin(t->easy) != (int64_t)t->part.size;
		return !t->spliced;
	}
	if (t->part.fd >= 0 ? part_empty(&t->part)
			    : part_begin(&t->part, t->http->into, t->name)) {
		t->sys = errno;
		return false;
	}
	return true;
}

/* libcurl's: fewer than it had ends the transfer. */
static size_t on_body(char *bytes, size_t one, size_t size, void *arg)
{
	struct transfer *t = arg;
	long code = code_of(t->easy);

	(void)one; /* it is 1 */
	if (code != 200 && code != 206) {
		t->skipped += size;
		return t->skipped > BODY_MAX ? 0 : size;
	}
	if (!t->begun && !begin_body(t, code))
		return 0;
	if (size > t->http->max - t->part.size) {
		t->too_big = true;
		return 0;
	}
	if (part_write(&t->part, bytes, size)) {
		t->sys = errno;
		return 0;
	}
	t->http->bytes += size;
	return size;
}

/* ---- Asking for a file ---- */

static void add_header(struct transfer *t, const char *line)
{
	t->headers = mem_need(curl_slist_append(t->headers, line));
}

/* What is there already is asked about, if it is not asked for afresh. */
static void ask_for_rest(struct transfer *t)
{
	char line[100], *range = NULL;
	struct tm tm;

	t->resumed = false;
	if (t->http->flags & PAKHUS_FETCH_FRESH ||
	    part_again(&t->part, t->http->into, t->name, &t->changed))
		return;
	if (t->part.size >= t->http->max || !gmtime_r(&t->changed, &tm)) {
		part_drop(&t->part);
		return;
	}
	strftime(line, sizeof(line), "If-Range: %a, %d %b %Y %H:%M:%S GMT",
		 &tm);
	add_header(t, line);
	if (asprintf(&range, "%" PRIu64 "-", t->part.size) < 0)
		range = mem_need(NULL);
	curl_easy_setopt(t->easy, CURLOPT_RANGE, range);
	free(range);
	t->resumed = true;
}

static void set_manners(struct transfer *t)
{
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)REDIRECTS);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)SOURCE_PATIENCE / 2);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)SOURCE_PATIENCE);
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(e, CURLOPT_FILETIME, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "pakhus/" PAKHUS_VERSION);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->words);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
}

static void ask(struct transfer *t)
{
	struct http *h = t->http;
	char *url;

	if (asprintf(&url, "%s/%s", h->base, t->name) < 0)
		url = mem_need(NULL);
	curl_easy_reset(t->easy);
	set_manners(t);
	curl_easy_setopt(t->easy, CURLOPT_URL, url);
	free(url);
	if (h->user)
		curl_easy_setopt(t->easy, CURLOPT_USERNAME, h->user);
	if (h->password)
		curl_easy_setopt(t->easy, CURLOPT_PASSWORD, h->password);
	if (h->roots)
		curl_easy_setopt(t->easy, CURLOPT_CAINFO, h->roots);
	if (h->max < INT64_MAX)
		curl_easy_setopt(t->easy, CURLOPT_MAXFILESIZE_LARGE,
				 (curl_off_t)h->max);
	curl_slist_free_all(t->headers);
	t->headers = NULL;
	if (h->flags & PAKHUS_FETCH_FRESH)
		add_header(t, "Cache-Control: no-cache");
	t->part = (struct part)PART_INIT;
	t->changed = -1;
	ask_for_rest(t);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	t->skipped = 0;
	t->begun = t->too_big = t->spliced = false;
	t->sys = 0;
	t->words[0] = '\0';
	t->not_before = 0;
	t->tries++;
	curl_multi_add_handle(h->multi, t->easy);
}

/* ---- What came of it ---- */

static void keep_or_drop(struct transfer *t)
{
	if (t->changed >= 0 && !(t->http->flags & PAKHUS_FETCH_FRESH))
		part_keep(&t->part, t->changed);
	else
		part_drop(&t->part);
}

static int network(const struct transfer *t, struct pakhus_error *err,
		   const char *words)
{
	return source_fail(err, PAKHUS_ENETWORK, 0, "%s/%s: %s", t->http->base,
			   t->name, words);
}

static int answered(const struct transfer *t, struct pakhus_error *err,
		    long code)
{
	char words[120];

	snprintf(words, sizeof(words), "the server answered %ld%s", code,
		 code == 401   ? ": who asks? https://NAME:SECRET@HOST says"
		 : code == 403 ? ": it may not be read, or not by this user"
			       : "");
	return network(t, err, words);
}

static bool is_passing_code(long code)
{
	return code >= 500 || code == 429;
}

static bool is_passing(CURLcode rc)
{
	return rc == CURLE_RECV_ERROR || rc == CURLE_SEND_ERROR ||
	       rc == CURLE_GOT_NOTHING || rc == CURLE_PARTIAL_FILE ||
	       rc == CURLE_HTTP2 || rc == CURLE_HTTP2_STREAM;
}

static void try_later(struct transfer *t)
{
	curl_off_t told = 0;
	double wait = 0.25 * (1 << t->tries);

	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &told);
	if (told > WAIT_MAX)
		told = WAIT_MAX;
	if ((double)told > wait)
		wait = (double)told;
	keep_or_drop(t);
	t->not_before = now() + wait;
}

static int finish_file(struct transfer *t, struct pakhus_error *err)
{
	if (!t->begun && t->resumed) /* nothing behind what was there */
		part_drop(&t->part);
	if (!t->begun && part_begin(&t->part, t->http->into, t->name))
		return source_fail(err, PAKHUS_ESYS, errno, "write %s",
				   t->name);
	if (part_finish(&t->part))
		return source_fail(err, PAKHUS_ESYS, errno, "write %s",
				   t->name);
	return 0;
}

/* 0: it is over, well or by being left out; 1: it is tried again. */
static int judge(struct transfer *t, CURLcode rc, struct pakhus_error *err)
{
	long code = code_of(t->easy);
	bool again = t->tries < TRIES;

	if (t->sys)
		return source_fail(err, PAKHUS_ESYS, t->sys, "write %s",
				   t->name);
	if (code == 404 || code == 410)
		return 0;
	if (t->spliced || code == 416) { /* from the beginning then */
		part_drop(&t->part);
		return again ? 1 : answered(t, err, code);
	}
	if (code >= 400 || (code >= 300 && !rc))
		return is_passing_code(code) && again ? 1
						      : answered(t, err, code);
	if (t->too_big || rc == CURLE_FILESIZE_EXCEEDED)
		return 0;
	if (rc)
		return is_passing(rc) && again
			       ? 1
			       : network(t, err,
					 t->words[0] ? t->words
						     : curl_easy_strerror(rc));
	if (code != 200 && code != 206)
		return answered(t, err, code);
	return finish_file(t, err);
}

static int ended(struct transfer *t, CURLcode rc, struct pakhus_error *err)
{
	long version = 0;
	int status;

	curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	if (version >= CURL_HTTP_VERSION_2)
		t->http->width = STREAMS;
	curl_multi_remove_handle(t->http->multi, t->easy);
	status = judge(t, rc, err);
	if (status > 0) {
		try_later(t);
		return 0;
	}
	if (status)
		keep_or_drop(t);
	else
		part_drop(&t->part); /* left out */
	t->name = NULL;
	t->http->done++;
	return status;
}

/* ---- A fetch ---- */

/* *any: there is room for the next. */
static int look_at_ended(struct http *h, bool *any, struct pakhus_error *err)
{
	struct transfer *t;
	CURLMsg *msg;
	int left, rc;

	while ((msg = curl_multi_info_read(h->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		*any = true;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		rc = ended(t, msg->data.result, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* Begins what can be, from names[*next] on. False: nothing is left to do. */
static bool fill(struct http *h, const char *const *names, size_t *next)
{
	bool busy = false;
	struct transfer *t;

	for (t = h->transfers; t < h->transfers + h->width; t++) {
		if (t->name && t->not_before > 0 && t->not_before <= now())
			ask(t);
		if (!t->name && *next < h->count) {
			t->name = names[(*next)++];
			t->tries = 0;
			ask(t);
		}
		busy = busy || t->name;
	}
	return busy;
}

static int all(struct http *h, const char *const *names,
	       struct pakhus_error *err)
{
	size_t next = 0;
	int running, rc;
	CURLMcode mc;
	bool any;

	while (fill(h, names, &next)) {
		if (interrupt_pending())
			return source_canceled(err);
		mc = curl_multi_perform(h->multi, &running);
		any = false;
		rc = look_at_ended(h, &any, err);
		if (rc)
			return rc;
		if (!mc && !any)
			mc = curl_multi_poll(h->multi, NULL, 0, LOOK_EVERY,
					     NULL);
		if (mc)
			return source_fail(err, PAKHUS_ESYS, 0, "%s: %s",
					   h->base, curl_multi_strerror(mc));
		progress_show("fetched %zu of %zu files, %.1f MB", h->done,
			      h->count, (double)h->bytes / 1e6);
	}
	return 0;
}

/* What is still under way after a failure. */
static void abandon(struct http *h)
{
	struct transfer *t;

	for (t = h->transfers; t < h->transfers + STREAMS; t++) {
		if (!t->name)
			continue;
		curl_multi_remove_handle(h->multi, t->easy);
		keep_or_drop(t);
		t->name = NULL;
	}
}

static int fetch(void *arg, const char *into, const char *const *names,
		 size_t n, uint64_t max, unsigned flags,
		 struct pakhus_error *err)
{
	struct http *h = arg;
	int rc;

	h->into = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->into < 0)
		return source_fail(err, PAKHUS_ESYS, errno, "%s", into);
	h->max = max;
	h->flags = flags;
	h->count = n;
	h->done = 0;
	h->bytes = 0;
	rc = all(h, names, err);
	abandon(h);
	progress_clear();
	close(h->into);
	return rc;
}

static void http_close(void *arg)
{
	struct http *h = arg;
	struct transfer *t;

	for (t = h->transfers; t < h->transfers + STREAMS; t++) {
		curl_easy_cleanup(t->easy);
		curl_slist_free_all(t->headers);
	}
	curl_multi_cleanup(h->multi);
	curl_global_cleanup();
	curl_free(h->user);
	curl_free(h->password);
	curl_free(h->base);
	free(h);
}

/* ---- Its name ---- */

static char *take(CURLU *url, CURLUPart part)
{
	char *text = NULL;

	if (!curl_url_get(url, part, &text, CURLU_URLDECODE))
		curl_url_set(url, part, NULL, 0);
	return text;
}

/* What is wrong with it, or NULL. */
static const char *split(struct http *h, const char *name)
{
	CURLU *url = mem_need(curl_url());
	CURLUcode rc;
	size_t n;

	rc = curl_url_set(url, CURLUPART_URL, name, CURLU_URLENCODE);
	if (!rc) {
		h->user = take(url, CURLUPART_USER);
		h->password = take(url, CURLUPART_PASSWORD);
		rc = curl_url_get(url, CURLUPART_URL, &h->base, 0);
	}
	curl_url_cleanup(url);
	if (rc)
		return curl_url_strerror(rc);
	if (strpbrk(h->base, "?#"))
		return "names of files go behind it, so it has no ? or #";
	for (n = strlen(h->base); n && h->base[n - 1] == '/'; n--)
		h->base[n - 1] = '\0';
	return NULL;
}

/* As curl(1) has it; libcurl alone does not look. */
static const char *roots(void)
{
	const char *file = getenv("CURL_CA_BUNDLE");

	if (!file || !*file)
		file = getenv("SSL_CERT_FILE");
	return file && *file ? file : NULL;
}

int source_http_open(const struct cli *cli, const char *name,
		     struct source *out)
{
	struct http *h = mem_need(calloc(1, sizeof(*h)));
	const char *wrong;
	struct transfer *t;
	int rc;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	wrong = split(h, name);
	if (wrong) {
		/* the name itself may hold a password */
		rc = h->base ? say_usage(cli, "%s: %s", h->base, wrong)
			     : say_usage(cli, "the source's address: %s", wrong);
		http_close(h);
		return rc;
	}
	h->multi = mem_need(curl_multi_init());
	h->roots = roots();
	h->width = CONNECTIONS;
	curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
			  (long)CONNECTIONS);
	for (t = h->transfers; t < h->transfers + STREAMS; t++) {
		t->http = h;
		t->easy = mem_need(curl_easy_init());
	}
	*out = (struct source){{fetch, h, h->base}, http_close};
	return CLI_DONE;
}

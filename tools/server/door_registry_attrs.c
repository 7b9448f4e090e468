/* door_registry_attrs.c - what is said of a package, or of one version. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "door_registry.h"
#include "state.h"

/* The version of the path, which is NULL where the package is meant: "latest"
 * is the one that it stands for now. -1: it was answered. */
static int version_of(struct exchange *x, struct pakhus_record *r,
		      const char **out)
{
	struct pakhus_error err = {0};

	*out = x->param[1];
	if (!*out || strcmp(*out, "latest") != 0)
		return 0;
	if (pakhus_find(x->store, x->param[0], NULL, r, &err)) {
		reply_failed(x, &err);
		return -1;
	}
	*out = r->version;
	return 0;
}

static void put_attrs(struct text *t, const struct pakhus_attrs *a)
{
	put_open(t, '{');
	put_pair(t, "id", a->id);
	put_pair(t, "version", *a->version ? a->version : NULL);
	put_key(t, "attrs");
	put_raw(t, a->text, a->size);
	put_pair(t, "hash", a->hash);
	put_key(t, "seq");
	put_number(t, a->seq);
	put_pair(t, "time", a->time);
	put_key(t, "time_us");
	put_number(t, a->time_us);
	put_close(t, '}');
}

void registry_attrs(struct exchange *x)
{
	struct pakhus_attrs *a = NULL;
	struct pakhus_error err = {0};
	char tag[REGISTRY_TAG];
	struct pakhus_record r;
	struct text t = {0};
	const char *version;

	if (version_of(x, &r, &version))
		return;
	if (pakhus_attrs(x->store, x->param[0], version, &a, &err)) {
		reply_failed(x, &err);
		return;
	}
	snprintf(tag, sizeof(tag), "%s-%" PRIu64, a->hash, a->seq);
	if (!reply_tag(x, tag)) {
		put_attrs(&t, a);
		reply_data(x, 200, &t);
	}
	pakhus_attrs_free(a);
}

void registry_set_attrs(struct exchange *x)
{
	const struct request *rq = x->request;
	struct pakhus_error err = {0};
	struct pakhus_record r;
	struct text t = {0};
	const char *version;
	pthread_mutex_t *lock;
	uint64_t seq = 0;
	int rc;

	/* nothing looks at it in the step that sets them */
	if (request_field(rq, "If-Match") ||
	    request_field(rq, "If-None-Match")) {
		reply_error(x, 400, "VALIDATION_ERROR",
			    "If-Match and If-None-Match are for versions; "
			    "attrs are set whatever was said before.");
		return;
	}
	if (version_of(x, &r, &version))
		return;
	/* not between the look and the change of who edits them */
	lock = stripes_lock(&x->server->packages, x->param[0]);
	rc = pakhus_set_attrs(x->store, x->param[0], version, rq->body,
			      rq->size, x->caller.by, &seq, &err);
	pthread_mutex_unlock(lock);
	if (rc) {
		reply_failed(x, &err);
		return;
	}
	server_wrote(x->server);
	put_open(&t, '{');
	put_pair(&t, "id", x->param[0]);
	put_pair(&t, "version", version);
	put_key(&t, "seq");
	put_number(&t, seq);
	put_close(&t, '}');
	reply_data(x, 200, &t);
}

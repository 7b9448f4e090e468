/* verify_objects.c - objects read, decoded, and held against their names and
 * the log's entries; and which may be missing.
 */
#include "verify.h"
#include "match.h"
#include "objpath.h"

#include <stdio.h>

/* Whether a text is the document that an entry says it is. */
static int check_document(struct pk_check *c, const char *path,
			  const struct pk_shared *text,
			  const struct pk_entry *e)
{
	struct pk_claim claim = { e->id, e->version, e->manifest_size,
				  e->metadata_size };
	const char *rule, *fault;

	if (pk_match(text->bytes, text->size, &claim, &rule, &fault))
		return pk_fail_nomem(c->err);
	if (rule)
		pk_check_damage(c, path, rule, fault);
	return 0;
}

/* What keeps an object from being read is told of the file where it is, which
 * may be that of a base. */
static int unreadable(struct pk_check *c, const char *path, int rc,
		      struct pakhus_error *e)
{
	int is_base = rc == PAKHUS_ECORRUPT &&
		      strncmp(e->text, path, strlen(path)) != 0;
	char text[64 + PK_OBJPATH_SIZE];

	snprintf(text, sizeof(text),
		 "cannot be read, as its base %.*s is damaged",
		 PK_OBJPATH_SIZE - 1, e->text);
	rc = pk_check_found(c, rc, e);
	if (!rc && is_base)
		pk_check_damage(c, path, "F-17", text);
	return rc;
}

int pk_check_object(struct pk_check *c, const unsigned char *hash,
		    const struct pk_entry *entry)
{
	struct pakhus_error e = { .status = 0 };
	AUTO(pk_shared_auto) struct pk_shared *text = NULL;
	unsigned char own[PK_HASH_SIZE];
	char path[PK_OBJPATH_SIZE];
	int rc;

	if (pk_set_has(&c->bad, hash))
		return 0; /* told once, however often it was published */
	rc = pk_object_read(c->store->env->dir, c->cache, &c->kept, hash,
			    &text, &e);
	pk_objpath(hash, path);
	if (rc == PAKHUS_ECORRUPT &&
	    !pk_object_exists(c->store->env->dir, hash, NULL))
		rc = PAKHUS_ENOTFOUND; /* collected while it was read */
	if (rc == PAKHUS_ENOTFOUND)
		return pk_set_add(&c->gone, hash) < 0 ? pk_fail_nomem(c->err)
						      : 0;
	if (!rc && pk_sha256(text->bytes, text->size, own))
		return pk_fail_nomem(c->err);
	if (rc || memcmp(own, hash, PK_HASH_SIZE)) {
		if (pk_set_add(&c->bad, hash) < 0)
			return pk_fail_nomem(c->err);
		if (rc)
			return unreadable(c, path, rc, &e);
		pk_check_damage(c, path, "F-16",
				"the text's SHA-256 is not its name");
		return 0;
	}
	rc = pk_set_add(&c->texts, hash);
	if (rc < 0)
		return pk_fail_nomem(c->err);
	c->v->objects += (uint64_t)rc;
	c->v->bytes += rc ? text->size : 0;
	return entry ? check_document(c, path, text, entry) : 0;
}

struct missing {
	struct pk_check *check;
	const struct pk_set *gone;
	struct pk_set live;
	struct pakhus_error *err;
};

static int add_missing(void *arg, const struct pk_live *live)
{
	struct missing *m = arg;

	if (pk_set_has(m->gone, live->hash) &&
	    pk_object_exists(m->check->store->env->dir, live->hash, NULL) !=
		    1 &&
	    pk_set_add(&m->live, live->hash) < 0)
		return pk_fail_nomem(m->err);
	return 0;
}

static int find_missing(struct missing *m, struct pk_index *ix,
			const struct pk_checkpoint *at)
{
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_replay(m->check->store, ix, at, m->err);

	if (!rc)
		rc = pk_txn_read(&t, ix, m->err);
	return rc ? rc : pk_index_each_live(&t, add_missing, m, m->err);
}

static void tell_missing(struct pk_check *c, const struct pk_set *missing)
{
	static const unsigned char none[PK_HASH_SIZE];
	char path[PK_OBJPATH_SIZE];

	for (size_t i = 0; i < missing->cap; i++) {
		if (!memcmp(missing->slot[i], none, PK_HASH_SIZE))
			continue;
		pk_objpath(missing->slot[i], path);
		pk_check_damage(c, path, "F-11", "is missing");
	}
}

/* What no live version needs may be missing (F-85). What is live follows
 * from the log, not from an index that may be damaged; where the log is, it
 * is not known. */
int pk_check_missing(struct pk_check *c)
{
	struct pk_env *env = c->store->env;
	struct pakhus_error e = { .status = 0 };
	struct missing then = { c, &c->gone, { NULL, 0, 0 }, &e };
	struct missing now = { c, &then.live, { NULL, 0, 0 }, &e };
	struct pk_checkpoint newest;
	struct pk_index *ix = NULL;
	int rc = c->gone.n ? pk_index_open(&ix, -1, &e) : 0;

	if (!rc && ix)
		rc = find_missing(&then, ix, &c->checkpoint);
	if (!rc && then.live.n)
		rc = pk_keys_checkpoint(env, 0, &newest, &e);
	/* what was collected since that checkpoint is not live at this one */
	if (!rc && then.live.n)
		rc = find_missing(&now, ix, &newest);
	if (!rc)
		tell_missing(c, &now.live);
	pk_index_close(ix);
	pk_set_release(&then.live);
	pk_set_release(&now.live);
	return !rc || (rc == PAKHUS_ECORRUPT && c->v->damages)
		       ? 0
		       : pk_check_found(c, rc, &e);
}


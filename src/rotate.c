/* rotate.c - another key for the log, and its checkpoint.
 *
 *  1. write the new private key as local/key-next, synced
 *  2. install keys/<id>, synced
 *  3. append the key entry, which is durable then
 *  4. integrate: one note that both keys sign, the checkpoint by the new one
 *  5. local/key-next becomes local/key
 *
 * All under the integrate lock, with everything before integrated: so there
 * is at most one key entry that is not in the tree. Killed before 3 was
 * durable, a next key stays that the log does not know, and is taken by the
 * next rotation; after it, whoever integrates next does the rest.
 */
#include "store.h"
#include "io.h"
#include "tmpfile.h"
#include "trust.h"

/* Whether a key may follow: no key that the log had comes again. */
static int check_new(struct pk_env *env, const struct pk_vkey *k,
		     struct pakhus_error *err)
{
	char path[PK_NEXT_PATH];
	struct pk_vkey now;
	struct pk_stamp st;
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	int rc = pk_txn_read(&t, env->index, err), same = 0;
	size_t n = 0;

	if (rc)
		return rc;
	st = t.stamp;
	rc = pk_keys_find(env, st.key, &now, err);
	if (!rc)
		rc = pk_keys_settle(env, st.key, NULL, err);
	if (rc)
		return rc;
	if (!memcmp(now.key, k->key, PK_PUBLIC_SIZE))
		return pk_fail(err, PAKHUS_ECONFLICT,
			       "the key signs this log already");
	pk_next_path(k, path);
	rc = pk_exists(env->dir, path, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&env->keys_lock);
	n = env->keys.n;
	for (size_t i = 0; i < n; i++)
		if (!memcmp(env->keys.key[i].id, k->id, sizeof(k->id)))
			same = memcmp(env->keys.key[i].key, k->key,
				      PK_PUBLIC_SIZE) ? -1 : 1;
	pthread_mutex_unlock(&env->keys_lock);
	if (rc || same < 0)
		return pk_fail(err, PAKHUS_ECONFLICT,
			       "the log had a key of this id before, and none "
			       "comes again");
	if (n == PK_KEYS_MAX && !same)
		return pk_fail(err, PAKHUS_ELIMIT,
			       "the log has %d keys, and can have no more",
			       PK_KEYS_MAX);
	return 0;
}

/* One that was left by a rotation that did not come to its entry, or a new
 * one. */
static int choose(struct pk_env *env, struct pk_signer *s,
		  struct pakhus_error *err)
{
	const char *origin = env->format.origin;

	if (!pk_keys_load(env->dir, PK_KEY_NEXT, s, NULL) &&
	    !strcmp(s->public.name, origin) && !pk_signer_derive(s, NULL) &&
	    !check_new(env, &s->public, NULL))
		return 0;
	return pk_signer_new(origin, s, err);
}

static int write_key(struct pk_env *env, const struct pk_signer *s,
		     struct pakhus_error *err)
{
	char text[PK_SKEY_SIZE + 1], path[16];
	size_t n = pk_signer_encode(s, text);
	int rc;

	text[n++] = '\n';
	rc = pk_install(env->dir, PK_KEY_NEXT, text, n, 0600, err);
	explicit_bzero(text, sizeof(text));
	if (!rc)
		rc = pk_sync_dir(env->dir, "local", err);
	if (rc)
		return rc;
	pk_vkey_encode(&s->public, text);
	strcat(text, "\n");
	pk_log_key_path(&s->public, path);
	rc = pk_install(env->dir, path, text, strlen(text), 0444, err);
	return rc ? rc : pk_sync_dir(env->dir, "keys", err);
}

static int fill_entry(struct pk_env *env, const struct pk_vkey *k,
		      const char *by, struct pk_entry *e,
		      struct pakhus_error *err)
{
	char format[PK_FORMAT_SIZE];
	size_t n = pk_format_encode(&env->format, format);

	e->op = PK_OP_KEY;
	e->time = pk_now();
	strcpy(e->by, by ? by : "");
	pk_vkey_encode(k, e->text);
	return pk_sha256(format, n, e->hash) ? pk_fail_nomem(err) : 0;
}

/* The integrate lock is held, and env->use. */
static int rotate(struct pakhus *s, int is_given, const char *by,
		  struct pk_signer *next, struct pakhus_key *out,
		  struct pakhus_error *err)
{
	AUTO(pk_draft_release) struct pk_draft d = { .n = 0 };
	AUTO_FREE struct pk_entry *e = calloc(1, sizeof(*e));
	struct pakhus_error late = { .status = 0 };
	struct pk_env *env = s->env;
	uint64_t seq;
	int rc = e ? pk_integrate_held(s, NULL, err) : pk_fail_nomem(err);

	if (!rc)
		rc = pk_keys_read(env, err);
	if (!rc && !is_given)
		rc = choose(env, next, err);
	if (!rc)
		rc = check_new(env, &next->public, err);
	if (!rc)
		rc = fill_entry(env, &next->public, by, e, err);
	if (!rc)
		rc = pk_draft_add(&d, e, NULL, err);
	if (!rc)
		rc = write_key(env, next, err);
	if (!rc)
		rc = pk_write_held(s, &d, &seq, err);
	if (rc)
		return rc;
	rc = pk_integrate_held(s, NULL, &late);
	if (rc)
		return pk_fail(err, rc,
			       "the new key is in the log, and signs when that "
			       "is next moved into the tree, which failed: %s",
			       late.text);
	pk_key_fill(out, &next->public, seq, e);
	return 0;
}

static int rotate_locked(struct pakhus *s, int is_given, const char *by,
			 struct pk_signer *next, struct pakhus_key *out,
			 struct pakhus_error *err)
{
	PK_HELD held = { NULL, 0 };
	int rc = pk_use(s->env, err);

	if (rc)
		return rc;
	rc = pk_hold(&held, &s->env->locks, PK_LOCK_INTEGRATE, err);
	if (!rc)
		rc = rotate(s, is_given, by, next, out, err);
	pk_let_go(&held);
	pthread_rwlock_unlock(&s->env->use);
	return rc;
}

int pakhus_rotate(struct pakhus *s, const char *key, const char *by,
		  struct pakhus_key *out, struct pakhus_error *err)
{
	struct pakhus_key made = { .seq = 0 };
	struct pk_signer next;
	int rc = pk_enter_write(s, err);

	if (!rc)
		rc = pk_check_by(by, err);
	/* a wrong one is refused before anything is done */
	if (!rc && key)
		rc = pk_keys_import(key, s->env->format.origin, &next, err);
	if (rc)
		return rc;
	/* that comes before anything is done; what comes later is not mended,
	 * or there were two rotations */
	do
		rc = rotate_locked(s, key != NULL, by, &next, &made, err);
	while (rc == PK_REPLACED && pk_mend(s, rc, err));
	explicit_bzero(&next, sizeof(next));
	if (!rc && out)
		*out = made;
	return rc;
}

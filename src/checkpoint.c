/* checkpoint.c - the signed note over the log, as it is or signed anew. */
#include "store.h"

/* Signs the tree that is installed anew; the integrate lock is held. */
static int renew(struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	AUTO(pk_txn_end) struct pk_txn t = PK_TXN_INIT;
	struct pk_checkpoint c = { .size = 0 }, last;
	char note[PK_CHECKPOINT_NOTE];
	struct pk_signer signer;
	size_t size;
	int rc = pk_integrate_held(s, NULL, err);

	if (!rc)
		rc = pk_keys_checkpoint(env, 0, &c, err);
	if (!rc)
		rc = pk_txn_read(&t, env->index, err);
	if (!rc)
		rc = pk_keys_check(env, &c, pk_stamp_key(&t.stamp, c.size),
				   err);
	if (!rc)
		rc = pk_last_signed(env, &last, err);
	if (!rc && (last.size != c.size ||
		    memcmp(last.root, c.root, PK_HASH_SIZE)))
		rc = pk_fail(err, PAKHUS_EDENIED,
			     "the log was rolled back: %llu entries were "
			     "signed before, and they are not what it holds "
			     "now", (unsigned long long)last.size);
	if (!rc)
		rc = pk_keys_settle(env, pk_stamp_key(&t.stamp, c.size),
				    &signer, err);
	if (rc)
		return rc;
	c.time = pk_now();
	rc = pk_log_sign(&c, &signer, note, &size, err);
	explicit_bzero(&signer, sizeof(signer));
	return rc ? rc : pk_install_signed(env, note, size, err);
}

static int renew_locked(struct pakhus *s, struct pakhus_error *err)
{
	PK_HELD held = { NULL, 0 };
	int rc = pk_use(s->env, err);

	if (rc)
		return rc;
	rc = pk_hold(&held, &s->env->locks, PK_LOCK_INTEGRATE, err);
	if (!rc)
		rc = renew(s, err);
	pk_let_go(&held);
	pthread_rwlock_unlock(&s->env->use);
	return rc;
}

/* The checkpoint first: the view then has the key that was in force there,
 * and the one before it. */
static int read_both(struct pk_view *v, struct pakhus *s,
		     struct pk_checkpoint *c, char **note, size_t *size,
		     struct pakhus_error *err)
{
	int rc = pk_keys_note(s->env, 0, c, note, size, err);

	if (!rc)
		rc = pk_view_open(v, s, err);
	return rc ? rc
		  : pk_keys_check(s->env, c,
				  pk_stamp_key(&v->txn.stamp, c->size), err);
}

static int is_another(struct pk_env *env, const struct pk_checkpoint *was)
{
	struct pk_checkpoint now;

	return !pk_keys_checkpoint(env, 0, &now, NULL) && now.size != was->size;
}

int pk_checkpoint_view(struct pk_view *v, struct pakhus *s,
		       struct pk_checkpoint *c, char **text, size_t *size,
		       struct pakhus_error *err)
{
	for (;;) {
		struct pakhus_error e = { .status = 0 };
		AUTO_FREE char *note = NULL;
		size_t n;
		int rc = read_both(v, s, c, &note, &n, &e);

		if (!rc) {
			*text = PK_MOVE(note);
			*size = n;
			return 0;
		}
		pk_view_close(v);
		/* two rotations fell between checkpoint and view */
		if (rc == PAKHUS_ECORRUPT && note && is_another(s->env, c))
			continue;
		if (err)
			*err = e;
		return rc;
	}
}

int pk_checkpoint_note(struct pakhus *s, struct pk_checkpoint *c, char **text,
		       size_t *size, struct pakhus_error *err)
{
	PK_VIEW v = PK_VIEW_INIT;

	return pk_checkpoint_view(&v, s, c, text, size, err);
}

int pakhus_checkpoint(struct pakhus *s, int is_renewed, char **text,
		      size_t *size, struct pakhus_error *err)
{
	int rc = is_renewed ? pk_enter_write(s, err) : pk_enter(s, err);
	struct pk_checkpoint c;

	if (!rc && is_renewed)
		do
			rc = renew_locked(s, err);
		while (pk_mend(s, rc, err));
	if (rc)
		return rc;
	do
		rc = pk_checkpoint_note(s, &c, text, size, err);
	while (pk_mend(s, rc, err));
	return rc;
}

/* keys.c - the keys of an open store: which one is in force (F-67), and
 * which private key signs for it.
 *
 * Other processes rotate too. So keys/ is read again when a signature is of
 * a key that was not there, and local/key when the one in force is another;
 * what was read before keeps its place, as pk_checkpoint.by counts on it.
 */
#include "store.h"
#include "io.h"

#include <stdio.h>

static int add_keys(struct pk_env *env, size_t *added,
		    struct pakhus_error *err)
{
	AUTO_FREE struct pk_keys *now = malloc(sizeof(*now));
	struct pk_keys *keys = &env->keys;
	int rc = now ? pk_log_keys(env->dir, now, err) : pk_fail_nomem(err);

	*added = 0;
	for (size_t i = 0; !rc && i < now->n; i++) {
		size_t k = 0;

		while (k < keys->n &&
		       memcmp(keys->key[k].id, now->key[i].id, 4) != 0)
			k++;
		if (k < keys->n || keys->n == PK_KEYS_MAX)
			continue;
		keys->key[keys->n++] = now->key[i];
		++*added;
	}
	return rc;
}

int pk_keys_read(struct pk_env *env, struct pakhus_error *err)
{
	size_t added;
	int rc;

	pthread_mutex_lock(&env->keys_lock);
	rc = add_keys(env, &added, err);
	pthread_mutex_unlock(&env->keys_lock);
	return rc;
}

/* env->keys_lock is held, here and below. */
static int read_note(struct pk_env *env, int is_here,
		     struct pk_checkpoint *out, char **note, size_t *size,
		     struct pakhus_error *err)
{
	return pk_log_note(env->dir, env->format.origin, &env->keys, is_here,
			   out, note, size, err);
}

static int read_again(struct pk_env *env, int is_here,
		      struct pk_checkpoint *out, char **note, size_t *size,
		      struct pakhus_error *err)
{
	struct pakhus_error e = { .status = 0 };
	struct pk_checkpoint c = { .by = 0 };
	int rc = read_note(env, is_here, &c, note, size, &e);
	size_t added = 0;

	if (rc ? rc == PAKHUS_ECORRUPT : c.by_other) {
		int failed = add_keys(env, &added, err);

		if (failed || added) {
			if (!rc)
				free(PK_MOVE(*note));
			return failed ? failed
				      : read_note(env, is_here, out, note,
						  size, err);
		}
	}
	if (rc && err)
		*err = e;
	if (!rc)
		*out = c;
	return rc;
}

int pk_keys_note(struct pk_env *env, int is_here, struct pk_checkpoint *out,
		 char **note, size_t *size, struct pakhus_error *err)
{
	int rc;

	pthread_mutex_lock(&env->keys_lock);
	rc = read_again(env, is_here, out, note, size, err);
	pthread_mutex_unlock(&env->keys_lock);
	return rc;
}

int pk_keys_checkpoint(struct pk_env *env, int is_here,
		       struct pk_checkpoint *out, struct pakhus_error *err)
{
	AUTO_FREE char *note = NULL;
	size_t size;

	return pk_keys_note(env, is_here, out, &note, &size, err);
}

/* A key's place in env->keys, or -1. */
static int find(const struct pk_env *env, const unsigned char *key)
{
	for (size_t i = 0; i < env->keys.n; i++)
		if (!memcmp(env->keys.key[i].key, key, PK_PUBLIC_SIZE) &&
		    !strcmp(env->keys.key[i].name, env->format.origin))
			return (int)i;
	return -1;
}

static int find_again(struct pk_env *env, const unsigned char *key,
		      struct pk_vkey *out, struct pakhus_error *err)
{
	int at = find(env, key), rc;
	size_t added;

	if (at < 0) {
		rc = add_keys(env, &added, err);
		if (rc)
			return rc;
		at = find(env, key);
	}
	if (at < 0)
		return pk_fail(err, PAKHUS_ECORRUPT,
			       "keys: F-69 the key in force is missing");
	*out = env->keys.key[at];
	return at;
}

int pk_keys_find(struct pk_env *env, const unsigned char key[PK_PUBLIC_SIZE],
		 struct pk_vkey *out, struct pakhus_error *err)
{
	int rc;

	pthread_mutex_lock(&env->keys_lock);
	rc = find_again(env, key, out, err);
	pthread_mutex_unlock(&env->keys_lock);
	return rc < 0 ? rc : 0;
}

int pk_keys_check(struct pk_env *env, const struct pk_checkpoint *c,
		  const unsigned char key[PK_PUBLIC_SIZE],
		  struct pakhus_error *err)
{
	int at;

	pthread_mutex_lock(&env->keys_lock);
	at = find(env, key);
	pthread_mutex_unlock(&env->keys_lock);
	if (at >= 0 && c->by >> at & 1)
		return 0;
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "log/checkpoint: F-38 the key in force at its size did "
		       "not sign it");
}

/* ---- private keys ---- */

int pk_keys_load(int dir, const char *path, struct pk_signer *s,
		 struct pakhus_error *err)
{
	AUTO_FREE char *text = NULL;
	size_t size;
	int rc = pk_read_file(dir, path, PK_SKEY_SIZE + 1, &text, &size, err);

	if (rc)
		return rc;
	if (size && text[size - 1] == '\n')
		size--;
	rc = pk_signer_decode(text, size, s, err);
	explicit_bzero(text, size);
	return rc;
}

int pk_keys_import(const char *text, const char *origin, struct pk_signer *s,
		     struct pakhus_error *err)
{
	size_t n = strlen(text);
	int rc;

	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	rc = pk_signer_decode(text, n, s, NULL);
	if (!rc)
		rc = pk_signer_derive(s, NULL);
	if (rc)
		return pk_fail(err, rc == PAKHUS_ENOMEM ? rc : PAKHUS_EINVAL,
			       "what is given is not a private key: "
			       "PRIVATE+KEY+<name>+<id>+<base64>, of Ed25519, "
			       "on one line");
	if (origin && strcmp(s->public.name, origin))
		return pk_fail(err, PAKHUS_EINVAL,
			       "the private key is named %s, and the log %s",
			       s->public.name, origin);
	return 0;
}

static int is_of(const struct pk_signer *s, const struct pk_vkey *k)
{
	return !memcmp(s->public.id, k->id, sizeof(k->id));
}

static int take_next(struct pk_env *env, const struct pk_vkey *k,
		     struct pk_signer *s, struct pakhus_error *err)
{
	struct pakhus_error e = { .status = 0 };
	int rc = pk_keys_load(env->dir, PK_KEY_NEXT, s, &e);

	if (rc && rc != PAKHUS_ENOTFOUND && rc != PAKHUS_ECORRUPT)
		return pk_fail(err, rc, "%s", e.text);
	if (rc || !is_of(s, k))
		return pk_fail(err, PAKHUS_EDENIED,
			       "local/key: F-67 is not the private key of the "
			       "log's key %02x%02x%02x%02x; publish where "
			       "that was rotated",
			       k->id[0], k->id[1], k->id[2], k->id[3]);
	if (renameat(env->dir, PK_KEY_NEXT, env->dir, "local/key"))
		return pk_fail_sys(err, "rename " PK_KEY_NEXT);
	return pk_sync_dir(env->dir, "local", err);
}

/* The private key that belongs to a public one; where that is the next one
 * still, whoever rotated was killed before he was done. */
static int settle(struct pk_env *env, const struct pk_vkey *k,
		  struct pakhus_error *err)
{
	struct pk_signer s;
	int rc;

	if (is_of(&env->signer, k))
		return 0;
	rc = pk_keys_load(env->dir, "local/key", &s, err);
	if (!rc && !is_of(&s, k))
		rc = take_next(env, k, &s, err);
	if (!rc)
		env->signer = s;
	explicit_bzero(&s, sizeof(s));
	return rc;
}

int pk_keys_settle(struct pk_env *env, const unsigned char key[PK_PUBLIC_SIZE],
		   struct pk_signer *out, struct pakhus_error *err)
{
	struct pk_vkey k;
	int rc;

	pthread_mutex_lock(&env->keys_lock);
	rc = find_again(env, key, &k, err);
	if (rc >= 0)
		rc = settle(env, &k, err);
	if (!rc && out)
		*out = env->signer;
	pthread_mutex_unlock(&env->keys_lock);
	return rc;
}

int pk_keys_signer_check(struct pk_env *env, struct pakhus_error *err)
{
	struct pk_signer s;
	int rc;

	pthread_mutex_lock(&env->keys_lock);
	s = env->signer;
	pthread_mutex_unlock(&env->keys_lock);
	rc = pk_signer_check(&s, err);
	explicit_bzero(&s, sizeof(s));
	return rc;
}

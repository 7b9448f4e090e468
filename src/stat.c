/* stat.c - numbers about a store. */
#include "store.h"
#include "base64.h"
#include "hex.h"
#include "io.h"
#include "objpath.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static int count_object(int dir, int fd, const char *sub, const char *name,
			struct pakhus_stat *out, struct pakhus_error *err)
{
	unsigned char hash[PK_HASH_SIZE];
	struct pk_trailer t;
	struct stat st;
	char path[512];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", sub, name);
	if (pk_objpath_parse(path, hash))
		return 0; /* not an object; verify says so */
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : pk_fail_sys(err, "%s", path);
	rc = pk_object_trailer(dir, hash, &t, err);
	if (rc)
		return rc;
	out->objects++;
	out->object_bytes += (uint64_t)st.st_size;
	out->object_blocks += (uint64_t)st.st_blocks * 512;
	if (t.depth > out->max_depth)
		out->max_depth = t.depth;
	return 0;
}

static int count_objects(int dir, struct pakhus_stat *out,
			 struct pakhus_error *err)
{
	char sub[16];
	int rc = 0;

	for (unsigned i = 0; i < 256 && !rc; i++) {
		AUTO_DIR DIR *d = NULL;
		const char *name;

		sprintf(sub, "objects/%02x", i);
		d = pk_opendir(dir, sub, 0);
		if (!d) {
			rc = errno == ENOENT ? 0 : pk_fail_sys(err, "%s", sub);
			continue;
		}
		while ((rc = pk_readdir(d, sub, &name, err)) == 1) {
			if (*name != '.')
				rc = count_object(dir, dirfd(d), sub, name, out,
						  err);
			if (rc < 0)
				break;
		}
	}
	return rc;
}

static void fill_journal(struct pk_env *env, struct pakhus_stat *out)
{
	struct pk_cursor c;

	if (!env->has_local)
		return;
	pk_journal_cursor(&env->journal, &c);
	out->journal_bytes = c.end + (c.has_sealed ? c.sealed_end : 0);
}

static int stat_store(struct pakhus *s, unsigned flags,
		      struct pakhus_stat *out, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	struct pk_checkpoint c;
	PK_VIEW v = PK_VIEW_INIT;
	AUTO_FREE char *note = NULL;
	struct pk_vkey key;
	size_t size;
	int rc = pk_checkpoint_view(&v, s, &c, &note, &size, err);

	memset(out, 0, sizeof(*out));
	if (!rc)
		rc = pk_keys_find(env, pk_stamp_key(&v.txn.stamp, c.size), &key,
				  err);
	if (rc)
		return rc;
	pk_hex(env->format.identity, PK_IDENTITY_SIZE, out->identity);
	strcpy(out->origin, env->format.origin);
	pk_vkey_encode(&key, out->key);
	out->immutable = env->format.immutable;
	out->writable = env->can_write && !(s->flags & PAKHUS_READONLY);
	if (!out->writable)
		strcpy(out->why_not, env->can_write
					     ? "it was opened to be read only"
					     : env->why_not);
	out->entries = v.txn.stamp.applied;
	out->checkpoint = c.size;
	pk_base64(c.root, PK_HASH_SIZE, out->root);
	out->packages = pk_index_packages(&v.txn);
	out->versions = v.txn.stamp.live;
	out->index_bytes = pk_index_bytes(env->index);
	fill_journal(env, out);
	return flags & PAKHUS_STAT_OBJECTS ? count_objects(env->dir, out, err)
					   : 0;
}

int pakhus_stat(struct pakhus *s, unsigned flags, struct pakhus_stat *out,
		struct pakhus_error *err)
{
	struct pakhus_stat st;
	int rc = pk_enter(s, err);

	if (rc)
		return rc;
	do
		rc = stat_store(s, flags, &st, err);
	while (pk_mend(s, rc, err));
	if (!rc)
		*out = st;
	return rc;
}

/* adopt.c - a copy becomes the store that is written. */
#include "store.h"
#include "io.h"
#include "purge.h"

#include <fcntl.h>

/* The caller says that no other copy is written; only the key can say
 * whether this one can be. */
int pakhus_adopt_here(const char *path, struct pakhus_error *err)
{
	AUTO_CLOSE int dir = -1;
	int rc;

	pk_error_init(err);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return pk_fail_sys(err, "%s", path);
	rc = pk_exists(dir, "FORMAT", err);
	if (rc == 0)
		return pk_fail(err, PAKHUS_ENOTFOUND,
			       "%s: not a pakhus store (it has no file FORMAT)",
			       path);
	if (rc > 0)
		rc = pk_exists(dir, "local/key", err);
	if (rc == 0)
		return pk_fail(err, PAKHUS_EDENIED,
			       "%s: this copy has no private key, so nothing "
			       "can be published here", path);
	if (rc > 0)
		rc = pk_purge_forget(dir, err);
	if (!rc)
		rc = pk_home_write(dir, err);
	return rc ? rc : pk_sync_dir(dir, "local", err);
}

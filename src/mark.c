#include "mark.h"
#include "auto.h"
#include "hex.h"
#include "io.h"
#include "tmpfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PATH "local/index-state"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

int pk_boot_id(unsigned char out[PK_BOOT_SIZE], struct pakhus_error *err)
{
	char hex[2 * PK_BOOT_SIZE];
	AUTO_CLOSE int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	char buf[64];
	ssize_t n = fd < 0 ? -1 : pk_pread(fd, buf, sizeof(buf), 0);
	size_t k = 0;

	if (n < 0)
		return pk_fail_sys(err, BOOT_ID);
	for (ssize_t i = 0; i < n && k < sizeof(hex); i++)
		if (buf[i] != '-')
			hex[k++] = buf[i];
	if (k == sizeof(hex) && !pk_unhex(hex, out, PK_BOOT_SIZE))
		return 0;
	return pk_fail(err, PAKHUS_ESYS, BOOT_ID ": not a boot's id");
}

static int write_mark(int dir, const char *text, int n,
		      struct pakhus_error *err)
{
	int rc = pk_install(dir, PATH, text, (size_t)n, 0600, err);

	return rc ? rc : pk_sync_dir(dir, "local", err);
}

/* How long that is, or a failure. */
static int in_use(char out[128], uint64_t inode, struct pakhus_error *err)
{
	unsigned char boot[PK_BOOT_SIZE];
	char hex[2 * PK_BOOT_SIZE + 1];
	int rc = pk_boot_id(boot, err);

	if (rc)
		return rc;
	pk_hex(boot, PK_BOOT_SIZE, hex);
	return snprintf(out, 128, "boot %s %llu\n", hex,
			(unsigned long long)inode);
}

int pk_mark_in_use(int dir, uint64_t inode, struct pakhus_error *err)
{
	char text[128];
	int n = in_use(text, inode, err);

	return n < 0 ? n : write_mark(dir, text, n, err);
}

int pk_mark_clean(int dir, uint64_t inode, uint64_t applied,
		  struct pakhus_error *err)
{
	char text[128];

	return write_mark(dir, text,
			  snprintf(text, sizeof(text), "clean %llu %llu\n",
				   (unsigned long long)inode,
				   (unsigned long long)applied),
			  err);
}

enum pk_mark pk_mark_read(int dir, uint64_t inode, uint64_t *applied)
{
	AUTO_FREE char *text = NULL;
	unsigned long long file, entries;
	char want[128];
	size_t size;

	if (pk_read_file(dir, PATH, 127, &text, &size, NULL) ||
	    in_use(want, inode, NULL) < 0)
		return PK_MARK_NONE;
	if (!strcmp(text, want))
		return PK_MARK_IN_USE;
	if (sscanf(text, "clean %llu %llu\n", &file, &entries) != 2 ||
	    file != inode)
		return PK_MARK_NONE;
	*applied = entries;
	return PK_MARK_CLEAN;
}

/* fuzz_dump.c - pakhus_dump of a file at every place that it knows. The first
 * byte chooses the place; sums of trailers and records are put right. */
#include "fuzz.h"
#include "pakhus.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The object of a hash of zeros. */
#define OBJECT                                    \
	"objects/00/00000000000000000000000000000" \
	"000000000000000000000000000000000"
static const char *const place[] = {
	"FORMAT", "log/checkpoint", "keys/01234567",
	OBJECT, "local/slot-0",
	"log/tile/entries/000.p/3", "log/tile/0/000.p/2",
	"local/last-signed", "keys/01234567.next",
};
#define PLACES (sizeof(place) / sizeof(*place))
#define NEXT (PLACES - 1) /* by a bit of its own: inputs that are kept were
			   * made when it was not there */

static int take(void *arg, const char *text, size_t size)
{
	size_t *sum = arg;

	/* reads them all, for the sanitizer */
	for (size_t i = 0; i < size; i++)
		*sum += (unsigned char)text[i];
	return 0;
}

static void seal(const char *path, unsigned char *bytes, size_t size)
{
	static const unsigned char none[PK_HASH_SIZE];

	if (strstr(path, "objects/") && size > PK_TRAILER_SIZE) {
		unsigned char *t = bytes + size - PK_TRAILER_SIZE;

		pk_put_le64(t + 56, pk_sum(pk_le64(none), t, 56));
	} else if (strstr(path, "slot") && size > PK_RECORD_HEADER) {
		uint64_t n = size - PK_RECORD_HEADER;

		pk_put_le64(bytes + 40, n);
		pk_put_le64(bytes + 112,
			    pk_sum(0, bytes + PK_RECORD_HEADER, n));
		pk_put_le64(bytes + 120, pk_sum(0, bytes, 120));
	}
}

static const char *top(void)
{
	return access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
}

/* The file, with the directories above it; made once. */
static const char *make(size_t i)
{
	static char path[PLACES][200];

	if (*path[i])
		return path[i];
	snprintf(path[i], sizeof(path[i]), "%s/pakhus-fuzz-%d/%s", top(),
		 (int)getpid(), place[i]);
	for (char *p = path[i] + strlen(top()) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path[i], 0700);
		*p = '/';
	}
	return path[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pakhus_error err;
	unsigned char *copy;
	const char *path;
	size_t sum = 0;
	int fd;

	if (size < 2)
		return 0;
	path = make(*bytes & 0x40 ? NEXT : *bytes % NEXT);
	copy = malloc(--size);
	memcpy(copy, bytes + 1, size);
	if (*bytes & 0x80)
		seal(path, copy, size);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, copy, size) != (ssize_t)size)
		abort();
	close(fd);
	free(copy);
	if (pakhus_dump(path, take, &sum, &err) && !*err.text)
		abort();
	return 0;
}

/* Nothing is left behind. */
__attribute__((destructor)) static void clean(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s/pakhus-fuzz-%d", top(),
		 (int)getpid());
	if (system(command))
		fputs("the directory stays\n", stderr);
}

/* fuzz_scan.c - recovery's look at two slots (F-56, F-57). Each 10 bytes of
 * the input are a record, whole unless they say otherwise; what is found
 * never loses an entry that a header calls durable. */
#include "fuzz.h"
#include "journal.h"

#include <sys/mman.h>
#include <unistd.h>

#define BLOCKS 8

static struct pk_journal journal = { .fd = { -1, -1 } };
static uint64_t sum[2 * BLOCKS]; /* header checksums, for chains */
static uint64_t durable;

static void put_record(const uint8_t b[10])
{
	static const unsigned char entries[] = "\0\2{}\0\2{}\0\2{}";
	unsigned char bytes[PK_RECORD_HEADER + sizeof(entries)] = { 0 };
	struct pk_record r = { .seq = b[1] % 16, .entries = b[2] % 4,
			       .durable = b[3] % 16 };
	unsigned at = b[0] % BLOCKS, slot = b[0] / BLOCKS % 2;

	memset(r.generation, b[4] % 4, PK_GENERATION_SIZE);
	r.payload = 4 * (uint64_t)r.entries;
	if (b[6] % 4 == 1 && at)
		r.chain = sum[slot * BLOCKS + at - 1];
	else if (b[6] % 4 == 2)
		r.chain = b[6];
	if (!at) {
		memset(r.before, b[5] % 4, PK_GENERATION_SIZE);
		r.before_end = b[7] % BLOCKS * PK_BLOCK;
	}
	memcpy(bytes + PK_RECORD_HEADER, entries, r.payload);
	r.payload_sum = pk_sum(0, bytes + PK_RECORD_HEADER, r.payload);
	sum[slot * BLOCKS + at] = pk_record_encode(&r, bytes);
	if (b[8] == 1) /* a bit is wrong */
		bytes[b[9] % (PK_RECORD_HEADER + r.payload)] ^= 1;
	if (pwrite(journal.fd[slot], bytes, sizeof(bytes),
		   (off_t)at * PK_BLOCK) != (ssize_t)sizeof(bytes))
		abort();
}

/* The highest that any whole header says. */
static void find_durable(void)
{
	unsigned char head[PK_RECORD_HEADER];
	struct pk_record r;
	uint64_t own;

	durable = 0;
	for (int i = 0; i < 2 * BLOCKS; i++)
		if (pread(journal.fd[i / BLOCKS], head, sizeof(head),
			  i % BLOCKS * PK_BLOCK) == PK_RECORD_HEADER &&
		    !pk_record_decode(head, &r, &own) && r.durable > durable)
			durable = r.durable;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pakhus_error err = { .status = 0 };
	struct pk_cursor c;
	uint64_t checkpoint;
	int rc;

	if (!size)
		return 0;
	for (int i = 0; i < 2; i++) {
		if (journal.fd[i] < 0)
			journal.fd[i] = memfd_create("slot", MFD_CLOEXEC);
		if (ftruncate(journal.fd[i], 0) ||
		    ftruncate(journal.fd[i], BLOCKS * PK_BLOCK))
			abort();
	}
	checkpoint = *bytes++ % 16;
	for (size--; size >= 10; size -= 10, bytes += 10)
		put_record(bytes);
	find_durable();
	rc = pk_journal_scan(&journal, checkpoint, &c, &err);
	if (rc) {
		if (rc != PAKHUS_ECORRUPT || !*err.text)
			abort();
		return 0;
	}
	if (c.seq < checkpoint || c.seq < durable || c.first > c.seq ||
	    c.end > BLOCKS * PK_BLOCK || c.sealed_end > BLOCKS * PK_BLOCK ||
	    (c.has_sealed && (c.sealed_first > checkpoint ||
			      c.sealed_first > c.first)))
		abort();
	return 0;
}

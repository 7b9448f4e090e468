#include "journal.h"
#include "auto.h"
#include "io.h"
#include "sum.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE_PATH "local/page"
#define PAGE_SIZE 4096

_Static_assert(sizeof(struct pk_page) <= PAGE_SIZE, "the page is one page");

static const char *const slot_path[2] = { "local/slot-0", "local/slot-1" };

/* ---- making and opening ---- */

static int write_zeros(int fd, uint64_t from, uint64_t to)
{
	static const unsigned char zeros[1 << 16];

	for (uint64_t at = from; at < to; at += sizeof(zeros)) {
		size_t n = to - at < sizeof(zeros) ? to - at : sizeof(zeros);

		if (pk_pwrite(fd, zeros, n, at))
			return -1;
	}
	return 0;
}

/* Extends a slot with written zeros and syncs it. */
static int extend(int fd, const char *path, uint64_t from, uint64_t to,
		  struct pakhus_error *err)
{
	if (write_zeros(fd, from, to)) {
		int rc = pk_fail_sys(err, "extend %s", path);

		/* the last of a full disk is for others */
		(void)!ftruncate(fd, (off_t)from);
		return rc;
	}
	if (pk_fsync(fd))
		return pk_fail_sys(err, "sync %s", path);
	return 0;
}

static int open_slot(int dir, int i, int *fd, uint64_t *size,
		     struct pakhus_error *err)
{
	struct stat st;

	*fd = openat(dir, slot_path[i], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0 || fstat(*fd, &st))
		return pk_fail_sys(err, "%s", slot_path[i]);
	*size = (uint64_t)st.st_size;
	return 0;
}

int pk_journal_make(int dir, struct pakhus_error *err)
{
	for (int i = 0; i < 2; i++) {
		AUTO_CLOSE int fd = -1;
		uint64_t size = 0;
		int rc = open_slot(dir, i, &fd, &size, err);

		if (!rc && size < PK_SLOT_FIRST_SIZE)
			rc = extend(fd, slot_path[i], size, PK_SLOT_FIRST_SIZE,
				    err);
		if (rc)
			return rc;
	}
	return 0;
}

int pk_journal_open(struct pk_journal *j, int dir, struct pakhus_error *err)
{
	AUTO_CLOSE int fd = openat(dir, PAGE_PATH,
				   O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;
	void *map;

	j->dir = dir;
	j->fd[0] = j->fd[1] = -1;
	j->page = NULL;
	pk_recent_init(&j->recent);
	if (fd < 0 || fstat(fd, &st))
		return pk_fail_sys(err, PAGE_PATH);
	j->page_inode = st.st_ino;
	/* written, not only extended: a full disk shall be an error here and
	 * not a SIGBUS later */
	if (st.st_size < PAGE_SIZE) {
		static const unsigned char zeros[PAGE_SIZE];

		if (pk_pwrite(fd, zeros, PAGE_SIZE, 0))
			return pk_fail_sys(err, PAGE_PATH);
	}
	map = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return pk_fail_sys(err, PAGE_PATH);
	j->page = map;
	for (int i = 0; i < 2; i++) {
		j->fd[i] = openat(dir, slot_path[i], O_RDWR | O_CLOEXEC);
		if (j->fd[i] < 0)
			return pk_fail_sys(err, "%s", slot_path[i]);
	}
	return 0;
}

void pk_journal_release(struct pk_journal *j)
{
	for (int i = 0; i < 2; i++)
		pk_auto_close(&j->fd[i]);
	if (j->page)
		munmap(j->page, PAGE_SIZE);
	j->page = NULL;
	j->fd[0] = j->fd[1] = -1;
	pk_recent_release(&j->recent);
}

/* ---- the cursor ---- */

_Static_assert(sizeof(struct pk_cursor) % 8 == 0, "copied by words");

/* Word by word and atomically, as another thread may be at the source. */
static void copy_cursor(struct pk_cursor *to, const struct pk_cursor *from)
{
	uint64_t *t = (uint64_t *)to;
	const uint64_t *f = (const uint64_t *)from;

	for (size_t i = 0; i < sizeof(*to) / 8; i++)
		__atomic_store_n(t + i,
				 __atomic_load_n(f + i, __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
}

void pk_journal_cursor(const struct pk_journal *j, struct pk_cursor *c)
{
	uint64_t turn;

	/* a writer fills the other copy and then turns, so a copy is torn
	 * only if two turns fall within it; then the turn has moved */
	do {
		turn = atomic_load(&j->page->turn);
		copy_cursor(c, &j->page->cursor[turn % 2]);
		atomic_thread_fence(memory_order_acquire);
	} while (atomic_load(&j->page->turn) != turn);
}

void pk_journal_set(struct pk_journal *j, const struct pk_cursor *c)
{
	uint64_t turn = atomic_load(&j->page->turn) + 1;

	atomic_thread_fence(memory_order_release);
	copy_cursor(&j->page->cursor[turn % 2], c);
	atomic_store(&j->page->turn, turn);
}

/* ---- reading records ---- */

void pk_reading_release(struct pk_reading *r)
{
	free(r->bytes);
	r->bytes = NULL;
}

/* Loads the record at an offset whole. NULL, or why there is none; *failed
 * is set where the disk or the memory said no, with err filled. */
static const char *load(struct pk_journal *j, struct pk_reading *r,
			uint64_t at, uint64_t limit, int *failed,
			struct pakhus_error *err)
{
	unsigned char head[PK_RECORD_HEADER];
	const char *fault;
	ssize_t n;

	if (at + PK_RECORD_HEADER > limit)
		return "F-50 the slot ends here";
	n = pk_pread(j->fd[r->slot], head, sizeof(head), at);
	if (n < 0) {
		*failed = pk_fail_sys(err, "%s", slot_path[r->slot]);
		return "F-50 the slot cannot be read";
	}
	if (n < PK_RECORD_HEADER)
		return "F-50 the slot ends here";
	fault = pk_record_decode(head, &r->record, &r->sum);
	if (fault)
		return fault;
	if (r->record.payload > limit - at - PK_RECORD_HEADER)
		return "F-51 the payload is longer than the slot";
	if (r->record.payload > r->cap) {
		void *p = realloc(r->bytes,
				  PK_RECORD_HEADER + r->record.payload);

		if (!p) {
			*failed = pk_fail_nomem(err);
			return "out of memory";
		}
		r->bytes = p;
		r->cap = r->record.payload;
	}
	r->payload = r->bytes + PK_RECORD_HEADER;
	n = pk_pread(j->fd[r->slot], r->bytes + PK_RECORD_HEADER,
		     r->record.payload, at + PK_RECORD_HEADER);
	if (n < 0) {
		*failed = pk_fail_sys(err, "%s", slot_path[r->slot]);
		return "F-50 the slot cannot be read";
	}
	if ((uint64_t)n < r->record.payload)
		return "F-51 the payload is longer than the slot";
	return pk_record_check(&r->record, r->payload);
}

int pk_reading_next(struct pk_journal *j, struct pk_reading *r,
		    struct pakhus_error *err)
{
	int failed = 0;
	const char *fault;

	if (r->at >= r->end)
		return 0;
	fault = load(j, r, r->at, r->end, &failed, err);
	if (failed)
		return failed;
	if (fault)
		return pk_fail(err, PAKHUS_ECORRUPT, "%s at %llu: %s",
			       slot_path[r->slot], (unsigned long long)r->at,
			       fault);
	r->from = r->at;
	r->at += pk_record_span(r->record.payload);
	return 1;
}

int pk_reading_take(struct pk_journal *j, struct pk_reading *r,
		    const unsigned char generation[PK_GENERATION_SIZE],
		    uint64_t upto)
{
	struct pk_recent_record got;

	if (r->at >= r->end ||
	    !pk_recent_take(&j->recent, generation, r->at, upto, &got))
		return 0;
	free(r->bytes);
	r->bytes = got.bytes;
	r->payload = got.bytes + PK_RECORD_HEADER;
	r->record = got.record;
	r->cap = got.record.payload;
	r->sum = got.sum;
	r->from = r->at;
	r->at += pk_record_span(r->record.payload);
	return 1;
}

int pk_journal_text(struct pk_journal *j, const struct pk_location *l,
		    char **out, struct pakhus_error *err)
{
	AUTO_FREE char *buf = malloc(l->size + 1);
	ssize_t n;

	if (!buf)
		return pk_fail_nomem(err);
	n = pk_pread(j->fd[l->slot], buf, l->size, l->offset);
	if (n < 0)
		return pk_fail_sys(err, "%s", slot_path[l->slot]);
	buf[l->size] = '\0';
	*out = (uint64_t)n == l->size && pk_sum(0, buf, l->size) == l->sum
		       ? PK_MOVE(buf)
		       : NULL;
	return 0;
}

/* ---- recovery ---- */

/* What one slot holds: the records of one generation from its beginning. */
struct found {
	int any;
	unsigned char generation[PK_GENERATION_SIZE];
	unsigned char before[PK_GENERATION_SIZE];
	uint64_t before_end, first, seq, end, chain, size;
	uint64_t durable; /* the highest that any header of the slot names */
	const char *fault; /* why the walk ended at end */
};

static int follows(const struct found *f, const struct pk_record *r)
{
	if (!f->any)
		return !r->chain;
	return r->chain == f->chain && r->seq == f->seq &&
	       !memcmp(r->generation, f->generation, PK_GENERATION_SIZE);
}

static int walk(struct pk_journal *j, unsigned slot, struct found *f,
		struct pakhus_error *err)
{
	AUTO(pk_reading_release) struct pk_reading r = { .slot = slot };
	struct stat st;
	int failed = 0;

	memset(f, 0, sizeof(*f));
	if (fstat(j->fd[slot], &st))
		return pk_fail_sys(err, "%s", slot_path[slot]);
	f->size = (uint64_t)st.st_size / PK_BLOCK * PK_BLOCK;
	if (f->size > PK_SLOT_MAX)
		f->size = PK_SLOT_MAX; /* F-54: nothing was written behind */
	for (;;) {
		f->fault = load(j, &r, f->end, f->size, &failed, err);
		if (failed)
			return failed;
		if (!f->fault && !follows(f, &r.record))
			f->fault = "F-56 not the record that follows";
		if (f->fault)
			return 0;
		if (!f->any) {
			memcpy(f->generation, r.record.generation,
			       PK_GENERATION_SIZE);
			memcpy(f->before, r.record.before, PK_GENERATION_SIZE);
			f->before_end = r.record.before_end;
			f->first = r.record.seq;
			f->any = 1;
		}
		f->seq = r.record.seq + r.record.entries;
		f->chain = r.sum;
		f->end += pk_record_span(r.record.payload);
	}
}

/* Every boundary is asked, also behind the first bad record: a good one
 * there may know that the bad one had been durable. */
static int highest_durable(struct pk_journal *j, unsigned slot,
			   struct found *f, struct pakhus_error *err)
{
	unsigned char head[PK_RECORD_HEADER];
	struct pk_record r;
	uint64_t sum;

	for (uint64_t at = 0; at < f->size; at += PK_BLOCK) {
		ssize_t n = pk_pread(j->fd[slot], head, sizeof(head), at);

		if (n < 0)
			return pk_fail_sys(err, "%s", slot_path[slot]);
		if (n == PK_RECORD_HEADER &&
		    !pk_record_decode(head, &r, &sum) && r.durable > f->durable)
			f->durable = r.durable;
	}
	return 0;
}

static int damaged(struct pakhus_error *err, unsigned slot,
		   const struct found *f)
{
	return pk_fail(err, PAKHUS_ECORRUPT,
		       "%s at %llu: F-57 a record that was durable is not "
		       "whole: %s",
		       slot_path[slot], (unsigned long long)f->end, f->fault);
}

int pk_journal_scan(struct pk_journal *j, uint64_t checkpoint,
		    struct pk_cursor *out, struct pakhus_error *err)
{
	struct found f[2], *active = NULL, *sealed = NULL;
	struct pk_cursor c = { .slot = 0, .seq = checkpoint };
	uint64_t durable;
	int rc = 0;

	for (unsigned i = 0; i < 2 && !rc; i++) {
		rc = walk(j, i, &f[i], err);
		if (!rc)
			rc = highest_durable(j, i, &f[i], err);
	}
	if (rc)
		return rc;
	durable = f[0].durable > f[1].durable ? f[0].durable : f[1].durable;
	for (unsigned i = 0; i < 2; i++) {
		if (!f[i].any || f[i].seq <= checkpoint)
			continue;
		if (!active || f[i].first > active->first) {
			sealed = active;
			active = &f[i];
		} else {
			sealed = &f[i];
		}
	}
	if (sealed && (memcmp(active->before, sealed->generation,
			      PK_GENERATION_SIZE) ||
		       active->before_end != sealed->end ||
		       active->first != sealed->seq))
		return damaged(err, sealed == &f[1], sealed);
	if (active && (sealed ? sealed : active)->first > checkpoint)
		return damaged(err, active == &f[0], &f[active == &f[0]]);
	if (active) {
		c.slot = active == &f[1];
		memcpy(c.generation, active->generation, PK_GENERATION_SIZE);
		memcpy(c.before, active->before, PK_GENERATION_SIZE);
		c.before_end = active->before_end;
		c.end = active->end;
		c.chain = active->chain;
		c.first = active->first;
		c.seq = active->seq;
	} else {
		rc = pk_random(c.generation, sizeof(c.generation), err);
		if (rc)
			return rc;
		c.first = checkpoint;
	}
	if (sealed) {
		c.has_sealed = 1;
		memcpy(c.sealed_generation, sealed->generation,
		       PK_GENERATION_SIZE);
		c.sealed_end = sealed->end;
		c.sealed_first = sealed->first;
	}
	if (durable > c.seq) {
		/* where nothing is whole, the slot that knows of it */
		unsigned i = active ? c.slot : f[1].durable > f[0].durable;

		return damaged(err, i, &f[i]);
	}
	c.size[0] = f[0].size;
	c.size[1] = f[1].size;
	*out = c;
	return 0;
}

/* ---- writing ---- */

int pk_journal_append(struct pk_journal *j, unsigned char **buf, uint64_t size,
		      uint32_t entries, uint32_t texts, uint64_t *at,
		      struct pakhus_error *err)
{
	struct pk_record r = { .entries = entries,
			       .texts = texts,
			       .payload = size };
	struct pk_recent_record recent;
	uint64_t span = pk_record_span(size);
	struct pk_cursor c;

	pk_journal_cursor(j, &c);
	*at = 0;
	if (c.end + span > c.size[c.slot])
		return 0;
	memcpy(r.generation, c.generation, PK_GENERATION_SIZE);
	r.seq = c.seq;
	r.durable = atomic_load(&j->page->durable);
	r.chain = c.chain;
	if (!c.end) {
		memcpy(r.before, c.before, PK_GENERATION_SIZE);
		r.before_end = c.before_end;
	}
	r.payload_sum = pk_sum(0, *buf + PK_RECORD_HEADER, size);
	c.chain = pk_record_encode(&r, *buf);
	if (pk_pwrite(j->fd[c.slot], *buf, PK_RECORD_HEADER + size, c.end))
		return pk_fail_sys(err, "write %s", slot_path[c.slot]);
	*at = c.end + PK_RECORD_HEADER;
	recent = (struct pk_recent_record){ .at = c.end,
					    .record = r,
					    .sum = c.chain,
					    .bytes = *buf };
	if (!pk_recent_put(&j->recent, &recent, r.durable))
		*buf = NULL;
	c.end += span;
	c.seq += entries;
	pk_journal_set(j, &c);
	return 0;
}

int pk_journal_catch_up(struct pk_journal *j, struct pakhus_error *err)
{
	unsigned char head[PK_RECORD_HEADER];
	AUTO(pk_reading_release) struct pk_reading r = { .slot = 0 };
	struct pk_cursor c;
	int failed = 0;
	ssize_t n;

	for (;;) {
		pk_journal_cursor(j, &c);
		r.slot = c.slot;
		/* nearly always zeros or an old generation: one short read */
		n = pk_pread(j->fd[c.slot], head, sizeof(head), c.end);
		if (n < 0)
			return pk_fail_sys(err, "%s", slot_path[c.slot]);
		if (n < PK_RECORD_HEADER ||
		    memcmp(head + 8, c.generation, PK_GENERATION_SIZE))
			return 0;
		if (load(j, &r, c.end, c.size[c.slot], &failed, err))
			return failed;
		if (r.record.chain != c.chain || r.record.seq != c.seq)
			return 0;
		c.end += pk_record_span(r.record.payload);
		c.chain = r.sum;
		c.seq += r.record.entries;
		pk_journal_set(j, &c);
	}
}

int pk_journal_sync(struct pk_journal *j, struct pakhus_error *err)
{
	struct pk_cursor c;

	pk_journal_cursor(j, &c);
	if (pk_fdatasync(j->fd[c.slot]))
		return pk_fail_sys(err, "sync %s", slot_path[c.slot]);
	return 0;
}

static int redo_slot(struct pk_journal *j, unsigned slot, uint64_t end,
		     uint64_t durable, struct pakhus_error *err)
{
	AUTO(pk_reading_release) struct pk_reading r = { .slot = slot,
							 .end = end };
	unsigned char head[PK_RECORD_HEADER];
	int rc;

	while ((rc = pk_reading_next(j, &r, err)) == 1) {
		if (r.record.seq + r.record.entries <= durable)
			continue;
		pk_record_encode(&r.record, head);
		if (pk_pwrite(j->fd[slot], r.payload, r.record.payload,
			      r.from + PK_RECORD_HEADER) ||
		    pk_pwrite(j->fd[slot], head, sizeof(head), r.from))
			return pk_fail_sys(err, "write %s", slot_path[slot]);
	}
	return rc;
}

int pk_journal_redo(struct pk_journal *j, struct pakhus_error *err)
{
	uint64_t durable = atomic_load(&j->page->durable);
	struct pk_cursor c;
	int rc = 0;

	pk_journal_cursor(j, &c);
	if (c.has_sealed) {
		rc = redo_slot(j, !c.slot, c.sealed_end, durable, err);
		if (!rc && pk_fdatasync(j->fd[!c.slot]))
			rc = pk_fail_sys(err, "sync %s", slot_path[!c.slot]);
	}
	return rc ? rc : redo_slot(j, c.slot, c.end, durable, err);
}

int pk_journal_grow(struct pk_journal *j, uint64_t size,
		    struct pakhus_error *err)
{
	struct pk_cursor c;
	int rc;

	pk_journal_cursor(j, &c);
	rc = extend(j->fd[c.slot], slot_path[c.slot], c.size[c.slot], size,
		    err);
	if (rc)
		return rc;
	c.size[c.slot] = size;
	pk_journal_set(j, &c);
	return 0;
}

void pk_journal_shrink(struct pk_journal *j)
{
	struct pk_cursor c;

	pk_journal_cursor(j, &c);
	if (c.end || c.has_sealed)
		return;
	for (int i = 0; i < 2; i++)
		if (c.size[i] > PK_SLOT_FIRST_SIZE &&
		    !ftruncate(j->fd[i], (off_t)PK_SLOT_FIRST_SIZE))
			c.size[i] = PK_SLOT_FIRST_SIZE;
	pk_journal_set(j, &c);
}

int pk_journal_seal(struct pk_journal *j, uint64_t size,
		    struct pakhus_error *err)
{
	struct pk_cursor c;
	unsigned next;
	int rc;

	pk_journal_cursor(j, &c);
	next = !c.slot;
	if (c.size[next] < size) {
		rc = extend(j->fd[next], slot_path[next], c.size[next], size,
			    err);
		if (rc)
			return rc;
		c.size[next] = size;
	}
	memcpy(c.sealed_generation, c.generation, PK_GENERATION_SIZE);
	c.sealed_end = c.end;
	c.sealed_first = c.first;
	c.has_sealed = 1;
	memcpy(c.before, c.generation, PK_GENERATION_SIZE);
	c.before_end = c.end;
	c.slot = next;
	c.end = c.chain = 0;
	c.first = c.seq;
	rc = pk_random(c.generation, sizeof(c.generation), err);
	if (!rc)
		pk_journal_set(j, &c);
	return rc;
}

void pk_journal_free_sealed(struct pk_journal *j)
{
	struct pk_cursor c;

	pk_journal_cursor(j, &c);
	c.has_sealed = 0;
	pk_journal_set(j, &c);
}

int pk_journal_wipe(struct pk_journal *j, struct pakhus_error *err)
{
	struct pk_cursor c;

	pk_journal_cursor(j, &c);
	for (unsigned i = 0; i < 2; i++) {
		struct stat st;

		if (fstat(j->fd[i], &st) ||
		    write_zeros(j->fd[i], i == c.slot ? c.end : 0,
				(uint64_t)st.st_size) ||
		    pk_fdatasync(j->fd[i]))
			return pk_fail_sys(err, "wipe %s", slot_path[i]);
	}
	return 0;
}

/* test_powerloss.c - power goes at every call that changes a file.
 *
 * A run is kept as a trace. For every place in it, trees that may be found
 * on the disk afterwards are built (disk.h) and opened as at another boot:
 * what was acknowledged has to be there, what was not is there in log order
 * or not at all, the store verifies, and can be written. From some of them
 * the recovery is kept as a trace in its turn, and power goes at every call
 * of that. LMDB's file is not in a trace; in its place stands nothing, or one
 * of some other moment.
 *
 * The short form tries the named states of disk.h nearly everywhere, and
 * combinations here and there. TORTURE=n tries all that disk.h speaks of at
 * every call, bound being 16 n, and n times as many mixed ones.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "pakhus.h"
#include "disk.h"

#define OPS_MAX 256
#define ENTRIES_MAX 512

/* What a run did: calls, and in the end the log. */
static struct run {
	const char *name;
	struct call {
		size_t begin, end;	/* in the trace */
		uint64_t before, after; /* entries; 0: not one step */
	} call[OPS_MAX];
	size_t calls;
	struct pakhus_entry entry[ENTRIES_MAX];
	char *text[ENTRIES_MAX];
	size_t entries;
	struct moment {
		unsigned char *index, *page;
		size_t index_size, page_size;
	} moment[OPS_MAX];
	char index_dir[300];
	int collects; /* so texts that are not live may be gone */
} run;

static char dir[256], path[300];
static struct pakhus *store;
static struct pakhus_error err;
static unsigned long states, again, same;
static char where[200];

#define ok(call) t_ok(call, #call, __LINE__)
static void t_ok(int rc, const char *what, int line)
{
	if (!rc)
		return;
	print_error("%s: %s: %d: %s\n", where, what, rc, err.text);
	_fail(__FILE__, line);
}

#define hold(fact) t_hold(!!(fact), #fact, __LINE__)
static void t_hold(int fact, const char *what, int line)
{
	if (fact)
		return;
	print_error("%s: not %s\n", where, what);
	_fail(__FILE__, line);
}

static void remove_tree(const char *tree)
{
	nftw(tree, t_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* The machine starts anew. */
static void boot(int n)
{
	static char file[300];
	FILE *f;

	snprintf(file, sizeof(file), "%s/boot", dir);
	f = fopen(file, "w");
	fprintf(f, "01234567-89ab-cdef-0123-4567%08d\n", n);
	fclose(f);
	trace_boot = file;
}

/* ---- a run ---- */

static unsigned char *slurp(const char *file, size_t *size)
{
	int fd = __real_open(file, O_RDONLY);
	unsigned char *bytes = NULL;
	struct stat st;

	*size = 0;
	if (fd < 0)
		return NULL;
	if (!__real_fstat(fd, &st) && st.st_size) {
		bytes = malloc((size_t)st.st_size);
		*size = (size_t)pread(fd, bytes, (size_t)st.st_size, 0);
	}
	close(fd);
	return bytes;
}

static void keep_moment(void)
{
	struct moment *m = &run.moment[run.calls];
	char file[1100];
	struct dirent *e;
	DIR *d;

	snprintf(file, sizeof(file), "%s/local/page", path);
	m->page = slurp(file, &m->page_size);
	snprintf(file, sizeof(file), "%s/local", path);
	d = opendir(file);
	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, "index-", 6) &&
		    strcmp(e->d_name, "index-state"))
			snprintf(run.index_dir, sizeof(run.index_dir),
				 "local/%s", e->d_name);
	if (d)
		closedir(d);
	snprintf(file, sizeof(file), "%s/%s/data.mdb", path, run.index_dir);
	m->index = slurp(file, &m->index_size);
}

/* Begin and end of a call. Writing calls of several threads may lie one in
 * another; then each has its own. */
static struct call *begin(void)
{
	struct call *c = &run.call[run.calls];

	assert_true(run.calls + 1 < OPS_MAX);
	keep_moment();
	run.calls++;
	c->begin = trace.n;
	return c;
}

static void end(struct call *c, uint64_t before, uint64_t after)
{
	c->end = trace.n;
	c->before = before;
	c->after = after;
}

static uint64_t position(struct pakhus *s)
{
	struct pakhus_history *h;
	uint64_t n;

	ok(pakhus_history(s, NULL, (struct pakhus_range){ 0, 1 }, &h, &err));
	n = h->position;
	pakhus_history_free(h);
	return n;
}

/* A document of about size bytes that zstd makes little smaller. */
static char *document(const char *id, const char *version, size_t size,
		      unsigned seed)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char *text = malloc(size + 500);
	size_t n;

	n = (size_t)sprintf(text,
			    "{\"manifest\":{\"id\":\"%s\",\"version\":\"%s\"},"
			    "\"metadata\":{\"x\":\"", id, version);
	disk_seed = seed;
	for (size_t i = 0; i < size; i++)
		text[n++] = digits[disk_next() % 62];
	strcpy(text + n, "\"}}");
	return text;
}

static void publish(const char *id, const char *version, size_t size,
		    unsigned seed)
{
	char *text = document(id, version, size, seed);
	struct pakhus_record r;
	struct call *c = begin();

	ok(pakhus_publish(store, text, strlen(text), NULL, &r, &err));
	end(c, r.seq, r.seq + 1);
	run.text[r.seq] = text; /* which is canonical */
}

/* With what is said last, or, NULL, that nothing is. */
static void say(const char *id, const char *version, size_t size,
		unsigned seed)
{
	uint64_t seq, before = position(store);
	char *text = size ? document(id, version ? version : "", size, seed)
			  : strdup("{}");
	struct call *c = begin();

	ok(pakhus_set_attrs(store, id, version, text, strlen(text), NULL, &seq,
			    &err));
	end(c, before, before + 1);
	if (size)
		run.text[seq] = text;
	else
		free(text);
}

static void delete(const char *id, const char *version)
{
	uint64_t before = position(store);
	struct call *c = begin();

	ok(pakhus_delete(store, id, version, NULL, NULL, &err));
	end(c, before, position(store));
}

/* What a program does that imports: one step of several documents. */
static void import(unsigned n, size_t size)
{
	uint64_t before = position(store);
	struct pakhus_batch *b;
	struct call *c = begin();

	ok(pakhus_batch_new(store, NULL, &b, &err));
	for (unsigned i = 0; i < n; i++) {
		char id[20], *text;

		snprintf(id, sizeof(id), "import-%u", i);
		text = document(id, "1", size, i);
		ok(pakhus_batch_publish(b, text, strlen(text), &err));
		free(text);
	}
	ok(pakhus_batch_commit(b, &err));
	pakhus_batch_free(b);
	end(c, before, before + n);
}

static int trace_has(enum trace_kind kind)
{
	for (size_t i = 0; i < trace.n; i++)
		if (trace.op[i].kind == kind)
			return 1;
	return 0;
}

static void sync_it(void)
{
	struct call *c = begin();

	ok(pakhus_sync(store, &err));
	end(c, 0, position(store));
}

static void rotate(void)
{
	uint64_t before = position(store);
	struct call *c = begin();

	ok(pakhus_rotate(store, NULL, NULL, NULL, &err));
	end(c, before, before + 1);
}

static void purge(const char *id, const char *version, uint64_t texts)
{
	uint64_t before = position(store);
	struct call *c = begin();

	ok(pakhus_purge(store, id, version, "why", NULL, NULL, &err));
	end(c, before, before + texts);
}

static void reopen(void)
{
	struct pakhus_options opt = { .level = 1 };

	pakhus_close(store);
	ok(pakhus_open(&store, path, &opt, &err));
}

/* fails: the call of init that fails, before it is done again */
static void begin_again(const char *name, long fails)
{
	struct pakhus_options opt = { .level = 1, .flags = PAKHUS_CREATE };
	struct call *c;

	memset(&run, 0, sizeof(run));
	run.name = name;
	snprintf(where, sizeof(where), "%s", name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	boot(1);
	trace_at(path);
	trace_inode = 1;
	trace_start();
	c = begin();
	if (fails) {
		trace_fail(fails, EIO, 1);
		pakhus_init(path, NULL, &err);
		trace_peace();
	}
	ok(pakhus_open(&store, path, &opt, &err));
	end(c, 0, 1);
}

static void begin_run(const char *name)
{
	begin_again(name, 0);
}

static void end_run(void)
{
	struct pakhus_history *h;

	ok(pakhus_history(store, NULL, (struct pakhus_range){ 0, ENTRIES_MAX },
			  &h, &err));
	run.entries = h->count;
	for (size_t i = 0; i < h->count; i++) {
		struct pakhus_entry *e = &run.entry[h->count - 1 - i];
		struct pakhus_package *p;

		*e = h->items[i];
		if (strcmp(e->op, "publish") || run.text[e->seq])
			continue;
		ok(pakhus_get_at(store, e->seq, &p, &err));
		run.text[e->seq] = strdup(p->document);
		pakhus_package_free(p);
	}
	pakhus_history_free(h);
	keep_moment();
	pakhus_close(store);
	trace_stop();
	remove_tree(path);
	boot(2);
}

static void forget_run(void)
{
	for (size_t i = 0; i < ENTRIES_MAX; i++)
		free(run.text[i]);
	for (size_t i = 0; i < OPS_MAX; i++) {
		free(run.moment[i].index);
		free(run.moment[i].page);
	}
	trace_clear();
}

/* ---- what has to hold after a crash ---- */

static void check_entries(struct pakhus *s, uint64_t n)
{
	struct pakhus_history *h;

	ok(pakhus_history(s, NULL, (struct pakhus_range){ 0, ENTRIES_MAX }, &h,
			  &err));
	hold(h->count == n);
	for (size_t i = 0; i < n; i++) {
		const struct pakhus_entry *e = &h->items[n - 1 - i];
		const struct pakhus_entry *want = &run.entry[i];

		hold(e->seq == want->seq && e->time_us == want->time_us);
		hold(!strcmp(e->op, want->op) && !strcmp(e->id, want->id));
		hold(!strcmp(e->version, want->version));
		hold(!strcmp(e->hash, want->hash));
	}
	pakhus_history_free(h);
}

/* Whether a later entry is no word on what an earlier one speaks of: on the
 * document, or on what is said beside it. */
static int is_beside(const char *op, const char *earlier)
{
	return !strcmp(op, "attrs") ? strcmp(earlier, "attrs") != 0
				    : !strcmp(op, "publish") &&
					      !strcmp(earlier, "attrs");
}

/* Whether an entry is the last word on its version in the first n. */
static int is_last(size_t i, size_t n)
{
	for (size_t k = i + 1; k < n; k++)
		if (!strcmp(run.entry[k].id, run.entry[i].id) &&
		    !strcmp(run.entry[k].version, run.entry[i].version) &&
		    !is_beside(run.entry[k].op, run.entry[i].op))
			return 0;
	return 1;
}

/* Whether one of the first n entries has purged the text of an entry. */
static int is_purged(size_t i, size_t n)
{
	for (size_t k = i + 1; k < n; k++)
		if (!strcmp(run.entry[k].op, "purge") &&
		    !strcmp(run.entry[k].hash, run.entry[i].hash))
			return 1;
	return 0;
}

/* Also from the tree, when a writer has come in. */
static void check_gone(struct pakhus *s, size_t i)
{
	const char *hash = run.entry[i].hash;
	struct pakhus_package *p;
	char *object;

	hold(pakhus_get_at(s, i, &p, &err) == PAKHUS_ENOTFOUND);
	if (asprintf(&object, "%s/objects/%.2s/%s", path, hash, hash + 2) < 0)
		return;
	hold(access(object, F_OK));
	free(object);
}

/* What an entry said, if it is what was said last. */
static void check_said(struct pakhus *s, size_t i, uint64_t n)
{
	const struct pakhus_entry *e = &run.entry[i];
	struct pakhus_attrs *a;
	int rc;

	if (!is_last(i, n))
		return;
	rc = pakhus_attrs(s, e->id, e->version, &a, &err);
	if (!run.text[i]) {
		hold(rc == PAKHUS_ENOTFOUND);
		return;
	}
	ok(rc);
	hold(!strcmp(a->text, run.text[i]) && a->seq == i);
	pakhus_attrs_free(a);
}

static void check_texts(struct pakhus *s, uint64_t n)
{
	struct pakhus_package *p;

	for (size_t i = 0; i < n; i++) {
		const struct pakhus_entry *e = &run.entry[i];

		if ((!strcmp(e->op, "attrs") && !is_purged(i, n)) ||
		    (*e->id && !*e->version && !run.text[i])) {
			check_said(s, i, n);
			continue;
		}
		if (run.text[i] && is_purged(i, n)) {
			check_gone(s, i);
			continue;
		}
		if (run.text[i]) {
			int rc = pakhus_get_at(s, i, &p, &err);

			if (rc == PAKHUS_ENOTFOUND && run.collects &&
			    !is_last(i, n))
				continue;
			ok(rc);
			hold(!strcmp(p->document, run.text[i]));
			pakhus_package_free(p);
		}
		if (!*e->id || !is_last(i, n))
			continue;
		if (run.text[i]) {
			ok(pakhus_get(s, e->id, e->version, &p, &err));
			hold(!strcmp(p->document, run.text[i]));
			hold(p->record.seq == i);
			pakhus_package_free(p);
		} else {
			hold(pakhus_get(s, e->id, e->version, &p, &err) ==
			     PAKHUS_ENOTFOUND);
		}
	}
}

static void tell_damage(void *arg, const char *file, const char *rule,
			const char *text)
{
	(void)arg;
	print_error("%s: %s: %s %s\n", where, file, rule, text);
}

static void check_sound(struct pakhus *s)
{
	struct pakhus_verify v = { .damage = tell_damage };

	ok(pakhus_verify(s, &v, &err));
}

static char after[PAKHUS_HASH_HEX + 1]; /* hash of what is written then */

static void check_writes(struct pakhus *s)
{
	static const char text[] = "{\"manifest\":{\"id\":\"after\","
				   "\"version\":\"1\"},\"metadata\":{}}";
	struct pakhus_package *p;
	struct pakhus_record r;

	ok(pakhus_publish(s, text, strlen(text), NULL, &r, &err));
	strcpy(after, r.hash);
	ok(pakhus_sync(s, &err));
	ok(pakhus_get(s, "after", "1", &p, &err));
	hold(!strcmp(p->document, text));
	pakhus_package_free(p);
}

static void collect(struct pakhus *s)
{
	struct pakhus_gc gc = { .grace_us = 0 };

	ok(pakhus_gc(s, &gc, &err));
}

static int is_within_a_step(uint64_t n)
{
	for (size_t i = 0; i < run.calls; i++)
		if (run.call[i].before && run.call[i].before < n &&
		    n < run.call[i].after)
			return 1;
	return 0;
}

/* Opens the store at path: at least least and at most most entries. */
static void check_state(uint64_t least, uint64_t most)
{
	struct pakhus_options opt = { .level = 1 };
	struct pakhus *s;
	uint64_t n;

	if (!least)
		opt.flags = PAKHUS_CREATE; /* what init did not end */
	ok(pakhus_open(&s, path, &opt, &err));
	n = position(s);
	if (least) {
		hold(n >= least);
		hold(n <= most);
		hold(!is_within_a_step(n));
		check_entries(s, n);
		check_texts(s, n);
	}
	if (states % 4 == 1)
		check_sound(s);
	check_writes(s);
	check_sound(s);
	pakhus_close(s);
	if (states % 8 && !run.collects)
		return;
	opt.flags = 0;
	ok(pakhus_open(&s, path, &opt, &err));
	hold(position(s) == n + 1);
	for (int i = 0; run.collects && i < 2; i++)
		collect(s);
	if (least)
		check_texts(s, n);
	check_sound(s);
	pakhus_close(s);
}

/* ---- every state ---- */

/* What runs that begin with a store begin with; 0: this is of init. */
static size_t after_init(void)
{
	return run.calls > 1 ? run.call[0].end : 0;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
	char *file;

	if (!bytes || asprintf(&file, "%s/%s", path, name) < 0)
		return;
	disk_put(file, bytes, size);
	free(file);
}

/* The index and the page of some moment, or none, or nonsense. */
static void put_local(void)
{
	const struct moment *m = &run.moment[disk_next() % (run.calls + 1)];
	char file[1100];

	snprintf(file, sizeof(file), "%s/local", path);
	if (access(file, F_OK))
		return;
	if (disk_next() % 3)
		write_file("local/page", m->page, m->page_size);
	m = &run.moment[disk_next() % (run.calls + 1)];
	if (disk_next() % 3 == 0 || !m->index)
		return;
	snprintf(file, sizeof(file), "%s/%s", path, run.index_dir);
	assert_int_equal(__real_mkdir(file, 0700), 0);
	snprintf(file, sizeof(file), "%s/data.mdb", run.index_dir);
	write_file(file, m->index, m->index_size);
}

static void empty_objects(const char *hash)
{
	char *name;
	int fd;

	if (asprintf(&name, "%s/objects/%.2s", path, hash) < 0)
		return;
	fd = __real_open(name, O_RDONLY | O_DIRECTORY);
	if (fd >= 0) {
		DIR *d = fdopendir(fd);
		struct dirent *e;

		while ((e = readdir(d)))
			__real_unlinkat(fd, e->d_name, 0);
		closedir(d);
	}
	free(name);
}

/* The 256 directories of objects/ stay, where all of them were there: most
 * of the time went into them. */
static void remove_state(uint64_t least)
{
	static const char *const rest[] = { "FORMAT", "log", "keys", "local" };
	char *name;

	if (!least) {
		remove_tree(path);
		return;
	}
	for (size_t i = 0; i < T_COUNT(rest); i++) {
		if (asprintf(&name, "%s/%s", path, rest[i]) < 0)
			return;
		remove_tree(name);
		free(name);
	}
	for (size_t i = 0; i < run.entries; i++)
		if (*run.entry[i].hash)
			empty_objects(run.entry[i].hash);
	empty_objects(after);
}

/* How many entries there are at least and at most after the first n calls
 * of the trace. */
static void bounds(size_t n, uint64_t *least, uint64_t *most)
{
	*least = *most = 0;
	for (size_t i = 0; i < run.calls; i++) {
		const struct call *c = &run.call[i];

		if (c->end <= n && c->after > *least)
			*least = c->after;
		if (c->begin < n && c->after > *most)
			*most = c->after;
	}
}

static int cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static unsigned torture(void)
{
	const char *t = getenv("TORTURE");

	return t ? (unsigned)atoi(t) : 0;
}

/* Which states were tried: their sums, the first sorted of them in order. */
static struct seen {
	uint64_t *sum;
	size_t n, sorted;
} seen;

static int is_new(uint64_t sum)
{
	if (seen.n - seen.sorted > 64) {
		qsort(seen.sum, seen.n, sizeof(*seen.sum), cmp);
		seen.sorted = seen.n;
	}
	/* those at the end are looked at one by one: few */
	for (size_t i = seen.sorted; i < seen.n; i++)
		if (seen.sum[i] == sum)
			return 0;
	if (seen.sorted && bsearch(&sum, seen.sum, seen.sorted,
				   sizeof(*seen.sum), cmp))
		return 0;
	seen.sum = realloc(seen.sum, (seen.n + 1) * sizeof(*seen.sum));
	seen.sum[seen.n++] = sum;
	return 1;
}

/* Lays the state that was chosen, unless it was tried already. */
static int lay_state(struct disk *d, uint64_t least, uint64_t most,
		     const char *what, size_t k, size_t of)
{
	if (!is_new(disk_crash(d, NULL) + least * 31 + most)) {
		same++;
		return 0;
	}
	snprintf(where, sizeof(where), "%s, %s %zu of %zu, phase %u, state %lu",
		 run.name, what, k, of, d->phase, (unsigned long)d->i);
	snprintf(path, sizeof(path), "%s/state", dir);
	disk_crash(d, path);
	trace_at(path);
	put_local();
	states++;
	return 1;
}

/* Power comes back, and goes again at every step'th call of the recovery
 * from the state at path. The trace of the run is put aside. */
static void lose_again(uint64_t least, uint64_t most, unsigned bound,
		       size_t step)
{
	struct pakhus_options opt = { .level = 1,
				      .flags = least ? 0 : PAKHUS_CREATE };
	struct trace_op *op = trace.op;
	size_t n = trace.n, cap = trace.cap, opened;
	struct disk *d = disk_of(path);
	struct pakhus *s;
	uint64_t found;
	char first[200];

	strcpy(first, where);
	trace.op = NULL;
	trace.n = trace.cap = 0;
	trace_start();
	ok(pakhus_open(&s, path, &opt, &err));
	opened = trace.n;
	found = position(s);
	pakhus_close(s);
	trace_stop();
	remove_state(least);
	boot(3);
	for (size_t k = 1; k <= trace.n; k++) {
		disk_do(d, &trace.op[k - 1]);
		if (k % step && k < trace.n)
			continue;
		disk_begin(d, bound, 1);
		while (disk_next_state(d)) {
			/* what a recovery has shown stays */
			uint64_t at_least = k >= opened ? found : least;
			uint64_t at_most = k >= opened ? found : most;

			if (!lay_state(d, at_least, at_most, first, k,
				       trace.n))
				continue;
			again++;
			check_state(at_least, at_most);
			remove_state(least);
		}
	}
	boot(2);
	disk_free(d);
	trace_clear();
	trace.op = op;
	trace.n = n;
	trace.cap = cap;
}

/* The states of every step'th place in the trace from one on, and of its
 * end; mixed ones besides those that disk.h names. */
static void each_state(unsigned mixed, size_t from, size_t step)
{
	struct disk *d = disk_new();
	unsigned long before = states, before_again = again;
	/* init makes hundreds of directories: too many in doubt */
	int is_init = !after_init();
	unsigned bound = is_init ? 0 : torture() * 16;

	seen.n = seen.sorted = 0;
	mixed *= torture() ? torture() : 1;
	if (torture() && mixed && !is_init)
		step = 1;
	if (getenv("SANITIZED"))
		step *= 4;
	for (size_t k = 0; k <= trace.n; k++) {
		uint64_t least, most;

		if (k)
			disk_do(d, &trace.op[k - 1]);
		if (k < from || (k % step && k < trace.n))
			continue;
		bounds(k, &least, &most);
		/* a few of all places in the short form */
		disk_begin(d,
			   !mixed     ? 0
			   : bound    ? bound
			   : !is_init && k % 64 < step ? 8 : 0,
			   mixed);
		while (disk_next_state(d)) {
			/* after many runs, the two that find most */
			if (!mixed && d->i != 2 && d->i != 4)
				continue;
			if (!lay_state(d, least, most, "call", k, trace.n))
				continue;
			if (least && mixed &&
			    states % (torture() ? 64 : 256) == 0)
				lose_again(least, most, torture() > 1
								? torture()
								: 0,
					   torture() ? 1 : 3);
			else
				check_state(least, most);
			remove_state(least);
		}
	}
	remove_tree(path);
	disk_free(d);
	if (mixed)
		print_message("# %s: %lu states of %zu calls, and %lu of "
			      "recoveries\n", run.name,
			      states - before - (again - before_again),
			      trace.n, again - before_again);
}

/* ---- the runs ---- */

static void init_interrupted_anywhere_can_be_begun_again(void **state)
{
	(void)state;
	begin_run("init");
	end_run();
	each_state(2, 0, 13);
	forget_run();
}

static void what_was_acknowledged_is_there_after_power_loss(void **state)
{
	(void)state;
	begin_run("few");
	publish("com.acme.crm", "1.0.0", 30000, 1);
	publish("com.acme.crm", "1.0.1", 30000, 1);
	delete("com.acme.crm", "1.0.0");
	sync_it();
	publish("com.acme.crm", "1.0.1", 200, 2);
	publish("com.acme.hr", "2.0.0", 20000, 3);
	publish("com.acme.hr", "2.0.1", 20000, 3);
	sync_it();
	publish("com.acme.hr", "2.0.1", 20000, 4);
	delete("com.acme.hr", NULL);
	import(3, 9000);
	reopen();
	publish("com.acme.hr", "2.0.1", 100, 5);
	end_run();
	each_state(1, after_init(), 2);
	forget_run();
}

/* Where a call fails the next one begins in the middle of what is there; so
 * it is after a process was killed. */
static void a_sync_that_failed_anywhere_is_done_again_in_full(void **state)
{
	int failed = 1;

	(void)state;
	for (long n = 1; failed; n++) {
		struct call *c;

		begin_run("again");
		publish("com.acme.crm", "1.0.0", 3000, 1);
		publish("com.acme.hr", "1.0.1", 3000, 1);
		if (n % 2) /* a later tile, the first one being of init */
			sync_it();
		publish("com.acme.crm", "1.0.1", 3000, 2);
		trace_fail((n + 1) / 2, EIO, 1);
		c = begin();
		failed = pakhus_sync(store, &err);
		trace_peace();
		end(c, 0, position(store));
		sync_it();
		end_run();
		each_state(0, run.call[run.calls - 1].end, 1000);
		forget_run();
	}
}

/* 256 entries fill a bundle and a tile: the next ones need directories. */
static void directories_of_a_log_that_grows_are_there_after_power_loss(
	void **state)
{
	int failed = 1;

	(void)state;
	for (long n = 1; failed; n++) {
		struct pakhus_batch *b;
		struct call *c;
		char *text = document("same", "1", 10, 1);

		begin_run("grows");
		c = begin();
		ok(pakhus_batch_new(store, NULL, &b, &err));
		for (int i = 0; i < 253; i++)
			ok(pakhus_batch_publish(b, text, strlen(text), &err));
		ok(pakhus_batch_commit(b, &err));
		pakhus_batch_free(b);
		end(c, 1, 254);
		sync_it();
		publish("com.acme.crm", "1.0.0", 20, 1);
		publish("com.acme.crm", "1.0.1", 20, 2);
		publish("com.acme.crm", "1.0.2", 20, 3);
		trace_fail(n, EIO, 1);
		c = begin();
		failed = pakhus_sync(store, &err);
		trace_peace();
		end(c, 0, position(store));
		sync_it();
		end_run();
		each_state(0, run.call[run.calls - 1].end, 1000);
		forget_run();
		free(text);
	}
}

static void an_init_that_failed_anywhere_is_done_again_in_full(void **state)
{
	(void)state;
	/* the last one, the sync after FORMAT, is one of those tried */
	for (long n = 1; n < 400; n += n < 360 && !torture() ? 3 : 1) {
		int failed;

		if (n > 12 && n < 266) /* one of 256 directories */
			n = 266;
		begin_again("init again", n);
		failed = trace.hits >= n;
		publish("com.acme.crm", "1.0.0", 20, 1);
		end_run();
		each_state(0, run.call[run.calls - 1].end, 1000);
		forget_run();
		if (!failed)
			return;
	}
	fail_msg("no end");
}

/* A run that fills slots, so that they grow; and, where the disk has no room
 * for that, switch and are made free. */
static void slots_that_fill(const char *name, unsigned full)
{
	begin_run(name);
	for (unsigned i = 0; i < 6; i++) {
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", i);
		if (i == full) {
			/* that of the zeros */
			trace.only_kind = TRACE_SYNC;
			trace_fail(1, ENOSPC, 0);
		}
		publish("com.acme.crm", version, 260000, i);
		hold(i != full || trace.hits);
		trace_peace();
	}
	delete("com.acme.crm", "1.0.1");
	publish("com.acme.hr", "2", 60000, 99);
	if (full > 6) {
		reopen(); /* a long slot is cut, and then long again */
		for (unsigned i = 6; i < 11; i++)
			publish("com.acme.hr", i & 1 ? "3" : "4", 260000, i);
	}
	end_run();
	each_state(1, after_init(), 4);
	forget_run();
}

static void slots_that_fill_and_grow_keep_what_was_acknowledged(void **state)
{
	(void)state;
	slots_that_fill("grow", 99);
}

static void slots_that_fill_and_switch_keep_what_was_acknowledged(void **state)
{
	(void)state;
	slots_that_fill("switch", 4);
}

/* The disk is full while a slot is made larger; what was written of it is
 * cut off, and the slot used as it is. */
static void a_slot_that_could_not_grow_keeps_what_was_acknowledged(void **state)
{
	(void)state;
	begin_run("full");
	for (unsigned i = 0; i < 4; i++) {
		char version[20];

		snprintf(version, sizeof(version), "1.0.%u", i);
		if (i == 3) {
			trace.only = "local/slot-0";
			trace_fail(3, ENOSPC, 0);
		}
		publish("com.acme.crm", version, 330000, i);
	}
	hold(trace_peace() >= 3);
	end_run();
	hold(trace_has(TRACE_TRUNCATE));
	each_state(1, run.call[4].begin, 2);
	forget_run();
}

/* The sync of a record fails: what was told unknown may be found or not,
 * and what is published after the store was opened alone is found. */
static void a_failed_sync_takes_nothing_that_comes_later_with_it(void **state)
{
	char *text = document("com.acme.crm", "1.0.1", 9000, 2);
	struct call *c;

	(void)state;
	begin_run("failed");
	publish("com.acme.crm", "1.0.0", 9000, 1);
	trace.only_kind = TRACE_DATASYNC;
	trace_fail(1, EIO, 0);
	c = begin();
	hold(pakhus_publish(store, text, strlen(text), NULL, NULL, &err) ==
	     PAKHUS_EUNKNOWN);
	trace_peace();
	reopen();
	end(c, 0, position(store));
	c->end = SIZE_MAX; /* never acknowledged */
	publish("com.acme.crm", "1.0.2", 9000, 3);
	publish("com.acme.crm", "1.0.3", 9000, 4);
	end_run();
	each_state(1, after_init(), 2);
	forget_run();
	free(text);
}

/* The text that comes back is encoded against what came between, unless that
 * was saved and is made against it. */
static void a_text_that_came_back_is_no_delta_of_its_own_delta(void **state)
{
	(void)state;
	begin_run("back");
	publish("com.acme.crm", "1.0.0", 3000, 1);
	publish("com.acme.crm", "1.0.0", 3000, 2);
	publish("com.acme.crm", "1.0.0", 3000, 1);
	sync_it();
	end_run();
	each_state(8, run.call[4].begin, 1);
	forget_run();
}

/* The private key that the log wants is on the disk before the log says so,
 * and the one before is gone only after that. */
static void a_rotation_is_whole_after_power_loss(void **state)
{
	(void)state;
	begin_run("rotate");
	publish("com.acme.crm", "1.0.0", 3000, 1);
	rotate();
	publish("com.acme.crm", "1.0.1", 3000, 2);
	rotate();
	publish("com.acme.crm", "1.0.2", 3000, 3);
	sync_it();
	end_run();
	each_state(1, run.call[1].begin, 1);
	forget_run();
}

static void collect_it(void)
{
	struct call *c = begin();

	collect(store);
	end(c, 0, position(store));
}

/* Nor does what goes leave anything that cannot be read. */
static void what_is_collected_takes_nothing_live_with_it(void **state)
{
	size_t from;

	(void)state;
	begin_run("collect");
	run.collects = 1;
	publish("com.acme.crm", "1.0.0", 3000, 1);
	publish("com.acme.crm", "1.0.1", 3000, 1);
	publish("com.acme.crm", "1.0.2", 3000, 1);
	publish("com.acme.crm", "1.0.3", 3000, 1);
	publish("com.acme.hr", "1.0.0", 2000, 2);
	sync_it();
	delete("com.acme.crm", "1.0.3");
	delete("com.acme.crm", "1.0.2");
	delete("com.acme.hr", NULL);
	from = run.calls;
	collect_it();
	collect_it();
	publish("com.acme.crm", "1.0.2", 3000, 1);
	publish("com.acme.hr", "1.0.0", 2000, 2);
	collect_it();
	delete("com.acme.crm", NULL);
	collect_it();
	collect_it();
	end_run();
	each_state(1, run.call[from].begin, 2);
	forget_run();
}

/* Nor what is purged: what is made against it is there without it before it
 * goes. Of the log's word it is gone when the store is opened. */
static void what_is_purged_takes_nothing_else_with_it(void **state)
{
	size_t from;

	(void)state;
	begin_run("purge");
	publish("com.acme.crm", "1.0.0", 3000, 1);
	publish("com.acme.crm", "1.0.1", 3000, 1);
	publish("com.acme.crm", "1.0.2", 3000, 1);
	publish("com.acme.crm", "1.0.0", 3000, 2);
	sync_it();
	publish("com.acme.crm", "1.0.3", 3000, 1);
	from = run.calls;
	purge("com.acme.crm", "1.0.0", 2);
	publish("com.acme.crm", "1.0.4", 3000, 1);
	purge("com.acme.crm", "1.0.2", 1);
	sync_it();
	end_run();
	each_state(2, run.call[from].begin, 1);
	forget_run();
}

/* What is said beside documents is as safe as they are. */
static void what_is_said_is_there_after_power_loss(void **state)
{
	(void)state;
	begin_run("said");
	run.collects = 1;
	say("com.acme.crm", NULL, 3000, 1);
	publish("com.acme.crm", "1.0.0", 2000, 1);
	say("com.acme.crm", "1.0.0", 3000, 2);
	sync_it();
	say("com.acme.crm", NULL, 3100, 1); /* made against the first */
	say("com.acme.crm", "1.0.0", 0, 0);
	publish("com.acme.crm", "1.0.0", 2000, 3);
	say("com.acme.crm", "1.0.0", 3000, 4);
	sync_it();
	collect_it();
	collect_it();
	purge("com.acme.crm", "", 2);
	delete("com.acme.crm", NULL);
	sync_it();
	end_run();
	each_state(1, after_init(), 2);
	forget_run();
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s/pakhus-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return mkdtemp(dir) ? 0 : -1;
}

static int end_all(void **state)
{
	(void)state;
	remove_tree(dir);
	free(seen.sum);
	print_message("# %lu states, %lu more were the same as others\n",
		      states, same);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_interrupted_anywhere_can_be_begun_again),
		cmocka_unit_test(
			a_sync_that_failed_anywhere_is_done_again_in_full),
		cmocka_unit_test(
			directories_of_a_log_that_grows_are_there_after_power_loss),
		cmocka_unit_test(
			an_init_that_failed_anywhere_is_done_again_in_full),
		cmocka_unit_test(
			slots_that_fill_and_grow_keep_what_was_acknowledged),
		cmocka_unit_test(
			slots_that_fill_and_switch_keep_what_was_acknowledged),
		cmocka_unit_test(
			a_slot_that_could_not_grow_keeps_what_was_acknowledged),
		cmocka_unit_test(
			a_failed_sync_takes_nothing_that_comes_later_with_it),
		cmocka_unit_test(
			a_text_that_came_back_is_no_delta_of_its_own_delta),
		cmocka_unit_test(a_rotation_is_whole_after_power_loss),
		cmocka_unit_test(what_is_collected_takes_nothing_live_with_it),
		cmocka_unit_test(what_is_purged_takes_nothing_else_with_it),
		cmocka_unit_test(what_is_said_is_there_after_power_loss),
		cmocka_unit_test(
			what_was_acknowledged_is_there_after_power_loss),
	};

	return cmocka_run_group_tests(tests, make_dir, end_all);
}

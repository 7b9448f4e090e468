/* test_mirror_powerloss.c - power goes at every call of a sync that changes a
 * file (F-75).
 *
 * The sync is kept as a trace. For every place in it, trees that may be found
 * on the disk afterwards are built (disk.h) and opened as at another boot: the
 * mirror is what it was or what it was to be, whole, and once the sync had
 * returned it is the latter. The next sync ends well.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "disk.h"
#include "stores.h"
#include "files.h"
#include "mirrors.h"

static char *store, *mirror, *state_dir, *boot_file;
static unsigned long states;

static void boot(int n)
{
	FILE *f = fopen(boot_file, "w");

	fprintf(f, "01234567-89ab-cdef-0123-4567%08d\n", n);
	fclose(f);
	trace_boot = boot_file;
}

/* Versions old or new of them; old 0: maybe none, and no mirror. */
static void check(unsigned old, unsigned new)
{
	char *format = s_text("%s/FORMAT", state_dir);
	int is_there = !access(format, F_OK);
	struct pakhus_package *p;
	struct pakhus *s;
	unsigned last;

	free(format);
	if (!old && !is_there)
		return;
	s = s_open(state_dir, 0);
	p = s_get(s, "a", NULL);
	assert_int_equal(sscanf(p->record.version, "1.0.%u", &last), 1);
	pakhus_package_free(p);
	assert_true(last + 1 == new || (old && last + 1 == old));
	assert_holds(s, "a", NULL, last);
	s_verify(s);
	pakhus_close(s);
}

static void each_state(struct disk *d, size_t k, unsigned old, unsigned new)
{
	unsigned bound = getenv("TORTURE") ? 16 : 0;

	disk_begin(d, bound, 1);
	while (disk_next_state(d)) {
		disk_crash(d, state_dir);
		trace_at(state_dir);
		boot(2);
		states++;
		/* it had returned */
		check(k == trace.n ? new : old, new);
		assert_done(sync_from(state_dir, store));
		check(new, new);
		run("rm -rf %s", state_dir);
	}
}

static void each_call(struct disk *d, unsigned old, unsigned new, size_t step)
{
	boot(1);
	trace_at(mirror);
	trace_inode = 1;
	trace_start();
	assert_done(sync_from(mirror, store));
	trace_stop();
	states = 0;
	for (size_t k = 0; k <= trace.n; k++) {
		if (k)
			disk_do(d, &trace.op[k - 1]);
		if (k % step == 0 || k == trace.n)
			each_state(d, k, old, new);
	}
	print_message("# %zu calls, %lu states\n", trace.n, states);
	assert_true(trace.n > 60 && states > s_scale(60, 10, 60));
	trace_clear();
	disk_free(d);
}

static void begin(void **state)
{
	store = s_init(state, "store", 0);
	mirror = s_text("%s/mirror", (char *)*state);
	state_dir = s_text("%s/state", (char *)*state);
	boot_file = s_text("%s/boot", (char *)*state);
	grow_by(store, "a", 0, 3);
}

static void end(void)
{
	trace_boot = NULL;
	trace_inode = 0;
	free(store);
	free(mirror);
	free(state_dir);
	free(boot_file);
}

static void a_mirror_is_whole_when_power_went_in_a_sync(void **state)
{
	begin(state);
	assert_done(sync_from(mirror, store));
	grow_by(store, "a", 3, 5);
	each_call(disk_of(mirror), 3, 5, s_scale(3, 11, 1));
	end();
}

static void a_first_sync_is_whole_or_done_again_when_power_went(void **state)
{
	begin(state);
	each_call(disk_new(), 0, 3, s_scale(29, 97, 1));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_mirror_is_whole_when_power_went_in_a_sync),
		T_IN_DIR(a_first_sync_is_whole_or_done_again_when_power_went),
	};

	trace_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

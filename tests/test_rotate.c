/* test_rotate.c - the log gets another key (F-67 to F-69): what follows, who
 * is refused, other processes, and a process that ends at any call of it.
 *
 * wrap: open openat pwrite write fsync fdatasync renameat mkdir mkdirat unlinkat fchmod ftruncate fstat fstatat
 */
#include "trace.h"
#include "stores.h"
#include "log.h"
#include "trust.h"

#include <sys/mman.h>

static char *slurp(const char *store, const char *file, size_t *size)
{
	char *path = s_text("%s/%s", store, file), *text = calloc(1, 20000);
	int fd = __real_open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, 19999);

	if (fd >= 0)
		close(fd);
	free(path);
	if (n < 0) {
		free(text);
		return NULL;
	}
	if (size)
		*size = (size_t)n;
	return text;
}

static void spill(const char *store, const char *file, const char *text,
		  size_t size)
{
	char *path = s_text("%s/%s", store, file);
	int fd;

	unlink(path);
	fd = __real_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(__real_write(fd, text, size), size);
	close(fd);
	free(path);
}

static int is_there(const char *store, const char *file)
{
	char *path = s_text("%s/%s", store, file);
	int is = !access(path, F_OK);

	free(path);
	return is;
}

static struct pk_signer private_key(const char *store)
{
	char *text = slurp(store, "local/key", NULL);
	struct pk_signer s;

	assert_non_null(text);
	assert_done(pk_signer_decode(text, strcspn(text, "\n"), &s, &err));
	assert_done(pk_signer_derive(&s, &err));
	free(text);
	return s;
}

static struct pk_vkey vkey(const char *text)
{
	struct pk_vkey k;

	assert_null(pk_vkey_decode(text, strlen(text), &k));
	return k;
}

static struct pakhus_keys *keys_of(struct pakhus *s)
{
	struct pakhus_keys *keys = NULL;

	assert_done(pakhus_keys(s, &keys, &err));
	return keys;
}

/* Whoever trusts the first key comes to each of the others by the notes
 * alone, and the last one signed the checkpoint. */
static void check_chain(struct pakhus *s, const char *path)
{
	struct pakhus_keys *keys = keys_of(s);
	struct pk_vkey k = vkey(keys->items[0].key), next;
	struct pk_bytes text, signatures;
	struct pk_signature sig;
	struct pk_checkpoint at;
	struct pakhus_stat st;
	char *note;
	size_t size;
	int good = 0;

	for (size_t i = 1; i < keys->count; i++) {
		char file[PK_NEXT_PATH], want[PK_VKEY_SIZE];

		pk_next_path(&k, file);
		note = slurp(path, file, &size);
		assert_non_null(note);
		assert_done(pk_trust_next(&k, k.name, note, size, &next, &at,
					  &err));
		assert_int_equal(at.size, keys->items[i].seq + 1);
		pk_vkey_encode(&next, want);
		assert_string_equal(want, keys->items[i].key);
		k = next;
		free(note);
	}
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_string_equal(st.key, keys->items[keys->count - 1].key);
	assert_done(pakhus_checkpoint(s, 0, &note, &size, &err));
	assert_null(pk_note_decode(note, size, &text, &signatures));
	while (pk_signature_next(&signatures, &sig) == 1)
		good += pk_is_signed(&k, text.at, text.left, &sig);
	assert_int_equal(good, 1);
	pakhus_free(note);
	pakhus_keys_free(keys);
}

/* ---- what it does ---- */

static void a_log_goes_on_with_another_key(void **state)
{
	char *path = s_init(state, "store", 0), *key = s_text("%s/local/key",
							      path);
	struct pakhus *s = s_open(path, 0);
	struct pk_signer old = private_key(path), new;
	struct pakhus_key made[2];
	struct pakhus_keys *keys;
	struct stat st;

	s_publish(s, "a", "1", 1);
	assert_done(pakhus_rotate(s, NULL, "me", &made[0], &err));
	assert_int_equal(made[0].seq, 2);
	assert_string_equal(made[0].by, "me");
	new = private_key(path);
	assert_memory_not_equal(old.seed, new.seed, PK_SEED_SIZE);
	assert_false(is_there(path, "local/key-next"));
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	check_chain(s, path);
	s_publish(s, "a", "2", 2);
	assert_done(pakhus_rotate(s, NULL, NULL, &made[1], &err));
	assert_done(pakhus_sync(s, &err));
	s_publish(s, "a", "3", 3);
	assert_done(pakhus_sync(s, &err));
	check_chain(s, path);
	s_verify(s);
	pakhus_close(s);
	/* and all of it from the log alone */
	for (unsigned flags = 0; flags <= PAKHUS_REBUILD;
	     flags += PAKHUS_REBUILD) {
		s = s_open(path, flags);
		keys = keys_of(s);
		assert_int_equal(keys->count, 3);
		assert_int_equal(keys->items[0].seq, 0);
		assert_int_equal(keys->items[1].seq, 2);
		assert_int_equal(keys->items[2].seq, 4);
		for (int i = 0; i < 2; i++)
			assert_string_equal(keys->items[i + 1].key,
					    made[i].key);
		pakhus_keys_free(keys);
		assert_holds(s, "a", "3", 3);
		check_chain(s, path);
		s_verify(s);
		pakhus_close(s);
	}
	free(key);
	free(path);
}

static void a_private_key_may_be_brought(void **state)
{
	char *path = s_text("%s/store", (char *)*state), text[PK_SKEY_SIZE];
	char *second = s_text("%s/second", (char *)*state);
	struct pk_signer one, two, alien;
	struct pakhus_init_options opt = { .key = text };
	struct pakhus_stat st;
	struct pakhus *s;

	assert_done(pk_signer_new("example.org/log", &one, &err));
	assert_done(pk_signer_new("example.org/log", &two, &err));
	assert_done(pk_signer_new("example.org/other", &alien, &err));
	text[pk_signer_encode(&one, text)] = '\0';
	assert_done(pakhus_init(path, &opt, &err));
	s = s_open(path, 0);
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_string_equal(st.origin, "example.org/log");
	assert_memory_equal(vkey(st.key).key, one.public.key, PK_PUBLIC_SIZE);
	/* another name, where the origin is said */
	opt.origin = "example.org/x";
	assert_status(pakhus_init(second, &opt, &err), PAKHUS_EINVAL);
	assert_false(is_there(second, "."));
	/* refused, and nothing of it stays */
	assert_status(pakhus_rotate(s, text, NULL, NULL, &err),
		      PAKHUS_ECONFLICT);
	text[pk_signer_encode(&alien, text)] = '\0';
	assert_status(pakhus_rotate(s, text, NULL, NULL, &err), PAKHUS_EINVAL);
	assert_non_null(strstr(err.text, "example.org/other"));
	assert_status(pakhus_rotate(s, st.key, NULL, NULL, &err),
		      PAKHUS_EINVAL);
	assert_status(pakhus_rotate(s, "", NULL, NULL, &err), PAKHUS_EINVAL);
	text[pk_signer_encode(&two, text)] = '\0';
	text[strlen(text) - 3] ^= 1; /* of another seed than the id */
	assert_status(pakhus_rotate(s, text, NULL, NULL, &err), PAKHUS_EINVAL);
	assert_null(strstr(err.text, text));
	assert_false(is_there(path, "local/key-next"));
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_int_equal(st.entries, 1);
	text[pk_signer_encode(&two, text)] = '\0';
	strcat(text, "\n");
	assert_done(pakhus_rotate(s, text, "me", NULL, &err));
	assert_memory_equal(private_key(path).seed, two.seed, PK_SEED_SIZE);
	check_chain(s, path);
	/* what the log had does not come again */
	text[pk_signer_encode(&one, text)] = '\0';
	assert_status(pakhus_rotate(s, text, NULL, NULL, &err),
		      PAKHUS_ECONFLICT);
	s_verify(s);
	pakhus_close(s);
	free(second);
	free(path);
}

static void a_checkpoint_is_signed_anew(void **state)
{
	char *path = s_init(state, "store", 0), *copy, *command;
	struct pakhus *s = s_open(path, 0);
	char *before, *after, *last;
	size_t n, m;

	s_publish(s, "a", "1", 1);
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	assert_done(pakhus_checkpoint(s, 0, &before, &n, &err));
	s_publish(s, "a", "2", 2);
	assert_done(pakhus_checkpoint(s, 1, &after, &m, &err));
	assert_string_not_equal(before, after);
	assert_null(strstr(after, "key "));
	pakhus_free(before);
	assert_done(pakhus_checkpoint(s, 1, &before, &n, &err));
	assert_true(strcspn(before, " ") == strcspn(after, " "));
	assert_memory_equal(before, after, strcspn(before, " "));
	assert_string_not_equal(before, after);
	last = slurp(path, "local/last-signed", NULL);
	assert_string_equal(last, before);
	check_chain(s, path);
	s_verify(s);
	pakhus_close(s);
	/* not where there is no private key */
	copy = s_text("%s/copy", (char *)*state);
	command = s_text("cp -a %s %s && rm -r %s/local", path, copy, copy);
	assert_int_equal(system(command), 0);
	s = s_open(copy, 0);
	free(last);
	assert_status(pakhus_checkpoint(s, 1, &last, &n, &err), PAKHUS_EDENIED);
	assert_status(pakhus_rotate(s, NULL, NULL, NULL, &err),
		      PAKHUS_EDENIED);
	assert_done(pakhus_checkpoint(s, 0, &last, &n, &err));
	assert_string_equal(last, before);
	pakhus_close(s);
	pakhus_free(last);
	pakhus_free(before);
	pakhus_free(after);
	free(command);
	free(copy);
	free(path);
}

static void a_log_has_at_most_64_keys(void **state)
{
	char *path = s_init(state, "store", 0);
	struct pakhus *s = s_open(path, 0);
	struct pakhus_keys *keys;

	for (int i = 1; i < PK_KEYS_MAX; i++)
		assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	assert_status(pakhus_rotate(s, NULL, NULL, NULL, &err), PAKHUS_ELIMIT);
	s_publish(s, "a", "1", 1);
	check_chain(s, path);
	pakhus_close(s);
	s = s_open(path, PAKHUS_REBUILD);
	keys = keys_of(s);
	assert_int_equal(keys->count, PK_KEYS_MAX);
	pakhus_keys_free(keys);
	s_verify(s);
	pakhus_close(s);
	free(path);
}

/* ---- who is refused ---- */

/* The installed tree, signed by somebody, as log/checkpoint. */
static void sign_tree(const char *path, const struct pk_signer *by)
{
	char note[PK_CHECKPOINT_NOTE], *text = slurp(path, "log/checkpoint",
						     NULL);
	struct pk_bytes body, signatures;
	struct pk_checkpoint c;
	size_t n;

	assert_null(pk_note_decode(text, strlen(text), &body, &signatures));
	assert_null(pk_checkpoint_decode(body, &c));
	c.time++;
	assert_done(pk_log_sign(&c, by, note, &n, &err));
	spill(path, "log/checkpoint", note, n);
	free(text);
}

static void told(void *arg, const char *path, const char *rule,
		 const char *text)
{
	char *all = arg;

	(void)text;
	snprintf(all + strlen(all), 2000 - strlen(all), "%s %s\n", path, rule);
}

static char *damages(struct pakhus *s)
{
	char *all = calloc(1, 2000);
	struct pakhus_verify v = { .damage = told, .arg = all };

	assert_status(pakhus_verify(s, &v, &err), PAKHUS_ECORRUPT);
	return all;
}

static void refuses_everywhere(const char *path)
{
	struct pakhus *s = NULL;
	char *command, *elsewhere;

	assert_status(pakhus_open(&s, path, NULL, &err), PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-38"));
	/* where no index is, and none can be */
	elsewhere = s_text("%s-elsewhere", path);
	for (int i = 0; i < 2; i++) {
		command = s_text("rm -rf %s && cp -a %s %s && rm -r %s/local "
				 "%s %s/local", elsewhere, path, elsewhere,
				 elsewhere, i ? "&& touch" : "#", elsewhere);
		assert_int_equal(system(command), 0);
		free(command);
		assert_status(pakhus_open(&s, elsewhere, NULL, &err),
			      PAKHUS_ECORRUPT);
		assert_non_null(strstr(err.text, "F-38"));
	}
	free(elsewhere);
}

static void a_key_that_is_not_in_force_signs_nothing(void **state)
{
	char *path = s_init(state, "store", 0), *good, text[PK_VKEY_SIZE + 1];
	struct pakhus *s = s_open(path, 0), *other;
	struct pk_signer old = private_key(path), alien;
	char file[16], *all;
	struct pakhus_stat st;

	s_publish(s, "a", "1", 1);
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	s_publish(s, "a", "2", 2);
	pakhus_close(s);
	good = slurp(path, "log/checkpoint", NULL);
	sign_tree(path, &old); /* F-67 */
	refuses_everywhere(path);
	/* a key that the log does not name, dropped into keys/ (F-69) */
	assert_done(pk_signer_new(old.public.name, &alien, &err));
	pk_vkey_encode(&alien.public, text);
	strcat(text, "\n");
	pk_log_key_path(&alien.public, file);
	spill(path, file, text, strlen(text));
	spill(path, "log/checkpoint", good, strlen(good));
	sign_tree(path, &alien);
	refuses_everywhere(path);
	/* under a handle that is open */
	spill(path, "log/checkpoint", good, strlen(good));
	s = s_open(path, 0);
	sign_tree(path, &alien);
	assert_status(pakhus_stat(s, 0, &st, &err), PAKHUS_ECORRUPT);
	assert_status(pakhus_checkpoint(s, 0, &all, &(size_t){ 0 }, &err),
		      PAKHUS_ECORRUPT);
	all = damages(s);
	assert_non_null(strstr(all, "log/checkpoint F-38\n"));
	free(all);
	s_publish(s, "a", "3", 3);
	assert_status(pakhus_sync(s, &err), PAKHUS_ECORRUPT);
	spill(path, "log/checkpoint", good, strlen(good));
	assert_done(pakhus_sync(s, &err));
	assert_done(pakhus_open(&other, path, NULL, &err));
	assert_holds(other, "a", "3", 3);
	pakhus_close(other);
	check_chain(s, path);
	s_verify(s);
	pakhus_close(s);
	free(good);
	free(path);
}

static void an_altered_rotation_is_told(void **state)
{
	char *path = s_init(state, "store", 0), *note, *all;
	struct pakhus *s = s_open(path, 0);
	struct pk_signer old = private_key(path), new;
	char file[PK_NEXT_PATH], other[PK_NEXT_NOTE], key[16], *want;
	struct pk_checkpoint at;
	struct pk_vkey next;
	size_t n, m;

	s_publish(s, "a", "1", 1);
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	assert_done(pakhus_sync(s, &err));
	new = private_key(path);
	pk_next_path(&old.public, file);
	note = slurp(path, file, &n);
	for (size_t i = 0; i < n; i += 37) {
		note[i] ^= 1;
		spill(path, file, note, n);
		note[i] ^= 1;
		all = damages(s);
		assert_ptr_equal(strstr(all, file), all);
		free(all);
	}
	/* of keys that both are right, and of another tree */
	assert_done(pk_trust_next(&old.public, old.public.name, note, n, &next,
				  &at, &err));
	at.root[3] ^= 1;
	assert_done(pk_next_sign(&at, &old, &new, other, &m, &err));
	spill(path, file, other, m);
	all = damages(s);
	want = s_text("%s F-68\n", file);
	assert_string_equal(all, want);
	free(want);
	free(all);
	at.root[3] ^= 1;
	at.size--;
	assert_done(pk_next_sign(&at, &old, &new, other, &m, &err));
	spill(path, file, other, m);
	all = damages(s);
	assert_non_null(strstr(all, "F-68"));
	free(all);
	/* missing, and one too many */
	want = s_text("%s/%s", path, file);
	unlink(want);
	free(want);
	all = damages(s);
	assert_non_null(strstr(all, "F-69"));
	free(all);
	spill(path, file, note, n);
	s_verify(s);
	spill(path, "keys/01234567.next", note, n);
	all = damages(s);
	assert_string_equal(all, "keys/01234567.next F-69\n");
	free(all);
	want = s_text("%s/keys/01234567.next", path);
	unlink(want);
	free(want);
	pk_next_path(&new.public, file);
	spill(path, file, note, n);
	all = damages(s);
	assert_non_null(strstr(all, file));
	free(all);
	want = s_text("%s/%s", path, file);
	unlink(want);
	free(want);
	pk_log_key_path(&old.public, key);
	want = s_text("%s/%s", path, key);
	unlink(want);
	free(want);
	all = damages(s);
	assert_non_null(strstr(all, "F-69"));
	free(all);
	pakhus_close(s);
	free(note);
	free(path);
}

/* An old copy of local/: nothing becomes durable that could not be signed. */
static void who_has_an_old_private_key_only_reads(void **state)
{
	char *path = s_init(state, "store", 0), *key;
	struct pakhus *s = s_open(path, 0);
	struct pakhus_stat st;
	size_t n;

	s_publish(s, "a", "1", 1);
	key = slurp(path, "local/key", &n);
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	pakhus_close(s);
	spill(path, "local/key", key, n);
	s = s_open(path, 0);
	assert_holds(s, "a", "1", 1);
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_false(st.writable);
	assert_non_null(strstr(st.why_not, "F-67"));
	assert_status(s_try(s, "a", "2", 2, NULL), PAKHUS_EDENIED);
	pakhus_close(s);
	free(key);
	free(path);
}

/* ---- other processes ---- */

static int rotate_there(void *arg)
{
	struct pakhus *s = s_open(arg, 0);

	s_publish(s, "there", "1", 5);
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	pakhus_close(s);
	return 0;
}

static void who_had_it_open_goes_on_with_the_new_key(void **state)
{
	char *path = s_init(state, "store", 0), *far, *command;
	struct pakhus *s = s_open(path, 0), *reader;
	struct pk_signer first = private_key(path), now;
	struct pakhus_stat st;

	/* one that has no local/, and follows the checkpoint */
	far = s_text("%s/far", (char *)*state);
	command = s_text("mkdir %s && touch %s/local && cd %s && "
			 "ln -s ../store/FORMAT ../store/objects ../store/log "
			 "../store/keys .", far, far, far);
	assert_int_equal(system(command), 0);
	reader = s_open(far, 0);
	s_publish(s, "here", "1", 1);
	for (unsigned i = 2; i < 5; i++) {
		char version[2] = { (char)('0' + i), '\0' };

		assert_int_equal(s_in_child(rotate_there, path), 0);
		assert_holds(reader, "there", "1", 5);
		now = private_key(path);
		assert_memory_not_equal(now.seed, first.seed, PK_SEED_SIZE);
		assert_done(pakhus_stat(reader, 0, &st, &err));
		assert_memory_equal(vkey(st.key).id, now.public.id, 4);
		s_publish(s, "here", version, i);
		assert_done(pakhus_sync(s, &err));
		check_chain(s, path);
		check_chain(reader, path);
		assert_holds(reader, "here", version, i);
		s_verify(s);
	}
	/* and rotates in its turn */
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	check_chain(reader, path);
	pakhus_close(reader);
	s_verify(s);
	pakhus_close(s);
	free(command);
	free(far);
	free(path);
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS 6
static struct pakhus *shared;
static atomic_int went_wrong;

/* Publishes, rotates, syncs and asks, all at once and in turn. */
static void *work(void *arg)
{
	unsigned who = *(unsigned *)arg;

	for (unsigned i = 0; i < ROUNDS && !atomic_load(&went_wrong); i++) {
		struct pakhus_error e;
		struct pakhus_keys *keys;
		struct pakhus_stat st;
		char *doc, id[20];
		int rc;

		snprintf(id, sizeof(id), "thread-%u", who);
		doc = s_document(id, "1", i);
		rc = pakhus_publish(shared, doc, strlen(doc), NULL, NULL, &e);
		free(doc);
		if (!rc && (who + i) % 2)
			rc = pakhus_rotate(shared, NULL, id, NULL, &e);
		else if (!rc)
			rc = pakhus_sync(shared, &e);
		if (!rc)
			rc = pakhus_stat(shared, 0, &st, &e);
		if (!rc)
			rc = pakhus_keys(shared, &keys, &e);
		if (!rc)
			pakhus_keys_free(keys);
		if (rc && !atomic_exchange(&went_wrong, 1))
			print_error("%s: %s\n", id, e.text);
	}
	return NULL;
}

static void threads_rotate_one_after_the_other(void **state)
{
	char *path = s_init(state, "store", 0);
	pthread_t thread[THREADS];
	unsigned who[THREADS];
	struct pakhus_keys *keys;

	shared = s_open(path, 0);
	for (unsigned i = 0; i < THREADS; i++) {
		who[i] = i;
		assert_int_equal(pthread_create(&thread[i], NULL, work,
						&who[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_false(atomic_load(&went_wrong));
	keys = keys_of(shared);
	assert_int_equal(keys->count, 1 + THREADS * ROUNDS / 2);
	pakhus_keys_free(keys);
	check_chain(shared, path);
	s_verify(shared);
	pakhus_close(shared);
	free(path);
}

/* ---- a process ends at any call ---- */

static int *done; /* rotations that came to their end */

static pid_t start(const char *path, long n, int torn, int go)
{
	pid_t pid = fork();
	struct pakhus *s;
	char c;

	if (pid)
		return pid;
	if (go >= 0 && read(go, &c, 1) != 1)
		_exit(3);
	trace.only_kind = torn ? TRACE_WRITE : -1;
	trace_kill(n, torn);
	s = s_open(path, 0);
	s_publish(s, "a", "1", 1);
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	*done = 1;
	s_publish(s, "a", "1", 2);
	pakhus_close(s);
	_exit(0);
}

static int ended(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42);
	return WEXITSTATUS(status) == 0;
}

static void go_on(struct pakhus *s, const char *path)
{
	struct pakhus_keys *keys;

	s_publish(s, "b", "1", 7);
	assert_done(pakhus_sync(s, &err));
	assert_holds(s, "b", "1", 7);
	check_chain(s, path);
	s_verify(s);
	keys = keys_of(s);
	assert_in_range(keys->count, 1 + *done, 2);
	/* what the rotation left is taken up, or done */
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	assert_false(is_there(path, "local/key-next"));
	check_chain(s, path);
	s_verify(s);
	pakhus_keys_free(keys);
}

static void each_end(void **state, int torn, int survivor)
{
	long n = 1, step = torn ? 1 : s_scale(1, 7, 1);
	int all = 0, rotated = 0;

	for (; !all; n += step) {
		char *path = s_init(state, "store", 0);
		struct pakhus *s = NULL;
		int go[2];
		pid_t pid;

		assert_int_equal(pipe(go), 0);
		trace_at(path);
		*done = 0;
		pid = start(path, n, torn, survivor ? go[0] : -1);
		if (survivor) {
			s = s_open(path, 0);
			s_publish(s, "own", "1", 3);
			assert_int_equal(write(go[1], "", 1), 1);
		}
		all = ended(pid);
		close(go[0]);
		close(go[1]);
		if (!survivor)
			s = s_open(path, 0);
		rotated += *done;
		go_on(s, path);
		if (survivor)
			assert_holds(s, "own", "1", 3);
		pakhus_close(s);
		s = s_open(path, PAKHUS_REBUILD);
		assert_holds(s, "b", "1", 7);
		check_chain(s, path);
		s_verify(s);
		pakhus_close(s);
		trace_at("");
		nftw(path, t_remove, 16, FTW_DEPTH | FTW_PHYS);
		free(path);
	}
	print_message("# ended at %s of %ld calls\n",
		      step > 1 ? "some" : "each", n - step);
	assert_true(n > (torn ? 10 : 40));
	assert_true(rotated > 0);
}

static void a_rotation_that_was_killed_is_ended_or_never_was(void **state)
{
	each_end(state, 0, 0);
}

static void a_rotation_that_ended_within_a_write(void **state)
{
	each_end(state, 1, 0);
}

static void another_process_ends_a_rotation(void **state)
{
	each_end(state, 0, 1);
}

/* ---- in which order ---- */

static void the_next_key_is_durable_before_its_entry(void **state)
{
	char *path = s_init(state, "store", 0), *calls;
	static const char *const order[] = {
		"install local/key-next 600\n", "fsync local\n",
		"install keys/ID 444\n", "fsync keys\n",
		"write local/slot-", "fdatasync local/slot-",
		"install log/tile/0/", "fsync log/tile/0/",
		"install local/last-signed 600\n", "fsync local\n",
		"install keys/ID 444\n", "fsync keys\n",
		"install log/checkpoint 644\n", "fsync log\n",
		"rename local/key-next local/key\n", "fsync local\n",
	};
	struct pakhus *s = s_open(path, 0);
	const char *at;

	s_publish(s, "a", "1", 1);
	assert_done(pakhus_sync(s, &err));
	trace_at(path);
	pakhus_close(s);
	s = s_open(path, 0);
	trace_start();
	assert_done(pakhus_rotate(s, NULL, NULL, NULL, &err));
	trace_stop();
	calls = trace_text();
	at = calls;
	for (size_t i = 0; i < T_COUNT(order); i++) {
		at = strstr(at, order[i]);
		if (!at)
			print_error("no %s in its place:\n%s", order[i], calls);
		assert_non_null(at);
	}
	free(calls);
	pakhus_close(s);
	trace_at("");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_log_goes_on_with_another_key),
		T_IN_DIR(a_private_key_may_be_brought),
		T_IN_DIR(a_checkpoint_is_signed_anew),
		T_IN_DIR(a_log_has_at_most_64_keys),
		T_IN_DIR(a_key_that_is_not_in_force_signs_nothing),
		T_IN_DIR(an_altered_rotation_is_told),
		T_IN_DIR(who_has_an_old_private_key_only_reads),
		T_IN_DIR(who_had_it_open_goes_on_with_the_new_key),
		T_IN_DIR(threads_rotate_one_after_the_other),
		T_IN_DIR(a_rotation_that_was_killed_is_ended_or_never_was),
		T_IN_DIR(a_rotation_that_ended_within_a_write),
		T_IN_DIR(another_process_ends_a_rotation),
		T_IN_DIR(the_next_key_is_durable_before_its_entry),
	};

	trace_in_memory();
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

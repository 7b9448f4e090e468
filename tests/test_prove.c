/* test_prove.c - proofs that a store gives, and that nothing else is
 * believed.
 *
 * wrap: time
 */
#include "t.h"
#include "stores.h"
#include "biglog.h"
#include "proof.h"

#include <time.h>

/* Later by so much: partial tiles are old when they are pruned. */
static time_t ahead;

time_t __real_time(time_t *out);
time_t __wrap_time(time_t *out);
time_t __wrap_time(time_t *out)
{
	time_t now = __real_time(NULL) + ahead;

	if (out)
		*out = now;
	return now;
}

static char *key_of(struct pakhus *s)
{
	struct pakhus_stat st;

	assert_done(pakhus_stat(s, 0, &st, &err));
	return s_text("%s", st.key);
}

/* A proof with the key of its store. */
struct sample {
	char *text, *key;
	size_t size;
};

static void drop(struct sample *p)
{
	pakhus_free(p->text);
	free(p->key);
}

static void prove_at(struct pakhus *s, uint64_t seq, struct sample *p)
{
	p->key = key_of(s);
	assert_done(pakhus_prove_at(s, seq, &p->text, &p->size, &err));
	assert_int_equal(p->text[p->size], '\0');
	assert_true(p->size < 32768);
}

static struct pakhus_proof checked(const struct sample *p)
{
	struct pakhus_proof out;

	assert_done(pakhus_check_proof(p->text, p->size, p->key, &out, &err));
	return out;
}

static void assert_refused(const struct sample *p, const char *text,
			   size_t size, const char *why)
{
	struct pakhus_proof out;
	char *exact = (char *)t_exact(text, size);

	assert_status(pakhus_check_proof(exact, size, p->key, &out, &err),
		      PAKHUS_ECORRUPT);
	if (!strstr(err.text, why)) {
		print_error("expected %s in %s\n", why, err.text);
		fail();
	}
	free(exact);
}

static void a_version_is_proven(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_record r = s_publish(s, "a", "1", 1);
	struct pakhus_proof out;
	struct sample p;

	s_publish(s, "a", "2", 2);
	s_publish(s, "b", "1", 3);
	p.key = key_of(s);
	assert_done(pakhus_prove(s, "a", "1", &p.text, &p.size, &err));
	out = checked(&p);
	assert_string_equal(out.entry.op, "publish");
	assert_string_equal(out.entry.id, "a");
	assert_string_equal(out.entry.version, "1");
	assert_string_equal(out.entry.hash, r.hash);
	assert_string_equal(out.entry.by, "test");
	assert_int_equal(out.entry.seq, r.seq);
	assert_int_equal(out.entry.manifest_size, r.manifest_size);
	assert_int_equal(out.entries, 4);
	assert_true(out.time_us >= out.entry.time_us);
	assert_int_equal(strlen(out.time), 19);
	assert_memory_equal(out.origin, p.key, strlen(out.origin));
	drop(&p);
	p.key = key_of(s);
	assert_done(pakhus_prove(s, "a", NULL, &p.text, &p.size, &err));
	assert_string_equal(checked(&p).entry.version, "2");
	drop(&p);
	pakhus_close(s);
}

/* The key, a deletion, what was published over: all that happened. */
static void every_entry_is_proven(void **state)
{
	static const char *const op[] = { "key", "publish", "publish",
					  "delete" };
	struct pakhus *s = fresh(state);
	struct sample p;

	s_publish(s, "a", "1", 1);
	s_publish(s, "a", "1", 2);
	s_delete(s, "a", "1");
	for (uint64_t i = 0; i < T_COUNT(op); i++) {
		prove_at(s, i, &p);
		assert_string_equal(checked(&p).entry.op, op[i]);
		assert_int_equal(checked(&p).entry.seq, i);
		drop(&p);
	}
	assert_status(pakhus_prove_at(s, 4, &p.text, &p.size, &err),
		      PAKHUS_ENOTFOUND);
	assert_status(pakhus_prove_at(s, UINT64_MAX, &p.text, &p.size, &err),
		      PAKHUS_ENOTFOUND);
	assert_status(pakhus_prove(s, "a", NULL, &p.text, &p.size, &err),
		      PAKHUS_ENOTFOUND);
	assert_status(pakhus_prove(s, "", NULL, &p.text, &p.size, &err),
		      PAKHUS_ENOTFOUND);
	pakhus_close(s);
}

static void what_is_not_in_the_tree_is_moved_there(void **state)
{
	struct pakhus_stat st;
	struct pakhus *s = fresh(state);
	char *path = s_text("%s/s", (char *)*state);
	struct pakhus *reader = s_open(path, PAKHUS_READONLY);
	struct sample p;

	s_publish(s, "a", "1", 1);
	assert_status(pakhus_prove(reader, "a", "1", &p.text, &p.size, &err),
		      PAKHUS_ENOTFOUND);
	assert_non_null(strstr(err.text, "not in the signed tree yet"));
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_int_equal(st.checkpoint, 1);
	prove_at(s, 1, &p);
	assert_done(pakhus_stat(s, 0, &st, &err));
	assert_int_equal(st.checkpoint, 2);
	drop(&p);
	prove_at(reader, 1, &p);
	assert_int_equal(checked(&p).entry.seq, 1);
	drop(&p);
	pakhus_close(reader);
	pakhus_close(s);
	free(path);
}

/* A mirror has no local/, and proves all the same. */
static void a_mirror_proves(void **state)
{
	struct pakhus *s = fresh(state);
	char *path = s_text("%s/s", (char *)*state);
	char *command = s_text("rm -r %s/local", path);
	struct sample p;

	s_publish(s, "a", "1", 1);
	pakhus_close(s);
	assert_int_equal(system(command), 0);
	s = s_open(path, 0);
	p.key = key_of(s);
	assert_done(pakhus_prove(s, "a", "1", &p.text, &p.size, &err));
	assert_string_equal(checked(&p).entry.id, "a");
	drop(&p);
	pakhus_close(s);
	free(command);
	free(path);
}

/* What a flipped bit can be in is signed, hashed, or refused for its form:
 * all but a signature line of somebody else, of which there is none. */
static void no_flipped_bit_is_believed(void **state) /* F-70, F-71 */
{
	struct pakhus *s = fresh(state);
	struct sample p;

	for (unsigned i = 0; i < 5; i++)
		s_publish(s, "a", "1", i);
	prove_at(s, 3, &p);
	checked(&p);
	for (size_t bit = 0; bit < 8 * p.size; bit++) {
		p.text[bit / 8] ^= (char)(1 << bit % 8);
		assert_refused(&p, p.text, p.size, "");
		p.text[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < p.size; cut++)
		assert_refused(&p, p.text, cut, "");
	assert_refused(&p, "", 0, "not a proof: F-70");
	drop(&p);
	pakhus_close(s);
}

/* A proof with some parts of it replaced. */
static void assert_forged(const struct sample *p, void (*forge)(struct pk_proof *),
			  const char *why)
{
	struct pk_proof *proof = malloc(sizeof(*proof));
	char *text = malloc(PK_PROOF_TEXT);
	size_t n;

	assert_null(pk_proof_decode(p->text, p->size, proof));
	forge(proof);
	n = pk_proof_encode(proof, text);
	assert_refused(p, text, n, why);
	free(text);
	free(proof);
}

static void other_entry(struct pk_proof *p)
{
	char *at = memmem(p->entry, p->entry_size, "\"1\"", 3);

	at[1] = '9';
}

static void other_position(struct pk_proof *p)
{
	p->index--;
}

static void beyond(struct pk_proof *p)
{
	p->index = 6;
}

static void fewer_hashes(struct pk_proof *p)
{
	p->path.n--;
}

static void no_signature(struct pk_proof *p)
{
	static char note[] = "o\n1\nCsUYapGGPo4dkMgIAUqom/"
			     "Xajj7h2fB2MPA3j2jxq2I=\n\n"
			     "\xE2\x80\x94 o AAAAAAA=\n";

	p->note = (struct pk_bytes){ (unsigned char *)note, strlen(note) };
}

static void no_note(struct pk_proof *p)
{
	p->note.left = 10;
}

static void what_was_altered_is_told(void **state) /* F-71 */
{
	struct pakhus *s = fresh(state);
	struct sample p;

	for (unsigned i = 0; i < 5; i++)
		s_publish(s, "a", "1", i);
	prove_at(s, 3, &p);
	assert_forged(&p, other_entry, "F-71 the entry is not the log's");
	assert_forged(&p, other_position, "F-71 the entry is not the log's");
	assert_forged(&p, beyond, "F-71 position 6 is beyond the log");
	assert_forged(&p, fewer_hashes, "F-71 the entry is not the log's");
	assert_forged(&p, no_signature, "F-71 no key of a log signed");
	assert_forged(&p, no_note, "the checkpoint: F-34");
	drop(&p);
	pakhus_close(s);
}

static void who_signed_is_told(void **state) /* F-71 */
{
	struct pakhus_init_options opt = { .origin = "example.org/other" };
	struct pakhus *s = fresh(state), *other;
	char *path = s_text("%s/other", (char *)*state), *key;
	struct sample p;
	char *at;

	s_publish(s, "a", "1", 1);
	prove_at(s, 1, &p);
	assert_done(pakhus_init(path, &opt, &err));
	other = s_open(path, 0);
	key = p.key;
	p.key = key_of(other);
	assert_refused(&p, p.text, p.size, "signed the checkpoint, not "
					   "example.org/other+");
	assert_non_null(strstr(err.text, "F-71 pakhus.invalid/"));
	assert_non_null(strstr(err.text, "rotated"));
	/* the same key, and the text under it another */
	free(p.key);
	p.key = key;
	at = strstr(p.text, "\ntime ");
	at[6] = at[6] == '1' ? '2' : '1';
	assert_refused(&p, p.text, p.size, "is not over this checkpoint");
	drop(&p);
	pakhus_close(other);
	pakhus_close(s);
	free(path);
}

/* A log of one entry, its checkpoint signed by some keys, and the last one
 * of these to be trusted. */
static void forge(const char *line, const struct pk_signer *by, size_t n,
		  struct sample *p)
{
	struct pk_checkpoint c = { .size = 1, .time = 1 };
	AUTO_FREE struct pk_proof *proof = calloc(1, sizeof(*proof));
	AUTO(pk_sha_auto) struct pk_sha *sha = pk_sha_new();
	char note[2000];
	size_t text, size;

	proof->entry_size = strlen(line);
	memcpy(proof->entry, line, proof->entry_size);
	assert_int_equal(pk_leaf_hash(sha, line, strlen(line), c.root), 0);
	strcpy(c.origin, by->public.name);
	text = size = pk_checkpoint_encode(&c, note);
	note[size++] = '\n';
	for (size_t i = 0; i < n; i++) {
		struct pk_signature s;

		assert_done(pk_sign(&by[i], note, text, &s, &err));
		size += pk_signature_encode(&s, note + size);
	}
	proof->note = (struct pk_bytes){ (unsigned char *)note, size };
	p->text = malloc(PK_PROOF_TEXT);
	p->size = pk_proof_encode(proof, p->text);
	p->key = malloc(PK_VKEY_SIZE);
	pk_vkey_encode(&by[n - 1].public, p->key);
}

#define DELETED \
	"{\"op\":\"delete\",\"id\":\"a\",\"version\":\"1\",\"time\":1," \
	"\"by\":\"\"}"

/* As the checkpoint is at which a key was rotated. */
static void one_good_signature_is_enough(void **state) /* F-34, F-71 */
{
	struct pk_signer by[3];
	struct sample p;

	(void)state;
	for (size_t i = 0; i < T_COUNT(by); i++)
		assert_done(pk_signer_new("example.org/log", &by[i], &err));
	for (size_t n = 1; n <= T_COUNT(by); n++) {
		forge(DELETED, by, n, &p);
		assert_string_equal(checked(&p).entry.id, "a");
		pk_vkey_encode(&by[0].public, p.key);
		assert_int_equal(checked(&p).entries, 1);
		drop(&p);
	}
	/* the key is good, and of another log than the origin */
	assert_done(pk_signer_new("example.org/other", &by[0], &err));
	forge(DELETED, by, 2, &p);
	assert_refused(&p, p.text, p.size, "F-71 the checkpoint is of the log "
					   "example.org/other, not of "
					   "example.org/log");
	drop(&p);
}

static void what_is_signed_is_an_entry(void **state) /* F-71 */
{
	struct pakhus_proof out;
	struct pk_signer by;
	struct sample p;

	(void)state;
	assert_done(pk_signer_new("example.org/log", &by, &err));
	forge("{\"op\":\"dance\",\"time\":1,\"by\":\"\"}", &by, 1, &p);
	assert_status(pakhus_check_proof(p.text, p.size, p.key, &out, &err),
		      PAKHUS_EVERSION);
	drop(&p);
	forge("no entry", &by, 1, &p);
	assert_refused(&p, p.text, p.size, "the entry: F-2");
	drop(&p);
}

static void what_is_no_key_is_a_mistake(void **state)
{
	static const char *const bad[] = { "", "x", "a+b+c" };
	struct pakhus *s = fresh(state);
	struct pakhus_proof out;
	struct sample p;

	prove_at(s, 0, &p);
	for (size_t i = 0; i < T_COUNT(bad); i++)
		assert_status(pakhus_check_proof(p.text, p.size, bad[i], &out,
						 &err),
			      PAKHUS_EINVAL);
	p.key[strlen(p.key) - 10] ^= 1; /* the id is of another key */
	assert_status(pakhus_check_proof(p.text, p.size, p.key, &out, &err),
		      PAKHUS_EINVAL);
	drop(&p);
	pakhus_close(s);
}

static int publish_often(void *arg)
{
	struct pakhus *s = s_open(arg, 0);

	ahead = 7200;
	for (unsigned i = 0; i < s_scale(300, 100, 3000); i++) {
		s_publish(s, "a", "2", i);
		assert_done(pakhus_sync(s, &err));
	}
	pakhus_close(s);
	return 0;
}

/* Each new checkpoint takes the partial tiles of the one before away. */
static void who_proves_meets_a_publisher(void **state) /* F-33 */
{
	char *path = s_init(state, "s", 0);
	struct pakhus *s = s_open(path, 0);
	unsigned n = 0;
	int status;
	pid_t pid;

	s_publish(s, "a", "1", 1);
	pakhus_close(s);
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(publish_often(path));
	s = s_open(path, 0);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		struct sample p;

		prove_at(s, n++ % 2, &p);
		checked(&p);
		drop(&p);
	}
	assert_int_equal(status, 0);
	print_message("# %u proofs meanwhile\n", n);
	pakhus_close(s);
	free(path);
}

/* A proof from tiles that are damaged would be none. */
static void damaged_tiles_prove_nothing(void **state) /* F-39 */
{
	struct biglog b = { .entries = 300, .packages = 7 };
	char *path = s_init(state, "s", 0), *tile;
	struct pakhus *s;
	struct sample p;
	int fd;

	assert_done(biglog_make(path, &b, &err));
	s = s_open(path, 0);
	tile = s_text("%s/log/tile/0/001.p/44", path);
	prove_at(s, 5, &p);
	drop(&p);
	assert_int_equal(chmod(tile, 0644), 0);
	fd = open(tile, O_WRONLY);
	assert_int_equal(pwrite(fd, "damage", 6, 0), 6);
	close(fd);
	/* the siblings at the top are made of that tile */
	assert_status(pakhus_prove_at(s, 5, &p.text, &p.size, &err),
		      PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "F-39"));
	assert_int_equal(unlink(tile), 0);
	assert_status(pakhus_prove_at(s, 5, &p.text, &p.size, &err),
		      PAKHUS_ECORRUPT);
	assert_non_null(strstr(err.text, "is missing"));
	pakhus_close(s);
	free(tile);
	free(path);
}

static void a_hash_is_that_of_the_canonical_text(void **state)
{
	static const char loose[] =
		" { \"manifest\" : {\"id\":\"com.acme.crm\",\"name\":\"CRM\","
		"\"version\":\"1.0.0\",\"type\":\"app\"},"
		"\"metadata\":{\"objects\":[]} } ";
	char hash[PAKHUS_HASH_HEX + 1];

	(void)state;
	assert_done(pakhus_hash(loose, strlen(loose), hash, &err));
	assert_string_equal(hash, "fa8f399fd6b41ef330d7ff4e4c5422a350cd4566f44"
				  "eadd7f065b4f5c0b6276a");
	assert_status(pakhus_hash("{}", 2, hash, &err), PAKHUS_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_IN_DIR(a_version_is_proven),
		T_IN_DIR(every_entry_is_proven),
		T_IN_DIR(what_is_not_in_the_tree_is_moved_there),
		T_IN_DIR(a_mirror_proves),
		T_IN_DIR(no_flipped_bit_is_believed),
		T_IN_DIR(what_was_altered_is_told),
		T_IN_DIR(who_signed_is_told),
		cmocka_unit_test(one_good_signature_is_enough),
		cmocka_unit_test(what_is_signed_is_an_entry),
		T_IN_DIR(what_is_no_key_is_a_mistake),
		T_IN_DIR(who_proves_meets_a_publisher),
		T_IN_DIR(damaged_tiles_prove_nothing),
		cmocka_unit_test(a_hash_is_that_of_the_canonical_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

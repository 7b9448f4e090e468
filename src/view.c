#include "store.h"
#include "hex.h"
#include "objpath.h"

#include <time.h>

/* Without local/ the index is in memory and follows the checkpoint, which
 * is looked at again by every call. */
static int follow(struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	struct pk_checkpoint now;
	int rc = pk_keys_checkpoint(env, 0, &now, err);

	if (rc)
		return rc;
	pthread_rwlock_rdlock(&env->use);
	if (now.size == env->checkpoint.size) {
		/* nothing to apply: whether the right key signed it anew */
		rc = pk_replay(s, env->index, &now, err);
		if (!rc)
			return 0;
	}
	pthread_rwlock_unlock(&env->use);
	if (rc)
		return rc;
	pthread_rwlock_wrlock(&env->use);
	if (now.size > env->checkpoint.size)
		rc = pk_replay(s, env->index, &now, err);
	if (!rc && now.size > env->checkpoint.size)
		env->checkpoint = now;
	pthread_rwlock_unlock(&env->use);
	if (!rc)
		pthread_rwlock_rdlock(&env->use);
	return rc;
}

/* The index is behind only where a sync went well and applying did not. */
static int catch_up(struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	PK_HELD held = { NULL, 0 };
	int rc = pk_hold(&held, &env->locks, PK_LOCK_COMMIT, err);

	return rc ? rc
		  : pk_apply_journal(s, env->index,
				     atomic_load(&env->journal.page->durable),
				     err);
}

int pk_view_begin(struct pk_view *v, struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	uint64_t durable;
	int rc;

	if (!pk_is_current(env))
		return pk_fail_replaced(err);
	durable = env->has_local ? atomic_load(&env->journal.page->durable)
				 : env->checkpoint.size;
	rc = pk_txn_read(&v->txn, env->index, err);
	if (!rc && v->txn.stamp.applied < durable) {
		pk_txn_end(&v->txn);
		rc = catch_up(s, err);
		if (!rc)
			rc = pk_txn_read(&v->txn, env->index, err);
	}
	return rc;
}

int pk_view_open(struct pk_view *v, struct pakhus *s, struct pakhus_error *err)
{
	for (;;) {
		int rc = s->env->has_local ? pk_use(s->env, err)
					   : follow(s, err);

		if (rc)
			return rc;
		v->store = s;
		rc = pk_view_begin(v, s, err);
		if (rc)
			pk_view_close(v);
		if (rc != PK_REPLACED)
			return rc;
		pk_error_init(err);
	}
}

int pk_view_try(struct pk_view *v, struct pakhus *s, struct pakhus_error *err)
{
	struct pk_env *env = s->env;
	int rc = PAKHUS_EBUSY;

	if (!env->has_local || pthread_rwlock_tryrdlock(&env->use))
		return rc;
	v->store = s;
	if (pk_is_current(env))
		rc = pk_txn_read(&v->txn, env->index, err);
	if (!rc && v->txn.stamp.applied <
			   atomic_load(&env->journal.page->durable))
		rc = PAKHUS_EBUSY;
	if (rc)
		pk_view_close(v);
	return rc;
}

void pk_view_close(struct pk_view *v)
{
	pk_txn_end(&v->txn);
	if (v->store)
		pthread_rwlock_unlock(&v->store->env->use);
	v->store = NULL;
}

/* ---- texts ---- */

/* An object that goes is followed by what it is made against: who meets that
 * half way finds it gone, if he looks again. */
static int object_text(struct pakhus *s, const unsigned char *hash,
		       struct pk_shared **out, struct pakhus_error *err)
{
	int dir = s->env->dir;
	int rc = pk_object_read(dir, s->cache, &s->kept, hash, out, err);

	if (rc != PAKHUS_ECORRUPT)
		return rc;
	pk_error_init(err);
	return pk_object_read(dir, s->cache, &s->kept, hash, out, err);
}

/* A text that lies in the journal; NULL where it does not any more. */
static int journal_text(struct pk_view *v, struct pakhus *s,
			const unsigned char *hash, struct pk_location *at,
			struct pk_shared **out, struct pakhus_error *err)
{
	int rc = pk_index_location(&v->txn, hash, at, err);
	char *text;

	*out = NULL;
	if (rc != 1)
		return rc;
	rc = pk_journal_text(&s->env->journal, at, &text, err);
	if (rc)
		return rc;
	if (text) {
		*out = pk_shared_new(text, at->size);
		if (!*out)
			return pk_fail_nomem(err);
	}
	return 1;
}

int pk_text(struct pk_view *v, const unsigned char hash[PK_HASH_SIZE],
	    struct pk_shared **out, struct pakhus_error *err)
{
	struct pakhus *s = v->store;
	struct pk_location first = { .slot = 0 }, again = { .slot = 0 };
	int rc;

	*out = pk_cache_get(s->cache, hash);
	if (*out)
		return 0;
	if (!s->env->has_local)
		return object_text(s, hash, out, err);
	rc = journal_text(v, s, hash, &first, out, err);
	if (rc == 1 && !*out) {
		/* integrated since the view was opened: a new one knows */
		PK_VIEW now = PK_VIEW_INIT;

		if (!pk_is_current(s->env))
			return pk_fail_replaced(err);
		rc = pk_txn_read(&now.txn, s->env->index, err);
		if (!rc)
			rc = journal_text(&now, s, hash, &again, out, err);
		if (rc == 1 && !*out && first.offset == again.offset &&
		    !memcmp(first.generation, again.generation,
			    PK_GENERATION_SIZE))
			return pk_fail(err, PAKHUS_ECORRUPT,
				       "local/slot-%u at %llu: F-58 the text "
				       "is damaged",
				       first.slot,
				       (unsigned long long)first.offset);
		if (rc == 1 && !*out)
			return pk_fail(err, PAKHUS_EBUSY,
				       "a text moved while it was read");
	}
	if (rc == 1)
		pk_cache_put(s->cache, hash, *out);
	return rc < 0 ? rc : rc ? 0 : object_text(s, hash, out, err);
}

int pk_has_moved(struct pk_view *v)
{
	struct pk_env *env = v->store->env;
	struct pk_checkpoint now;

	if (env->has_local)
		return atomic_load(&env->journal.page->durable) >
		       v->txn.stamp.applied;
	return !pk_keys_checkpoint(env, 0, &now, NULL) &&
	       now.size > v->txn.stamp.applied;
}

/* ---- entries ---- */

/* Entries that are not in the log yet, from the slots. */
static int journal_entries(struct pakhus *s, uint64_t from, uint64_t to,
			   pk_log_fn *fn, void *arg, uint64_t *reached,
			   struct pakhus_error *err)
{
	struct pk_journal *j = &s->env->journal;
	struct pk_cursor c;

	pk_journal_cursor(j, &c);
	for (int active = !c.has_sealed; active < 2; active++) {
		AUTO(pk_reading_release) struct pk_reading r = {
			.slot = active ? c.slot : !c.slot,
			.end = active ? c.end : c.sealed_end,
		};
		int rc;

		while ((rc = pk_reading_next(j, &r, err)) == 1) {
			struct pk_bytes b = { r.payload, r.record.payload };
			struct pk_bytes line;
			uint64_t seq = r.record.seq;

			for (uint32_t i = 0; i < r.record.entries; i++, seq++) {
				pk_bundle_next(&b, &line);
				if (seq != *reached || seq < from || seq >= to)
					continue;
				rc = fn(arg, seq, (const char *)line.at,
					line.left);
				if (rc)
					return rc;
				++*reached;
			}
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

int pk_entries(struct pk_view *v, uint64_t from, uint64_t to, pk_log_fn *fn,
	       void *arg, struct pakhus_error *err)
{
	struct pakhus *s = v->store;
	struct pk_env *env = s->env;

	/* integrating may move entries on while they are looked for */
	for (int tries = 0; from < to && tries < 100; tries++) {
		struct pk_checkpoint c;
		int rc;

		if (env->has_local) {
			struct pakhus_error moved = { .status = 0 };

			c.size = atomic_load(&env->journal.page->checkpoint);
			if (from >= c.size) {
				rc = journal_entries(s, from, to, fn, arg,
						     &from, &moved);
				if (rc && rc != PAKHUS_ECORRUPT) {
					if (err && moved.status)
						*err = moved;
					return rc;
				}
				continue;
			}
		} else {
			c = env->checkpoint;
		}
		rc = pk_log_read(env->dir, c.size, from,
				 to < c.size ? to : c.size, fn, arg, err);
		if (rc)
			return rc;
		from = to < c.size ? to : c.size;
	}
	return from >= to ? 0
			  : pk_fail(err, PAKHUS_ECORRUPT,
				    "log entry %llu: F-57 neither in the log "
				    "nor in the journal",
				    (unsigned long long)from);
}

struct decode {
	struct pk_entry *out;
	struct pakhus_error *err;
};

static int decode_entry(void *arg, uint64_t seq, const char *line, size_t size)
{
	struct decode *d = arg;
	const char *fault = pk_entry_decode(line, size, d->out);

	if (!fault)
		return 0;
	return pk_fail(d->err,
		       fault == pk_entry_newer ? PAKHUS_EVERSION
					       : PAKHUS_ECORRUPT,
		       "log entry %llu: %s", (unsigned long long)seq, fault);
}

int pk_fail_no_entry(const struct pk_view *v, uint64_t seq,
		     struct pakhus_error *err)
{
	return pk_fail(err, PAKHUS_ENOTFOUND,
		       "the log has no entry %llu; it holds %llu",
		       (unsigned long long)seq,
		       (unsigned long long)v->txn.stamp.applied);
}

int pk_entry_at(struct pk_view *v, uint64_t seq, struct pk_entry *out,
		struct pakhus_error *err)
{
	struct decode d = { out, err };

	if (seq >= v->txn.stamp.applied)
		return pk_fail_no_entry(v, seq, err);
	return pk_entries(v, seq, seq + 1, decode_entry, &d, err);
}

/* ---- records ---- */

uint64_t pk_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (t.tv_sec < 0)
		return 0;
	if (t.tv_sec >= (time_t)(PK_TIME_MAX / 1000000))
		return PK_TIME_MAX;
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void two_digits(char *out, unsigned v)
{
	out[0] = (char)('0' + v / 10 % 10);
	out[1] = (char)('0' + v % 10);
}

/* By hand: strftime looks up the time zone, in a file the first time, and
 * took a fifth of a read of what is cached. */
void pk_time_text(uint64_t us, char out[20])
{
	uint64_t all = us / 1000000;
	/* days since 0000-03-01, in eras of 400 years, which are alike */
	unsigned days = (unsigned)(all / 86400) + 719468;
	unsigned second = (unsigned)(all % 86400);
	unsigned day = days % 146097;
	unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	unsigned month; /* from March on */

	out[0] = '\0';
	if (all > UINT64_C(253402300799))
		return; /* beyond the year 9999 */
	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	year += days / 146097 * 400 + (month >= 10);
	memcpy(out, "0000-00-00 00:00:00", 20);
	two_digits(out, year / 100);
	two_digits(out + 2, year);
	two_digits(out + 5, month < 10 ? month + 3 : month - 9);
	two_digits(out + 8, day + 1);
	two_digits(out + 11, second / 3600);
	two_digits(out + 14, second / 60 % 60);
	two_digits(out + 17, second % 60);
}

static void copy_text(char *out, size_t cap, const char *text)
{
	size_t n = strnlen(text, cap - 1);

	memcpy(out, text, n);
	out[n] = '\0';
}

void pk_record_fill(struct pakhus_record *r, const char *id,
		    const char *version, const struct pk_live *live)
{
	copy_text(r->id, sizeof(r->id), id);
	copy_text(r->version, sizeof(r->version), version);
	pk_hex(live->hash, PK_HASH_SIZE, r->hash);
	r->manifest_size = live->manifest_size;
	r->metadata_size = live->metadata_size;
	r->created_us = live->created;
	r->updated_us = live->updated;
	pk_time_text(live->created, r->created_at);
	pk_time_text(live->updated, r->updated_at);
	r->seq = live->seq;
	r->place = live->place;
}

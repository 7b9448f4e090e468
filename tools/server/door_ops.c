/* door_ops.c - what those ask who keep the server running. */
#include <time.h>

#include "exchange.h"
#include "metrics.h"
#include "state.h"

static void livez(struct exchange *x)
{
	struct text t = {0};

	put_open(&t, '{');
	put_pair(&t, "status", "alive");
	put_close(&t, '}');
	reply_json(x, 200, &t);
}

/* Whether requests should be sent here; words and no details: everybody may
 * ask. */
static void readyz(struct exchange *x)
{
	struct server *s = x->server;
	struct pakhus_stat st;
	struct text t = {0}, reasons = {0};
	int is_ready;

	put_open(&reasons, '[');
	if (atomic_load(&s->is_draining))
		put_string(&reasons, "the server is ending");
	if (atomic_load(&s->has_sync_failed))
		put_string(&reasons, "the last sync of the store failed");
	if (pakhus_stat(s->store, 0, &st, NULL))
		put_string(&reasons, "the store cannot be read");
	is_ready = reasons.size == 1;
	put_close(&reasons, ']');
	put_open(&t, '{');
	put_pair(&t, "status", is_ready ? "ready" : "not ready");
	if (!is_ready) {
		put_key(&t, "reasons");
		put_raw(&t, reasons.data, reasons.size);
	}
	put_close(&t, '}');
	t.is_failed |= reasons.is_failed;
	text_free(&reasons);
	reply_field(x->reply, "Cache-Control", "no-store");
	reply_json(x, is_ready ? 200 : 503, &t);
}

/* ---- metrics ---- */

static const char *pattern(size_t i)
{
	return route_at(i)->pattern;
}

static void put_store(struct server *s, struct text *t)
{
	struct pakhus_stat st;
	int is_readable = !pakhus_stat(s->store, 0, &st, NULL);
	uint64_t synced = atomic_load(&s->synced_at);

	metrics_put_one(t, "pakhus_store_readable", "gauge",
			"Whether the store can be read.", is_readable);
	metrics_put_one(t, "pakhus_store_last_sync_failed", "gauge",
			"Whether the last move into the tree that mirrors copy "
			"failed.", atomic_load(&s->has_sync_failed));
	metrics_put_one(t, "pakhus_store_unsynced", "gauge",
			"Whether something published is not in that tree yet.",
			atomic_load(&s->is_dirty));
	if (synced)
		metrics_put_one(t, "pakhus_store_seconds_since_sync", "gauge",
				"Since the last such move that succeeded.",
				difftime(time(NULL), (time_t)synced));
	if (!is_readable)
		return;
	metrics_put_one(t, "pakhus_store_entries", "gauge",
			"Durable entries of the log.", (double)st.entries);
	metrics_put_one(t, "pakhus_store_checkpoint_entries", "gauge",
			"Entries that the signed checkpoint covers.",
			(double)st.checkpoint);
	metrics_put_one(t, "pakhus_store_packages", "gauge",
			"Live packages.", (double)st.packages);
	metrics_put_one(t, "pakhus_store_versions", "gauge",
			"Live versions.", (double)st.versions);
	metrics_put_one(t, "pakhus_store_journal_bytes", "gauge",
			"Bytes in the journals, not yet in the tree.",
			(double)st.journal_bytes);
	metrics_put_one(t, "pakhus_store_index_bytes", "gauge",
			"Bytes of the index.", (double)st.index_bytes);
}

static void metrics(struct exchange *x)
{
	const struct server *s = x->server;
	struct text t = {0};

	if (!s->opt.is_metrics_public && s->opt.anonymous != ANONYMOUS_ALL &&
	    !caller_must(x, SCOPE_ADMIN, NULL))
		return;
	text_printf(&t, "# HELP pakhus_build_info What is running.\n"
		    "# TYPE pakhus_build_info gauge\n"
		    "pakhus_build_info{version=\"%s\"} 1\n", pakhus_version());
	metrics_put(s->metrics, &t, pattern);
	put_store(x->server, &t);
	metrics_put_one(&t, "process_start_time_seconds", "gauge",
			"When the server began, in seconds since 1970.",
			(double)s->started_at);
	metrics_put_process(&t);
	reply_field(x->reply, "Cache-Control", "no-store");
	if (t.is_failed) {
		reply_json(x, 503, &t);
		return;
	}
	reply_bytes(x, 200, "text/plain; version=0.0.4; charset=utf-8", t.data,
		    t.size);
}

const struct route ops_routes[] = {
	{HTTP_GET, "/livez", livez, SCOPE_PROBE, 0},
	{HTTP_GET, "/readyz", readyz, SCOPE_PROBE, 0},
	{HTTP_GET, "/metrics", metrics, SCOPE_NONE, 0},
	{0},
};

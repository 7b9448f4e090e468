#include "keyring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fail.h"
#include "tokens_file.h"

enum { LOOK_MS = 1000 };

struct tokens_shared {
	struct tokens *tokens;
	atomic_size_t holders;
};

struct keyring {
	char *path;
	keyring_notice_fn *notice;
	void *arg;
	atomic_ullong look_at; /* the time of the next look */
	pthread_mutex_t reading; /* of the file; guards the next three */
	struct stat stamp;
	int is_fresh; /* the file may change again with the same stamp */
	char told[sizeof(((struct pakhus_error *)0)->text)];
	pthread_mutex_t lock; /* guards current, and is held for a moment */
	struct tokens_shared *current;
};

static void drop(struct tokens_shared *shared)
{
	if (!shared || atomic_fetch_sub(&shared->holders, 1) != 1)
		return;
	tokens_free(shared->tokens);
	free(shared);
}

static void tell(struct keyring *ring, const char *text)
{
	if (ring->notice && strcmp(ring->told, text) != 0)
		ring->notice(ring->arg, text);
	snprintf(ring->told, sizeof(ring->told), "%s", text);
}

/* A write within the clock's last tick or two would leave the stamp as it is:
 * such a file is read again at the next look. */
static int is_fresh(const struct stat *st)
{
	time_t now = time(NULL);

	return now - st->st_mtime < 2 && st->st_mtime - now < 2;
}

static int is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
		a->st_size == b->st_size && a->st_mode == b->st_mode &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
		a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
		a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* With ring->reading held. */
static int read_again(struct keyring *ring, struct pakhus_error *err)
{
	struct tokens_shared *fresh = calloc(1, sizeof(*fresh)), *old;
	char note[sizeof(ring->told)];
	int rc;

	if (!fresh)
		return server_fail_nomem(err);
	rc = tokens_read(ring->path, &fresh->tokens, &ring->stamp, err);
	if (rc) {
		free(fresh);
		return rc;
	}
	ring->is_fresh = is_fresh(&ring->stamp);
	atomic_init(&fresh->holders, 1);
	pthread_mutex_lock(&ring->lock);
	old = ring->current;
	ring->current = fresh;
	pthread_mutex_unlock(&ring->lock);
	drop(old);
	if (tokens_is_exposed(&ring->stamp)) {
		snprintf(note, sizeof(note), "others than its owner may read "
			 "or write %s: chmod 600 it", ring->path);
		tell(ring, note);
	} else {
		*ring->told = '\0';
	}
	return 0;
}

int keyring_reload(struct keyring *ring, struct pakhus_error *err)
{
	int rc;

	pthread_mutex_lock(&ring->reading);
	rc = read_again(ring, err);
	pthread_mutex_unlock(&ring->reading);
	return rc;
}

/* What fails here is told, and the tokens stay. */
static void look(struct keyring *ring)
{
	char note[sizeof(ring->told)];
	struct pakhus_error err = {0};
	struct stat st;

	if (pthread_mutex_trylock(&ring->reading))
		return; /* it is being read */
	if (ring->is_fresh || stat(ring->path, &st) ||
	    !is_same(&st, &ring->stamp)) {
		if (read_again(ring, &err)) {
			snprintf(note, sizeof(note), "the tokens stay as they "
				 "were: %.400s", err.text);
			tell(ring, note);
		}
	}
	pthread_mutex_unlock(&ring->reading);
}

struct tokens_held keyring_hold(struct keyring *ring, uint64_t now_ms)
{
	unsigned long long due = atomic_load(&ring->look_at);
	struct tokens_held held;

	if (now_ms >= due &&
	    atomic_compare_exchange_strong(&ring->look_at, &due,
					   now_ms + LOOK_MS))
		look(ring);
	pthread_mutex_lock(&ring->lock);
	held.shared = ring->current;
	atomic_fetch_add(&held.shared->holders, 1);
	pthread_mutex_unlock(&ring->lock);
	held.tokens = held.shared->tokens;
	return held;
}

void keyring_let_go(struct tokens_held held)
{
	drop(held.shared);
}

int keyring_open(struct keyring **out, const char *path,
		 keyring_notice_fn *notice, void *arg,
		 struct pakhus_error *err)
{
	struct keyring *ring = calloc(1, sizeof(*ring));
	int rc;

	if (!ring || !(ring->path = strdup(path))) {
		free(ring);
		return server_fail_nomem(err);
	}
	ring->notice = notice;
	ring->arg = arg;
	pthread_mutex_init(&ring->reading, NULL);
	pthread_mutex_init(&ring->lock, NULL);
	rc = keyring_reload(ring, err);
	if (rc)
		keyring_close(ring);
	else
		*out = ring;
	return rc;
}

void keyring_close(struct keyring *ring)
{
	if (!ring)
		return;
	drop(ring->current);
	pthread_mutex_destroy(&ring->reading);
	pthread_mutex_destroy(&ring->lock);
	free(ring->path);
	free(ring);
}

#include "proof.h"
#include "auto.h"

/* Positions from..to-1: a node of the tree, whose size is a power of two
 * unless it stands at the right edge. */
struct range {
	uint64_t from, to;
};

/* Of the entries of a node, how many are below its left child: the greatest
 * power of two that is less than all of them, of which there are 2 or more. */
static uint64_t left_of(struct range r)
{
	return UINT64_C(1) << (63 - __builtin_clzll(r.to - r.from - 1));
}

/* The hash of a node: that of its complete subtrees, the smallest of which
 * stands rightmost. */
static int node_of(struct pk_hashes *h, struct range r,
		   unsigned char out[PK_HASH_SIZE], struct pakhus_error *err)
{
	struct pk_edge e = { .size = r.to - r.from };
	uint64_t end = r.to;
	int rc;

	for (unsigned j = 0; j < 64; j++) {
		if (!(e.size >> j & 1))
			continue;
		end -= UINT64_C(1) << j;
		rc = pk_log_subtree(h, j, end >> j, e.hash[j], err);
		if (rc)
			return rc;
	}
	return pk_edge_root(&e, h->sha, out) ? pk_fail_nomem(err) : 0;
}

/* The hashes of nodes that were found from the root down, from the last one
 * up, as they are used. */
static int path_of(int dir, struct pk_sha *sha, const struct range *node,
		   size_t n, uint64_t of, struct pk_path *out,
		   struct pakhus_error *err)
{
	AUTO(pk_hashes_release) struct pk_hashes h = { dir, sha, of, NULL, 0,
						       0 };
	int rc = 0;

	out->n = n;
	for (size_t i = 0; i < n && !rc; i++)
		rc = node_of(&h, node[n - 1 - i], out->hash[i], err);
	return rc;
}

int pk_inclusion(int dir, struct pk_sha *sha, uint64_t index, uint64_t size,
		 uint64_t of, struct pk_path *out, struct pakhus_error *err)
{
	struct range node[PK_PATH_MAX], at = { 0, size };
	size_t n = 0;

	while (at.to - at.from > 1) {
		uint64_t middle = at.from + left_of(at);

		if (index < middle) {
			node[n++] = (struct range){ middle, at.to };
			at.to = middle;
		} else {
			node[n++] = (struct range){ at.from, middle };
			at.from = middle;
		}
	}
	return path_of(dir, sha, node, n, of, out, err);
}

int pk_consistency(int dir, struct pk_sha *sha, uint64_t from, uint64_t to,
		   uint64_t of, struct pk_path *out, struct pakhus_error *err)
{
	struct range node[PK_PATH_MAX], at = { 0, to };
	size_t n = 0;

	while (at.to != from) {
		uint64_t middle = at.from + left_of(at);

		if (from <= middle) {
			node[n++] = (struct range){ middle, at.to };
			at.to = middle;
		} else {
			node[n++] = (struct range){ at.from, middle };
			at.from = middle;
		}
	}
	if (at.from) /* else it is the root that the checker has */
		node[n++] = at;
	return path_of(dir, sha, node, n, of, out, err);
}

/* ---- checking ---- */

/* A node on the way up, and the last one of its level. */
struct climb {
	uint64_t at, last;
};

static void up(struct climb *c)
{
	c->at >>= 1;
	c->last >>= 1;
}

/* Whether the next hash is of the left neighbour; then the levels in which
 * there is none to the right are passed over. */
static int is_right(struct climb *c)
{
	int right = c->at & 1 || c->at == c->last;

	if (right)
		while (c->at && !(c->at & 1))
			up(c);
	up(c);
	return right;
}

int pk_check_inclusion(struct pk_sha *sha,
		       const unsigned char leaf[PK_HASH_SIZE], uint64_t index,
		       uint64_t size, const unsigned char root[PK_HASH_SIZE],
		       const struct pk_path *path)
{
	struct climb c = { index, size - 1 };
	unsigned char r[PK_HASH_SIZE];

	if (index >= size)
		return 0;
	memcpy(r, leaf, PK_HASH_SIZE);
	for (size_t i = 0; i < path->n; i++) {
		const unsigned char *p = path->hash[i];

		if (!c.last)
			return 0;
		if (is_right(&c) ? pk_node_hash(sha, p, r, r)
				 : pk_node_hash(sha, r, p, r))
			return -1;
	}
	return !c.last && !memcmp(r, root, PK_HASH_SIZE);
}

int pk_check_consistency(struct pk_sha *sha, uint64_t from,
			 const unsigned char first[PK_HASH_SIZE], uint64_t to,
			 const unsigned char second[PK_HASH_SIZE],
			 const struct pk_path *path)
{
	struct climb c = { from - 1, to - 1 };
	unsigned char a[PK_HASH_SIZE], b[PK_HASH_SIZE];
	size_t i = 0;

	if (!from || from > to)
		return 0;
	if (from == to)
		return !path->n && !memcmp(first, second, PK_HASH_SIZE);
	while (c.at & 1)
		up(&c);
	/* a tree whose size is a power of two is a node of the other itself */
	if (c.at && !path->n)
		return 0;
	memcpy(a, c.at ? path->hash[i++] : first, PK_HASH_SIZE);
	memcpy(b, a, PK_HASH_SIZE);
	for (; i < path->n; i++) {
		const unsigned char *p = path->hash[i];

		if (!c.last)
			return 0;
		if (!is_right(&c)) {
			if (pk_node_hash(sha, b, p, b))
				return -1;
		} else if (pk_node_hash(sha, p, a, a) ||
			   pk_node_hash(sha, p, b, b)) {
			return -1;
		}
	}
	return !c.last && !memcmp(a, first, PK_HASH_SIZE) &&
	       !memcmp(b, second, PK_HASH_SIZE);
}

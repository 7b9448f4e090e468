#include "merkle.h"

int pk_leaf_hash(struct pk_sha *sha, const void *entry, size_t size,
		 unsigned char out[PK_HASH_SIZE])
{
	static const unsigned char leaf = 0;
	struct pk_bytes part[] = { { &leaf, 1 }, { entry, size } };

	return pk_sha_of(sha, part, 2, out) ? 1 : 0;
}

int pk_node_hash(struct pk_sha *sha, const unsigned char left[PK_HASH_SIZE],
		 const unsigned char right[PK_HASH_SIZE],
		 unsigned char out[PK_HASH_SIZE])
{
	unsigned char buf[1 + 2 * PK_HASH_SIZE] = { 1 };
	struct pk_bytes part = { buf, sizeof(buf) };

	memcpy(buf + 1, left, PK_HASH_SIZE);
	memcpy(buf + 1 + PK_HASH_SIZE, right, PK_HASH_SIZE);
	return pk_sha_of(sha, &part, 1, out) ? 1 : 0;
}

int pk_edge_add(struct pk_edge *e, struct pk_sha *sha,
		const unsigned char leaf[PK_HASH_SIZE], pk_node_fn *node,
		void *arg)
{
	unsigned char hash[PK_HASH_SIZE];
	unsigned j = 0;

	memcpy(hash, leaf, PK_HASH_SIZE);
	for (;; j++) {
		int rc = j % 8 || !node ? 0 : node(arg, j, hash);

		if (rc)
			return rc;
		if (!(e->size >> j & 1))
			break;
		if (pk_node_hash(sha, e->hash[j], hash, hash))
			return 1;
	}
	memcpy(e->hash[j], hash, PK_HASH_SIZE);
	e->size++;
	return 0;
}

int pk_edge_root(const struct pk_edge *e, struct pk_sha *sha,
		 unsigned char out[PK_HASH_SIZE])
{
	int first = 1;

	if (!e->size)
		return pk_sha_of(sha, NULL, 0, out) ? 1 : 0;
	for (unsigned j = 0; j < 64; j++) {
		if (!(e->size >> j & 1))
			continue;
		if (first)
			memcpy(out, e->hash[j], PK_HASH_SIZE);
		else if (pk_node_hash(sha, e->hash[j], out, out))
			return 1;
		first = 0;
	}
	return 0;
}

int pk_subtree(struct pk_sha *sha, const unsigned char *hashes, size_t n,
	       unsigned char out[PK_HASH_SIZE])
{
	struct pk_edge e = { .size = 0 };

	for (size_t i = 0; i < n; i++)
		if (pk_edge_add(&e, sha, hashes + i * PK_HASH_SIZE, NULL, NULL))
			return 1;
	return pk_edge_root(&e, sha, out);
}

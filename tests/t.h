/* t.h - what the test programs share: exact-size copies, damage to every
 * byte of an encoding, and a directory that goes away. */
#ifndef T_H
#define T_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "again.h"

#define T_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A copy in a buffer of exactly its size, so that a sanitizer sees the first
 * byte read too many. Free it. */
static inline unsigned char *t_exact(const void *bytes, size_t size)
{
	unsigned char *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

/* A decoder's answer is a sentence that begins with the rule. */
#define assert_rule(fault, rule) t_rule(fault, rule, __FILE__, __LINE__)
static inline void t_rule(const char *fault, const char *rule,
			  const char *file, int line)
{
	size_t n = strlen(rule);

	if (fault && !strncmp(fault, rule, n) && fault[n] == ' ')
		return;
	print_error("expected %s, not %s\n", rule, fault ? fault : "success");
	_fail(file, line);
}

/* 1 where the bytes, in an exact copy, decode and encode back to themselves;
 * 0 where they are refused; all else fails the test. Not inlined, or gcc
 * knows the size of the copy, not that the decoder asks for it first. */
__attribute__((noinline, unused)) static size_t
t_again(again_fn *again, const void *bytes, size_t size)
{
	static unsigned char out[AGAIN_MAX];
	unsigned char *in = t_exact(bytes, size);
	long n = again(in, size, out);

	if (n >= 0) {
		assert_int_equal(n, size);
		assert_memory_equal(out, in, size);
	}
	free(in);
	return n >= 0;
}

/* Every cut, and every flip of one bit; gives how many still decoded. */
static inline size_t each_cut(again_fn *again, const void *bytes, size_t size)
{
	size_t ok = 0;

	for (size_t cut = 0; cut < size; cut++)
		ok += t_again(again, bytes, cut);
	return ok;
}

static inline size_t each_flip(again_fn *again, const void *bytes, size_t size)
{
	unsigned char *copy = t_exact(bytes, size);
	size_t ok = 0;

	for (size_t bit = 0; bit < 8 * size; bit++) {
		copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ok += t_again(again, copy, size);
		copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	free(copy);
	return ok;
}

static inline size_t each_damage(again_fn *again, const void *bytes,
				 size_t size)
{
	return each_cut(again, bytes, size) + each_flip(again, bytes, size);
}

/* A test of T_IN_DIR() finds the path of an empty directory in *state. */
#define T_IN_DIR(test) \
	cmocka_unit_test_setup_teardown(test, t_dir_make, t_dir_remove)

static inline int t_dir_make(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *path = NULL;

	if (asprintf(&path, "%s/pakhus-XXXXXX", tmp ? tmp : "/tmp") < 0)
		return -1;
	*state = path;
	return mkdtemp(path) ? 0 : -1;
}

static inline int t_remove(const char *path, const struct stat *st, int kind,
			   struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static inline int t_dir_remove(void **state)
{
	int rc = nftw(*state, t_remove, 16, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return rc;
}

#endif

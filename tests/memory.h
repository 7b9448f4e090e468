/* memory.h - the library's allocations, counted and denied.
 *
 * A program that includes this has to be linked with the calls wrapped: its
 * source says so in the line that the Makefile looks for,
 *
 *	malloc calloc realloc strdup vasprintf free
 *
 * memory.live says how many allocations are not given back yet. What LMDB,
 * zstd and OpenSSL take for themselves is neither counted nor denied, and
 * vasprintf, which the library does not use, only where memory.is_text is set.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static struct {
	long live;
	long countdown; /* the countdown'th one is denied; 0: none */
	long asked;	/* since memory_deny() */
	long denied;	/* in all */
	int for_good;
	int is_text;
} memory;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
int __real_vasprintf(char **out, const char *fmt, va_list ap);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *text);
int __wrap_vasprintf(char **out, const char *fmt, va_list ap);
void __wrap_free(void *p);

/* Threads count as well, though only one may be denied anything. */
static void *memory_count(void *p)
{
	if (p)
		__atomic_add_fetch(&memory.live, 1, __ATOMIC_RELAXED);
	return p;
}

static int memory_is_denied(void)
{
	if (!memory.countdown)
		return 0;
	memory.asked++;
	if (--memory.countdown)
		return 0;
	memory.countdown = memory.for_good;
	memory.denied++;
	return 1;
}

void *__wrap_malloc(size_t n)
{
	return memory_is_denied() ? NULL : memory_count(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return memory_is_denied() ? NULL : memory_count(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
	void *q;

	if (memory_is_denied())
		return NULL;
	q = __real_realloc(p, n);
	return p ? q : memory_count(q);
}

char *__wrap_strdup(const char *text)
{
	size_t n = strlen(text) + 1;
	char *p = __wrap_malloc(n);

	return p ? memcpy(p, text, n) : NULL;
}

__attribute__((format(printf, 2, 0)))
int __wrap_vasprintf(char **out, const char *fmt, va_list ap)
{
	int n;

	if (memory.is_text && memory_is_denied())
		return -1;
	n = __real_vasprintf(out, fmt, ap);
	if (n >= 0)
		memory_count(*out);
	return n;
}

void __wrap_free(void *p)
{
	if (p)
		__atomic_sub_fetch(&memory.live, 1, __ATOMIC_RELAXED);
	__real_free(p);
}

/* The n-th allocation from now on is denied; for_good: and those after it. */
static inline void memory_deny(long n, int for_good)
{
	memory.asked = 0;
	memory.for_good = for_good;
	memory.countdown = n;
}

/* Says how many were asked for, and lets all of them be again. */
static inline long memory_peace(void)
{
	memory.countdown = 0;
	return memory.asked;
}

#endif

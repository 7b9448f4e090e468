/* auto.h - releasing at the end of the scope.
 *
 * AUTO(handler) calls handler(&variable) on every way out; handlers keep
 * errno. Ownership leaves as the last step before success.
 */
#ifndef PK_AUTO_H
#define PK_AUTO_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define AUTO(handler) __attribute__((cleanup(handler)))
#define AUTO_FREE AUTO(pk_auto_free)
#define AUTO_CLOSE AUTO(pk_auto_close)

static inline void pk_auto_free(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

static inline void pk_auto_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

/* Gives the value and empties the variable. */
#define PK_MOVE(p)                              \
	__extension__({                         \
		__typeof__(p) moved_ = (p);     \
		(p) = NULL;                     \
		moved_;                         \
	})

#endif

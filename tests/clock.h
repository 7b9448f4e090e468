/* clock.h - a clock that is set, for programs that wrap clock_gettime. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

/* The time that publishes get; 0 is the real one. */
static int64_t clock_us;
static int64_t clock_step; /* it goes on by so much each time it is asked */

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	if (!clock_us || id != CLOCK_REALTIME)
		return __real_clock_gettime(id, t);
	t->tv_sec = clock_us / 1000000;
	t->tv_nsec = clock_us % 1000000 * 1000;
	if (t->tv_nsec < 0) {
		t->tv_nsec += 1000000000;
		t->tv_sec--;
	}
	clock_us += clock_step;
	return 0;
}

static inline void set_clock(int64_t us, int64_t step)
{
	clock_us = us;
	clock_step = step;
}

#endif

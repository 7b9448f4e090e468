#include "progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_FIRST 0.3 /* seconds of silence: most calls end sooner */
#define PROGRESS_EVERY 0.1

static double started, shown; /* 0: not yet */
static bool on_screen;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double progress_elapsed(void)
{
	double t = now();

	if (started <= 0)
		started = t;
	return t - started;
}

void progress_show(const char *fmt, ...)
{
	double elapsed = progress_elapsed();
	va_list ap;

	if (elapsed < PROGRESS_FIRST || elapsed - shown < PROGRESS_EVERY)
		return;
	if (!isatty(STDERR_FILENO))
		return;
	shown = elapsed;
	on_screen = true;
	fputc('\r', stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\033[K", stderr); /* the rest of a longer line before */
	fflush(stderr);
}

void progress_clear(void)
{
	if (!on_screen)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	on_screen = false;
}

#include "interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <sys/select.h>
#include <time.h>

static volatile sig_atomic_t pending;

static void on_signal(int signo)
{
	(void)signo;
	pending = 1;
}

/* What who started us ignores, as a shell does for its background jobs,
 * stays ignored. */
static void catch_signal(int signo)
{
	/* no SA_RESTART: a read from a pipe has to return */
	struct sigaction before,
		sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&sa.sa_mask);
	if (!sigaction(signo, NULL, &before) && before.sa_handler == SIG_IGN)
		return;
	sigaction(signo, &sa, NULL);
}

void interrupt_catch(void)
{
	catch_signal(SIGINT);
	catch_signal(SIGTERM);
}

int interrupt_pending(void)
{
	return pending;
}

void interrupt_wait(uint64_t seconds)
{
	struct timespec ts = {.tv_sec = (time_t)seconds};
	sigset_t both, before;

	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	/* none comes between the look and the sleep */
	sigprocmask(SIG_BLOCK, &both, &before);
	if (!pending)
		pselect(0, NULL, NULL, NULL, &ts, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void interrupt_forget(void)
{
	pending = 0;
}

#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

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

void interrupt_forget(void)
{
	pending = 0;
}

#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t pending;

static void on_signal(int signo)
{
	(void)signo;
	pending = 1;
}

void interrupt_catch(void)
{
	/* no SA_RESTART: a read from a pipe has to return */
	struct sigaction sa = {.sa_handler = on_signal,
			       .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

int interrupt_pending(void)
{
	return pending;
}

void interrupt_forget(void)
{
	pending = 0;
}

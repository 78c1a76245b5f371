/*
 * ^C as a note. The handler does nothing else; the flag is the one variable
 * of its kind, because a signal handler can reach no other.
 */
#include "config.h"

#include <signal.h>
#include <stddef.h>

#include "client/interrupt.h"

static volatile sig_atomic_t seen;

static void
note(int number)
{
	(void)number;
	seen = 1;
}

void
interrupt_arm(void)
{
	/* SA_RESETHAND: whoever presses ^C twice wants out. */
	struct sigaction act = { .sa_handler = note,
		.sa_flags = (int)SA_RESETHAND };

	sigemptyset(&act.sa_mask);
	sigaction(SIGINT, &act, NULL);
}

bool
interrupt_seen(void)
{
	return seen != 0;
}

void
interrupt_clear(void)
{
	seen = 0;
	interrupt_arm();
}

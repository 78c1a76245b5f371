/*
 * termios(3). Runs as the user. The state is the process's, as the terminal
 * is: it must be found again from a signal's handler.
 */
#include "config.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "client/tty.h"
#include "common/err.h"
#include "common/own.h"

#define DEFAULT_COLS 80
#define DEFAULT_ROWS 24

static struct {
	int fd;
	volatile sig_atomic_t raw;
	struct termios before;
} the_tty;

static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

void
tty_size(int fd, int *out_cols, int *out_rows)
{
	struct winsize ws = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &ws) != 0)
		ws.ws_col = ws.ws_row = 0;
	*out_cols = ws.ws_col != 0 ? ws.ws_col : DEFAULT_COLS;
	*out_rows = ws.ws_row != 0 ? ws.ws_row : DEFAULT_ROWS;
}

/* tcsetattr(3) and raise(3) are safe in a handler. */
static void
on_crash(int number)
{
	tty_restore();
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

int
tty_raw(int fd)
{
	struct termios raw;

	if (the_tty.raw != 0)
		return 0;
	if (tcgetattr(fd, &the_tty.before) != 0)
		return -errno;
	raw = the_tty.before;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	for (size_t i = 0; i < nitems_of(crashes); i++)
		(void)signal(crashes[i], on_crash);
	the_tty.fd = fd;
	the_tty.raw = 1;
	return tcsetattr(fd, TCSADRAIN, &raw) == 0 ? 0 : -errno;
}

void
tty_restore(void)
{
	if (the_tty.raw == 0)
		return;
	the_tty.raw = 0;
	(void)tcsetattr(the_tty.fd, TCSADRAIN, &the_tty.before);
}

bool
tty_is_raw(void)
{
	return the_tty.raw != 0;
}

/*
 * What the user does besides typing. Runs as the user.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/front.h"
#include "client/prompt.h"
#include "client/tty.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

static const int signals[] = { SIGWINCH, SIGHUP, SIGINT, SIGQUIT, SIGTERM,
	SIGCONT };

static void
raw(const struct front *f)
{
	if (f->tty && tty_raw(STDIN_FILENO) == 0)
		log_crlf(true);
}

static void
cooked(void)
{
	tty_restore();
	log_crlf(false);
}

static void
tell_size(const struct front *f)
{
	int cols, rows;

	if (!f->tty)
		return;
	tty_size(STDIN_FILENO, &cols, &rows);
	f->ops->resize(f->arg, cols, rows);
}

static void
on_signal(void *arg, int number)
{
	struct front *f = arg;

	if (number == SIGWINCH) {
		tell_size(f);
		return;
	}
	if (number == SIGCONT) {
		/* Whoever stopped us may have used the terminal. */
		if (tty_is_raw()) {
			cooked();
			raw(f);
			tell_size(f);
		}
		return;
	}
	f->signal = number;
	f->ops->disconnect(f->arg);
}

int
front_init(
    struct front *f, struct loop *loop, const struct front_ops *ops, void *arg)
{
	f->loop = loop;
	f->ops = ops;
	f->arg = arg;
	return loop_signals(loop, signals, nitems_of(signals), on_signal, f);
}

void
front_start(struct front *f)
{
	raw(f);
}

void
front_stop(struct front *f)
{
	(void)f;
	cooked();
}

/* --- escapes */

static void
say(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

static void
suspend(struct front *f)
{
	say("^Z [suspend]\r\n");
	cooked();
	(void)kill(getpid(), SIGTSTP);
	raw(f);
	tell_size(f);
}

static void
list(struct front *f)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return;
	f->ops->list(f->arg, "\r\n", out);
	fclose(out);
	say("#\r\n");
	say(text);
	free(text);
}

static void
command(struct front *f)
{
	AUTO(prompt_done) char *line = NULL;
	AUTOFREE char *answer = NULL;

	if (!f->command_line) {
		say("C\r\nEnableEscapeCommandline is off\r\n");
		return;
	}
	say("C\r\n");
	cooked();
	if (prompt_ask("omniedge> ", true, &line) == 0 && *line != '\0')
		answer = f->ops->command(f->arg, line);
	if (answer != NULL)
		log_info("%s", answer);
	raw(f);
}

static void
background(struct front *f)
{
	if (f->ops->background == NULL) {
		say("&\r\nnot with this connection\r\n");
		return;
	}
	say("& [backgrounded]\r\n");
	cooked();
	f->tty = false;
	f->ops->background(f->arg);
}

static void
help(struct front *f)
{
	AUTOFREE char *text = escape_help(&f->escape);

	say("?\r\n");
	if (text != NULL)
		say(text);
}

static void
verbosity(int step)
{
	int level = (int)log_level() + step;
	char text[32];

	if (level < LEVEL_QUIET || level > LEVEL_DEBUG3)
		return;
	log_open("omniedge", SINK_STDERR, 0, (enum log_level)level);
	log_crlf(tty_is_raw());
	snprintf(text, sizeof(text), "[log level %d]\r\n", level);
	say(text);
}

static void
act(struct front *f, enum escape_action action)
{
	switch (action) {
	case ESCAPE_DISCONNECT:
		say(".\r\n");
		f->ops->disconnect(f->arg);
		break;
	case ESCAPE_SUSPEND:
		suspend(f);
		break;
	case ESCAPE_BACKGROUND:
		background(f);
		break;
	case ESCAPE_LIST:
		list(f);
		break;
	case ESCAPE_COMMAND:
		command(f);
		break;
	case ESCAPE_BREAK:
		say("B\r\n");
		f->ops->send_break(f->arg);
		break;
	case ESCAPE_REKEY:
		say("R\r\nnot offered: RekeyLimit says when keys change\r\n");
		break;
	case ESCAPE_LOUDER:
		verbosity(1);
		break;
	case ESCAPE_QUIETER:
		verbosity(-1);
		break;
	case ESCAPE_HELP:
		help(f);
		break;
	case ESCAPE_NONE:
		break;
	}
}

size_t
front_filter(struct front *f, const uint8_t *in, size_t len, uint8_t *out)
{
	struct span left = span_of(in, len);
	size_t total = 0;

	while (left.len > 0) {
		enum escape_action action;
		char mark[2] = { (char)f->escape.character, '\0' };
		size_t n, taken = escape_take(
			      &f->escape, left, out + total, &n, &action);

		total += n;
		left.p += taken;
		left.len -= taken;
		if (action != ESCAPE_NONE) {
			say(mark);
			act(f, action);
		}
	}
	return total;
}

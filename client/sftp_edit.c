/*
 * The sftp shell on a terminal: libedit's line editing, its history kept in
 * ~/.omniedge. Runs in the client.
 */
#include "config.h"

#include <histedit.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "client/command.h"
#include "client/expand.h"
#include "client/interrupt.h"
#include "client/sftp_edit.h"
#include "client/show.h"
#include "common/own.h"

#define HISTORY_LINES 500
#define HISTORY_DIR ".omniedge"
#define HISTORY_FILE "sftp_history"

struct editor {
	struct sftp *s;
	EditLine *el;
	History *history;
	char file[PATH_MAX];
};

static char *
prompt(EditLine *el)
{
	static char text[] = "sftp> ";

	(void)el;
	return text;
}

static unsigned char
complete(EditLine *el, int key)
{
	const LineInfo *info = el_line(el);
	AUTOFREE char *line =
	    strndup(info->buffer, (size_t)(info->cursor - info->buffer));
	AUTOFREE char *text = NULL;
	struct editor *e = NULL;
	bool listed = false;

	(void)key;
	el_get(el, EL_CLIENTDATA, &e);
	if (line == NULL || e == NULL)
		return CC_ERROR;
	text = sftp_complete(e->s, line, &listed);
	/* The server was slow, and the user has pressed ^C meanwhile. */
	if (interrupt_seen())
		return CC_EOF;
	if (listed)
		return CC_REDISPLAY;
	if (text == NULL || el_insertstr(el, text) != 0)
		return CC_ERROR;
	return CC_REFRESH;
}

/* Kept from session to session, for nobody else's eyes. */
static void
load_history(struct editor *e)
{
	HistEvent event;
	int n = snprintf(
	    e->file, sizeof(e->file), "%s/" HISTORY_DIR, expand_home());

	history(e->history, &event, H_SETSIZE, HISTORY_LINES);
	history(e->history, &event, H_SETUNIQUE, 1);
	if (n < 0 || (size_t)n + sizeof("/" HISTORY_FILE) > sizeof(e->file)) {
		e->file[0] = '\0';
		return;
	}
	(void)mkdir(e->file, S_IRWXU);
	strlcat(e->file, "/" HISTORY_FILE, sizeof(e->file));
	history(e->history, &event, H_LOAD, e->file);
}

static void
save_history(struct editor *e)
{
	HistEvent event;
	mode_t old = umask(S_IRWXG | S_IRWXO);

	if (e->file[0] != '\0')
		history(e->history, &event, H_SAVE, e->file);
	umask(old);
}

/*
 * One character of the terminal. libedit's own reader goes on when a signal
 * interrupts it, and would miss a ^C that came just before; here SIGINT is let
 * in only while we wait. The connection is looked after meanwhile.
 */
static int
read_key(EditLine *el, wchar_t *out)
{
	struct editor *e = NULL;
	mbstate_t state = { 0 };
	sigset_t interrupt, before;
	char byte;
	ssize_t n;

	el_get(el, EL_CLIENTDATA, &e);
	for (;;) {
		sigemptyset(&interrupt);
		sigaddset(&interrupt, SIGINT);
		sigprocmask(SIG_BLOCK, &interrupt, &before);
		n = interrupt_seen()
			? -1
			: peer_await(e->s->peer, STDIN_FILENO, &before);
		sigprocmask(SIG_SETMASK, &before, NULL);
		if (interrupt_seen())
			return -1;
		if (peer_dead(e->s->peer) != 0)
			return 0;
		if (n <= 0)
			continue;
		n = read(STDIN_FILENO, &byte, 1);
		if (n <= 0)
			return (int)n;
		switch (mbrtowc(out, &byte, 1, &state)) {
		case (size_t)-2:
			continue;
		case (size_t)-1:
			*out = L'?';
			return 1;
		default:
			return 1;
		}
	}
}

static bool
open_editor(struct editor *e)
{
	e->el = el_init("sftp", stdin, stdout, stderr);
	e->history = history_init();
	if (e->el == NULL || e->history == NULL)
		return false;
	load_history(e);
	el_set(e->el, EL_CLIENTDATA, e);
	el_set(e->el, EL_HIST, history, e->history);
	el_set(e->el, EL_PROMPT, prompt);
	el_set(e->el, EL_EDITOR, "emacs");
	el_set(e->el, EL_SIGNAL, 1);
	el_set(e->el, EL_GETCFN, read_key);
	/* Wide, as el_set() would copy both texts and keep them for ever. */
	el_wset(
	    e->el, EL_ADDFN, L"sftp-complete", L"complete a word", complete);
	el_set(e->el, EL_BIND, "^I", "sftp-complete", NULL);
	el_set(e->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_set(e->el, EL_BIND, "\\e[1;5C", "em-next-word", NULL);
	el_set(e->el, EL_BIND, "\\e[1;5D", "ed-prev-word", NULL);
	el_set(e->el, EL_BIND, "\\e[H", "ed-move-to-beg", NULL);
	el_set(e->el, EL_BIND, "\\e[F", "ed-move-to-end", NULL);
	el_set(e->el, EL_BIND, "\\e[3~", "ed-delete-next-char", NULL);
	el_source(e->el, NULL);
	return true;
}

static void
do_line(struct editor *e, const char *text, int count)
{
	AUTOFREE char *line = strndup(text, (size_t)count);
	HistEvent event;

	if (line == NULL)
		return;
	line[strcspn(line, "\r\n")] = '\0';
	if (line[strspn(line, " \t")] != '\0')
		history(e->history, &event, H_ENTER, line);
	/* A ^C that came while the line was typed is not the command's. */
	interrupt_clear();
	(void)sftp_line(e->s, line, false);
	fflush(stdout);
}

static void
loop(struct editor *e)
{
	while (!e->s->quit && peer_dead(e->s->peer) == 0) {
		const char *text;
		int count = 0;

		interrupt_clear();
		text = el_gets(e->el, &count);
		if (text != NULL && count > 0) {
			do_line(e, text, count);
			continue;
		}
		putchar('\n');
		if (!interrupt_seen())
			break;
		/* ^C takes the line back, and nothing else. */
		el_reset(e->el);
	}
}

int
sftp_interactive(struct sftp *s)
{
	struct editor e = { .s = s };
	int dead;

	if (open_editor(&e)) {
		loop(&e);
		save_history(&e);
	}
	if (e.history != NULL)
		history_end(e.history);
	if (e.el != NULL)
		el_end(e.el);
	dead = peer_dead(s->peer);
	if (dead != 0)
		show_error("%s", peer_text(s->peer, dead));
	return dead != 0 ? EXIT_OURS : 0;
}

/*
 * The commands of the sftp shell as a table, and how a line becomes one of
 * them. Runs in the client.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/command.h"
#include "client/sftp.h"
#include "client/show.h"
#include "common/err.h"
#include "common/own.h"

#define BASE_OCTAL 8
#define BASE_DECIMAL 10
#define BLANKS " \t\r\n"

static const struct sftp_command commands[] = {
	{ "bye", "", 0, SFTP_NOTHING, SFTP_NOTHING, sftp_do_quit, "bye",
	    "leave" },
	{ "cd", "", 0, SFTP_REMOTE, SFTP_NOTHING, sftp_do_cd, "cd [path]",
	    "change the remote directory; back to the first one" },
	{ "chdir", "", 0, SFTP_REMOTE, SFTP_NOTHING, sftp_do_cd, NULL, NULL },
	{ "chgrp", "h", 2, SFTP_NUMBER, SFTP_REMOTE, sftp_do_chgrp,
	    "chgrp [-h] gid path", "change the group, a number" },
	{ "chmod", "h", 2, SFTP_NUMBER, SFTP_REMOTE, sftp_do_chmod,
	    "chmod [-h] mode path", "change the mode, octal" },
	{ "chown", "h", 2, SFTP_NUMBER, SFTP_REMOTE, sftp_do_chown,
	    "chown [-h] uid path", "change the owner, a number" },
	{ "copy", "", 2, SFTP_REMOTE, SFTP_REMOTE, sftp_do_cp, NULL, NULL },
	{ "cp", "", 2, SFTP_REMOTE, SFTP_REMOTE, sftp_do_cp, "cp from to",
	    "copy a file within the server" },
	{ "df", "hi", 0, SFTP_REMOTE, SFTP_NOTHING, sftp_do_df,
	    "df [-hi] [path]", "space on the server" },
	{ "dir", "1afhlnrSt", 0, SFTP_REMOTE, SFTP_NOTHING, sftp_do_ls, NULL,
	    NULL },
	{ "exit", "", 0, SFTP_NOTHING, SFTP_NOTHING, sftp_do_quit, "exit",
	    "leave" },
	{ "get", "afpPrR", 1, SFTP_REMOTE, SFTP_LOCAL, sftp_do_get,
	    "get [-afpR] remote [local]", "fetch" },
	{ "help", "", 0, SFTP_NOTHING, SFTP_NOTHING, sftp_do_help, "help",
	    "this text" },
	{ "lcd", "", 0, SFTP_LOCAL, SFTP_NOTHING, sftp_do_lcd, "lcd [path]",
	    "change the local directory; to the home directory" },
	{ "lchdir", "", 0, SFTP_LOCAL, SFTP_NOTHING, sftp_do_lcd, NULL, NULL },
	{ "lls", NULL, 0, SFTP_LOCAL, SFTP_NOTHING, sftp_do_lls,
	    "lls [ls-options] [path]", "list a local directory" },
	{ "lmkdir", "", 1, SFTP_LOCAL, SFTP_NOTHING, sftp_do_lmkdir,
	    "lmkdir path", "make a local directory" },
	{ "ln", "s", 2, SFTP_REMOTE, SFTP_REMOTE, sftp_do_ln, "ln [-s] old new",
	    "link a file of the server" },
	{ "lpwd", "", 0, SFTP_NOTHING, SFTP_NOTHING, sftp_do_lpwd, "lpwd",
	    "print the local directory" },
	{ "ls", "1afhlnrSt", 0, SFTP_REMOTE, SFTP_NOTHING, sftp_do_ls,
	    "ls [-1afhlnrSt] [path]", "list a remote directory" },
	{ "lumask", "", 1, SFTP_NUMBER, SFTP_NOTHING, sftp_do_lumask,
	    "lumask umask", "set the local umask, octal" },
	{ "mget", "afpPrR", 1, SFTP_REMOTE, SFTP_LOCAL, sftp_do_get, NULL,
	    NULL },
	{ "mkdir", "", 1, SFTP_REMOTE, SFTP_NOTHING, sftp_do_mkdir,
	    "mkdir path", "make a remote directory" },
	{ "mput", "afpPrR", 1, SFTP_LOCAL, SFTP_REMOTE, sftp_do_put, NULL,
	    NULL },
	{ "progress", "", 0, SFTP_NOTHING, SFTP_NOTHING, sftp_do_progress,
	    "progress", "switch the progress line on or off" },
	{ "put", "afpPrR", 1, SFTP_LOCAL, SFTP_REMOTE, sftp_do_put,
	    "put [-afpR] local [remote]", "send" },
	{ "pwd", "", 0, SFTP_NOTHING, SFTP_NOTHING, sftp_do_pwd, "pwd",
	    "print the remote directory" },
	{ "quit", "", 0, SFTP_NOTHING, SFTP_NOTHING, sftp_do_quit, "quit",
	    "leave" },
	{ "reget", "fpPrR", 1, SFTP_REMOTE, SFTP_LOCAL, sftp_do_reget,
	    "reget [-fpR] remote [local]", "go on with a get" },
	{ "rename", "l", 2, SFTP_REMOTE, SFTP_REMOTE, sftp_do_rename,
	    "rename old new", "rename a file of the server" },
	{ "reput", "fpPrR", 1, SFTP_LOCAL, SFTP_REMOTE, sftp_do_reput,
	    "reput [-fpR] local [remote]", "go on with a put" },
	{ "rm", "", 1, SFTP_REMOTE, SFTP_NOTHING, sftp_do_rm, "rm path",
	    "remove files of the server" },
	{ "rmdir", "", 1, SFTP_REMOTE, SFTP_NOTHING, sftp_do_rmdir,
	    "rmdir path", "remove a remote directory" },
	{ "symlink", "", 2, SFTP_REMOTE, SFTP_REMOTE, sftp_do_symlink,
	    "symlink old new", "link a file of the server by name" },
	{ "version", "", 0, SFTP_NOTHING, SFTP_NOTHING, sftp_do_version,
	    "version", "of the protocol" },
	{ "!", NULL, 0, SFTP_LOCAL, SFTP_LOCAL, sftp_do_shell, "![command]",
	    "run a command, or a shell, here" },
	{ "?", "", 0, SFTP_NOTHING, SFTP_NOTHING, sftp_do_help, "?",
	    "this text" },
};

const struct sftp_command *
sftp_commands(size_t *out_n)
{
	*out_n = nitems_of(commands);
	return commands;
}

const struct sftp_command *
sftp_command_find(const char *name)
{
	for (size_t i = 0; i < nitems_of(commands); i++)
		if (strcasecmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

int
sftp_do_help(struct sftp *s, const struct sftp_args *a)
{
	(void)s;
	(void)a;
	puts("Available commands:");
	for (size_t i = 0; i < nitems_of(commands); i++)
		if (commands[i].usage != NULL)
			printf(
			    "%-35s%s\n", commands[i].usage, commands[i].help);
	return 0;
}

/* --- a line -------------------------------------------------------------- */

static int
take_flags(const struct sftp_words *w, struct sftp_args *a)
{
	size_t i = 1;

	for (; i < w->n && w->word[i][0] == '-' && w->word[i][1] != '\0'; i++) {
		if (strcmp(w->word[i], "--") == 0) {
			i++;
			break;
		}
		for (const char *c = w->word[i] + 1; *c != '\0'; c++) {
			if (!isascii(*c) ||
			    strchr(a->command->flags, *c) == NULL) {
				show_error("%s: Invalid flag -%c",
				    a->command->name, *c);
				return -EINVAL;
			}
			a->flag[(unsigned char)*c] = true;
		}
	}
	a->word = w->word + i;
	a->n = w->n - i;
	return 0;
}

static int
take_number(struct sftp_args *a)
{
	bool decimal = a->command->run == sftp_do_chown ||
		       a->command->run == sftp_do_chgrp;
	char *end = NULL;

	if (a->n > 0 && isdigit((unsigned char)a->word[0][0])) {
		errno = 0;
		a->number = strtoul(
		    a->word[0], &end, decimal ? BASE_DECIMAL : BASE_OCTAL);
	}
	if (end != NULL && *end == '\0' && errno == 0 &&
	    a->number <= UINT32_MAX)
		return 0;
	show_error("You must supply a numeric argument to the %s command.",
	    a->command->name);
	return -EINVAL;
}

static int
check_count(const struct sftp_args *a)
{
	if (a->n >= a->command->least)
		return 0;
	if (a->command->second == SFTP_REMOTE &&
	    a->command->first == SFTP_REMOTE)
		show_error("You must specify two paths after a %s command.",
		    a->command->name);
	else
		show_error("You must specify a path after a %s command.",
		    a->command->name);
	return -EINVAL;
}

static int
dispatch(struct sftp *s, const struct sftp_words *w, const char *line)
{
	struct sftp_args a = { .rest = line + strcspn(line, BLANKS) };
	int rc = 0;

	if (line[0] == '!') {
		a.command = sftp_command_find("!");
		a.rest = line + 1;
	} else
		a.command = sftp_command_find(w->word[0]);
	if (a.command == NULL) {
		show_error("Invalid command.");
		return -EINVAL;
	}
	if (a.command->flags != NULL)
		rc = take_flags(w, &a);
	if (rc == 0 && a.command->first == SFTP_NUMBER)
		rc = take_number(&a);
	if (rc == 0)
		rc = check_count(&a);
	return rc == 0 ? a.command->run(s, &a) : rc;
}

int
sftp_line(struct sftp *s, const char *line, bool echo)
{
	AUTO(words_free) struct sftp_words w = { .n = 0 };
	const char *at = line + strspn(line, BLANKS);
	bool ignore = false;
	int rc = 0;

	for (; *at == '-' || *at == '@'; at++) {
		ignore |= *at == '-';
		echo &= *at != '@';
	}
	at += strspn(at, BLANKS);
	if (echo)
		show_print(stdout, "sftp> %s\n", line);
	if (*at == '\0' || *at == '#')
		return 0;
	/* What goes to a shell is for that one to take apart. */
	if (*at != '!')
		rc = words_split(at, false, &w);
	if (rc == -EBADMSG)
		show_error("Unterminated quoted argument");
	else if (rc != 0)
		show_error("Too many arguments.");
	else
		rc = dispatch(s, &w, at);
	return ignore ? 0 : rc;
}

/*
 * Look after the connection until the next line begins; what is not a file may
 * take its time. Unbuffered, or poll(2) would not know of what was read.
 */
static void
await_line(struct sftp *s, FILE *in)
{
	struct stat st;

	if (fstat(fileno(in), &st) != 0 || S_ISREG(st.st_mode))
		return;
	setvbuf(in, NULL, _IONBF, 0);
	while (peer_await(s->peer, fileno(in), NULL) == 0)
		continue;
}

static ssize_t
read_line(struct sftp *s, FILE *in, char **line, size_t *size)
{
	await_line(s, in);
	return peer_dead(s->peer) == 0 ? getline(line, size, in) : -1;
}

int
sftp_batch(struct sftp *s, FILE *in)
{
	AUTOFREE char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int rc = 0, dead;

	while (!s->quit && (n = read_line(s, in, &line, &size)) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		rc = sftp_line(s, line, true);
		fflush(stdout);
		if (rc != 0 && s->batch)
			break;
	}
	dead = peer_dead(s->peer);
	if (dead != 0) {
		show_error("%s", peer_text(s->peer, dead));
		return EXIT_OURS;
	}
	return rc != 0 && s->batch;
}

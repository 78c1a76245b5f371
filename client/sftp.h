/*
 * `omniedge sftp`, between its files: the loop (sftp_shell.c), the table of
 * commands (sftp_command.c), what they do (sftp_do_*.c, sftp_ls.c), the line
 * editor (sftp_edit.c) and its completion (sftp_complete.c).
 */
#ifndef CLIENT_SFTP_H
#define CLIENT_SFTP_H

#include <stdbool.h>
#include <stdio.h>

#include "client/progress.h"
#include "client/remote.h"
#include "client/sftp_owner.h"
#include "client/sftp_words.h"
#include "client/xfer.h"

struct sftp {
	struct peer *peer;
	char *cwd;                   /* of the server, absolute */
	char *start;                 /* where the session began */
	struct xfer_options options; /* of the command line, for all commands */
	struct progress *progress;
	struct owners owners; /* for ls */
	bool quiet;           /* do not say what is being done */
	bool batch;           /* the first error ends it */
	bool quit;
};

/* What a command was called with. */
struct sftp_args {
	const struct sftp_command *command;
	char *const *word; /* behind the flags; ends with NULL */
	size_t n;
	const char *rest; /* of the line, as it was typed, behind the command */
	bool flag[128];
	unsigned long number; /* the first word, where the command has one */
};

enum sftp_kind { /* of an argument, for completion */
	SFTP_NOTHING,
	SFTP_LOCAL,
	SFTP_REMOTE,
	SFTP_NUMBER,
};

/* One row of the table. */
struct sftp_command {
	const char *name;
	const char *flags; /* letters it takes */
	size_t least;      /* arguments it needs */
	enum sftp_kind first, second;
	/* 0, or nonzero when it failed, which was said. */
	int (*run)(struct sftp *s, const struct sftp_args *a);
	const char *usage; /* NULL: an alias, that help leaves out */
	const char *help;
};

/* The table, and a row of it by name (case does not matter), or NULL. */
const struct sftp_command *sftp_commands(size_t *out_n);
const struct sftp_command *sftp_command_find(const char *name);

/*
 * Do a line. 0, or nonzero when it failed and that was not to be ignored.
 * echo: print it first, as batch mode does, unless it begins with "@".
 */
int sftp_line(struct sftp *s, const char *line, bool echo);
/* Lines of in until its end, `quit`, or in batch mode an error. The exit
 * status. */
int sftp_batch(struct sftp *s, FILE *in);
/* The same from the terminal, with line editing. */
int sftp_interactive(struct sftp *s);

/* The text of errors, for all commands. */
int sftp_failed(struct sftp *s, int rc, const char *what, const char *path);
/* path, or cwd and path; to be freed. NULL: out of memory. */
char *sftp_absolute(const struct sftp *s, const char *path);
/* The same of a pattern; cwd's own wildcards are escaped. */
char *sftp_absolute_pattern(const struct sftp *s, const char *pattern);
/* path without cwd in front. */
const char *sftp_relative(const struct sftp *s, const char *path);

/* What the rows of the table do; omniedge-sftp(1) says what that is. */
int sftp_do_cd(struct sftp *s, const struct sftp_args *a);
int sftp_do_chgrp(struct sftp *s, const struct sftp_args *a);
int sftp_do_chmod(struct sftp *s, const struct sftp_args *a);
int sftp_do_chown(struct sftp *s, const struct sftp_args *a);
int sftp_do_cp(struct sftp *s, const struct sftp_args *a);
int sftp_do_df(struct sftp *s, const struct sftp_args *a);
int sftp_do_get(struct sftp *s, const struct sftp_args *a);
int sftp_do_help(struct sftp *s, const struct sftp_args *a);
int sftp_do_lcd(struct sftp *s, const struct sftp_args *a);
int sftp_do_lls(struct sftp *s, const struct sftp_args *a);
int sftp_do_lmkdir(struct sftp *s, const struct sftp_args *a);
int sftp_do_ln(struct sftp *s, const struct sftp_args *a);
int sftp_do_lpwd(struct sftp *s, const struct sftp_args *a);
int sftp_do_ls(struct sftp *s, const struct sftp_args *a);
int sftp_do_lumask(struct sftp *s, const struct sftp_args *a);
int sftp_do_mkdir(struct sftp *s, const struct sftp_args *a);
int sftp_do_progress(struct sftp *s, const struct sftp_args *a);
int sftp_do_put(struct sftp *s, const struct sftp_args *a);
int sftp_do_pwd(struct sftp *s, const struct sftp_args *a);
int sftp_do_quit(struct sftp *s, const struct sftp_args *a);
int sftp_do_reget(struct sftp *s, const struct sftp_args *a);
int sftp_do_rename(struct sftp *s, const struct sftp_args *a);
int sftp_do_reput(struct sftp *s, const struct sftp_args *a);
int sftp_do_rm(struct sftp *s, const struct sftp_args *a);
int sftp_do_rmdir(struct sftp *s, const struct sftp_args *a);
int sftp_do_shell(struct sftp *s, const struct sftp_args *a);
int sftp_do_symlink(struct sftp *s, const struct sftp_args *a);
int sftp_do_version(struct sftp *s, const struct sftp_args *a);

#endif

/*
 * Commands of the sftp shell about this machine. Runs in the client, with the
 * user's own words and rights.
 */
#include "config.h"

#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/expand.h"
#include "client/sftp.h"
#include "client/sftp_list.h"
#include "client/show.h"
#include "common/err.h"
#include "common/own.h"

#define SHELL_DEFAULT "/bin/sh"
#define UMASK_MOST 0777

int
sftp_do_lpwd(struct sftp *s, const struct sftp_args *a)
{
	char path[PATH_MAX];

	(void)s;
	(void)a;
	if (getcwd(path, sizeof(path)) == NULL) {
		show_error("Couldn't get local cwd: %s", strerror(errno));
		return -errno;
	}
	show_print(stdout, "Local working directory: %s\n", path);
	return 0;
}

/* A leading ~ is the home directory; to be freed. */
static char *
local_path(const char *word)
{
	AUTOFREE char *path = strdup(word);

	if (path == NULL)
		return NULL;
	list_unescape(path);
	if (path[0] != '~' || (path[1] != '/' && path[1] != '\0'))
		return take_ptr(&path);
	return list_join(expand_home(), path + 1 + (path[1] == '/'));
}

int
sftp_do_lcd(struct sftp *s, const struct sftp_args *a)
{
	AUTOFREE char *path =
	    local_path(a->n > 0 && *a->word[0] != '\0' ? a->word[0] : "~");

	(void)s;
	if (path == NULL)
		return -ENOMEM;
	if (chdir(path) != 0) {
		show_error("Couldn't change local directory to \"%s\": %s",
		    path, strerror(errno));
		return -errno;
	}
	return 0;
}

int
sftp_do_lmkdir(struct sftp *s, const struct sftp_args *a)
{
	AUTOFREE char *path = local_path(a->word[0]);

	(void)s;
	if (path == NULL)
		return -ENOMEM;
	if (mkdir(path, 0777) != 0) {
		show_error("Couldn't create local directory \"%s\": %s", path,
		    strerror(errno));
		return -errno;
	}
	return 0;
}

int
sftp_do_lumask(struct sftp *s, const struct sftp_args *a)
{
	(void)s;
	if (a->number > UMASK_MOST) {
		show_error("lumask: a umask has three octal digits");
		return -EINVAL;
	}
	umask((mode_t)a->number);
	printf("Local umask: %03lo\n", a->number);
	return 0;
}

int
sftp_do_progress(struct sftp *s, const struct sftp_args *a)
{
	(void)a;
	printf("Progress meter %s\n",
	    progress_toggle(s->progress) ? "enabled" : "disabled");
	return 0;
}

/* Run command by the user's shell, or the shell itself. */
static int
run_shell(const char *command)
{
	const char *shell = getenv("SHELL");
	const char *argv[] = { NULL, "-c", command, NULL };
	posix_spawnattr_t attr;
	sigset_t defaults;
	int status = 0, error;
	pid_t pid;

	if (shell == NULL || *shell == '\0')
		shell = SHELL_DEFAULT;
	argv[0] = shell;
	if (command == NULL)
		argv[1] = NULL;
	/* ^C is for the command as it would be in any shell. */
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	fflush(stdout);
	error = posix_spawn(
	    &pid, shell, NULL, &attr, (char *const *)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&attr);
	if (error != 0) {
		show_error("%s: %s", shell, strerror(error));
		return -error;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		show_error("Shell exited with status %d", WEXITSTATUS(status));
	else if (!WIFEXITED(status))
		show_error("Shell exited abnormally");
	/* What the command thinks of its work ends no batch of ours. */
	return 0;
}

int
sftp_do_shell(struct sftp *s, const struct sftp_args *a)
{
	const char *command = a->rest + strspn(a->rest, " \t");

	(void)s;
	return run_shell(*command != '\0' ? command : NULL);
}

int
sftp_do_lls(struct sftp *s, const struct sftp_args *a)
{
	AUTOFREE char *command = NULL;

	(void)s;
	if (asprintf(&command, "ls%s", a->rest) < 0) {
		command = NULL;
		return -ENOMEM;
	}
	return run_shell(command);
}

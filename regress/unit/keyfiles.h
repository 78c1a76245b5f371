/*
 * Real keys for tests: a temporary directory in which ssh-keygen is run, and
 * what it wrote read back. Everything is removed by keyfiles_end().
 */
#ifndef REGRESS_UNIT_KEYFILES_H
#define REGRESS_UNIT_KEYFILES_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/wire.h"

static char keyfiles_dir[PATH_MAX];

static inline void
keyfiles_path(const char *name, char *out_path)
{
	ck_assert_int_lt(
	    snprintf(out_path, PATH_MAX, "%s/%s", keyfiles_dir, name),
	    PATH_MAX);
}

/* Exit status of the program; its output goes to the file "out". */
static inline int
keyfiles_run(const char *const argv[])
{
	extern char **environ;
	posix_spawn_file_actions_t fa;
	char out[PATH_MAX];
	int status = -1;
	pid_t pid;

	keyfiles_path("out", out);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(
	    &fa, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&fa, 1, 2);
	if (posix_spawnp(&pid, argv[0], &fa, NULL,
		(char *const *)(uintptr_t)argv, environ) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&fa);
	return status;
}

static inline int
keyfiles_remove(
    const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void
keyfiles_end(void)
{
	nftw(keyfiles_dir, keyfiles_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* Without ssh-keygen there is nothing to test with: say so and stop. */
static inline void
keyfiles_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(keyfiles_dir, sizeof(keyfiles_dir), "%s/keyfiles.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(keyfiles_dir) == NULL) {
		perror("mkdtemp");
		exit(EXIT_FAILURE);
	}
	if (access("/usr/bin/ssh-keygen", X_OK) != 0 &&
	    access("/usr/local/bin/ssh-keygen", X_OK) != 0) {
		puts("1..0 # SKIP ssh-keygen is not installed");
		keyfiles_end();
		exit(EXIT_SUCCESS);
	}
}

/* A key pair NAME and NAME.pub; format is what ssh-keygen -m takes. */
static inline void
keyfiles_make(const char *name, const char *type, const char *bits,
    const char *format, const char *passphrase)
{
	char path[PATH_MAX];

	keyfiles_path(name, path);
	const char *const argv[] = { "ssh-keygen", "-q", "-t", type, "-b", bits,
		"-m", format, "-N", passphrase, "-C", "a comment", "-f", path,
		NULL };
	ck_assert_msg(keyfiles_run(argv) == 0, "ssh-keygen -t %s -b %s -m %s",
	    type, bits, format);
}

/* All of a file, NUL-terminated behind its end; writer_done() it. */
static inline void
keyfiles_read(const char *name, struct writer *out)
{
	char path[PATH_MAX];
	char buf[4096];
	size_t n;
	FILE *f;

	keyfiles_path(name, path);
	f = fopen(path, "re");
	ck_assert_msg(f != NULL, "%s", path);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		writer_bytes(out, buf, n);
	fclose(f);
	writer_u8(out, '\0');
	ck_assert_int_eq(writer_end(out), 0);
	out->len--;
}

static inline struct span
keyfiles_span(const struct writer *w)
{
	return span_of(w->p, w->len);
}

/* The first line, without its newline. */
static inline struct span
keyfiles_line(const struct writer *w)
{
	const uint8_t *end = memchr(w->p, '\n', w->len);

	return span_of(w->p, end != NULL ? (size_t)(end - w->p) : w->len);
}

#endif

/*
 * authorized_keys. Runs in sshd-monitor; every file is opened and read with
 * the user's ids, and its content is the user's: hostile.
 */
#include "config.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"
#include "monitor/keyfile.h"
#include "monitor/userid.h"

#define KEYFILE_MAX (16u << 20) /* bytes of a file that are read */

/* %h, %u, %U and %% of AuthorizedKeysFile; relative to the home directory. */
static int
expand(const struct account *a, const char *pattern, char *out, size_t size)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	char uid[24];

	snprintf(uid, sizeof(uid), "%lu", (unsigned long)a->uid);
	for (const char *p = pattern; *p != '\0'; p++) {
		const char *text = NULL;

		if (*p != '%') {
			writer_bytes(&w, p, 1);
			continue;
		}
		p++;
		if (*p == 'h')
			text = a->home;
		else if (*p == 'u')
			text = a->name;
		else if (*p == 'U')
			text = uid;
		else if (*p == '%')
			text = "%";
		if (text == NULL)
			return -EINVAL;
		writer_bytes(&w, text, strlen(text));
	}
	writer_u8(&w, '\0');
	if (writer_end(&w) != 0)
		return -ENOMEM;
	if ((size_t)snprintf(out, size, "%s%s%s", *w.p == '/' ? "" : a->home,
		*w.p == '/' ? "" : "/", (const char *)w.p) >= size)
		return -ENAMETOOLONG;
	return 0;
}

static bool
sound(const struct stat *st, uid_t uid)
{
	return (st->st_uid == 0 || st->st_uid == uid) &&
	       (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/*
 * StrictModes: nobody but the user and root may be able to write the file, or
 * a directory above it, up to the home directory or the root.
 */
static int
check_modes(const struct account *a, int fd, const char *path)
{
	char real[PATH_MAX], home[PATH_MAX];
	struct stat st;

	if (fstat(fd, &st) != 0 || !sound(&st, a->uid))
		return -EPERM;
	if (realpath(path, real) == NULL)
		return -errno;
	if (realpath(a->home, home) == NULL)
		home[0] = '\0';
	for (;;) {
		char *parent = dirname(real);

		if (parent != real)
			memmove(real, parent, strlen(parent) + 1);
		if (stat(real, &st) != 0 || !sound(&st, a->uid))
			return -EPERM;
		if (strcmp(real, home) == 0 || strcmp(real, "/") == 0)
			return 0;
	}
}

/* Open as the user; a FIFO or device of the user's must not hold us up. */
static int
open_file(const struct keyfile_question *q, const char *path)
{
	AUTOCLOSE int fd =
	    open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		log_info("User %s: %s is not a regular file", q->account->name,
		    path);
		return -EINVAL;
	}
	if (q->options->strict_modes &&
	    check_modes(q->account, fd, path) != 0) {
		log_info("Authentication refused: bad ownership or modes "
			 "for file %s or a directory above it",
		    path);
		return -EPERM;
	}
	return take_fd(&fd);
}

/* Why this line's options do not admit the client now; NULL if they do. */
static const char *
refusal(const struct keyfile_question *q, const struct authkeys_opts *o)
{
	if (o->cert_authority)
		return "it is for certificates";
	if (o->has_expiry && time(NULL) >= o->expiry)
		return "it has expired";
	if (o->from != NULL && pattern_peer_match(o->from, q->addr, NULL) != 1)
		return "its from= does not have this address";
	return NULL;
}

static int
try_line(const struct keyfile_question *q, struct span text, const char *where,
    struct authkeys_opts *out_opts)
{
	char why[AUTHKEYS_WHY_MAX];
	struct authkeys_line line;
	const char *no;
	int rc;

	rc = authkeys_parse_line(
	    text, (unsigned)q->options->required_rsa_size, why, &line);
	if (rc != 0) {
		log_info("%s: line refused: %s", where, why);
		return -ENOKEY;
	}
	if (line.key == NULL || !key_equal(line.key, q->key)) {
		authkeys_line_done(&line);
		return -ENOKEY;
	}
	no = refusal(q, &line.opts);
	if (no != NULL) {
		log_info("%s: key not used for %s from %s: %s", where,
		    q->account->name, q->addr, no);
		authkeys_line_done(&line);
		return -ENOKEY;
	}
	log_debug("%s: matching key found", where);
	*out_opts = line.opts;
	line.opts = (struct authkeys_opts){ .grants = 0 };
	authkeys_line_done(&line);
	return 0;
}

/*
 * Line by line. A line over the limit is refused whole: its rest must not be
 * read as a line of its own, or command= in front of a key would be lost.
 */
static int
try_text(const struct keyfile_question *q, struct span text, const char *path,
    struct authkeys_opts *out_opts)
{
	unsigned number = 0;

	while (text.len != 0) {
		const uint8_t *end = memchr(text.p, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.p) : text.len;
		char where[PATH_MAX + 16];

		snprintf(where, sizeof(where), "%s:%u", path, ++number);
		if (try_line(q, span_of(text.p, len), where, out_opts) == 0)
			return 0;
		len += end != NULL;
		text = span_of(text.p + len, text.len - len);
	}
	return -ENOKEY;
}

static int
try_file(const struct keyfile_question *q, const char *path,
    struct authkeys_opts *out_opts)
{
	AUTOCLOSE int fd = open_file(q, path);
	AUTO(writer_done) struct writer text = WRITER_INIT;
	uint8_t buf[8192];
	ssize_t n;

	if (fd < 0)
		return -ENOKEY;
	while ((n = read(fd, buf, sizeof(buf))) > 0 && text.len < KEYFILE_MAX)
		writer_bytes(&text, buf, (size_t)n);
	if (n != 0) {
		log_info("%s: not read: %s", path,
		    n < 0 ? err_str(-errno) : "larger than 16 MiB");
		return -ENOKEY;
	}
	if (writer_end(&text) != 0)
		return -ENOMEM;
	return try_text(q, span_of(text.p, text.len), path, out_opts);
}

int
may_use_key(const struct keyfile_question *q, struct authkeys_opts *out_opts)
{
	const struct words *files = &q->options->authorized_keys_file;
	int rc = userid_enter(q->account);

	if (rc != 0) {
		log_error(
		    "cannot act as user %s: %s", q->account->name, err_str(rc));
		return -ENOKEY;
	}
	rc = -ENOKEY;
	for (size_t i = 0; i < files->n && rc == -ENOKEY; i++) {
		char path[PATH_MAX];

		if (strcasecmp(files->v[i], "none") == 0 ||
		    expand(q->account, files->v[i], path, sizeof(path)) != 0)
			continue;
		rc = try_file(q, path, out_opts);
	}
	userid_leave();
	return rc;
}

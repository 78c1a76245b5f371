/*
 * authorized_keys. Runs in sshd-monitor; every file is opened and read with
 * the user's ids, and its content is the user's: hostile.
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"
#include "monitor/keycert.h"
#include "monitor/keyfile.h"
#include "monitor/userfile.h"
#include "monitor/userid.h"

const char *
keyfile_refusal(const struct conn *c, const struct authkeys_opts *o, bool ca)
{
	if (o->cert_authority && !ca)
		return "cert-authority has no place in it";
	if (o->principals != NULL && !o->cert_authority)
		return "it has principals= without cert-authority";
	if (o->has_expiry && time(NULL) >= o->expiry)
		return "it has expired";
	if (o->from != NULL && c->addr != NULL &&
	    pattern_peer_match(o->from, c->addr, c->host) != 1)
		return "its from= does not have this address";
	return NULL;
}

/* The line's key is the one, or the authority of the certificate. */
static bool
line_is_for(const struct authkeys_line *line, const struct userkey *k)
{
	if (k == NULL)
		return line->key != NULL;
	if (line->key == NULL || line->opts.cert_authority != (k->cert != NULL))
		return false;
	return key_equal(line->key, k->cert != NULL ? k->cert->ca : k->key);
}

/* The certificate's own say; principals= is in place of the user's name. */
static int
may_cert(const struct keyfile_question *q, struct authkeys_opts *opts,
    const char *where)
{
	const char *names = opts->principals;
	const char *no = NULL;

	if (names != NULL && !keycert_has_any(q->key->cert, names))
		no = KEYCERT_NO_PRINCIPAL;
	if (no == NULL)
		no = keycert_refusal(q, names == NULL, opts);
	if (no != NULL)
		keycert_log_refused(q, where, no);
	else
		keycert_log_accepted(q, where);
	return no == NULL ? 0 : -ENOKEY;
}

static int
try_line(const struct keyfile_question *q, struct span text, const char *where,
    struct authkeys_opts *out_opts)
{
	const struct conn *c = q->conn;
	AUTO(authkeys_line_done) struct authkeys_line line = { .key = NULL };
	char why[AUTHKEYS_WHY_MAX];
	const char *no;
	int rc;

	rc = authkeys_parse_line(
	    text, (unsigned)c->options.required_rsa_size, why, &line);
	if (rc != 0) {
		/* Once a connection: clients ask about each of their keys. */
		log_bounded(c->told_lines ? LEVEL_DEBUG : LEVEL_INFO,
		    "%s: line refused: %s", where, why);
		return -ENOKEY;
	}
	if (!line_is_for(&line, q->key))
		return -ENOKEY;
	no = keyfile_refusal(c, &line.opts, true);
	if (no != NULL) {
		log_bounded(LEVEL_INFO, "%s: key not used for %s from %s: %s",
		    where, c->account.name, c->addr, no);
		return -ENOKEY;
	}
	rc = q->key != NULL && q->key->cert != NULL
		 ? may_cert(q, &line.opts, where)
		 : 0;
	if (rc != 0)
		return rc;
	log_debug("%s: matching key found", where);
	*out_opts = line.opts;
	line.opts = (struct authkeys_opts){ .grants = 0 };
	return 0;
}

/*
 * Line by line. A line over the limit is refused whole: its rest must not be
 * read as a line of its own, or command= in front of a key would be lost.
 */
int
keyfile_may_text(const struct keyfile_question *q, struct span text,
    const char *path, struct authkeys_opts *out_opts)
{
	struct span line;
	unsigned number = 0;

	while (userfile_line(&text, &line)) {
		char where[PATH_MAX + 16];

		snprintf(where, sizeof(where), "%s:%u", path, ++number);
		if (try_line(q, line, where, out_opts) == 0)
			return 0;
	}
	return -ENOKEY;
}

static int
try_file(const struct keyfile_question *q, const char *path,
    struct authkeys_opts *out_opts)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;
	const struct userfile f = { path, "authorized keys" };
	int rc = userfile_read(&q->conn->account, &q->conn->options, &f, &text);

	if (rc != 0)
		return rc == -ENOMEM ? rc : -ENOKEY;
	return keyfile_may_text(q, span_of(text.p, text.len), path, out_opts);
}

int
keyfile_may(const struct keyfile_question *q, struct authkeys_opts *out_opts)
{
	const struct words *files = &q->conn->options.authorized_keys_file;
	const struct account *a = &q->conn->account;
	int rc = userid_enter(a);

	if (rc != 0) {
		log_error("cannot act as user %s: %s", a->name, err_str(rc));
		return -ENOKEY;
	}
	rc = -ENOKEY;
	for (size_t i = 0; i < files->n && rc == -ENOKEY; i++) {
		char path[PATH_MAX];

		if (userfile_expand(a, files->v[i], path, sizeof(path)) == 0)
			rc = try_file(q, path, out_opts);
	}
	userid_leave();
	return rc;
}

/*
 * Users' certificates. Runs in sshd-monitor as root: the certificate is the
 * client's and proved to be its authority's; files of authorities and programs
 * are the administrator's, files of principals the user's.
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
#include "monitor/keyprog.h"
#include "monitor/userfile.h"
#include "monitor/userid.h"

/* --- the certificate itself */

static struct span
trim(struct span s)
{
	while (s.len != 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_of(s.p + 1, s.len - 1);
	while (s.len != 0 && strchr(" \t\r", s.p[s.len - 1]) != NULL)
		s.len--;
	return s;
}

bool
keycert_has_any(const struct cert *cert, const char *names)
{
	for (const char *p = names;; p++) {
		size_t len = strcspn(p, ",");

		if (cert_names(cert, span_of(p, len)))
			return true;
		p += len;
		if (*p == '\0')
			return false;
	}
}

static const char *
check_validity(const struct keyfile_question *q, bool by_name)
{
	const struct cert *cert = q->key->cert;
	const char *name = q->conn->account.name;
	int64_t now = time(NULL);

	if (cert->type != CERT_USER)
		return "Certificate invalid: not a user certificate";
	if (now < 0 || (uint64_t)now < cert->valid_after)
		return "Certificate invalid: not yet valid";
	if (!cert_is_current(cert, now))
		return "Certificate invalid: expired";
	if (cert->nprincipals == 0)
		return "Certificate lacks principal list";
	if (by_name && !cert_names(cert, span_text(name)))
		return "Certificate invalid: name is not a listed principal";
	return NULL;
}

static bool
is_from_source(const struct conn *c, const struct cert_opts *o)
{
	if (o->source_address == NULL ||
	    cidr_list_match(c->addr, o->source_address) == 1)
		return true;
	log_bounded(LEVEL_INFO,
	    "Authentication tried for %s with valid certificate but not "
	    "from a permitted source address (%s).",
	    c->account.name, c->addr);
	return false;
}

const char *
keycert_refusal(
    const struct keyfile_question *q, bool by_name, struct authkeys_opts *opts)
{
	AUTO(cert_opts_done) struct cert_opts own = { .grants = 0 };
	struct authkeys_opts more = { .tunnel = AUTHKEYS_TUNNEL_ANY };
	const char *no = check_validity(q, by_name);

	if (no != NULL)
		return no;
	if (cert_read_opts(q->key->cert, &own) != 0)
		return "Invalid certificate options";
	if (!is_from_source(q->conn, &own))
		return "Refused by certificate options";
	more.grants = own.grants;
	more.verify_required = own.verify_required;
	more.no_touch_required = own.no_touch_required;
	more.command = take_ptr(&own.force_command);
	return authkeys_merge(opts, &more) == 0
		   ? NULL
		   : "forced command options do not match";
}

static char *
ca_print(const struct keyfile_question *q)
{
	char *print = NULL;

	if (key_fingerprint(q->key->cert->ca,
		(enum key_hash)q->conn->options.fingerprint_hash, &print) != 0)
		return NULL;
	return print;
}

void
keycert_log_refused(
    const struct keyfile_question *q, const char *where, const char *why)
{
	const struct cert *cert = q->key->cert;
	AUTOFREE char *print = ca_print(q);

	log_bounded(LEVEL_ERROR,
	    "Refusing certificate ID \"%.*s\" serial=%llu signed by %s "
	    "CA %s via %s: %s",
	    (int)cert->key_id.len, (const char *)cert->key_id.p,
	    (unsigned long long)cert->serial, key_kind(cert->ca)->display,
	    print != NULL ? print : "(unknown)", where, why);
}

void
keycert_log_accepted(const struct keyfile_question *q, const char *where)
{
	const struct cert *cert = q->key->cert;
	AUTOFREE char *print = ca_print(q);

	log_verbose("Accepted certificate ID \"%.*s\" (serial %llu) signed by "
		    "%s CA %s via %s",
	    (int)cert->key_id.len, (const char *)cert->key_id.p,
	    (unsigned long long)cert->serial, key_kind(cert->ca)->display,
	    print != NULL ? print : "(unknown)", where);
}

/* --- TrustedUserCAKeys */

/* A key a line; what is no key is passed over, as OpenSSH does. */
static bool
text_has_ca(const struct keyfile_question *q, struct span text)
{
	unsigned bits = (unsigned)q->conn->options.required_rsa_size;
	struct span line;

	while (userfile_line(&text, &line)) {
		AUTO(key_done) struct key *key = NULL;

		line = trim(line);
		if (line.len != 0 && line.p[0] != '#' &&
		    key_parse_line(line, bits, &key, NULL) == 0 &&
		    key_equal(key, q->key->cert->ca))
			return true;
	}
	return false;
}

/* The file that has the authority; NULL: none. */
static const char *
trusted_by(const struct keyfile_question *q)
{
	const struct words *files = &q->conn->options.trusted_user_ca_keys;

	for (size_t i = 0; i < files->n; i++) {
		AUTO(writer_done) struct writer text = WRITER_INIT;
		int rc = userfile_slurp(files->v[i], USERFILE_MAX, &text);

		if (rc != 0)
			log_error("TrustedUserCAKeys %s: %s", files->v[i],
			    err_str(rc));
		else if (text_has_ca(q, span_of(text.p, text.len)))
			return files->v[i];
	}
	return NULL;
}

/* --- principals */

/* All of the text is options. 0, or why says what is wrong. */
static int
parse_options(struct span text, char why[AUTHKEYS_WHY_MAX],
    struct authkeys_opts *out_opts)
{
	size_t taken;
	int rc;

	if (text.len > AUTHKEYS_LINE_MAX) {
		strlcpy(why, "the line is too long", AUTHKEYS_WHY_MAX);
		return -EMSGSIZE;
	}
	rc = authkeys_parse_opts(text, why, out_opts, &taken);
	if (rc == 0 && taken != text.len) {
		authkeys_opts_done(out_opts);
		strlcpy(why, "a blank between its options", AUTHKEYS_WHY_MAX);
		rc = -EBADMSG;
	}
	return rc;
}

/* "[options] principal": options end at the last blank, as in OpenSSH. */
static int
try_principal(const struct keyfile_question *q, struct span line,
    const char *where, struct authkeys_opts *out_opts)
{
	char why[AUTHKEYS_WHY_MAX];
	struct authkeys_opts opts;
	struct span options = line;
	const char *no;

	while (options.len != 0 && options.p[options.len - 1] != ' ' &&
	       options.p[options.len - 1] != '\t')
		options.len--;
	if (!cert_names(q->key->cert,
		span_of(line.p + options.len, line.len - options.len)))
		return -ENOKEY;
	if (parse_options(trim(options), why, &opts) != 0) {
		log_bounded(LEVEL_INFO, "%s: line refused: %s", where, why);
		return -ENOKEY;
	}
	no = keyfile_refusal(q->conn, &opts, false);
	if (no != NULL) {
		log_bounded(LEVEL_INFO,
		    "%s: principal not used for %s from %s: %s", where,
		    q->conn->account.name, q->conn->addr, no);
		authkeys_opts_done(&opts);
		return -ENOKEY;
	}
	*out_opts = opts;
	return 0;
}

static int
principals_text(const struct keyfile_question *q, struct span text,
    const char *path, struct authkeys_opts *out_opts)
{
	struct span line;
	unsigned number = 0;

	while (userfile_line(&text, &line)) {
		const uint8_t *comment =
		    line.len != 0 ? memchr(line.p, '#', line.len) : NULL;
		char where[PATH_MAX + 16];

		snprintf(where, sizeof(where), "%s:%u", path, ++number);
		if (comment != NULL)
			line.len = (size_t)(comment - line.p);
		line = trim(line);
		if (line.len != 0 &&
		    try_principal(q, line, where, out_opts) == 0)
			return 0;
	}
	return -ENOKEY;
}

static int
principals_files(
    const struct keyfile_question *q, struct authkeys_opts *out_opts)
{
	const struct conn *c = q->conn;
	const struct words *files = &c->options.authorized_principals_file;
	int rc = -ENOKEY;

	if (files->n == 0 || userid_enter(&c->account) != 0)
		return -ENOKEY;
	for (size_t i = 0; i < files->n && rc != 0; i++) {
		AUTO(writer_done) struct writer text = WRITER_INIT;
		char path[PATH_MAX];
		const struct userfile f = { path, "authorized principals" };

		if (userfile_expand(
			&c->account, files->v[i], path, sizeof(path)) == 0 &&
		    userfile_read(&c->account, &c->options, &f, &text) == 0)
			rc = principals_text(
			    q, span_of(text.p, text.len), path, out_opts);
	}
	userid_leave();
	return rc;
}

static int
principals_program(
    const struct keyfile_question *q, struct authkeys_opts *out_opts)
{
	const struct options *o = &q->conn->options;
	const struct keyprog prog = { "AuthorizedPrincipalsCommand",
		o->authorized_principals_command,
		o->authorized_principals_command_user };
	AUTO(writer_done) struct writer text = WRITER_INIT;

	if (prog.command == NULL || keyprog_run(q, &prog, &text) != 0)
		return -ENOKEY;
	return principals_text(
	    q, span_of(text.p, text.len), prog.keyword, out_opts);
}

/* --- together */

int
keycert_may(const struct keyfile_question *q, struct authkeys_opts *out_opts)
{
	const struct options *o = &q->conn->options;
	AUTO(authkeys_opts_done)
	struct authkeys_opts opts = AUTHKEYS_OPTS_ALL;
	bool listed = o->authorized_principals_file.n != 0 ||
		      o->authorized_principals_command != NULL;
	const char *no = NULL;
	const char *file;

	file = q->key->cert != NULL ? trusted_by(q) : NULL;
	if (file == NULL)
		return -ENOKEY;
	if (listed && principals_files(q, &opts) != 0 &&
	    principals_program(q, &opts) != 0)
		no = KEYCERT_NO_PRINCIPAL;
	if (no == NULL)
		no = keycert_refusal(q, !listed, &opts);
	if (no != NULL) {
		keycert_log_refused(q, file, no);
		return -ENOKEY;
	}
	keycert_log_accepted(q, file);
	*out_opts = opts;
	opts = (struct authkeys_opts){ .grants = 0 };
	return 0;
}

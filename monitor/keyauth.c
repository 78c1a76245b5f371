/*
 * Public key authentication. Runs in sshd-monitor as root. Key, signed bytes
 * and signature come from the hostile network process; what it says about them
 * is not asked for.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/log.h"
#include "common/option_algs.h"
#include "common/own.h"
#include "common/userauth.h"
#include "monitor/keyauth.h"
#include "monitor/keycert.h"
#include "monitor/keyprog.h"
#include "monitor/keyrevoked.h"

#define SERVICE "ssh-connection"
/* What a security key signs: two SHA-256 around flags and counter. */
#define SK_SIGNED_LEN (32 + 1 + 4 + 32)
#define SK_FLAGS_AT 32

static bool
in_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, name, len) == 0 &&
		    (p[len] == ',' || p[len] == '\0'))
			return true;
	}
	return false;
}

/* PubkeyAcceptedAlgorithms. */
static int
accepted_algs(const struct options *o, char **out_list)
{
	const struct option_algs algs = { o->pubkey_accepted_algorithms,
		OPTION_DEFAULT_PUBKEY_ALGS, OPTION_KNOWN_KEYS,
		KEYAUTH_AVAILABLE };
	char why[OPTION_WHY_MAX];

	return option_algs_resolve(&algs, why, out_list);
}

static bool
may_use_alg(const struct conn *c, const char *name)
{
	AUTOFREE char *list = NULL;

	return accepted_algs(&c->options, &list) == 0 && in_list(list, name);
}

/* The name of an algorithm, asked for with a certificate or without. */
static const char *
alg_name(const struct key_alg *alg, bool cert)
{
	return cert ? alg->cert_name : alg->name;
}

static bool
may_use_type(const struct conn *c, const struct userkey *k)
{
	for (size_t i = 0; i < key_nalgs; i++)
		if (key_algs[i].type == key_type(k->key) &&
		    may_use_alg(c, alg_name(&key_algs[i], k->cert != NULL)))
			return true;
	return false;
}

/* A key that is well formed and still not taken: its owner will ask why. */
static void
log_rejected(const struct conn *c, struct span blob)
{
	const struct key_kind *kind;
	struct reader r;
	bool cert = false;

	reader_init(&r, blob.p, blob.len);
	kind = key_kind_named(reader_string(&r, blob.len), &cert);
	log_info("refusing %s%s key of %s from %s port %u: %s",
	    kind != NULL ? kind->display : "unknown", cert ? "-CERT" : "",
	    c->user, c->addr, c->port,
	    cert ? "Invalid key length, or no good signature by an algorithm "
		   "of CASignatureAlgorithms"
		 : "Invalid key length");
}

/* Read the key and describe it for the log. */
static int
read_key(const struct conn *c, struct span blob, struct userkey *out_key,
    char **info)
{
	int rc = userkey_read(blob, &c->options, out_key);

	if (rc == -EKEYREJECTED)
		log_rejected(c, blob);
	if (rc != 0)
		return -EKEYREJECTED;
	*info = userkey_describe(out_key, &c->options);
	return 0;
}

/* Whether anything admits the key; *out_opts is what it may then. */
static int
may_use_key(
    struct conn *c, const struct userkey *k, struct authkeys_opts *out_opts)
{
	const struct keyfile_question q = { c, k };
	int rc;

	/* Unknown users too: a long list takes time that would tell. */
	rc = may_trust_key(&q);
	if (rc != 0)
		return rc;
	/* They have no files; their answer is padded all the same. */
	if (!c->valid)
		return -ENOKEY;
	rc = keyfile_may(&q, out_opts);
	if (rc != 0)
		rc = keycert_may(&q, out_opts);
	if (rc != 0)
		rc = keyprog_may(&q, out_opts);
	c->told_lines = true;
	return rc;
}

/* A second key of one login has to be another one, certified or not. */
static int
may_use_again(const struct conn *c, const struct userkey *k)
{
	for (size_t i = 0; i < c->nused; i++) {
		if (!key_equal(c->used[i], k->key))
			continue;
		log_info("refusing previously-used %s key",
		    key_kind(k->key)->display);
		return -EKEYREJECTED;
	}
	return 0;
}

int
keyauth_query(struct conn *c, struct span blob, char **out_info)
{
	AUTO(userkey_done) struct userkey key = { .key = NULL };
	struct authkeys_opts opts;
	int rc;

	rc = read_key(c, blob, &key, out_info);
	if (rc != 0)
		return rc;
	if (!may_use_type(c, &key) || may_use_again(c, &key) != 0)
		return -EKEYREJECTED;
	rc = may_use_key(c, &key, &opts);
	if (rc == 0)
		authkeys_opts_done(&opts);
	return rc;
}

static bool
is_this_session(const struct conn *c, struct span session_id)
{
	return c->session_id_len != 0 &&
	       span_eq(session_id, span_of(c->session_id, c->session_id_len));
}

/* The bytes are for this session, this user, this service, this key. */
static int
verify_plain(
    struct conn *c, const struct userkey *k, const struct msg_auth_signature *q)
{
	const struct writer *host = &c->hostkeys.slot[c->signed_with].blob;
	struct userauth_blob blob;
	int rc;

	rc = userauth_parse(q->data, &blob);
	if (rc != 0)
		return rc;
	if (!is_this_session(c, blob.session_id) ||
	    !span_is(blob.user, c->user) || !span_is(blob.service, SERVICE) ||
	    blob.cert != (k->cert != NULL) ||
	    !span_eq(blob.key, userkey_blob(k)) ||
	    !may_use_alg(c, alg_name(blob.alg, blob.cert)))
		return -EKEYREJECTED;
	if (blob.hostbound &&
	    !span_eq(blob.host_key, span_of(host->p, host->len)))
		return -EKEYREJECTED;
	return key_verify_raw(k->key, blob.alg, q->signature, q->data);
}

/*
 * A security key signs only a hash of the bytes, so they are built anew from
 * what is known here; with a host key, in the form that binds it.
 */
static int
verify_sk(struct conn *c, const struct userkey *k,
    const struct msg_auth_signature *q, struct key_sk_say say, bool hostbound)
{
	AUTO(writer_done) struct writer bytes = WRITER_INIT;
	const char *alg =
	    alg_name(key_alg_of(key_type(k->key)), k->cert != NULL);
	const struct writer *host = &c->hostkeys.slot[c->signed_with].blob;
	struct userauth_blob blob = {
		.session_id = span_of(c->session_id, c->session_id_len),
		.user = span_of(c->user, strlen(c->user)),
		.service = span_of(SERVICE, strlen(SERVICE)),
		.alg_name = span_of(alg, strlen(alg)),
		.key = userkey_blob(k),
		.hostbound = hostbound,
		.host_key = span_of(host->p, host->len),
	};
	int rc;

	rc = userauth_build(&blob, &bytes);
	if (rc != 0)
		return rc;
	return key_verify_sk(
	    k->key, q->signature, say, span_of(bytes.p, bytes.len));
}

static int
verify_sk_any(struct conn *c, const struct userkey *k,
    const struct msg_auth_signature *q, struct key_sk_say *out_say)
{
	struct reader r;
	struct key_sk_say say;
	int rc;

	if (q->data.len != SK_SIGNED_LEN || c->session_id_len == 0)
		return -EBADMSG;
	if (!may_use_type(c, k))
		return -EKEYREJECTED;
	reader_init(&r, q->data.p, q->data.len);
	reader_bytes(&r, SK_FLAGS_AT);
	say.flags = reader_u8(&r);
	say.counter = reader_u32(&r);
	rc = verify_sk(c, k, q, say, false);
	if (rc == -EKEYREJECTED)
		rc = verify_sk(c, k, q, say, true);
	if (rc == 0)
		*out_say = say;
	return rc;
}

static int
refuse_sk(const struct conn *c, const struct userkey *k, const char *what)
{
	log_error("public key %s %s signature for %s from %s port %u rejected: "
		  "%s requirement not met",
	    key_kind(k->key)->display, k->print, c->user, c->addr, c->port,
	    what);
	return -EACCES;
}

/* Touch and PIN: what libssh does not look at, sshd_config(5) may demand. */
static int
may_use_sk(const struct conn *c, const struct userkey *k,
    const struct authkeys_opts *opts, struct key_sk_say say)
{
	unsigned wanted = c->options.pubkey_auth_options;
	/* As OpenSSH: touch is needed unless the key's line says otherwise. */
	bool touch =
	    !opts->no_touch_required || (wanted & PUBKEY_TOUCH_REQUIRED) != 0;
	bool pin =
	    opts->verify_required || (wanted & PUBKEY_VERIFY_REQUIRED) != 0;

	if (touch && (say.flags & KEY_SK_TOUCHED) == 0)
		return refuse_sk(c, k, "user presence (authenticator touch)");
	if (pin && (say.flags & KEY_SK_VERIFIED) == 0)
		return refuse_sk(c, k, "user verification");
	return 0;
}

static int
verify(struct conn *c, const struct userkey *k,
    const struct msg_auth_signature *q, struct authkeys_opts *out_opts)
{
	struct key_sk_say say = { 0, 0 };
	int rc;

	rc = key_kind(k->key)->sk ? verify_sk_any(c, k, q, &say)
				  : verify_plain(c, k, q);
	if (rc == 0)
		rc = may_use_again(c, k);
	if (rc != 0)
		return rc;
	/* Options count only from here on: the signature is good. */
	rc = may_use_key(c, k, out_opts);
	if (rc == 0 && key_kind(k->key)->sk)
		rc = may_use_sk(c, k, out_opts, say);
	return rc;
}

/* As ExposeAuthInfo shows it. */
static int
describe_line(const struct userkey *k, char **out_line)
{
	AUTOFREE char *text = NULL;
	int rc = base64_encode(userkey_blob(k), BASE64_PADDED, &text);

	if (rc == 0 &&
	    asprintf(out_line, "publickey %s %s", userkey_type(k), text) < 0) {
		*out_line = NULL;
		rc = -ENOMEM;
	}
	return rc;
}

/* So that it does not count for a second step of the same login. */
static int
remember(struct conn *c, const struct userkey *k)
{
	struct key **grown =
	    reallocarray(c->used, c->nused + 1, sizeof(*grown));
	int rc;

	if (grown == NULL)
		return -ENOMEM;
	c->used = grown;
	rc = key_parse_blob(key_blob(k->key), 0, &grown[c->nused]);
	c->nused += rc == 0;
	return rc;
}

int
keyauth_verify(struct conn *c, const struct msg_auth_signature *q,
    struct authkeys_opts *out_opts, struct keyauth_say *out_say)
{
	AUTO(userkey_done) struct userkey key = { .key = NULL };
	AUTO(authkeys_opts_done) struct authkeys_opts opts = { .grants = 0 };
	int rc;

	rc = read_key(c, q->key, &key, &out_say->info);
	if (rc == 0)
		rc = verify(c, &key, q, &opts);
	if (rc == 0)
		rc = describe_line(&key, &out_say->line);
	if (rc == 0)
		rc = remember(c, &key);
	if (rc != 0)
		return rc;
	*out_opts = opts;
	opts = (struct authkeys_opts){ .grants = 0 };
	return 0;
}

/* A name at the end of a list with commas, once. */
static int
append_name(char **list, const char *name)
{
	char *longer;

	if (*list != NULL && in_list(*list, name))
		return 0;
	if (asprintf(&longer, "%s%s%s", *list != NULL ? *list : "",
		*list != NULL ? "," : "", name) < 0)
		return -ENOMEM;
	free(*list);
	*list = longer;
	return 0;
}

int
keyauth_signatures(const struct options *o, char **out_list)
{
	AUTOFREE char *accepted = NULL;
	AUTOFREE char *list = NULL;
	char *save = NULL;
	int rc = accepted_algs(o, &accepted);

	if (rc != 0)
		return rc;
	for (char *name = strtok_r(accepted, ",", &save);
	     name != NULL && rc == 0; name = strtok_r(NULL, ",", &save)) {
		bool cert;
		const struct key_alg *alg =
		    key_alg_named(span_of(name, strlen(name)), &cert);

		if (alg != NULL)
			rc = append_name(&list, alg->name);
	}
	if (rc == 0 && list == NULL)
		return -EBADMSG;
	*out_list = take_ptr(&list);
	return rc;
}

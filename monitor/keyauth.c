/*
 * Public key authentication. Runs in sshd-monitor as root. Key, signed bytes
 * and signature come from the hostile network process; what it says about them
 * is not asked for.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/option_algs.h"
#include "common/own.h"
#include "common/userauth.h"
#include "monitor/keyauth.h"
#include "monitor/keyfile.h"

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
static bool
may_use_alg(const struct conn *c, const char *name)
{
	struct option_algs algs = { c->options.pubkey_accepted_algorithms,
		OPTION_DEFAULT_PUBKEY_ALGS, OPTION_KNOWN_KEYS,
		KEYAUTH_AVAILABLE };
	AUTOFREE char *list = NULL;
	char why[OPTION_WHY_MAX];

	return option_algs_resolve(&algs, why, &list) == 0 &&
	       in_list(list, name);
}

static bool
may_use_type(const struct conn *c, enum key_type type)
{
	for (size_t i = 0; i < key_nalgs; i++)
		if (key_algs[i].type == type &&
		    may_use_alg(c, key_algs[i].name))
			return true;
	return false;
}

/* A key that is well formed and still not taken: its owner will ask why. */
static void
log_rejected(const struct conn *c, struct span blob)
{
	const struct key_kind *kind;
	struct reader r;
	bool cert;

	reader_init(&r, blob.p, blob.len);
	kind = key_kind_named(reader_string(&r, blob.len), &cert);
	log_info("refusing %s key of %s from %s port %u: Invalid key length",
	    kind != NULL ? kind->display : "unknown", c->user, c->addr,
	    c->port);
}

/* Read the key and describe it for the log. */
static int
read_key(
    const struct conn *c, struct span blob, struct key **out_key, char **info)
{
	AUTO(key_done) struct key *key = NULL;
	AUTOFREE char *print = NULL;
	enum key_hash hash = (enum key_hash)c->options.fingerprint_hash;
	int rc;

	rc = key_parse_blob(blob, (unsigned)c->options.required_rsa_size, &key);
	if (rc == -EKEYREJECTED)
		log_rejected(c, blob);
	if (rc != 0)
		return -EKEYREJECTED;
	if (key_fingerprint(key, hash, &print) != 0 ||
	    asprintf(info, "%s %s", key_kind(key)->display, print) < 0) {
		*info = NULL;
		return -ENOMEM;
	}
	*out_key = take_ptr(&key);
	return 0;
}

static int
find_line(struct conn *c, const struct key *key, struct authkeys_opts *out_opts)
{
	struct keyfile_question q = { &c->account, &c->options, c->addr, key };

	/* Unknown users have no files; their answer is padded all the same. */
	return c->valid ? may_use_key(&q, out_opts) : -ENOKEY;
}

int
keyauth_query(struct conn *c, struct span blob, char **out_info)
{
	AUTO(key_done) struct key *key = NULL;
	struct authkeys_opts opts;
	int rc;

	rc = read_key(c, blob, &key, out_info);
	if (rc != 0)
		return rc;
	if (!may_use_type(c, key_type(key)))
		return -EKEYREJECTED;
	rc = find_line(c, key, &opts);
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
    struct conn *c, const struct key *key, const struct msg_auth_signature *q)
{
	const struct writer *host = &c->hostkeys.slot[c->signed_with].blob;
	struct userauth_blob blob;
	int rc;

	rc = userauth_parse(q->data, &blob);
	if (rc != 0)
		return rc;
	if (!is_this_session(c, blob.session_id) ||
	    !span_is(blob.user, c->user) || !span_is(blob.service, SERVICE) ||
	    blob.cert || !span_eq(blob.key, key_blob(key)) ||
	    !may_use_alg(c, blob.alg->name))
		return -EKEYREJECTED;
	if (blob.hostbound &&
	    !span_eq(blob.host_key, span_of(host->p, host->len)))
		return -EKEYREJECTED;
	return key_verify_raw(key, blob.alg, q->signature, q->data);
}

/*
 * A security key signs only a hash of the bytes, so they are built anew from
 * what is known here; with a host key, in the form that binds it.
 */
static int
verify_sk(struct conn *c, const struct key *key,
    const struct msg_auth_signature *q, struct key_sk_say say, bool hostbound)
{
	AUTO(writer_done) struct writer bytes = WRITER_INIT;
	const struct key_alg *alg = key_alg_of(key_type(key));
	const struct writer *host = &c->hostkeys.slot[c->signed_with].blob;
	struct userauth_blob blob = {
		.session_id = span_of(c->session_id, c->session_id_len),
		.user = span_of(c->user, strlen(c->user)),
		.service = span_of(SERVICE, strlen(SERVICE)),
		.alg_name = span_of(alg->name, strlen(alg->name)),
		.key = key_blob(key),
		.hostbound = hostbound,
		.host_key = span_of(host->p, host->len),
	};
	int rc;

	rc = userauth_build(&blob, &bytes);
	if (rc != 0)
		return rc;
	return key_verify_sk(
	    key, q->signature, say, span_of(bytes.p, bytes.len));
}

static int
verify_sk_any(struct conn *c, const struct key *key,
    const struct msg_auth_signature *q, struct key_sk_say *out_say)
{
	struct reader r;
	struct key_sk_say say;
	int rc;

	if (q->data.len != SK_SIGNED_LEN || c->session_id_len == 0)
		return -EBADMSG;
	if (!may_use_type(c, key_type(key)))
		return -EKEYREJECTED;
	reader_init(&r, q->data.p, q->data.len);
	reader_bytes(&r, SK_FLAGS_AT);
	say.flags = reader_u8(&r);
	say.counter = reader_u32(&r);
	rc = verify_sk(c, key, q, say, false);
	if (rc == -EKEYREJECTED)
		rc = verify_sk(c, key, q, say, true);
	if (rc == 0)
		*out_say = say;
	return rc;
}

/* Touch and PIN: what libssh does not look at, sshd_config(5) may demand. */
static int
may_use_sk(const struct conn *c, const struct authkeys_opts *opts,
    struct key_sk_say say)
{
	unsigned wanted = c->options.pubkey_auth_options;
	/* As OpenSSH: touch is needed unless the key's line says otherwise. */
	bool touch =
	    !opts->no_touch_required || (wanted & PUBKEY_TOUCH_REQUIRED) != 0;
	bool pin =
	    opts->verify_required || (wanted & PUBKEY_VERIFY_REQUIRED) != 0;

	if (touch && (say.flags & KEY_SK_TOUCHED) == 0) {
		log_info(
		    "security key of %s was not touched; refused", c->user);
		return -EACCES;
	}
	if (pin && (say.flags & KEY_SK_VERIFIED) == 0) {
		log_info("security key of %s did not verify its user (PIN); "
			 "refused",
		    c->user);
		return -EACCES;
	}
	return 0;
}

int
keyauth_verify(struct conn *c, const struct msg_auth_signature *q,
    struct authkeys_opts *out_opts, char **out_info)
{
	AUTO(key_done) struct key *key = NULL;
	struct key_sk_say say = { 0, 0 };
	struct authkeys_opts opts;
	int rc;

	rc = read_key(c, q->key, &key, out_info);
	if (rc != 0)
		return rc;
	rc = key_kind(key)->sk ? verify_sk_any(c, key, q, &say)
			       : verify_plain(c, key, q);
	if (rc != 0)
		return rc;
	/* Options count only from here on: the signature is good. */
	rc = find_line(c, key, &opts);
	if (rc != 0)
		return rc;
	if (key_kind(key)->sk)
		rc = may_use_sk(c, &opts, say);
	if (rc != 0) {
		authkeys_opts_done(&opts);
		return rc;
	}
	*out_opts = opts;
	return 0;
}

/*
 * Reading OpenSSH certificates. Runs in the monitor (root) on a blob that the
 * client chose: the fields are cut first, then the authority's signature is
 * checked, and only then is there a certificate to ask about.
 */
#include "config.h"

#include <string.h>

#include "common/cert.h"
#include "common/err.h"
#include "common/key_impl.h"
#include "common/own.h"
#include "common/pattern.h"

void
cert_free(struct cert *cert)
{
	if (cert == NULL)
		return;
	key_free(cert->key);
	key_free(cert->ca);
	free(cert->principals);
	writer_done(&cert->blob);
	free(cert);
}

void
cert_done(struct cert **cert)
{
	cert_free(*cert);
	*cert = NULL;
}

/* The last fields, which parse_fields() leaves to others. */
struct tail {
	struct span principals;
	struct span ca;
	struct span body; /* all that is signed */
	struct span signature;
};

/* A string that is a name: short, and without NUL. */
static struct span
reader_name(struct reader *r)
{
	struct span s = reader_string(r, CERT_NAME_MAX);

	if (s.len != 0 && memchr(s.p, '\0', s.len) != NULL)
		r->failed = true;
	return s;
}

static int
parse_fields(struct cert *c, unsigned rsa_bits_min, struct tail *out_tail)
{
	const struct key_kind *kind;
	struct tail t;
	struct reader r;
	bool is_cert = false;
	uint32_t type;
	int e;

	reader_init(&r, c->blob.p, c->blob.len);
	kind = key_kind_named(reader_string(&r, KEY_NAME_MAX), &is_cert);
	if (r.failed)
		return -EBADMSG;
	if (kind == NULL || !is_cert)
		return -ENOTSUP;
	reader_string(&r, CERT_NONCE_MAX);
	e = key_read_public(&r, kind->type, rsa_bits_min, &c->key);
	if (e != 0)
		return e;
	c->serial = reader_u64(&r);
	type = reader_u32(&r);
	c->key_id = reader_name(&r);
	t.principals = reader_string(&r, CERT_BLOB_MAX);
	c->valid_after = reader_u64(&r);
	c->valid_before = reader_u64(&r);
	c->critical = reader_string(&r, CERT_BLOB_MAX);
	c->extensions = reader_string(&r, CERT_BLOB_MAX);
	reader_string(&r, CERT_BLOB_MAX); /* reserved */
	t.ca = reader_string(&r, KEY_BLOB_MAX);
	t.body = span_of(c->blob.p, c->blob.len - r.left);
	t.signature = reader_string(&r, CERT_BLOB_MAX);
	if (reader_end(&r) != 0 || (type != CERT_USER && type != CERT_HOST))
		return -EBADMSG;
	c->type = (enum cert_type)type;
	*out_tail = t;
	return 0;
}

static int
parse_principals(struct cert *c, struct span list)
{
	struct reader r;

	reader_init(&r, list.p, list.len);
	c->principals = calloc(CERT_PRINCIPALS_MAX, sizeof(*c->principals));
	if (c->principals == NULL)
		return -ENOMEM;
	while (r.left > 0 && !r.failed) {
		if (c->nprincipals == CERT_PRINCIPALS_MAX)
			return -EMSGSIZE;
		c->principals[c->nprincipals++] = reader_name(&r);
	}
	return reader_end(&r);
}

/* Whether a sorts strictly before b. */
static bool
is_before(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len != 0 ? memcmp(a.p, b.p, len) : 0;

	return order < 0 || (order == 0 && a.len < b.len);
}

/* Pairs of name and value; sorted by name, so that none is there twice. */
static int
check_pairs(struct span list)
{
	struct span last = { NULL, 0 };
	struct reader r;

	reader_init(&r, list.p, list.len);
	while (r.left > 0 && !r.failed) {
		struct span name = reader_name(&r);

		reader_string(&r, CERT_BLOB_MAX);
		if (!r.failed && !is_before(last, name))
			return -EBADMSG;
		last = name;
	}
	return reader_end(&r);
}

/* -ENOTSUP would say that the certificate is of no type of ours. */
static int
check_ca(struct cert *c, const struct tail *t, unsigned rsa_bits_min,
    const char *ca_algs)
{
	struct key_verdict verdict;
	int e = key_parse_blob(t->ca, rsa_bits_min, &c->ca);

	if (e == 0)
		e = key_verify_wire(c->ca, t->signature, t->body, &verdict);
	if (e != 0)
		return e == -ENOTSUP ? -EKEYREJECTED : e;
	if (pattern_list_match(verdict.alg->name, ca_algs, PATTERN_CASE) != 1)
		return -EKEYREJECTED;
	c->ca_alg = verdict.alg;
	return 0;
}

int
cert_parse(struct span blob, unsigned rsa_bits_min, const char *ca_algs,
    struct cert **out_cert)
{
	AUTO(cert_done) struct cert *c = calloc(1, sizeof(*c));
	struct tail t;
	int e;

	if (blob.len > CERT_BLOB_MAX)
		return -EMSGSIZE;
	if (c == NULL)
		return -ENOMEM;
	writer_bytes(&c->blob, blob.p, blob.len);
	e = writer_end(&c->blob);
	if (e == 0)
		e = parse_fields(c, rsa_bits_min, &t);
	if (e == 0)
		e = parse_principals(c, t.principals);
	if (e == 0)
		e = check_pairs(c->critical);
	if (e == 0)
		e = check_pairs(c->extensions);
	if (e == 0)
		e = check_ca(c, &t, rsa_bits_min, ca_algs);
	if (e != 0)
		return e;
	*out_cert = take_ptr(&c);
	return 0;
}

bool
cert_is_current(const struct cert *cert, int64_t now)
{
	return now >= 0 && (uint64_t)now >= cert->valid_after &&
	       (uint64_t)now < cert->valid_before;
}

bool
cert_names(const struct cert *cert, struct span principal)
{
	for (size_t i = 0; principal.len != 0 && i < cert->nprincipals; i++)
		if (span_eq(cert->principals[i], principal))
			return true;
	return false;
}

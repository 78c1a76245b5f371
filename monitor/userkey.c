/*
 * Users' keys and certificates. Runs in sshd-monitor as root on a blob that
 * the client chose.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/option_algs.h"
#include "common/own.h"
#include "monitor/userkey.h"

static int
ca_algs(const struct options *o, char **out_list)
{
	const struct option_algs algs = { o->ca_signature_algorithms,
		OPTION_DEFAULT_CA_ALGS, OPTION_KNOWN_KEYS, NULL };
	char why[OPTION_WHY_MAX];

	return option_algs_resolve(&algs, why, out_list);
}

static bool
is_cert(struct span blob)
{
	struct reader r;
	bool cert = false;

	reader_init(&r, blob.p, blob.len);
	return key_kind_named(reader_string(&r, blob.len), &cert) != NULL &&
	       cert;
}

static int
read_either(struct span blob, const struct options *o, struct userkey *k)
{
	unsigned bits = (unsigned)o->required_rsa_size;
	AUTOFREE char *algs = NULL;
	int rc;

	if (!is_cert(blob)) {
		rc = key_parse_blob(blob, bits, &k->plain);
		k->key = k->plain;
		return rc;
	}
	rc = ca_algs(o, &algs);
	if (rc == 0)
		rc = cert_parse(blob, bits, algs, &k->cert);
	if (rc == 0)
		k->key = k->cert->key;
	return rc;
}

int
userkey_read(struct span blob, const struct options *o, struct userkey *out_key)
{
	AUTO(userkey_done) struct userkey k = { .key = NULL };
	enum key_hash hash = (enum key_hash)o->fingerprint_hash;
	int rc = read_either(blob, o, &k);

	if (rc == 0)
		rc = key_fingerprint(k.key, hash, &k.print);
	if (rc != 0)
		return rc;
	*out_key = k;
	k = (struct userkey){ .key = NULL };
	return 0;
}

void
userkey_done(struct userkey *k)
{
	key_done(&k->plain);
	cert_done(&k->cert);
	free(k->print);
	*k = (struct userkey){ .key = NULL };
}

struct span
userkey_blob(const struct userkey *k)
{
	return k->cert != NULL ? span_of(k->cert->blob.p, k->cert->blob.len)
			       : key_blob(k->key);
}

const char *
userkey_type(const struct userkey *k)
{
	const struct key_kind *kind = key_kind(k->key);

	return k->cert != NULL ? kind->cert_name : kind->name;
}

char *
userkey_describe(const struct userkey *k, const struct options *o)
{
	const struct cert *cert = k->cert;
	AUTOFREE char *ca_print = NULL;
	char *text = NULL;
	int n;

	if (cert == NULL) {
		n = asprintf(
		    &text, "%s %s", key_kind(k->key)->display, k->print);
		return n < 0 ? NULL : text;
	}
	if (key_fingerprint(
		cert->ca, (enum key_hash)o->fingerprint_hash, &ca_print) != 0)
		return NULL;
	n = asprintf(&text, "%s-CERT %s ID %.*s (serial %llu) CA %s %s",
	    key_kind(k->key)->display, k->print, (int)cert->key_id.len,
	    (const char *)cert->key_id.p, (unsigned long long)cert->serial,
	    key_kind(cert->ca)->display, ca_print);
	return n < 0 ? NULL : text;
}

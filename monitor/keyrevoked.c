/*
 * Revoked keys. Runs in sshd-monitor as root; the lists are the
 * administrator's and are read anew for each login, so that a change counts
 * at once.
 */
#include "config.h"

#include <stdio.h>

#include "common/err.h"
#include "common/krl.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/keyrevoked.h"
#include "monitor/userfile.h"

/* A key, and the certificate by which it came, if any. */
static int
check(struct span list, const char *path, const struct key *key,
    const struct cert *cert)
{
	unsigned line = 0;
	int rc = krl_is_binary(list) ? krl_check(list, key, cert)
				     : krl_check_text(list, key, &line);

	if (line != 0)
		log_error("RevokedKeys %s:%u: no public key", path, line);
	return rc;
}

static int
check_file(const struct keyfile_question *q, const char *path)
{
	const struct userkey *k = q->key;
	AUTO(writer_done) struct writer text = WRITER_INIT;
	struct span list;
	int rc = userfile_slurp(path, KRL_FILE_MAX, &text);

	if (rc != 0)
		return rc;
	list = span_of(text.p, text.len);
	rc = check(list, path, k->key, k->cert);
	if (rc == 0 && k->cert != NULL)
		rc = check(list, path, k->cert->ca, NULL);
	return rc;
}

int
may_trust_key(const struct keyfile_question *q)
{
	const struct words *files = &q->conn->options.revoked_keys;
	const char *kind = key_kind(q->key->key)->display;
	const char *mark = q->key->cert != NULL ? "-CERT" : "";

	for (size_t i = 0; i < files->n; i++) {
		int rc = check_file(q, files->v[i]);

		if (rc == 0)
			continue;
		if (rc == -EKEYREVOKED)
			log_error("Authentication key %s%s %s revoked by file "
				  "%s",
			    kind, mark, q->key->print, files->v[i]);
		else
			log_error("Error checking authentication key %s%s %s "
				  "in revoked keys file %s: %s",
			    kind, mark, q->key->print, files->v[i],
			    err_str(rc));
		return -EKEYREVOKED;
	}
	return 0;
}

/*
 * Certificates: dates, principals and options, and the authorities that
 * TrustedUserCAKeys trusts with every user.
 */
#ifndef MONITOR_KEYCERT_H
#define MONITOR_KEYCERT_H

#include "monitor/keyfile.h"

#define KEYCERT_NO_PRINCIPAL \
	"Certificate does not contain an authorized principal"

/* Whether a name of the list, which has commas, is one of its principals. */
bool keycert_has_any(const struct cert *cert, const char *names);

/*
 * Why the certificate does not admit the client now, in OpenSSH's words; NULL:
 * it does, and opts is narrowed to what it permits. by_name: the user's name
 * must be one of its principals.
 */
const char *keycert_refusal(
    const struct keyfile_question *q, bool by_name, struct authkeys_opts *opts);

/* What became of it, with its id, serial number and authority. */
void keycert_log_refused(
    const struct keyfile_question *q, const char *where, const char *why);
void keycert_log_accepted(const struct keyfile_question *q, const char *where);

/*
 * Whether TrustedUserCAKeys, with the principals of AuthorizedPrincipalsFile
 * and AuthorizedPrincipalsCommand if there are any, admits the certificate.
 * As keyfile_may(); -ENOKEY for a plain key.
 */
int keycert_may(
    const struct keyfile_question *q, struct authkeys_opts *out_opts);

#endif

/*
 * Key revocation lists (OpenSSH's PROTOCOL.krl, made by ssh-keygen -k), and
 * lists of keys as text. The monitor (root) reads them; they are the
 * administrator's, but one that is damaged must not let a revoked key in.
 */
#ifndef COMMON_KRL_H
#define COMMON_KRL_H

#include <stdbool.h>

#include "common/cert.h"
#include "common/key.h"
#include "common/wire.h"

#define KRL_FILE_MAX (64u << 20) /* bytes of a list that are read */
#define KRL_LINE_MAX 32768       /* of a line of text */

/* Whether the bytes are a binary list, not one of text. */
bool krl_is_binary(struct span file);

/*
 * Whether a binary list, which is read to its last byte, revokes the key; with
 * a certificate key is the certified one, and the certificate is looked for by
 * serial number and key id too. The authority's own key is another question,
 * to be asked without a certificate. 0: it does not; -EKEYREVOKED; -EBADMSG:
 * malformed; -ENOTSUP: a version, or a critical part, that we do not know;
 * -ENOMEM. Signatures in the list are passed over, as OpenSSH does.
 */
int krl_check(struct span file, const struct key *key, const struct cert *cert);

/*
 * The same for a list of text: a public key, a certificate or a fingerprint
 * ("SHA256:..." as ssh-keygen -l shows it) a line, blank lines and comments. A
 * certificate stands for the key in it, as in OpenSSH. -EBADMSG: a line is
 * none of these; *out_line is its number.
 */
int krl_check_text(struct span file, const struct key *key, unsigned *out_line);

#endif

/*
 * The seam between libssh and libcrypto. libssh signs the key exchange and
 * checks users' signatures by two libcrypto calls; this program defines both,
 * so that neither happens in this process: the first is asked of the monitor,
 * the second is put aside for it. See ARCHITECTURE.md, "the seam".
 */
#ifndef SSHD_SEAM_H
#define SSHD_SEAM_H

#include "sshd/net.h"

#define SEAM_NKEYS 3
#define SEAM_DATA_MAX 20480 /* AUTH_SIGNATURE's data, msg.def */
#define SEAM_SIGNATURE_MAX 4096

/* What libssh last wanted verified. */
struct seam_verify {
	size_t data_len;
	size_t signature_len;
	uint8_t data[SEAM_DATA_MAX];
	uint8_t signature[SEAM_SIGNATURE_MAX];
};

/*
 * From now on, signatures by a key with one of these public blobs (empty: there
 * is none of that kind; order as in msg.def SIGN) are the monitor's. n must
 * live as long as the process. 0, -EBADMSG for a blob that is no key, -ENOSYS
 * when libcrypto's own functions cannot be found.
 */
int seam_init(struct net *n, const struct span blobs[SEAM_NKEYS]);

/*
 * What was last given to be verified; NULL if nothing since the last call.
 * The seam told libssh "good" without looking: only the monitor looks.
 */
const struct seam_verify *seam_take_verify(void);

#endif

/*
 * OpenSSH certificates (draft-miller-ssh-cert, PROTOCOL.certkeys): a public
 * key with names, dates and options, signed by an authority. The monitor
 * (root) reads them as they come from its hostile network process; a struct
 * cert exists only if its authority's signature was found good.
 */
#ifndef COMMON_CERT_H
#define COMMON_CERT_H

#include <stdbool.h>

#include "common/key.h"
#include "common/wire.h"

#define CERT_BLOB_MAX 16384
#define CERT_PRINCIPALS_MAX 256
#define CERT_NAME_MAX 1024 /* key id, one principal, an option's name */
#define CERT_NONCE_MAX 256

enum cert_type {
	CERT_USER = 1,
	CERT_HOST = 2,
};

/* All spans borrow from blob; none of the names holds a NUL. */
struct cert {
	struct writer blob;
	struct key *key; /* what is certified */
	struct key *ca;
	const struct key_alg *ca_alg; /* what the authority signed with */
	enum cert_type type;
	uint64_t serial;
	struct span key_id; /* any other byte: encode it before logging */
	struct span *principals;
	size_t nprincipals;
	uint64_t valid_after;  /* seconds since 1970, inclusive */
	uint64_t valid_before; /* exclusive; UINT64_MAX is for ever */
	struct span critical;  /* names and values in order, none twice */
	struct span extensions;
};

/* What options and extensions say; strings are owned, NULL if absent. */
struct cert_opts {
	uint32_t grants; /* GRANT_ of authkeys.h, by permit-… extensions */
	bool verify_required;
	bool no_touch_required;
	char *force_command;
	char *source_address; /* a list for cidr_list_match(), checked */
};

/*
 * Read a certificate to its last byte and check its authority's signature,
 * whose algorithm must be in ca_algs (a list for pattern_list_match(), as
 * CASignatureAlgorithms). It does not say that the authority is trusted, nor
 * that type, dates, principals and options fit: ask below. -EBADMSG:
 * malformed; -EKEYREJECTED: signature, algorithm or key not good; -ENOTSUP:
 * no certificate, or of a type we do not have; -EMSGSIZE; -ENOMEM.
 */
int cert_parse(struct span blob, unsigned rsa_bits_min, const char *ca_algs,
    struct cert **out_cert);

/* Release; NULL is fine. */
void cert_free(struct cert *cert);
/* For AUTO(cert_done). */
void cert_done(struct cert **cert);

/* Whether now, in seconds since 1970, is within the dates. */
bool cert_is_current(const struct cert *cert, int64_t now);

/*
 * Whether it names exactly this principal; without principals it names none,
 * and the empty name, which it may hold, is nobody's.
 */
bool cert_names(const struct cert *cert, struct span principal);

/*
 * Read critical options and extensions of a user certificate. -EACCES: a
 * critical option that we do not know (extensions are passed over); -EBADMSG:
 * a value is not valid; -ENOMEM. Release with cert_opts_done().
 */
int cert_read_opts(const struct cert *cert, struct cert_opts *out_opts);
void cert_opts_done(struct cert_opts *opts);

#endif

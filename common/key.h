/*
 * Public and private keys: formats, fingerprints, signatures, on libcrypto.
 * The monitor (root) uses it on blobs and signatures that come from its
 * hostile network process; sshd and the client on files. Every parser reads
 * to the last byte and accepts one encoding of each key, so keys are equal
 * when their blobs are.
 */
#ifndef COMMON_KEY_H
#define COMMON_KEY_H

#include <stdbool.h>

#include "common/wire.h"

/* RSA modulus sizes, in bits. */
#define KEY_RSA_BITS_DEFAULT 2048
#define KEY_RSA_BITS_LEAST 1024 /* no caller may ask for less */
#define KEY_RSA_BITS_MAX 16384
/* Longest plain public key blob: RSA of KEY_RSA_BITS_MAX and some room. */
#define KEY_BLOB_MAX 4096
#define KEY_SK_APPLICATION_MAX 1024
/* Longest raw signature: RSA of KEY_RSA_BITS_MAX. */
#define KEY_SIG_MAX (KEY_RSA_BITS_MAX / 8)
/* Longest private key file that is read. */
#define KEY_FILE_MAX 65536

enum key_type {
	KEY_ED25519,
	KEY_ECDSA_P256,
	KEY_ECDSA_P384,
	KEY_ECDSA_P521,
	KEY_RSA,
	KEY_SK_ED25519,
	KEY_SK_ECDSA,
	KEY_TYPE_COUNT,
};

enum key_digest {
	KEY_DIGEST_NONE, /* the key signs the message itself: Ed25519 */
	KEY_DIGEST_SHA256,
	KEY_DIGEST_SHA384,
	KEY_DIGEST_SHA512,
};

enum key_hash { /* of fingerprints, as FingerprintHash names them */
	KEY_HASH_SHA256,
	KEY_HASH_MD5,
};

/* One row a key type. */
struct key_kind {
	enum key_type type;
	const char *name;      /* in the public blob and in files */
	const char *cert_name; /* in the blob of a certificate of such a key */
	const char *display;   /* in logs: "ED25519", "ECDSA-SK" */
	const char *curve;     /* RFC 5656 section 6.1, or NULL */
	bool sk;               /* a FIDO security key, PROTOCOL.u2f */
};

/*
 * One row a signature algorithm. RSA keys have two, rsa-sha2-512 first; there
 * is no row for SHA-1, so "ssh-rsa" names a key but signs nothing.
 */
struct key_alg {
	const char *name;      /* RFC 8332, RFC 5656, RFC 8709, PROTOCOL.u2f */
	const char *cert_name; /* the same, asked for with a certificate */
	enum key_type type;
	enum key_digest digest;
};

extern const struct key_kind key_kinds[KEY_TYPE_COUNT]; /* by key_type */
extern const struct key_alg key_algs[];
extern const size_t key_nalgs;

/* What a security key says besides its signature; PROTOCOL.u2f. */
struct key_sk_say {
	uint8_t flags;
	uint32_t counter;
};
#define KEY_SK_TOUCHED 0x01  /* user present */
#define KEY_SK_VERIFIED 0x04 /* PIN or biometric */

struct key;

/* Release; private parts are wiped. NULL is fine. */
void key_free(struct key *key);
/* For AUTO(key_done). */
void key_done(struct key **key);

/* The row with this blob name, or NULL; *out_cert: it is the cert_name. */
const struct key_kind *key_kind_named(struct span name, bool *out_cert);
/* The row with this algorithm name, or NULL; *out_cert as above. */
const struct key_alg *key_alg_named(struct span name, bool *out_cert);
/* The first algorithm of a type, which is the one to prefer. */
const struct key_alg *key_alg_of(enum key_type type);
/* The row of type and digest (what rsa-sha2-256 is), or NULL. */
const struct key_alg *key_alg_with(enum key_type type, enum key_digest digest);

/*
 * Read a public key blob (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709
 * section 4, PROTOCOL.u2f) to its last byte. rsa_bits_min is clamped to
 * KEY_RSA_BITS_LEAST. -EBADMSG: malformed or not in its one canonical form;
 * -EKEYREJECTED: well formed, but an RSA size or exponent out of bounds or a
 * point that is not on its curve; -ENOTSUP: a type we do not have (also
 * certificates: cert.h); -EMSGSIZE; -ENOMEM.
 */
int key_parse_blob(
    struct span blob, unsigned rsa_bits_min, struct key **out_key);

/*
 * Read "type base64 [comment]" as in a .pub file or the end of a line of
 * authorized_keys(5); the type must be the blob's. *out_comment borrows from
 * line (the rest behind white space, may be empty); it may be NULL. Errors as
 * key_parse_blob().
 */
int key_parse_line(struct span line, unsigned rsa_bits_min,
    struct key **out_key, struct span *out_comment);

/*
 * Read a private key file: openssh-key-v1 without a cipher (PROTOCOL.key), or
 * PEM (PKCS#8 and the traditional forms) without a passphrase. The public half
 * is checked against the private one. -EKEYREJECTED: encrypted (ask
 * key_needs_passphrase()), halves that do not belong together, or out of
 * bounds; -EBADMSG: malformed; -ENOTSUP: a type we do not have, or a security
 * key, whose private half is not in any file; -EMSGSIZE; -ENOMEM.
 */
int key_load_private(
    struct span file, unsigned rsa_bits_min, struct key **out_key);

/* Whether the bytes are a private key file that a passphrase protects. */
bool key_needs_passphrase(struct span file);

/* Facts. Spans borrow from the key. */
enum key_type key_type(const struct key *key);
const struct key_kind *key_kind(const struct key *key);
struct span key_blob(const struct key *key);
unsigned key_bits(const struct key *key); /* as ssh-keygen -l shows it */
/* libcrypto's object, which stays the key's: EVP_PKEY_up_ref() to keep it. */
struct evp_pkey_st *key_evp(const struct key *key);
/* Whether both have the same public half. */
bool key_equal(const struct key *a, const struct key *b);

/*
 * "SHA256:" and bare base64, or "MD5:" and hex pairs with colons, as OpenSSH's
 * logs and ssh-keygen -l show them; the caller frees it. 0 or -ENOMEM.
 */
int key_fingerprint(const struct key *key, enum key_hash hash, char **out_text);
/* The same for any blob: a certificate's, or a key we cannot read. */
int key_fingerprint_blob(struct span blob, enum key_hash hash, char **out_text);

/*
 * Append exactly what EVP_DigestSign() gives: Ed25519's 64 bytes, ECDSA as
 * DER, RSA PKCS#1 v1.5. RSA takes KEY_DIGEST_SHA256 or KEY_DIGEST_SHA512; the
 * others have one digest each, and KEY_DIGEST_NONE means it. -EINVAL: a digest
 * that does not fit the key; -ENOKEY: no private half; -EIO: libcrypto failed.
 */
int key_sign_raw(const struct key *key, enum key_digest digest,
    struct span data, struct writer *out);

/*
 * Check a signature in the same raw form. 0 only if it is good; -EKEYREJECTED
 * when it is not, when alg is not of the key's type, or for a security key
 * (key_verify_sk()); -ENOMEM.
 */
int key_verify_raw(const struct key *key, const struct key_alg *alg,
    struct span sig, struct span data);

/*
 * Check a security key's signature: it covers SHA256(application), flags,
 * counter, SHA256(message) (PROTOCOL.u2f). sig is raw: 64 bytes, or DER. 0
 * says that the key signed these flags, NOT that they suffice: the caller
 * demands KEY_SK_TOUCHED and KEY_SK_VERIFIED. Errors as key_verify_raw().
 */
int key_verify_sk(const struct key *key, struct span sig, struct key_sk_say say,
    struct span message);

/* What key_verify_wire() found in a signature. */
struct key_verdict {
	const struct key_alg *alg;
	struct key_sk_say say; /* zero but for a security key */
};

/*
 * Check a signature as the wire has it: string algorithm, string signature
 * (RFC 4253 section 6.6; ECDSA as two mpints, RFC 5656 section 3.1.2), for
 * security keys flags and counter behind it. out_verdict may be NULL; what it
 * says must suffice is the caller's to decide. -EBADMSG: malformed; else as
 * key_verify_raw().
 */
int key_verify_wire(const struct key *key, struct span sig, struct span data,
    struct key_verdict *out_verdict);

/*
 * A private key file (openssh-key-v1) that has the true public half and a
 * worthless private one: what the network process gives to libssh, which
 * cannot do without. NUL-terminated, the caller frees it. -ENOTSUP: security
 * keys; -ENOMEM.
 */
int key_hollow_pem(const struct key *key, char **out_pem);

#endif

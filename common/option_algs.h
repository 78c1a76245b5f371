/*
 * Algorithm lists of sshd_config(5): what is offered by default, which names
 * there are, and what "+", "-" and "^" mean. For the monitor, which reads the
 * configuration, and the network process, which knows its library.
 */
#ifndef COMMON_OPTION_ALGS_H
#define COMMON_OPTION_ALGS_H

#define OPTION_WHY_MAX 256 /* text of an error, with its NUL */

/*
 * Offered where the configuration says nothing, the best first; a library
 * that lacks one is not asked for it. No SHA-1, no NIST curve in the key
 * exchange, no MAC that is computed before encryption.
 */
#define OPTION_DEFAULT_KEX \
	"mlkem768x25519-sha256,sntrup761x25519-sha512," \
	"sntrup761x25519-sha512@openssh.com,curve25519-sha256," \
	"curve25519-sha256@libssh.org,diffie-hellman-group16-sha512"
#define OPTION_DEFAULT_CIPHERS \
	"chacha20-poly1305@openssh.com,aes256-gcm@openssh.com," \
	"aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"
#define OPTION_DEFAULT_MACS \
	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com"
#define OPTION_DEFAULT_HOSTKEY_ALGS \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384," \
	"ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"
#define OPTION_DEFAULT_CA_ALGS \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384," \
	"ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com," \
	"sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256"
#define OPTION_DEFAULT_PUBKEY_ALGS \
	"ssh-ed25519-cert-v01@openssh.com," \
	"ecdsa-sha2-nistp256-cert-v01@openssh.com," \
	"ecdsa-sha2-nistp384-cert-v01@openssh.com," \
	"ecdsa-sha2-nistp521-cert-v01@openssh.com," \
	"sk-ssh-ed25519-cert-v01@openssh.com," \
	"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com," \
	"rsa-sha2-512-cert-v01@openssh.com," \
	"rsa-sha2-256-cert-v01@openssh.com," OPTION_DEFAULT_CA_ALGS

/*
 * What may be offered if the library can: group exchange opens a file in the
 * middle of a session, which the jail of the network process forbids; and a
 * SHA-1 is nothing that the monitor signs (answer_sign()).
 */
#define OPTION_AVAILABLE_KEX \
	OPTION_DEFAULT_KEX \
	",mlkem768nistp256-sha256,mlkem1024nistp384-sha384," \
	"ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521," \
	"diffie-hellman-group14-sha256,diffie-hellman-group18-sha512"

/*
 * Names that an administrator may write: those that this suite, OpenSSH or
 * libssh knows. What is no such name is a typing error.
 */
#define OPTION_KNOWN_KEX \
	OPTION_AVAILABLE_KEX \
	",diffie-hellman-group14-sha1,diffie-hellman-group1-sha1," \
	"diffie-hellman-group-exchange-sha256," \
	"diffie-hellman-group-exchange-sha1"
#define OPTION_KNOWN_CIPHERS \
	OPTION_DEFAULT_CIPHERS \
	",aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc," \
	"rijndael-cbc@lysator.liu.se,arcfour,arcfour128,arcfour256," \
	"blowfish-cbc,cast128-cbc"
#define OPTION_KNOWN_MACS \
	OPTION_DEFAULT_MACS \
	",hmac-sha2-256,hmac-sha2-512,umac-64-etm@openssh.com," \
	"umac-128-etm@openssh.com,umac-64@openssh.com," \
	"umac-128@openssh.com,hmac-sha1-etm@openssh.com,hmac-sha1," \
	"hmac-sha1-96-etm@openssh.com,hmac-sha1-96," \
	"hmac-md5-etm@openssh.com,hmac-md5-96-etm@openssh.com,hmac-md5," \
	"hmac-md5-96,hmac-ripemd160,hmac-ripemd160@openssh.com," \
	"hmac-ripemd160-etm@openssh.com"
#define OPTION_KNOWN_KEYS \
	OPTION_DEFAULT_PUBKEY_ALGS \
	",webauthn-sk-ecdsa-sha2-nistp256@openssh.com," \
	"webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com," \
	"ssh-rsa,ssh-rsa-cert-v01@openssh.com,ssh-dss," \
	"ssh-dss-cert-v01@openssh.com"

/* What option_algs_resolve() works on: lists with commas, borrowed. */
struct option_algs {
	const char *spec;
	const char *def;
	const char *known;
	const char *available;
};

/*
 * Work out a list. spec: names, or a change to def: "+names" adds at the end,
 * "-names" removes, "^names" puts in front; NULL or "" is def. Its names may
 * have wildcards, which stand for names of known. available is what the
 * library can do, NULL for all; what it cannot do is left out. 0: *out_list
 * is owned, no name twice, never empty. -EBADMSG: a name matches none of
 * known, or nothing is left; why has a sentence. -ENOMEM.
 */
int option_algs_resolve(
    const struct option_algs *algs, char why[OPTION_WHY_MAX], char **out_list);

/*
 * Whether option_algs_resolve() would take spec, all being available: 0, or
 * its errors.
 */
int option_algs_check(
    const char *spec, const char *known, char why[OPTION_WHY_MAX]);

#endif

/*
 * libssh's set-up. Runs in sshd-net, in the jail, on what the monitor said;
 * the client has not been heard yet.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/key.h"
#include "common/own.h"
#include "common/readahead.h"
#include "sshd/seam.h"
#include "sshd/transport.h"

/* As clients show it: SSH-2.0-OmniEdge_0.1.0, and VersionAddendum behind it */
#define VERSION_STRING "OmniEdge_" PACKAGE_VERSION
/* RFC 4253 section 4.2: 255 with "SSH-2.0-", CR and LF */
#define VERSION_MAX 246

/*
 * Of a user's key: what libssh finds too short or of a type it was not told to
 * take, it drops without an answer. The monitor refuses them, with one.
 */
#define LIBSSH_RSA_BITS_LEAST 768
#define LIBSSH_PUBKEY_ANY \
	"ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256," \
	"ecdsa-sha2-nistp384,ecdsa-sha2-nistp521," \
	"sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256,ssh-rsa"

/* Which list of the monitor's goes to which option of libssh. */
static const struct {
	enum ssh_bind_options_e option;
	size_t conf; /* offset of its list in msg_setup_reply */
} lists[] = {
	{ SSH_BIND_OPTIONS_KEY_EXCHANGE,
	    offsetof(struct msg_setup_reply, kex) },
	{ SSH_BIND_OPTIONS_CIPHERS_C_S,
	    offsetof(struct msg_setup_reply, ciphers) },
	{ SSH_BIND_OPTIONS_CIPHERS_S_C,
	    offsetof(struct msg_setup_reply, ciphers) },
	{ SSH_BIND_OPTIONS_HMAC_C_S, offsetof(struct msg_setup_reply, macs) },
	{ SSH_BIND_OPTIONS_HMAC_S_C, offsetof(struct msg_setup_reply, macs) },
	{ SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS,
	    offsetof(struct msg_setup_reply, hostkey_algs) },
	{ SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES,
	    offsetof(struct msg_setup_reply, pubkey_algs) },
};

static void
bind_done(ssh_bind *bind)
{
	ssh_bind_free(*bind);
}

static int
set_algorithms(ssh_bind bind, const struct msg_setup_reply *conf)
{
	for (size_t i = 0; i < nitems_of(lists); i++) {
		const struct span *wanted =
		    (const void *)((const char *)conf + lists[i].conf);
		AUTOFREE char *list =
		    strndup((const char *)wanted->p, wanted->len);

		if (list == NULL)
			return -ENOMEM;
		/* libssh drops the names that it does not know. */
		if (ssh_bind_options_set(bind, lists[i].option, list) != 0)
			return -ENOTSUP;
	}
	return 0;
}

/* Give libssh a key that has the true public half and no private one. */
static int
add_hollow_key(ssh_bind bind, struct span blob)
{
	AUTO(key_done) struct key *key = NULL;
	AUTOFREE char *pem = NULL;
	ssh_key hollow = NULL;
	int rc;

	if (blob.len == 0)
		return 0;
	rc = key_parse_blob(blob, 0, &key);
	if (rc == 0)
		rc = key_hollow_pem(key, &pem);
	if (rc != 0)
		return rc;
	if (ssh_pki_import_privkey_base64(pem, NULL, NULL, NULL, &hollow) !=
	    SSH_OK)
		return -EKEYREJECTED;
	/* The bind owns the key from here on, unless it refuses it. */
	if (ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, hollow) !=
	    0) {
		ssh_key_free(hollow);
		return -EKEYREJECTED;
	}
	return 0;
}

static int
set_session(struct net *n, const struct msg_setup_reply *conf)
{
	uint64_t bytes = conf->rekey_kib * 1024;
	uint32_t seconds = (uint32_t)conf->rekey_seconds;

	if (ssh_options_set(n->ssh, SSH_OPTIONS_COMPRESSION, "none") != 0)
		return -ENOTSUP;
	n->rekey_bytes = bytes;
	if (bytes != 0 &&
	    ssh_options_set(n->ssh, SSH_OPTIONS_REKEY_DATA, &bytes) != 0)
		return -ENOTSUP;
	if (seconds != 0 &&
	    ssh_options_set(n->ssh, SSH_OPTIONS_REKEY_TIME, &seconds) != 0)
		return -ENOTSUP;
	/*
	 * Never block: a full window would make libssh wait inside a write,
	 * and call back into what is being done.
	 */
	ssh_set_blocking(n->ssh, 0);
	ssh_set_counters(n->ssh, NULL, &n->raw);
	return 0;
}

static int
set_bind(ssh_bind bind, const struct msg_setup_reply *conf)
{
	const struct span blobs[SEAM_NKEYS] = { conf->ed25519, conf->ecdsa,
		conf->rsa };
	bool process_config = false;
	int rsa_bits = LIBSSH_RSA_BITS_LEAST;
	char version[VERSION_MAX];
	int rc;

	snprintf(version, sizeof(version), "%s%s%.*s", VERSION_STRING,
	    conf->addendum.len != 0 ? " " : "", (int)conf->addendum.len,
	    (const char *)conf->addendum.p);

	/* Or /etc/ssh/libssh_server_config would have a say. */
	if (ssh_bind_options_set(
		bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &process_config) != 0 ||
	    ssh_bind_options_set(
		bind, SSH_BIND_OPTIONS_RSA_MIN_SIZE, &rsa_bits) != 0 ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_BANNER, version) != 0)
		return -ENOTSUP;
	rc = set_algorithms(bind, conf);
	for (size_t i = 0; i < SEAM_NKEYS && rc == 0; i++)
		rc = add_hollow_key(bind, blobs[i]);
	return rc;
}

int
transport_init(struct net *n, const struct msg_setup_reply *conf)
{
	AUTO(bind_done) ssh_bind bind = ssh_bind_new();
	int rc;

	n->ssh = ssh_new();
	n->event = ssh_event_new();
	if (bind == NULL || n->ssh == NULL || n->event == NULL)
		return -ENOMEM;
	rc = set_bind(bind, conf);
	if (rc != 0)
		return rc;
	readahead_begin(NET_CLIENT_FD);
	if (ssh_bind_accept_fd(bind, n->ssh, NET_CLIENT_FD) != SSH_OK)
		return -EKEYREJECTED;
	rc = set_session(n, conf);
	if (rc != 0)
		return rc;
	return 0;
}

int
transport_handshake(struct net *n, int timeout_ms)
{
	int rc = ssh_handle_key_exchange(n->ssh);

	if (rc == SSH_OK) /* the client has been told what we accept */
		return ssh_options_set(n->ssh,
			   SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES,
			   LIBSSH_PUBKEY_ANY) == 0
			   ? 0
			   : -EPIPE;
	if (rc != SSH_AGAIN)
		return -EPIPE;
	/* The first call has made the session's poll handle. */
	if (ssh_event_add_session(n->event, n->ssh) != SSH_OK ||
	    ssh_event_dopoll(n->event, timeout_ms) == SSH_ERROR)
		return -EPIPE;
	return (ssh_get_status(n->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0
		   ? -EPIPE
		   : -EAGAIN;
}

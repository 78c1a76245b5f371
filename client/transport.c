/*
 * libssh's set-up and the key exchange. Runs as the user; the first bytes of
 * a stranger come in here.
 */
#include "config.h"

#include <libssh/callbacks.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "client/connect_impl.h"
#include "common/err.h"
#include "common/log.h"
#include "common/option_algs.h"
#include "common/own.h"

/* Seconds that greeting and key exchange may take when nobody says. */
#define HANDSHAKE_SECONDS 120
/* Seconds that libssh waits in a call when logged in: as good as for ever. */
#define CALL_SECONDS 86400

/* What a client offers more than a server: it meets older ones. */
#define CLIENT_KEX \
	OPTION_DEFAULT_KEX \
	",ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521," \
	"diffie-hellman-group18-sha512,diffie-hellman-group14-sha256," \
	"diffie-hellman-group-exchange-sha256"
#define CLIENT_MACS OPTION_DEFAULT_MACS ",hmac-sha2-256,hmac-sha2-512"
#define CIPHERS_FAST_AES \
	"aes128-gcm@openssh.com,aes256-gcm@openssh.com," \
	"chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr"
#define CLIENT_PUBKEY_ALGS \
	OPTION_DEFAULT_PUBKEY_ALGS \
	",ssh-ed25519-cert-v01@openssh.com," \
	"ecdsa-sha2-nistp256-cert-v01@openssh.com," \
	"ecdsa-sha2-nistp384-cert-v01@openssh.com," \
	"ecdsa-sha2-nistp521-cert-v01@openssh.com," \
	"sk-ssh-ed25519-cert-v01@openssh.com," \
	"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com," \
	"rsa-sha2-512-cert-v01@openssh.com," \
	"rsa-sha2-256-cert-v01@openssh.com"

#if defined(__x86_64__) || defined(__i386__)
static bool
has_fast_aes(void)
{
	return __builtin_cpu_supports("aes") != 0;
}
#elif defined(__aarch64__)
#include <asm/hwcap.h>

static bool
has_fast_aes(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
}
#else
static bool
has_fast_aes(void)
{
	return false;
}
#endif

/* One row an algorithm list. */
static const struct {
	enum keyword kw;
	const char *def;
	const char *known;
	enum ssh_options_e options[2];
	size_t noptions;
} lists[] = {
	{ KW_KEX, CLIENT_KEX, OPTION_KNOWN_KEX, { SSH_OPTIONS_KEY_EXCHANGE },
	    1 },
	{ KW_CIPHERS, NULL, OPTION_KNOWN_CIPHERS,
	    { SSH_OPTIONS_CIPHERS_C_S, SSH_OPTIONS_CIPHERS_S_C }, 2 },
	{ KW_MACS, CLIENT_MACS, OPTION_KNOWN_MACS,
	    { SSH_OPTIONS_HMAC_C_S, SSH_OPTIONS_HMAC_S_C }, 2 },
	{ KW_PUBKEY_ALGS, CLIENT_PUBKEY_ALGS, OPTION_KNOWN_KEYS,
	    { SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES }, 1 },
};

static int
work_out(const struct client *c, enum keyword kw, const char *def,
    const char *known, char **out_list)
{
	struct option_algs algs = {
		.spec = sshconf_text(c->conf, kw),
		.def = def,
		.known = known,
	};
	char why[OPTION_WHY_MAX];
	int rc;

	if (def == NULL)
		algs.def =
		    has_fast_aes() ? CIPHERS_FAST_AES : OPTION_DEFAULT_CIPHERS;
	rc = option_algs_resolve(&algs, why, out_list);
	if (rc == -EBADMSG)
		log_error("%s: %s", sshconf_name(kw), why);
	return rc;
}

static int
set_text(struct client *c, enum ssh_options_e option, const char *text)
{
	if (ssh_options_set(c->ssh, option, text) == 0)
		return 0;
	log_error("%s", client_error(c));
	return -ENOTSUP;
}

static int
set_lists(struct client *c)
{
	int rc = 0;

	for (size_t i = 0; i < nitems_of(lists) && rc == 0; i++) {
		AUTOFREE char *list = NULL;

		rc = work_out(
		    c, lists[i].kw, lists[i].def, lists[i].known, &list);
		/* libssh drops the names that it does not know. */
		for (size_t j = 0; j < lists[i].noptions && rc == 0; j++)
			rc = set_text(c, lists[i].options[j], list);
	}
	return rc;
}

static int
settle_list(
    struct client *c, enum keyword kw, const char *def, const char *known)
{
	AUTOFREE char *list = NULL;
	int rc = work_out(c, kw, def, known, &list);

	return rc == 0 ? sshconf_settle(c->conf, kw, list) : rc;
}

int
transport_settle(struct client *c)
{
	int rc = settle_list(c, KW_HOST_KEY_ALGS, OPTION_DEFAULT_HOSTKEY_ALGS,
	    OPTION_KNOWN_KEYS);

	for (size_t i = 0; i < nitems_of(lists) && rc == 0; i++)
		rc = settle_list(c, lists[i].kw, lists[i].def, lists[i].known);
	return rc;
}

/* As OpenSSH: the order is the user's only if they wrote the whole list. */
static bool
may_order_host_keys(const struct client *c)
{
	const char *said = sshconf_text(c->conf, KW_HOST_KEY_ALGS);

	return said == NULL || *said == '+' || *said == '-';
}

/*
 * The types that known hosts has come first: a server with several keys then
 * shows the one that can be checked.
 */
static int
set_host_keys(struct client *c)
{
	AUTOFREE char *list = NULL;
	AUTOFREE char *known = NULL;
	AUTOFREE char *ordered = NULL;
	int rc = work_out(c, KW_HOST_KEY_ALGS, OPTION_DEFAULT_HOSTKEY_ALGS,
	    OPTION_KNOWN_KEYS, &list);

	if (rc != 0)
		return rc;
	known = hostcheck_known_types(c);
	if (known != NULL && may_order_host_keys(c)) {
		struct option_algs algs = { .spec = known,
			.def = list,
			.known = OPTION_KNOWN_KEYS,
			.available = list };
		char why[OPTION_WHY_MAX];

		if (option_algs_resolve(&algs, why, &ordered) != 0)
			ordered = NULL;
	}
	return set_text(
	    c, SSH_OPTIONS_HOSTKEYS, ordered != NULL ? ordered : list);
}

static int
set_rekey(struct client *c)
{
	const struct words *limit = sshconf_list(c->conf, KW_REKEY_LIMIT);
	uint64_t bytes = 0; /* the library's own, as for "default" */
	long seconds = limit->n > 1 ? sshconf_seconds(limit->v[1]) : 0;
	uint32_t time = seconds > 0 ? (uint32_t)seconds : 0;

	if (limit->n > 0 && sshconf_bytes(limit->v[0], &bytes) != 0)
		bytes = 0;
	if (bytes != 0 &&
	    ssh_options_set(c->ssh, SSH_OPTIONS_REKEY_DATA, &bytes) != 0)
		return -ENOTSUP;
	if (time != 0 &&
	    ssh_options_set(c->ssh, SSH_OPTIONS_REKEY_TIME, &time) != 0)
		return -ENOTSUP;
	return 0;
}

static void
to_log(int priority, const char *function, const char *buffer, void *userdata)
{
	(void)function;
	(void)userdata;
	log_at(priority >= SSH_LOG_TRACE ? LEVEL_DEBUG3 : LEVEL_DEBUG2, "%s",
	    buffer);
}

static void
set_log(void)
{
	static const int levels[] = {
		[LEVEL_DEBUG2] = SSH_LOG_INFO,
		[LEVEL_DEBUG3] = SSH_LOG_DEBUG,
	};

	ssh_set_log_callback(to_log);
	ssh_set_log_level(
	    log_level() >= LEVEL_DEBUG2 ? levels[log_level()] : SSH_LOG_NONE);
}

/* What a session needs that no keyword changes. */
static int
set_basics(struct client *c, int fd)
{
	const char *user = sshconf_text(c->conf, KW_USER);
	bool process_config = false;
	int rsa_bits = (int)sshconf_number(c->conf, KW_RSA_SIZE);
	long timeout = sshconf_number(c->conf, KW_CONNECT_TIMEOUT);

	if (timeout == 0)
		timeout = HANDSHAKE_SECONDS;
	/* Or files of libssh's own would have a say, and its host key check. */
	if (ssh_options_set(
		c->ssh, SSH_OPTIONS_PROCESS_CONFIG, &process_config) != 0 ||
	    ssh_options_set(c->ssh, SSH_OPTIONS_KNOWNHOSTS, "/dev/null") != 0 ||
	    ssh_options_set(
		c->ssh, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") != 0 ||
	    ssh_options_set(c->ssh, SSH_OPTIONS_HOST, c->hostname) != 0 ||
	    ssh_options_set(c->ssh, SSH_OPTIONS_PORT, &c->port) != 0 ||
	    ssh_options_set(c->ssh, SSH_OPTIONS_USER, user) != 0 ||
	    ssh_options_set(c->ssh, SSH_OPTIONS_RSA_MIN_SIZE, &rsa_bits) != 0 ||
	    ssh_options_set(c->ssh, SSH_OPTIONS_TIMEOUT, &timeout) != 0 ||
	    ssh_options_set(c->ssh, SSH_OPTIONS_FD, &fd) != 0) {
		log_error("%s", client_error(c));
		return -ENOTSUP;
	}
	return set_text(c, SSH_OPTIONS_COMPRESSION,
	    sshconf_flag(c->conf, KW_COMPRESSION) ? "yes" : "no");
}

static int
setup(struct client *c, int fd)
{
	int rc;

	set_log();
	c->ssh = ssh_new();
	if (c->ssh == NULL)
		return -ENOMEM;
	rc = set_basics(c, fd);
	if (rc == 0)
		rc = set_lists(c);
	if (rc == 0)
		rc = set_host_keys(c);
	if (rc == 0)
		rc = set_rekey(c);
	return rc;
}

static void
say_failure(const struct client *c)
{
	const char *why = client_error(c);

	if (strstr(why, "no match for method") != NULL)
		log_error("Unable to negotiate with %s port %d: %s",
		    c->hostname, c->port, why);
	else if (strstr(why, "imeout") != NULL)
		log_error(
		    "Connection to %s port %d timed out", c->hostname, c->port);
	else
		log_error("Connection to %s port %d failed: %s", c->hostname,
		    c->port, *why != '\0' ? why : "it was closed");
}

int
transport_connect(struct client *c, int fd)
{
	AUTOCLOSE int owned = fd;
	long wait = CALL_SECONDS;
	int rc = setup(c, fd);

	if (rc != 0)
		return rc;
	/* libssh closes the descriptor from here on. */
	take_fd(&owned);
	if (ssh_connect(c->ssh) != SSH_OK) {
		say_failure(c);
		return -ECONNREFUSED;
	}
	ssh_options_set(c->ssh, SSH_OPTIONS_TIMEOUT, &wait);
	log_debug("kex: %s, cipher: %s, server: %s", ssh_get_kex_algo(c->ssh),
	    ssh_get_cipher_out(c->ssh),
	    ssh_get_serverbanner(c->ssh) != NULL ? ssh_get_serverbanner(c->ssh)
						 : "");
	return 0;
}

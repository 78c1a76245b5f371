/*
 * sshd-probe: the client of sshd's proof before it serves. Runs as the
 * unprivileged user, started by sshd, and talks to nobody but the sshd-net at
 * the other end of its one descriptor. It exchanges keys, which shows that the
 * host key's signature is good, and offers a signature by a key that nobody
 * has, which must be refused.
 */
#include "config.h"

#include <libssh/libssh.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "common/option_algs.h"

#define PROBE_FD 3
#define PROBE_USER "sshd-probe"
#define PROBE_SECONDS 20

enum probe_exit {
	PROBE_OK,
	PROBE_NO_KEX,
	PROBE_NO_AUTH,
	PROBE_LOGGED_IN,
	PROBE_BROKEN,
};

/*
 * All that the library has, whatever it offers by itself: what is proved is
 * that somebody can connect. It leaves out the names that it does not know.
 */
static const struct {
	enum ssh_options_e option;
	const char *names;
} lists[] = {
	{ SSH_OPTIONS_KEY_EXCHANGE, OPTION_KNOWN_KEX },
	{ SSH_OPTIONS_HOSTKEYS, OPTION_KNOWN_KEYS },
	{ SSH_OPTIONS_CIPHERS_C_S, OPTION_KNOWN_CIPHERS },
	{ SSH_OPTIONS_CIPHERS_S_C, OPTION_KNOWN_CIPHERS },
	{ SSH_OPTIONS_HMAC_C_S, OPTION_KNOWN_MACS },
	{ SSH_OPTIONS_HMAC_S_C, OPTION_KNOWN_MACS },
};

static bool
offer_all(ssh_session s)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (ssh_options_set(s, lists[i].option, lists[i].names) !=
		    SSH_OK)
			return false;
	return true;
}

static int
set_up(ssh_session s)
{
	const int fd = PROBE_FD;
	const bool no = false;
	const long seconds = PROBE_SECONDS;

	return offer_all(s) &&
		       ssh_options_set(s, SSH_OPTIONS_PROCESS_CONFIG, &no) ==
			   SSH_OK &&
		       ssh_options_set(s, SSH_OPTIONS_FD, &fd) == SSH_OK &&
		       ssh_options_set(s, SSH_OPTIONS_HOST, "localhost") ==
			   SSH_OK &&
		       ssh_options_set(s, SSH_OPTIONS_USER, PROBE_USER) ==
			   SSH_OK &&
		       ssh_options_set(s, SSH_OPTIONS_TIMEOUT, &seconds) ==
			   SSH_OK
		   ? 0
		   : -1;
}

static enum probe_exit
probe(ssh_session s)
{
	ssh_key key = NULL;
	int rc;

	if (set_up(s) != 0)
		return PROBE_BROKEN;
	if (ssh_connect(s) != SSH_OK)
		return PROBE_NO_KEX;
	if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK)
		return PROBE_BROKEN;
	rc = ssh_userauth_publickey(s, NULL, key);
	ssh_key_free(key);
	ssh_disconnect(s);
	if (rc == SSH_AUTH_SUCCESS)
		return PROBE_LOGGED_IN;
	return rc == SSH_AUTH_DENIED ? PROBE_OK : PROBE_NO_AUTH;
}

int
main(void)
{
	ssh_session s = ssh_new();
	enum probe_exit verdict;

	if (s == NULL)
		return PROBE_BROKEN;
	verdict = probe(s);
	ssh_free(s);
	return (int)verdict;
}

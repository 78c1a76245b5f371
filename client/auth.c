/*
 * Logging in: methods in the user's order, as far as the server offers them.
 * Runs as the user; what the server asks is a stranger's text.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent.h"
#include "client/connect_impl.h"
#include "client/identity.h"
#include "client/prompt.h"
#include "common/base64.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

#define ROUNDS_MAX 64  /* methods that a server can make us try */
#define PROMPTS_MAX 32 /* questions of one keyboard-interactive round */

/* A login as it goes on. */
struct login {
	struct client *c;
	struct identities ids;
	bool loaded;
	size_t next; /* the identity to try */
	struct agent_filter *filter;
	long prompts[2]; /* used up: keyboard-interactive, password */
	bool nobody;     /* no terminal, no askpass */
	bool tried_nothing;
};

struct method {
	const char *name;
	int bit;
	enum keyword kw;
	bool secret; /* not for a host whose key has changed */
	/* SSH_AUTH_; SSH_AUTH_AGAIN: this method has nothing left. */
	int (*attempt)(struct login *l);
};

static void
login_done(struct login *l)
{
	if (l->loaded)
		identities_done(&l->ids);
	agent_filter_free(l->filter);
}

/* --- by key */

static int
by_agent(struct login *l, const struct identity *id)
{
	int fd, rc;

	if (l->filter == NULL) {
		rc = agent_filter_start(
		    take_fd(&l->ids.agent_fd), &l->filter, &fd);
		if (rc != 0)
			return SSH_AUTH_DENIED;
		ssh_set_agent_socket(l->c->ssh, fd);
	}
	if (agent_filter_offer(l->filter, span_of(id->offer.p, id->offer.len),
		span_of(id->key.p, id->key.len)) != 0)
		return SSH_AUTH_DENIED;
	return ssh_userauth_agent(l->c->ssh, NULL);
}

/* Ask whether the key would do, before a passphrase is asked for. */
static int
is_wanted(struct login *l, const struct identity *id)
{
	AUTOFREE char *text = NULL;
	struct reader r;
	struct span type;
	char name[64];
	ssh_key key = NULL;
	int rc = SSH_AUTH_DENIED;

	reader_init(&r, id->offer.p, id->offer.len);
	type = reader_string(&r, sizeof(name) - 1);
	snprintf(name, sizeof(name), "%.*s", (int)type.len,
	    type.len > 0 ? (const char *)type.p : "");
	if (base64_encode(
		span_of(id->offer.p, id->offer.len), BASE64_PADDED, &text) != 0)
		return SSH_AUTH_DENIED;
	if ((id->cert != NULL ? ssh_pki_import_cert_base64
			      : ssh_pki_import_pubkey_base64)(
		text, ssh_key_type_from_name(name), &key) == SSH_OK)
		rc = ssh_userauth_try_publickey(l->c->ssh, NULL, key);
	ssh_key_free(key);
	return rc;
}

static int
by_file(struct login *l, const struct identity *id)
{
	ssh_key key = NULL;
	int rc;

	if (id->offer.len > 0 && !identity_is_plain(id)) {
		rc = is_wanted(l, id);
		if (rc != SSH_AUTH_SUCCESS)
			return rc;
	}
	rc = identity_private(l->c, id, &key);
	if (rc == -ENOTTY)
		l->nobody = true;
	if (rc != 0)
		return SSH_AUTH_DENIED;
	rc = ssh_userauth_publickey(l->c->ssh, NULL, key);
	ssh_key_free(key);
	return rc;
}

static int
try_publickey(struct login *l)
{
	const struct identity *id;
	int rc;

	if (!l->loaded) {
		l->loaded = true;
		if (identities_load(l->c, &l->ids) != 0)
			return SSH_AUTH_ERROR;
	}
	if (l->next >= l->ids.n)
		return SSH_AUTH_AGAIN;
	id = &l->ids.v[l->next++];
	log_debug("Offering public key: %s%s", id->name != NULL ? id->name : "",
	    id->agent ? " agent" : "");
	rc = id->agent ? by_agent(l, id) : by_file(l, id);
	/* A key that cannot be used is no reason to give up. */
	if (rc == SSH_AUTH_ERROR && ssh_is_connected(l->c->ssh) &&
	    ssh_get_error_code(l->c->ssh) != SSH_FATAL)
		rc = SSH_AUTH_DENIED;
	return rc;
}

/* --- by secret */

/* Whether there is still a try; says why a second one is needed. */
static bool
may_prompt(struct login *l, size_t which)
{
	if (l->nobody || sshconf_flag(l->c->conf, KW_BATCH_MODE) ||
	    l->prompts[which] >=
		sshconf_number(l->c->conf, KW_PASSWORD_PROMPTS))
		return false;
	if (l->prompts[which]++ > 0)
		log_info("Permission denied, please try again.");
	return true;
}

static int
ask(struct login *l, const char *question, bool echo, char **out_answer)
{
	int rc = prompt_ask(question, echo, out_answer);

	if (rc == -ENOTTY)
		l->nobody = true;
	return rc;
}

static int
try_password(struct login *l)
{
	AUTO(prompt_done) char *answer = NULL;
	AUTOFREE char *question = NULL;

	if (!may_prompt(l, 1))
		return SSH_AUTH_AGAIN;
	if (asprintf(&question, "%s@%s's password: ", client_user(l->c),
		client_host(l->c)) < 0) {
		question = NULL;
		return SSH_AUTH_ERROR;
	}
	if (ask(l, question, false, &answer) != 0)
		return SSH_AUTH_AGAIN;
	return ssh_userauth_password(l->c->ssh, NULL, answer);
}

/* One question of the server's: who asks is said before what they ask. */
static int
answer_one(struct login *l, unsigned i)
{
	AUTO(prompt_done) char *answer = NULL;
	AUTOFREE char *question = NULL;
	char echo = 0;
	const char *text = ssh_userauth_kbdint_getprompt(l->c->ssh, i, &echo);

	if (asprintf(&question, "(%s@%s) %s", client_user(l->c),
		client_host(l->c), client_safe(text != NULL ? text : "")) < 0) {
		question = NULL;
		return -ENOMEM;
	}
	if (ask(l, question, echo != 0, &answer) != 0)
		return -ECANCELED;
	return ssh_userauth_kbdint_setanswer(l->c->ssh, i, answer) == 0
		   ? 0
		   : -EPROTO;
}

static int
answer_all(struct login *l)
{
	const char *name = ssh_userauth_kbdint_getname(l->c->ssh);
	const char *text = ssh_userauth_kbdint_getinstruction(l->c->ssh);
	int n = ssh_userauth_kbdint_getnprompts(l->c->ssh);
	int rc = n > PROMPTS_MAX ? -EPROTO : 0;

	if (name != NULL && *name != '\0')
		log_info("%s", name);
	if (text != NULL && *text != '\0')
		log_info("%s", text);
	for (int i = 0; i < n && rc == 0; i++)
		rc = answer_one(l, (unsigned)i);
	return rc;
}

static int
try_kbdint(struct login *l)
{
	int rc;

	if (!may_prompt(l, 0))
		return SSH_AUTH_AGAIN;
	rc = ssh_userauth_kbdint(l->c->ssh, NULL, NULL);
	for (int i = 0; rc == SSH_AUTH_INFO && i < ROUNDS_MAX; i++) {
		if (answer_all(l) != 0)
			return SSH_AUTH_AGAIN;
		rc = ssh_userauth_kbdint(l->c->ssh, NULL, NULL);
	}
	return rc == SSH_AUTH_INFO ? SSH_AUTH_ERROR : rc;
}

/* --- the order */

static const struct method methods[] = {
	{ "publickey", SSH_AUTH_METHOD_PUBLICKEY, KW_PUBKEY_AUTH, false,
	    try_publickey },
	{ "keyboard-interactive", SSH_AUTH_METHOD_INTERACTIVE, KW_KBDINT_AUTH,
	    true, try_kbdint },
	{ "password", SSH_AUTH_METHOD_PASSWORD, KW_PASSWORD_AUTH, true,
	    try_password },
};

static bool
may_try(const struct login *l, const struct method *m)
{
	return sshconf_number(l->c->conf, m->kw) != 0 &&
	       !(m->secret && l->c->doubtful) &&
	       (ssh_userauth_list(l->c->ssh, NULL) & m->bit) != 0;
}

static const struct method *
method_named(const char *name, size_t len)
{
	for (size_t i = 0; i < nitems_of(methods); i++)
		if (strlen(methods[i].name) == len &&
		    strncmp(methods[i].name, name, len) == 0)
			return &methods[i];
	return NULL;
}

/* One attempt of the first method that has one left. */
static int
attempt(struct login *l)
{
	const char *name = sshconf_text(l->c->conf, KW_PREFERRED_AUTH);

	while (*name != '\0') {
		size_t len = strcspn(name, ",");
		const struct method *m = method_named(name, len);
		int rc = SSH_AUTH_AGAIN;

		if (m != NULL && may_try(l, m))
			rc = m->attempt(l);
		if (rc != SSH_AUTH_AGAIN)
			return rc;
		name += len + (name[len] == ',');
	}
	return SSH_AUTH_AGAIN;
}

static void
say_banner(const struct client *c)
{
	AUTOFREE char *banner = ssh_get_issue_banner(c->ssh);
	char *line, *rest = banner;

	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		if (rest != NULL || *line != '\0')
			log_info("%s", line);
}

static void
say_denied(const struct client *c)
{
	int list = ssh_userauth_list(c->ssh, NULL);
	char names[128] = "";

	for (size_t i = 0; i < nitems_of(methods); i++) {
		if ((list & methods[i].bit) == 0)
			continue;
		if (names[0] != '\0')
			strlcat(names, ",", sizeof(names));
		strlcat(names, methods[i].name, sizeof(names));
	}
	log_error("%s@%s: Permission denied (%s).", client_user(c),
	    client_host(c), names[0] != '\0' ? names : "no method in common");
}

static void
say_lost(const struct client *c)
{
	const char *why = client_error(c);

	log_error("Connection to %s port %d was lost in the login: %s",
	    c->hostname, c->port, *why != '\0' ? why : "it was closed");
}

/* A partial success begins the round anew: keys may be asked for twice. */
static void
begin_next(struct login *l)
{
	log_verbose("Authenticated, with partial success.");
	l->prompts[0] = l->prompts[1] = 0;
}

/* With nobody to ask, keys that come first are all that there is. */
static bool
keys_first(const struct client *c)
{
	const char *order = sshconf_text(c->conf, KW_PREFERRED_AUTH);

	return sshconf_flag(c->conf, KW_BATCH_MODE) &&
	       sshconf_number(c->conf, KW_PUBKEY_AUTH) != 0 &&
	       method_named(order, strcspn(order, ",")) == &methods[0];
}

/* "none" tells which methods there are, and lets in where nothing is asked. */
static int
try_nothing(struct login *l)
{
	l->tried_nothing = true;
	return ssh_userauth_none(l->c->ssh, NULL);
}

/*
 * The refusal of a key names the methods as well: a round trip less. What the
 * server's EXT_INFO says of RSA has to be here before libssh is given a key; it
 * comes before the answer to the request for the service.
 */
static int
first_attempt(struct login *l)
{
	int rc = SSH_AUTH_AGAIN;

	if (keys_first(l->c) &&
	    ssh_service_request(l->c->ssh, "ssh-userauth") == SSH_OK)
		rc = SSH_AUTH_DENIED;
	/* A key that was no use here was not sent. */
	while (rc == SSH_AUTH_DENIED && ssh_userauth_list(l->c->ssh, NULL) == 0)
		rc = try_publickey(l);
	return rc == SSH_AUTH_AGAIN ? try_nothing(l) : rc;
}

int
auth_login(struct client *c)
{
	AUTO(login_done) struct login l = { .c = c };
	int rc = first_attempt(&l);

	say_banner(c);
	for (int i = 0; i < IDENTITIES_MAX + ROUNDS_MAX; i++) {
		if (rc == SSH_AUTH_SUCCESS) {
			log_debug("Authenticated to %s ([%s]:%d).",
			    client_host(c), c->hostname, c->port);
			return 0;
		}
		if (rc == SSH_AUTH_ERROR || !ssh_is_connected(c->ssh)) {
			say_lost(c);
			return -ECONNRESET;
		}
		if (rc == SSH_AUTH_PARTIAL)
			begin_next(&l);
		rc = attempt(&l);
		if (rc == SSH_AUTH_AGAIN && !l.tried_nothing)
			rc = try_nothing(&l);
		if (rc == SSH_AUTH_AGAIN)
			break;
	}
	say_denied(c);
	return -EACCES;
}

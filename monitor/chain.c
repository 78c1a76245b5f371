/*
 * Chains of authentication methods. Runs in sshd-monitor as root, and in sshd
 * for its check of the configuration, which the chains are from.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/chain.h"

/* A method, and what may follow its name after a colon; "" for nothing. */
static const struct {
	unsigned bit;
	const char *name;
	const char *sub;
	const char *log;
} methods[] = {
	{ METHOD_PUBLICKEY, "publickey", "", "publickey" },
	{ METHOD_PASSWORD, "password", "", "password" },
	{ METHOD_KBDINT, "keyboard-interactive", "pam",
	    "keyboard-interactive/pam" },
	{ CHAIN_NONE, "none", "", "none" },
};

const char *
chain_name(unsigned method)
{
	for (size_t i = 0; i < nitems_of(methods); i++)
		if (methods[i].bit == method)
			return methods[i].log;
	return "unreadable";
}

/* What the options offer; keyboard-interactive has no questions but PAM's. */
static unsigned
offered(const struct options *o)
{
	unsigned bits = 0;

	if (o->pubkey_authentication)
		bits |= METHOD_PUBLICKEY;
	if (o->password_authentication)
		bits |= METHOD_PASSWORD;
	if (o->kbd_interactive_authentication && o->use_pam)
		bits |= METHOD_KBDINT;
	if (o->password_authentication && o->permit_empty_passwords)
		bits |= CHAIN_NONE;
	return bits;
}

static bool
text_is(const char *p, size_t len, const char *text)
{
	return strlen(text) == len && memcmp(p, text, len) == 0;
}

/* The bit of the first method of a chain; 0: one that is never there. */
static unsigned
first_of(const char *chain)
{
	size_t len = strcspn(chain, ",:");
	const char *sub = chain + len + (chain[len] == ':');
	size_t sub_len = strcspn(sub, ",");

	if (chain[len] != ':')
		sub_len = 0;
	for (size_t i = 0; i < nitems_of(methods); i++)
		if (text_is(chain, len, methods[i].name) &&
		    (sub_len == 0 || text_is(sub, sub_len, methods[i].sub)))
			return methods[i].bit;
	return 0;
}

/* What is left behind the first method; "" at the end. */
static const char *
rest_of(const char *chain)
{
	const char *comma = strchr(chain, ',');

	return comma != NULL ? comma + 1 : "";
}

static bool
is_possible(const char *chain, unsigned bits)
{
	for (const char *p = chain; *p != '\0'; p = rest_of(p))
		if ((first_of(p) & bits) == 0)
			return false;
	return true;
}

static bool
is_any(const struct words *chains)
{
	return chains->n == 0 || strcmp(chains->v[0], "any") == 0;
}

bool
chain_possible(const struct options *o)
{
	const struct words *chains = &o->authentication_methods;

	for (size_t i = 0; i < chains->n; i++)
		if (is_any(chains) || is_possible(chains->v[i], offered(o)))
			return true;
	return chains->n == 0;
}

int
chain_begin(struct conn *c)
{
	const struct words *chains = &c->options.authentication_methods;

	c->any_method = is_any(chains);
	for (size_t i = 0; i < chains->n && !c->any_method; i++) {
		if (!is_possible(chains->v[i], offered(&c->options)))
			log_info("Authentication methods list \"%s\" contains "
				 "disabled method, skipping",
			    chains->v[i]);
		else if (words_add(&c->chains, chains->v[i]) != 0)
			return -ENOMEM;
	}
	if (c->any_method || c->chains.n != 0)
		return 0;
	log_error("No AuthenticationMethods left after eliminating disabled "
		  "methods");
	return -EACCES;
}

unsigned
chain_methods(const struct conn *c)
{
	unsigned bits = 0;

	if (c->any_method)
		return offered(&c->options);
	for (size_t i = 0; i < c->chains.n; i++)
		bits |= first_of(c->chains.v[i]);
	return bits;
}

unsigned
chain_told(const struct conn *c)
{
	/* The proof is refused by one, also where only Match offers any. */
	if (c->probe)
		return METHOD_PUBLICKEY;
	return chain_methods(c) & ~(unsigned)CHAIN_NONE;
}

bool
chain_completes(const struct conn *c, unsigned method)
{
	for (size_t i = 0; i < c->chains.n; i++)
		if (first_of(c->chains.v[i]) == method &&
		    *rest_of(c->chains.v[i]) == '\0')
			return true;
	return c->any_method;
}

void
chain_advance(struct conn *c, unsigned method)
{
	for (size_t i = 0; i < c->chains.n; i++) {
		char *chain = c->chains.v[i];
		const char *rest = rest_of(chain);

		if (first_of(chain) == method)
			memmove(chain, rest, strlen(rest) + 1);
	}
}

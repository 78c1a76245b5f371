/*
 * Two sets of options that both hold: of a key's line and the certificate that
 * it admits, or of the steps of one login. Runs in the monitor. What permits
 * must be permitted by both, what restricts is taken from either.
 */
#include "config.h"

#include <string.h>

#include "common/authkeys.h"
#include "common/err.h"
#include "common/own.h"

static void
take_string(char **into, char **from)
{
	if (*into == NULL)
		*into = take_ptr(from);
}

/* A list is the one set or the other: OpenSSH does not intersect them. */
static void
take_permits(struct authkeys_permits *into, struct authkeys_permits *from)
{
	if (into->n != 0)
		return;
	*into = *from;
	*from = (struct authkeys_permits){ NULL, 0 };
}

static void
take_environment(struct authkeys_opts *into, struct authkeys_opts *from)
{
	if (into->nenvironment != 0)
		return;
	into->environment = take_ptr(&from->environment);
	into->nenvironment = from->nenvironment;
	from->nenvironment = 0;
}

int
authkeys_merge(struct authkeys_opts *opts, struct authkeys_opts *more)
{
	AUTO(authkeys_opts_done) struct authkeys_opts rest = *more;

	*more = (struct authkeys_opts){ .tunnel = AUTHKEYS_TUNNEL_ANY };
	if (opts->command != NULL && rest.command != NULL &&
	    strcmp(opts->command, rest.command) != 0)
		return -EACCES;
	opts->grants &= rest.grants;
	opts->restricted |= rest.restricted;
	opts->no_touch_required &= rest.no_touch_required;
	opts->verify_required |= rest.verify_required;
	if (rest.has_expiry &&
	    (!opts->has_expiry || rest.expiry < opts->expiry))
		opts->expiry = rest.expiry;
	opts->has_expiry |= rest.has_expiry;
	if (opts->tunnel == AUTHKEYS_TUNNEL_ANY)
		opts->tunnel = rest.tunnel;
	take_string(&opts->command, &rest.command);
	take_string(&opts->from, &rest.from);
	take_environment(opts, &rest);
	take_permits(&opts->permitopen, &rest.permitopen);
	take_permits(&opts->permitlisten, &rest.permitlisten);
	return 0;
}

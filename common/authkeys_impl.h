/*
 * What the files of authkeys.h share: one row an option, and the functions
 * that take an option's value. No other file includes this.
 */
#ifndef COMMON_AUTHKEYS_IMPL_H
#define COMMON_AUTHKEYS_IMPL_H

#include "common/authkeys.h"

struct authkeys_option {
	const char *name;
	bool has_value; /* ="…"; all others are there or not */
	bool negatable; /* may have "no-" in front */
	/*
	 * Takes the option; on is false behind "no-", value is empty for an
	 * option without. 0, -EBADMSG, -EDQUOT, -EMSGSIZE or -ENOMEM.
	 */
	int (*take)(struct authkeys_opts *opts,
	    const struct authkeys_option *option, bool on, struct span value);
	uint32_t grant;
	size_t at;                       /* offset in struct authkeys_opts */
	int (*check)(const char *value); /* of a string, or NULL */
};

/* The row of a name, and whether it was negated; NULL. */
const struct authkeys_option *authkeys_option_named(
    struct span name, bool *out_on);

#endif

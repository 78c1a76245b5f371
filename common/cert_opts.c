/*
 * What a user certificate's critical options and extensions mean. Runs in the
 * monitor (root), after the authority's signature was found good.
 */
#include "config.h"

#include <string.h>

#include "common/authkeys.h"
#include "common/cert.h"
#include "common/err.h"
#include "common/own.h"
#include "common/pattern.h"

/* One row a name; critical ones must be known, extensions need not be. */
struct cert_option {
	const char *name;
	bool critical;
	uint32_t grant;
	size_t flag;   /* offset of a bool in struct cert_opts, or 0 */
	size_t string; /* offset of a char *, or 0 */
};

#define AT(field) offsetof(struct cert_opts, field)
static const struct cert_option options[] = {
	{ "force-command", true, 0, 0, AT(force_command) },
	{ "source-address", true, 0, 0, AT(source_address) },
	{ "verify-required", true, 0, AT(verify_required), 0 },
	{ "no-touch-required", false, 0, AT(no_touch_required), 0 },
	{ "permit-X11-forwarding", false, GRANT_X11_FWD, 0, 0 },
	{ "permit-agent-forwarding", false, GRANT_AGENT_FWD, 0, 0 },
	{ "permit-port-forwarding", false, GRANT_PORT_FWD, 0, 0 },
	{ "permit-pty", false, GRANT_PTY, 0, 0 },
	{ "permit-user-rc", false, GRANT_USER_RC, 0, 0 },
};

void
cert_opts_done(struct cert_opts *opts)
{
	free(opts->force_command);
	free(opts->source_address);
	*opts = (struct cert_opts){ .grants = 0 };
}

static const struct cert_option *
option_named(struct span name, bool critical)
{
	for (size_t i = 0; i < nitems_of(options); i++)
		if (options[i].critical == critical &&
		    span_is(name, options[i].name))
			return &options[i];
	return NULL;
}

/* A string within the value, nothing behind it, and not given before. */
static int
take_string(struct span value, char **out_text)
{
	struct reader r;
	struct span s;
	char *text;

	reader_init(&r, value.p, value.len);
	s = reader_string(&r, CERT_BLOB_MAX);
	if (*out_text != NULL || reader_end(&r) != 0 ||
	    (s.len != 0 && memchr(s.p, '\0', s.len) != NULL))
		return -EBADMSG;
	text = strndup((const char *)s.p, s.len);
	if (text == NULL)
		return -ENOMEM;
	*out_text = text;
	return 0;
}

static int
take_option(
    struct cert_opts *opts, const struct cert_option *option, struct span value)
{
	char *base = (char *)opts;

	if (option->string != 0)
		return take_string(value, (char **)(base + option->string));
	if (value.len != 0)
		return -EBADMSG;
	if (option->flag != 0)
		*(bool *)(base + option->flag) = true;
	opts->grants |= option->grant;
	return 0;
}

static int
take_pairs(struct cert_opts *opts, struct span list, bool critical)
{
	struct reader r;

	reader_init(&r, list.p, list.len);
	while (r.left > 0 && !r.failed) {
		struct span name = reader_string(&r, CERT_NAME_MAX);
		struct span value = reader_string(&r, CERT_BLOB_MAX);
		const struct cert_option *option = option_named(name, critical);
		int e = option == NULL && critical ? -EACCES : 0;

		if (option != NULL)
			e = take_option(opts, option, value);
		if (e != 0)
			return e;
	}
	return reader_end(&r);
}

int
cert_read_opts(const struct cert *cert, struct cert_opts *out_opts)
{
	AUTO(cert_opts_done) struct cert_opts opts = { .grants = 0 };
	int e = take_pairs(&opts, cert->critical, true);

	if (e == 0)
		e = take_pairs(&opts, cert->extensions, false);
	if (e == 0 && opts.source_address != NULL &&
	    cidr_list_match(NULL, opts.source_address) != 0)
		e = -EBADMSG;
	if (e != 0)
		return e;
	*out_opts = opts;
	opts = (struct cert_opts){ .grants = 0 };
	return 0;
}

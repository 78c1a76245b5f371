/*
 * omniedge ssh -G. Runs as the user; nothing is connected to.
 */
#include "config.h"

#include <stdio.h>

#include "client/connect_impl.h"
#include "client/identity.h"
#include "client/ssh_print.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

/* As ssh -G: tokens and variables worked out where it does. */
static int
settle_texts(const struct client *c)
{
	static const struct {
		enum keyword kw;
		int (*work_out)(const struct expand *e, const char *text,
		    char why[EXPAND_WHY_MAX], char **out_text);
	} texts[] = { { KW_REMOTE_COMMAND, expand_tokens },
		{ KW_IDENTITY_AGENT, expand_path },
		{ KW_CONTROL_PATH, expand_path } };
	int rc = 0;

	for (size_t i = 0; i < nitems_of(texts) && rc == 0; i++) {
		const char *said = sshconf_text(c->conf, texts[i].kw);
		AUTOFREE char *text = NULL;
		char why[EXPAND_WHY_MAX];

		if (said == NULL)
			continue;
		rc = texts[i].work_out(&c->expand, said, why, &text);
		if (rc == -EBADMSG)
			log_error("%s: %s", sshconf_name(texts[i].kw), why);
		if (rc == 0)
			rc = sshconf_settle(c->conf, texts[i].kw, text);
	}
	return rc;
}

int
ssh_print(struct client *c)
{
	int rc = transport_settle(c);

	if (rc == 0)
		rc = settle_texts(c);
	if (rc == 0)
		rc = sshconf_print(c->conf, client_host(c), stdout);
	if (rc == 0 && !sshconf_is_set(c->conf, KW_IDENTITY_FILE))
		identity_print_defaults(stdout);
	return rc;
}

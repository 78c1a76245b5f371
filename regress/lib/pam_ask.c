/*
 * A PAM module for the tests: says something, asks two things in one call and
 * a third in another, and may call the user by another name. Loaded by the
 * sshd-monitor under test, with the answers that are right as arguments; for a
 * session there is only the other name:
 *
 *	auth    ... pam_ask.so COLOUR TOKEN AGAIN [USER]
 *	session ... pam_ask.so [USER]
 */
#include "config.h"

#include <security/pam_appl.h>
#include <security/pam_modules.h>
#include <stdlib.h>
#include <string.h>

static int
ask(pam_handle_t *pamh, int n, const struct pam_message *messages,
    struct pam_response **out)
{
	const struct pam_message *pointers[3];
	const void *item = NULL;
	const struct pam_conv *conv;

	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS)
		return PAM_SYSTEM_ERR;
	conv = item;
	for (int i = 0; i < n; i++)
		pointers[i] = &messages[i];
	return conv->conv(n, pointers, out, conv->appdata_ptr);
}

static int
is(const struct pam_response *r, const char *wanted)
{
	return r->resp != NULL && strcmp(r->resp, wanted) == 0;
}

int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	static const struct pam_message first[] = {
		{ PAM_TEXT_INFO, "Three things, please." },
		{ PAM_PROMPT_ECHO_ON, "Colour: " },
		{ PAM_PROMPT_ECHO_OFF, "Token: " },
	};
	static const struct pam_message second[] = {
		{ PAM_PROMPT_ECHO_OFF, "Again: " },
	};
	struct pam_response *r = NULL;
	int good;

	(void)flags;
	if (argc < 3 || ask(pamh, 3, first, &r) != PAM_SUCCESS)
		return PAM_AUTH_ERR;
	good = is(&r[1], argv[0]) && is(&r[2], argv[1]);
	free(r[1].resp);
	free(r[2].resp);
	free(r);
	if (!good || ask(pamh, 1, second, &r) != PAM_SUCCESS)
		return PAM_AUTH_ERR;
	good = is(&r[0], argv[2]);
	free(r[0].resp);
	free(r);
	if (argc > 3)
		pam_set_item(pamh, PAM_USER, argv[3]);
	return good ? PAM_SUCCESS : PAM_AUTH_ERR;
}

int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	if (argc > 0)
		pam_set_item(pamh, PAM_USER, argv[0]);
	return PAM_SUCCESS;
}

int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

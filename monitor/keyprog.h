/*
 * AuthorizedKeysCommand and AuthorizedPrincipalsCommand, sshd_config(5):
 * programs of the administrator's that print what a file would hold.
 */
#ifndef MONITOR_KEYPROG_H
#define MONITOR_KEYPROG_H

#include "monitor/keyfile.h"

#define KEYPROG_OUTPUT_MAX (1u << 20) /* bytes that it may print */
#define KEYPROG_SECONDS 30            /* that it may take */

struct keyprog {
	const char *keyword; /* for the log */
	const char *command; /* path and arguments, as configured */
	const char *user;    /* who runs it; NULL: nobody was named */
};

/*
 * Run it, with its tokens filled in. 0: what it printed is in out; else
 * -errno, which is logged, and nothing of it may be used: it could not be run,
 * failed, took too long or printed too much.
 */
int keyprog_run(const struct keyfile_question *q, const struct keyprog *p,
    struct writer *out);

/* As keyfile_may(), for what AuthorizedKeysCommand prints. */
int keyprog_may(
    const struct keyfile_question *q, struct authkeys_opts *out_opts);

#endif

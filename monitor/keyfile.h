/*
 * authorized_keys(5): whether a line, of the user's files or of what a program
 * printed, admits a key or a certificate.
 */
#ifndef MONITOR_KEYFILE_H
#define MONITOR_KEYFILE_H

#include "common/authkeys.h"
#include "monitor/conn.h"
#include "monitor/userkey.h"

/* Who wants to log in, with what. */
struct keyfile_question {
	const struct conn *conn; /* account, options, address; that NULL: any */
	const struct userkey *key; /* NULL: any, to know whether there is one */
};

/*
 * Whether one of the files of AuthorizedKeysFile admits the key. 0: *out_opts
 * has the options of its line, narrowed by a certificate's, the caller's to
 * release; -ENOKEY: none does; -ENOMEM. What is wrong with a file or a line is
 * logged, once.
 */
int keyfile_may(
    const struct keyfile_question *q, struct authkeys_opts *out_opts);

/* The same for a text; path is what the log calls it. */
int keyfile_may_text(const struct keyfile_question *q, struct span text,
    const char *path, struct authkeys_opts *out_opts);

/*
 * Why options do not admit the client now: expiry, from=, an option that has
 * no place here (ca: cert-authority has one). NULL if they do.
 */
const char *keyfile_refusal(
    const struct conn *c, const struct authkeys_opts *o, bool ca);

#endif

/*
 * The user's authorized_keys files: found, judged by StrictModes, and read
 * with the user's own rights.
 */
#ifndef MONITOR_KEYFILE_H
#define MONITOR_KEYFILE_H

#include "common/authkeys.h"
#include "common/option.h"
#include "monitor/account.h"

struct keyfile_question {
	const struct account *account;
	const struct options *options;
	const char *addr; /* the client's, numeric: for from= */
	const struct key *key;
};

/*
 * Whether one of the files admits the key. 0: *out_opts has its options, the
 * caller's to release; -ENOKEY: none does; -ENOMEM. What is wrong with a
 * file or a line is logged, once.
 */
int may_use_key(
    const struct keyfile_question *q, struct authkeys_opts *out_opts);

#endif

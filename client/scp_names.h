/*
 * What an argument of scp means: a path here, or a host and a path there; and
 * where a file goes, given where it is to go. The text is the user's own.
 */
#ifndef CLIENT_SCP_NAMES_H
#define CLIENT_SCP_NAMES_H

#include <stdbool.h>

struct scp_name {
	char *host; /* [user@]host, or a whole URI; NULL: this machine */
	char *path; /* "" for a URI: it is in remote.path */
	bool is_uri;
};

/*
 * host:path, [v6]:path, user@host:path and SCHEME://... are elsewhere; a colon
 * behind a slash, or at the very beginning, is part of a name here. 0 or
 * -ENOMEM. Release with scp_name_done().
 */
int scp_name_parse(
    const char *text, const char *scheme, struct scp_name *out_name);
void scp_name_done(struct scp_name *n);

/*
 * The last component of a path, to be freed: "x" of "a/x//"; "." of "", "."
 * and "..", because a copy goes into the target and not beside it.
 */
char *scp_last_name(const char *path);

#endif

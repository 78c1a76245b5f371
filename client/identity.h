/*
 * The keys and certificates that a login may be tried with: the agent's and
 * those in files, each once, the most promising first.
 */
#ifndef CLIENT_IDENTITY_H
#define CLIENT_IDENTITY_H

#include "client/connect.h"
#include "common/wire.h"

#define IDENTITIES_MAX 512

struct identity {
	char *path;          /* the private key's file; NULL: the agent's */
	char *name;          /* for messages: the path, or a comment */
	struct writer offer; /* what the server sees; empty: not known yet */
	struct writer key;   /* the plain key behind it */
	char *cert;          /* the certificate's line, or NULL */
	bool agent;          /* the agent can sign for it */
	bool named;          /* by a file of the configuration */
};

struct identities {
	struct identity v[IDENTITIES_MAX];
	size_t n;
	int agent_fd; /* or -1 */
};

/*
 * Collect them, in the order to try: keys of the agent that the configuration
 * names, the agent's others unless IdentitiesOnly, keys in files alone. A
 * file that was named and is not there is said. 0 or -ENOMEM.
 */
int identities_load(const struct client *c, struct identities *out);
void identities_done(struct identities *ids);

/*
 * The private key in a file, with its certificate; asks for a passphrase as
 * often as NumberOfPasswordPrompts says. -EACCES: others can read the file;
 * -ECANCELED: no passphrase; -EKEYREJECTED: not a key we can read. All said.
 */
int identity_private(
    const struct client *c, const struct identity *id, ssh_key *out_key);

/* Whether the private key is in a file that needs no passphrase. */
bool identity_is_plain(const struct identity *id);

/* The files that are tried when no IdentityFile is said, as ssh -G has them. */
void identity_print_defaults(FILE *out);

/* The path of the agent's socket, owned; NULL: none. For -A too. */
char *identity_agent_path(const struct client *c);

#endif

/*
 * The user authentication protocol (RFC 4252) as libssh hands it over.
 */
#ifndef SSHD_AUTH_H
#define SSHD_AUTH_H

#include "sshd/net.h"

/* Watch for requests that libssh drops; call before the first one. */
void auth_watch(struct net *n);

/* Answer one request. True: the message is kept, the caller must not free. */
bool auth_message(struct net *n, ssh_message m);

/*
 * Answer what libssh dropped since the last call: a request it could not
 * parse reaches no callback, and its sender would wait for ever.
 */
void auth_answer_dropped(struct net *n);

#endif

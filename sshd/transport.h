/*
 * All set-up of libssh in one place: algorithms, hollow host keys, rekeying,
 * the version string (RFC 4253).
 */
#ifndef SSHD_TRANSPORT_H
#define SSHD_TRANSPORT_H

#include "sshd/net.h"

/*
 * Make n->ssh and n->event around the client's socket, as the monitor's set-up
 * says. Its spans die with the next ask. 0; -EKEYREJECTED when libssh does
 * not take a host key; -ENOTSUP when an algorithm list leaves it nothing.
 */
int transport_init(struct net *n, const struct msg_setup_reply *conf);

/*
 * One turn of the key exchange, waiting at most timeout_ms (-1: for ever).
 * 0 when it is complete, -EAGAIN to go on, -EPIPE when it has failed.
 */
int transport_handshake(struct net *n, int timeout_ms);

#endif

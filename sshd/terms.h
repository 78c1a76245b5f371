/*
 * What holds for a connection once its user is known: TERMS_REPLY.
 */
#ifndef SSHD_TERMS_H
#define SSHD_TERMS_H

#include "sshd/net.h"

/* Ask for the terms, and put them in force. */
void terms_take(struct net *n);

/* Call in each turn of the loop: what has to be done later. */
void terms_run(struct net *n);

/* Sessions have begun or ended: mark packets by IPQoS. */
void terms_qos(struct net *n);

#endif

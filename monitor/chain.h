/*
 * AuthenticationMethods, sshd_config(5): which methods may be tried, and which
 * have to succeed one after the other.
 */
#ifndef MONITOR_CHAIN_H
#define MONITOR_CHAIN_H

#include "monitor/conn.h"

/* Beside the bits of enum auth_method, which sshd-net is told of. */
#define CHAIN_NONE 0x80 /* "none", for an empty password */

/*
 * Take up the chains of the connection's options, those with a method that is
 * not offered left out. 0; -EACCES: none is left, which is logged; -ENOMEM.
 */
int chain_begin(struct conn *c);

/* The methods that may be tried next. */
unsigned chain_methods(const struct conn *c);

/* Those that the client is told of. */
unsigned chain_told(const struct conn *c);

/* Whether the method's success is the last that a chain wants. */
bool chain_completes(const struct conn *c, unsigned method);

/* The method has succeeded: go on in each chain that it may begin. */
void chain_advance(struct conn *c, unsigned method);

/* Whether these options, without Match, leave a way to log in at all. */
bool chain_possible(const struct options *o);

/* The method's name in the log, "keyboard-interactive/pam". */
const char *chain_name(unsigned method);

#endif

/* What would hold for a target, as scripts read it of ssh -G. */
#ifndef CLIENT_SSH_PRINT_H
#define CLIENT_SSH_PRINT_H

struct client;

/*
 * Print all options of a prepared client to stdout, with lists of algorithms
 * and tokens worked out. 0; or -errno, which has been said.
 */
int ssh_print(struct client *c);

#endif

/*
 * sshd-forward's part of the proof before sshd serves. It is started twice, as
 * the unprivileged user: what it can do without its jail it must be able to do
 * in it, with the libraries and name services of this machine.
 */
#ifndef FORWARD_PROVE_H
#define FORWARD_PROVE_H

#include <stdbool.h>

/*
 * Try everything, in the jail or without. The exit status: FORWARD_EXIT_TRIED
 * and a bit for each thing that could be done; or FORWARD_EXIT_JAIL,
 * FORWARD_EXIT_OPEN.
 */
int prove(bool jailed);

#endif

/* The start-up proof that the jail lets through what a session needs. */
#ifndef SSHD_PROVE_H
#define SSHD_PROVE_H

/*
 * Make each system call of the NET role that a handshake has not made. Those
 * that the filter does not permit end the process, which is the proof's answer.
 */
void prove_calls(void);

#endif

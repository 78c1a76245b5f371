/*
 * The part of the start-up proof that is about sshd-forward: two of them run
 * beside the other processes of the proof, one in its jail and one without.
 */
#ifndef MONITOR_PROOF_FORWARD_H
#define MONITOR_PROOF_FORWARD_H

#include "monitor/preflight.h"

/* Zero it first. A descriptor of -1, or a pid of 0: that one does not run. */
struct proof_forward {
	struct proof_run {
		pid_t pid;
		int end_fd; /* owned: at its end when the process is */
	} run[2];           /* without the jail, and in it */
};

/* Start both. 0 or -errno; proof_forward_end() is due in either case. */
int proof_forward_begin(struct proof_forward *p, const struct spawn *spawn);

/*
 * Wait for both until that time (clock_ms()), kill what still runs, and judge:
 * 0, or -EPERM and what is wrong.
 */
int proof_forward_end(
    struct proof_forward *p, int64_t until, char why[PREFLIGHT_WHY_MAX]);

#endif

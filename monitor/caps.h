/*
 * Capabilities of the privileged programs: only what their tables name stays.
 */
#ifndef MONITOR_CAPS_H
#define MONITOR_CAPS_H

enum caps_role {
	CAPS_SSHD,
	CAPS_MONITOR,
};

/*
 * Trim the permitted and effective sets to the role's; what root itself lacks
 * (in a container, say) cannot be kept either. 0 or -errno; capabilities(7).
 */
int caps_trim(enum caps_role role);

/*
 * Keep CAP_SYS_CHROOT alone, over the next execve(2) too (ambient), by a
 * process that is no longer root but has kept its permitted set. 0 or -errno.
 */
int caps_keep_chroot(void);

#endif

/*
 * Which capabilities sshd and sshd-monitor keep. The bounding set is left
 * alone, and no_new_privs off: both would be inherited by the user's shell, and
 * sudo, ping or root's mount would fail in it (prctl(2), capabilities(7)).
 */
#include "config.h"

#include <stdbool.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/caps.h"

static const struct {
	cap_value_t cap;
	bool sshd;
	bool monitor;
	const char *why;
} kept[] = {
	{ CAP_SETUID, true, true, "becoming another user" },
	{ CAP_SETGID, true, true, "becoming another user" },
	{ CAP_SYS_CHROOT, true, true, "sshd-net's one; PAM modules" },
	{ CAP_KILL, true, true, "ending children; hanging up sessions" },
	{ CAP_NET_BIND_SERVICE, true, true, "port 22; NSS over the network" },
	{ CAP_DAC_OVERRIDE, true, true, "PidFile; utmp, wtmp, PAM's files" },
	{ CAP_DAC_READ_SEARCH, true, true, "host keys; shadow" },
	{ CAP_CHOWN, false, true, "the terminal is the user's" },
	{ CAP_FOWNER, false, true, "its mode" },
	{ CAP_FSETID, false, true, "pam_mkhomedir" },
	{ CAP_SETPCAP, false, true, "pam_cap: a user's inheritable set" },
	{ CAP_SYS_RESOURCE, false, true, "pam_limits" },
	{ CAP_SYS_NICE, false, true, "pam_limits" },
	{ CAP_SYS_ADMIN, false, true, "pam_namespace" },
	{ CAP_AUDIT_WRITE, false, true, "PAM's audit records" },
	{ CAP_AUDIT_CONTROL, false, true, "pam_loginuid" },
	{ CAP_SYS_TTY_CONFIG, false, true, "terminals" },
};

int
caps_trim(enum caps_role role)
{
	cap_t now = cap_get_proc();
	cap_t want = cap_init();
	int rc = now != NULL && want != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; i < nitems_of(kept) && rc == 0; i++) {
		cap_flag_value_t have = CAP_CLEAR;

		cap_get_flag(now, kept[i].cap, CAP_PERMITTED, &have);
		if (have != CAP_SET ||
		    !(role == CAPS_SSHD ? kept[i].sshd : kept[i].monitor))
			continue;
		cap_set_flag(want, CAP_PERMITTED, 1, &kept[i].cap, CAP_SET);
		cap_set_flag(want, CAP_EFFECTIVE, 1, &kept[i].cap, CAP_SET);
	}
	if (rc == 0 && cap_set_proc(want) != 0)
		rc = -errno;
	cap_free(now);
	cap_free(want);
	return rc;
}

int
caps_keep_chroot(void)
{
	const cap_value_t cap = CAP_SYS_CHROOT;
	cap_t caps = cap_init();
	int rc = 0;

	if (caps == NULL)
		return -ENOMEM;
	if (cap_set_flag(caps, CAP_PERMITTED, 1, &cap, CAP_SET) != 0 ||
	    cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_SET) != 0 ||
	    cap_set_flag(caps, CAP_INHERITABLE, 1, &cap, CAP_SET) != 0 ||
	    cap_set_proc(caps) != 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0)
		rc = -errno;
	cap_free(caps);
	return rc;
}

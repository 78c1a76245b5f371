/*
 * The jail of sshd-forward, entered before the monitor's first request. The
 * process is the user's; what it may not do any more, it could not do for a
 * name server that owns it either.
 */
#include "config.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/landlock.h"
#include "common/own.h"
#include "forward/agent.h"
#include "forward/jail.h"

struct row {
	int call;
	uint32_t action;
	bool narrow; /* only if (arg & mask) == value */
	unsigned arg;
	uint64_t mask;
	uint64_t value;
};

/* clang-format off */
#define ALLOW(call, why) \
	{ SCMP_SYS(call), SCMP_ACT_ALLOW, false, 0, 0, 0 },
#define ALLOW_BITS(call, arg, mask, value, why) \
	{ SCMP_SYS(call), SCMP_ACT_ALLOW, true, arg, mask, value },
#define REFUSE(call, code, why) \
	{ SCMP_SYS(call), SCMP_ACT_ERRNO(code), false, 0, 0, 0 },
static const struct row rows[] = {
#include "forward/jail.def"
#ifdef WITH_SANITIZERS
ALLOW(prctl, "names of mappings")
ALLOW(prlimit64, "the stack's bounds")
ALLOW(sched_getaffinity, "likewise")
#endif
};
/* clang-format on */

/* The user's rights are no capabilities; of root's, one is about sockets. */
static int
drop_caps(void)
{
	const cap_value_t cap = CAP_NET_BIND_SERVICE;
	cap_flag_value_t have = CAP_CLEAR;
	cap_t now = cap_get_proc();
	cap_t want = cap_init();
	int rc = now != NULL && want != NULL ? 0 : -ENOMEM;

	if (rc == 0) {
		cap_get_flag(now, cap, CAP_PERMITTED, &have);
		cap_set_flag(want, CAP_PERMITTED, 1, &cap, have);
		cap_set_flag(want, CAP_EFFECTIVE, 1, &cap, have);
		if (cap_set_proc(want) != 0)
			rc = -errno;
	}
	cap_free(now);
	cap_free(want);
	return rc;
}

/*
 * The filter cannot see paths. Names are read wherever the host keeps them, and
 * resolv.conf(5) may be a link to anywhere; but what is made or removed is the
 * agent's socket only. TCP is left alone: which ports, the monitor has said,
 * and name servers have theirs.
 */
static int
enter_landlock(void)
{
	int abi = landlock_abi();
	const struct landlock_rights take = { .fs = landlock_all(abi).fs };
	const struct landlock_path give[] = {
		{ "/", LANDLOCK_READ_FILE | LANDLOCK_READ_DIR },
		{ AGENT_PLACE, LANDLOCK_MAKE_DIR | LANDLOCK_MAKE_SOCK |
				   LANDLOCK_REMOVE_DIR | LANDLOCK_REMOVE_FILE },
	};

	return abi == 0 ? 0 : landlock_restrict(&take, give, nitems_of(give));
}

static int
enter_filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = 0;

	if (ctx == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < nitems_of(rows) && rc == 0; i++) {
		const struct row *r = &rows[i];
		struct scmp_arg_cmp cmp =
		    SCMP_CMP64(r->arg, SCMP_CMP_MASKED_EQ, r->mask, r->value);

		/* A negative number is a call that this machine lacks. */
		if (r->call >= 0)
			rc = seccomp_rule_add_array(
			    ctx, r->action, r->call, r->narrow ? 1 : 0, &cmp);
	}
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

int
forward_jail(void)
{
	const struct rlimit none = { 0, 0 };
	int rc;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0 ||
	    setrlimit(RLIMIT_FSIZE, &none) != 0)
		return -errno;
	rc = drop_caps();
	if (rc == 0)
		rc = enter_landlock();
	return rc == 0 ? enter_filter() : rc;
}

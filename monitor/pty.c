/*
 * Terminals. Runs in sshd-monitor as root.
 */
#include "config.h"

#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/pty.h"

#define TTY_GROUP "tty"
#define TTY_MODE_GROUP 0620 /* write(1) may write */
#define TTY_MODE_ALONE 0600

/* The terminal is the user's; its group, if there is one, lets write(1) in. */
static int
give(int slave_fd, const struct account *a)
{
	const struct group *gr = getgrnam(TTY_GROUP);
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (fchown(slave_fd, a->uid, gr != NULL ? gr->gr_gid : a->gid) != 0 ||
	    fchmod(slave_fd, gr != NULL ? TTY_MODE_GROUP : TTY_MODE_ALONE) != 0)
		return -errno;
	/* fchown() may be a lie on a read-only /dev; then nobody gets it. */
	if (fstat(slave_fd, &st) != 0 || st.st_uid != a->uid)
		return -EPERM;
	return 0;
}

int
pty_make(
    const struct account *a, const struct winsize *size, struct pty *out_pty)
{
	AUTOCLOSE int master =
	    posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	AUTOCLOSE int slave = -1;
	struct pty p;
	int rc;

	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
	    ptsname_r(master, p.name, sizeof(p.name)) != 0)
		return -errno;
	slave = open(p.name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	rc = give(slave, a);
	if (rc != 0)
		return rc;
	if (ioctl(slave, TIOCSWINSZ, size) != 0)
		return -errno;
	p.master_fd = take_fd(&master);
	p.slave_fd = take_fd(&slave);
	*out_pty = p;
	return 0;
}

/*
 * What a server starts its processes with that has no user, directory or right
 * of the system's. Runs in omniedge-ssh-server; takes nothing from a stranger.
 */
#include "config.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/spawn.h"

/* Ids that systemd.exec(5) DynamicUser= takes too: no account has them. */
#define ID_FIRST 61184
#define ID_LAST 65519
#define ID_TRIES 64

static int
pick_ids(struct spawn *s, char why[SPAWN_WHY_MAX])
{
	for (unsigned i = 0; i < ID_TRIES; i++) {
		uid_t id =
		    ID_FIRST + arc4random_uniform(ID_LAST - ID_FIRST + 1);

		if (getpwuid(id) != NULL)
			continue;
		s->uid = s->gid = id;
		return 0;
	}
	snprintf(why, SPAWN_WHY_MAX,
	    "every user id from %d to %d has an account; none is left for the "
	    "network process",
	    ID_FIRST, ID_LAST);
	return -EUSERS;
}

/* An empty directory that is in no directory: its name is gone. */
static int
make_root(int *out_fd)
{
	static const char *const places[] = { "/tmp", "/run", "/var/tmp",
		"/dev/shm" };
	int rc = -ENOENT;

	for (size_t i = 0; i < nitems_of(places); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "%s/omniedge-XXXXXXXX", places[i]);
		if (mkdtemp(path) == NULL) {
			rc = -errno;
			continue;
		}
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		/* Who enters it has another id. */
		rc = fd < 0 || fchmod(fd, 0555) != 0 ? -errno : 0;
		if (rmdir(path) != 0 && rc == 0)
			rc = -errno;
		if (rc == 0) {
			*out_fd = fd;
			return 0;
		}
		own_close(&fd);
	}
	return rc;
}

/*
 * Tried, not asked for: a kernel, a container or AppArmor may refuse the
 * namespace, or give it without the capability that it is for.
 */
static bool
try_namespace(const struct spawn *s)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(SPAWN_NAMESPACES) == 0 &&
			      fchdir(s->root_fd) == 0 && chroot(".") == 0
			  ? 0
			  : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int
spawn_alone(struct spawn *s, char why[SPAWN_WHY_MAX])
{
	int rc = make_root(&s->root_fd);

	if (rc != 0) {
		snprintf(why, SPAWN_WHY_MAX,
		    "cannot make an empty directory for the network process "
		    "in /tmp, /run, /var/tmp or /dev/shm: %s",
		    err_str(rc));
		return rc;
	}
	if (geteuid() == 0)
		return pick_ids(s, why);
	s->uid = getuid();
	s->gid = getgid();
	s->as_user = true;
	s->namespaces = try_namespace(s);
	if (!s->namespaces)
		close(take_fd(&s->root_fd));
	return 0;
}

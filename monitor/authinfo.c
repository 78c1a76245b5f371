/*
 * The file behind SSH_USER_AUTH. Runs in sshd-monitor; the file is made,
 * written and removed with the user's ids, in a directory that all may write.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/authinfo.h"
#include "monitor/userid.h"

#define TEMPLATE "/tmp/sshauth.XXXXXXXXXXXXXXX"

/* mkostemp(3) makes it anew, with mode 600: nobody can have put it there. */
static int
write_file(char *path, const char *text)
{
	AUTOCLOSE int fd = mkostemp(path, O_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len) {
		int rc = -errno;

		(void)unlink(path);
		return rc;
	}
	return 0;
}

void
authinfo_write(struct conn *c)
{
	AUTOFREE char *path = strdup(TEMPLATE);
	int rc;

	if (!c->options.expose_auth_info || c->auth_info_path != NULL)
		return;
	rc = path != NULL ? userid_enter(&c->account) : -ENOMEM;
	if (rc == 0) {
		rc = write_file(path, c->auth_info != NULL ? c->auth_info : "");
		userid_leave();
	}
	if (rc == 0)
		c->auth_info_path = take_ptr(&path);
	else
		log_bounded(LEVEL_ERROR, "ExposeAuthInfo: no file for %s: %s",
		    c->user, err_str(rc));
}

void
authinfo_remove(struct conn *c)
{
	if (c->auth_info_path == NULL || userid_enter(&c->account) != 0)
		return;
	if (unlink(c->auth_info_path) != 0 && errno != ENOENT)
		log_error("%s: %s", c->auth_info_path, err_str(-errno));
	userid_leave();
	free(take_ptr(&c->auth_info_path));
}

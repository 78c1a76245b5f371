/*
 * The socket that programs of the user's find in SSH_AUTH_SOCK.
 */
#ifndef FORWARD_AGENT_H
#define FORWARD_AGENT_H

#define AGENT_PLACE "/tmp" /* where the directory is made */

struct agent {
	char dir[32];   /* a directory of its own, mode 0700; or empty */
	char path[107]; /* the socket in it */
};

/*
 * Make directory and socket, once. 0: *out_fd listens and is the caller's;
 * -EEXIST when there is one already; or -errno, and nothing is left behind.
 */
int agent_listen(struct agent *a, int *out_fd);
/* Remove both. Twice is fine. */
void agent_done(struct agent *a);

#endif

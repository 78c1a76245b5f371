/*
 * What sshd has to do with systemd: sd_notify(3) and sd_listen_fds(3), without
 * its library. Both are names in the environment and nothing where they are
 * not set.
 */
#ifndef MONITOR_SYSTEMD_H
#define MONITOR_SYSTEMD_H

#include "monitor/listener.h"

/*
 * Where sockets begin that a socket unit has opened, and how many there are;
 * 0: none for this process. The variables are gone then.
 */
#define SYSTEMD_FIRST_FD 3
unsigned systemd_fds(void);

/*
 * Make listeners of so many sockets. 0; -ENOTSOCK when one is no listening
 * stream socket, with a sentence in why.
 */
int systemd_listeners(
    struct listeners *l, unsigned n, char why[LISTENER_WHY_MAX]);
/*
 * Log what Port and ListenAddress ask for and no such socket has, and that it
 * is not done: the unit decides.
 */
void systemd_warn(const struct listeners *l, const struct options *o);

/* Tell the service manager. Status is what systemctl shows. */
void systemd_ready(const char *status);
void systemd_reloading(void);
void systemd_stopping(void);

#endif

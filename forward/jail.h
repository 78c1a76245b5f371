/*
 * The jail of sshd-forward: the user's rights, less what connecting, binding
 * and looking names up do not need.
 */
#ifndef FORWARD_JAIL_H
#define FORWARD_JAIL_H

/*
 * Enter it for good: no capability (root's: CAP_NET_BIND_SERVICE), undumpable,
 * no_new_privs, no core, no file written, the calls of jail.def; and nothing
 * made or removed but in AGENT_PLACE, where the kernel has Landlock. 0, or
 * -errno: then the process must not go on. A kernel without filters gives
 * -ENOSYS.
 */
int forward_jail(void);

#endif

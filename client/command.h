/*
 * The subcommands of omniedge(1), each in a file of its own. A row of the
 * table in omniedge_main.c names one of these or a program to run.
 */
#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

/* Exit statuses of every subcommand. */
#define EXIT_OURS 255 /* ssh: our own failure, not the remote command's */
#define EXIT_USAGE 2  /* the command line was wrong, nothing was done */

/* Run a subcommand; argv[0] is its name. Returns the exit status. */
int ssh_command(int argc, char **argv);
int known_hosts_command(int argc, char **argv);
int scp_command(int argc, char **argv);
int sftp_command(int argc, char **argv);

#endif

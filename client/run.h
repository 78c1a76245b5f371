/* Commands that the configuration has the user's shell run here. */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

/* $SHELL, or /bin/sh. Never NULL; borrowed. */
const char *run_shell_path(void);

/* Run the command with the shell and wait: its exit status, or -1. */
int run_shell(const char *command);

/* The same for a question: it reads and writes nothing of ours but stderr. */
int run_question(const char *command);

#endif

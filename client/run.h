/* Commands that the configuration has the user's shell run here. */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include <stddef.h>

/* $SHELL, or /bin/sh. Never NULL; borrowed. */
const char *run_shell_path(void);

/* Run the command with the shell and wait: its exit status, or -1. */
int run_shell(const char *command);

/* The same for a question: it reads and writes nothing of ours but stderr. */
int run_question(const char *command);

/*
 * Run a program without a shell, and wait: its exit status, or -1. What it
 * prints is at out, with a NUL, the rest of it being dropped; it reads nothing,
 * and its messages go nowhere.
 */
int run_read(const char *const argv[], char *out, size_t size);

#endif

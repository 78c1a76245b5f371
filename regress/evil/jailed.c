/*
 * Stands in the place of sshd-forward in sshd's proof before it serves: a
 * program that can do everything without its jail, and in it what the name of
 * its folder says. Part of regress/system/check-config.py; runs as the
 * unprivileged user.
 */
#include "config.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/msg.h"

#define ALL ((1 << FORWARD_CAN_COUNT) - 1)

int
main(int argc, char **argv)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc == 2 && strcmp(argv[1], FORWARD_TRY) == 0)
		return FORWARD_EXIT_TRIED + ALL;
	if (n <= 0)
		return 1;
	self[n] = '\0';
	return (int)strtol(basename(dirname(self)), NULL, 10);
}

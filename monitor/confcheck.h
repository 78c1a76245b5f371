/*
 * What a configuration names and the machine does not have.
 */
#ifndef MONITOR_CONFCHECK_H
#define MONITOR_CONFCHECK_H

#include "common/conf.h"

/*
 * Log a line for each file, program, directory or user that some line of the
 * configuration names, of a Match block too, and that could not be used now.
 * None of it is a reason not to serve: it is the login or the session that
 * needs it which will fail.
 */
void confcheck(const struct conf *conf, const struct options *global);

#endif

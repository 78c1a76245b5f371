/*
 * The command line of sftp-server(8), which the administrator wrote. Read
 * before anything else; the user's name and home come from the name service.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/names.h"
#include "sftp-server/option.h"
#include "sftp-server/request.h"

#define OPTIONS "C:d:f:J:j:l:P:p:Q:u:cehR"
#define UMASK_MAX 0777

static int
fail(const char **out_error, const char *text)
{
	*out_error = text;
	return -EINVAL;
}

static int
parse_umask(const char *text, int *out_umask)
{
	char *end;
	unsigned long mask;

	if (text[0] < '0' || text[0] > '7')
		return -EINVAL;
	mask = strtoul(text, &end, 8);
	if (*end != '\0' || mask > UMASK_MAX)
		return -EINVAL;
	*out_umask = (int)mask;
	return 0;
}

/* A name misspelt in a list of what is denied must not go unnoticed. */
static int
parse_list(const char *text, const char **list, const char **out_error)
{
	struct span unknown;

	if (*list != NULL)
		return fail(out_error, "a request list is given twice");
	if (!op_list_ok(text, &unknown))
		return fail(out_error,
		    "a request list names an unknown request (see -Q)");
	*list = text;
	return 0;
}

static int
parse_query(struct options *opt, const char *text, const char **out_error)
{
	opt->query_requests = strcasecmp(text, "requests") == 0;
	opt->query_jail = strcasecmp(text, "jail") == 0;
	if (!opt->query_requests && !opt->query_jail)
		return fail(out_error, "Invalid query type");
	return 0;
}

/* What is written down, and where. */
static int
parse_record(struct options *opt, int c, const char **out_error)
{
	switch (c) {
	case 'f':
		if (slog_facility_parse(optarg, &opt->log_facility) != 0)
			return fail(out_error, "Invalid log facility");
		return 0;
	case 'J':
		/* The one there is; a name keeps room for others. */
		if (strcasecmp(optarg, "sha256") != 0)
			return fail(out_error, "Invalid hash (sha256)");
		opt->audit_digest = true;
		return 0;
	case 'j':
		if (slog_facility_parse(optarg, &opt->audit_facility) != 0)
			return fail(out_error, "Invalid audit facility");
		return 0;
	default:
		if (slog_level_parse(optarg, &opt->log_level) != 0)
			return fail(out_error, "Invalid log level");
		return 0;
	}
}

static int
parse_one(struct options *opt, int c, const char **out_error)
{
	switch (c) {
	case 'C':
		/* Of sshd's and the user's own, sshd's has to hold. */
		if (opt->root_dir != NULL)
			return fail(out_error, "-C is given twice");
		opt->root_dir = optarg;
		return 0;
	case 'd':
		opt->start_dir = optarg;
		return 0;
	case 'e':
		opt->log_stderr = true;
		return 0;
	case 'f':
	case 'J':
	case 'j':
	case 'l':
		return parse_record(opt, c, out_error);
	case 'P':
		return parse_list(optarg, &opt->denied, out_error);
	case 'p':
		return parse_list(optarg, &opt->allowed, out_error);
	case 'Q':
		return parse_query(opt, optarg, out_error);
	case 'R':
		opt->readonly = true;
		return 0;
	case 'u':
		if (parse_umask(optarg, &opt->umask) != 0)
			return fail(out_error, "Invalid umask");
		return 0;
	default:
		return fail(out_error, NULL);
	}
}

int
options_parse(
    int argc, char **argv, struct options *out_opt, const char **out_error)
{
	struct options opt = {
		.log_level = SLOG_ERROR,
		.log_facility = LOG_AUTH,
		.audit_facility = -1,
		.umask = -1,
	};
	int c, error;

	*out_error = NULL;
	/* -c: as a login shell, with a command that is not for us. */
	while ((c = getopt(argc, argv, OPTIONS)) != -1 && c != 'c') {
		error = parse_one(&opt, c, out_error);
		if (error != 0)
			return error;
	}
	if (opt.audit_digest && opt.audit_facility < 0)
		return fail(out_error, "-J needs -j");
	*out_opt = opt;
	return 0;
}

/* What a token of -d stands for, or NULL. */
static const char *
token_value(char token, const struct names *names, const char *uid)
{
	switch (token) {
	case '%':
		return "%";
	case 'd':
		return names->home;
	case 'u':
		return names->user;
	case 'U':
		return uid;
	default:
		return NULL;
	}
}

static int
expand_tokens(const char *text, const struct names *names, FILE *out)
{
	char uid[sizeof("4294967295")];
	const char *value;

	snprintf(uid, sizeof(uid), "%u", (unsigned)getuid());
	for (; *text != '\0'; text++) {
		if (*text != '%') {
			fputc(*text, out);
			continue;
		}
		value = token_value(*++text, names, uid);
		if (value == NULL)
			return -EINVAL;
		fputs(value, out);
	}
	return 0;
}

/* Write what a leading ~ or ~user stands for; *text is then behind it. */
static int
expand_tilde(const char **text, const struct names *names, FILE *out)
{
	size_t len = strcspn(*text, "/");
	AUTOFREE char *user = NULL;
	const struct passwd *pw;

	if (**text != '~')
		return 0;
	user = strndup(*text + 1, len - 1);
	if (user == NULL)
		return -ENOMEM;
	*text += len;
	if (user[0] == '\0') {
		fputs(names->home, out);
		return 0;
	}
	pw = getpwnam(user);
	if (pw == NULL)
		return -ENOENT;
	fputs(pw->pw_dir, out);
	return 0;
}

int
options_start_dir(
    const struct options *opt, struct names *names, char **out_path)
{
	AUTOFREE char *path = NULL;
	const char *text = opt->start_dir;
	size_t size;
	FILE *out = open_memstream(&path, &size);
	int error;

	if (out == NULL)
		return -ENOMEM;
	error = expand_tilde(&text, names, out);
	if (error == 0)
		error = expand_tokens(text, names, out);
	if (fclose(out) != 0 && error == 0)
		error = -ENOMEM;
	if (error == 0)
		*out_path = take_ptr(&path);
	return error;
}

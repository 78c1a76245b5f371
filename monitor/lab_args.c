/*
 * Arguments of omniedge-ssh-server: one row each, and one row for each two that
 * do not go together. Runs in it before anything else; they are the user's own.
 */
#include "config.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/lab_args.h"

#define SECONDS_MAX (366 * 86400) /* a year: what a mistyped unit exceeds */
#define LONG_ONLY 256 /* getopt_long(3): from here on there is no letter */
#define HELP_COLUMN 27
#define DEFAULT_DEVICE "standalone-server"

enum kind {
	SWITCH,   /* bool */
	COUNT,    /* int, one more each time */
	NUMBER,   /* int */
	DURATION, /* int, seconds: 90, 90s, 30m, 2h, 1d */
	TEXT,     /* const char * */
	LIST,     /* struct lab_list */
	AUTH,     /* enum lab_auth */
};

struct row {
	char letter; /* 0: none */
	const char *name;
	const char *value; /* what the help calls it; NULL: it has none */
	enum kind kind;
	size_t offset;
	int min, max;
	const char *help;
};

#define AT(field) offsetof(struct lab_args, field)
#define NO_LETTER 0

static const struct row rows[] = {
	{ 'p', "port", "PORT", NUMBER, AT(port), 1, 65535,
	    "listen on this port [2222]" },
	{ 'b', "bind", "ADDRESS", LIST, AT(bind), 0, 0,
	    "listen on this address; :: is IPv6 and IPv4 [0.0.0.0]" },
	{ NO_LETTER, "permissive", NULL, SWITCH, AT(permissive), 0, 0,
	    "accept connections from any address" },
	{ NO_LETTER, "localhost-only", NULL, SWITCH, AT(localhost_only), 0, 0,
	    "accept connections from this host only" },
	{ NO_LETTER, "allow-network", "CIDR", LIST, AT(allow_network), 0, 0,
	    "accept connections from this network instead of the "
	    "private ones" },
	{ NO_LETTER, "user-map", "SSH:LOCAL", LIST, AT(user_map), 0, 0,
	    "who logs in as SSH is LOCAL here; SSH may be *, LOCAL =" },
	{ NO_LETTER, "default-user", "USER", TEXT, AT(default_user), 0, 0,
	    "who every other name is" },
	{ NO_LETTER, "authorized-keys", "FILE", LIST, AT(authorized_keys), 0, 0,
	    "keys that log in, instead of ~/.ssh/authorized_keys" },
	{ NO_LETTER, "password", NULL, SWITCH, AT(password), 0, 0,
	    "ask for the password that logs in" },
	{ NO_LETTER, "password-fd", "N", NUMBER, AT(password_fd), 0, 65535,
	    "read it from this descriptor, the first line" },
	{ NO_LETTER, "auth", "METHOD", AUTH, AT(auth), 0, 0,
	    "any, keys, password, or none: nothing to prove [any]" },
	{ NO_LETTER, "host-key-path", "PATH", TEXT, AT(host_key_path), 0, 0,
	    "host key's file, or a directory for it; made if missing" },
	{ NO_LETTER, "read-only", NULL, SWITCH, AT(read_only), 0, 0,
	    "sessions and SFTP change no file" },
	{ NO_LETTER, "sftp-only", NULL, SWITCH, AT(sftp_only), 0, 0,
	    "SFTP, and nothing else" },
	{ NO_LETTER, "no-forwarding", NULL, SWITCH, AT(no_forwarding), 0, 0,
	    "forward nothing" },
	{ NO_LETTER, "command", "COMMAND", TEXT, AT(command), 0, 0,
	    "run this, whatever the client asks for" },
	{ NO_LETTER, "once", NULL, SWITCH, AT(once), 0, 0,
	    "end after the first login's connection" },
	{ NO_LETTER, "time-limit", "TIME", DURATION, AT(time_limit), 0, 0,
	    "end after this time, sessions too" },
	{ NO_LETTER, "idle-timeout", "TIME", DURATION, AT(idle_timeout), 0, 0,
	    "end sessions in which nothing moves; 0: never [30m]" },
	{ NO_LETTER, "handshake-timeout", "TIME", DURATION,
	    AT(handshake_timeout), 0, 0,
	    "how long a client may take to exchange keys [30s]" },
	{ NO_LETTER, "auth-timeout", "TIME", DURATION, AT(auth_timeout), 0, 0,
	    "how long it may take to log in [120s]" },
	{ NO_LETTER, "max-connections", "N", NUMBER, AT(max_connections), 1,
	    10000, "connections at the same time [100]" },
	{ NO_LETTER, "rate-limit", "N", NUMBER, AT(rate_limit), 0, 100000,
	    "connections a minute of one address; 0: any number [10]" },
	{ NO_LETTER, "max-failures", "N", NUMBER, AT(max_failures), 0, 1000,
	    "failed logins that ban an address; 0: never [5]" },
	{ NO_LETTER, "ban-time", "TIME", DURATION, AT(ban_time), 1, 0,
	    "how long it is banned [15m]" },
	{ NO_LETTER, "device-id", "ID", TEXT, AT(device_id), 0, 0,
	    "what events call this server [standalone-server]" },
	{ NO_LETTER, "quiet", NULL, SWITCH, AT(quiet), 0, 0,
	    "report no events, only errors" },
	{ NO_LETTER, "log-json", NULL, SWITCH, AT(log_json), 0, 0,
	    "one JSON object a line instead of text" },
	{ NO_LETTER, "log-file", "FILE", TEXT, AT(log_file), 0, 0,
	    "append the log to this file" },
	{ 'd', "daemon", NULL, SWITCH, AT(daemon), 0, 0,
	    "go into the background once it serves" },
	{ NO_LETTER, "pid-file", "FILE", TEXT, AT(pid_file), 0, 0,
	    "where --daemon leaves its process id" },
	{ NO_LETTER, "print-config", NULL, SWITCH, AT(print_config), 0, 0,
	    "print the same as an sshd_config, and exit" },
	{ 'v', "verbose", NULL, COUNT, AT(verbose), 0, 3,
	    "log more; again: still more" },
	{ 'V', "version", NULL, SWITCH, AT(version), 0, 0,
	    "print the version, and exit" },
	{ 'h', "help", NULL, SWITCH, AT(help), 0, 0, "print this, and exit" },
};
#define NROWS nitems_of(rows)

/* Two that cannot both be done, and why. */
static const struct {
	const char *one;
	const char *other;
	const char *why;
} conflicts[] = {
	{ "permissive", "localhost-only",
	    "one accepts every address, the other this host's alone" },
	{ "permissive", "allow-network",
	    "one accepts every address, the other those of a network" },
	{ "localhost-only", "allow-network",
	    "each names who may connect; give one" },
	{ "password", "password-fd", "both set the password; give one" },
	{ "sftp-only", "command", "each says what a login runs; give one" },
	{ "quiet", "log-json", "one writes no events, the other writes them" },
	{ "quiet", "verbose", "one logs less, the other more" },
};

/* --- values */

static void *
field(struct lab_args *args, const struct row *row)
{
	return (char *)args + row->offset;
}

static int __attribute__((format(printf, 3, 4)))
bad(FILE *err, const struct row *row, const char *fmt, ...)
{
	va_list ap;

	fprintf(err, "omniedge ssh-server: --%s: ", row->name);
	va_start(ap, fmt);
	vfprintf(err, fmt, ap);
	va_end(ap);
	fputs("\n", err);
	return -EINVAL;
}

static int
set_number(
    const struct row *row, const char *text, struct lab_args *args, FILE *err)
{
	const char *why;
	int n = (int)strtonum(text, row->min, row->max, &why);

	if (why != NULL)
		return bad(err, row, "%s is not a number from %d to %d", text,
		    row->min, row->max);
	*(int *)field(args, row) = n;
	return 0;
}

/* Seconds of "90", "90s", "30m", "2h", "1d", or -1. */
static long long
duration(const char *text)
{
	static const struct {
		char unit;
		int seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t len = strlen(text);
	char digits[16];
	const char *why;
	int each = 1;

	if (len == 0 || len >= sizeof(digits))
		return -1;
	strlcpy(digits, text, sizeof(digits));
	for (size_t i = 0; i < nitems_of(units); i++)
		if (digits[len - 1] == units[i].unit) {
			each = units[i].seconds;
			digits[len - 1] = '\0';
			break;
		}
	if (strspn(digits, "0123456789") != strlen(digits))
		return -1;
	return strtonum(digits, 0, SECONDS_MAX, &why) * each +
	       (why != NULL ? SECONDS_MAX + 1LL : 0);
}

static int
set_duration(
    const struct row *row, const char *text, struct lab_args *args, FILE *err)
{
	long long n = duration(text);

	if (n < 0)
		return bad(err, row,
		    "%s is not a time; write seconds, or 30m, 2h, 1d", text);
	if (n < row->min || n > SECONDS_MAX)
		return bad(err, row, "%s is not between %d seconds and a year",
		    text, row->min);
	*(int *)field(args, row) = (int)n;
	return 0;
}

static int
set_text(
    const struct row *row, const char *text, struct lab_args *args, FILE *err)
{
	const char **at = field(args, row);

	if (*text == '\0')
		return bad(err, row, "its value is empty");
	if (*at != NULL)
		return bad(err, row, "is given twice");
	*at = text;
	return 0;
}

static int
set_list(
    const struct row *row, const char *text, struct lab_args *args, FILE *err)
{
	struct lab_list *list = field(args, row);

	if (*text == '\0')
		return bad(err, row, "its value is empty");
	if (list->n >= LAB_LIST_MAX)
		return bad(
		    err, row, "is given more than %d times", LAB_LIST_MAX);
	list->v[list->n++] = text;
	return 0;
}

static int
set_auth(
    const struct row *row, const char *text, struct lab_args *args, FILE *err)
{
	static const char *const names[] = {
		[LAB_AUTH_ANY] = "any",
		[LAB_AUTH_KEYS] = "keys",
		[LAB_AUTH_PASSWORD] = "password",
		[LAB_AUTH_NONE] = "none",
	};

	for (size_t i = 0; i < nitems_of(names); i++)
		if (strcmp(text, names[i]) == 0) {
			*(int *)field(args, row) = (int)i;
			return 0;
		}
	return bad(err, row, "%s is none of any, keys, password, none", text);
}

static int
set(const struct row *row, const char *text, struct lab_args *args, FILE *err)
{
	int *count = field(args, row);

	switch (row->kind) {
	case SWITCH:
		*(bool *)field(args, row) = true;
		return 0;
	case COUNT:
		*count += *count < row->max;
		return 0;
	case NUMBER:
		return set_number(row, text, args, err);
	case DURATION:
		return set_duration(row, text, args, err);
	case TEXT:
		return set_text(row, text, args, err);
	case LIST:
		return set_list(row, text, args, err);
	case AUTH:
		return set_auth(row, text, args, err);
	}
	return -EINVAL;
}

/* --- the whole */

static const struct row *
row_named(const char *name)
{
	for (size_t i = 0; i < NROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static int
check_conflicts(const bool *given, FILE *err)
{
	for (size_t i = 0; i < nitems_of(conflicts); i++) {
		const struct row *one = row_named(conflicts[i].one);
		const struct row *other = row_named(conflicts[i].other);

		if (one != NULL && other != NULL && given[one - rows] &&
		    given[other - rows])
			return bad(err, one, "not with --%s: %s", other->name,
			    conflicts[i].why);
	}
	return 0;
}

/* What one option needs of another. */
static int
check_needs(const struct lab_args *args, FILE *err)
{
	const struct row *auth = row_named("auth");
	bool has_password = args->password || args->password_fd >= 0;

	if (args->auth == LAB_AUTH_NONE && args->allow_network.n == 0 &&
	    !args->localhost_only)
		return bad(err, auth,
		    "none needs --localhost-only or --allow-network: say who "
		    "may come in without a credential");
	if (args->auth == LAB_AUTH_NONE &&
	    (has_password || args->authorized_keys.n != 0))
		return bad(err, auth,
		    "none asks for no credential; leave out the password and "
		    "the keys");
	if (args->auth == LAB_AUTH_KEYS && has_password)
		return bad(err, auth, "keys takes no password");
	if (args->auth == LAB_AUTH_PASSWORD && args->authorized_keys.n != 0)
		return bad(err, auth, "password takes no keys");
	if (args->pid_file != NULL && !args->daemon)
		return bad(err, row_named("pid-file"), "only with --daemon");
	return 0;
}

/* getopt_long(3)'s tables, from the rows. */
struct getopt_tables {
	char letters[2 * NROWS + 2];
	struct option longs[NROWS + 1];
};

static void
make_tables(struct getopt_tables *t)
{
	size_t n = 0;

	/* The errors are ours to word. */
	t->letters[n++] = ':';
	for (size_t i = 0; i < NROWS; i++) {
		if (rows[i].letter != NO_LETTER) {
			t->letters[n++] = rows[i].letter;
			if (rows[i].value != NULL)
				t->letters[n++] = ':';
		}
		t->longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].value != NULL,
			.val = LONG_ONLY + (int)i,
		};
	}
	t->letters[n] = '\0';
	t->longs[NROWS] = (struct option){ .name = NULL };
}

static const struct row *
row_of(int c)
{
	if (c >= LONG_ONLY)
		return &rows[c - LONG_ONLY];
	for (size_t i = 0; i < NROWS; i++)
		if (rows[i].letter != NO_LETTER && rows[i].letter == c)
			return &rows[i];
	return NULL;
}

static int
unknown(int c, char **argv, FILE *err)
{
	const struct row *row = row_of(optopt);

	if (c == ':' && row != NULL)
		return bad(err, row, "its value %s is missing", row->value);
	if (row != NULL && optopt >= LONG_ONLY)
		return bad(err, row, "takes no value");
	fprintf(err, "omniedge ssh-server: there is no option %s; see --help\n",
	    argv[optind - 1]);
	return -EINVAL;
}

static const struct lab_args defaults = {
	.port = 2222,
	.password_fd = -1,
	.idle_timeout = 1800,
	.handshake_timeout = 30,
	.auth_timeout = 120,
	.max_connections = 100,
	.rate_limit = 10,
	.max_failures = 5,
	.ban_time = 900,
};

int
lab_args_parse(int argc, char **argv, struct lab_args *out_args, FILE *err)
{
	struct lab_args args = defaults;
	struct getopt_tables tables;
	bool given[NROWS] = { false };
	int c, rc = 0;

	make_tables(&tables);
	optind = 1;
	while (rc == 0 && (c = getopt_long(argc, argv, tables.letters,
			       tables.longs, NULL)) != -1) {
		const struct row *row = row_of(c);

		if (row == NULL)
			return unknown(c, argv, err);
		given[row - rows] = true;
		rc = set(row, optarg, &args, err);
	}
	if (rc == 0 && optind != argc) {
		fprintf(err,
		    "omniedge ssh-server: %s is no option; see --help\n",
		    argv[optind]);
		rc = -EINVAL;
	}
	if (rc == 0)
		rc = check_conflicts(given, err);
	if (rc == 0)
		rc = check_needs(&args, err);
	if (args.device_id == NULL)
		args.device_id = DEFAULT_DEVICE;
	if (rc == 0)
		*out_args = args;
	return rc;
}

void
lab_args_help(FILE *out)
{
	fputs("usage: omniedge ssh-server [option ...]\n"
	      "Serve SSH from this command line: no configuration file.\n\n",
	    out);
	for (size_t i = 0; i < NROWS; i++) {
		const struct row *r = &rows[i];
		int n;

		n = r->letter != NO_LETTER ? fprintf(out, "  -%c, ", r->letter)
					   : fprintf(out, "      ");
		n += fprintf(out, "--%s%s%s ", r->name,
		    r->value != NULL ? " " : "",
		    r->value != NULL ? r->value : "");
		if (n > HELP_COLUMN)
			n = fprintf(out, "\n") - 1;
		fprintf(out, "%*s%s\n", HELP_COLUMN - n + 1, "", r->help);
	}
	fputs("\nSee omniedge-ssh-server(1).\n", out);
}

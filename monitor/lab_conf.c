/*
 * The configuration of omniedge-ssh-server. Runs in it before it serves;
 * arguments are its user's.
 */
#include "config.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <netdb.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"
#include "monitor/lab_conf.h"

#define BIND_DEFAULT "0.0.0.0"
#define BIND_LOOPBACK "127.0.0.1"
#define BIND_ANY6 "::"
#define MAX_TRIES 6 /* attempts of a connection, as sshd's default */
#define MARK_NONE "[auth none]"

/* Networks that the Internet does not reach (RFC 1918, 4193, 4291, 6598). */
static const char *const private_networks[] = { "10.0.0.0/8", "172.16.0.0/12",
	"192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "fc00::/7",
	"fe80::/10", "::1/128" };
static const char *const loopback_networks[] = { "127.0.0.0/8", "::1/128" };

/* What holds for every lab server. */
static const char *const fixed_lines[] = {
	"PidFile none",
	"UsePAM no",
	"KbdInteractiveAuthentication no",
	"ClientAliveInterval 60",
	"ClientAliveCountMax 3",
	"AcceptEnv LANG LC_* COLORTERM TZ",
	"PrintMotd no",
};

/* The state of lab_conf_make(). */
struct maker {
	const struct lab_args *args;
	const struct lab_self *self;
	struct lab_conf *conf;
	FILE *err;
};

static int __attribute__((format(printf, 2, 3)))
wrong(const struct maker *m, const char *fmt, ...)
{
	va_list ap;

	fputs("omniedge ssh-server: ", m->err);
	va_start(ap, fmt);
	vfprintf(m->err, fmt, ap);
	va_end(ap);
	fputs("\n", m->err);
	return -EINVAL;
}

static int __attribute__((format(printf, 2, 3)))
line(const struct maker *m, const char *fmt, ...)
{
	AUTOFREE char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return n < 0 ? -ENOMEM : words_add(&m->conf->lines, text);
}

/* A keyword and one word, which may hold blanks. */
static int
line_word(const struct maker *m, const char *keyword, const char *word)
{
	AUTOFREE char *quoted = lex_quote(word);

	return quoted != NULL ? line(m, "%s %s", keyword, quoted) : -ENOMEM;
}

/* --- who started it */

int
lab_self_find(struct lab_self *out_self, FILE *err)
{
	const struct passwd *pw = getpwuid(getuid());
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (pw == NULL) {
		fprintf(err,
		    "omniedge ssh-server: user id %lu has no account, so there "
		    "is nobody to log in; add it to /etc/passwd, or start "
		    "it as a user who is there\n",
		    (unsigned long)getuid());
		return -ENOENT;
	}
	if (n <= 0) {
		fprintf(err, "omniedge ssh-server: cannot find its own "
			     "program: is /proc mounted?\n");
		return -ENOENT;
	}
	exe[n] = '\0';
	*out_self = (struct lab_self){
		.is_root = getuid() == 0,
		.name = strdup(pw->pw_name),
		.home = strdup(pw->pw_dir),
		.dir = strdup(dirname(exe)),
	};
	return out_self->name != NULL && out_self->home != NULL &&
		       out_self->dir != NULL
		   ? 0
		   : -ENOMEM;
}

void
lab_self_done(struct lab_self *self)
{
	free(take_ptr(&self->name));
	free(take_ptr(&self->home));
	free(take_ptr(&self->dir));
}

/* --- where it listens, and to whom */

/* Numeric, as it may stand in ListenAddress, with or without brackets. */
static int
check_bind(const struct maker *m, const char *text)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST };
	size_t len = strlen(text);
	bool bracketed = len > 2 && *text == '[' && text[len - 1] == ']';
	AUTOFREE char *plain =
	    bracketed ? strndup(text + 1, len - 2) : strdup(text);
	struct addrinfo *list = NULL;

	if (plain == NULL)
		return -ENOMEM;
	if (getaddrinfo(plain, NULL, &hints, &list) != 0)
		return wrong(m,
		    "--bind: %s is not an address; write one as 192.168.1.5 "
		    "or ::1",
		    text);
	freeaddrinfo(list);
	return 0;
}

static int
listen_lines(const struct maker *m)
{
	const struct lab_list *bind = &m->args->bind;
	int rc = line(m, "Port %d", m->args->port);

	if (bind->n == 0 && rc == 0)
		rc = line(m, "ListenAddress %s",
		    m->args->localhost_only ? BIND_LOOPBACK : BIND_DEFAULT);
	for (size_t i = 0; i < bind->n && rc == 0; i++) {
		rc = check_bind(m, bind->v[i]);
		if (rc == 0)
			rc = line_word(m, "ListenAddress", bind->v[i]);
		/* Both families, as people expect of it. */
		if (rc == 0 && strcmp(bind->v[i], BIND_ANY6) == 0)
			rc = line(m, "ListenAddress %s", BIND_DEFAULT);
	}
	return rc;
}

static int
add_networks(const struct maker *m, const char *const *v, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = words_add(&m->conf->networks, v[i]);
	return rc;
}

static int
check_network(const struct maker *m, const char *text)
{
	struct cidr range;
	int rc = cidr_parse(text, &range);

	if (rc == -ERANGE)
		return wrong(m,
		    "--allow-network: %s has address bits behind its prefix; "
		    "write the network's own address, as 192.168.1.0/24",
		    text);
	if (rc != 0)
		return wrong(m,
		    "--allow-network: %s is not a network; write it as "
		    "192.168.1.0/24 or fd00::/8",
		    text);
	if (range.bits == 0 && m->args->auth == LAB_AUTH_NONE)
		return wrong(m,
		    "--auth: none is not for the whole Internet; name the "
		    "networks that may come in without a credential");
	return 0;
}

static int
choose_networks(const struct maker *m)
{
	const struct lab_list *list = &m->args->allow_network;
	int rc = 0;

	for (size_t i = 0; i < list->n && rc == 0; i++)
		rc = check_network(m, list->v[i]);
	if (rc != 0 || m->args->permissive)
		return rc;
	if (list->n != 0)
		return add_networks(m, list->v, list->n);
	if (m->args->localhost_only)
		return add_networks(
		    m, loopback_networks, nitems_of(loopback_networks));
	return add_networks(m, private_networks, nitems_of(private_networks));
}

/* Held by the monitor too, whatever becomes of the list at the door. */
static int
allow_lines(const struct maker *m)
{
	const struct words *networks = &m->conf->networks;
	const char *user = m->self->is_root ? "*" : m->self->name;
	int rc = 0;

	for (size_t i = 0; i < networks->n && rc == 0; i++)
		rc = line(m, "AllowUsers %s@%s", user, networks->v[i]);
	if (rc == 0 && networks->n == 0 && !m->self->is_root)
		rc = line(m, "AllowUsers %s", user);
	return rc;
}

/* --- users */

/* The account must be there, and one that this process can serve. */
static int
check_account(const struct maker *m, const char *option, const char *local)
{
	const struct passwd *pw;

	if (!m->self->is_root && strcmp(local, m->self->name) != 0)
		return wrong(m,
		    "%s: %s cannot be served: without root this server serves "
		    "its own user, %s, only",
		    option, local, m->self->name);
	pw = getpwnam(local);
	if (pw == NULL)
		return wrong(m, "%s: there is no user %s", option, local);
	if (pw->pw_uid != 0)
		return 0;
	if (m->args->auth == LAB_AUTH_NONE)
		return wrong(m,
		    "%s: %s is root, who never logs in without a credential",
		    option, local);
	if (m->args->read_only && !m->args->sftp_only)
		return wrong(m,
		    "%s: %s is root, whom --read-only cannot hold; map to "
		    "another user",
		    option, local);
	return 0;
}

static int
add_pair(const struct maker *m, const char *text)
{
	AUTOFREE char *from = strdup(text);
	char *to = from != NULL ? strchr(from, ':') : NULL;
	struct lab *terms = &m->conf->terms;
	int rc = 0;

	if (from == NULL)
		return -ENOMEM;
	if (to == NULL || to == from || to[1] == '\0' ||
	    strchr(to + 1, ':') != NULL || strlen(text) > LAB_TEXT_MAX)
		return wrong(
		    m, "--user-map: %s is not of the form SSH:LOCAL", text);
	*to++ = '\0';
	for (size_t i = 0; i < terms->nmap; i++)
		if (strcmp(terms->map[i].from, from) == 0)
			return wrong(m, "--user-map: %s is mapped twice", from);
	if (strcmp(to, LAB_SAME) != 0)
		rc = check_account(m, "--user-map", to);
	else if (strcmp(from, LAB_ANY) != 0)
		rc = check_account(m, "--user-map", from);
	return rc != 0 ? rc : lab_add_pair(terms, from, to);
}

static int
choose_users(const struct maker *m)
{
	struct lab *terms = &m->conf->terms;
	int rc = 0;

	for (size_t i = 0; i < m->args->user_map.n && rc == 0; i++)
		rc = add_pair(m, m->args->user_map.v[i]);
	if (rc == 0 && m->args->default_user != NULL) {
		rc = check_account(m, "--default-user", m->args->default_user);
		terms->default_user = strdup(m->args->default_user);
		if (terms->default_user == NULL)
			rc = -ENOMEM;
	}
	if (rc == 0 && !m->self->is_root) {
		terms->only_user = strdup(m->self->name);
		rc = terms->only_user != NULL ? 0 : -ENOMEM;
	}
	return rc;
}

/* --- how they log in */

/* AuthorizedKeysFile is a pattern, and relative to the home: ours is neither.
 */
static int
key_file_word(const struct maker *m, const char *path, struct writer *w)
{
	AUTO(writer_done) struct writer plain = WRITER_INIT;
	AUTOFREE char *quoted = NULL;
	char real[PATH_MAX];

	if (realpath(path, real) == NULL)
		return wrong(
		    m, "--authorized-keys: %s: %s", path, err_str(-errno));
	for (const char *p = real; *p != '\0'; p++) {
		writer_u8(&plain, (uint8_t)*p);
		if (*p == '%')
			writer_u8(&plain, '%');
	}
	writer_u8(&plain, '\0');
	if (writer_end(&plain) != 0)
		return -ENOMEM;
	quoted = lex_quote((const char *)plain.p);
	if (quoted == NULL)
		return -ENOMEM;
	writer_u8(w, ' ');
	writer_bytes(w, quoted, strlen(quoted));
	return writer_end(w);
}

static int
key_file_line(const struct maker *m)
{
	const struct lab_list *files = &m->args->authorized_keys;
	AUTO(writer_done) struct writer w = WRITER_INIT;
	int rc = 0;

	if (files->n == 0)
		return 0;
	for (size_t i = 0; i < files->n && rc == 0; i++)
		rc = key_file_word(m, files->v[i], &w);
	return rc != 0 ? rc
		       : line(m, "AuthorizedKeysFile%.*s", (int)w.len,
			     (const char *)w.p);
}

static bool
is_root_name(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	return pw != NULL && pw->pw_uid == 0;
}

/* Whether some name is said to be root. */
static bool
wants_root(const struct lab *terms)
{
	if (terms->default_user != NULL && is_root_name(terms->default_user))
		return true;
	for (size_t i = 0; i < terms->nmap; i++) {
		const struct lab_pair *p = &terms->map[i];

		if (is_root_name(
			strcmp(p->to, LAB_SAME) == 0 ? p->from : p->to))
			return true;
	}
	return false;
}

static int
auth_lines(const struct maker *m)
{
	int tries = m->args->max_failures;
	int auth = m->args->auth;
	int rc;

	/* With "none" too: some clients try nothing else. */
	rc = line(m, "PubkeyAuthentication %s",
	    auth != LAB_AUTH_PASSWORD ? "yes" : "no");
	if (rc == 0)
		rc = line(m, "PasswordAuthentication %s",
		    auth == LAB_AUTH_ANY || auth == LAB_AUTH_PASSWORD ? "yes"
								      : "no");
	/* May it be at all; by which name, may_use_lab() decides. */
	if (rc == 0)
		rc = line(m, "PermitRootLogin %s",
		    wants_root(&m->conf->terms) ? "yes" : "no");
	if (rc == 0)
		rc = line(m, "MaxAuthTries %d",
		    tries > 0 && tries < MAX_TRIES ? tries : MAX_TRIES);
	if (rc == 0)
		rc = line(m, "LoginGraceTime %d", m->args->auth_timeout);
	if (rc == 0)
		rc = line(m, "MaxStartups %d", m->args->max_connections);
	return rc == 0 ? key_file_line(m) : rc;
}

/* --- what a login may do */

static int
session_lines(const struct maker *m)
{
	const struct lab_args *a = m->args;
	const char *readonly = a->read_only ? " -R" : "";
	int rc;

	rc = line(m, "Subsystem sftp internal-sftp%s", readonly);
	if (rc == 0 && a->sftp_only)
		rc = line(m, "ForceCommand internal-sftp%s", readonly);
	if (a->command != NULL && strpbrk(a->command, "\n\r") != NULL)
		return wrong(m, "--command: a line break is in it");
	if (rc == 0 && a->command != NULL)
		rc = line(m, "ForceCommand %s", a->command);
	if (rc == 0 && a->sftp_only)
		rc = line(m, "PermitTTY no");
	/* A forward leads to programs that nothing here holds. */
	if (rc == 0 && (a->no_forwarding || a->sftp_only || a->read_only))
		rc = line(m, "DisableForwarding yes");
	return rc;
}

/* Of channels of any kind; and of a connection that has none. */
static int
idle_lines(const struct maker *m)
{
	int seconds = m->args->idle_timeout;
	int rc = 0;

	if (seconds != 0)
		rc = line(m, "ChannelTimeout *=%d", seconds);
	if (seconds != 0 && rc == 0)
		rc = line(m, "UnusedConnectionTimeout %d", seconds);
	return rc;
}

static int
log_lines(const struct maker *m)
{
	static const char *const levels[] = { "INFO", "VERBOSE", "DEBUG1",
		"DEBUG3" };

	return line(m, "LogLevel %s",
	    m->args->quiet ? "ERROR" : levels[m->args->verbose]);
}

/* --- all */

static int
set_terms(const struct maker *m)
{
	struct lab *terms = &m->conf->terms;

	terms->auth_none = m->args->auth == LAB_AUTH_NONE;
	/* sftp-server -R holds itself, on kernels without Landlock too. */
	terms->read_only = m->args->read_only && !m->args->sftp_only;
	terms->handshake_seconds = (unsigned)m->args->handshake_timeout;
	terms->json = m->args->log_json;
	if (terms->auth_none)
		terms->mark = strdup(MARK_NONE);
	if (!m->args->quiet)
		terms->device = strdup(m->args->device_id);
	return (!terms->auth_none || terms->mark != NULL) &&
		       (m->args->quiet || terms->device != NULL)
		   ? 0
		   : -ENOMEM;
}

static int
make(const struct maker *m, const struct words *host_keys)
{
	int (*const steps[])(const struct maker *) = { choose_networks,
		choose_users, set_terms, listen_lines, allow_lines, auth_lines,
		session_lines, idle_lines, log_lines };
	int rc = 0;

	if (strlen(m->args->device_id) > LOG_FIELD_MAX)
		return wrong(
		    m, "--device-id: longer than %d bytes", LOG_FIELD_MAX);
	for (size_t i = 0; i < nitems_of(steps) && rc == 0; i++)
		rc = steps[i](m);
	for (size_t i = 0; i < host_keys->n && rc == 0; i++)
		rc = line_word(m, "HostKey", host_keys->v[i]);
	for (size_t i = 0; i < nitems_of(fixed_lines) && rc == 0; i++)
		rc = line(m, "%s", fixed_lines[i]);
	return rc;
}

int
lab_conf_make(const struct lab_args *args, const struct lab_self *self,
    const struct words *host_keys, struct lab_conf *out_conf, FILE *err)
{
	struct lab_conf conf = { .terms = { .only_user = NULL } };
	const struct maker m = { args, self, &conf, err };
	int rc = make(&m, host_keys);

	if (rc != 0)
		lab_conf_done(&conf);
	else
		*out_conf = conf;
	return rc;
}

void
lab_conf_done(struct lab_conf *conf)
{
	words_done(&conf->lines);
	words_done(&conf->networks);
	lab_done(&conf->terms);
}

/* --- --print-config */

static void
print_limits(const struct lab_args *args, FILE *out)
{
	const struct {
		const char *what;
		int n;
	} limits[] = {
		{ "connections at the same time", args->max_connections },
		{ "connections a minute of one address", args->rate_limit },
		{ "failed logins that ban an address", args->max_failures },
		{ "seconds of a ban", args->ban_time },
		{ "seconds for the key exchange", args->handshake_timeout },
		{ "seconds until the server ends", args->time_limit },
	};

	for (size_t i = 0; i < nitems_of(limits); i++)
		fprintf(out, "#   %s: %d\n", limits[i].what, limits[i].n);
}

void
lab_conf_print(
    const struct lab_args *args, const struct lab_conf *conf, FILE *out)
{
	const struct lab *terms = &conf->terms;

	for (size_t i = 0; i < conf->lines.n; i++)
		fprintf(out, "%s\n", conf->lines.v[i]);
	fputs("# What sshd_config(5) has no word for (0: no limit):\n", out);
	print_limits(args, out);
	for (size_t i = 0; i < terms->nmap; i++)
		fprintf(out, "#   user %s is %s\n", terms->map[i].from,
		    terms->map[i].to);
	if (terms->default_user != NULL)
		fprintf(
		    out, "#   every other user is %s\n", terms->default_user);
	if (terms->only_user != NULL)
		fprintf(out, "#   only %s is served\n", terms->only_user);
	if (args->password || args->password_fd >= 0)
		fputs("#   a password of its own opens every account\n", out);
	if (terms->auth_none)
		fputs("#   nothing has to be proved to log in\n", out);
	if (terms->read_only)
		fputs("#   sessions can change no file\n", out);
	if (args->once)
		fputs("#   it ends after the first login's connection\n", out);
}

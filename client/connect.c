/*
 * A client from its flags to its login. Runs as the user.
 */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <vis.h>

#include "client/connect_impl.h"
#include "client/dial.h"
#include "client/proxy.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

#define SAFE_MAX 4096 /* bytes of a stranger's text that are shown */

/* One row a shared flag. */
struct flag {
	char letter;
	unsigned programs;
	enum keyword kw;
	const char *value; /* NULL: the flag's argument */
	const char *arg;   /* its name in --help, or NULL */
	const char *help;
};

static const struct flag flags[] = {
	{ '4', CLIENT_ALL, KW_ADDRESS_FAMILY, "inet", NULL, "IPv4 only" },
	{ '6', CLIENT_ALL, KW_ADDRESS_FAMILY, "inet6", NULL, "IPv6 only" },
	{ 'A', CLIENT_SSH, KW_FORWARD_AGENT, "yes", NULL,
	    "let the other side use your agent" },
	{ 'a', CLIENT_SSH, KW_FORWARD_AGENT, "no", NULL,
	    "do not forward the agent" },
	{ 'B', CLIENT_SSH, KW_BIND_INTERFACE, NULL, "interface",
	    "connect from this interface" },
	{ 'b', CLIENT_SSH, KW_BIND_ADDRESS, NULL, "address",
	    "connect from this address" },
	{ 'C', CLIENT_ALL, KW_COMPRESSION, "yes", NULL,
	    "compress what is sent" },
	{ 'c', CLIENT_ALL, KW_CIPHERS, NULL, "ciphers", "the best first" },
	{ 'i', CLIENT_ALL, KW_IDENTITY_FILE, NULL, "file",
	    "a private key to log in with" },
	{ 'J', CLIENT_ALL, KW_PROXY_JUMP, NULL, "hosts",
	    "go through these hosts, with commas" },
	{ 'l', CLIENT_SSH, KW_USER, NULL, "user", "whom to log in as" },
	{ 'm', CLIENT_SSH, KW_MACS, NULL, "macs", "the best first" },
	{ 'P', CLIENT_SFTP | CLIENT_SCP, KW_PORT, NULL, "port",
	    "where the server listens" },
	{ 'p', CLIENT_SSH, KW_PORT, NULL, "port", "where the server listens" },
	/* These have no keyword: client_flag() knows them. */
	{ 'F', CLIENT_ALL, KW_COUNT, NULL, "file",
	    "read this configuration, or none" },
	{ 'o', CLIENT_ALL, KW_COUNT, NULL, "option",
	    "an option as in ssh_config(5)" },
	{ 'q', CLIENT_ALL, KW_LOG_LEVEL, "quiet", NULL, "say nothing" },
	{ 'v', CLIENT_ALL, KW_COUNT, "", NULL, "say more; up to three times" },
};

/* --- a client and its flags */

/* Passwords and keys pass through here: no core, no debugger of the user's. */
static void
protect(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

struct client *
client_new(enum client_program program)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->program = program;
	c->conf = sshconf_new();
	if (c->conf == NULL) {
		free(c);
		return NULL;
	}
	protect();
	log_open("omniedge", SINK_STDERR, LOG_USER, LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	return c;
}

void
client_free(struct client *c)
{
	if (c == NULL)
		return;
	if (c->ssh != NULL) {
		if (ssh_is_connected(c->ssh))
			ssh_disconnect(c->ssh);
		ssh_free(c->ssh);
	}
	proxy_end(c->proxy);
	sshconf_free(c->conf);
	words_done(&c->notes);
	target_done(&c->target);
	free(c->file);
	free(c->hostname);
	free(c->alias);
	free(c);
}

static void
client_done(struct client **c)
{
	client_free(*c);
}

int
client_copy(const struct client *c, struct client **out_copy)
{
	AUTO(client_done) struct client *copy = client_new(c->program);

	if (copy == NULL)
		return -ENOMEM;
	sshconf_done(&copy->conf);
	copy->conf = NULL;
	if (sshconf_copy(c->conf, &copy->conf) != 0)
		return -ENOMEM;
	copy->verbosity = c->verbosity;
	if (c->file != NULL && (copy->file = strdup(c->file)) == NULL)
		return -ENOMEM;
	*out_copy = take_ptr(&copy);
	return 0;
}

const char *
client_letters(enum client_program program)
{
	static char letters[2 * nitems_of(flags) + 1];
	char *p = letters;

	for (size_t i = 0; i < nitems_of(flags); i++) {
		if ((flags[i].programs & program) == 0)
			continue;
		*p++ = flags[i].letter;
		if (flags[i].value == NULL)
			*p++ = ':';
	}
	*p = '\0';
	return letters;
}

void
client_flags_help(enum client_program program, FILE *out)
{
	for (size_t i = 0; i < nitems_of(flags); i++)
		if ((flags[i].programs & program) != 0)
			fprintf(out, "  -%c %-12s %s\n", flags[i].letter,
			    flags[i].arg != NULL ? flags[i].arg : "",
			    flags[i].help);
}

static int
take_text(struct client *c, const char *text)
{
	char why[SSHCONF_WHY_MAX];
	int rc = sshconf_take_text(c->conf, text, why);

	if (rc < 0) {
		log_error(
		    "command line: %s", rc == -ENOMEM ? err_str(rc) : why);
		return -EBADMSG;
	}
	if (rc == SSHCONF_QUIET) /* -v may come behind it */
		return words_add(&c->notes, why);
	if (*why != '\0')
		log_info("command line: %s", why);
	return 0;
}

static int
take_keyword(struct client *c, enum keyword kw, const char *value)
{
	AUTOFREE char *quoted = lex_quote(value);
	AUTOFREE char *text = NULL;

	if (quoted == NULL ||
	    asprintf(&text, "%s %s", sshconf_name(kw), quoted) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return take_text(c, text);
}

static int
take_verbose(struct client *c)
{
	static const char *const levels[] = { "debug", "debug2", "debug3" };

	if (c->verbosity < (int)nitems_of(levels))
		c->verbosity++;
	return 0;
}

int
client_flag(struct client *c, int letter, const char *arg)
{
	for (size_t i = 0; i < nitems_of(flags); i++) {
		const struct flag *f = &flags[i];

		if (f->letter != letter || (f->programs & c->program) == 0)
			continue;
		if (f->kw != KW_COUNT)
			return take_keyword(
			    c, f->kw, f->value != NULL ? f->value : arg);
		if (letter == 'o')
			return take_text(c, arg);
		if (letter == 'v')
			return take_verbose(c);
		free(c->file);
		c->file = strdup(arg);
		return c->file != NULL ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

int
client_target(
    struct client *c, const char *text, const char *scheme, char **out_path)
{
	const char *why = "it is too long";
	int rc;

	target_done(&c->target);
	rc = target_parse(text, scheme, &c->target, &why);
	if (rc != 0) {
		log_error("%s: %s", text, rc == -ENOMEM ? err_str(rc) : why);
		return rc == -ENOMEM ? rc : -EBADMSG;
	}
	if (out_path != NULL)
		*out_path = take_ptr(&c->target.path);
	return 0;
}

/* --- settling */

static void
set_level(const struct client *c)
{
	long level = sshconf_number(c->conf, KW_LOG_LEVEL);

	if (c->verbosity > 0)
		level = LEVEL_VERBOSE + c->verbosity;
	if (level > LEVEL_DEBUG3) /* "debug1" */
		level = LEVEL_DEBUG;
	log_open("omniedge", SINK_STDERR, LOG_USER, (enum log_level)level);
}

/* What the target said wins over the files, not over flags before it. */
static int
put_target(struct client *c)
{
	char port[8];
	int rc = 0;

	if (c->target.user != NULL)
		rc = sshconf_put(c->conf, KW_USER, c->target.user);
	if (rc == 0 && c->target.port != 0) {
		snprintf(port, sizeof(port), "%d", c->target.port);
		rc = sshconf_put(c->conf, KW_PORT, port);
	}
	return rc;
}

/* Names of hosts have no case, and known hosts has them in small letters. */
static void
lowercase(char *name)
{
	for (; *name != '\0'; name++)
		if (*name >= 'A' && *name <= 'Z')
			*name = (char)(*name - 'A' + 'a');
}

static int
settle_name(struct client *c)
{
	const char *alias = sshconf_text(c->conf, KW_HOST_KEY_ALIAS);
	struct expand typed = { .host = c->target.host,
		.original = c->target.host };
	char why[EXPAND_WHY_MAX];
	int rc = expand_tokens(
	    &typed, sshconf_text(c->conf, KW_HOSTNAME), why, &c->hostname);

	if (rc == -EBADMSG)
		log_error("HostName: %s", why);
	if (rc != 0)
		return rc;
	if (!target_is_host(c->hostname)) {
		log_error(
		    "HostName: %s is not the name of a host", c->hostname);
		return -EBADMSG;
	}
	lowercase(c->hostname);
	if (sshconf_settle(c->conf, KW_HOSTNAME, c->hostname) != 0)
		return -ENOMEM;
	c->alias = strdup(alias != NULL ? alias : c->hostname);
	if (c->alias == NULL)
		return -ENOMEM;
	lowercase(c->alias);
	return 0;
}

static int
settle(struct client *c)
{
	int rc = settle_name(c);

	if (rc != 0)
		return rc;
	if (!sshconf_is_set(c->conf, KW_USER))
		rc = sshconf_put(c->conf, KW_USER, expand_user());
	if (rc != 0)
		return rc;
	if (!target_is_user(sshconf_text(c->conf, KW_USER))) {
		log_error("User: %s is not the name of a user",
		    sshconf_text(c->conf, KW_USER));
		return -EBADMSG;
	}
	c->port = (int)sshconf_number(c->conf, KW_PORT);
	snprintf(c->port_text, sizeof(c->port_text), "%d", c->port);
	c->expand = (struct expand){
		.host = c->hostname,
		.original = c->target.host,
		.port = c->port_text,
		.user = sshconf_text(c->conf, KW_USER),
		.jump = sshconf_text(c->conf, KW_PROXY_JUMP),
		.alias = sshconf_text(c->conf, KW_HOST_KEY_ALIAS),
	};
	c->prepared = true;
	return 0;
}

/* -W is one connection: what else is forwarded would only be in its way. */
static int
put_direct(struct client *c)
{
	int rc = 0;

	if (!sshconf_is_set(c->conf, KW_CLEAR_FORWARDINGS))
		rc = sshconf_put(c->conf, KW_CLEAR_FORWARDINGS, "yes");
	if (rc == 0 && !sshconf_is_set(c->conf, KW_EXIT_ON_FORWARD_FAILURE))
		rc = sshconf_put(c->conf, KW_EXIT_ON_FORWARD_FAILURE, "yes");
	return rc;
}

int
client_prepare(struct client *c)
{
	int rc = put_target(c);

	set_level(c); /* what the command line says of it */
	if (!sshconf_is_set(c->conf, KW_LOG_LEVEL) && c->verbosity == 0)
		log_open("omniedge", SINK_STDERR, LOG_USER, LEVEL_INFO);
	for (size_t i = 0; i < c->notes.n; i++)
		log_debug("command line: %s", c->notes.v[i]);
	if (rc == 0)
		rc = sshconf_load(c->conf, c->file, c->target.host);
	if (rc == 0 && c->direct)
		rc = put_direct(c);
	if (rc == 0)
		rc = sshconf_finish(c->conf);
	if (rc != 0)
		return rc;
	set_level(c);
	return settle(c);
}

/* --- connecting */

static void
tune(const struct client *c, int fd)
{
	int on = 1, alive = sshconf_flag(c->conf, KW_TCP_KEEP_ALIVE);

	/* They fail on what is no TCP socket: a proxy's. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &alive, sizeof(alive));
}

static int
open_socket(struct client *c)
{
	const char *command = sshconf_text(c->conf, KW_PROXY_COMMAND);
	const char *jump = sshconf_text(c->conf, KW_PROXY_JUMP);
	struct dial d = {
		.host = c->hostname,
		.port = c->port,
		.family = (int)sshconf_number(c->conf, KW_ADDRESS_FAMILY),
		.timeout = (int)sshconf_number(c->conf, KW_CONNECT_TIMEOUT),
		.attempts =
		    (int)sshconf_number(c->conf, KW_CONNECTION_ATTEMPTS),
		.bind_address = sshconf_text(c->conf, KW_BIND_ADDRESS),
		.bind_interface = sshconf_text(c->conf, KW_BIND_INTERFACE),
	};

	if (command != NULL)
		return proxy_command(&c->expand, command, &c->proxy);
	if (jump != NULL) {
		struct proxy_jump hop = { .hosts = jump,
			.file = c->file,
			.host = c->hostname,
			.port = c->port,
			.verbosity = c->verbosity };

		return proxy_jump(&hop, &c->proxy);
	}
	return dial(&d);
}

int
client_reach(struct client *c)
{
	int fd, rc;

	if (!c->prepared)
		return -EINVAL;
	fd = open_socket(c);
	if (fd < 0)
		return fd;
	tune(c, fd);
	rc = transport_connect(c, fd);
	return rc == 0 ? hostcheck(c) : rc;
}

int
client_connect(struct client *c)
{
	int rc = client_reach(c);

	return rc == 0 ? auth_login(c) : rc;
}

/* --- facts */

ssh_session
client_session(const struct client *c)
{
	return c->ssh;
}

struct sshconf *
client_conf(const struct client *c)
{
	return c->conf;
}

const char *
client_host(const struct client *c)
{
	return c->target.host;
}

const char *
client_user(const struct client *c)
{
	return sshconf_text(c->conf, KW_USER);
}

const char *
client_safe(const char *text)
{
	static char safe[SAFE_MAX * 4 + 1];
	char cut[SAFE_MAX];

	strlcpy(cut, text, sizeof(cut));
	strvis(safe, cut, VIS_OCTAL | VIS_NL | VIS_TAB | VIS_NOSLASH);
	return safe;
}

const char *
client_error(const struct client *c)
{
	return client_safe(c->ssh != NULL ? ssh_get_error(c->ssh) : "");
}

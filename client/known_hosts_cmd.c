/*
 * omniedge known-hosts: list, add and remove the keys of hosts. Runs as the
 * user, on their known_hosts; what a host shows is a stranger's.
 */
#include "config.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/command.h"
#include "client/connect.h"
#include "client/expand.h"
#include "client/file.h"
#include "client/hostcheck.h"
#include "client/show.h"
#include "client/target.h"
#include "common/base64.h"
#include "common/err.h"
#include "common/key.h"
#include "common/log.h"
#include "common/own.h"

#define SSH_PORT 22
#define FAILED 1 /* nothing was found, or it could not be done */

/* The command line. */
struct job {
	struct client *client;
	char *file; /* --file, or the configuration's first */
	const char *key;
	bool json;
	bool picture;
	bool hash;
	char **names;
	int nnames;
};

static const char usage[] =
    "usage: omniedge known-hosts list [--json] [--picture] [HOST ...]\n"
    "       omniedge known-hosts add [--hash] [--key FILE] HOST\n"
    "       omniedge known-hosts remove HOST ...\n";

static int
bad_usage(void)
{
	show_usage(usage, "known-hosts");
	return EXIT_USAGE;
}

static void
print_help(void)
{
	printf(
	    "%s\n"
	    "A HOST is NAME, NAME:PORT or [ADDRESS]:PORT.\n\n"
	    "  --file FILE   this file, not ~/.ssh/known_hosts\n"
	    "  --json        print JSON\n"
	    "  --picture     show each key's picture\n"
	    "  --hash        hide the name behind a hash\n"
	    "  --key FILE    a public key (- is standard input); without it\n"
	    "                the host is asked, and then you are\n\n"
	    "The flags of omniedge ssh for a connection (-p -J -F -o ...) "
	    "work too.\n",
	    usage);
}

/* "host" or "[host]:port" of what the user typed. */
static int
job_name(const struct job *j, const char *text, char name[KNOWN_NAME_MAX])
{
	AUTO(target_done) struct target t = { .user = NULL };
	const char *why = "it is too long";
	long port = sshconf_is_set(client_conf(j->client), KW_PORT)
			? sshconf_number(client_conf(j->client), KW_PORT)
			: SSH_PORT;
	int rc = target_parse(text, "ssh", &t, &why);

	if (rc != 0) {
		log_error("%s: %s", text, why);
		return rc;
	}
	known_name(t.host, t.port != 0 ? t.port : (int)port, name);
	return 0;
}

/* --- list */

struct listing {
	const struct job *job;
	json_t *array;
	size_t n;
};

static const char *const marker_names[] = {
	[KNOWN_PLAIN] = "",
	[KNOWN_CA] = "cert-authority",
	[KNOWN_REVOKED] = "revoked",
};

static bool
is_asked_for(const struct job *j, const struct known_line *line)
{
	char name[KNOWN_NAME_MAX];

	for (int i = 0; i < j->nnames; i++)
		if (job_name(j, j->names[i], name) == 0 &&
		    known_matches(line, name))
			return true;
	return j->nnames == 0;
}

static json_t *
as_json(const char *path, unsigned at, const struct known_line *line,
    const char *print)
{
	return json_pack("{s:s%, s:s%, s:s, s:s, s:s, s:i, s:s%}", "hosts",
	    (const char *)line->hosts.p, line->hosts.len, "type",
	    (const char *)line->type.p, line->type.len, "fingerprint", print,
	    "marker", marker_names[line->marker], "file", path, "line", (int)at,
	    "key", (const char *)line->key.p, line->key.len);
}

static bool
list_one(
    void *arg, const char *path, unsigned at, const struct known_line *line)
{
	struct listing *l = arg;
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTOFREE char *print = NULL;
	AUTOFREE char *picture = NULL;
	AUTOFREE char *hosts =
	    strndup((const char *)line->hosts.p, line->hosts.len);
	char kind[HOSTCHECK_KIND_MAX];

	if (!is_asked_for(l->job, line) || hosts == NULL ||
	    base64_decode(line->key, &blob) != 0 ||
	    key_fingerprint_blob(
		span_of(blob.p, blob.len), KEY_HASH_SHA256, &print) != 0)
		return false;
	l->n++;
	if (l->job->json) {
		json_array_append_new(l->array, as_json(path, at, line, print));
		return false;
	}
	printf("%s %s %s%s%s\n", client_safe(hosts),
	    hostcheck_kind(span_of(blob.p, blob.len), kind), print,
	    line->marker != KNOWN_PLAIN ? " @" : "",
	    marker_names[line->marker]);
	if (l->job->picture)
		picture = hostcheck_picture(span_of(blob.p, blob.len));
	if (picture != NULL)
		fputs(picture, stdout);
	return false;
}

static int
list_hosts(struct job *j)
{
	struct listing l = { .job = j, .array = json_array() };
	int rc = hostcheck_each(j->file, list_one, &l);

	if (j->json && l.array != NULL) {
		json_dumpf(l.array, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(l.array);
	if (rc != 0 && rc != -ENOENT) {
		log_error("%s: %s", j->file, err_str(rc));
		return FAILED;
	}
	return l.n == 0 && j->nnames != 0 ? FAILED : 0;
}

/* --- add */

struct look_for {
	const char *name;
	struct span blob;
	bool found;
};

static bool
same_key(
    void *arg, const char *path, unsigned at, const struct known_line *line)
{
	struct look_for *f = arg;

	(void)path;
	(void)at;
	f->found = line->marker == KNOWN_PLAIN &&
		   known_matches(line, f->name) && known_is_key(line, f->blob);
	return f->found;
}

static int
add_key(struct job *j, const char *name, struct span text)
{
	AUTO(key_done) struct key *key = NULL;
	AUTOFREE char *line = NULL;
	struct look_for known = { .name = name };
	int rc;

	while (text.len > 0 && strchr("\r\n", text.p[text.len - 1]) != NULL)
		text.len--;
	rc = key_parse_line(text, 0, &key, NULL);
	if (rc != 0) {
		log_error("%s: not a public key: %s", j->key, err_str(rc));
		return FAILED;
	}
	known.blob = key_blob(key);
	(void)hostcheck_each(j->file, same_key, &known);
	if (known.found) {
		log_info("%s: %s is there already", j->file, name);
		return 0;
	}
	rc = known_format(name, known.blob, j->hash, &line);
	if (rc == 0)
		rc = hostcheck_append(j->file, line);
	if (rc != 0)
		log_error("%s: %s", j->file, err_str(rc));
	return rc == 0 ? 0 : FAILED;
}

/* The host is asked as ssh would ask it, and the user as ssh would. */
static int
add_from_host(struct job *j)
{
	struct sshconf *conf = client_conf(j->client);
	int rc = client_target(j->client, j->names[0], "ssh", NULL);

	if (rc == 0)
		rc = sshconf_put(conf, KW_STRICT, "ask");
	if (rc == 0 && j->hash)
		rc = sshconf_put(conf, KW_HASH_KNOWN_HOSTS, "yes");
	if (rc == 0)
		rc = sshconf_put(conf, KW_USER_KNOWN_HOSTS, j->file);
	if (rc == 0)
		rc = client_prepare(j->client);
	return rc == 0 && client_reach(j->client) == 0 ? 0 : FAILED;
}

static int
add_host(struct job *j)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;
	char name[KNOWN_NAME_MAX];
	const char *path = j->key;
	int rc;

	if (j->nnames != 1)
		return bad_usage();
	if (path == NULL)
		return add_from_host(j);
	if (job_name(j, j->names[0], name) != 0)
		return EXIT_USAGE;
	rc = file_read(
	    strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text, NULL);
	if (rc != 0) {
		log_error("%s: %s", path, err_str(rc));
		return FAILED;
	}
	return add_key(j, name, span_of(text.p, text.len));
}

/* --- remove */

/* The name's lines: those that go, and those that a marker keeps. */
struct tally {
	unsigned removed;
	unsigned marked;
};

/* Append the line to out unless it is a plain one of the name. */
static void
keep_unless(
    const char *name, struct span raw, struct writer *out, struct tally *tally)
{
	struct known_line line;

	if (known_parse(raw, &line) == 0 && known_names(&line, name)) {
		if (line.marker == KNOWN_PLAIN) {
			tally->removed++;
			return;
		}
		tally->marked++;
	}
	writer_bytes(out, raw.p, raw.len);
	writer_u8(out, '\n');
}

static int
remove_one(const struct job *j, const char *name)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;
	AUTO(writer_done) struct writer kept = WRITER_INIT;
	struct span raw;
	struct lex lx;
	struct tally n = { 0 };
	int rc = file_read(j->file, &text, NULL);

	if (rc == 0) {
		lex_init(&lx, span_of(text.p, text.len));
		while (lex_next(&lx, &raw))
			keep_unless(name, raw, &kept, &n);
		rc = writer_end(&kept);
	}
	if (rc == 0 && n.removed != 0)
		rc = file_replace(j->file, span_of(kept.p, kept.len), 0600);
	if (rc != 0) {
		log_error("%s: %s", j->file, err_str(rc));
		return FAILED;
	}
	if (n.marked != 0)
		log_info("%s: the lines of %s with @revoked or "
			 "@cert-authority stay: %u",
		    j->file, name, n.marked);
	if (n.removed == 0) {
		log_error("%s: there is no %s", j->file, name);
		return FAILED;
	}
	log_info("%s: %u key%s of %s removed", j->file, n.removed,
	    n.removed == 1 ? "" : "s", name);
	return 0;
}

static int
remove_hosts(struct job *j)
{
	char name[KNOWN_NAME_MAX];
	int status = 0;

	if (j->nnames == 0)
		return bad_usage();
	for (int i = 0; i < j->nnames; i++)
		if (job_name(j, j->names[i], name) != 0 ||
		    remove_one(j, name) != 0)
			status = FAILED;
	return status;
}

/* --- the command line */

static const struct {
	const char *name;
	int (*run)(struct job *j);
} jobs[] = {
	{ "list", list_hosts },
	{ "add", add_host },
	{ "remove", remove_hosts },
};

enum {
	OPT_FILE = 256,
	OPT_JSON,
	OPT_PICTURE,
	OPT_HASH,
	OPT_KEY,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "file", required_argument, NULL, OPT_FILE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "picture", no_argument, NULL, OPT_PICTURE },
	{ "hash", no_argument, NULL, OPT_HASH },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* 0: go on; 1: help was asked for; -EBADMSG: bad, and said. */
static int
take_option(struct job *j, int letter)
{
	switch (letter) {
	case OPT_FILE:
		free(j->file);
		j->file = strdup(optarg);
		return j->file != NULL ? 0 : -ENOMEM;
	case OPT_JSON:
		j->json = true;
		return 0;
	case OPT_PICTURE:
		j->picture = true;
		return 0;
	case OPT_HASH:
		j->hash = true;
		return 0;
	case OPT_KEY:
		j->key = optarg;
		return 0;
	case OPT_HELP:
		print_help();
		return 1;
	default:
		return client_flag(j->client, letter, optarg) == 0 ? 0
								   : -EBADMSG;
	}
}

/* The user's own file, unless one was named. */
static int
find_file(struct job *j)
{
	const struct expand e = { .host = NULL };
	const struct words *said =
	    sshconf_list(client_conf(j->client), KW_USER_KNOWN_HOSTS);
	char why[EXPAND_WHY_MAX];

	if (j->file != NULL)
		return 0;
	return expand_path(
	    &e, said->n > 0 ? said->v[0] : "~/.ssh/known_hosts", why, &j->file);
}

static int
run(struct job *j, const char *verb)
{
	if (find_file(j) != 0)
		return FAILED;
	for (size_t i = 0; i < nitems_of(jobs); i++)
		if (strcmp(verb, jobs[i].name) == 0)
			return jobs[i].run(j);
	log_error(
	    "known-hosts: there is no subcommand \"%s\"", client_safe(verb));
	return bad_usage();
}

static void
job_done(struct job *j)
{
	client_free(j->client);
	free(j->file);
}

int
known_hosts_command(int argc, char **argv)
{
	AUTO(job_done) struct job j = { .client = client_new(CLIENT_SSH) };
	int letter;

	if (j.client == NULL)
		return FAILED;
	while ((letter = getopt_long(argc, argv, client_letters(CLIENT_SSH),
		    long_options, NULL)) != -1) {
		int rc = take_option(&j, letter);

		if (rc == 1)
			return 0;
		if (rc != 0)
			return bad_usage();
	}
	if (optind >= argc)
		return bad_usage();
	j.names = argv + optind + 1;
	j.nnames = argc - optind - 1;
	return run(&j, argv[optind]);
}

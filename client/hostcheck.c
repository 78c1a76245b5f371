/*
 * Is that the host we want? Runs as the user, before anything secret is sent;
 * the key exchange has proved that the server has the key we look at.
 */
#include "config.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "client/connect_impl.h"
#include "client/file.h"
#include "client/hostcheck.h"
#include "client/prompt.h"
#include "client/randomart.h"
#include "common/base64.h"
#include "common/err.h"
#include "common/key.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"

#define TYPES_TEXT_MAX 512  /* names of types, with commas */
#define WHERE_TEXT_MAX 512  /* the name of a file, and a line's number */
#define NAMES_TEXT_MAX 1024 /* lines about other names of a key */
#define PEER_TEXT_MAX 128   /* an address and a port */

enum verdict {
	HOST_NEW,
	HOST_SAME,
	HOST_CHANGED, /* other keys, of whatever type */
	HOST_REVOKED,
};

/* A look through all files for one name and key. */
struct look {
	const char *name;
	struct span blob;
	enum verdict verdict;
	bool unread;    /* a file is there, but cannot be read */
	bool authority; /* there is a @cert-authority for the name */
	char where[WHERE_TEXT_MAX]; /* "FILE:LINE" of the line that decided */
	char file[WHERE_TEXT_MAX];  /* its FILE */
	char types[TYPES_TEXT_MAX]; /* of the name's keys, with commas */
};

static void
blob_type(struct span blob, char type[HOSTCHECK_KIND_MAX])
{
	struct reader r;
	struct span s;

	reader_init(&r, blob.p, blob.len);
	s = reader_string(&r, HOSTCHECK_KIND_MAX - 1);
	snprintf(type, HOSTCHECK_KIND_MAX, "%.*s", (int)s.len,
	    s.len > 0 ? (const char *)s.p : "");
}

const char *
hostcheck_kind(struct span blob, char buf[HOSTCHECK_KIND_MAX])
{
	const struct key_kind *kind;
	bool cert;

	blob_type(blob, buf);
	kind = key_kind_named(span_of(buf, strlen(buf)), &cert);
	return kind != NULL ? kind->display : buf;
}

int
hostcheck_each(const char *path, hostcheck_visit *visit, void *arg)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;
	struct known_line line;
	struct span raw;
	struct lex lx;
	int rc = file_read(path, &text, NULL);

	if (rc != 0)
		return rc;
	lex_init(&lx, span_of(text.p, text.len));
	while (lex_next(&lx, &raw))
		if (known_parse(raw, &line) == 0 &&
		    visit(arg, path, lx.line, &line))
			break;
	return 0;
}

/* RSA has one type in known hosts and two algorithms. */
static void
note_type(struct look *k, struct span type)
{
	char name[HOSTCHECK_KIND_MAX];

	snprintf(
	    name, sizeof(name), "%.*s", (int)type.len, (const char *)type.p);
	if (strcmp(name, "ssh-rsa") == 0)
		strlcpy(name, "rsa-sha2-512", sizeof(name));
	/* ssh-ed25519 is no part of sk-ssh-ed25519. */
	if (pattern_list_match(name, k->types, PATTERN_CASE) == 1)
		return;
	if (strcmp(name, "rsa-sha2-512") == 0)
		strlcat(name, ",rsa-sha2-256", sizeof(name));
	if (k->types[0] != '\0')
		strlcat(k->types, ",", sizeof(k->types));
	strlcat(k->types, name, sizeof(k->types));
}

static void
decide(struct look *k, enum verdict verdict, const char *path, unsigned at)
{
	k->verdict = verdict;
	snprintf(k->where, sizeof(k->where), "%s:%u", path, at);
	strlcpy(k->file, path, sizeof(k->file));
}

static bool
look_at(void *arg, const char *path, unsigned at, const struct known_line *line)
{
	struct look *k = arg;

	if (line->marker == KNOWN_CA) {
		k->authority = k->authority || known_matches(line, k->name);
		return false;
	}
	if (k->blob.len == 0) {
		if (line->marker == KNOWN_PLAIN && known_matches(line, k->name))
			note_type(k, line->type);
		return false;
	}
	if (line->marker == KNOWN_REVOKED) {
		if (known_matches(line, k->name) && known_is_key(line, k->blob))
			decide(k, HOST_REVOKED, path, at);
		return k->verdict == HOST_REVOKED;
	}
	if (k->verdict == HOST_SAME || !known_matches(line, k->name))
		return false;
	if (known_is_key(line, k->blob))
		decide(k, HOST_SAME, path, at);
	else if (k->verdict == HOST_NEW)
		/* A stranger has a key of another type, too. */
		decide(k, HOST_CHANGED, path, at);
	return false;
}

/* --- the files */

static const enum keyword file_lists[] = { KW_USER_KNOWN_HOSTS,
	KW_GLOBAL_KNOWN_HOSTS };

static void
look_in_list(const struct client *c, const struct words *files, struct look *k)
{
	for (size_t i = 0; i < files->n; i++) {
		AUTOFREE char *path = NULL;
		char why[EXPAND_WHY_MAX];
		int rc;

		if (strcasecmp(files->v[i], "none") == 0)
			continue;
		if (expand_path(&c->expand, files->v[i], why, &path) != 0) {
			log_error("%s: %s", files->v[i], why);
			k->unread = true;
			continue;
		}
		rc = hostcheck_each(path, look_at, k);
		if (rc != 0 && rc != -ENOENT) {
			log_error("%s: %s", path, err_str(rc));
			k->unread = true;
		}
		if (k->verdict == HOST_REVOKED)
			return;
	}
}

static void
look_up(const struct client *c, struct look *k)
{
	for (size_t i = 0; i < nitems_of(file_lists); i++)
		if (k->verdict != HOST_REVOKED)
			look_in_list(
			    c, sshconf_list(c->conf, file_lists[i]), k);
}

static void
name_of(const struct client *c, char name[KNOWN_NAME_MAX])
{
	/* An alias stands for the host at whatever port. */
	known_name(c->alias,
	    sshconf_is_set(c->conf, KW_HOST_KEY_ALIAS) ? 22 : c->port, name);
}

char *
hostcheck_known_types(const struct client *c)
{
	struct look k = { .verdict = HOST_NEW };
	AUTOFREE char *front = NULL;
	char name[KNOWN_NAME_MAX];

	name_of(c, name);
	k.name = name;
	look_up(c, &k);
	if (k.types[0] == '\0' || asprintf(&front, "^%s", k.types) < 0)
		return NULL;
	return take_ptr(&front);
}

int
hostcheck_append(const char *path, const char *line)
{
	AUTO(writer_done) struct writer old = WRITER_INIT;
	AUTOFREE char *text = NULL;
	int rc = file_make_parent(path);

	if (rc != 0)
		return rc;
	rc = file_read(path, &old, NULL);
	if (rc != 0 && rc != -ENOENT)
		return rc;
	if (asprintf(&text, "%s%s",
		old.len > 0 && old.p[old.len - 1] != '\n' ? "\n" : "",
		line) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return file_append(path, span_of(text, strlen(text)), 0600);
}

/* --- what the user sees */

char *
hostcheck_picture(struct span blob)
{
	AUTO(key_done) struct key *key = NULL;
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char kind[HOSTCHECK_KIND_MAX], title[128];

	SHA256(blob.p, blob.len, hash);
	if (key_parse_blob(blob, 0, &key) != 0)
		key = NULL;
	snprintf(title, sizeof(title), "%s %u", hostcheck_kind(blob, kind),
	    key != NULL ? key_bits(key) : 0);
	return randomart(span_of(hash, sizeof(hash)), title, "SHA256");
}

static char *
fingerprint(const struct client *c, struct span blob)
{
	char *text = NULL;

	(void)key_fingerprint_blob(blob,
	    sshconf_number(c->conf, KW_FINGERPRINT_HASH) == FINGERPRINT_MD5
		? KEY_HASH_MD5
		: KEY_HASH_SHA256,
	    &text);
	return text;
}

static void
say_changed(const struct client *c, const struct look *k)
{
	AUTOFREE char *print = fingerprint(c, k->blob);
	char kind[HOSTCHECK_KIND_MAX];

	fprintf(stderr,
	    "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
	    "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n"
	    "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
	    "Somebody may be between you and %s, or its key is new.\n"
	    "The %s key that it shows now:\n  %s\nThe one on record:\n  %s\n"
	    "Ask its administrator. If the new key is right:\n"
	    "  omniedge known-hosts remove --file '%s' '%s'\n",
	    k->name, hostcheck_kind(k->blob, kind), print != NULL ? print : "?",
	    k->where, k->file, k->name);
}

/* The address behind the connection, as " ([ADDRESS]:PORT)". */
static void
peer_text(const struct client *c, char text[PEER_TEXT_MAX])
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	*text = '\0';
	if (c->proxy != 0 ||
	    getpeername(ssh_get_fd(c->ssh), (struct sockaddr *)&sa, &len) !=
		0 ||
	    getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port,
		sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	snprintf(text, PEER_TEXT_MAX, " ([%.64s]:%.8s)", host, port);
}

struct other_names {
	struct span blob;
	char text[NAMES_TEXT_MAX];
};

static bool
note_name(
    void *arg, const char *path, unsigned at, const struct known_line *line)
{
	struct other_names *o = arg;
	char one[WHERE_TEXT_MAX];

	if (line->marker != KNOWN_PLAIN || !known_is_key(line, o->blob))
		return false;
	snprintf(one, sizeof(one), "    %s:%u: %.*s\n", path, at,
	    known_is_hashed(line) ? 13 : (int)line->hosts.len,
	    known_is_hashed(line) ? "[hashed name]"
				  : (const char *)line->hosts.p);
	return strlcat(o->text, one, sizeof(o->text)) >= sizeof(o->text);
}

/* The key may be known under another name: a host that has moved. */
static void
other_names(const struct client *c, struct span blob, struct other_names *o)
{
	o->blob = blob;
	o->text[0] = '\0';
	for (size_t l = 0; l < nitems_of(file_lists); l++) {
		const struct words *files =
		    sshconf_list(c->conf, file_lists[l]);

		for (size_t i = 0; i < files->n; i++) {
			AUTOFREE char *path = NULL;
			char why[EXPAND_WHY_MAX];

			if (expand_path(&c->expand, files->v[i], why, &path) ==
			    0)
				(void)hostcheck_each(path, note_name, o);
		}
	}
}

/* Who the host says it is, as a question; owned, or NULL. */
static char *
question(const struct client *c, const struct look *k, const char *print)
{
	AUTOFREE char *picture = hostcheck_picture(k->blob);
	struct other_names others;
	char kind[HOSTCHECK_KIND_MAX], peer[PEER_TEXT_MAX];
	char *text;

	peer_text(c, peer);
	other_names(c, k->blob, &others);
	if (picture == NULL ||
	    asprintf(&text,
		"The authenticity of host '%s%s' can't be established.\n"
		"%s%s key fingerprint is %s.\n%s%s%s"
		"Are you sure you want to continue connecting "
		"(yes/no/[fingerprint])? ",
		k->name, peer,
		k->authority ? "It has a certificate authority on record, "
			       "which this client cannot use.\n"
			     : "",
		hostcheck_kind(k->blob, kind), print, picture,
		others.text[0] != '\0'
		    ? "This host key is known by the following other names:\n"
		    : "This key is not known by any other names.\n",
		others.text) < 0)
		return NULL;
	return text;
}

/* 0: yes, or the fingerprint was typed; -ECANCELED: no; or why not. */
static int
ask_user(const struct client *c, const struct look *k)
{
	AUTOFREE char *print = fingerprint(c, k->blob);
	AUTOFREE char *text = print != NULL ? question(c, k, print) : NULL;
	const char *now = text;
	char kind[HOSTCHECK_KIND_MAX];

	if (text == NULL)
		return -ENOMEM;
	for (;;) {
		AUTO(prompt_done) char *answer = NULL;
		int rc = prompt_ask(now, true, &answer);

		if (rc == -ENOTTY)
			log_error("There is no terminal to ask on: compare "
				  "the %s key %s, then use omniedge "
				  "known-hosts add %s",
			    hostcheck_kind(k->blob, kind), print, k->name);
		if (rc != 0)
			return rc;
		if (strcasecmp(answer, "yes") == 0 ||
		    strcmp(answer, print) == 0)
			return 0;
		if (strcasecmp(answer, "no") == 0)
			return -ECANCELED;
		now = "Please type 'yes', 'no' or the fingerprint: ";
	}
}

/* --- what is done */

static void
remember(const struct client *c, const struct look *k)
{
	const struct words *files = sshconf_list(c->conf, KW_USER_KNOWN_HOSTS);
	AUTOFREE char *path = NULL;
	AUTOFREE char *line = NULL;
	char why[EXPAND_WHY_MAX], kind[HOSTCHECK_KIND_MAX];
	int rc;

	if (files->n == 0 || strcasecmp(files->v[0], "none") == 0)
		return;
	rc = expand_path(&c->expand, files->v[0], why, &path);
	if (rc == 0)
		rc = known_format(k->name, k->blob,
		    sshconf_flag(c->conf, KW_HASH_KNOWN_HOSTS), &line);
	if (rc == 0)
		rc = hostcheck_append(path, line);
	if (rc != 0)
		log_error("Failed to add the host to the list of known hosts "
			  "(%s): %s",
		    path != NULL ? path : files->v[0], err_str(rc));
	else if (strcmp(path, "/dev/null") != 0 || log_level() > LEVEL_ERROR)
		log_info("Warning: Permanently added '%s' (%s) to the list of "
			 "known hosts.",
		    k->name, hostcheck_kind(k->blob, kind));
}

static int
refuse(const char *why)
{
	if (why != NULL)
		log_error("%s", why);
	log_error("Host key verification failed.");
	return -EKEYREJECTED;
}

static int
take_new(struct client *c, const struct look *k)
{
	long strict = sshconf_number(c->conf, KW_STRICT);
	char kind[HOSTCHECK_KIND_MAX];

	if (strict == STRICT_ASK && sshconf_flag(c->conf, KW_BATCH_MODE))
		strict = STRICT_YES;
	if (strict == STRICT_YES) {
		log_error("No %s host key is known for %s and you have "
			  "requested strict checking.",
		    hostcheck_kind(k->blob, kind), k->name);
		if (k->authority)
			log_error("It has a @cert-authority on record: this "
				  "client cannot check host certificates.");
		return refuse(NULL);
	}
	if (strict == STRICT_ASK && ask_user(c, k) != 0)
		return refuse(NULL);
	remember(c, k);
	return 0;
}

static int
take_changed(struct client *c, const struct look *k)
{
	long strict = sshconf_number(c->conf, KW_STRICT);

	say_changed(c, k);
	if (strict != STRICT_NO && strict != STRICT_OFF)
		return refuse(NULL);
	/* As OpenSSH: go on, but give the stranger nothing of value. */
	c->doubtful = true;
	log_error("Password authentication is disabled to avoid "
		  "man-in-the-middle attacks.");
	log_error("Forwarding is disabled to avoid man-in-the-middle attacks.");
	return 0;
}

static int
server_blob(const struct client *c, struct writer *out_blob)
{
	AUTOFREE char *text = NULL;
	ssh_key key = NULL;
	int rc = -EKEYREJECTED;

	if (ssh_get_server_publickey(c->ssh, &key) != SSH_OK)
		return rc;
	if (ssh_pki_export_pubkey_base64(key, &text) == SSH_OK)
		rc = base64_decode(span_of(text, strlen(text)), out_blob);
	ssh_key_free(key);
	return rc;
}

static bool
is_loopback(const struct client *c)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (c->proxy != 0 ||
	    getpeername(ssh_get_fd(c->ssh), (struct sockaddr *)&sa, &len) != 0)
		return false;
	if (sa.ss_family == AF_INET)
		return (ntohl(((struct sockaddr_in *)&sa)->sin_addr.s_addr) >>
			   24) == 127;
	return sa.ss_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&sa)->sin6_addr);
}

static void
show(const struct client *c, struct span blob)
{
	AUTOFREE char *print = fingerprint(c, blob);
	AUTOFREE char *picture = hostcheck_picture(blob);
	char kind[HOSTCHECK_KIND_MAX];

	log_debug("Server host key: %s %s", hostcheck_kind(blob, kind),
	    print != NULL ? print : "?");
	if (sshconf_flag(c->conf, KW_VISUAL) && print != NULL &&
	    picture != NULL && log_level() >= LEVEL_INFO)
		fprintf(
		    stderr, "Host key fingerprint is %s\n%s", print, picture);
}

/*
 * A port of its own, or the plain name: someone who knows the host at port 22
 * knows it at others, if it shows the same key.
 */
static void
look_without_port(const struct client *c, struct look *k)
{
	struct look plain = { .name = c->alias, .blob = k->blob };

	if (k->unread || k->verdict != HOST_NEW ||
	    strcmp(c->alias, k->name) == 0)
		return;
	look_up(c, &plain);
	if (plain.verdict == HOST_SAME || plain.verdict == HOST_REVOKED) {
		k->verdict = plain.verdict;
		strlcpy(k->where, plain.where, sizeof(k->where));
	}
}

int
hostcheck(struct client *c)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	struct look k = { .verdict = HOST_NEW };
	char name[KNOWN_NAME_MAX];
	int rc = server_blob(c, &blob);

	if (rc != 0)
		return refuse("The server's key cannot be read");
	k.blob = span_of(blob.p, blob.len);
	show(c, k.blob);
	if (sshconf_flag(c->conf, KW_NO_HOST_AUTH) && is_loopback(c))
		return 0;
	name_of(c, name);
	k.name = name;
	look_up(c, &k);
	look_without_port(c, &k);
	/* What cannot be read may be what would refuse the key. */
	if (k.unread)
		return refuse("A file of known hosts cannot be read");
	switch (k.verdict) {
	case HOST_SAME:
		log_debug("Host '%s' is known (%s)", name, k.where);
		return 0;
	case HOST_NEW:
		return take_new(c, &k);
	case HOST_CHANGED:
		return take_changed(c, &k);
	case HOST_REVOKED:
		log_error(
		    "The key of %s is marked @revoked in %s", name, k.where);
		return refuse(NULL);
	}
	return refuse(NULL);
}

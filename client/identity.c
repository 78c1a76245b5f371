/*
 * Finding the user's keys. Runs as the user, on their own files and agent.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/agent.h"
#include "client/connect_impl.h"
#include "client/file.h"
#include "client/identity.h"
#include "client/prompt.h"
#include "common/base64.h"
#include "common/cert.h"
#include "common/err.h"
#include "common/key.h"
#include "common/log.h"
#include "common/own.h"

#define V1_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define V1_MAGIC "openssh-key-v1" /* and its NUL, PROTOCOL.key */
#define V1_FIELD_MAX 4096

/* Where OpenSSH looks when nothing is said, in its order. */
static const char *const default_files[] = { "~/.ssh/id_rsa", "~/.ssh/id_ecdsa",
	"~/.ssh/id_ecdsa_sk", "~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk" };

static void
identity_done(struct identity *id)
{
	free(id->path);
	free(id->name);
	free(id->cert);
	writer_done(&id->offer);
	writer_done(&id->key);
}

void
identities_done(struct identities *ids)
{
	for (size_t i = 0; i < ids->n; i++)
		identity_done(&ids->v[i]);
	ids->n = 0;
	own_close(&ids->agent_fd);
	ids->agent_fd = -1;
}

/* A place at the end, zeroed; NULL when there is none. */
static struct identity *
grow(struct identities *ids)
{
	struct identity *id = &ids->v[ids->n];

	if (ids->n == IDENTITIES_MAX)
		return NULL;
	*id = (struct identity){ .offer = WRITER_INIT, .key = WRITER_INIT };
	ids->n++;
	return id;
}

/* --- public halves */

/* The blob of "type base64 comment". */
static int
line_blob(struct span text, struct writer *out)
{
	const uint8_t *blank = memchr(text.p, ' ', text.len);
	struct span rest;
	size_t len = 0;

	if (blank == NULL)
		return -EBADMSG;
	rest = span_of(blank + 1, text.len - (size_t)(blank + 1 - text.p));
	while (len < rest.len && strchr(" \t\r\n", rest.p[len]) == NULL)
		len++;
	return base64_decode(span_of(rest.p, len), out);
}

static int
file_blob(const char *path, struct writer *out, char **out_line)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;
	int rc = file_read(path, &text, NULL);

	if (rc == 0)
		rc = line_blob(span_of(text.p, text.len), out);
	if (rc == 0 && out_line != NULL) {
		*out_line = strndup((const char *)text.p, text.len);
		rc = *out_line != NULL ? 0 : -ENOMEM;
	}
	return rc;
}

/* The public half is not encrypted in an openssh-key-v1 file. */
static int
v1_blob(struct span text, struct writer *out)
{
	AUTO(writer_done) struct writer packed = WRITER_INIT;
	AUTO(writer_done) struct writer raw = WRITER_INIT;
	struct reader r;
	struct span magic, blob;
	size_t skip = sizeof(V1_BEGIN) - 1;

	if (text.len < skip || memcmp(text.p, V1_BEGIN, skip) != 0)
		return -ENOTSUP;
	for (size_t i = skip; i < text.len && text.p[i] != '-'; i++)
		if (strchr("\r\n ", text.p[i]) == NULL)
			writer_u8(&packed, text.p[i]);
	if (base64_decode(span_of(packed.p, packed.len), &raw) != 0)
		return -EBADMSG;
	reader_init(&r, raw.p, raw.len);
	magic = reader_bytes(&r, sizeof(V1_MAGIC));
	if (r.failed || memcmp(magic.p, V1_MAGIC, sizeof(V1_MAGIC)) != 0)
		return -EBADMSG;
	(void)reader_string(&r, V1_FIELD_MAX); /* cipher */
	(void)reader_string(&r, V1_FIELD_MAX); /* kdf */
	(void)reader_string(&r, V1_FIELD_MAX); /* its options */
	if (reader_u32(&r) != 1)
		return -EBADMSG;
	blob = reader_string(&r, KEY_BLOB_MAX);
	if (r.failed)
		return -EBADMSG;
	writer_bytes(out, blob.p, blob.len);
	return writer_end(out);
}

static void
find_public(const char *path, struct writer *out)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;
	AUTOFREE char *pub = NULL;

	if (asprintf(&pub, "%s.pub", path) < 0) {
		pub = NULL;
		return;
	}
	if (file_blob(pub, out, NULL) == 0)
		return;
	if (file_read(path, &text, NULL) == 0)
		(void)v1_blob(span_of(text.p, text.len), out);
}

/* The plain key that a certificate is for. */
static int
certified_key(struct span blob, struct writer *out)
{
	AUTO(cert_done) struct cert *cert = NULL;
	struct span key;
	int rc = cert_parse(blob, 0, "*", &cert);

	if (rc != 0)
		return rc;
	key = key_blob(cert->key);
	writer_bytes(out, key.p, key.len);
	return writer_end(out);
}

/* --- files */

struct certs {
	struct identity v[IDENTITIES_MAX / 8];
	size_t n;
};

static void
certs_done(struct certs *certs)
{
	for (size_t i = 0; i < certs->n; i++)
		identity_done(&certs->v[i]);
}

static void
add_cert(struct certs *certs, const char *path, bool must)
{
	struct identity *id = &certs->v[certs->n];
	int rc;

	if (certs->n == nitems_of(certs->v))
		return;
	*id = (struct identity){ .offer = WRITER_INIT, .key = WRITER_INIT };
	rc = file_blob(path, &id->offer, &id->cert);
	if (rc == 0)
		rc = certified_key(
		    span_of(id->offer.p, id->offer.len), &id->key);
	if (rc == 0 && (id->name = strdup(path)) != NULL) {
		certs->n++;
		return;
	}
	identity_done(id);
	if (must || rc != -ENOENT)
		log_info("Certificate %s: %s", path, err_str(rc));
}

static void
add_cert_beside(struct certs *certs, const char *path)
{
	AUTOFREE char *beside = NULL;

	if (asprintf(&beside, "%s-cert.pub", path) < 0)
		beside = NULL;
	else
		add_cert(certs, beside, false);
}

static int
copy_text(char **out, const char *text)
{
	*out = text != NULL ? strdup(text) : NULL;
	return text == NULL || *out != NULL ? 0 : -ENOMEM;
}

/* One identity for each certificate of the key, then the key itself. */
static int
add_file(struct identities *ids, const struct certs *certs, const char *path)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	int rc = 0;

	find_public(path, &blob);
	for (size_t i = 0; i <= certs->n && rc == 0; i++) {
		const struct identity *cert =
		    i < certs->n ? &certs->v[i] : NULL;
		const struct writer *offer =
		    cert != NULL ? &cert->offer : &blob;
		struct identity *id;

		if (cert != NULL &&
		    !span_eq(span_of(cert->key.p, cert->key.len),
			span_of(blob.p, blob.len)))
			continue;
		id = grow(ids);
		if (id == NULL)
			return 0;
		id->named = true;
		writer_bytes(&id->offer, offer->p, offer->len);
		writer_bytes(&id->key, blob.p, blob.len);
		rc = copy_text(&id->path, path);
		if (rc == 0)
			rc = copy_text(
			    &id->name, cert != NULL ? cert->name : path);
		if (rc == 0 && cert != NULL)
			rc = copy_text(&id->cert, cert->cert);
	}
	return rc;
}

static int
add_named(const struct client *c, struct identities *ids, struct certs *certs,
    const char *name)
{
	AUTOFREE char *path = NULL;
	AUTOFREE char *pub = NULL;
	bool must = sshconf_is_set(c->conf, KW_IDENTITY_FILE);
	char why[EXPAND_WHY_MAX];
	int rc = expand_path(&c->expand, name, why, &path);

	if (rc == -EBADMSG)
		log_error("IdentityFile: %s", why);
	if (rc != 0)
		return rc == -ENOMEM ? rc : 0;
	if (asprintf(&pub, "%s.pub", path) < 0) {
		pub = NULL;
		return -ENOMEM;
	}
	/* A public half alone names a key of the agent. */
	if (access(path, F_OK) != 0 && access(pub, F_OK) != 0) {
		if (must)
			log_info("Warning: Identity file %s not accessible: "
				 "%s.",
			    path, err_str(-errno));
		return 0;
	}
	add_cert_beside(certs, path);
	return add_file(ids, certs, path);
}

static int
add_files(const struct client *c, struct identities *ids, struct certs *certs)
{
	const struct words *files = sshconf_list(c->conf, KW_IDENTITY_FILE);
	int rc = 0;

	if (!sshconf_is_set(c->conf, KW_IDENTITY_FILE)) {
		for (size_t i = 0; i < nitems_of(default_files) && rc == 0; i++)
			rc = add_named(c, ids, certs, default_files[i]);
		return rc;
	}
	for (size_t i = 0; i < files->n && rc == 0; i++)
		if (strcasecmp(files->v[i], "none") != 0)
			rc = add_named(c, ids, certs, files->v[i]);
	return rc;
}

void
identity_print_defaults(FILE *out)
{
	for (size_t i = 0; i < nitems_of(default_files); i++)
		fprintf(out, "identityfile %s\n", default_files[i]);
}

static void
add_certs(const struct client *c, struct certs *certs)
{
	const struct words *files = sshconf_list(c->conf, KW_CERTIFICATE_FILE);

	for (size_t i = 0; i < files->n; i++) {
		AUTOFREE char *path = NULL;
		char why[EXPAND_WHY_MAX];

		if (strcasecmp(files->v[i], "none") != 0 &&
		    expand_path(&c->expand, files->v[i], why, &path) == 0)
			add_cert(certs, path, true);
	}
}

/* --- the agent */

char *
identity_agent_path(const struct client *c)
{
	const char *said = sshconf_text(c->conf, KW_IDENTITY_AGENT);
	const char *env = getenv("SSH_AUTH_SOCK");
	char why[EXPAND_WHY_MAX], *path = NULL;

	if (said == NULL)
		return NULL;
	if (strcmp(said, "SSH_AUTH_SOCK") == 0)
		return env != NULL && *env != '\0' ? strdup(env) : NULL;
	if (*said == '$' && said[1] != '{') {
		env = getenv(said + 1);
		return env != NULL && *env != '\0' ? strdup(env) : NULL;
	}
	if (expand_path(&c->expand, said, why, &path) != 0) {
		log_error("IdentityAgent: %s", why);
		return NULL;
	}
	return path;
}

/* The agent's keys that a file names are marked; the others are new. */
static void
merge_agent_key(const struct client *c, struct identities *ids, size_t nfiles,
    struct agent_key *key)
{
	struct span blob = span_of(key->blob.p, key->blob.len);
	struct identity *id;
	bool found = false;

	for (size_t i = 0; i < nfiles; i++) {
		id = &ids->v[i];
		if (!span_eq(span_of(id->key.p, id->key.len), blob) &&
		    !span_eq(span_of(id->offer.p, id->offer.len), blob))
			continue;
		id->agent = found = true;
		/* The agent may hold the certificate and not the plain key. */
		if (span_eq(span_of(id->offer.p, id->offer.len), blob)) {
			writer_done(&id->key);
			id->key = (struct writer)WRITER_INIT;
			writer_bytes(&id->key, blob.p, blob.len);
		}
	}
	if (found || sshconf_flag(c->conf, KW_IDENTITIES_ONLY) ||
	    (id = grow(ids)) == NULL)
		return;
	id->agent = true;
	writer_bytes(&id->offer, blob.p, blob.len);
	writer_bytes(&id->key, blob.p, blob.len);
	id->name = take_ptr(&key->comment);
}

static int
merge_agent(const struct client *c, struct identities *ids)
{
	AUTOFREE char *path = identity_agent_path(c);
	AUTOFREE struct agent_keys *keys = NULL;
	size_t nfiles = ids->n;

	if (path == NULL)
		return 0;
	ids->agent_fd = agent_open(path);
	if (ids->agent_fd < 0) {
		log_debug("agent %s: %s", path, err_str(ids->agent_fd));
		ids->agent_fd = -1;
		return 0;
	}
	keys = calloc(1, sizeof(*keys));
	if (keys == NULL)
		return -ENOMEM;
	if (agent_list(ids->agent_fd, keys) != 0) {
		log_debug("agent %s: it does not list its keys", path);
		return 0;
	}
	for (size_t i = 0; i < keys->n; i++)
		merge_agent_key(c, ids, nfiles, &keys->v[i]);
	agent_keys_done(keys);
	return 0;
}

/* --- in order */

static int
rank(const struct identity *id)
{
	return !id->agent ? 2 : id->named ? 0 : 1;
}

/* Stable, for a handful of keys. */
static void
sort(struct identities *ids)
{
	for (size_t i = 1; i < ids->n; i++) {
		struct identity one = ids->v[i];
		size_t j = i;

		for (; j > 0 && rank(&ids->v[j - 1]) > rank(&one); j--)
			ids->v[j] = ids->v[j - 1];
		ids->v[j] = one;
	}
}

int
identities_load(const struct client *c, struct identities *out)
{
	AUTO(certs_done) struct certs certs = { .n = 0 };
	int rc;

	out->n = 0;
	out->agent_fd = -1;
	add_certs(c, &certs);
	rc = add_files(c, out, &certs);
	if (rc == 0)
		rc = merge_agent(c, out);
	sort(out);
	for (size_t i = 0; i < out->n; i++)
		log_debug("Will attempt key: %s%s%s",
		    out->v[i].name != NULL ? out->v[i].name : "",
		    out->v[i].agent ? " agent" : "",
		    out->v[i].named ? " explicit" : "");
	return rc;
}

/* --- private halves */

bool
identity_is_plain(const struct identity *id)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;

	return id->path != NULL && file_read(id->path, &text, NULL) == 0 &&
	       !key_needs_passphrase(span_of(text.p, text.len));
}

/* Others' eyes on a private key make it worthless: say so, do not use it. */
static bool
may_use(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || st.st_uid != geteuid() ||
	    (st.st_mode & 077) == 0)
		return true;
	log_error("Permissions 0%03o for '%s' are too open: others can read "
		  "the key, so it is not used (chmod 600 makes it yours "
		  "again).",
	    (unsigned)st.st_mode & 0777, path);
	return false;
}

static int
import(const char *text, const char *passphrase, ssh_key *out_key)
{
	return ssh_pki_import_privkey_base64(
		   text, passphrase, NULL, NULL, out_key) == SSH_OK
		   ? 0
		   : -EKEYREJECTED;
}

static int
unlock(const struct client *c, const char *path, const char *text,
    ssh_key *out_key)
{
	long tries = sshconf_number(c->conf, KW_PASSWORD_PROMPTS);
	AUTOFREE char *question = NULL;

	if (sshconf_flag(c->conf, KW_BATCH_MODE))
		return -ECANCELED;
	if (asprintf(&question, "Enter passphrase for key '%s': ", path) < 0) {
		question = NULL;
		return -ENOMEM;
	}
	for (long i = 0; i < tries; i++) {
		AUTO(prompt_done) char *answer = NULL;
		int rc = prompt_ask(question, false, &answer);

		if (rc != 0)
			return rc;
		/* An empty answer means: not this key. */
		if (*answer == '\0')
			return -ECANCELED;
		if (import(text, answer, out_key) == 0)
			return 0;
		log_debug("bad passphrase given, try again...");
	}
	return -ECANCELED;
}

static int
attach_cert(const struct identity *id, ssh_key key)
{
	AUTOFREE char *line = NULL;
	char *type, *text;
	ssh_key cert = NULL;
	int rc;

	if (id->cert == NULL)
		return 0;
	line = strdup(id->cert);
	if (line == NULL)
		return -ENOMEM;
	text = line;
	type = strsep(&text, " \t");
	if (text == NULL)
		return -EBADMSG;
	text[strcspn(text, " \t\r\n")] = '\0';
	rc = ssh_pki_import_cert_base64(
	    text, ssh_key_type_from_name(type), &cert);
	if (rc == SSH_OK)
		rc = ssh_pki_copy_cert_to_privkey(cert, key);
	ssh_key_free(cert);
	return rc == SSH_OK ? 0 : -EKEYREJECTED;
}

int
identity_private(
    const struct client *c, const struct identity *id, ssh_key *out_key)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;
	ssh_key key = NULL;
	int rc = file_read(id->path, &text, NULL);

	if (rc == 0 && !may_use(id->path))
		return -EACCES;
	writer_u8(&text, 0);
	if (rc == 0)
		rc = writer_end(&text);
	if (rc == -ENOENT)
		return rc; /* only its public half is here */
	if (rc == 0 && key_needs_passphrase(span_of(text.p, text.len - 1)))
		rc = unlock(c, id->path, (const char *)text.p, &key);
	else if (rc == 0)
		rc = import((const char *)text.p, NULL, &key);
	if (rc == 0)
		rc = attach_cert(id, key);
	if (rc == 0) {
		*out_key = key;
		return 0;
	}
	ssh_key_free(key);
	if (rc == -EKEYREJECTED)
		log_error("Load key \"%s\": not a private key that can be used "
			  "(a security key works through ssh-agent)",
		    id->path);
	else if (rc != -ECANCELED && rc != -ENOTTY)
		log_error("Load key \"%s\": %s", id->path, err_str(rc));
	return rc;
}

/*
 * The text of known_hosts. The lines are the user's or the administrator's,
 * and may be damaged; the names come from the command line.
 */
#include "config.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/knownhosts.h"
#include "common/base64.h"
#include "common/err.h"
#include "common/own.h"
#include "common/pattern.h"

#define HASH_LEN \
	20 /* SHA-1: what the format has; it hides, it proves nothing */
#define HASH_MAGIC "|1|"
#define KEY_NAME_MAX 64 /* bytes of a key type */
#define SSH_PORT 22

static const struct {
	const char *text;
	enum known_marker marker;
} markers[] = {
	{ "@cert-authority", KNOWN_CA },
	{ "@revoked", KNOWN_REVOKED },
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The next word of the line, which loses it; empty at the end. */
static struct span
take_word(struct span *line)
{
	struct span word;

	while (line->len > 0 && is_blank(*line->p)) {
		line->p++;
		line->len--;
	}
	word = span_of(line->p, 0);
	while (line->len > 0 && !is_blank(*line->p)) {
		line->p++;
		line->len--;
		word.len++;
	}
	return word;
}

static struct span
trim(struct span s)
{
	while (s.len > 0 && is_blank(*s.p)) {
		s.p++;
		s.len--;
	}
	while (
	    s.len > 0 && (is_blank(s.p[s.len - 1]) || s.p[s.len - 1] == '\r'))
		s.len--;
	return s;
}

static int
take_marker(struct span *line, struct known_line *out)
{
	struct span word;

	if (line->len == 0 || *line->p != '@')
		return 0;
	word = take_word(line);
	for (size_t i = 0; i < nitems_of(markers); i++) {
		if (!span_is(word, markers[i].text))
			continue;
		out->marker = markers[i].marker;
		return 0;
	}
	return -EBADMSG;
}

int
known_parse(struct span line, struct known_line *out_line)
{
	struct known_line l = { .marker = KNOWN_PLAIN };

	line = trim(line);
	if (line.len == 0 || *line.p == '#')
		return -ENOENT;
	if (memchr(line.p, '\0', line.len) != NULL ||
	    take_marker(&line, &l) != 0)
		return -EBADMSG;
	l.hosts = take_word(&line);
	l.type = take_word(&line);
	l.key = take_word(&line);
	l.comment = trim(line);
	/* A number in the type's place is a key of protocol 1. */
	if (l.key.len == 0 || l.type.len > KEY_NAME_MAX || isdigit(*l.type.p))
		return -EBADMSG;
	*out_line = l;
	return 0;
}

void
known_name(const char *host, int port, char name[KNOWN_NAME_MAX])
{
	if (port == SSH_PORT)
		strlcpy(name, host, KNOWN_NAME_MAX);
	else
		snprintf(name, KNOWN_NAME_MAX, "[%s]:%d", host, port);
}

bool
known_is_hashed(const struct known_line *line)
{
	return line->hosts.len > 3 && memcmp(line->hosts.p, HASH_MAGIC, 3) == 0;
}

static bool
hash_name(struct span salt, const char *name, uint8_t hash[EVP_MAX_MD_SIZE])
{
	unsigned len = 0;

	return HMAC(EVP_sha1(), salt.p, (int)salt.len,
		   (const unsigned char *)name, strlen(name), hash,
		   &len) != NULL &&
	       len == HASH_LEN;
}

/* |1|salt|hash */
static bool
hash_matches(struct span hosts, const char *name)
{
	AUTO(writer_done) struct writer salt = WRITER_INIT;
	AUTO(writer_done) struct writer want = WRITER_INIT;
	const uint8_t *bar;
	uint8_t hash[EVP_MAX_MD_SIZE];
	struct span first, second;

	hosts.p += 3;
	hosts.len -= 3;
	bar = memchr(hosts.p, '|', hosts.len);
	if (bar == NULL)
		return false;
	first = span_of(hosts.p, (size_t)(bar - hosts.p));
	second = span_of(bar + 1, hosts.len - first.len - 1);
	if (base64_decode(first, &salt) != 0 ||
	    base64_decode(second, &want) != 0 || want.len != HASH_LEN ||
	    salt.len != HASH_LEN)
		return false;
	return hash_name(span_of(salt.p, salt.len), name, hash) &&
	       CRYPTO_memcmp(hash, want.p, HASH_LEN) == 0;
}

bool
known_matches(const struct known_line *line, const char *name)
{
	AUTOFREE char *list = NULL;

	if (known_is_hashed(line))
		return hash_matches(line->hosts, name);
	list = strndup((const char *)line->hosts.p, line->hosts.len);
	return list != NULL &&
	       pattern_list_match(name, list, PATTERN_NOCASE) == 1;
}

bool
known_names(const struct known_line *line, const char *name)
{
	struct span rest = line->hosts;
	size_t len = strlen(name);

	if (known_is_hashed(line))
		return hash_matches(line->hosts, name);
	while (rest.len > 0) {
		const uint8_t *comma = memchr(rest.p, ',', rest.len);
		size_t n = comma != NULL ? (size_t)(comma - rest.p) : rest.len;

		if (n == len &&
		    strncasecmp((const char *)rest.p, name, len) == 0)
			return true;
		rest.p += n + (comma != NULL);
		rest.len -= n + (comma != NULL);
	}
	return false;
}

bool
known_is_key(const struct known_line *line, struct span blob)
{
	AUTO(writer_done) struct writer key = WRITER_INIT;

	return base64_decode(line->key, &key) == 0 &&
	       span_eq(span_of(key.p, key.len), blob);
}

/* |1|salt|hash of the name, owned. */
static int
hide_name(const char *name, char **out_text)
{
	uint8_t salt[HASH_LEN], hash[EVP_MAX_MD_SIZE];
	AUTOFREE char *first = NULL;
	AUTOFREE char *second = NULL;

	if (RAND_bytes(salt, sizeof(salt)) != 1 ||
	    !hash_name(span_of(salt, sizeof(salt)), name, hash))
		return -EIO;
	if (base64_encode(span_of(salt, HASH_LEN), BASE64_PADDED, &first) !=
		0 ||
	    base64_encode(span_of(hash, HASH_LEN), BASE64_PADDED, &second) !=
		0 ||
	    asprintf(out_text, HASH_MAGIC "%s|%s", first, second) < 0)
		return -ENOMEM;
	return 0;
}

int
known_format(const char *name, struct span blob, bool hashed, char **out_line)
{
	AUTOFREE char *key = NULL;
	AUTOFREE char *hidden = NULL;
	struct reader r;
	struct span type;
	int rc = 0;

	reader_init(&r, blob.p, blob.len);
	type = reader_string(&r, KEY_NAME_MAX);
	if (r.failed || type.len == 0 || memchr(type.p, '\0', type.len) != NULL)
		return -EBADMSG;
	if (hashed)
		rc = hide_name(name, &hidden);
	if (rc == 0)
		rc = base64_encode(blob, BASE64_PADDED, &key);
	if (rc != 0)
		return rc;
	if (asprintf(out_line, "%s %.*s %s\n", hashed ? hidden : name,
		(int)type.len, (const char *)type.p, key) < 0)
		return -ENOMEM;
	return 0;
}

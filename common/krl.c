/*
 * Reading lists of revoked keys. Runs in sshd-monitor as root. Nothing is kept
 * of a list: it is read from its first byte to its last for each question, so
 * that its size costs time, and no memory but its own.
 */
#include "config.h"

#include <openssl/evp.h>
#include <string.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/krl.h"
#include "common/own.h"

#define MAGIC "SSHKRL\n" /* and a NUL */
#define FORMAT_VERSION 1
#define SHA1_LEN 20
#define SHA256_LEN 32

enum section {
	SECTION_CERTIFICATES = 1,
	SECTION_EXPLICIT_KEY = 2,
	SECTION_FINGERPRINT_SHA1 = 3,
	SECTION_SIGNATURE = 4,
	SECTION_FINGERPRINT_SHA256 = 5,
	SECTION_EXTENSION = 255,
};

enum cert_section {
	CERT_SERIAL_LIST = 0x20,
	CERT_SERIAL_RANGE = 0x21,
	CERT_SERIAL_BITMAP = 0x22,
	CERT_KEY_ID = 0x23,
	CERT_EXTENSION = 0x39,
};

/* What is looked for, and whether it was found. */
struct search {
	struct span blob; /* of the plain key */
	uint8_t sha1[SHA1_LEN];
	uint8_t sha256[SHA256_LEN];
	const struct cert *cert; /* NULL: plain */
	bool of_ca; /* in a section for the certificate's authority, or any */
	bool found;
};

bool
krl_is_binary(struct span file)
{
	return file.len >= sizeof(MAGIC) &&
	       memcmp(file.p, MAGIC, sizeof(MAGIC)) == 0;
}

/* A serial number of 0 is that of an authority that gives none: OpenSSH. */
static bool
has_serial(const struct search *s)
{
	return s->of_ca && s->cert->serial != 0;
}

/* --- certificates */

static int
read_serials(struct reader *r, struct search *s)
{
	while (r->left > 0 && !r->failed) {
		uint64_t serial = reader_u64(r);

		s->found |=
		    !r->failed && has_serial(s) && serial == s->cert->serial;
	}
	return reader_end(r);
}

static int
read_range(struct reader *r, struct search *s)
{
	uint64_t least = reader_u64(r), most = reader_u64(r);

	if (reader_end(r) != 0 || least > most)
		return -EBADMSG;
	s->found |= has_serial(s) && s->cert->serial >= least &&
		    s->cert->serial <= most;
	return 0;
}

/* An mpint (RFC 4251 section 5) whose bit n is the serial number first + n. */
static int
read_bitmap(struct reader *r, struct search *s)
{
	uint64_t first = reader_u64(r);
	struct span bits = reader_string(r, KRL_FILE_MAX);
	uint64_t n, last;

	if (reader_end(r) != 0 || (bits.len != 0 && (bits.p[0] & 0x80) != 0))
		return -EBADMSG;
	while (bits.len != 0 && bits.p[0] == 0)
		bits = span_of(bits.p + 1, bits.len - 1);
	if (bits.len == 0)
		return 0;
	last = bits.len * 8 - 1;
	if (first + last < first)
		return -EBADMSG;
	if (!has_serial(s) || s->cert->serial < first ||
	    s->cert->serial - first > last)
		return 0;
	n = s->cert->serial - first;
	s->found |= (bits.p[bits.len - 1 - n / 8] >> (n % 8) & 1) != 0;
	return 0;
}

static int
read_key_ids(struct reader *r, struct search *s)
{
	while (r->left > 0 && !r->failed) {
		struct span id = reader_string(r, KRL_FILE_MAX);

		s->found |=
		    !r->failed && s->of_ca && span_eq(id, s->cert->key_id);
	}
	return reader_end(r);
}

/* There is none that we know; one that is critical must not be passed over. */
static int
read_extension(struct reader *r, struct search *s)
{
	uint8_t critical;

	(void)s;
	reader_string(r, KRL_FILE_MAX);
	critical = reader_u8(r);
	reader_string(r, KRL_FILE_MAX);
	if (reader_end(r) != 0)
		return -EBADMSG;
	return critical != 0 ? -ENOTSUP : 0;
}

typedef int part_reader(struct reader *r, struct search *s);

struct part {
	uint8_t type;
	part_reader *read;
};

static const struct part cert_parts[] = {
	{ CERT_SERIAL_LIST, read_serials },
	{ CERT_SERIAL_RANGE, read_range },
	{ CERT_SERIAL_BITMAP, read_bitmap },
	{ CERT_KEY_ID, read_key_ids },
	{ CERT_EXTENSION, read_extension },
};

/* A byte, which picks the row, and a string for it. */
static int
read_part(
    struct reader *r, struct search *s, const struct part *parts, size_t nparts)
{
	uint8_t type = reader_u8(r);
	struct span body = reader_string(r, KRL_FILE_MAX);
	struct reader part;

	if (r->failed)
		return -EBADMSG;
	for (size_t i = 0; i < nparts; i++) {
		if (parts[i].type != type)
			continue;
		reader_init(&part, body.p, body.len);
		return parts[i].read(&part, s);
	}
	return -ENOTSUP;
}

static int
read_certificates(struct reader *r, struct search *s)
{
	struct span ca = reader_string(r, KRL_FILE_MAX);
	int rc = 0;

	reader_string(r, KRL_FILE_MAX); /* reserved */
	if (r->failed)
		return -EBADMSG;
	s->of_ca = s->cert != NULL &&
		   (ca.len == 0 || span_eq(ca, key_blob(s->cert->ca)));
	while (rc == 0 && r->left > 0)
		rc = read_part(r, s, cert_parts, nitems_of(cert_parts));
	return rc;
}

/* --- keys */

static int
read_blobs(struct reader *r, struct search *s, struct span wanted, size_t len)
{
	while (r->left > 0 && !r->failed) {
		struct span blob = reader_string(r, KRL_FILE_MAX);

		if (len != 0 && blob.len != len)
			return -EBADMSG;
		s->found |= !r->failed && span_eq(blob, wanted);
	}
	return reader_end(r);
}

static int
read_keys(struct reader *r, struct search *s)
{
	return read_blobs(r, s, s->blob, 0);
}

static int
read_sha1(struct reader *r, struct search *s)
{
	return read_blobs(r, s, span_of(s->sha1, SHA1_LEN), SHA1_LEN);
}

static int
read_sha256(struct reader *r, struct search *s)
{
	return read_blobs(r, s, span_of(s->sha256, SHA256_LEN), SHA256_LEN);
}

static const struct part sections[] = {
	{ SECTION_CERTIFICATES, read_certificates },
	{ SECTION_EXPLICIT_KEY, read_keys },
	{ SECTION_FINGERPRINT_SHA1, read_sha1 },
	{ SECTION_FINGERPRINT_SHA256, read_sha256 },
	{ SECTION_EXTENSION, read_extension },
};

/* Signatures come last: byte, the signer's key, the signature, each. */
static int
read_signatures(struct reader *r)
{
	while (r->left > 0) {
		if (reader_u8(r) != SECTION_SIGNATURE)
			return -EBADMSG;
		reader_string(r, KRL_FILE_MAX);
		reader_string(r, KRL_FILE_MAX);
		if (r->failed)
			return -EBADMSG;
	}
	return 0;
}

static int
read_header(struct reader *r)
{
	uint32_t version;

	reader_bytes(r, sizeof(MAGIC));
	version = reader_u32(r);
	reader_u64(r);                  /* the list's own version */
	reader_u64(r);                  /* when it was made */
	reader_u64(r);                  /* flags */
	reader_string(r, KRL_FILE_MAX); /* reserved */
	reader_string(r, KRL_FILE_MAX); /* comment */
	if (r->failed)
		return -EBADMSG;
	return version == FORMAT_VERSION ? 0 : -ENOTSUP;
}

static int
search_init(struct search *s, const struct key *key, const struct cert *cert)
{
	*s = (struct search){ .blob = key_blob(key), .cert = cert };
	return EVP_Digest(s->blob.p, s->blob.len, s->sha1, NULL, EVP_sha1(),
		   NULL) == 1 &&
		       EVP_Digest(s->blob.p, s->blob.len, s->sha256, NULL,
			   EVP_sha256(), NULL) == 1
		   ? 0
		   : -ENOMEM;
}

int
krl_check(struct span file, const struct key *key, const struct cert *cert)
{
	struct search s;
	struct reader r;
	int rc = search_init(&s, key, cert);

	if (rc != 0)
		return rc;
	if (!krl_is_binary(file))
		return -EBADMSG;
	reader_init(&r, file.p, file.len);
	rc = read_header(&r);
	while (rc == 0 && r.left > 0)
		rc = r.p[0] == SECTION_SIGNATURE
			 ? read_signatures(&r)
			 : read_part(&r, &s, sections, nitems_of(sections));
	if (rc != 0)
		return rc;
	return s.found ? -EKEYREVOKED : 0;
}

/* --- text */

static bool
is_fingerprint(struct span word)
{
	static const char *const begins[] = { "SHA256:", "MD5:" };

	for (size_t i = 0; i < nitems_of(begins); i++) {
		size_t len = strlen(begins[i]);

		if (word.len > len && memcmp(word.p, begins[i], len) == 0)
			return true;
	}
	return false;
}

static int
match_fingerprint(struct span word, const struct key *key)
{
	AUTOFREE char *print = NULL;
	enum key_hash hash = word.p[0] == 'M' ? KEY_HASH_MD5 : KEY_HASH_SHA256;

	if (key_fingerprint(key, hash, &print) != 0)
		return -ENOMEM;
	return span_is(word, print) ? -EKEYREVOKED : 0;
}

static struct span
take_word(struct span *line)
{
	size_t at = 0, n = 0;

	while (at < line->len && (line->p[at] == ' ' || line->p[at] == '\t'))
		at++;
	while (at + n < line->len && line->p[at + n] != ' ' &&
	       line->p[at + n] != '\t' && line->p[at + n] != '\r')
		n++;
	*line = span_of(line->p + at + n, line->len - at - n);
	return span_of(line->p - n, n);
}

/* The blob of the plain key in that of a key or certificate. */
static int
match_blob(struct span blob, const struct key *key)
{
	AUTO(cert_done) struct cert *cert = NULL;
	const struct key_kind *kind;
	struct reader r;
	bool is_cert = false;

	reader_init(&r, blob.p, blob.len);
	kind = key_kind_named(reader_string(&r, blob.len), &is_cert);
	if (!is_cert || kind == NULL || kind->type != key_type(key))
		return span_eq(blob, key_blob(key)) ? -EKEYREVOKED : 0;
	if (cert_parse(blob, KEY_RSA_BITS_LEAST, "*", &cert) != 0)
		return -EBADMSG;
	return key_equal(cert->key, key) ? -EKEYREVOKED : 0;
}

/* "type base64 [comment]"; a type that we do not have can match nothing. */
static int
match_line(struct span line, const struct key *key)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	struct span type = take_word(&line);
	struct span base64 = take_word(&line);
	struct reader r;

	if (type.len == 0 || type.p[0] == '#')
		return 0;
	if (is_fingerprint(type))
		return match_fingerprint(type, key);
	if (base64.len == 0 || base64_decode(base64, &blob) != 0)
		return -EBADMSG;
	reader_init(&r, blob.p, blob.len);
	if (!span_eq(reader_string(&r, blob.len), type) || r.failed)
		return -EBADMSG;
	return match_blob(span_of(blob.p, blob.len), key);
}

int
krl_check_text(struct span file, const struct key *key, unsigned *out_line)
{
	struct span rest = file;
	unsigned line = 0;
	int found = 0;

	while (rest.len != 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end != NULL ? (size_t)(end - rest.p) : rest.len;
		int rc = len <= KRL_LINE_MAX
			     ? match_line(span_of(rest.p, len), key)
			     : -EBADMSG;

		line++;
		if (rc == -EKEYREVOKED)
			found = rc;
		else if (rc != 0) {
			*out_line = line;
			return rc;
		}
		len += end != NULL;
		rest = span_of(rest.p + len, rest.len - len);
	}
	return found;
}

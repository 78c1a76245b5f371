/*
 * Host keys. Runs in sshd, which reads the files, and in sshd-monitor, which
 * gets the keys from it in a sealed memory file.
 */
#include "config.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/hostkey.h"

/* Which slot a type has; -1 for those no host has. */
static int
slot_of(enum key_type type)
{
	static const int slots[KEY_TYPE_COUNT] = {
		[KEY_ED25519] = 0,
		[KEY_ECDSA_P256] = 1,
		[KEY_ECDSA_P384] = 1,
		[KEY_ECDSA_P521] = 1,
		[KEY_RSA] = 2,
		[KEY_SK_ED25519] = -1,
		[KEY_SK_ECDSA] = -1,
	};

	return slots[type];
}

static int
check_file(int fd, const char *path, char why[HOSTKEY_WHY_MAX])
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		snprintf(why, HOSTKEY_WHY_MAX, "%s: not a regular file", path);
		return -EINVAL;
	}
	if (st.st_uid != 0 && st.st_uid != getuid()) {
		snprintf(why, HOSTKEY_WHY_MAX,
		    "%s: belongs to user %u; run: chown root %s", path,
		    (unsigned)st.st_uid, path);
		return -EPERM;
	}
	if ((st.st_mode & 077) != 0) {
		snprintf(why, HOSTKEY_WHY_MAX,
		    "Permissions %04o for '%s' are too open; "
		    "run: chmod 600 %s",
		    (unsigned)st.st_mode & 07777, path, path);
		return -EPERM;
	}
	return 0;
}

static int
read_file(int fd, struct writer *out)
{
	uint8_t buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0 && out->len <= KEY_FILE_MAX)
		writer_bytes(out, buf, (size_t)n);
	explicit_bzero(buf, sizeof(buf));
	if (n < 0)
		return -errno;
	return out->len > KEY_FILE_MAX ? -EMSGSIZE : writer_end(out);
}

static int
load_key(const char *path, struct span file, struct key **out_key,
    char why[HOSTKEY_WHY_MAX])
{
	int rc = key_load_private(file, KEY_RSA_BITS_DEFAULT, out_key);

	if (rc == -EKEYREJECTED && key_needs_passphrase(file))
		snprintf(why, HOSTKEY_WHY_MAX,
		    "%s: has a passphrase, which a server cannot ask for; "
		    "run: ssh-keygen -p -N '' -f %s",
		    path, path);
	else if (rc != 0)
		snprintf(why, HOSTKEY_WHY_MAX,
		    "%s: not a usable private key (%s)", path, err_str(rc));
	return rc;
}

static int
stir_salt(struct hostkeys *keys, struct span file)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	writer_bytes(&w, "salt", 4);
	writer_bytes(&w, keys->salt, sizeof(keys->salt));
	writer_bytes(&w, file.p, file.len);
	if (writer_end(&w) != 0)
		return -ENOMEM;
	return EVP_Digest(w.p, w.len, keys->salt, NULL, EVP_sha256(), NULL) == 1
		   ? 0
		   : -EIO;
}

static int
keep(struct hostkeys *keys, size_t slot, const struct key *key,
    struct writer *file)
{
	struct hostkey *h = &keys->slot[slot];
	struct span blob = key_blob(key);

	writer_bytes(&h->blob, blob.p, blob.len);
	if (writer_end(&h->blob) != 0)
		return -ENOMEM;
	h->file = *file;
	*file = (struct writer)WRITER_INIT;
	return stir_salt(keys, span_of(h->file.p, h->file.len));
}

int
hostkeys_load(
    struct hostkeys *keys, const char *path, char why[HOSTKEY_WHY_MAX])
{
	AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO(writer_done) struct writer file = WRITER_INIT;
	AUTO(key_done) struct key *key = NULL;
	int slot, rc;

	if (fd < 0) {
		rc = -errno;
		snprintf(why, HOSTKEY_WHY_MAX, "%s: %s", path, err_str(rc));
		return rc;
	}
	rc = check_file(fd, path, why);
	if (rc != 0)
		return rc;
	rc = read_file(fd, &file);
	if (rc != 0) {
		snprintf(why, HOSTKEY_WHY_MAX, "%s: %s", path, err_str(rc));
		return rc;
	}
	rc = load_key(path, span_of(file.p, file.len), &key, why);
	if (rc != 0)
		return rc;
	slot = slot_of(key_type(key));
	if (slot < 0 || keys->slot[slot].blob.len != 0) {
		snprintf(why, HOSTKEY_WHY_MAX,
		    "%s: there is already a host key of this kind, "
		    "and only the first is offered",
		    path);
		return -EEXIST;
	}
	return keep(keys, (size_t)slot, key, &file);
}

bool
hostkeys_any(const struct hostkeys *keys)
{
	for (size_t i = 0; i < HOSTKEY_KINDS; i++)
		if (keys->slot[i].blob.len != 0)
			return true;
	return false;
}

const struct key *
hostkeys_private(struct hostkeys *keys, size_t slot)
{
	struct hostkey *h = &keys->slot[slot];

	if (h->key == NULL && h->file.len != 0 &&
	    key_load_private(span_of(h->file.p, h->file.len),
		KEY_RSA_BITS_DEFAULT, &h->key) != 0)
		return NULL;
	return h->key;
}

int
hostkeys_encode(const struct hostkeys *keys, struct writer *w)
{
	writer_string(w, keys->salt, sizeof(keys->salt));
	for (size_t i = 0; i < HOSTKEY_KINDS; i++) {
		const struct hostkey *h = &keys->slot[i];

		writer_string(w, h->blob.p, h->blob.len);
		writer_string(w, h->file.p, h->file.len);
	}
	return writer_end(w);
}

int
hostkeys_decode(struct span bytes, struct hostkeys *out_keys)
{
	struct reader r;
	struct span s;
	int rc = 0;

	reader_init(&r, bytes.p, bytes.len);
	s = reader_string(&r, HOSTKEY_SALT_LEN);
	if (s.len != HOSTKEY_SALT_LEN)
		return -EBADMSG;
	memcpy(out_keys->salt, s.p, s.len);
	for (size_t i = 0; i < HOSTKEY_KINDS && rc == 0; i++) {
		struct hostkey *h = &out_keys->slot[i];

		s = reader_string(&r, KEY_BLOB_MAX);
		writer_bytes(&h->blob, s.p, s.len);
		s = reader_string(&r, KEY_FILE_MAX);
		writer_bytes(&h->file, s.p, s.len);
		if (writer_end(&h->blob) != 0 || writer_end(&h->file) != 0)
			rc = -ENOMEM;
	}
	return rc != 0 ? rc : reader_end(&r);
}

void
hostkeys_done(struct hostkeys *keys)
{
	for (size_t i = 0; i < HOSTKEY_KINDS; i++) {
		writer_done(&keys->slot[i].blob);
		writer_done(&keys->slot[i].file);
		key_free(keys->slot[i].key);
		keys->slot[i].key = NULL;
	}
	explicit_bzero(keys->salt, sizeof(keys->salt));
}

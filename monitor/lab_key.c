/*
 * Host keys for omniedge-ssh-server. Runs in it; the path is its user's.
 */
#include "config.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/own.h"
#include "monitor/lab_key.h"

#define KEY_NAME "ssh_host_ed25519_key"
#define KEY_TYPE_NAME "ssh-ed25519"
#define COMMENT "omniedge-host-key"
#define HALF_LEN 32  /* bytes of each half of an Ed25519 key, RFC 8709 */
#define BLOCK_LEN 8  /* to which cipher "none" pads, PROTOCOL.key */
#define ARMOR_LEN 70 /* characters of a line, as ssh-keygen(1) writes them */

/* The other kinds that a directory may hold; they are never made. */
static const char *const others[] = { "ssh_host_ecdsa_key",
	"ssh_host_rsa_key" };

struct halves {
	uint8_t public[HALF_LEN];
	uint8_t private[HALF_LEN];
};

static void
pkey_done(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

static void
halves_done(struct halves *h)
{
	explicit_bzero(h, sizeof(*h));
}

static int
generate(struct halves *out)
{
	AUTO(pkey_done)
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	size_t public_len = HALF_LEN, private_len = HALF_LEN;

	if (pkey == NULL ||
	    EVP_PKEY_get_raw_public_key(pkey, out->public, &public_len) != 1 ||
	    EVP_PKEY_get_raw_private_key(pkey, out->private, &private_len) != 1)
		return -EIO;
	return public_len == HALF_LEN && private_len == HALF_LEN ? 0 : -EIO;
}

/* --- openssh-key-v1, PROTOCOL.key: what ssh-keygen(1) writes and reads */

static void
put(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text));
}

static void
write_public(struct writer *w, const struct halves *h)
{
	writer_cstring(w, KEY_TYPE_NAME);
	writer_string(w, h->public, HALF_LEN);
}

static void
write_private(struct writer *w, const struct halves *h)
{
	uint8_t both[2 * HALF_LEN];
	uint32_t check = arc4random();

	memcpy(both, h->private, HALF_LEN);
	memcpy(both + HALF_LEN, h->public, HALF_LEN);
	writer_u32(w, check);
	writer_u32(w, check);
	write_public(w, h);
	writer_string(w, both, sizeof(both));
	writer_cstring(w, COMMENT);
	for (uint8_t pad = 1; w->len % BLOCK_LEN != 0; pad++)
		writer_u8(w, pad);
	explicit_bzero(both, sizeof(both));
}

static int
armor(const struct writer *w, struct writer *out)
{
	char *text = NULL;
	int rc = base64_encode(span_of(w->p, w->len), BASE64_PADDED, &text);
	size_t len;

	if (rc != 0)
		return rc;
	len = strlen(text);
	put(out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t at = 0; at < len; at += ARMOR_LEN) {
		writer_bytes(out, text + at,
		    len - at < ARMOR_LEN ? len - at : ARMOR_LEN);
		put(out, "\n");
	}
	put(out, "-----END OPENSSH PRIVATE KEY-----\n");
	explicit_bzero(text, len);
	free(text);
	return writer_end(out);
}

static int
make_private(const struct halves *h, struct writer *out)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(writer_done) struct writer public = WRITER_INIT;
	AUTO(writer_done) struct writer private = WRITER_INIT;

	write_public(&public, h);
	write_private(&private, h);
	if (writer_end(&public) != 0 || writer_end(&private) != 0)
		return -ENOMEM;
	writer_bytes(&w, "openssh-key-v1", 15);
	writer_cstring(&w, "none"); /* cipher */
	writer_cstring(&w, "none"); /* key derivation */
	writer_cstring(&w, "");
	writer_u32(&w, 1);
	writer_string(&w, public.p, public.len);
	writer_string(&w, private.p, private.len);
	return writer_end(&w) == 0 ? armor(&w, out) : -ENOMEM;
}

static int
make_public(const struct halves *h, struct writer *out)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTOFREE char *text = NULL;
	int rc;

	write_public(&w, h);
	rc = writer_end(&w);
	if (rc == 0)
		rc = base64_encode(span_of(w.p, w.len), BASE64_PADDED, &text);
	if (rc != 0)
		return rc;
	put(out, KEY_TYPE_NAME " ");
	put(out, text);
	put(out, " " COMMENT "\n");
	return writer_end(out);
}

/* --- files */

static int
write_new(const char *path, mode_t mode, const struct writer *w)
{
	AUTOCLOSE int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return -errno;
	if (write(fd, w->p, w->len) != (ssize_t)w->len || fsync(fd) != 0) {
		int rc = errno != 0 ? -errno : -EIO;

		(void)unlink(path);
		return rc;
	}
	return 0;
}

/*
 * A whole file or none, and never in the place of another: written under a name
 * of its own, and linked to the one that is wanted, which must be free.
 */
static int
write_whole(const char *path, const struct writer *w)
{
	AUTOFREE char *temporary = NULL;
	int rc;

	if (asprintf(&temporary, "%s.%08x", path, arc4random()) < 0)
		return -ENOMEM;
	rc = write_new(temporary, 0600, w);
	if (rc != 0)
		return rc;
	/* Another server of ours may have been faster: then its key is it. */
	if (link(temporary, path) != 0 && errno != EEXIST)
		rc = -errno;
	(void)unlink(temporary);
	/* A file system without links, as memory cards have. */
	if (rc == -EPERM || rc == -EOPNOTSUPP)
		rc = write_new(path, 0600, w);
	return rc == -EEXIST ? 0 : rc;
}

static int
make_key(const char *path)
{
	AUTO(halves_done) struct halves h;
	AUTO(writer_done) struct writer private = WRITER_INIT;
	AUTO(writer_done) struct writer public = WRITER_INIT;
	AUTOFREE char *public_path = NULL;
	int rc = generate(&h);

	if (rc == 0)
		rc = make_private(&h, &private);
	if (rc == 0)
		rc = make_public(&h, &public);
	if (rc != 0)
		return rc;
	if (asprintf(&public_path, "%s.pub", path) < 0)
		return -ENOMEM;
	rc = write_whole(path, &private);
	/* For people and known_hosts; the server reads the private one. */
	if (rc == 0)
		(void)write_new(public_path, 0644, &public);
	return rc;
}

/* Who can write here could put a key of his own in the place of ours. */
static int
check_dir(const char *dir, char why[LAB_KEY_WHY_MAX])
{
	struct stat st;
	int rc;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		rc = -errno;
		snprintf(why, LAB_KEY_WHY_MAX,
		    "cannot make %s for the host key: %s; name another place "
		    "with --host-key-path",
		    dir, err_str(rc));
		return rc;
	}
	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
		snprintf(why, LAB_KEY_WHY_MAX, "%s is not a directory", dir);
		return -ENOTDIR;
	}
	if ((st.st_uid != 0 && st.st_uid != getuid()) ||
	    ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
		(st.st_mode & S_ISVTX) == 0)) {
		snprintf(why, LAB_KEY_WHY_MAX,
		    "others can write in %s and replace a host key there; "
		    "run: chmod go-w %s, or name another place with "
		    "--host-key-path",
		    dir, dir);
		return -EPERM;
	}
	return 0;
}

static int
make_sure(const char *path, char why[LAB_KEY_WHY_MAX])
{
	struct stat st;
	int rc;

	/* Whatever is there stays: it is read, or the server does not start. */
	if (lstat(path, &st) == 0)
		return 0;
	rc = errno == ENOENT ? make_key(path) : -errno;
	if (rc != 0)
		snprintf(why, LAB_KEY_WHY_MAX,
		    "cannot make the host key %s: %s; name another place with "
		    "--host-key-path",
		    path, err_str(rc));
	return rc;
}

static bool
is_dir(const char *path)
{
	struct stat st;
	size_t len = strlen(path);

	return (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) ||
	       (len > 1 && path[len - 1] == '/');
}

static void
in_dir(const char *dir, const char *name, char path[PATH_MAX])
{
	size_t len = strlen(dir);

	snprintf(path, PATH_MAX, "%s%s%s", dir,
	    len != 0 && dir[len - 1] == '/' ? "" : "/", name);
}

static int
find_in_dir(const char *dir, struct words *out_files, char why[LAB_KEY_WHY_MAX])
{
	char path[PATH_MAX];
	int rc = check_dir(dir, why);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < nitems_of(others) && rc == 0; i++) {
		in_dir(dir, others[i], path);
		if (access(path, F_OK) == 0)
			rc = words_add(out_files, path);
	}
	in_dir(dir, KEY_NAME, path);
	if (rc == 0 && (out_files->n == 0 || access(path, F_OK) == 0)) {
		rc = make_sure(path, why);
		if (rc == 0)
			rc = words_add(out_files, path);
	}
	if (rc == -ENOMEM)
		strlcpy(why, "out of memory", LAB_KEY_WHY_MAX);
	return rc;
}

int
lab_key_find(
    const char *path, struct words *out_files, char why[LAB_KEY_WHY_MAX])
{
	char copy[PATH_MAX];
	struct stat st;
	int rc = 0;

	if (strlcpy(copy, path, sizeof(copy)) >= sizeof(copy)) {
		strlcpy(why, "the path of the host key is too long",
		    LAB_KEY_WHY_MAX);
		return -ENAMETOOLONG;
	}
	if (is_dir(path))
		return find_in_dir(path, out_files, why);
	/* The directory of a file that is there is its owner's business. */
	if (lstat(path, &st) != 0)
		rc = check_dir(dirname(copy), why);
	if (rc == 0)
		rc = make_sure(path, why);
	return rc != 0 ? rc : words_add(out_files, path);
}

int
lab_key_name(const char *path, struct words *out_files)
{
	char file[PATH_MAX];

	if (!is_dir(path))
		return words_add(out_files, path);
	in_dir(path, KEY_NAME, file);
	return words_add(out_files, file);
}

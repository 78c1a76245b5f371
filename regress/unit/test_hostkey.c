/*
 * Host keys: which files are taken, what the refusal says, and the bytes in
 * which a monitor gets them, cut and spoilt.
 */
#include "config.h"

#include <errno.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/hostkey.h"
#include "regress/unit/keyfiles.h"
#include "regress/unit/tap.h"

static const struct {
	const char *name, *type, *bits, *format;
	size_t slot;
} made[] = {
	{ "ed25519", "ed25519", "256", "RFC4716", 0 },
	{ "ecdsa256", "ecdsa", "256", "PEM", 1 },
	{ "ecdsa521", "ecdsa", "521", "RFC4716", 1 },
	{ "rsa", "rsa", "2048", "PKCS8", 2 },
};

static void
setup(void)
{
	keyfiles_begin();
	for (size_t i = 0; i < nitems_of(made); i++)
		keyfiles_make(made[i].name, made[i].type, made[i].bits,
		    made[i].format, "");
	keyfiles_make("other", "ed25519", "256", "RFC4716", "");
	keyfiles_make("secret", "ed25519", "256", "RFC4716", "a passphrase");
}

static int
load(struct hostkeys *keys, const char *name, char why[HOSTKEY_WHY_MAX])
{
	char path[PATH_MAX];

	keyfiles_path(name, path);
	why[0] = '\0';
	return hostkeys_load(keys, path, why);
}

/* The sentence names the file, and says what to do where there is a way. */
static void
refused(const char *name, int rc, const char *says)
{
	AUTO(hostkeys_done) struct hostkeys keys = { .salt = { 0 } };
	char why[HOSTKEY_WHY_MAX];
	char path[PATH_MAX];

	keyfiles_path(name, path);
	ck_assert_int_eq(load(&keys, name, why), rc);
	ck_assert_msg(strstr(why, says) != NULL, "%s", why);
	ck_assert_msg(strstr(why, path) != NULL, "%s", why);
	ck_assert_ptr_null(strchr(why, '\n'));
	ck_assert(!hostkeys_any(&keys));
}

static void
all_keys(struct hostkeys *keys)
{
	char why[HOSTKEY_WHY_MAX];

	ck_assert_int_eq(load(keys, "ed25519", why), 0);
	ck_assert_int_eq(load(keys, "ecdsa256", why), 0);
	ck_assert_int_eq(load(keys, "rsa", why), 0);
}

/* The private half in a slot belongs to the public one. */
static void
check_signs(struct hostkeys *keys, size_t slot)
{
	AUTO(writer_done) struct writer signature = WRITER_INIT;
	AUTO(key_done) struct key *public = NULL;
	const struct key *key = hostkeys_private(keys, slot);
	const struct key_alg *alg;
	struct span text = span_of("text", 4);

	ck_assert_ptr_nonnull(key);
	ck_assert_ptr_eq(key, hostkeys_private(keys, slot));
	alg = key_alg_of(key_type(key));
	ck_assert_int_eq(key_sign_raw(key, alg->digest, text, &signature), 0);
	ck_assert_int_eq(
	    key_parse_blob(keyfiles_span(&keys->slot[slot].blob), 0, &public),
	    0);
	ck_assert_int_eq(
	    key_verify_raw(public, alg, keyfiles_span(&signature), text), 0);
}

/* --- files */

START_TEST(each_kind_has_its_slot)
{
	AUTO(hostkeys_done) struct hostkeys keys = { .salt = { 0 } };
	char why[HOSTKEY_WHY_MAX];

	ck_assert(!hostkeys_any(&keys));
	ck_assert_int_eq(load(&keys, made[_i].name, why), 0);
	ck_assert(hostkeys_any(&keys));
	for (size_t slot = 0; slot < HOSTKEY_KINDS; slot++) {
		if (slot == made[_i].slot)
			check_signs(&keys, slot);
		else
			ck_assert_ptr_null(hostkeys_private(&keys, slot));
	}
}
END_TEST

START_TEST(first_of_a_kind_stays)
{
	AUTO(hostkeys_done) struct hostkeys keys = { .salt = { 0 } };
	AUTO(writer_done) struct writer first = WRITER_INIT;
	char why[HOSTKEY_WHY_MAX];

	ck_assert_int_eq(load(&keys, "ed25519", why), 0);
	writer_bytes(&first, keys.slot[0].blob.p, keys.slot[0].blob.len);
	ck_assert_int_eq(load(&keys, "other", why), -EEXIST);
	ck_assert_ptr_nonnull(strstr(why, "only the first"));
	ck_assert(
	    span_eq(keyfiles_span(&first), keyfiles_span(&keys.slot[0].blob)));
	ck_assert_int_eq(load(&keys, "ecdsa521", why), 0);
	ck_assert_int_eq(load(&keys, "ecdsa256", why), -EEXIST);
	check_signs(&keys, 0);
}
END_TEST

START_TEST(modes)
{
	static const mode_t open_ones[] = { 0640, 0604, 0660, 0606, 0666, 0644,
		0610, 0601, 0777 };
	static const mode_t closed_ones[] = { 0600, 0400, 0700 };
	AUTO(hostkeys_done) struct hostkeys keys = { .salt = { 0 } };
	char path[PATH_MAX], why[HOSTKEY_WHY_MAX], says[64];

	keyfiles_path("other", path);
	for (size_t i = 0; i < nitems_of(open_ones); i++) {
		ck_assert_int_eq(chmod(path, open_ones[i]), 0);
		refused("other", -EPERM, "chmod 600");
		snprintf(says, sizeof(says), "Permissions %04o",
		    (unsigned)open_ones[i]);
		refused("other", -EPERM, says);
	}
	for (size_t i = 0; i < nitems_of(closed_ones); i++) {
		ck_assert_int_eq(chmod(path, closed_ones[i]), 0);
		ck_assert_int_eq(load(&keys, "other", why), 0);
		hostkeys_done(&keys);
		keys = (struct hostkeys){ .salt = { 0 } };
	}
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(path, 12345, 0), 0);
	refused("other", -EPERM, "chown root");
	ck_assert_int_eq(chown(path, 0, 0), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
}
END_TEST

static void
put(const char *name, const void *p, size_t len)
{
	char path[PATH_MAX];
	int fd;

	keyfiles_path(name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, len), (int)len);
	close(fd);
}

START_TEST(files_that_are_none)
{
	AUTOFREE char *big = calloc(1, KEY_FILE_MAX + 2);
	AUTO(writer_done) struct writer pub = WRITER_INIT;
	char path[PATH_MAX];

	refused("missing", -ENOENT, "No such file");
	keyfiles_path("dir", path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	refused("dir", -EINVAL, "not a regular file");
	put("empty", "", 0);
	refused("empty", -EBADMSG, "not a usable private key");
	put("garbage", "garbage\n", 8);
	refused("garbage", -EBADMSG, "not a usable private key");
	put("big", big, KEY_FILE_MAX + 2);
	refused("big", -EMSGSIZE, err_str(-EMSGSIZE));
	keyfiles_read("ed25519.pub", &pub);
	put("public", pub.p, pub.len);
	refused("public", -EBADMSG, "not a usable private key");
	refused("secret", -EKEYREJECTED, "ssh-keygen -p");
}
END_TEST

/* A FIFO must not hold sshd up. */
START_TEST(fifo_is_refused)
{
	char path[PATH_MAX];
	int fd;

	keyfiles_path("fifo", path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	refused("fifo", -EINVAL, "not a regular file");
	close(fd);
}
END_TEST

/* --- the secret of this host */

START_TEST(salt_follows_the_keys)
{
	static const uint8_t zero[HOSTKEY_SALT_LEN];
	AUTO(hostkeys_done) struct hostkeys a = { .salt = { 0 } };
	AUTO(hostkeys_done) struct hostkeys b = { .salt = { 0 } };
	AUTO(hostkeys_done) struct hostkeys c = { .salt = { 0 } };
	char why[HOSTKEY_WHY_MAX];

	ck_assert_int_eq(load(&a, "ed25519", why), 0);
	ck_assert_int_eq(load(&b, "ed25519", why), 0);
	ck_assert_int_eq(load(&c, "other", why), 0);
	ck_assert_mem_ne(a.salt, zero, sizeof(zero));
	ck_assert_mem_eq(a.salt, b.salt, sizeof(zero));
	ck_assert_mem_ne(a.salt, c.salt, sizeof(zero));
	ck_assert_int_eq(load(&b, "rsa", why), 0);
	ck_assert_mem_ne(a.salt, b.salt, sizeof(zero));
	hostkeys_done(&a);
	ck_assert_mem_eq(a.salt, zero, sizeof(zero));
}
END_TEST

/* --- bytes */

START_TEST(round_trip)
{
	AUTO(hostkeys_done) struct hostkeys keys = { .salt = { 0 } };
	AUTO(hostkeys_done) struct hostkeys got = { .salt = { 0 } };
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(writer_done) struct writer again = WRITER_INIT;

	all_keys(&keys);
	ck_assert_int_eq(hostkeys_encode(&keys, &w), 0);
	ck_assert_int_eq(hostkeys_decode(keyfiles_span(&w), &got), 0);
	ck_assert_mem_eq(keys.salt, got.salt, HOSTKEY_SALT_LEN);
	for (size_t i = 0; i < HOSTKEY_KINDS; i++) {
		ck_assert(span_eq(keyfiles_span(&keys.slot[i].blob),
		    keyfiles_span(&got.slot[i].blob)));
		check_signs(&got, i);
	}
	ck_assert_int_eq(hostkeys_encode(&got, &again), 0);
	ck_assert(span_eq(keyfiles_span(&w), keyfiles_span(&again)));
}
END_TEST

START_TEST(some_slots_are_empty)
{
	AUTO(hostkeys_done) struct hostkeys keys = { .salt = { 0 } };
	AUTO(hostkeys_done) struct hostkeys got = { .salt = { 0 } };
	AUTO(writer_done) struct writer w = WRITER_INIT;
	char why[HOSTKEY_WHY_MAX];

	ck_assert_int_eq(load(&keys, "ecdsa521", why), 0);
	ck_assert_int_eq(hostkeys_encode(&keys, &w), 0);
	ck_assert_int_eq(hostkeys_decode(keyfiles_span(&w), &got), 0);
	ck_assert_ptr_null(hostkeys_private(&got, 0));
	check_signs(&got, 1);
	ck_assert_ptr_null(hostkeys_private(&got, 2));
}
END_TEST

static int
decode(const void *p, size_t len)
{
	AUTO(hostkeys_done) struct hostkeys got = { .salt = { 0 } };
	AUTOFREE uint8_t *copy = malloc(len + (len == 0));

	memcpy(copy, p, len);
	return hostkeys_decode(span_of(copy, len), &got);
}

START_TEST(wrong_lengths_fail)
{
	AUTO(hostkeys_done) struct hostkeys keys = { .salt = { 0 } };
	AUTO(writer_done) struct writer w = WRITER_INIT;

	all_keys(&keys);
	ck_assert_int_eq(hostkeys_encode(&keys, &w), 0);
	for (size_t len = 0; len < w.len; len++)
		ck_assert_int_eq(decode(w.p, len), -EBADMSG);
	ck_assert_int_eq(decode(w.p, w.len), 0);
	writer_u8(&w, 0);
	ck_assert_int_eq(decode(w.p, w.len), -EBADMSG);
	/* The salt's length is fixed. */
	w.p[3]--;
	ck_assert_int_eq(decode(w.p, w.len - 1), -EBADMSG);
}
END_TEST

/* A spoilt private file gives no key, and no crash. */
START_TEST(spoilt_key_is_none)
{
	AUTO(hostkeys_done) struct hostkeys keys = { .salt = { 0 } };
	char why[HOSTKEY_WHY_MAX];

	ck_assert_int_eq(load(&keys, "ed25519", why), 0);
	keys.slot[0].file.p[keys.slot[0].file.len / 2] ^= 0x01;
	ck_assert_ptr_null(hostkeys_private(&keys, 0));
}
END_TEST

START_TEST(done_twice_is_fine)
{
	struct hostkeys keys = { .salt = { 0 } };

	all_keys(&keys);
	(void)hostkeys_private(&keys, 0);
	hostkeys_done(&keys);
	ck_assert(!hostkeys_any(&keys));
	hostkeys_done(&keys);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hostkey");
	TCase *t = tcase_create("hostkey");

	tcase_add_unchecked_fixture(t, setup, keyfiles_end);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, each_kind_has_its_slot, 0, (int)nitems_of(made));
	tcase_add_test(t, first_of_a_kind_stays);
	tcase_add_test(t, modes);
	tcase_add_test(t, files_that_are_none);
	tcase_add_test(t, fifo_is_refused);
	tcase_add_test(t, salt_follows_the_keys);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, some_slots_are_empty);
	tcase_add_test(t, wrong_lengths_fail);
	tcase_add_test(t, spoilt_key_is_none);
	tcase_add_test(t, done_twice_is_fine);
	suite_add_tcase(s, t);
	return tap_run(s);
}

/*
 * omniedge-ssh-server's terms: whom a name stands for, when that may be root,
 * and that the terms reach the monitor as they were.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/lab.h"
#include "regress/unit/tap.h"

static const struct {
	const char *pairs; /* from:to, in that order, with blanks between */
	const char *default_user;
	const char *name;
	const char *local;
	bool root_may; /* if local is root */
} names[] = {
	{ "", NULL, "alice", "alice", false },
	{ "", NULL, "root", "root", false },
	{ "", "guest", "alice", "guest", false },
	{ "", "root", "alice", "root", true },
	{ "git:alice", NULL, "git", "alice", false },
	{ "git:alice", NULL, "bob", "bob", false },
	{ "git:alice *:bob", NULL, "git", "alice", false },
	{ "*:bob git:alice", "guest", "eve", "bob", false },
	{ "*:=", "guest", "eve", "eve", false },
	{ "*:=", NULL, "root", "root", false },
	{ "*:root", NULL, "eve", "root", true },
	{ "root:=", NULL, "root", "root", true },
	{ "root:=", NULL, "*", "*", false },
	{ "admin:root", NULL, "admin", "root", true },
	{ "admin:root", NULL, "root", "root", false },
	{ "*:guest", NULL, "*", "guest", false },
	{ "", NULL, "", "", false },
};

static struct lab
make(const char *pairs, const char *default_user)
{
	struct lab lab = { .handshake_seconds = 30 };
	char text[256], *save = NULL;

	strlcpy(text, pairs, sizeof(text));
	for (char *word = strtok_r(text, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		char *to = strchr(word, ':');

		*to++ = '\0';
		ck_assert_int_eq(lab_add_pair(&lab, word, to), 0);
	}
	if (default_user != NULL)
		lab.default_user = strdup(default_user);
	return lab;
}

START_TEST(names_stand_for_accounts)
{
	struct lab lab = make(names[_i].pairs, names[_i].default_user);
	const char *local = lab_local_name(&lab, names[_i].name);
	struct account root = { .exists = true,
		.name = (char *)(uintptr_t) "root" };
	const char *why = NULL;

	ck_assert_str_eq(local, names[_i].local);
	if (strcmp(local, "root") == 0)
		ck_assert_int_eq(may_use_lab(&lab, names[_i].name, &root, &why),
		    names[_i].root_may ? 0 : -EACCES);
	lab_done(&lab);
	lab_done(&lab);
}

START_TEST(root_is_held_back)
{
	struct lab lab = make("root:=", NULL);
	struct account root = { .exists = true,
		.name = (char *)(uintptr_t) "root" };
	const char *why = NULL;

	lab.auth_none = true;
	ck_assert_int_eq(may_use_lab(&lab, "root", &root, &why), -EACCES);
	ck_assert_ptr_nonnull(why);
	lab.auth_none = false;
	lab.read_only = true;
	ck_assert_int_eq(may_use_lab(&lab, "root", &root, &why), -EACCES);
	lab.read_only = false;
	ck_assert_int_eq(may_use_lab(&lab, "root", &root, &why), 0);
	lab_done(&lab);
}

START_TEST(one_user_only)
{
	struct lab lab = make("*:=", NULL);
	struct account bob = {
		.exists = true, .uid = 1001, .name = (char *)(uintptr_t) "bob"
	};
	const char *why = NULL;

	lab.only_user = strdup("alice");
	ck_assert_int_eq(may_use_lab(&lab, "bob", &bob, &why), -EACCES);
	bob.name = (char *)(uintptr_t) "alice";
	ck_assert_int_eq(may_use_lab(&lab, "x", &bob, &why), 0);
	lab_done(&lab);
}

START_TEST(comes_back_as_it_was)
{
	struct lab lab = make("git:alice *:=", "guest");
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(writer_done) struct writer again = WRITER_INIT;
	struct lab *read = NULL;

	lab.hash = strdup("$6$x$y");
	lab.one_time = lab.json = true;
	lab.mark = strdup("");
	ck_assert_int_eq(lab_encode(&lab, &w), 0);
	ck_assert_int_eq(lab_decode(span_of(w.p, w.len), &read), 0);
	ck_assert_uint_eq(read->nmap, 2);
	ck_assert_str_eq(read->map[1].to, "=");
	ck_assert_str_eq(read->hash, "$6$x$y");
	ck_assert_ptr_null(read->only_user);
	ck_assert_str_eq(read->mark, "");
	ck_assert(read->one_time && read->json && !read->auth_none);
	ck_assert_uint_eq(read->handshake_seconds, 30);
	ck_assert_int_eq(lab_encode(read, &again), 0);
	ck_assert(span_eq(span_of(w.p, w.len), span_of(again.p, again.len)));
	lab_free(read);
	lab_done(&lab);
}

START_TEST(no_damaged_bytes)
{
	struct lab lab = make("git:alice", "guest");
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct lab *read = NULL;

	ck_assert_int_eq(lab_encode(&lab, &w), 0);
	for (size_t len = 0; len < w.len; len++)
		ck_assert_int_eq(
		    lab_decode(span_of(w.p, len), &read), -EBADMSG);
	writer_u8(&w, 0);
	ck_assert_int_eq(lab_decode(span_of(w.p, w.len), &read), -EBADMSG);
	lab_done(&lab);
}

int
main(void)
{
	Suite *s = suite_create("lab");
	TCase *t = tcase_create("terms");

	tcase_add_loop_test(
	    t, names_stand_for_accounts, 0, (int)nitems_of(names));
	tcase_add_test(t, root_is_held_back);
	tcase_add_test(t, one_user_only);
	tcase_add_test(t, comes_back_as_it_was);
	tcase_add_test(t, no_damaged_bytes);
	suite_add_tcase(s, t);
	return tap_run(s);
}

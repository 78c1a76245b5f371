/*
 * Environments of sessions: what AcceptEnv takes, who wins, and that nothing a
 * client sends stands in the place of what the server says.
 */
#include "config.h"

#include <stdarg.h>
#include <sys/stat.h>

#include "monitor/environ.h"
#include "regress/unit/conffiles.h"
#include "regress/unit/tap.h"

#define EVIL "evil"

static struct conn conn;
static struct usession session;
static struct conf *conf;

/* A connection with this configuration, and a session of an exec request. */
static void
begin(const char *config)
{
	struct conf_report report = CONF_REPORT_INIT;
	struct conf_source src = { path, dir, NULL, 0 };

	setup();
	put("main", config);
	ck_assert_int_eq(conf_load(&src, &conf, &report), 0);
	conf_report_done(&report);
	ck_assert_int_eq(conf_resolve(conf, NULL, &conn.options), 0);
	conn.addr = (char *)(uintptr_t) "192.0.2.1";
	conn.port = 4711;
	conn.laddr = (char *)(uintptr_t) "192.0.2.2";
	conn.lport = 22;
	conn.user = (char *)(uintptr_t) "alice";
	conn.account = (struct account){
		.exists = true,
		.uid = 1000,
		.gid = 1000,
		.name = (char *)(uintptr_t) "alice",
		.home = (char *)(uintptr_t) "/home/alice",
		.shell = (char *)(uintptr_t) "/bin/sh",
	};
	session = (struct usession){ .kind = SESSION_EXEC, .slave_fd = -1 };
}

/* All steps of it; the user's home is the test's directory. */
static struct environ_list
whole(void)
{
	struct environ_list e;

	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(environ_make(&conn, &session, &e), 0);
	ck_assert_int_eq(environ_finish(&conn, &session, &e), 0);
	ck_assert_int_eq(chdir("/"), 0);
	return e;
}

static void
end(void)
{
	options_free(&conn.options);
	conf_free(conf);
	teardown();
}

/* What the client sent; ends with NULL. */
static char *client[ENVIRON_CLIENT_MAX];

static void
client_sends(const char *assignment, ...)
{
	va_list ap;

	va_start(ap, assignment);
	for (session.nenv = 0; assignment != NULL; session.nenv++) {
		ck_assert_uint_lt(session.nenv, ENVIRON_CLIENT_MAX);
		client[session.nenv] = (char *)(uintptr_t)assignment;
		assignment = va_arg(ap, const char *);
	}
	va_end(ap);
	session.env = client;
}

static const char *
value_of(const struct environ_list *e, const char *name)
{
	const char *found = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < e->n; i++) {
		if (strncmp(e->v[i], name, len) != 0 || e->v[i][len] != '=')
			continue;
		ck_assert_msg(found == NULL, "%s is there twice", name);
		found = e->v[i] + len + 1;
	}
	if (e->v != NULL)
		ck_assert_ptr_null(e->v[e->n]);
	return found;
}

static void
expect(const struct environ_list *e, const char *name, const char *value)
{
	const char *got = value_of(e, name);

	if (value == NULL)
		ck_assert_msg(got == NULL, "%s=%s", name, got);
	else
		ck_assert_msg(got != NULL && strcmp(got, value) == 0,
		    "%s=%s, not %s", name, got != NULL ? got : "(none)", value);
}

/* --- lists */

START_TEST(lists)
{
	struct environ_list e = { NULL, 0 };

	ck_assert_int_eq(environ_set(&e, "A", "1"), 0);
	ck_assert_int_eq(environ_set(&e, "AB", "2"), 0);
	ck_assert_int_eq(environ_put(&e, "B=3=4"), 0);
	ck_assert_uint_eq(e.n, 3);
	ck_assert_int_eq(environ_put(&e, "A=5"), 0);
	ck_assert_int_eq(environ_set(&e, "B", ""), 0);
	ck_assert_uint_eq(e.n, 3);
	expect(&e, "A", "5");
	expect(&e, "AB", "2");
	expect(&e, "B", "");
	ck_assert_int_eq(environ_put(&e, "none"), 0);
	ck_assert_int_eq(environ_put(&e, "=none"), 0);
	ck_assert_int_eq(environ_put(&e, ""), 0);
	ck_assert_uint_eq(e.n, 3);
	environ_done(&e);
	ck_assert_uint_eq(e.n, 0);
	environ_done(&e);
}
END_TEST

/* --- AcceptEnv */

START_TEST(accepted_names)
{
	begin("AcceptEnv LANG LC_* X?\nAcceptEnv EXACT\n");
	ck_assert(may_env(&conn.options, "LANG"));
	ck_assert(may_env(&conn.options, "LC_ALL"));
	ck_assert(may_env(&conn.options, "LC_"));
	ck_assert(may_env(&conn.options, "XY"));
	ck_assert(may_env(&conn.options, "EXACT"));
	ck_assert(!may_env(&conn.options, "lang"));
	ck_assert(!may_env(&conn.options, "LANGUAGE"));
	ck_assert(!may_env(&conn.options, "XYZ"));
	ck_assert(!may_env(&conn.options, "EXACTLY"));
	ck_assert(!may_env(&conn.options, ""));
	ck_assert(!may_env(&conn.options, "LD_PRELOAD"));
	/* A name with "=" would be another variable. */
	ck_assert(!may_env(&conn.options, "LC_X=1"));
	end();
}
END_TEST

START_TEST(nothing_by_default)
{
	begin("");
	ck_assert(!may_env(&conn.options, "LANG"));
	ck_assert(!may_env(&conn.options, "TERM"));
	ck_assert(!may_env(&conn.options, "*"));
	end();
}
END_TEST

/* --- whole environments */

START_TEST(what_sshd_says)
{
	struct environ_list e;

	unsetenv("TZ");
	begin("UsePAM no\n");
	client_sends(NULL);
	e = whole();
	expect(&e, "USER", "alice");
	expect(&e, "LOGNAME", "alice");
	expect(&e, "HOME", "/home/alice");
	expect(&e, "SHELL", "/bin/sh");
	expect(&e, "PATH", "/usr/local/bin:/usr/bin:/bin:/usr/games");
	expect(&e, "MAIL", "/var/mail/alice");
	expect(&e, "SSH_CLIENT", "192.0.2.1 4711 22");
	expect(&e, "SSH_CONNECTION", "192.0.2.1 4711 192.0.2.2 22");
	expect(&e, "SSH_TTY", NULL);
	expect(&e, "TERM", NULL);
	expect(&e, "TZ", NULL);
	expect(&e, "SSH_ORIGINAL_COMMAND", NULL);
	/* Nothing of the server's own environment. */
	ck_assert_uint_eq(e.n, 8);
	environ_done(&e);
	end();
}
END_TEST

START_TEST(with_a_terminal)
{
	struct environ_list e;

	setenv("TZ", "UTC", 1);
	begin("UsePAM no\n");
	client_sends(NULL);
	session.has_pty = true;
	strlcpy(session.tty, "/dev/pts/9", sizeof(session.tty));
	strlcpy(session.term, "vt100", sizeof(session.term));
	session.original = (char *)(uintptr_t) "what; was > asked";
	conn.account.uid = 0;
	e = whole();
	expect(&e, "SSH_TTY", "/dev/pts/9");
	expect(&e, "TERM", "vt100");
	expect(&e, "TZ", "UTC");
	expect(&e, "SSH_ORIGINAL_COMMAND", "what; was > asked");
	expect(&e, "PATH",
	    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	environ_done(&e);
	end();
}
END_TEST

/* Even where AcceptEnv takes all, and the client sends each twice. */
START_TEST(client_never_wins)
{
	static const char *const ours[] = { "USER", "LOGNAME", "HOME", "PATH",
		"MAIL", "SHELL", "TZ", "SSH_CLIENT", "SSH_CONNECTION",
		"SSH_TTY", "TERM", "SSH_ORIGINAL_COMMAND", "SET" };
	char texts[2 * nitems_of(ours)][64];
	struct environ_list e;

	setenv("TZ", "UTC", 1);
	begin("UsePAM no\nAcceptEnv *\nSetEnv SET=ours\n");
	session.has_pty = true;
	strlcpy(session.tty, "/dev/pts/9", sizeof(session.tty));
	strlcpy(session.term, "vt100", sizeof(session.term));
	session.original = (char *)(uintptr_t) "asked";
	for (size_t i = 0; i < nitems_of(texts); i++) {
		snprintf(texts[i], sizeof(texts[i]), "%s=" EVIL,
		    ours[i % nitems_of(ours)]);
		client[session.nenv++] = texts[i];
	}
	session.env = client;
	e = whole();
	for (size_t i = 0; i < nitems_of(ours); i++) {
		ck_assert_ptr_nonnull(value_of(&e, ours[i]));
		ck_assert_str_ne(value_of(&e, ours[i]), EVIL);
	}
	environ_done(&e);
	end();
}
END_TEST

START_TEST(client_gets_its_own)
{
	struct environ_list e;

	begin("UsePAM no\nAcceptEnv *\n");
	client_sends("LANG=C", "LANG=C.UTF-8", "EMPTY=", "A=b=c", NULL);
	e = whole();
	expect(&e, "LANG", "C.UTF-8");
	expect(&e, "EMPTY", "");
	expect(&e, "A", "b=c");
	environ_done(&e);
	end();
}
END_TEST

/* environment= of the key's line: only as far as PermitUserEnvironment goes. */
START_TEST(key_options)
{
	static const struct {
		const char *config;
		const char *foo, *path;
	} cases[] = {
		{ "UsePAM no\n", NULL,
		    "/usr/local/bin:/usr/bin:/bin:/usr/games" },
		{ "UsePAM no\nPermitUserEnvironment no\n", NULL,
		    "/usr/local/bin:/usr/bin:/bin:/usr/games" },
		{ "UsePAM no\nPermitUserEnvironment FO*\n", "key",
		    "/usr/local/bin:/usr/bin:/bin:/usr/games" },
		{ "UsePAM no\nPermitUserEnvironment yes\n", "key", "/key" },
		{ "UsePAM no\nPermitUserEnvironment yes\nSetEnv FOO=set\n",
		    "set", "/key" },
	};
	static char *environment[] = { (char *)(uintptr_t) "FOO=key",
		(char *)(uintptr_t) "PATH=/key",
		(char *)(uintptr_t) "SSH_CLIENT=key" };
	struct environ_list e;

	begin(cases[_i].config);
	client_sends("FOO=" EVIL, NULL);
	session.nenv = _i > 1;
	conn.key_opts.environment = environment;
	conn.key_opts.nenvironment = nitems_of(environment);
	e = whole();
	expect(&e, "FOO", cases[_i].foo);
	expect(&e, "PATH", cases[_i].path);
	expect(&e, "SSH_CLIENT", "192.0.2.1 4711 22");
	environ_done(&e);
	end();
}
END_TEST

/* ~/.ssh/environment, read by the user's own process at home. */
START_TEST(users_file)
{
	static const char *const text =
	    "FILE=1\n# COMMENT=1\n  BLANK=2\nnone\n=none\n\nSSH_CLIENT=x\n"
	    "SET=x\nHOME=/x\nLAST=3";
	static const struct {
		const char *config;
		const char *file, *last, *home;
	} cases[] = {
		{ "UsePAM no\nSetEnv SET=ours\n", NULL, NULL, "/home/alice" },
		{ "UsePAM no\nSetEnv SET=ours\nPermitUserEnvironment LAST\n",
		    NULL, "3", "/home/alice" },
		{ "UsePAM no\nSetEnv SET=ours\nPermitUserEnvironment yes\n",
		    "1", "3", "/x" },
	};
	struct environ_list e;
	char ssh[128];

	begin(cases[_i].config);
	snprintf(ssh, sizeof(ssh), "%s/.ssh", dir);
	ck_assert_int_eq(mkdir(ssh, 0700), 0);
	put(".ssh/environment", text);
	e = whole();
	expect(&e, "FILE", cases[_i].file);
	expect(&e, "BLANK", cases[_i].file != NULL ? "2" : NULL);
	expect(&e, "LAST", cases[_i].last);
	expect(&e, "HOME", cases[_i].home);
	expect(&e, "COMMENT", NULL);
	expect(&e, "# COMMENT", NULL);
	/* What sshd says last, no file of the user's replaces. */
	expect(&e, "SET", "ours");
	expect(&e, "SSH_CLIENT", "192.0.2.1 4711 22");
	environ_done(&e);
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("environ");
	TCase *t = tcase_create("environ");

	tcase_add_test(t, lists);
	tcase_add_test(t, accepted_names);
	tcase_add_test(t, nothing_by_default);
	tcase_add_test(t, what_sshd_says);
	tcase_add_test(t, with_a_terminal);
	tcase_add_test(t, client_never_wins);
	tcase_add_test(t, client_gets_its_own);
	tcase_add_loop_test(t, key_options, 0, 5);
	tcase_add_loop_test(t, users_file, 0, 3);
	suite_add_tcase(s, t);
	return tap_run(s);
}

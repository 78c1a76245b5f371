/* ssh_config(5): values, Host, Match, Include, tokens, -G. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "client/expand.h"
#include "client/sshconf.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "regress/unit/tap.h"

static char dir[] = "/tmp/test-sshconf-XXXXXX";

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	log_open("test", SINK_STDERR, LOG_USER, LEVEL_QUIET);
}

static void
teardown(void)
{
	for (const char *const *n = (const char *const[]){ "a", "b", NULL };
	     *n != NULL; n++) {
		AUTOFREE char *path = NULL;

		if (asprintf(&path, "%s/%s", dir, *n) > 0)
			unlink(path);
	}
	rmdir(dir);
	strlcpy(dir, "/tmp/test-sshconf-XXXXXX", sizeof(dir));
}

static char *
put_file(const char *name, const char *text)
{
	char *path;
	FILE *f;

	ck_assert_int_gt(asprintf(&path, "%s/%s", dir, name), 0);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static struct sshconf *
loaded(const char *text, const char *host, int want)
{
	AUTOFREE char *path = put_file("a", text);
	struct sshconf *c = sshconf_new();

	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(sshconf_load(c, path, host), want);
	return c;
}

/* A text, a host, a keyword, and what it is for the host. */
static const struct {
	const char *text, *host;
	enum keyword kw;
	const char *value;
} goods[] = {
	{ "User a\nUser b\n", "h", KW_USER, "a" },
	{ "Host h\n User a\nHost *\n User b\n", "h", KW_USER, "a" },
	{ "Host h\n User a\nHost *\n User b\n", "i", KW_USER, "b" },
	{ "Host *.x !bad.x\n User a\n", "good.x", KW_USER, "a" },
	{ "Host *.x !bad.x\n User a\n", "bad.x", KW_USER, NULL },
	{ "user=a\n", "h", KW_USER, "a" },
	{ "  USER  =  \"a b\"  # c\n", "h", KW_USER, "a b" },
	{ "Match host h\n User a\n", "h", KW_USER, "a" },
	{ "Match host h,i\n User a\n", "j", KW_USER, NULL },
	{ "HostName i\nMatch host i\n User a\n", "h", KW_USER, "a" },
	{ "HostName i\nMatch originalhost h\n User a\n", "h", KW_USER, "a" },
	{ "Match host=h user=u,*\n User a\n", "h", KW_USER, "a" },
	{ "Match !host=h\n User a\n", "h", KW_USER, NULL },
	{ "Match exec=\"test %h = h\"\n User a\n", "h", KW_USER, "a" },
	{ "DSAAuthentication no\n", "h", KW_PUBKEY_AUTH, "no" },
	{ "KeepAlive no\nProxyUseFdpass no\nKbdInteractiveDevices pam\n"
	  "User a\n",
	    "h", KW_USER, "a" },
	{ "Match !host h\n User a\n", "i", KW_USER, "a" },
	{ "User u\nMatch user u\n Port 7\n", "h", KW_PORT, "7" },
	{ "Match exec true\n User a\n", "h", KW_USER, "a" },
	{ "Match exec \"test %h = h\"\n User a\n", "h", KW_USER, "a" },
	{ "Match exec false\n User a\n", "h", KW_USER, NULL },
	{ "Match host x exec \"exit 0\"\n User a\n", "h", KW_USER, NULL },
	{ "Tag t\nMatch tagged t\n User a\n", "h", KW_USER, "a" },
	{ "Match final\n User a\n", "h", KW_USER, "a" },
	{ "Match final all\n User a\nMatch all\n User b\n", "h", KW_USER, "b" },
	{ "Match all\n User a\n", "h", KW_USER, "a" },
	{ "ProxyCommand none\nProxyCommand x\n", "h", KW_PROXY_COMMAND, NULL },
	{ "ProxyCommand nc %h 22 # a\n", "h", KW_PROXY_COMMAND,
	    "nc %h 22 # a" },
	{ "IgnoreUnknown Foo*,Bar\nFooX 1\nbar\nUser a\n", "h", KW_USER, "a" },
	{ "Ciphers +aes128-ctr\n", "h", KW_CIPHERS, "+aes128-ctr" },
	{ "GSSAPIAuthentication yes\nUser a\n", "h", KW_USER, "a" },
	{ "ProxyJump j\nProxyCommand c\n", "h", KW_PROXY_COMMAND, NULL },
	{ "ProxyCommand c\nProxyJump j\n", "h", KW_PROXY_JUMP, NULL },
	{ "ProxyCommand none\nProxyJump j\n", "h", KW_PROXY_JUMP, NULL },
	{ "Host i\n ProxyJump j\nHost *\n ProxyCommand c\n", "h",
	    KW_PROXY_COMMAND, "c" },
	{ "Host i\n KnownHostsCommand /x\n RevokedHostKeys /y\nHost *\n"
	  "User a\n",
	    "h", KW_USER, "a" },
	{ "Match canonical\n User a\n", "h", KW_USER, NULL },
	{ "RemoteForward /a /b\nUser a\n", "h", KW_USER, "a" },
};

START_TEST(good)
{
	AUTO(sshconf_done)
	struct sshconf *c = loaded(goods[_i].text, goods[_i].host, 0);

	ck_assert_pstr_eq(sshconf_text(c, goods[_i].kw), goods[_i].value);
}
END_TEST

static const char *const bads[] = { "Foo 1\n", "Port 0\n", "Port x\n", "Port\n",
	"Port 1 2\n", "BatchMode maybe\n", "User \"a\n", "Match\n",
	"Match host\n", "Match nothing x\n", "Match all=h\n", "Host\n",
	"Host other\n Foo 1\n", "Ciphers nonsense\n",
	"StrictHostKeyChecking perhaps\n", "ConnectTimeout 1x\n",
	"KnownHostsCommand /bin/x\n", "Include\n", "User a\x01\n",
	"SetEnv FOO\n", "SetEnv A=1 FOO\n", "SetEnv =1\n", "SendEnv A=B\n",
	"RekeyLimit banana\n", "RekeyLimit 1\n", "RekeyLimit 1G banana\n",
	"RekeyLimit 1G 1h 1\n", "RekeyLimit 99999999999999999999G\n",
	"RekeyLimit 99999999999G\n", "RekeyLimit 1GG\n",
	"ControlPersist banana\n", "ControlPersist -1\n", "EscapeChar ab\n",
	"StreamLocalBindMask 9\n", "StreamLocalBindMask 01000\n",
	"LocalForward 1\n", "RemoteForward banana\n", "DynamicForward 0\n",
	"ProxyJump a,,b\n", "ProxyJump a/b\n", "UserKnownHostsFile a none\n",
	"Host other\n ControlPersist banana\n", "ForwardX11 banana\n",
	"IPQoS ef banana\n", "SyslogFacility banana\n",
	"AddKeysToAgent confirm banana\n", "Host x\n Tunnel banana\n" };

START_TEST(bad)
{
	sshconf_free(loaded(bads[_i], "h", -EBADMSG));
}
END_TEST

START_TEST(lists)
{
	AUTO(sshconf_done)
	struct sshconf *c = loaded("IdentityFile a\n"
				   "SendEnv A B\n"
				   "IdentityFile b\n"
				   "SetEnv X=1 Y=2\n"
				   "SetEnv Z=3\n"
				   "SendEnv C\n"
				   "Match final\n"
				   " IdentityFile a\n",
	    "h", 0);

	ck_assert_uint_eq(sshconf_list(c, KW_IDENTITY_FILE)->n, 2);
	ck_assert_uint_eq(sshconf_list(c, KW_SEND_ENV)->n, 3);
	ck_assert_uint_eq(sshconf_list(c, KW_SET_ENV)->n, 2);
}
END_TEST

/* What is taken away is what came before, in whatever file. */
START_TEST(send_env)
{
	AUTO(sshconf_done)
	struct sshconf *c = loaded("SendEnv A LC_X LC_*\n"
				   "SendEnv -LC* B\n"
				   "SendEnv LC_Y\n"
				   "SetEnv A=1 A=2 AB=3\n",
	    "h", 0);
	const struct words *send = sshconf_list(c, KW_SEND_ENV);
	const struct words *set = sshconf_list(c, KW_SET_ENV);

	ck_assert_uint_eq(send->n, 3);
	ck_assert_str_eq(send->v[0], "A");
	ck_assert_str_eq(send->v[1], "B");
	ck_assert_str_eq(send->v[2], "LC_Y");
	ck_assert_uint_eq(set->n, 2);
	ck_assert_str_eq(set->v[0], "A=1");
	ck_assert_str_eq(set->v[1], "AB=3");
}
END_TEST

/* What has no effect is taken; what that costs decides how loud it is. */
static const struct {
	const char *text;
	int rc;
	bool note;
} notes[] = {
	{ "User a", 0, false },
	{ "GSSAPIAuthentication yes", SSHCONF_QUIET, true },
	{ "IPQoS ef", SSHCONF_QUIET, true },
	{ "CheckHostIP yes", 0, true },
	{ "CheckHostIP no", 0, false },
	{ "CheckHostIP false", 0, false },
	{ "ObscureKeystrokeTiming interval:20", 0, true },
	{ "ChannelTimeout none", 0, false },
	{ "PubkeyAuthentication host-bound", 0, true },
	{ "PubkeyAuthentication unbound", 0, false },
	{ "KnownHostsCommand none", 0, false },
	{ "KnownHostsCommand /x", -ENOTSUP, true },
};

START_TEST(note)
{
	AUTO(sshconf_done) struct sshconf *c = sshconf_new();
	char why[SSHCONF_WHY_MAX] = "";

	ck_assert_int_eq(
	    sshconf_take_text(c, notes[_i].text, why), notes[_i].rc);
	ck_assert_int_eq(*why != '\0', notes[_i].note);
}
END_TEST

START_TEST(include)
{
	AUTOFREE char *b = put_file("b", "User b\nHost x\n User c\n");
	AUTOFREE char *text = NULL;
	AUTO(sshconf_done) struct sshconf *c = NULL;
	AUTO(sshconf_done) struct sshconf *d = NULL;

	ck_assert_int_gt(
	    asprintf(&text, "Host h\nInclude %s/b*\nPort 5\n", dir), 0);
	c = loaded(text, "h", 0);
	ck_assert_str_eq(sshconf_text(c, KW_USER), "b");
	ck_assert_int_eq(sshconf_number(c, KW_PORT), 5);
	d = loaded(text, "x", 0);
	ck_assert_ptr_null(sshconf_text(d, KW_USER));
}
END_TEST

START_TEST(include_loop)
{
	AUTOFREE char *text = NULL;

	/* Several times, it must not take several times as long a level. */
	ck_assert_int_gt(asprintf(&text, "Include %s/[a] %s/a\nInclude %s/a\n",
			     dir, dir, dir),
	    0);
	sshconf_free(loaded(text, "h", -EBADMSG));
}
END_TEST

START_TEST(defaults)
{
	AUTO(sshconf_done) struct sshconf *c = sshconf_new();
	AUTOFREE char *text = NULL;
	size_t size;
	FILE *out;

	ck_assert_int_eq(sshconf_put(c, KW_PORT, "9"), 0);
	ck_assert_int_eq(sshconf_finish(c), 0);
	ck_assert_int_eq(sshconf_number(c, KW_PORT), 9);
	ck_assert_int_eq(sshconf_number(c, KW_STRICT), STRICT_ASK);
	ck_assert(sshconf_flag(c, KW_PASSWORD_AUTH));
	ck_assert_uint_eq(sshconf_list(c, KW_USER_KNOWN_HOSTS)->n, 2);
	out = open_memstream(&text, &size);
	ck_assert_int_eq(sshconf_print(c, "h", out), 0);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "host h\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nport 9\n"));
}
END_TEST

static const struct {
	const char *text;
	long seconds;
} times[] = { { "0", 0 }, { "90", 90 }, { "1m30s", 90 }, { "1h", 3600 },
	{ "2D", 172800 }, { "1w", 604800 }, { "", -1 }, { "x", -1 },
	{ "1x", -1 }, { "-1", -1 }, { "99999999999", -1 } };

START_TEST(seconds)
{
	ck_assert_int_eq(sshconf_seconds(times[_i].text), times[_i].seconds);
}
END_TEST

START_TEST(tokens)
{
	const struct expand e = { .host = "H",
		.original = "N",
		.port = "7",
		.user = "R",
		.jump = "J" };
	AUTOFREE char *text = NULL;
	AUTOFREE char *path = NULL;
	char why[80];

	ck_assert_int_eq(
	    expand_tokens(&e, "%%-%h-%n-%p-%r-%j-%k", why, &text), 0);
	ck_assert_str_eq(text, "%-H-N-7-R-J-N");
	ck_assert_int_eq(expand_tokens(&e, "%z", why, &path), -EBADMSG);
	ck_assert_int_eq(expand_tokens(&e, "%", why, &path), -EBADMSG);
	setenv("OET_V", "v%h", 1);
	ck_assert_int_eq(expand_path(&e, "/a/${OET_V}/%h", why, &path), 0);
	ck_assert_str_eq(path, "/a/v%h/H");
	free(take_ptr(&path));
	ck_assert_int_eq(expand_path(&e, "${OET_NONE}", why, &path), -EBADMSG);
	ck_assert_int_eq(expand_path(&e, "${OET_V", why, &path), -EBADMSG);
	ck_assert_int_eq(expand_path(&e, "%C", why, &path), 0);
	ck_assert_uint_eq(strlen(path), 40);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sshconf");
	TCase *tc = tcase_create("sshconf");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, good, 0, nitems_of(goods));
	tcase_add_loop_test(tc, bad, 0, nitems_of(bads));
	tcase_add_test(tc, lists);
	tcase_add_test(tc, send_env);
	tcase_add_loop_test(tc, note, 0, nitems_of(notes));
	tcase_add_test(tc, include);
	tcase_add_test(tc, include_loop);
	tcase_add_test(tc, defaults);
	tcase_add_loop_test(tc, seconds, 0, nitems_of(times));
	tcase_add_test(tc, tokens);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

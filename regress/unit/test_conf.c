/* Files, Include and -o: what is read, what wins, what is refused. */
#include "config.h"

#include <sys/stat.h>

#include "regress/unit/conffiles.h"
#include "regress/unit/tap.h"

START_TEST(first_wins)
{
	struct options o;

	resolve("MaxSessions 3\nMaxSessions 4\nAllowUsers a\nAllowUsers b c\n",
	    NULL, &o);
	ck_assert_int_eq(o.max_sessions, 3);
	ck_assert_uint_eq(o.allow_users.n, 3);
	ck_assert(o.set[OPT_max_sessions]);
	ck_assert(!o.set[OPT_max_auth_tries]);
	options_free(&o);
}
END_TEST

START_TEST(errors)
{
	expect_notes("Port x\n\n# c\nBanana 1\nPermitRootLogn no\n", -EBADMSG,
	    "main line 1: Port: \"x\" is not a port number from 1 to 65535\n"
	    "main: line 4: Bad configuration option: Banana\n"
	    "main: line 5: Bad configuration option: PermitRootLogn (did you "
	    "mean PermitRootLogin?)\n");
	expect_notes("MaxSessions \"3\nPermitTTY\nX\033 y\n", -EBADMSG,
	    "main line 1: a quote is opened and never closed\n"
	    "main line 2: PermitTTY: a value is missing\n"
	    "main line 3: the line holds a control character\n");
	expect_notes("\xff\xfe 1\n", -EBADMSG,
	    "main: line 1: Bad configuration option: \\377\\376\n");
}
END_TEST

START_TEST(warnings)
{
	expect_notes("PermitTunnel yes\nUseLogin no\nPermitTunnel no\n", 0,
	    "main line 1: PermitTunnel has no effect: libssh cannot serve "
	    "tun(4) devices, and clients are refused; use a VPN, or forward "
	    "TCP ports\n"
	    "main line 2: UseLogin has no effect: login(1) is never used\n");
}
END_TEST

START_TEST(bounded_report)
{
	struct conf_report report = CONF_REPORT_INIT;
	struct conf_source src = { path, dir, NULL, 0 };
	struct conf *conf = NULL;
	static const char pair[] = "Port x\nUseLogin no\n";
	char text[30 * (sizeof(pair) - 1) + 1];

	for (size_t i = 0; i < 30; i++)
		memcpy(text + i * (sizeof(pair) - 1), pair, sizeof(pair));
	put("main", text);
	ck_assert_int_eq(conf_load(&src, &conf, &report), -EBADMSG);
	ck_assert_uint_eq(report.n, 2 * (size_t)CONF_REPORT_MAX);
	ck_assert_uint_eq(report.nerrors, 30);
	ck_assert_uint_eq(report.nwarnings, 30);
	conf_report_done(&report);
}
END_TEST

START_TEST(missing)
{
	struct conf *conf = NULL;
	char notes[NOTES_MAX];

	ck_assert_int_eq(load(NULL, 0, &conf, notes), -EBADMSG);
	ck_assert_str_eq(notes, "main: No such file or directory\n");
}
END_TEST

START_TEST(only_overrides)
{
	static const char *const over[] = { "Port=99", "PermitTTY no" };
	struct conf_report report = CONF_REPORT_INIT;
	struct conf_source src = { NULL, dir, over, 2 };
	struct conf *conf = NULL;
	struct options o;

	ck_assert_int_eq(conf_load(&src, &conf, &report), 0);
	ck_assert_int_eq(conf_resolve(conf, NULL, &o), 0);
	ck_assert_uint_eq(o.port.v[0], 99);
	ck_assert(!o.permit_tty);
	options_free(&o);
	conf_free(conf);
}
END_TEST

START_TEST(overrides)
{
	static const char *const over[] = { "Port=99", "port 98",
		"MaxSessions=1", "AllowUsers a" };
	struct conf *conf = NULL;
	char notes[NOTES_MAX];
	struct options o;

	put("main", "Port 22\nMaxSessions 5\nAllowUsers b\nMatch User c\n"
		    "MaxSessions 7\n");
	ck_assert_int_eq(load(over, nitems_of(over), &conf, notes), 0);
	ck_assert_int_eq(conf_resolve(conf, NULL, &o), 0);
	ck_assert_uint_eq(o.port.n, 2);
	ck_assert_uint_eq(o.port.v[1], 98);
	ck_assert_int_eq(o.max_sessions, 1);
	ck_assert_uint_eq(o.allow_users.n, 2);
	options_free(&o);
	/* As in OpenSSH, a block that applies outweighs the command line. */
	ck_assert_int_eq(
	    conf_resolve(conf, &(struct match_ctx){ .user = "c" }, &o), 0);
	ck_assert_int_eq(o.max_sessions, 7);
	options_free(&o);
	conf_free(conf);
}
END_TEST

START_TEST(bad_overrides)
{
	static const char *const over[] = { "Nonsense=1", "Match User a",
		"Include x", "Port=0", "PermitTTY no\nPort 1" };
	struct conf *conf = NULL;
	char notes[NOTES_MAX];

	put("main", "");
	ck_assert_int_eq(load(over, nitems_of(over), &conf, notes), -EBADMSG);
	ck_assert_str_eq(notes,
	    "command-line: line 1: Bad configuration option: Nonsense\n"
	    "command-line line 2: Match: only in a file\n"
	    "command-line line 3: Include: only in a file\n"
	    "command-line line 4: Port: \"0\" is not a port number from 1 to "
	    "65535\n"
	    "command-line line 5: the line holds a control character\n");
}
END_TEST

START_TEST(include)
{
	char text[512];
	struct options o;

	put("b.conf", "MaxSessions 2\nBanner /b\n");
	put("a.conf", "MaxSessions 1\n");
	put("c.conf~", "MaxSessions 9\nPermitTTY no\n");
	put("d e", "MaxAuthTries 2\n");
	snprintf(text, sizeof(text),
	    "Include *.conf none* \"d\\ e\"\nInclude %s/b.conf\n"
	    "MaxSessions 8\nMaxAuthTries 8\n",
	    dir);
	resolve(text, NULL, &o);
	ck_assert_int_eq(o.max_sessions, 1);
	ck_assert_str_eq(o.banner, "/b");
	ck_assert_int_eq(o.max_auth_tries, 2);
	ck_assert(o.permit_tty);
	options_free(&o);
}
END_TEST

/* As OpenSSH, but what a Match block or -o says is there to replace. */
START_TEST(subsystem_twice)
{
	static const char *const over[] = { "Subsystem=a /o" };
	struct conf *conf = NULL;
	char notes[NOTES_MAX];

	put("more", "Subsystem b /more\n");
	put("main", "");
	expect_notes("Subsystem a /x\nSubsystem b /x\nSubsystem a /y\n"
		     "Include more\nMatch User u\nSubsystem a /z\n"
		     "Subsystem a /z\nMatch User v\nSubsystem a /z\n",
	    -EBADMSG,
	    "main line 3: Subsystem 'a' already defined.\n"
	    "more line 1: Subsystem 'b' already defined.\n"
	    "main line 7: Subsystem 'a' already defined.\n");
	put("main", "Subsystem a /x\n");
	ck_assert_int_eq(load(over, nitems_of(over), &conf, notes), 0);
	conf_free(conf);
}
END_TEST

START_TEST(include_errors)
{
	char full[256];

	put("bad", "\nPort x\n");
	snprintf(full, sizeof(full), "%s/folder", dir);
	ck_assert_int_eq(mkdir(full, 0700), 0);
	put("main", "");
	expect_notes("Include bad\nMaxSessions x\nInclude\nInclude \"\"\n",
	    -EBADMSG,
	    "bad line 2: Port: \"x\" is not a port number from 1 to 65535\n"
	    "main line 2: MaxSessions: \"x\" is not a number from 0 to "
	    "65535\n"
	    "main line 3: Include: a file is missing\n"
	    "main line 4: Include: a value is empty\n");
	put("main", "Include folder\nInclude missing\nInclude missing*\n");
	snprintf(full, sizeof(full),
	    "main line 1: Include: %s/folder: Is a directory\n"
	    "main line 2: Include: there is no file %s/missing\n",
	    dir, dir);
	expect_notes("Include folder\nInclude missing\nInclude missing*\n",
	    -EBADMSG, full);
}
END_TEST

START_TEST(include_depth)
{
	expect_notes("Include main\nPort x\n", -EBADMSG,
	    "main line 1: Include: files include each other too deeply\n");
	expect_notes("Include ma* ma*\n", -EBADMSG,
	    "main line 1: Include: files include each other too deeply\n");
	for (int i = 0; i < CONF_DEPTH_MAX; i++) {
		char name[16], text[32];

		snprintf(name, sizeof(name), "n%d", i);
		snprintf(text, sizeof(text), "Include n%d\n", i + 1);
		put(name, text);
	}
	put("n15", "MaxSessions 5\n");
	expect_notes("Include n0\n", 0, "");
	put("n15", "Include n16\n");
	put("n16", "MaxSessions 5\n");
	expect_notes("Include n0\n", -EBADMSG,
	    "n15 line 1: Include: files include each other too deeply\n");
}
END_TEST

START_TEST(include_files)
{
	for (int i = 0; i < CONF_FILES_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		put(name, "");
	}
	expect_notes("\nInclude f*\n", -EBADMSG,
	    "main line 2: Include: there are too many files\n");
}
END_TEST

START_TEST(huge)
{
	AUTOFREE char *text = malloc(CONF_BYTES_MAX + 2);

	memset(text, '\n', CONF_BYTES_MAX + 1);
	text[CONF_BYTES_MAX + 1] = '\0';
	expect_notes(text, -EBADMSG, "main: File too large\n");
	text[CONF_BYTES_MAX] = '\0';
	expect_notes(text, 0, "");
	text[LEX_LINE_MAX + 1] = '\0';
	memset(text, 'x', LEX_LINE_MAX + 1);
	expect_notes(text, -EBADMSG, "main line 1: the line is too long\n");
}
END_TEST

/* Every kind of value at once: reading the dump back gives the dump. */
static const char everything[] =
    "Port 23\nPort 24\nListenAddress 10.0.0.1\nListenAddress [::1]:25\n"
    "AddressFamily inet\nMaxStartups 5\nHostKey /k\nHostKey rel\n"
    "Ciphers +aes256-cbc\nRekeyLimit 1G 1h\nFingerprintHash md5\n"
    "LoginGraceTime 2m\nPermitRootLogin forced-commands-only\n"
    "AllowUsers a b@10.0.0.0/8 \"c d\"\nDenyGroups x\n"
    "PubkeyAuthOptions verify-required\nAuthorizedKeysFile none\n"
    "PermitUserEnvironment LANG,LC_*\nForceCommand = =x \"y\" # z\n"
    "Subsystem sftp /x 'a b' c\\\\d \"it's\"\nSubsystem t u\n"
    "AcceptEnv A B*\nSetEnv A=1 \"B=x \\\"y\"\nBanner rel/banner\n"
    "ClientAliveInterval 1m\nLogLevel debug3\nSyslogFacility local0\n"
    "PidFile none\nPAMServiceName x\nDisableForwarding yes\n";

START_TEST(dump_law)
{
	AUTOFREE char *one = NULL, *two = NULL;
	struct conf *conf = NULL;
	char notes[NOTES_MAX];

	put("main", _i == 0 ? "" : everything);
	ck_assert_int_eq(load(NULL, 0, &conf, notes), 0);
	ck_assert_str_eq(notes, "");
	one = dump(conf, NULL);
	conf_free(conf);
	put("main", one);
	ck_assert_int_eq(load(NULL, 0, &conf, notes), 0);
	ck_assert_str_eq(notes, "");
	two = dump(conf, NULL);
	conf_free(conf);
	ck_assert_str_eq(one, two);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf");
	TCase *t = group(s, "files");

	tcase_add_test(t, first_wins);
	tcase_add_test(t, errors);
	tcase_add_test(t, warnings);
	tcase_add_test(t, bounded_report);
	tcase_add_test(t, missing);
	tcase_add_test(t, only_overrides);
	tcase_add_test(t, overrides);
	tcase_add_test(t, bad_overrides);
	tcase_add_test(t, include);
	tcase_add_test(t, include_errors);
	tcase_add_test(t, subsystem_twice);
	tcase_add_test(t, include_depth);
	tcase_add_test(t, include_files);
	tcase_add_test(t, huge);
	tcase_add_loop_test(t, dump_law, 0, 2);
	return tap_run(s);
}

/*
 * The rows of option.def and the types: what each accepts, refuses and prints.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <syslog.h>

#include "common/err.h"
#include "common/key.h"
#include "common/log.h"
#include "common/option.h"
#include "common/own.h"
#include "regress/unit/tap.h"

/* Each keyword of OpenSSH 10.5's sshd_config(5), its aliases and Debian's. */
static const char inventory[] =
    "AcceptEnv AllowAgentForwarding AllowGroups AllowStreamLocalForwarding "
    "AllowTcpForwarding AllowUsers AuthenticationMethods "
    "AuthorizedKeysCommand AuthorizedKeysCommandUser AuthorizedKeysFile "
    "AuthorizedPrincipalsCommand AuthorizedPrincipalsCommandUser "
    "AuthorizedPrincipalsFile Banner CASignatureAlgorithms ChannelTimeout "
    "ChrootDirectory ClientAliveCountMax ClientAliveInterval DenyGroups "
    "DenyUsers DisableForwarding ExposeAuthInfo ForceCommand GatewayPorts "
    "GSSAPIAuthentication HostbasedAcceptedAlgorithms "
    "HostbasedAuthentication HostbasedUsesNameFromPacketOnly IgnoreRhosts "
    "IPQoS KbdInteractiveAuthentication KerberosAuthentication LogLevel "
    "LogVerbose MaxAuthTries MaxSessions PAMServiceName "
    "PasswordAuthentication PermitEmptyPasswords PermitListen PermitOpen "
    "PermitRootLogin PermitTTY PermitTunnel PermitUserRC "
    "PubkeyAcceptedAlgorithms PubkeyAuthentication PubkeyAuthOptions RDomain "
    "RefuseConnection RekeyLimit RequiredRSASize RevokedKeys SetEnv "
    "StreamLocalBindMask StreamLocalBindUnlink Subsystem TrustedUserCAKeys "
    "UnusedConnectionTimeout X11DisplayOffset X11Forwarding X11UseLocalhost "
    "Include Match "
    "AddressFamily Ciphers Compression FingerprintHash "
    "GSSAPICleanupCredentials GSSAPIDelegateCredentials "
    "GSSAPIStrictAcceptorCheck HostCertificate HostKey HostKeyAgent "
    "HostKeyAlgorithms IgnoreUserKnownHosts KerberosOrLocalPasswd "
    "KerberosTicketCleanup KerberosGetAFSToken KexAlgorithms ListenAddress "
    "LoginGraceTime MACs MaxStartups ModuliFile PerSourceMaxStartups "
    "PerSourceNetBlockSize PerSourcePenalties PerSourcePenaltyExemptList "
    "PermitUserEnvironment PidFile Port PrintLastLog PrintMotd "
    "SecurityKeyProvider SshdAuthPath SshdSessionPath StrictModes "
    "SyslogFacility TCPKeepAlive UseDNS UsePAM VersionAddendum XAuthLocation "
    "ServerKeyBits KeyRegenerationInterval RhostsAuthentication "
    "RhostsRSAAuthentication RSAAuthentication CheckMail UseLogin "
    "VerifyReverseMapping ReverseMappingCheck AuthorizedKeysFile2 "
    "UsePrivilegeSeparation KerberosTgtPassing AFSTokenPassing Protocol "
    "HostDSAKey HostBasedAcceptedKeyTypes PubkeyAcceptedKeyTypes "
    "DSAAuthentication ChallengeResponseAuthentication SKeyAuthentication "
    "KeepAlive "
    "DebianBanner GSSAPIKeyExchange GSSAPIStoreCredentialsOnRekey "
    "GSSAPIKexAlgorithms";

START_TEST(known)
{
	AUTOFREE char *copy = strdup(inventory);
	size_t n = 0;

	for (char *rest = copy, *word; (word = strsep(&rest, " ")) != NULL; n++)
		ck_assert_msg(option_find(word) != NULL, "no row: %s", word);
	for (size_t i = 0; option_row(i) != NULL; i++)
		ck_assert_msg(strcasestr(inventory, option_row(i)->keyword),
		    "not in the inventory: %s", option_row(i)->keyword);
	ck_assert_uint_ge(n, 124);
}
END_TEST

static void
check_row(const struct option *row, size_t i)
{
	ck_assert_msg(*row->help != '\0', "no help: %s", row->keyword);
	ck_assert_msg(strlen(row->help) < 80, "long help: %s", row->keyword);
	for (size_t j = 0; j < i; j++)
		ck_assert_str_ne(row->keyword, option_row(j)->keyword);
	if (row->kind == OPTION_GONE)
		ck_assert_int_eq(row->status, STATUS_DEAD);
	if (row->kind != OPTION_VALUE)
		return;
	ck_assert_uint_eq(row->id, i);
	ck_assert_ptr_eq(option_find(row->keyword), row);
	if (row->status == STATUS_IMPLEMENTED)
		return;
	ck_assert_msg(*row->why != '\0', "no reason: %s", row->keyword);
	/* Only what has no default at all may refuse every word. */
	ck_assert_msg(
	    *row->quiet != '\0' || *row->def == '\0', "%s", row->keyword);
}

START_TEST(table)
{
	size_t i;

	for (i = 0; option_row(i) != NULL; i++)
		check_row(option_row(i), i);
	ck_assert_uint_gt(i, OPT_COUNT);
}
END_TEST

/* Nothing that the suite does not do may be refused in only one of its rows. */
START_TEST(restricting)
{
	static const char *const rows[] = { "AuthenticationMethods",
		"TrustedUserCAKeys", "RevokedKeys", "AuthorizedKeysCommand",
		"AuthorizedPrincipalsFile", "AuthorizedPrincipalsCommand",
		"CASignatureAlgorithms", "PerSourceMaxStartups",
		"PerSourcePenalties", "RefuseConnection", "RDomain" };

	for (size_t i = 0; i < nitems_of(rows); i++) {
		const struct option *row = option_find(rows[i]);

		ck_assert(row->status == STATUS_REFUSED ||
			  row->status == STATUS_IMPLEMENTED);
	}
}
END_TEST

START_TEST(aliases)
{
	ck_assert_ptr_eq(option_find("ChallengeResponseAuthentication"),
	    option_find("KbdInteractiveAuthentication"));
	ck_assert_ptr_eq(
	    option_find("PERMITrootLOGIN"), option_find("PermitRootLogin"));
	ck_assert_ptr_null(option_find("PermitRootLogi"));
	ck_assert_ptr_null(option_find(""));
}
END_TEST

START_TEST(nearest)
{
	char longest[100];

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_str_eq(option_nearest("PermitRootLogn"), "PermitRootLogin");
	ck_assert_str_eq(option_nearest("prot"), "Port");
	ck_assert_str_eq(option_nearest("PaswordAuthentification"),
	    "PasswordAuthentication");
	ck_assert_ptr_null(option_nearest("NoSuchKeyword"));
	ck_assert_ptr_null(option_nearest("x"));
	ck_assert_ptr_null(option_nearest(""));
	ck_assert_ptr_null(option_nearest(longest));
}
END_TEST

START_TEST(defaults)
{
	struct options o;

	options_init(&o);
	ck_assert_int_eq(options_fill(&o), 0);
	for (size_t i = 0; i < OPT_COUNT; i++)
		ck_assert(!o.set[i]);
	ck_assert_uint_eq(o.port.n, 1);
	ck_assert_uint_eq(o.port.v[0], 22);
	ck_assert_int_eq(o.address_family, AF_UNSPEC);
	ck_assert_uint_eq(o.host_key.n, 3);
	ck_assert_int_eq(o.login_grace_time, 120);
	ck_assert_int_eq(o.max_auth_tries, 6);
	ck_assert_int_eq(o.permit_root_login, ROOT_NO_PASSWORD);
	ck_assert_int_eq(o.max_startups.begin, 10);
	ck_assert_int_eq(o.max_startups.rate, 30);
	ck_assert_int_eq(o.max_startups.full, 100);
	ck_assert(o.password_authentication && o.pubkey_authentication);
	ck_assert(!o.use_pam && !o.permit_empty_passwords && o.strict_modes);
	ck_assert_uint_eq(o.authorized_keys_file.n, 2);
	ck_assert_int_eq(o.syslog_facility, LOG_AUTH);
	ck_assert_int_eq(o.log_level, LEVEL_INFO);
	ck_assert_int_eq(o.fingerprint_hash, KEY_HASH_SHA256);
	ck_assert_ptr_null(o.banner);
	ck_assert_ptr_null(o.force_command);
	ck_assert_uint_eq(o.pubkey_auth_options, 0);
	ck_assert(!o.permit_user_environment.on);
	options_free(&o);
	options_free(&o);
}
END_TEST

/* A line of configuration, split. */
struct input {
	struct lex_line line;
	struct option_in in;
};

static struct option_in *
input_init(struct input *in, const char *text)
{
	const char *why = "";

	memset(in, 0, sizeof(*in));
	ck_assert_int_eq(
	    lex_split(span_of(text, strlen(text)), &in->line, &why), 0);
	in->in = (struct option_in){ option_find(in->line.keyword),
		&in->line.words, in->line.rest, "/cwd" };
	ck_assert_ptr_nonnull(in->in.row);
	return &in->in;
}

/* The part of sshd -T that is about the keyword; owned. */
static char *
dump_of(const struct options *o, const char *keyword)
{
	AUTOFREE char *all = NULL;
	char *part = NULL;
	size_t size, len = strlen(keyword);
	FILE *f = open_memstream(&all, &size);

	ck_assert_int_eq(options_dump(o, f), 0);
	fclose(f);
	f = open_memstream(&part, &size);
	for (char *rest = all, *line; (line = strsep(&rest, "\n")) != NULL;)
		if (strncasecmp(line, keyword, len) == 0 && line[len] == ' ')
			fprintf(f, "%s;", line + len + 1);
	fclose(f);
	return part;
}

static const struct {
	const char *line; /* lines, "\n" between them */
	const char *dump; /* its values, ";" behind each */
} good[] = {
#define PENALTIES(crash, authfail, overflow) \
	"crash:" crash " authfail:" authfail \
	" noauth:1.000000 invaliduser:5.000000 grace-exceeded:10.000000 " \
	"refuseconnection:10.000000 max:600.000000 min:15.000000 " \
	"max-sources4:65536 max-sources6:65536 overflow:" overflow \
	" overflow6:" overflow ";"
	{ "PermitTTY no", "no;" },
	{ "PermitTTY YES", "yes;" },
	{ "PermitRootLogin prohibit-password", "without-password;" },
	{ "PermitRootLogin Forced-Commands-Only", "forced-commands-only;" },
	{ "MaxAuthTries 0", "0;" },
	{ "MaxAuthTries 1000", "1000;" },
	{ "MaxSessions 0", "0;" },
	{ "StreamLocalBindMask 0177", "0177;" },
	{ "LoginGraceTime 90", "90;" },
	{ "LoginGraceTime 1h30m10s", "5410;" },
	{ "LoginGraceTime 1W2D", "777600;" },
	{ "LoginGraceTime 0", "0;" },
	{ "UnusedConnectionTimeout none", "none;" },
	{ "MaxStartups 5", "5:100:5;" },
	{ "MaxStartups 10:30:60", "10:30:60;" },
	{ "RekeyLimit 1G 1h", "1073741824 3600;" },
	{ "RekeyLimit default none", "0 0;" },
	{ "RekeyLimit 16", "16 0;" },
	{ "RekeyLimit 512k none", "524288 0;" },
	{ "PubkeyAuthOptions touch-required verify-required",
	    "touch-required verify-required;" },
	{ "PubkeyAuthOptions none", "none;" },
	{ "Banner /etc/issue.net", "/etc/issue.net;" },
	{ "Banner issue", "/cwd/issue;" },
	{ "Banner None", "none;" },
	{ "Banner \"/a b\"", "\"/a b\";" },
	{ "ForceCommand echo \"a  b\" # c", "echo \"a  b\" # c;" },
	{ "ForceCommand = =x", "= =x;" },
	{ "ForceCommand none", "none;" },
	{ "Subsystem sftp /usr/lib/sftp-server -l INFO",
	    "sftp /usr/lib/sftp-server -l INFO;" },
	{ "Subsystem a b\nSubsystem c d\nSubsystem a e", "a b;c d;" },
	{ "Subsystem a \"b c\" d", "a \"b c\" d;" },
	{ "Port 22\nPort 2022\nPort 22", "22;2022;" },
	{ "HostKey /a\nHostKey b", "/a;/cwd/b;" },
	{ "HostKey none", "none;" },
	{ "AuthorizedKeysFile /etc/keys/%u .ssh/keys",
	    "/etc/keys/%u .ssh/keys;" },
	{ "AuthorizedKeysFile %h/%U/%%", "%h/%U/%%;" },
	{ "AuthorizedKeysFile none", "none;" },
	{ "AllowUsers a b@10.0.0.0/8\nAllowUsers c*", "a;b@10.0.0.0/8;c*;" },
	{ "DenyUsers *@*,!10.0.0.1", "*@*,!10.0.0.1;" },
	{ "AllowGroups \"domain users\"", "\"domain users\";" },
	{ "AcceptEnv LANG LC_*\nAcceptEnv X", "LANG;LC_*;X;" },
	{ "SetEnv A=1 \"B=x y\" A=2\nSetEnv C=3", "A=1 \"B=x y\";" },
	{ "SetEnv A=", "A=;" },
	{ "PermitUserEnvironment yes", "yes;" },
	{ "PermitUserEnvironment LANG,LC_*", "LANG,LC_*;" },
	{ "ListenAddress 10.0.0.1\nListenAddress [::1]:23",
	    "10.0.0.1:22;[::1]:23;" },
	{ "ListenAddress host:24", "host:24;" },
	{ "ListenAddress fe80::1%eth0", "[fe80::1%eth0]:22;" },
	{ "ListenAddress [::] rdomain vrf-mgmt", "[::]:22 rdomain vrf-mgmt;" },
	{ "AddressFamily inet6", "inet6;" },
	{ "SyslogFacility local7", "LOCAL7;" },
	{ "LogLevel debug1", "DEBUG;" },
	{ "FingerprintHash md5", "MD5;" },
	{ "Ciphers aes256-ctr", "aes256-ctr;" },
	{ "KexAlgorithms -*nistp*,diffie-*", "-*nistp*,diffie-*;" },
	{ "MACs ^hmac-sha2-512-etm@openssh.com",
	    "^hmac-sha2-512-etm@openssh.com;" },
	{ "PAMServiceName mysshd", "mysshd;" },
	{ "X11Forwarding yes", "yes;" },
	{ "AllowTcpForwarding local", "local;" },
	{ "AllowTcpForwarding all", "yes;" },
	{ "AllowStreamLocalForwarding yes", "no;" },
	{ "PermitOpen [::1]:* a:22", "[::1]:* a:22;" },
	{ "PermitListen 8080", "8080;" },
	{ "XAuthLocation none", "none;" },
	{ "ChrootDirectory None", "none;" },
	{ "IPQoS 0x20 none", "cs1 none;" },
	{ "IPQoS 3 le", "0x03 le;" },
	{ "ChannelTimeout session:*=5m global=1h", "session:*=5m global=1h;" },
	{ "UnusedConnectionTimeout 5m", "300;" },
	{ "VersionAddendum at  the \"gate\"", "at  the \"gate\";" },
	{ "ChrootDirectory %h/x", "%h/x;" },
	{ "ChrootDirectory /srv/%u%%/%U", "/srv/%u%%/%U;" },
	{ "AuthenticationMethods any", "any;" },
	{ "IgnoreRhosts yes", "yes;" },
	{ "PermitOpen none", "none;" },
	{ "GatewayPorts clientspecified", "clientspecified;" },
	{ "PermitTunnel ethernet", "no;" },
	{ "TCPKeepAlive no\nTCPKeepAlive yes", "no;" },
	{ "PerSourceMaxStartups 3", "3;" },
	{ "PerSourceMaxStartups None", "none;" },
	{ "PerSourceNetBlockSize 24", "24:128;" },
	{ "PerSourceNetBlockSize 0:64", "0:64;" },
	{ "PerSourcePenalties no", "no;" },
	{ "PerSourcePenalties no\nPerSourcePenalties yes", "no;" },
	{ "PerSourcePenalties yes",
	    PENALTIES("90.000000", "5.000000", "permissive") },
	{ "PerSourcePenalties no\nPerSourcePenalties Crash:2m0.5s crash:1s",
	    PENALTIES("120.500000", "5.000000", "permissive") },
	{ "PerSourcePenalties authfail:0.0125\n"
	  "PerSourcePenalties authfail:3 overflow:deny-all",
	    PENALTIES("90.000000", "0.012000", "deny-all") },
	{ "PerSourcePenaltyExemptList 192.0.2.1,!10.0.0.1,10.0.0.0/8",
	    "192.0.2.1,!10.0.0.1,10.0.0.0/8;" },
};

START_TEST(accepted)
{
	AUTOFREE char *copy = strdup(good[_i].line);
	AUTOFREE char *dump = NULL;
	struct options o;
	char keyword[64] = "";

	options_init(&o);
	for (char *rest = copy, *text; (text = strsep(&rest, "\n")) != NULL;) {
		struct input in;

		ck_assert_int_eq(options_set(&o, input_init(&in, text)), 0);
		snprintf(keyword, sizeof(keyword), "%s", in.line.keyword);
		lex_line_done(&in.line);
	}
	ck_assert_int_eq(options_fill(&o), 0);
	dump = dump_of(&o, keyword);
	ck_assert_str_eq(dump, good[_i].dump);
	options_free(&o);
}
END_TEST

static const struct {
	const char *line;
	int rc;
	const char *why;
} notes[] = {
	{ "PermitTTY", -EBADMSG, "PermitTTY: a value is missing" },
	{ "PermitTTY no no", -EBADMSG, "\"no\" is one value too many" },
	{ "PermitTTY \"\"", -EBADMSG, "a value is empty" },
	{ "PermitTTY maybe", -EBADMSG, "\"maybe\" is not yes or no" },
	{ "PermitRootLogin perhaps", -EBADMSG,
	    "prohibit-password or forced-commands-only" },
	{ "MaxAuthTries 1001", -EBADMSG, "not a number" },
	{ "MaxAuthTries -1", -EBADMSG, "not a number from 0 to 1000" },
	{ "MaxAuthTries 6x", -EBADMSG, "not a number" },
	{ "MaxAuthTries 99999999999999999999", -EBADMSG, "not a number" },
	{ "RequiredRSASize 1023", -EBADMSG, "from 1024 to 16384" },
	{ "StreamLocalBindMask 0888", -EBADMSG, "octal" },
	{ "StreamLocalBindMask 1000", -EBADMSG, "octal" },
	{ "LoginGraceTime 10x", -EBADMSG, "not a time" },
	{ "LoginGraceTime m", -EBADMSG, "not a time" },
	{ "LoginGraceTime 1.5s", -EBADMSG, "not a time" },
	{ "LoginGraceTime -1", -EBADMSG, "not a time" },
	{ "LoginGraceTime 1073741825", -EBADMSG, "not a time" },
	{ "LoginGraceTime 9999w", -EBADMSG, "not a time" },
	{ "MaxStartups 0", -EBADMSG, "START:RATE:FULL" },
	{ "MaxStartups 10:30", -EBADMSG, "START:RATE:FULL" },
	{ "MaxStartups 10:30:9", -EBADMSG, "START:RATE:FULL" },
	{ "MaxStartups 10:0:20", -EBADMSG, "START:RATE:FULL" },
	{ "MaxStartups 10:101:20", -EBADMSG, "START:RATE:FULL" },
	{ "MaxStartups 10:30:100:", -EBADMSG, "START:RATE:FULL" },
	{ "MaxStartups 10:30:100:1", -EBADMSG, "START:RATE:FULL" },
	{ "RekeyLimit 15", -EBADMSG, "at least 16" },
	{ "RekeyLimit 1X", -EBADMSG, "an amount" },
	{ "RekeyLimit 1GG", -EBADMSG, "an amount" },
	{ "RekeyLimit 16E", -EBADMSG, "an amount" },
	{ "RekeyLimit default x", -EBADMSG, "not a time" },
	{ "PubkeyAuthOptions touch", -EBADMSG, "touch-required" },
	{ "Banner ~/issue", -EBADMSG, "a server has no home" },
	{ "Subsystem sftp", -EBADMSG, "another value is missing" },
	{ "Port 0", -EBADMSG, "not a port number" },
	{ "Port 65536", -EBADMSG, "not a port number" },
	{ "Port ssh", -EBADMSG, "not a port number" },
	{ "AuthorizedKeysFile ~/.ssh/keys", -EBADMSG, "relative to the" },
	{ "AuthorizedKeysFile %d/keys", -EBADMSG, "a % that is not" },
	{ "AuthorizedKeysFile keys%", -EBADMSG, "a % that is not" },
	{ "AuthorizedKeysFile a none", -EBADMSG, "none has to stand alone" },
	{ "AllowUsers a@10.0.0.1/8", -EBADMSG, "behind its mask" },
	{ "AllowUsers a@10.0.0.0/33", -EBADMSG, "mask" },
	{ "AllowUsers @host", -EBADMSG, "one side of its @" },
	{ "AllowUsers a@", -EBADMSG, "one side of its @" },
	{ "DenyUsers !root", -EBADMSG, "negated" },
	{ "AllowGroups", -EBADMSG, "missing" },
	{ "AcceptEnv A=1", -EBADMSG, "not the name of a variable" },
	{ "SetEnv A", -EBADMSG, "not NAME=value" },
	{ "SetEnv =1", -EBADMSG, "not NAME=value" },
	{ "ListenAddress [::1", -EBADMSG, "[ADDRESS]:PORT" },
	{ "ListenAddress [::1]x", -EBADMSG, "[ADDRESS]:PORT" },
	{ "ListenAddress :22", -EBADMSG, "[ADDRESS]:PORT" },
	{ "ListenAddress a/b", -EBADMSG, "[ADDRESS]:PORT" },
	{ "ListenAddress 1.2.3.4:", -EBADMSG, "the port" },
	{ "ListenAddress 1.2.3.4:0", -EBADMSG, "the port" },
	{ "ListenAddress 1.2.3.4 rdomain", -EBADMSG, "only rdomain" },
	{ "ListenAddress 1.2.3.4 rdomain a/b", -EBADMSG, "only rdomain" },
	{ "Ciphers aes256-gmc", -EBADMSG, "\"aes256-gmc\" is no known" },
	{ "Ciphers aes256-ctr,", -EBADMSG, "\"\" is no known" },
	{ "Ciphers +", -EBADMSG, "\"\" is no known" },
	{ "Ciphers +-aes256-ctr", -EBADMSG, "only one of" },
	{ "Ciphers -no-such-*", -EBADMSG, "no known" },
	{ "MACs aes256-ctr", -EBADMSG, "no known" },
	{ "PermitOpen x", -EBADMSG, "HOST:PORT" },
	{ "PermitOpen any a:1", -EBADMSG, "any has to stand alone" },
	{ "PermitListen a:b", -EBADMSG, "PORT or HOST:PORT" },
	{ "AllowTcpForwarding maybe", -EBADMSG, "\"maybe\" is not" },
	{ "X11DisplayOffset 58536", -EBADMSG, "58535" },
	{ "AllowStreamLocalForwarding yes", -ENOSYS, "Unix sockets" },
	{ "StreamLocalBindMask 0", -ENOSYS, "Unix sockets" },
	{ "PermitTunnel yes", -ENOSYS, "tun(4)" },
	{ "Compression delayed", -ENOSYS, "never offered" },
	{ "UsePrivilegeSeparation sandbox", -ENOSYS, "always separated" },
	{ "Protocol", -ENOSYS, "Protocol has no effect" },
	{ "DebianBanner yes", -ENOSYS, "version string" },
	{ "LogVerbose packet.c:*", -ENOSYS, "OpenSSH's source" },
	{ "IPQoS ef af99", -EBADMSG, "\"af99\" is not a class" },
	{ "IPQoS 256", -EBADMSG, "a number up to 255" },
	{ "ChannelTimeout session", -EBADMSG, "is not TYPE=TIME" },
	{ "ChannelTimeout session=soon", -EBADMSG, "is not TYPE=TIME" },
	{ "ChannelTimeout none session=5m", -EBADMSG, "stand alone" },
	{ "VersionAddendum caf\303\251", -EBADMSG, "printable ASCII" },
	{ "ChrootDirectory ~", -EBADMSG, "neither an absolute path" },
	{ "ChrootDirectory /srv/%d", -EBADMSG, "has a % that is not one of" },
	{ "ChrootDirectory", -EBADMSG, "a value is missing" },
	{ "AuthenticationMethods any publickey", -EBADMSG, "stand alone" },
	{ "AuthenticationMethods publickey,passwort", -EBADMSG,
	    "no authentication method" },
	{ "AuthenticationMethods ,publickey", -EBADMSG, "\"\" is no" },
	{ "AuthenticationMethods publickey,", -EBADMSG, "\"\" is no" },
	{ "AuthorizedKeysCommand keys %u", -EBADMSG, "absolute path" },
	{ "AuthorizedKeysCommand /keys %i", -EBADMSG, "a % that is not" },
	{ "AuthorizedKeysCommand /keys a%", -EBADMSG, "a % that is not" },
	{ "AuthorizedPrincipalsCommand /p %x", -EBADMSG, "a % that is not" },
	{ "AuthorizedPrincipalsFile %i", -EBADMSG, "a % that is not" },
	{ "TrustedUserCAKeys ~/ca", -EBADMSG, "a server has no home" },
	{ "RevokedKeys none /x", -EBADMSG, "stand alone" },
	{ "CASignatureAlgorithms ssh-ed25519,x", -EBADMSG, "no known" },
	{ "PerSourceMaxStartups 0", -EBADMSG, "none or a number from 1 on" },
	{ "PerSourceMaxStartups x", -EBADMSG, "none or a number from 1 on" },
	{ "PerSourceNetBlockSize 33", -EBADMSG, "BITS:BITS" },
	{ "PerSourceNetBlockSize 32:129", -EBADMSG, "BITS:BITS" },
	{ "PerSourceNetBlockSize 32:", -EBADMSG, "BITS:BITS" },
	{ "PerSourceNetBlockSize :64", -EBADMSG, "BITS:BITS" },
	{ "PerSourcePenalties yes crash:1", -EBADMSG, "has to stand alone" },
	{ "PerSourcePenalties crash:1 no", -EBADMSG, "as in crash:2m" },
	{ "PerSourcePenalties crash", -EBADMSG, "as in crash:2m" },
	{ "PerSourcePenalties crashes:1", -EBADMSG, "as in crash:2m" },
	{ "PerSourcePenalties crash:", -EBADMSG, "not a time" },
	{ "PerSourcePenalties crash:1.", -EBADMSG, "not a time" },
	{ "PerSourcePenalties crash:.5", -EBADMSG, "not a time" },
	{ "PerSourcePenalties crash:1.5m", -EBADMSG, "not a time" },
	{ "PerSourcePenalties crash:9999999999", -EBADMSG, "not a time" },
	{ "PerSourcePenalties crash:999999999w", -EBADMSG, "not a time" },
	{ "PerSourcePenalties max-sources4:0", -EBADMSG, "from 1 on" },
	{ "PerSourcePenalties overflow:deny", -EBADMSG, "deny-all" },
	{ "PerSourcePenaltyExemptList 192.0.2.0/33", -EBADMSG,
	    "not a list of addresses" },
	{ "PerSourcePenaltyExemptList 192.0.2.0/8", -EBADMSG,
	    "not a list of addresses" },
	{ "X11Forwarding yes", 0, "" },
	{ "PermitOpen [::1]:*", 0, "" },
	{ "ChrootDirectory none", 0, "" },
	{ "UseDNS No", 0, "" },
	{ "DisableForwarding yes", 0, "" },
};

START_TEST(noted)
{
	char why[OPTION_WHY_MAX] = "";
	struct options o;
	struct input in;
	int rc = option_check(input_init(&in, notes[_i].line), why);

	ck_assert_int_eq(rc, notes[_i].rc);
	ck_assert_msg(strstr(why, notes[_i].why) != NULL, "%s", why);
	/* What only warns is not set, what is refused cannot be set. */
	options_init(&o);
	if (in.in.row->status == STATUS_UNOFFERED || rc == -ENOSYS)
		ck_assert_int_eq(options_set(&o, &in.in), 0);
	else
		ck_assert_int_eq(options_set(&o, &in.in), rc);
	if (rc != 0)
		for (size_t i = 0; i < OPT_COUNT; i++)
			ck_assert(!o.set[i]);
	options_free(&o);
	lex_line_done(&in.line);
}
END_TEST

START_TEST(listening)
{
	struct listens list = { NULL, 0 };
	struct options o;
	struct input in;

	options_init(&o);
	ck_assert_int_eq(options_set(&o, input_init(&in, "Port 1")), 0);
	lex_line_done(&in.line);
	ck_assert_int_eq(options_set(&o, input_init(&in, "Port 2")), 0);
	lex_line_done(&in.line);
	ck_assert_int_eq(options_fill(&o), 0);
	ck_assert_int_eq(options_listen(&o, &list), 0);
	ck_assert_uint_eq(list.n, 4);
	ck_assert_str_eq(list.v[0].host, "::");
	ck_assert_str_eq(list.v[3].host, "0.0.0.0");
	ck_assert_uint_eq(list.v[3].port, 2);
	listens_done(&list);
	o.address_family = AF_INET;
	ck_assert_int_eq(options_listen(&o, &list), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_str_eq(list.v[0].host, "0.0.0.0");
	listens_done(&list);
	options_free(&o);
}
END_TEST

static const struct {
	const char *spec, *available;
	const char *list; /* NULL: an error */
} algs[] = {
	{ NULL, NULL, "a,b,c" },
	{ "", NULL, "a,b,c" },
	{ NULL, "c,x,b", "b,c" },
	{ "x,a", NULL, "x,a" },
	{ "x,a,x", NULL, "x,a" },
	{ "x,a", "a", "a" },
	{ "+x", NULL, "a,b,c,x" },
	{ "+a", NULL, "a,b,c" },
	{ "-b", NULL, "a,c" },
	{ "-a,c", NULL, "b" },
	{ "-x", NULL, "a,b,c" },
	{ "^x,b", NULL, "x,b,a,c" },
	{ "x*", NULL, "x,xy" },
	{ "-?", NULL, NULL },
	{ "-*", NULL, NULL },
	{ "x", "a", NULL },
	{ NULL, "z", NULL },
	{ "z", NULL, NULL },
	{ "a,,b", NULL, NULL },
	{ "+^x", NULL, NULL },
};

START_TEST(algorithms)
{
	struct option_algs in = { algs[_i].spec, "a,b,c", "a,b,c,x,xy",
		algs[_i].available };
	char why[OPTION_WHY_MAX] = "";
	AUTOFREE char *list = NULL;
	int rc = option_algs_resolve(&in, why, &list);

	ck_assert_int_eq(rc, algs[_i].list != NULL ? 0 : -EBADMSG);
	if (rc == 0)
		ck_assert_str_eq(list, algs[_i].list);
	else
		ck_assert_str_ne(why, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("option");
	TCase *t = tcase_create("table");

	tcase_add_test(t, known);
	tcase_add_test(t, table);
	tcase_add_test(t, restricting);
	tcase_add_test(t, aliases);
	tcase_add_test(t, nearest);
	tcase_add_test(t, defaults);
	suite_add_tcase(s, t);
	t = tcase_create("types");
	tcase_add_loop_test(t, accepted, 0, nitems_of(good));
	tcase_add_loop_test(t, noted, 0, nitems_of(notes));
	tcase_add_test(t, listening);
	tcase_add_loop_test(t, algorithms, 0, nitems_of(algs));
	suite_add_tcase(s, t);
	return tap_run(s);
}

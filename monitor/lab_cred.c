/*
 * Credentials of omniedge-ssh-server. Runs in it, before anybody can connect.
 */
#include "config.h"

#include <crypt.h>
#include <pwd.h>
#include <readpassphrase.h>
#include <shadow.h>
#include <string.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/account.h"
#include "monitor/keyfile.h"
#include "monitor/lab_cred.h"

#define SALT_LEN 16
#define ACCOUNTS_MAX 4096 /* that are looked at for a key or a password */
#define LOOK_SECONDS 10   /* for all of them */
#define FOUND 1           /* exit status of the process that looks */
#define GROUP_LEN 4

/* Digits and letters that nobody takes for one another; 31 of them. */
static const char alphabet[] = "23456789abcdefghjkmnpqrstuvwxyz";
static const char salt_letters[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* --- a password's hash */

/* SHA-512 of crypt(5): every C library's crypt() has it. */
static int
hash_password(const char *password, char **out_hash)
{
	struct crypt_data data = { .initialized = 0 };
	char setting[SALT_LEN + 8] = "$6$";
	size_t at = strlen(setting);
	const char *made;

	for (size_t i = 0; i < SALT_LEN; i++)
		setting[at++] = salt_letters[arc4random_uniform(64)];
	setting[at++] = '$';
	setting[at] = '\0';
	made = crypt_r(password, setting, &data);
	*out_hash = made != NULL && *made != '*' ? strdup(made) : NULL;
	explicit_bzero(&data, sizeof(data));
	return *out_hash != NULL ? 0 : -ENOMEM;
}

static int
say(FILE *err, const char *text)
{
	fprintf(err, "omniedge ssh-server: %s\n", text);
	return -EINVAL;
}

static int
ask(char password[LAB_PASSWORD_MAX], FILE *err)
{
	char again[LAB_PASSWORD_MAX];
	int rc = 0;

	if (readpassphrase("Password for this server: ", password,
		LAB_PASSWORD_MAX, RPP_REQUIRE_TTY) == NULL)
		return say(err, "--password: there is no terminal to ask on; "
				"use --password-fd");
	if (readpassphrase("Again: ", again, sizeof(again), RPP_REQUIRE_TTY) ==
		NULL ||
	    strcmp(password, again) != 0)
		rc = say(err, "--password: the two are not the same");
	explicit_bzero(again, sizeof(again));
	return rc;
}

/* The first line, byte by byte: what follows is the descriptor's owner's. */
static int
read_fd(int fd, char password[LAB_PASSWORD_MAX], FILE *err)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, password + len, 1)) == 1 && password[len] != '\n')
		if (password[len++] == '\0' || len == LAB_PASSWORD_MAX - 1)
			return say(err, "--password-fd: more than 1022 bytes, "
					"or a NUL among them");
	if (n < 0) {
		fprintf(err, "omniedge ssh-server: --password-fd %d: %s\n", fd,
		    err_str(-errno));
		return -EINVAL;
	}
	password[len] = '\0';
	if (fd > STDERR_FILENO)
		close(fd);
	return 0;
}

int
lab_cred_password(const struct lab_args *args, struct lab *terms, FILE *err)
{
	char password[LAB_PASSWORD_MAX] = "";
	int rc;

	if (!args->password && args->password_fd < 0)
		return 0;
	rc = args->password ? ask(password, err)
			    : read_fd(args->password_fd, password, err);
	if (rc == 0 && *password == '\0')
		rc = say(err, "the password is empty, and would be none");
	if (rc == 0)
		rc = hash_password(password, &terms->hash);
	explicit_bzero(password, sizeof(password));
	return rc;
}

int
lab_cred_once(struct lab *terms, char out_password[LAB_ONCE_LEN + 1])
{
	for (size_t i = 0; i < LAB_ONCE_LEN; i++)
		out_password[i] =
		    i % (GROUP_LEN + 1) == GROUP_LEN
			? '-'
			: alphabet[arc4random_uniform(sizeof(alphabet) - 1)];
	out_password[LAB_ONCE_LEN] = '\0';
	terms->one_time = true;
	return hash_password(out_password, &terms->hash);
}

/* --- is there any other? */

static bool
has_key(const struct account *a, const struct options *options)
{
	const struct conn any = { .account = *a, .options = *options };
	const struct keyfile_question q = { &any, NULL };
	struct authkeys_opts opts;

	if (keyfile_may(&q, &opts) != 0)
		return false;
	authkeys_opts_done(&opts);
	return true;
}

static bool
has_password(const struct account *a)
{
	const struct spwd *sp = getspnam(a->name);

	return sp != NULL && sp->sp_pwdp != NULL && *sp->sp_pwdp != '\0' &&
	       *sp->sp_pwdp != '!' && *sp->sp_pwdp != '*';
}

static bool
opens(const char *name, const struct options *options)
{
	struct account a;
	bool found = false;

	if (account_find(name, &a) != 0)
		return false;
	if (a.exists && options->pubkey_authentication)
		found = has_key(&a, options);
	if (a.exists && !found && options->password_authentication)
		found = has_password(&a);
	account_done(&a);
	return found;
}

/* The accounts that names lead to, where the arguments name them all. */
static bool
any_mapped(
    const struct lab *terms, const struct options *options, bool *out_all)
{
	bool found = false;

	*out_all = terms->default_user != NULL;
	if (terms->default_user != NULL)
		found = opens(terms->default_user, options);
	for (size_t i = 0; i < terms->nmap && !found; i++) {
		const struct lab_pair *p = &terms->map[i];

		if (strcmp(p->from, LAB_ANY) == 0)
			*out_all = true;
		if (strcmp(p->to, LAB_SAME) != 0)
			found = opens(p->to, options);
		else if (strcmp(p->from, LAB_ANY) == 0)
			*out_all = false;
		else
			found = opens(p->from, options);
	}
	return found;
}

/* Every account but root, who has to be named. */
static bool
look_at_all(const struct options *options)
{
	const struct passwd *pw;
	bool found = false;
	char *names[ACCOUNTS_MAX];
	size_t n = 0;

	/* Names first: looking at one moves getpwent(3) on. */
	setpwent();
	while (n < ACCOUNTS_MAX && (pw = getpwent()) != NULL)
		if (pw->pw_uid != 0 && (names[n] = strdup(pw->pw_name)) != NULL)
			n++;
	endpwent();
	for (size_t i = 0; i < n; i++) {
		if (!found)
			found = opens(names[i], options);
		free(names[i]);
	}
	return found;
}

/*
 * In a process that ends in time: an account's home may be a file system that
 * never answers. Its real id stays root's, so that no account can stop it.
 */
static bool
any_account(const struct options *options)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		alarm(LOOK_SECONDS);
		_exit(look_at_all(options) ? FOUND : 0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == FOUND;
}

bool
lab_cred_any(const struct lab_conf *conf, const struct lab_self *self,
    const struct options *options)
{
	const struct lab *terms = &conf->terms;
	bool all;

	if (terms->auth_none || terms->hash != NULL)
		return true;
	if (!self->is_root)
		return opens(self->name, options);
	if (any_mapped(terms, options, &all))
		return true;
	return !all && any_account(options);
}

/*
 * Tokens in configuration. Runs as the user; the values may come from the
 * command line, target.c has seen to it that they are tame.
 */
#include "config.h"

#include <openssl/evp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/expand.h"
#include "common/err.h"
#include "common/own.h"
#include "common/wire.h"

#define HOSTNAME_MAX 256
#define SHA1_LEN 20

const char *
expand_home(void)
{
	static char home[4096];
	const char *env = getenv("HOME");
	struct passwd *pw;
	struct stat st;

	if (home[0] != '\0')
		return home;
	/* After su the variable may still be another's. */
	if (env != NULL && *env == '/' && stat(env, &st) == 0 &&
	    st.st_uid == geteuid())
		strlcpy(home, env, sizeof(home));
	else if ((pw = getpwuid(geteuid())) != NULL)
		strlcpy(home, pw->pw_dir, sizeof(home));
	else
		strlcpy(home, "/", sizeof(home));
	return home;
}

const char *
expand_user(void)
{
	static char name[256];
	struct passwd *pw;

	if (name[0] != '\0')
		return name;
	pw = getpwuid(geteuid());
	if (pw != NULL)
		strlcpy(name, pw->pw_name, sizeof(name));
	else
		snprintf(name, sizeof(name), "%u", (unsigned)geteuid());
	return name;
}

static void
add(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text));
}

/* %C: SHA-1 of %l%h%p%r%j, in hex. It only names a file. */
static void
add_hash(const struct expand *e, const char *here, struct writer *w)
{
	const char *parts[] = { here, e->host, e->port, e->user, e->jump };
	AUTO(writer_done) struct writer all = WRITER_INIT;
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	for (size_t i = 0; i < nitems_of(parts); i++)
		add(&all, parts[i] != NULL ? parts[i] : "");
	if (all.failed ||
	    EVP_Digest(all.p, all.len, hash, &len, EVP_sha1(), NULL) != 1) {
		w->failed = true;
		return;
	}
	for (unsigned i = 0; i < len && i < SHA1_LEN; i++) {
		char hex[3];

		snprintf(hex, sizeof(hex), "%02x", hash[i]);
		add(w, hex);
	}
}

/* False: there is no such token, or it has no value yet. */
static bool
add_token(const struct expand *e, char letter, struct writer *w)
{
	char here[HOSTNAME_MAX] = "", brief[HOSTNAME_MAX], uid[16];
	const char *value = NULL;

	gethostname(here, sizeof(here) - 1);
	strlcpy(brief, here, sizeof(brief));
	brief[strcspn(brief, ".")] = '\0';
	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	const struct {
		char letter;
		const char *value;
	} tokens[] = {
		{ '%', "%" },
		{ 'h', e->host },
		{ 'n', e->original },
		{ 'p', e->port },
		{ 'r', e->user },
		{ 'j', e->jump != NULL ? e->jump : "" },
		{ 'k', e->alias != NULL ? e->alias : e->original },
		{ 'l', here },
		{ 'L', brief },
		{ 'd', expand_home() },
		{ 'u', expand_user() },
		{ 'i', uid },
		{ 'T', "NONE" },
	};

	if (letter == 'C') {
		add_hash(e, here, w);
		return true;
	}
	for (size_t i = 0; i < nitems_of(tokens); i++)
		if (letter == tokens[i].letter)
			value = tokens[i].value;
	if (value != NULL)
		add(w, value);
	return value != NULL;
}

static int
done_text(struct writer *w, char **out_text)
{
	writer_u8(w, 0);
	if (writer_end(w) != 0)
		return -ENOMEM;
	*out_text = (char *)w->p;
	*w = (struct writer)WRITER_INIT;
	return 0;
}

int
expand_tokens(const struct expand *e, const char *text,
    char why[EXPAND_WHY_MAX], char **out_text)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	for (; *text != '\0'; text++) {
		if (*text != '%') {
			writer_u8(&w, (uint8_t)*text);
			continue;
		}
		if (*++text == '\0' || !add_token(e, *text, &w)) {
			snprintf(why, EXPAND_WHY_MAX,
			    "there is no token %%%.1s here", text);
			return -EBADMSG;
		}
	}
	return done_text(&w, out_text);
}

/* ${NAME}; *text is moved to its last character. */
static int
add_variable(const char **text, char why[EXPAND_WHY_MAX], struct writer *w)
{
	const char *start = *text + 2, *end = strchr(start, '}');
	AUTOFREE char *name = NULL;
	const char *value;

	if (end == NULL) {
		snprintf(why, EXPAND_WHY_MAX, "\"${\" has no \"}\"");
		return -EBADMSG;
	}
	name = strndup(start, (size_t)(end - start));
	if (name == NULL)
		return -ENOMEM;
	value = getenv(name);
	if (value == NULL) {
		snprintf(
		    why, EXPAND_WHY_MAX, "variable %.40s is not set", name);
		return -EBADMSG;
	}
	add(w, value);
	*text = end;
	return 0;
}

/* ~ or ~user in front; *text is moved behind it. */
static int
add_home(const char **text, char why[EXPAND_WHY_MAX], struct writer *w)
{
	size_t len = strcspn(*text + 1, "/");
	AUTOFREE char *name = strndup(*text + 1, len);
	struct passwd *pw = NULL;

	if (name == NULL)
		return -ENOMEM;
	if (len > 0 && (pw = getpwnam(name)) == NULL) {
		snprintf(why, EXPAND_WHY_MAX, "there is no user %.40s", name);
		return -EBADMSG;
	}
	add(w, pw != NULL ? pw->pw_dir : expand_home());
	*text += 1 + len;
	return 0;
}

int
expand_path(const struct expand *e, const char *text, char why[EXPAND_WHY_MAX],
    char **out_path)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	int rc = 0;

	/* Variables are not looked into for further tokens. */
	if (*text == '~')
		rc = add_home(&text, why, &w);
	for (; rc == 0 && *text != '\0'; text++) {
		if (text[0] == '$' && text[1] == '{')
			rc = add_variable(&text, why, &w);
		else if (*text != '%')
			writer_u8(&w, (uint8_t)*text);
		else if (*++text == '\0' || !add_token(e, *text, &w)) {
			snprintf(why, EXPAND_WHY_MAX,
			    "there is no token %%%.1s here", text);
			rc = -EBADMSG;
		}
	}
	return rc == 0 ? done_text(&w, out_path) : rc;
}

/*
 * regress/golden/config: whole files, and what sshd -t and -T say of them.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/conf.h"
#include "common/own.h"
#include "regress/unit/tap.h"

#define NAME_MAX_LEN 64
#define CASES_MAX 64

#ifdef USE_PAM
static const bool with_pam = true;
#else
static const bool with_pam = false;
#endif

static char names[CASES_MAX][NAME_MAX_LEN];
static int ncases;

/* What differs from one installation to the next. */
static const char *const places[][2] = {
	{ SSHCONFDIR "/ssh_host", "@confdir@/ssh_host" },
	{ PKGLIBEXECDIR "/sshd", "@libexecdir@/sshd" },
};

static char *
read_whole(const char *name, const char *suffix)
{
	char path[NAME_MAX_LEN + 8];
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", name, suffix);
	f = fopen(path, "re");
	if (f == NULL || getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = strdup("");
	}
	if (f != NULL)
		fclose(f);
	return text;
}

static char *
dump(const struct conf *conf, const struct match_ctx *ctx)
{
	struct options o;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_int_eq(conf_resolve(conf, ctx, &o), 0);
	ck_assert_int_eq(options_dump(&o, f), 0);
	fclose(f);
	options_free(&o);
	return text;
}

static char *
default_dump(void)
{
	struct conf_source src = { NULL, ".", NULL, 0 };
	struct conf_report report = CONF_REPORT_INIT;
	struct conf *conf = NULL;
	char *text;

	ck_assert_int_eq(conf_load(&src, &conf, &report), 0);
	text = dump(conf, NULL);
	conf_free(conf);
	return text;
}

static void
put_line(FILE *out, const char *line)
{
	for (size_t i = 0; i < nitems_of(places); i++) {
		const char *at = strstr(line, places[i][0]);

		if (at != NULL) {
			fprintf(out, "%.*s%s%s\n", (int)(at - line), line,
			    places[i][1], at + strlen(places[i][0]));
			return;
		}
	}
	fprintf(out, "%s\n", line);
}

/* Whether one of the lines of text is this one. */
static bool
has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = text; (p = strstr(p, line)) != NULL; p++)
		if ((p == text || p[-1] == '\n') && p[len] == '\n')
			return true;
	return false;
}

/* The lines of text that are not in without; owned. */
static char *
difference(char *text, const char *without)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line != '\0' && !has_line(without, line))
			put_line(f, line);
	fclose(f);
	return out;
}

struct context {
	struct match_ctx ctx;
	const char *group;
	bool given;
	bool full;
};

/* The first line of a case: "#: full" or "#: user=U,…". Keeps text. */
static void
context_init(struct context *c, char *text)
{
	char *end = strchr(text, '\n');

	memset(c, 0, sizeof(*c));
	if (strncmp(text, "#: ", 3) != 0 || end == NULL)
		return;
	*end = '\0';
	c->full = strcmp(text + 3, "full") == 0;
	c->given = !c->full;
	for (char *rest = text + 3, *word;
	     (word = strsep(&rest, ",")) != NULL;) {
		if (strncmp(word, "user=", 5) == 0)
			c->ctx.user = word + 5;
		else if (strncmp(word, "group=", 6) == 0)
			c->group = word + 6;
		else if (strncmp(word, "addr=", 5) == 0)
			c->ctx.addr = word + 5;
		else if (strncmp(word, "laddr=", 6) == 0)
			c->ctx.laddr = word + 6;
		else if (strncmp(word, "lport=", 6) == 0)
			c->ctx.lport = (unsigned)strtoul(word + 6, NULL, 10);
	}
	c->ctx.groups = &c->group;
	c->ctx.ngroups = c->group != NULL;
}

static char *
notes(const struct conf_report *report)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	for (size_t i = 0; i < report->n; i++) {
		char line[2048];

		fprintf(f, "%s: %s\n",
		    report->v[i].severity == CONF_ERROR ? "error" : "warning",
		    conf_report_format(&report->v[i], line, sizeof(line)));
	}
	if (report->nerrors + report->nwarnings > report->n)
		fprintf(f, "%zu errors, %zu warnings\n", report->nerrors,
		    report->nwarnings);
	fclose(f);
	return out;
}

/* Compare with the file, or write it; an empty text is no file. */
static void
check_file(const char *name, const char *suffix, const char *text)
{
	AUTOFREE char *wanted = NULL;
	char path[NAME_MAX_LEN + 8];
	FILE *f;

	if (getenv("GOLDEN_UPDATE") != NULL) {
		snprintf(path, sizeof(path), "%s%s", name, suffix);
		if (*text == '\0') {
			ck_assert(remove(path) == 0 || errno == ENOENT);
			return;
		}
		f = fopen(path, "we");
		ck_assert_ptr_nonnull(f);
		fputs(text, f);
		fclose(f);
	}
	wanted = read_whole(name, suffix);
	ck_assert_msg(strcmp(text, wanted) == 0, "%s%s, got:\n%.2000s", name,
	    suffix, text);
}

START_TEST(golden)
{
	const char *name = names[_i];
	char path[NAME_MAX_LEN + 8];
	struct conf_source src = { path, ".", NULL, 0 };
	struct conf_report report = CONF_REPORT_INIT;
	AUTOFREE char *input = read_whole(name, ".in");
	AUTOFREE char *defaults = default_dump();
	AUTOFREE char *err = NULL, *text = NULL, *ok = NULL;
	struct conf *conf = NULL;
	struct context c;
	int rc;

	snprintf(path, sizeof(path), "%s.in", name);
	context_init(&c, input);
	rc = conf_load(&src, &conf, &report);
	err = notes(&report);
	conf_report_done(&report);
	if (rc == 0) {
		text = dump(conf, c.given ? &c.ctx : NULL);
		ok = difference(text, c.full ? "" : defaults);
	}
	conf_free(conf);
	check_file(name, ".err", err);
	check_file(name, ".ok", rc == 0 ? ok : "");
}
END_TEST

/* A server without PAM refuses UsePAM, which these files ask for. */
static bool
is_for_us(const char *name)
{
	AUTOFREE char *text = read_whole(name, ".in");

	return with_pam || strstr(text, "UsePAM") == NULL;
}

static void
find_cases(void)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/regress/golden/config",
	    srcdir != NULL ? srcdir : ".");
	if (chdir(path) != 0 || (d = opendir(".")) == NULL) {
		printf("Bail out! no directory %s\n", path);
		exit(99);
	}
	while ((e = readdir(d)) != NULL && ncases < CASES_MAX) {
		size_t len = strlen(e->d_name);

		if (len <= 3 || len >= NAME_MAX_LEN ||
		    strcmp(e->d_name + len - 3, ".in") != 0)
			continue;
		snprintf(names[ncases], NAME_MAX_LEN, "%.*s", (int)len - 3,
		    e->d_name);
		ncases += is_for_us(names[ncases]);
	}
	closedir(d);
}

int
main(void)
{
	Suite *s = suite_create("conf_golden");
	TCase *t = tcase_create("golden");

	find_cases();
	tcase_add_loop_test(t, golden, 0, ncases);
	suite_add_tcase(s, t);
	return ncases > 0 ? tap_run(s) : EXIT_FAILURE;
}

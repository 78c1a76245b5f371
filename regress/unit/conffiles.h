/*
 * A directory of configuration files, for tests of conf.h: what is written,
 * loaded and dumped.
 */
#ifndef REGRESS_UNIT_CONFFILES_H
#define REGRESS_UNIT_CONFFILES_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/err.h"
#include "common/own.h"

#define NOTES_MAX 8192

static char dir[64];
static char path[128];

static inline void
put(const char *name, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", dir, name);
	f = fopen(full, "we");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static inline void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_conf.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/main", dir);
}

static inline int
remove_one(const char *name, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(name);
}

static inline void
teardown(void)
{
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Load main; *out_notes has "FILE line N: TEXT\n" without the directory. */
static inline int
load(const char *const *overrides, size_t n, struct conf **out_conf,
    char out_notes[NOTES_MAX])
{
	struct conf_report report = CONF_REPORT_INIT;
	struct conf_source src = { path, dir, overrides, n };
	int rc = conf_load(&src, out_conf, &report);
	size_t len = 0;

	out_notes[0] = '\0';
	for (size_t i = 0; i < report.n; i++) {
		char line[2048];
		char *p = conf_report_format(&report.v[i], line, sizeof(line));

		if (strncmp(p, dir, strlen(dir)) == 0)
			p += strlen(dir) + 1;
		len += (size_t)snprintf(
		    out_notes + len, NOTES_MAX - len, "%s\n", p);
		ck_assert_uint_lt(len, NOTES_MAX);
	}
	ck_assert((rc == -EBADMSG) == (report.nerrors > 0));
	conf_report_done(&report);
	return rc;
}

static inline char *
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

/* Load text, which has to be without a note, as options for ctx. */
static inline void
resolve(const char *text, const struct match_ctx *ctx, struct options *out)
{
	struct conf *conf = NULL;
	char notes[NOTES_MAX];

	put("main", text);
	ck_assert_int_eq(load(NULL, 0, &conf, notes), 0);
	ck_assert_str_eq(notes, "");
	ck_assert_int_eq(conf_resolve(conf, ctx, out), 0);
	conf_free(conf);
}

static inline void
expect_notes(const char *text, int rc, const char *wanted)
{
	struct conf *conf = NULL;
	char notes[NOTES_MAX];

	put("main", text);
	ck_assert_int_eq(load(NULL, 0, &conf, notes), rc);
	ck_assert_str_eq(notes, wanted);
	conf_free(conf);
}

static inline TCase *
group(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, 60); /* thousands of lines, a loaded machine */
	tcase_add_checked_fixture(t, setup, teardown);
	suite_add_tcase(s, t);
	return t;
}

#endif

/*
 * Reading configuration files: lines, Include, Match, -o. Runs in sshd and
 * whoever tests a configuration; checks all of it, and goes on after an error
 * so that the report has the others too.
 */
#include "config.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/conf_impl.h"
#include "common/err.h"
#include "common/own.h"

#define OVERRIDE_PLACE "command-line" /* what reports call -o */
#define READ_SIZE 16384

struct loader {
	struct conf *conf;
	struct conf_report *report;
	const char *dir; /* of relative Includes */
	struct conf_place place;
	uint32_t outer; /* the block that this file is included in */
	uint32_t block; /* the block that the next line belongs to */
	unsigned depth;
	size_t nfiles;
	size_t nbytes;
	bool is_override;
	bool has_override_ports;
	int failed; /* -ENOMEM, or a limit is reached: read no more */
};

static int load_file(struct loader *ld, const char *path);

static void
load_error(struct loader *ld, const char *text)
{
	conf_report_add(ld->report, CONF_ERROR, &ld->place, "%s", text);
}

/* Stop reading: without memory, or where a limit cuts the rest off. */
static void
load_stop(struct loader *ld, int rc, const char *text)
{
	ld->failed = rc;
	if (rc != -ENOMEM)
		load_error(ld, text);
}

static void
load_unknown(struct loader *ld, const char *keyword)
{
	const char *nearest = option_nearest(keyword);
	struct conf_place place = ld->place;

	place.colon = true;
	if (nearest == NULL)
		conf_report_add(ld->report, CONF_ERROR, &place,
		    "Bad configuration option: %.64s", keyword);
	else
		conf_report_add(ld->report, CONF_ERROR, &place,
		    "Bad configuration option: %.64s (did you mean %s?)",
		    keyword, nearest);
}

/* What is not there is no error: only what cannot be looked at. */
static int
glob_error(const char *path, int code)
{
	(void)path;
	return code != ENOENT && code != ENOTDIR;
}

static void
glob_done(glob_t *found)
{
	globfree(found);
}

static void
load_glob(struct loader *ld, const char *pattern)
{
	AUTO(glob_done) glob_t found = { 0 };

	switch (glob(pattern, 0, glob_error, &found)) {
	case 0:
		break;
	case GLOB_NOMATCH:
		if (strpbrk(pattern, "*?[") == NULL)
			conf_report_add(ld->report, CONF_WARNING, &ld->place,
			    "Include: there is no file %s", pattern);
		return;
	case GLOB_NOSPACE:
		load_stop(ld, -ENOMEM, NULL);
		return;
	default:
		conf_report_add(ld->report, CONF_ERROR, &ld->place,
		    "Include: cannot look for %s", pattern);
		return;
	}
	for (size_t i = 0; i < found.gl_pathc && ld->failed == 0; i++) {
		struct loader inner = *ld;

		inner.outer = ld->block;
		inner.depth = ld->depth + 1;
		inner.failed = load_file(&inner, found.gl_pathv[i]);
		ld->nfiles = inner.nfiles;
		ld->nbytes = inner.nbytes;
		ld->failed = inner.failed;
	}
}

static void
load_include(struct loader *ld, const struct words *words)
{
	if (ld->is_override || words->n == 0) {
		load_error(ld, words->n == 0 ? "Include: a file is missing"
					     : "Include: only in a file");
		return;
	}
	if (ld->depth >= CONF_DEPTH_MAX) {
		load_stop(ld, -EDQUOT,
		    "Include: files include each other too deeply");
		return;
	}
	for (size_t i = 0; i < words->n && ld->failed == 0; i++) {
		AUTOFREE char *path = NULL;
		const char *word = words->v[i];
		int len = asprintf(&path, "%s%s%s", *word == '/' ? "" : ld->dir,
		    *word == '/' ? "" : "/", word);

		if (len < 0)
			load_stop(ld, -ENOMEM, NULL);
		else if (*word == '\0')
			load_error(ld, "Include: a value is empty");
		else
			load_glob(ld, path);
	}
}

/* What stands in such a block may be meant to restrict somebody. */
static void
load_never(struct loader *ld)
{
	const char *pattern = conf_match_never(&ld->conf->blocks[ld->block]);

	if (pattern != NULL)
		conf_report_add(ld->report, CONF_WARNING, &ld->place,
		    "Match: this server's Version is " CONF_VERSION_NAME
		    ", which \"%.64s\" does not match: the block is never in "
		    "force",
		    pattern);
}

static void
load_match(struct loader *ld, const struct words *words)
{
	char why[OPTION_WHY_MAX];
	int rc;

	if (ld->is_override) {
		load_error(ld, "Match: only in a file");
		return;
	}
	rc = conf_match_parse(ld->conf, words, ld->outer, &ld->block, why);
	if (rc == -EBADMSG)
		load_error(ld, why);
	else if (rc != 0)
		load_stop(ld, rc, "Match: there are too many blocks");
	else
		load_never(ld);
}

static void
load_directive(
    struct loader *ld, const struct option *row, const struct words *words)
{
	if (strcmp(row->keyword, "Match") == 0)
		load_match(ld, words);
	else
		load_include(ld, words);
}

/* Keep a line that has been found good; takes over what it owns. */
static void
load_keep(struct loader *ld, const struct option *row, struct lex_line *line)
{
	struct conf_line kept = { row, ld->block, line->words, line->rest,
		ld->place.file, ld->place.line };
	int rc;

	if (row->merge == MERGE_PORTS && ld->is_override)
		ld->has_override_ports = true;
	else if (row->merge == MERGE_PORTS && ld->has_override_ports)
		return;
	line->words = (struct words){ NULL, 0 };
	line->rest = NULL;
	rc = conf_add_line(ld->conf, &kept);
	if (rc != 0)
		load_stop(ld, rc, "there are too many lines");
}

/*
 * Whether the same place has a line for this subsystem already: the second
 * would count for nothing. What -o says replaces a file's line on purpose.
 */
static bool
is_repeated(const struct loader *ld, const struct words *words)
{
	for (size_t i = 0; i < ld->conf->nlines; i++) {
		const struct conf_line *old = &ld->conf->lines[i];

		if (old->row->id == OPT_subsystem && old->block == ld->block &&
		    strcmp(old->file, OVERRIDE_PLACE) != 0 &&
		    strcmp(old->words.v[0], words->v[0]) == 0)
			return true;
	}
	return false;
}

static void
load_option(struct loader *ld, const struct option *row, struct lex_line *line)
{
	struct option_in in = { row, &line->words, line->rest, ld->conf->cwd };
	char why[OPTION_WHY_MAX];

	if (row->scope == SCOPE_GLOBAL && ld->block != CONF_NO_BLOCK) {
		conf_report_add(ld->report, CONF_ERROR, &ld->place,
		    "Directive '%s' is not allowed within a Match block",
		    row->keyword);
		return;
	}
	switch (option_check(&in, why)) {
	case 0:
		if (row->id == OPT_subsystem && is_repeated(ld, &line->words))
			conf_report_add(ld->report, CONF_ERROR, &ld->place,
			    "Subsystem '%s' already defined.",
			    line->words.v[0]);
		else
			load_keep(ld, row, line);
		break;
	case -ENOMEM:
		load_stop(ld, -ENOMEM, NULL);
		break;
	case -ENOSYS:
		conf_report_add(
		    ld->report, CONF_WARNING, &ld->place, "%s", why);
		break;
	default:
		load_error(ld, why);
		break;
	}
}

static void
load_line(struct loader *ld, struct span text)
{
	AUTO(lex_line_done) struct lex_line line = { 0 };
	const char *why = "the line is too long";
	const struct option *row;
	int rc = lex_split(text, &line, &why);

	if (rc == -ENOMEM) {
		load_stop(ld, rc, NULL);
		return;
	}
	if (rc != 0) {
		load_error(ld, why);
		return;
	}
	if (line.keyword == NULL)
		return;
	row = option_find(line.keyword);
	if (row == NULL)
		load_unknown(ld, line.keyword);
	else if (row->kind == OPTION_DIRECTIVE)
		load_directive(ld, row, &line.words);
	else
		load_option(ld, row, &line);
}

/* All of a file, which may be a pipe. -EFBIG when over what is left. */
static int
read_all(int fd, size_t left, struct writer *w)
{
	uint8_t buf[READ_SIZE];

	for (;;) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return writer_end(w);
		if ((size_t)n > left)
			return -EFBIG;
		left -= (size_t)n;
		writer_bytes(w, buf, (size_t)n);
	}
}

static int
read_file(const char *path, size_t left, struct writer *w)
{
	AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : read_all(fd, left, w);
}

static void
unreadable(struct loader *ld, const char *path, int rc)
{
	if (ld->depth == 0)
		load_error(ld, err_str(rc));
	else
		conf_report_add(ld->report, CONF_ERROR, &ld->place,
		    "Include: %s: %s", path, err_str(rc));
}

/* Read path and its lines into ld, whose place is still that of Include. */
static int
load_file(struct loader *ld, const char *path)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct span text;
	struct lex lx;
	int rc;

	if (ld->nfiles >= CONF_FILES_MAX) {
		load_stop(ld, -EDQUOT, "Include: there are too many files");
		return ld->failed;
	}
	ld->nfiles++;
	rc = read_file(path, CONF_BYTES_MAX - ld->nbytes, &w);
	if (rc == -ENOMEM)
		return rc;
	if (rc != 0) {
		unreadable(ld, path, rc);
		return 0;
	}
	ld->nbytes += w.len;
	if (words_add(&ld->conf->files, path) != 0)
		return -ENOMEM;
	ld->place.file = ld->conf->files.v[ld->conf->files.n - 1];
	lex_init(&lx, span_of(w.p, w.len));
	while (ld->failed == 0 && lex_next(&lx, &text)) {
		ld->place.line = lx.line;
		load_line(ld, text);
	}
	return ld->failed;
}

static void
load_overrides(struct loader *ld, const struct conf_source *src)
{
	ld->is_override = true;
	for (size_t i = 0; i < src->noverrides && ld->failed == 0; i++) {
		const char *text = src->overrides[i];

		ld->place.file = OVERRIDE_PLACE;
		ld->place.line = (unsigned)i + 1;
		load_line(ld, span_of(text, strlen(text)));
	}
	ld->is_override = false;
}

int
conf_load(const struct conf_source *src, struct conf **out_conf,
    struct conf_report *report)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	size_t before = report->nerrors;
	struct loader ld = { .conf = conf,
		.report = report,
		.dir = src->dir,
		.outer = CONF_NO_BLOCK,
		.block = CONF_NO_BLOCK };
	char cwd[PATH_MAX];

	if (conf == NULL)
		return -ENOMEM;
	if (getcwd(cwd, sizeof(cwd)) == cwd) {
		conf->cwd = strdup(cwd);
		ld.failed = conf->cwd != NULL ? 0 : -ENOMEM;
	}
	if (ld.failed == 0)
		load_overrides(&ld, src);
	if (ld.failed == 0 && src->path != NULL) {
		ld.place = (struct conf_place){ .file = src->path };
		ld.failed = load_file(&ld, src->path);
	}
	if (ld.failed == -ENOMEM || report->nerrors > before) {
		conf_free(conf);
		return ld.failed == -ENOMEM ? -ENOMEM : -EBADMSG;
	}
	*out_conf = conf;
	return 0;
}

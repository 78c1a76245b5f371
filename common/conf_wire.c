/*
 * A configuration as bytes: sshd writes them once, each sshd-monitor reads
 * them. The reader trusts the writer's intent but no count, index or length.
 */
#include "config.h"

#include <string.h>

#include "common/conf_impl.h"
#include "common/err.h"
#include "common/own.h"

#define MAGIC "conf 1"

static void
write_block(struct writer *w, const struct conf_block *block)
{
	writer_u32(w, block->parent);
	writer_u32(w, (uint32_t)block->n);
	for (size_t i = 0; i < block->n; i++) {
		writer_u8(w, (uint8_t)block->v[i].criterion);
		writer_cstring(w, block->v[i].pattern);
	}
}

static void
write_line(struct writer *w, const struct conf_line *line)
{
	writer_u32(w, line->block);
	writer_cstring(w, line->row->keyword);
	writer_cstring(w, line->rest);
	writer_u32(w, (uint32_t)line->words.n);
	for (size_t i = 0; i < line->words.n; i++)
		writer_cstring(w, line->words.v[i]);
}

int
conf_encode(const struct conf *conf, struct writer *w)
{
	writer_cstring(w, MAGIC);
	writer_cstring(w, conf->cwd != NULL ? conf->cwd : "");
	writer_u32(w, (uint32_t)conf->nblocks);
	for (size_t i = 0; i < conf->nblocks; i++)
		write_block(w, &conf->blocks[i]);
	writer_u32(w, (uint32_t)conf->nlines);
	for (size_t i = 0; i < conf->nlines; i++)
		write_line(w, &conf->lines[i]);
	return writer_end(w);
}

/* An owned text, or NULL: r has failed then, or there is no memory. */
static char *
read_text(struct reader *r)
{
	struct span s = reader_string(r, LEX_LINE_MAX);

	if (r->failed || (s.len > 0 && memchr(s.p, '\0', s.len) != NULL)) {
		r->failed = true;
		return NULL;
	}
	return s.len > 0 ? strndup((const char *)s.p, s.len) : strdup("");
}

/* What read_text() returned NULL for. */
static int
read_error(const struct reader *r)
{
	return r->failed ? -EBADMSG : -ENOMEM;
}

static int
read_condition(struct reader *r, struct conf *conf)
{
	char why[OPTION_WHY_MAX];
	uint8_t criterion = reader_u8(r);
	AUTOFREE char *pattern = read_text(r);

	if (pattern == NULL)
		return read_error(r);
	if (criterion >= MATCH_COUNT ||
	    conf_match_check((enum conf_criterion)criterion, pattern, why) != 0)
		return -EBADMSG;
	return conf_add_condition(
	    conf, (enum conf_criterion)criterion, pattern);
}

static int
read_block(struct reader *r, struct conf *conf)
{
	uint32_t parent = reader_u32(r);
	uint32_t n = reader_u32(r);
	uint32_t block;
	int rc;

	if (r->failed || n == 0 ||
	    (parent != CONF_NO_BLOCK && parent >= conf->nblocks))
		return -EBADMSG;
	rc = conf_add_block(conf, parent, &block);
	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = read_condition(r, conf);
	return rc;
}

/* The row of an option that may stand in this block, or NULL. */
static const struct option *
read_row(struct reader *r, uint32_t block)
{
	AUTOFREE char *keyword = read_text(r);
	const struct option *row =
	    keyword != NULL ? option_find(keyword) : NULL;

	if (row == NULL || row->kind != OPTION_VALUE ||
	    (row->scope == SCOPE_GLOBAL && block != CONF_NO_BLOCK))
		return NULL;
	return row;
}

static int
read_line(struct reader *r, struct conf *conf)
{
	AUTO(conf_line_done) struct conf_line line = { 0 };
	uint32_t n;
	int rc = 0;

	line.block = reader_u32(r);
	line.row = read_row(r, line.block);
	line.rest = read_text(r);
	n = reader_u32(r);
	if (line.rest == NULL)
		return read_error(r);
	if (line.row == NULL ||
	    (line.block != CONF_NO_BLOCK && line.block >= conf->nblocks))
		return -EBADMSG;
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		AUTOFREE char *word = read_text(r);

		rc =
		    word != NULL ? words_add(&line.words, word) : read_error(r);
	}
	return rc != 0 ? rc : conf_add_line(conf, &line);
}

static int
read_conf(struct reader *r, struct conf *conf)
{
	struct span magic = reader_string(r, sizeof(MAGIC));
	uint32_t n;
	int rc = 0;

	if (!span_is(magic, MAGIC))
		return -EBADMSG;
	conf->cwd = read_text(r);
	if (conf->cwd == NULL)
		return read_error(r);
	n = reader_u32(r);
	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = read_block(r, conf);
	if (rc != 0)
		return rc;
	n = reader_u32(r);
	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = read_line(r, conf);
	return rc != 0 ? rc : reader_end(r);
}

int
conf_decode(struct span bytes, struct conf **out_conf)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	struct reader r;
	int rc;

	if (conf == NULL)
		return -ENOMEM;
	reader_init(&r, bytes.p, bytes.len);
	rc = read_conf(&r, conf);
	if (rc != 0) {
		conf_free(conf);
		return rc == -EDQUOT ? -EBADMSG : rc;
	}
	if (*conf->cwd == '\0') {
		free(conf->cwd);
		conf->cwd = NULL;
	}
	*out_conf = conf;
	return 0;
}

/*
 * A configuration in memory and what it says of one connection. Used by sshd
 * and sshd-monitor; what a connection looks like comes from the network, the
 * rest has been checked when it was loaded or decoded.
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/conf_impl.h"
#include "common/err.h"
#include "common/own.h"

int
conf_add_block(struct conf *conf, uint32_t parent, uint32_t *out_block)
{
	struct conf_block *v;

	if (conf->nblocks >= CONF_BLOCKS_MAX)
		return -EDQUOT;
	v = reallocarray(conf->blocks, conf->nblocks + 1, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	conf->blocks = v;
	v[conf->nblocks] = (struct conf_block){ .parent = parent };
	*out_block = (uint32_t)conf->nblocks++;
	return 0;
}

int
conf_add_condition(
    struct conf *conf, enum conf_criterion criterion, const char *pattern)
{
	struct conf_block *block = &conf->blocks[conf->nblocks - 1];
	struct conf_condition *v =
	    reallocarray(block->v, block->n + 1, sizeof(*v));

	if (v == NULL)
		return -ENOMEM;
	block->v = v;
	v[block->n].criterion = criterion;
	v[block->n].pattern = strdup(pattern);
	if (v[block->n].pattern == NULL)
		return -ENOMEM;
	block->n++;
	return 0;
}

void
conf_line_done(struct conf_line *line)
{
	words_done(&line->words);
	free(line->rest);
	line->rest = NULL;
}

int
conf_add_line(struct conf *conf, struct conf_line *line)
{
	struct conf_line *v = NULL;
	bool room = conf->nlines < CONF_LINES_MAX;

	if (room)
		v = reallocarray(conf->lines, conf->nlines + 1, sizeof(*v));
	if (v == NULL) {
		conf_line_done(line);
		return room ? -ENOMEM : -EDQUOT;
	}
	conf->lines = v;
	v[conf->nlines++] = *line;
	*line = (struct conf_line){ 0 };
	return 0;
}

static void
block_done(struct conf_block *block)
{
	for (size_t i = 0; i < block->n; i++)
		free(block->v[i].pattern);
	free(block->v);
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	for (size_t i = 0; i < conf->nblocks; i++)
		block_done(&conf->blocks[i]);
	for (size_t i = 0; i < conf->nlines; i++)
		conf_line_done(&conf->lines[i]);
	free(conf->blocks);
	free(conf->lines);
	words_done(&conf->files);
	free(conf->cwd);
	free(conf);
}

bool
conf_uses(const struct conf *conf, enum conf_criterion c)
{
	for (size_t i = 0; i < conf->nblocks; i++)
		for (size_t j = 0; j < conf->blocks[i].n; j++)
			if (conf->blocks[i].v[j].criterion == c)
				return true;
	return false;
}

static int
set_line(
    struct options *o, const struct conf *conf, const struct conf_line *line)
{
	struct option_in in = { line->row, &line->words, line->rest,
		conf->cwd };
	int rc = options_set(o, &in);

	return rc == -EACCES ? -EBADMSG : rc;
}

int
conf_visit(const struct conf *conf, enum option_id id, conf_see *see)
{
	int rc = 0;

	for (size_t i = 0; i < conf->nlines && rc == 0; i++) {
		const struct conf_line *line = &conf->lines[i];
		AUTO(options_free) struct options only;
		char where[PATH_MAX + 32];

		options_init(&only);
		if (line->row->id != id)
			continue;
		snprintf(where, sizeof(where), "%s line %u",
		    line->file != NULL ? line->file : "configuration",
		    line->number);
		rc = set_line(&only, conf, line);
		if (rc == 0)
			see(&only, where);
	}
	return rc;
}

/* The lines of the blocks that hold for ctx. */
static int
set_matched(
    struct options *o, const struct conf *conf, const struct match_ctx *ctx)
{
	AUTOFREE bool *holds = calloc(conf->nblocks + 1, sizeof(*holds));
	int rc = 0;

	if (holds == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < conf->nblocks; i++) {
		uint32_t parent = conf->blocks[i].parent;

		holds[i] = (parent == CONF_NO_BLOCK || holds[parent]) &&
			   conf_match(&conf->blocks[i], ctx);
	}
	for (size_t i = 0; i < conf->nlines && rc == 0; i++) {
		const struct conf_line *line = &conf->lines[i];

		if (line->block != CONF_NO_BLOCK && holds[line->block])
			rc = set_line(o, conf, line);
	}
	return rc;
}

/* What no block has set: a block's list is not added to, it replaces. */
static int
set_global(struct options *o, const struct conf *conf)
{
	bool matched[OPT_COUNT];
	int rc = 0;

	memcpy(matched, o->set, sizeof(matched));
	for (size_t i = 0; i < conf->nlines && rc == 0; i++) {
		const struct conf_line *line = &conf->lines[i];

		if (line->block == CONF_NO_BLOCK &&
		    (!matched[line->row->id] ||
			line->row->merge == MERGE_NAMED))
			rc = set_line(o, conf, line);
	}
	return rc;
}

int
conf_resolve(const struct conf *conf, const struct match_ctx *ctx,
    struct options *out_options)
{
	AUTO(options_free) struct options o;
	int rc = 0;

	options_init(&o);
	if (ctx != NULL)
		rc = set_matched(&o, conf, ctx);
	if (rc == 0)
		rc = set_global(&o, conf);
	if (rc == 0)
		rc = options_fill(&o);
	if (rc != 0)
		return rc;
	*out_options = o;
	options_init(&o);
	return 0;
}

/*
 * What a loaded configuration is made of: for the conf*.c files alone. Made
 * from files in sshd, from the master's bytes in sshd-monitor.
 */
#ifndef COMMON_CONF_IMPL_H
#define COMMON_CONF_IMPL_H

#include "common/conf.h"

#define CONF_NO_BLOCK UINT32_MAX /* the global part */

struct conf_condition {
	enum conf_criterion criterion;
	char *pattern; /* "" for All and Invalid-User */
};

/* One Match line; all of its conditions and its parent have to hold. */
struct conf_block {
	uint32_t parent; /* the Match that its file was included in */
	struct conf_condition *v;
	size_t n;
};

struct conf_line {
	const struct option *row;
	uint32_t block;
	struct words words;
	char *rest;
	const char *file; /* the conf's; NULL: it was decoded */
	unsigned number;
};

struct conf {
	char *cwd;          /* relative paths start here; NULL: not known */
	struct words files; /* that were read, for conf_line.file */
	struct conf_block *blocks; /* a parent stands before its children */
	size_t nblocks;
	struct conf_line *lines; /* in the order in which they were read */
	size_t nlines;
};

/* Append; *out_block is its index. 0, -EDQUOT at CONF_BLOCKS_MAX, -ENOMEM. */
int conf_add_block(struct conf *conf, uint32_t parent, uint32_t *out_block);
/* Append a condition to the last block. 0 or -ENOMEM. */
int conf_add_condition(
    struct conf *conf, enum conf_criterion criterion, const char *pattern);
/*
 * Append; what line owns is taken over, also on error. 0, -EDQUOT at
 * CONF_LINES_MAX, -ENOMEM.
 */
int conf_add_line(struct conf *conf, struct conf_line *line);
void conf_line_done(struct conf_line *line);

/* conf_match.c */

/*
 * Read the words of a Match line into a new block. 0; -EBADMSG with a
 * sentence, the block is there but incomplete; -EDQUOT, -ENOMEM without one.
 */
int conf_match_parse(struct conf *conf, const struct words *words,
    uint32_t parent, uint32_t *out_block, char why[OPTION_WHY_MAX]);
/* 0 or -EBADMSG: whether the criterion may have this pattern. */
int conf_match_check(enum conf_criterion criterion, const char *pattern,
    char why[OPTION_WHY_MAX]);
/* The pattern of Version that keeps the block from ever holding; or NULL. */
const char *conf_match_never(const struct conf_block *block);
/* Whether all conditions of the block, without its parent, hold for ctx. */
bool conf_match(const struct conf_block *block, const struct match_ctx *ctx);

/* conf_report.c: file is followed by " line N" unless line is 0. */
struct conf_place {
	const char *file;
	unsigned line;
	bool colon; /* as in struct conf_note */
};
void conf_report_add(struct conf_report *report, enum conf_severity severity,
    const struct conf_place *place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif

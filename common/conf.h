/*
 * Files of sshd_config(5): reading, Include, -o, Match. The master loads and
 * hands the result, encoded, to each monitor, which resolves it for its
 * connection. Nothing here logs: the caller gets a report.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/option.h"
#include "common/wire.h"

/* What Match Version is held against. */
#define CONF_VERSION_NAME "OmniEdge_" PACKAGE_VERSION
#define CONF_DEPTH_MAX 16 /* Include in Include */
#define CONF_FILES_MAX 256
#define CONF_LINES_MAX 65536
#define CONF_BLOCKS_MAX 4096      /* Match lines */
#define CONF_BYTES_MAX (4u << 20) /* all files together */
#define CONF_REPORT_MAX 20        /* notes of each severity that are kept */

enum conf_severity {
	CONF_WARNING,
	CONF_ERROR,
};

struct conf_note {
	enum conf_severity severity;
	char *file;    /* or "command-line", whose lines are the -o */
	unsigned line; /* 0: the file as a whole */
	char *text;    /* printable, one line */
	bool colon;    /* behind file: OpenSSH has it for unknown keywords */
};

struct conf_report {
	struct conf_note *v;
	size_t n;
	size_t nerrors; /* all, also those that are not kept in v */
	size_t nwarnings;
};

#define CONF_REPORT_INIT \
	{ \
		NULL, 0, 0, 0 \
	}

/* "FILE line N: TEXT" into buf, cut if need be; returns buf. */
char *conf_report_format(const struct conf_note *note, char *buf, size_t len);
void conf_report_done(struct conf_report *report);

struct conf_source {
	const char *path;             /* the file; NULL: none, only overrides */
	const char *dir;              /* relative Includes start here */
	const char *const *overrides; /* texts of -o; before the file */
	size_t noverrides;
};

struct conf;

/*
 * Read and check all of it, also what no connection may ever match. report
 * must be initialised and is added to. 0: *out_conf is owned, warnings may be
 * in the report. -EBADMSG: the report has errors; -ENOMEM.
 */
int conf_load(const struct conf_source *src, struct conf **out_conf,
    struct conf_report *report);
void conf_free(struct conf *conf);

/* All of conf as bytes, for a process of the same build. 0 or -ENOMEM. */
int conf_encode(const struct conf *conf, struct writer *w);
/* -EBADMSG when the bytes are not what conf_encode() wrote; -ENOMEM. */
int conf_decode(struct span bytes, struct conf **out_conf);

/* The criteria of Match. */
enum conf_criterion {
	MATCH_ALL,
	MATCH_INVALID_USER,
	MATCH_USER,
	MATCH_GROUP,
	MATCH_HOST,
	MATCH_ADDRESS,
	MATCH_LOCAL_ADDRESS,
	MATCH_LOCAL_PORT,
	MATCH_VERSION,
	MATCH_RDOMAIN,
	MATCH_COUNT
};

/* A connection, as Match sees it. What is NULL or 0 matches no criterion. */
struct match_ctx {
	const char *user;
	bool invalid_user;         /* there is no such account */
	const char *const *groups; /* of user: names */
	size_t ngroups;
	const char *host; /* canonical name, only with UseDNS */
	const char *addr; /* numeric */
	const char *laddr;
	unsigned lport;
	const char *rdomain; /* routing domain; "" for the default one */
};

/* Whether any Match line has this criterion: is it worth finding out? */
bool conf_uses(const struct conf *conf, enum conf_criterion c);

/*
 * Show each line of an option, of whatever block, as the only one that is set;
 * where is "FILE line N". 0 or -ENOMEM.
 */
typedef void conf_see(const struct options *only, const char *where);
int conf_visit(const struct conf *conf, enum option_id id, conf_see *see);

/*
 * The options for a connection: values of the Match blocks that apply, in
 * order, before those of the global part, before defaults. ctx NULL: only the
 * global part. 0: release with options_free(); -EBADMSG: a conf that was not
 * loaded but decoded holds a line that does not parse; -ENOMEM.
 */
int conf_resolve(const struct conf *conf, const struct match_ctx *ctx,
    struct options *out_options);

#endif

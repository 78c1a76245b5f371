/*
 * The options of sshd_config(5) as one struct, made from the rows of
 * option.def. The master reads them from files, each monitor from what the
 * master hands it; values are the administrator's and are checked to their
 * last byte before they get here.
 */
#ifndef COMMON_OPTION_H
#define COMMON_OPTION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/lex.h"
#include "common/option_algs.h"

enum option_scope {
	SCOPE_GLOBAL, /* only in front of the first Match */
	SCOPE_ANYWHERE,
};

/* What a second line of the same keyword does. */
enum option_merge {
	MERGE_FIRST,  /* nothing: the first value wins */
	MERGE_APPEND, /* adds; a Match block's list replaces the global one */
	MERGE_PORTS,  /* adds, but the command line's replace the file's */
	MERGE_NAMED,  /* adds; of one name the first wins */
};

enum option_status {
	STATUS_IMPLEMENTED, /* every value does what sshd_config(5) says */
	STATUS_UNOFFERED,   /* a value that asks for what is not there warns */
	STATUS_REFUSED,     /* a value that is not harmless is an error */
	STATUS_DEAD,        /* any value: a warning */
};

enum permit_root {
	ROOT_NO,
	ROOT_FORCED_COMMANDS, /* only a key that has a command */
	ROOT_NO_PASSWORD,
	ROOT_YES,
};

enum option_forward {
	FORWARD_NO = 0,
	FORWARD_LOCAL = 1,
	FORWARD_REMOTE = 2,
	FORWARD_YES = FORWARD_LOCAL | FORWARD_REMOTE,
};

enum option_gateway {
	GATEWAY_NO,
	GATEWAY_YES,
	GATEWAY_CLIENT,
};

enum option_tunnel {
	TUNNEL_NO = 0,
	TUNNEL_POINT_TO_POINT = 1,
	TUNNEL_ETHERNET = 2,
	TUNNEL_YES = TUNNEL_POINT_TO_POINT | TUNNEL_ETHERNET,
};

/* Bits of PubkeyAuthOptions. */
enum option_pubkey {
	PUBKEY_TOUCH_REQUIRED = 1,
	PUBKEY_VERIFY_REQUIRED = 2,
};

struct ports {
	uint16_t *v;
	size_t n;
};

struct listen {
	char *host;    /* numeric or a name, without brackets */
	uint16_t port; /* 0: each of Port */
	char *domain;  /* routing domain, a VRF's device; NULL: none is named */
};

struct listens {
	struct listen *v;
	size_t n;
};

struct subsystem {
	char *name;
	char *command; /* a command line, as ForceCommand */
};

struct subsystems {
	struct subsystem *v;
	size_t n;
};

struct max_startups {
	int begin;
	int rate; /* percent refused from begin on, rising to 100 at full */
	int full;
};

/* PerSourceNetBlockSize: how many bits of an address make one source. */
struct netblock {
	int bits4;
	int bits6;
};

/* PerSourcePenalties. */
enum penalty_time {
	PENALTY_CRASH,
	PENALTY_AUTHFAIL,
	PENALTY_NOAUTH,
	PENALTY_INVALIDUSER,
	PENALTY_GRACE_EXCEEDED,
	PENALTY_REFUSECONNECTION,
	PENALTY_OFFENCES, /* so many things are punished */
	PENALTY_MAX = PENALTY_OFFENCES,
	PENALTY_MIN,
	PENALTY_TIMES,
};

enum penalty_limit { /* of which each has one for IPv4 and one for IPv6 */
	PENALTY_SOURCES4,
	PENALTY_SOURCES6,
	PENALTY_DENY_ALL4, /* overflow: 0 permissive, 1 deny-all */
	PENALTY_DENY_ALL6,
	PENALTY_LIMITS,
};

struct penalties {
	bool on;
	int64_t ms[PENALTY_TIMES];
	int limit[PENALTY_LIMITS];
	unsigned given; /* bits: which words there were; for merging */
};

struct rekey_limit {
	uint64_t bytes; /* 0: the library's own limit */
	int seconds;    /* 0: none */
};

/* IPQoS: a value of the TOS byte, IPv6's traffic class; or none. */
#define OPTION_QOS_NONE 256

struct ip_qos {
	int interactive;
	int bulk;
};

struct user_environment {
	bool on;
	char *names; /* pattern list; NULL: any */
};

/* The C type of a field, by the type column of option.def. */
#define OPTION_CTYPE_FLAG bool
/*
 * AddressFamily: AF_…; SyslogFacility: LOG_… of syslog.h; LogLevel: enum
 * log_level; FingerprintHash: enum key_hash; else an enum of this header.
 */
#define OPTION_CTYPE_CHOICE int
#define OPTION_CTYPE_INT int
#define OPTION_CTYPE_OCTAL int
#define OPTION_CTYPE_TIME int      /* seconds */
#define OPTION_CTYPE_TIMEOUT int   /* seconds; 0: none */
#define OPTION_CTYPE_STRING char * /* here and below, NULL: none */
#define OPTION_CTYPE_ROOTDIR char *
#define OPTION_CTYPE_QOS struct ip_qos
#define OPTION_CTYPE_CHANTIMEOUTS struct words /* "type=time" */
#define OPTION_CTYPE_ADDENDUM char *
#define OPTION_CTYPE_PATH char *    /* absolute */
#define OPTION_CTYPE_COMMAND char * /* as written, for a shell */
#define OPTION_CTYPE_ALGS char *    /* for option_algs_resolve() */
#define OPTION_CTYPE_WORDS struct words
#define OPTION_CTYPE_FILES struct words     /* absolute */
#define OPTION_CTYPE_HOMEFILES struct words /* relative ones to the home */
#define OPTION_CTYPE_USERS struct words     /* user or user@host patterns */
#define OPTION_CTYPE_NAMES struct words     /* patterns */
#define OPTION_CTYPE_ENVNAMES struct words  /* patterns */
#define OPTION_CTYPE_ENV struct words       /* NAME=value, each name once */
#define OPTION_CTYPE_PERMITS struct words   /* host:port, or any, or none */
#define OPTION_CTYPE_CHAINS struct words    /* methods, with commas */
#define OPTION_CTYPE_PROGRAM char *         /* path and arguments, as written */
#define OPTION_CTYPE_PATHS struct words     /* absolute */
#define OPTION_CTYPE_PORT struct ports
#define OPTION_CTYPE_LISTEN struct listens
#define OPTION_CTYPE_SUBSYSTEM struct subsystems
#define OPTION_CTYPE_STARTUPS struct max_startups
#define OPTION_CTYPE_LIMIT int /* 0: none */
#define OPTION_CTYPE_NETBLOCK struct netblock
#define OPTION_CTYPE_PENALTIES struct penalties
#define OPTION_CTYPE_PEERS char * /* for pattern_peer_match() */
#define OPTION_CTYPE_REKEY struct rekey_limit
#define OPTION_CTYPE_PUBKEYOPTS unsigned
#define OPTION_CTYPE_USERENV struct user_environment

enum option_id {
#define OPT(keyword, field, ...) OPT_##field,
#include "common/option.def"
	OPT_COUNT
};

struct options {
#define OPT(keyword, field, type, ...) OPTION_CTYPE_##type field;
#include "common/option.def"
	bool set[OPT_COUNT]; /* false: the field has its default */
};

/* One keyword. Rows of option_id come first, in its order. */
struct option {
	const char *keyword;
	enum option_kind {
		OPTION_VALUE,
		OPTION_GONE,
		OPTION_ALIAS,     /* another spelling of id */
		OPTION_DIRECTIVE, /* Include, Match */
	} kind;
	enum option_id id;
	const struct option_type *type;
	size_t offset; /* of the field in struct options */
	int min, max;  /* INT, OCTAL */
	const struct option_choice *choices; /* CHOICE */
	const char *names; /* HOMEFILES: tokens; ALGS: known names */
	enum option_scope scope;
	enum option_merge merge;
	const char *def; /* default, in the language of the file */
	enum option_status status;
	const char *quiet; /* words that UNOFFERED and REFUSED accept */
	const char *why;   /* why not, said of the keyword */
	const char *help;
};

/* Row i of the table, NULL behind its end. */
const struct option *option_row(size_t i);
/* The row of a keyword in any case, aliases followed; or NULL. */
const struct option *option_find(const char *keyword);
/* The keyword that the writer may have meant, or NULL. */
const char *option_nearest(const char *word);

/* A line's words, and what they are relative to. */
struct option_in {
	const struct option *row;
	const struct words *words;
	const char *rest; /* as written, for COMMAND */
	const char *dir;  /* relative PATH and FILES start here */
};

/*
 * Whether the row's words are acceptable. 0; or why has a sentence: -EACCES:
 * refused by the row's status; -ENOSYS: a warning is due by its status;
 * -EBADMSG: not of its type. -ENOMEM.
 */
int option_check(const struct option_in *in, char why[OPTION_WHY_MAX]);

/*
 * Parse the words into the row's field by its merge rule. Words that a row of
 * status UNOFFERED or DEAD has no use for leave the field alone, with 0.
 * -EBADMSG or -EACCES for words that option_check() does not accept; -ENOMEM.
 */
int options_set(struct options *o, const struct option_in *in);

/* Give each field that is not set its default. 0 or -ENOMEM. */
int options_fill(struct options *o);

/* Begin empty: nothing set, no default either. */
void options_init(struct options *o);
/* Free what the fields own. Safe after options_init(), and twice. */
void options_free(struct options *o);

/*
 * What the server listens on: ListenAddress times Port, or every address of
 * AddressFamily. Each has a port. 0 or -ENOMEM; listens_done() to release.
 */
int options_listen(const struct options *o, struct listens *out_list);
void listens_done(struct listens *list);

/*
 * ChannelTimeout as "type=seconds", with blanks between them; owned. Those
 * whose time is none are in it with 0: the first that matches counts. 0 or
 * -ENOMEM.
 */
int option_timeouts_text(const struct words *timeouts, char **out_text);

/*
 * All fields in the form of sshd -T: reading it back gives the same. -EIO when
 * the stream fails, -ENOMEM.
 */
int options_dump(const struct options *o, FILE *out);

#endif

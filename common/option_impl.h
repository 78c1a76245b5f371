/*
 * What option.c knows of a type, and what the option_*.c files share: for
 * them alone. Words come from configuration and are hostile until parsed.
 */
#ifndef COMMON_OPTION_IMPL_H
#define COMMON_OPTION_IMPL_H

#include "common/option.h"

/* Longest time and largest count: what a message can carry. */
#define OPTION_TIME_MAX (1 << 30)

struct option_choice {
	const char *name; /* the first of several with one value is printed */
	int value;
};

/* The functions that a type lacks are NULL. */
struct option_type {
	size_t least, most; /* words; most 0: any number */
	size_t size;        /* of the field */
	/* Write *out only on success. 0, -EBADMSG with why, -ENOMEM. */
	int (*parse)(
	    const struct option_in *in, void *out, char why[OPTION_WHY_MAX]);
	/* Move what from holds behind into. 0 or -ENOMEM. */
	int (*merge)(void *into, void *from);
	/* Lines of sshd -T. 0 or -ENOMEM. */
	int (*print)(const struct option *row, const void *value, FILE *out);
	void (*done)(void *value);
};

/* Room for a field of any type. */
union option_value {
	bool flag;
	int number;
	unsigned bits;
	char *text;
	struct words words;
	struct ports ports;
	struct listens listens;
	struct subsystems subsystems;
	struct max_startups startups;
	struct netblock netblock;
	struct penalties penalties;
	struct rekey_limit rekey;
	struct ip_qos qos;
	struct user_environment userenv;
};

#define OPTION_TYPE_FLAG option_type_flag
#define OPTION_TYPE_CHOICE option_type_choice
#define OPTION_TYPE_INT option_type_int
#define OPTION_TYPE_OCTAL option_type_octal
#define OPTION_TYPE_TIME option_type_time
#define OPTION_TYPE_TIMEOUT option_type_timeout
#define OPTION_TYPE_STARTUPS option_type_startups
#define OPTION_TYPE_LIMIT option_type_limit
#define OPTION_TYPE_NETBLOCK option_type_netblock
#define OPTION_TYPE_PENALTIES option_type_penalties
#define OPTION_TYPE_PEERS option_type_peers
#define OPTION_TYPE_REKEY option_type_rekey
#define OPTION_TYPE_PUBKEYOPTS option_type_pubkeyopts
#define OPTION_TYPE_STRING option_type_string
#define OPTION_TYPE_PATH option_type_path
#define OPTION_TYPE_ROOTDIR option_type_rootdir
#define OPTION_TYPE_QOS option_type_qos
#define OPTION_TYPE_CHANTIMEOUTS option_type_chantimeouts
#define OPTION_TYPE_ADDENDUM option_type_addendum
#define OPTION_TYPE_COMMAND option_type_command
#define OPTION_TYPE_SUBSYSTEM option_type_subsystem
#define OPTION_TYPE_ALGS option_type_algs
#define OPTION_TYPE_WORDS option_type_words
#define OPTION_TYPE_FILES option_type_files
#define OPTION_TYPE_HOMEFILES option_type_homefiles
#define OPTION_TYPE_USERS option_type_users
#define OPTION_TYPE_NAMES option_type_names
#define OPTION_TYPE_ENVNAMES option_type_envnames
#define OPTION_TYPE_ENV option_type_env
#define OPTION_TYPE_USERENV option_type_userenv
#define OPTION_TYPE_PORT option_type_port
#define OPTION_TYPE_LISTEN option_type_listen
#define OPTION_TYPE_CHAINS option_type_chains
#define OPTION_TYPE_PROGRAM option_type_program
#define OPTION_TYPE_PATHS option_type_paths
#define OPTION_TYPE_PERMITS option_type_permits

/* option_number.c */
extern const struct option_type option_type_flag, option_type_choice,
    option_type_int, option_type_octal, option_type_time, option_type_timeout,
    option_type_startups, option_type_rekey, option_type_pubkeyopts;
extern const struct option_choice option_choices_family[],
    option_choices_compression[], option_choices_hash[], option_choices_root[],
    option_choices_rhosts[], option_choices_forward[], option_choices_gateway[],
    option_choices_tunnel[], option_choices_facility[], option_choices_level[];
/* option_text.c */
extern const struct option_type option_type_string, option_type_path,
    option_type_rootdir, option_type_command, option_type_subsystem,
    option_type_userenv;
/* option_list.c */
extern const struct option_type option_type_words, option_type_files,
    option_type_homefiles, option_type_users, option_type_names,
    option_type_envnames, option_type_env;
/* option_auth.c */
extern const struct option_type option_type_chains, option_type_program,
    option_type_paths;
/* option_net.c: what options_dump() prints for ListenAddress */
int options_dump_listen(const struct options *o, FILE *out);
extern const struct option_type option_type_port, option_type_listen,
    option_type_permits;
/* option_source.c */
extern const struct option_type option_type_limit, option_type_netblock,
    option_type_penalties, option_type_peers;
/* option_session.c */
extern const struct option_type option_type_qos, option_type_chantimeouts,
    option_type_addendum;
/* option_algs.c */
extern const struct option_type option_type_algs;

/* Write "Keyword: " and the text into why; -EBADMSG. */
int option_bad(const struct option_in *in, char why[OPTION_WHY_MAX],
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A time of TIME FORMATS, sshd_config(5), in seconds. 0 or -EBADMSG. */
int option_time(const char *text, int *out_seconds);

/* Digits that make a number of at most max. 0 or -EBADMSG. */
int option_number(const char *text, uint64_t max, uint64_t *out_number);

/* Whether the word, in any case, is one of a list with blanks. */
bool option_listed(const char *word, const char *list);

/* Whether each % of the word goes on with one of the letters. */
bool option_has_tokens(const char *word, const char *letters);
/* The same for the row's tokens, all of an account: 0, or -EBADMSG and why. */
int option_home_tokens(
    const struct option_in *in, const char *word, char why[OPTION_WHY_MAX]);

/* An owned absolute path; relative ones start at in->dir. */
int option_absolute(const struct option_in *in, const char *word,
    char why[OPTION_WHY_MAX], char **out_path);

/* Of types that more than one file has: sshd -T's lines, and the release. */
int option_print_words(const struct option *row, const void *value, FILE *out);
int option_print_files(const struct option *row, const void *value, FILE *out);
int option_print_command(
    const struct option *row, const void *value, FILE *out);
void option_done_words(void *value);
void option_done_text(void *value);

/* Print the keyword in lower case. */
void option_print_keyword(const struct option *row, FILE *out);
/* Print a blank and the word, quoted if need be. 0 or -ENOMEM. */
int option_print_word(const char *word, FILE *out);

#endif

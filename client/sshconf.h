/*
 * The options of one connection: ssh_config(5)'s keywords as rows of a table
 * (keyword.def), and what the command line and the files said of each. The
 * first value wins. Text is the user's; nothing here trusts it to be sane.
 */
#ifndef CLIENT_SSHCONF_H
#define CLIENT_SSHCONF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/lex.h"

#define SSHCONF_WHY_MAX 320 /* text of an error, with its NUL */

enum keyword {
#define KEY(id, name, type, choices, def, help) KW_##id,
#define LIKE(name, id, help)
#define WITHOUT(name, type, choices, why)
#define WARNED(name, type, choices, harmless, why)
#define REFUSED(name, type, choices, harmless, why)
#include "client/keyword.def"
#undef KEY
#undef LIKE
#undef WITHOUT
#undef WARNED
#undef REFUSED
	KW_COUNT,
};

/* Values of the CHOICE rows, in the order of their lists. */
enum {
	FAMILY_ANY,
	FAMILY_INET,
	FAMILY_INET6
};
enum {
	STRICT_NO,
	STRICT_YES,
	STRICT_ASK,
	STRICT_ACCEPT_NEW,
	STRICT_OFF
};
enum {
	TTY_NO,
	TTY_YES,
	TTY_FORCE,
	TTY_AUTO
};
enum {
	SESSION_DEFAULT,
	SESSION_NONE,
	SESSION_SUBSYSTEM
};
enum {
	MASTER_NO,
	MASTER_YES,
	MASTER_ASK,
	MASTER_AUTO,
	MASTER_AUTOASK
};
enum {
	FINGERPRINT_SHA256,
	FINGERPRINT_MD5
};

#define SSHCONF_QUIET 1 /* of sshconf_take() */

struct sshconf;

/* An empty set of options, or NULL without memory. */
struct sshconf *sshconf_new(void);
void sshconf_free(struct sshconf *c);
/* For AUTO(sshconf_done). */
void sshconf_done(struct sshconf **c);

/* A copy that is the caller's. 0 or -ENOMEM. */
int sshconf_copy(const struct sshconf *from, struct sshconf **out_copy);

/*
 * Take one setting, unless it was set before. 0; -EBADMSG: not a value of it;
 * -ENOENT: no such keyword (and IgnoreUnknown does not cover it); -ENOTSUP: a
 * keyword that we refuse; each with a sentence in why. -ENOMEM. After 0, a why
 * that is not empty is a note for the user: the setting has no effect.
 * SSHCONF_QUIET: the same, and nothing is lost by it: a note for -v.
 */
int sshconf_take(
    struct sshconf *c, const struct lex_line *line, char why[SSHCONF_WHY_MAX]);

/* "Keyword value", "Keyword=value" or "Keyword = value", as -o has it. */
int sshconf_take_text(
    struct sshconf *c, const char *text, char why[SSHCONF_WHY_MAX]);

/* Set a keyword whose value we know to be good; first wins. 0 or -ENOMEM. */
int sshconf_put(struct sshconf *c, enum keyword kw, const char *value);

/* Replace a text by what it has turned out to be. 0 or -ENOMEM. */
int sshconf_settle(struct sshconf *c, enum keyword kw, const char *value);

/*
 * Read the user's and the system's file, or only file ("none": nothing), for
 * the host that was typed; what the command line said is already in c. Errors
 * are logged with file and line, as OpenSSH words them: -EBADMSG then.
 */
int sshconf_load(struct sshconf *c, const char *file, const char *host);

/* Give every keyword that has none its default. 0 or -ENOMEM. */
int sshconf_finish(struct sshconf *c);

/* Values. Text and lists are borrowed; NULL: nothing was said, or "none". */
bool sshconf_is_set(const struct sshconf *c, enum keyword kw);
bool sshconf_flag(const struct sshconf *c, enum keyword kw);
long sshconf_number(const struct sshconf *c, enum keyword kw);
const char *sshconf_text(const struct sshconf *c, enum keyword kw);
const struct words *sshconf_list(const struct sshconf *c, enum keyword kw);

/* Seconds of a time as in sshd_config(5) TIME FORMATS; -1: it is none. */
long sshconf_seconds(const char *text);

/* Bytes of "500M" (K to E), or "4096". 0 or -EBADMSG. */
int sshconf_bytes(const char *text, uint64_t *out);

/* A file mode's mask in octal, to 0777. 0 or -EBADMSG. */
int sshconf_mask(const char *text, unsigned *out);

/* All of it, as ssh -G prints it. 0 or -ENOMEM. */
int sshconf_print(const struct sshconf *c, const char *host, FILE *out);

/* The row's keyword as the man page spells it. */
const char *sshconf_name(enum keyword kw);

#endif

/*
 * The table of options and what is a loop over it: checking, setting,
 * defaults, sshd -T. Used by sshd and sshd-monitor; words are checked here
 * before anything else sees them.
 */
#include "config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "common/nearest.h"
#include "common/option.h"
#include "common/option_impl.h"
#include "common/own.h"

#define NOARG .min = 0
#define BOUNDS(least, most) .min = (least), .max = (most)
#define CHOOSE(table) .choices = option_choices_##table
#define TOKENS(letters) .names = letters
#define KNOWN(list) .names = OPTION_KNOWN_##list

#ifdef USE_PAM
#define STATUS_BUILT_WITH_PAM STATUS_IMPLEMENTED
#else
#define STATUS_BUILT_WITH_PAM STATUS_REFUSED
#endif

static const struct option rows[] = {
/* clang-format off */
#define OPT(k, f, t, a, s, m, d, st, q, w, h) \
	{ .keyword = #k, .kind = OPTION_VALUE, .id = OPT_##f, \
	    .type = &OPTION_TYPE_##t, .offset = offsetof(struct options, f), \
	    a, .scope = SCOPE_##s, .merge = MERGE_##m, .def = d, \
	    .status = STATUS_##st, .quiet = q, .why = w, .help = h },
#include "common/option.def"
#define GONE(k, s, w) \
	{ .keyword = #k, .kind = OPTION_GONE, .scope = SCOPE_##s, \
	    .status = STATUS_DEAD, .why = w, .help = w },
#include "common/option.def"
#define ALIAS(k, f) \
	{ .keyword = #k, .kind = OPTION_ALIAS, .id = OPT_##f, \
	    .help = "another spelling" },
#include "common/option.def"
#define DIRECTIVE(k, h) \
	{ .keyword = #k, .kind = OPTION_DIRECTIVE, .scope = SCOPE_ANYWHERE, \
	    .help = h },
#include "common/option.def"
	/* clang-format on */
};

/* Each field fits the value that its type parses into. */
#define OPT(k, f, t, ...) \
	_Static_assert( \
	    sizeof(((struct options *)0)->f) <= sizeof(union option_value), \
	    #f);
#include "common/option.def"

/* A keyword that is longer is not compared with the ones we know. */

const struct option *
option_row(size_t i)
{
	return i < nitems_of(rows) ? &rows[i] : NULL;
}

const struct option *
option_find(const char *keyword)
{
	for (size_t i = 0; i < nitems_of(rows); i++) {
		if (strcasecmp(rows[i].keyword, keyword) != 0)
			continue;
		return rows[i].kind == OPTION_ALIAS ? &rows[rows[i].id]
						    : &rows[i];
	}
	return NULL;
}

const char *
option_nearest(const char *word)
{
	struct nearest near;

	nearest_init(&near, word);
	for (size_t i = 0; i < nitems_of(rows); i++)
		nearest_try(&near, rows[i].keyword);
	return near.name;
}

int
option_bad(
    const struct option_in *in, char why[OPTION_WHY_MAX], const char *fmt, ...)
{
	int len = snprintf(why, OPTION_WHY_MAX, "%s: ", in->row->keyword);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why + len, OPTION_WHY_MAX - (size_t)len, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

bool
option_listed(const char *word, const char *list)
{
	size_t len = strlen(word);

	for (list += strspn(list, " "); *list != '\0';
	     list += strspn(list, " ")) {
		size_t n = strcspn(list, " ");

		if (n == len && strncasecmp(list, word, n) == 0)
			return true;
		list += n;
	}
	return false;
}

/* Whether the row's status has nothing to say against these words. */
static bool
is_quiet(const struct option_in *in)
{
	if (in->row->status == STATUS_IMPLEMENTED)
		return true;
	for (size_t i = 0; i < in->words->n; i++)
		if (!option_listed(in->words->v[i], in->row->quiet))
			return false;
	return in->words->n > 0;
}

static int
check_words(const struct option_in *in, char why[OPTION_WHY_MAX])
{
	const struct option_type *type = in->row->type;
	const struct words *w = in->words;

	if (w->n < type->least)
		return option_bad(in, why,
		    w->n == 0 ? "a value is missing"
			      : "another value is missing");
	if (type->most != 0 && w->n > type->most)
		return option_bad(in, why, "\"%.64s\" is one value too many",
		    w->v[type->most]);
	for (size_t i = 0; i < w->n; i++)
		if (*w->v[i] == '\0')
			return option_bad(in, why, "a value is empty");
	return 0;
}

/* Parse into *out, which the caller gives to the type's done. */
static int
parse(const struct option_in *in, union option_value *out,
    char why[OPTION_WHY_MAX])
{
	int rc = check_words(in, why);

	memset(out, 0, sizeof(*out));
	return rc != 0 ? rc : in->row->type->parse(in, out, why);
}

static void
value_done(const struct option *row, void *value)
{
	if (row->type->done != NULL)
		row->type->done(value);
}

int
option_check(const struct option_in *in, char why[OPTION_WHY_MAX])
{
	bool quiet = in->row->kind == OPTION_VALUE && is_quiet(in);
	union option_value value;
	int rc = 0;

	if (in->row->kind == OPTION_VALUE &&
	    (quiet || in->row->status == STATUS_UNOFFERED)) {
		rc = parse(in, &value, why);
		if (rc == 0)
			value_done(in->row, &value);
	}
	if (rc != 0 || quiet)
		return rc;
	snprintf(why, OPTION_WHY_MAX, "%s %s", in->row->keyword, in->row->why);
	return in->row->status == STATUS_REFUSED ? -EACCES : -ENOSYS;
}

/* Set a field to words that need no look at the row's status. */
static int
set(struct options *o, const struct option_in *in, char why[OPTION_WHY_MAX])
{
	const struct option *row = in->row;
	void *field = (char *)o + row->offset;
	union option_value value;
	int rc = parse(in, &value, why);

	if (rc != 0)
		return rc;
	if (!o->set[row->id]) {
		value_done(row, field);
		memcpy(field, &value, row->type->size);
		o->set[row->id] = true;
		return 0;
	}
	if (row->merge != MERGE_FIRST)
		rc = row->type->merge(field, &value);
	value_done(row, &value);
	return rc;
}

int
options_set(struct options *o, const struct option_in *in)
{
	char why[OPTION_WHY_MAX];

	if (in->row->kind != OPTION_VALUE)
		return 0;
	if (!is_quiet(in))
		return in->row->status == STATUS_REFUSED ? -EACCES : 0;
	return set(o, in, why);
}

/* One line of a default. */
static int
fill_line(struct options *o, const struct option *row, struct span text)
{
	AUTO(lex_line_done) struct lex_line line = { 0 };
	struct option_in in = { row, &line.words, NULL, "/" };
	char why[OPTION_WHY_MAX];
	const char *lex_why;
	AUTOFREE char *whole = NULL;
	int len = asprintf(&whole, "%s %.*s", row->keyword, (int)text.len,
	    (const char *)text.p);
	int rc;

	if (len < 0)
		return -ENOMEM;
	rc = lex_split(span_of(whole, (size_t)len), &line, &lex_why);
	if (rc != 0)
		return rc;
	in.rest = line.rest;
	return set(o, &in, why);
}

static int
fill_row(struct options *o, const struct option *row)
{
	struct lex lx;
	struct span text;
	int rc = 0;

	lex_init(&lx, span_of(row->def, strlen(row->def)));
	while (rc == 0 && lex_next(&lx, &text))
		rc = fill_line(o, row, text);
	o->set[row->id] = false;
	return rc;
}

int
options_fill(struct options *o)
{
	for (size_t i = 0; i < OPT_COUNT; i++) {
		int rc = o->set[i] ? 0 : fill_row(o, &rows[i]);

		if (rc != 0)
			return rc;
	}
	return 0;
}

void
options_init(struct options *o)
{
	memset(o, 0, sizeof(*o));
}

void
options_free(struct options *o)
{
	for (size_t i = 0; i < OPT_COUNT; i++)
		value_done(&rows[i], (char *)o + rows[i].offset);
	options_init(o);
}

void
option_print_keyword(const struct option *row, FILE *out)
{
	for (const char *p = row->keyword; *p != '\0'; p++)
		fputc(tolower((unsigned char)*p), out);
}

int
option_print_word(const char *word, FILE *out)
{
	AUTOFREE char *quoted = lex_quote(word);

	if (quoted == NULL)
		return -ENOMEM;
	fprintf(out, " %s", quoted);
	return 0;
}

int
options_dump(const struct options *o, FILE *out)
{
	for (size_t i = 0; i < OPT_COUNT; i++) {
		const void *field = (const char *)o + rows[i].offset;
		int rc;

		/* What listens by default depends on other rows. */
		if (i == OPT_listen_address)
			rc = options_dump_listen(o, out);
		else
			rc = rows[i].type->print(&rows[i], field, out);
		if (rc != 0)
			return rc;
	}
	return ferror(out) ? -EIO : 0;
}

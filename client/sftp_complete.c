/*
 * Completion in the sftp shell: commands, names of this machine, names of the
 * server. A name of the server with a control character is listed, but never
 * put into the line. Runs in the client.
 */
#include "config.h"

#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "client/sftp_edit.h"
#include "client/sftp_list.h"
#include "client/show.h"
#include "common/own.h"

#define COLUMNS 4
#define COLUMN_WIDTH 20
/* More than this is no help to anybody. */
#define LISTED_MAX 400

/* Letters that all candidates share. */
static size_t
common_length(const struct list *l)
{
	size_t len = strlen(l->entries[0].name);

	for (size_t i = 1; i < l->n; i++) {
		size_t n = 0;

		while (
		    n < len && l->entries[i].name[n] == l->entries[0].name[n])
			n++;
		len = n;
	}
	return len;
}

static void
print_candidates(const struct list *l)
{
	size_t n = l->n < LISTED_MAX ? l->n : LISTED_MAX;

	putchar('\n');
	for (size_t i = 0; i < n; i++) {
		const char *slash = strrchr(l->entries[i].name, '/');
		const char *name = slash != NULL && slash[1] != '\0'
				       ? slash + 1
				       : l->entries[i].name;
		AUTOFREE char *shown = show_text(name);
		bool last = (i + 1) % COLUMNS == 0 || i + 1 == n;

		if (shown != NULL)
			printf("%-*s%s", last ? 0 : COLUMN_WIDTH, shown,
			    last ? "\n" : " ");
	}
	if (l->n > n)
		printf("... and %zu more\n", l->n - n);
}

/* --- candidates ---------------------------------------------------------- */

static void
add_commands(struct list *l, const char *word)
{
	size_t n;
	const struct sftp_command *c = sftp_commands(&n);

	for (size_t i = 0; i < n; i++)
		if (strncasecmp(c[i].name, word, strlen(word)) == 0 &&
		    isalpha((unsigned char)c[i].name[0]))
			(void)list_add(l, c[i].name, NULL, NULL);
}

static void
add_local(struct list *l, const char *pattern)
{
	struct sftp_attrs dir = { .flags = SSH_FILEXFER_ATTR_PERMISSIONS,
		.perm = S_IFDIR };
	glob_t g = { 0 };

	if (glob(pattern, GLOB_MARK | GLOB_TILDE, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++) {
			char *path = g.gl_pathv[i];
			size_t len = strlen(path);
			bool is_dir = len > 1 && path[len - 1] == '/';

			if (is_dir)
				path[len - 1] = '\0';
			(void)list_add(l, path, NULL, is_dir ? &dir : NULL);
		}
	globfree(&g);
}

static void
add_remote(struct sftp *s, struct list *l, const char *pattern)
{
	AUTO(list_done) struct list found = LIST_INIT;
	AUTOFREE char *full = sftp_absolute_pattern(s, pattern);

	if (full == NULL || list_glob(s->peer, full, &found) != 0)
		return;
	for (size_t i = 0; i < found.n; i++)
		(void)list_add(l,
		    pattern[0] == '/' ? found.entries[i].name
				      : sftp_relative(s, found.entries[i].name),
		    NULL, &found.entries[i].attrs);
}

/* Of which kind the argument under the cursor is. */
static enum sftp_kind
kind_of(const struct sftp_words *w, size_t index)
{
	const struct sftp_command *c = sftp_command_find(w->word[0]);
	size_t arg = 0;

	if (c == NULL)
		return SFTP_NOTHING;
	for (size_t i = 1; i < index; i++)
		if (w->word[i][0] != '-')
			arg++;
	return arg == 0 ? c->first : c->second;
}

static void
find(struct sftp *s, const struct sftp_words *w, size_t index, struct list *l)
{
	const char *word = index < w->n ? w->word[index] : "";
	AUTOFREE char *pattern = NULL;

	if (index == 0) {
		add_commands(l, word);
		return;
	}
	if (asprintf(&pattern, "%s*", word) < 0) {
		pattern = NULL;
		return;
	}
	switch (kind_of(w, index)) {
	case SFTP_LOCAL:
		add_local(l, pattern);
		break;
	case SFTP_REMOTE:
		add_remote(s, l, pattern);
		break;
	default:
		break;
	}
}

/* --- the text to insert -------------------------------------------------- */

static bool
is_plain(const char *name)
{
	AUTOFREE char *shown = show_text(name);

	return shown != NULL && strcmp(shown, name) == 0 &&
	       strchr(name, '\n') == NULL;
}

static char *
ending(const struct list_entry *e, char quote)
{
	bool is_dir = (e->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS) != 0 &&
		      S_ISDIR(e->attrs.perm);
	char *out = NULL;

	if (is_dir)
		return strdup("/");
	if (asprintf(&out, "%.*s ", quote != '\0', &quote) < 0)
		return NULL;
	return out;
}

/* What comes behind the letters that are there already. */
static char *
insertion(const struct list *l, size_t typed, char quote)
{
	size_t len = common_length(l);
	AUTOFREE char *more = NULL, *quoted = NULL, *end = NULL;
	char *out = NULL;

	if (len < typed)
		return NULL;
	more = strndup(l->entries[0].name + typed, len - typed);
	quoted = more != NULL ? words_quote(more, quote) : NULL;
	end = l->n == 1 ? ending(&l->entries[0], quote) : strdup("");
	if (quoted == NULL || end == NULL || !is_plain(quoted) ||
	    asprintf(&out, "%s%s", quoted, end) < 0)
		return NULL;
	return out;
}

char *
sftp_complete(struct sftp *s, const char *line, bool *out_listed)
{
	AUTO(words_free) struct sftp_words w = { .n = 0 };
	AUTO(list_done) struct list l = LIST_INIT;
	AUTOFREE char *typed = NULL;
	size_t index;
	char *text;

	*out_listed = false;
	if (words_split(line, true, &w) != 0)
		return NULL;
	index = w.n > 0 && !w.blank ? w.n - 1 : w.n;
	find(s, &w, index, &l);
	typed = strdup(index < w.n ? w.word[index] : "");
	if (l.n == 0 || typed == NULL)
		return NULL;
	list_unescape(typed);
	list_sort(&l);
	text = insertion(&l, strlen(typed), w.open ? w.quote : '\0');
	if (text != NULL && *text != '\0')
		return text;
	free(text);
	if (l.n > 1) {
		print_candidates(&l);
		*out_listed = true;
	}
	return NULL;
}

/*
 * Patterns of glob(7) over the server's directories. Only directories whose
 * names the pattern leaves open are listed, and no name is taken that does not
 * match: what the server makes of a pattern is never asked.
 */
#include "config.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "client/sftp_call.h"
#include "client/sftp_list.h"
#include "common/err.h"
#include "common/own.h"

static const char magic[] = "*?[";

bool
list_has_magic(const char *pattern)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '\\' && pattern[1] != '\0')
			pattern++;
		else if (strchr(magic, *pattern) != NULL)
			return true;
	}
	return false;
}

void
list_unescape(char *pattern)
{
	char *to = pattern;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '\\' && pattern[1] != '\0')
			pattern++;
		*to++ = *pattern;
	}
	*to = '\0';
}

char *
list_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);
	char *out = NULL;

	if (len == 0)
		return strdup(name);
	if (asprintf(
		&out, "%s%s%s", dir, dir[len - 1] == '/' ? "" : "/", name) < 0)
		return NULL;
	return out;
}

/* Paths so far, and what they become with one more component. */
static int
extend(struct list *to, const char *dir, const char *name,
    const struct sftp_attrs *attrs)
{
	AUTOFREE char *path = list_join(dir, name);

	return path != NULL ? list_add(to, path, NULL, attrs) : -ENOMEM;
}

static int
match_dir(struct peer *p, const char *dir, const char *pattern, struct list *to)
{
	AUTO(list_done) struct list names = LIST_INIT;
	int rc = list_read(p, dir[0] != '\0' ? dir : ".", &names);

	/* What cannot be listed has no matches: as in a shell. */
	if (rc > 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < names.n; i++)
		if (fnmatch(pattern, names.entries[i].name, FNM_PERIOD) == 0)
			rc = extend(to, dir, names.entries[i].name,
			    &names.entries[i].attrs);
	return rc;
}

/* A component without wildcards behind one that had some: is it there? */
static int
probe(struct peer *p, const char *dir, const char *name, struct list *to)
{
	AUTOFREE char *path = list_join(dir, name);
	struct sftp_attrs a = { 0 };
	int rc;

	if (path == NULL)
		return -ENOMEM;
	rc = call_stat(p, path, CALL_NOFOLLOW, &a);
	if (rc != 0)
		return rc > 0 ? 0 : rc;
	return list_add(to, path, NULL, &a);
}

static int
step(struct peer *p, const struct list *from, char *part, struct list *to)
{
	bool has_magic = list_has_magic(part);
	int rc = 0;

	if (!has_magic)
		list_unescape(part);
	for (size_t i = 0; rc == 0 && i < from->n; i++)
		rc = has_magic ? match_dir(p, from->entries[i].name, part, to)
			       : probe(p, from->entries[i].name, part, to);
	return rc;
}

/* What a slash at the end leaves. */
static int
keep_dirs(struct peer *p, const struct list *from, struct list *to)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < from->n; i++) {
		const struct list_entry *e = &from->entries[i];

		if (call_is_dir(p, e->name))
			rc = list_add(to, e->name, NULL, &e->attrs);
	}
	return rc;
}

/* The part before the first component with a wildcard, as a path. */
static size_t
plain_length(const char *pattern)
{
	const char *last = pattern;

	for (const char *at = pattern; *at != '\0'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (strchr(magic, *at) != NULL)
			break;
		else if (*at == '/')
			last = at + 1;
	}
	return (size_t)(last - pattern);
}

static int
begin(const char *pattern, size_t len, struct list *out_paths)
{
	AUTOFREE char *start = strndup(pattern, len);

	if (start == NULL)
		return -ENOMEM;
	list_unescape(start);
	return list_add(out_paths, start, NULL, NULL);
}

int
list_glob(struct peer *p, const char *pattern, struct list *out_paths)
{
	size_t plain = plain_length(pattern);
	AUTOFREE char *rest = NULL;
	char *at, *part;
	int rc;

	if (!list_has_magic(pattern))
		return begin(pattern, strlen(pattern), out_paths);
	rest = at = strdup(pattern + plain);
	if (rest == NULL)
		return -ENOMEM;
	rc = begin(pattern, plain, out_paths);
	while (rc == 0 && (part = strsep(&at, "/")) != NULL) {
		AUTO(list_done) struct list to = LIST_INIT;

		if (*part == '\0' && at != NULL)
			continue;
		rc = *part == '\0' ? keep_dirs(p, out_paths, &to)
				   : step(p, out_paths, part, &to);
		list_done(out_paths);
		*out_paths = to;
		to = (struct list)LIST_INIT;
	}
	if (rc != 0)
		list_done(out_paths);
	list_sort(out_paths);
	return rc;
}

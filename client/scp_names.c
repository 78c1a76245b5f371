/* Arguments of scp. Runs in the client, on the user's own words. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/scp_names.h"
#include "common/own.h"

/* The colon that ends the host, or NULL. */
static const char *
host_end(const char *text)
{
	bool bracket = *text == '[';

	if (*text == ':')
		return NULL;
	for (const char *at = text; *at != '\0'; at++) {
		if (at[0] == '@' && at[1] == '[')
			bracket = true;
		else if (at[0] == ']' && at[1] == ':' && bracket)
			return at + 1;
		else if (*at == '/')
			return NULL;
		else if (*at == ':' && !bracket)
			return at;
	}
	return NULL;
}

static bool
is_uri(const char *text, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncasecmp(text, scheme, len) == 0 &&
	       strncmp(text + len, "://", 3) == 0;
}

int
scp_name_parse(const char *text, const char *scheme, struct scp_name *out_name)
{
	const char *end = NULL;
	struct scp_name n = { 0 };

	if (is_uri(text, scheme)) {
		n.is_uri = true;
		n.host = strdup(text);
		n.path = strdup("");
	} else if ((end = host_end(text)) != NULL) {
		n.host = strndup(text, (size_t)(end - text));
		n.path = strdup(end + 1);
	} else
		n.path = strdup(text);
	if (n.path == NULL || ((n.is_uri || end != NULL) && n.host == NULL)) {
		scp_name_done(&n);
		return -ENOMEM;
	}
	*out_name = n;
	return 0;
}

void
scp_name_done(struct scp_name *n)
{
	free(n->host);
	free(n->path);
	*n = (struct scp_name){ 0 };
}

char *
scp_last_name(const char *path)
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	if (end == start || (end - start == 1 && path[start] == '.') ||
	    (end - start == 2 && memcmp(path + start, "..", 2) == 0))
		return strdup(".");
	return strndup(path + start, end - start);
}

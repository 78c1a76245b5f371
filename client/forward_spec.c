/*
 * Reading what is to be forwarded. Runs as the user, on what they typed.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/forward_spec.h"
#include "client/target.h"
#include "common/err.h"
#include "common/own.h"

#define PARTS_MAX 5 /* bind, port, host, port, and one too many */

void
forward_spec_done(struct forward_spec *s)
{
	free(s->bind);
	free(s->listen_path);
	free(s->host);
	free(s->host_path);
	*s = (struct forward_spec){ .bind = NULL };
}

/* The parts between colons; [..] may hold some. Changes text. */
static int
split(char *text, char *parts[PARTS_MAX])
{
	int n = 0;

	while (n < PARTS_MAX) {
		char *end;

		parts[n] = text;
		if (*text == '[' && (end = strchr(text, ']')) != NULL) {
			parts[n] = text + 1;
			*end++ = '\0';
		} else {
			end = text + strcspn(text, ": ");
		}
		n++;
		if (*end == '\0')
			return n;
		/* A file has a blank between its two parts. */
		if (*end != ':' && *end != ' ')
			return 0;
		*end = '\0';
		text = end + 1;
	}
	return 0;
}

static bool
is_path(const char *part)
{
	return strchr(part, '/') != NULL;
}

/* 0 is a port of -R: the server chooses. -1: none. */
static int
listen_port(enum forward_kind kind, const char *text)
{
	if (strcmp(text, "0") == 0 && kind == FORWARD_REMOTE)
		return 0;
	return target_port(text) != 0 ? target_port(text) : -1;
}

static int
copy(char **out, const char *text)
{
	*out = strdup(text);
	return *out != NULL ? 0 : -ENOMEM;
}

/*
 * -R without a place to go to is for SOCKS. A blank parts what listens from
 * the place, in a file.
 */
static bool
is_socks(enum forward_kind kind, const char *text, char **parts, int n)
{
	if (kind != FORWARD_REMOTE)
		return kind == FORWARD_DYNAMIC;
	return n == 1 || (n == 2 && strchr(text, ' ') == NULL &&
			     !is_path(parts[0]) && !is_path(parts[1]));
}

/* [bind:]port or a path; *at is moved behind it. */
static int
take_listen(struct forward_spec *s, bool socks, char **parts, int n, int *at)
{
	int rest = socks ? n : n - 2;

	if (is_path(parts[0])) {
		*at = 1;
		return copy(&s->listen_path, parts[0]);
	}
	/* With a path at the end there is one part less. */
	if (!socks && is_path(parts[n - 1]))
		rest = n - 1;
	if (rest < 1 || rest > 2)
		return -EBADMSG;
	*at = rest;
	s->port = listen_port(s->kind, parts[rest - 1]);
	if (s->port < 0)
		return -EBADMSG;
	if (rest == 1)
		return 0;
	return copy(&s->bind, *parts[0] != '\0' ? parts[0] : "*");
}

static int
take_host(struct forward_spec *s, char **parts, int n)
{
	if (n == 1 && is_path(parts[0]))
		return copy(&s->host_path, parts[0]);
	if (n != 2)
		return -EBADMSG;
	s->host_port = target_port(parts[1]);
	if (s->host_port == 0 || !target_is_host(parts[0]))
		return -EBADMSG;
	return copy(&s->host, parts[0]);
}

static const char *const forms[] = {
	[FORWARD_LOCAL] = ("it is [bind_address:]port:host:hostport; a path "
			   "may stand for either end"),
	[FORWARD_REMOTE] = "it is [bind_address:]port:host:hostport, or "
			   "[bind_address:]port for SOCKS",
	[FORWARD_DYNAMIC] = "it is [bind_address:]port",
};

int
forward_parse(enum forward_kind kind, const char *text,
    struct forward_spec *out, const char **out_why)
{
	AUTO(forward_spec_done) struct forward_spec s = { .kind = kind };
	AUTOFREE char *work = strdup(text);
	char *parts[PARTS_MAX];
	int n, at = 0, rc = -EBADMSG;
	bool socks;

	if (work == NULL)
		return -ENOMEM;
	*out_why = forms[kind];
	n = split(work, parts);
	socks = n > 0 && is_socks(kind, text, parts, n);
	if (n > 0)
		rc = take_listen(&s, socks, parts, n, &at);
	if (rc == 0 && kind == FORWARD_DYNAMIC && s.listen_path != NULL)
		rc = -EBADMSG;
	if (rc == 0 && !socks)
		rc = take_host(&s, parts + at, n - at);
	if (rc == 0 && kind == FORWARD_REMOTE && s.listen_path != NULL) {
		*out_why = "the library cannot ask a server to listen on a "
			   "Unix socket";
		rc = -ENOTSUP;
	}
	if (rc != 0)
		return rc;
	*out = s;
	s = (struct forward_spec){ .bind = NULL };
	return 0;
}

bool
forward_is_socks(const struct forward_spec *s)
{
	return s->host == NULL && s->host_path == NULL;
}

void
forward_text(const struct forward_spec *s, char text[FORWARD_TEXT_MAX])
{
	char from[256], to[256] = "SOCKS";

	if (s->listen_path != NULL)
		snprintf(from, sizeof(from), "%s", s->listen_path);
	else
		snprintf(from, sizeof(from), "[%s]:%d",
		    s->bind != NULL ? s->bind : "localhost", s->port);
	if (s->host_path != NULL)
		snprintf(to, sizeof(to), "%s", s->host_path);
	else if (s->host != NULL)
		snprintf(to, sizeof(to), "%s:%d", s->host, s->host_port);
	snprintf(text, FORWARD_TEXT_MAX, "%s -> %s", from, to);
}

char *
forward_setting(const struct forward_spec *s)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	if (s->listen_path != NULL)
		fputs(s->listen_path, out);
	else if (s->bind != NULL)
		fprintf(out, "[%s]:%d", s->bind, s->port);
	else
		fprintf(out, "%d", s->port);
	if (s->host_path != NULL)
		fprintf(out, " %s", s->host_path);
	else if (s->host != NULL)
		fprintf(out, " [%s]:%d", s->host, s->host_port);
	fclose(out);
	return text;
}

static bool
same_text(const char *a, const char *b)
{
	return (a == NULL && b == NULL) ||
	       (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool
forward_same(const struct forward_spec *a, const struct forward_spec *b)
{
	return a->kind == b->kind && a->port == b->port &&
	       same_text(a->bind, b->bind) &&
	       same_text(a->listen_path, b->listen_path);
}

int
forward_parse_host(const char *text, char **out_host, int *out_port)
{
	AUTOFREE char *work = strdup(text);
	char *parts[PARTS_MAX];

	if (work == NULL)
		return -ENOMEM;
	if (split(work, parts) != 2 || !target_is_host(parts[0]) ||
	    target_port(parts[1]) == 0)
		return -EBADMSG;
	*out_port = target_port(parts[1]);
	*out_host = strdup(parts[0]);
	return *out_host != NULL ? 0 : -ENOMEM;
}

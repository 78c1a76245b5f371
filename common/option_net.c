/*
 * Options about addresses and ports. Used by sshd, which listens by them;
 * words come from configuration and are not looked up here.
 */
#include "config.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/option_impl.h"
#include "common/own.h"

#define PORT_MAX 65535
#define HOST_MAX 255 /* RFC 1035 section 2.3.4 */
#define PORTS_MAX 256
#define DOMAIN_MAX 15 /* netdevice(7): IFNAMSIZ with its NUL */
#define DOMAIN_WORD "rdomain"

static const char host_chars[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789.-_:%";

static int
port_read(const char *text, uint16_t *out_port)
{
	uint64_t n;

	if (option_number(text, PORT_MAX, &n) != 0 || n == 0)
		return -EBADMSG;
	*out_port = (uint16_t)n;
	return 0;
}

static void
port_done(void *value)
{
	struct ports *p = value;

	free(p->v);
	*p = (struct ports){ NULL, 0 };
}

static int
port_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	struct ports *p = out;
	uint16_t port;
	uint16_t *v;

	if (port_read(in->words->v[0], &port) != 0)
		return option_bad(in, why,
		    "\"%.64s\" is not a port number from 1 to %d",
		    in->words->v[0], PORT_MAX);
	v = malloc(sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	v[0] = port;
	*p = (struct ports){ v, 1 };
	return 0;
}

/* Ports over PORTS_MAX and those that are there already are left out. */
static int
port_merge(void *into, void *from)
{
	struct ports *a = into, *b = from;
	uint16_t *v;

	for (size_t i = 0; i < a->n; i++)
		if (a->v[i] == b->v[0])
			return 0;
	if (a->n >= PORTS_MAX)
		return 0;
	v = reallocarray(a->v, a->n + 1, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	a->v = v;
	a->v[a->n++] = b->v[0];
	return 0;
}

static int
port_print(const struct option *row, const void *value, FILE *out)
{
	const struct ports *p = value;

	for (size_t i = 0; i < p->n; i++) {
		option_print_keyword(row, out);
		fprintf(out, " %u\n", p->v[i]);
	}
	return 0;
}

void
listens_done(struct listens *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].host);
		free(list->v[i].domain);
	}
	free(list->v);
	*list = (struct listens){ NULL, 0 };
}

/* Add a copy, with this port. */
static int
listens_add(struct listens *list, const struct listen *at, uint16_t port)
{
	struct listen *v = reallocarray(list->v, list->n + 1, sizeof(*v));
	AUTOFREE char *host = strdup(at->host);
	AUTOFREE char *domain = at->domain != NULL ? strdup(at->domain) : NULL;

	if (v != NULL)
		list->v = v;
	if (v == NULL || host == NULL || (at->domain != NULL && domain == NULL))
		return -ENOMEM;
	v[list->n++] =
	    (struct listen){ take_ptr(&host), port, take_ptr(&domain) };
	return 0;
}

/*
 * Split "host", "host:port", "[host]" or "[host]:port"; a host with colons
 * needs no brackets when there is no port. *out_port is NULL without one.
 */
static int
host_split(char *text, char **out_host, char **out_port)
{
	char *end, *port = NULL;

	if (*text == '[') {
		end = strchr(++text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return -EBADMSG;
		port = end[1] == ':' ? end + 2 : NULL;
		*end = '\0';
	} else {
		end = strchr(text, ':');
		if (end != NULL && strchr(end + 1, ':') == NULL) {
			port = end + 1;
			*end = '\0';
		}
	}
	if (*text == '\0' || strlen(text) > HOST_MAX)
		return -EBADMSG;
	*out_host = text;
	*out_port = port;
	return 0;
}

/* What may be the name of a network device. */
static bool
is_domain(const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;

	return len > 0 && len <= DOMAIN_MAX && strpbrk(name, "/: \t\"") == NULL;
}

static int
listen_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];
	AUTO(listens_done) struct listens list = { NULL, 0 };
	AUTOFREE char *copy = strdup(word);
	struct listen at = { .port = 0 };
	char *port;
	uint16_t number = 0;

	if (copy == NULL)
		return -ENOMEM;
	if (in->words->n > 1) {
		at.domain = in->words->n == 3 ? in->words->v[2] : NULL;
		if (strcasecmp(in->words->v[1], DOMAIN_WORD) != 0 ||
		    !is_domain(at.domain))
			return option_bad(in, why,
			    "behind the address only " DOMAIN_WORD
			    " and the name of a device is possible");
	}
	if (host_split(copy, &at.host, &port) != 0 ||
	    strspn(at.host, host_chars) != strlen(at.host))
		return option_bad(in, why,
		    "\"%.64s\" is not ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT",
		    word);
	if (port != NULL && port_read(port, &number) != 0)
		return option_bad(in, why,
		    "the port of \"%.64s\" is not a number from 1 to %d", word,
		    PORT_MAX);
	if (listens_add(&list, &at, number) != 0)
		return -ENOMEM;
	*(struct listens *)out = list;
	list = (struct listens){ NULL, 0 };
	return 0;
}

static int
listen_merge(void *into, void *from)
{
	struct listens *a = into, *b = from;

	return listens_add(a, &b->v[0], b->v[0].port);
}

static void
listen_done(void *value)
{
	listens_done(value);
}

static int
listen_print(const struct option *row, const void *value, FILE *out)
{
	const struct listens *list = value;

	for (size_t i = 0; i < list->n; i++) {
		const struct listen *l = &list->v[i];
		bool brackets = strchr(l->host, ':') != NULL;

		option_print_keyword(row, out);
		fprintf(out, brackets ? " [%s]" : " %s", l->host);
		if (l->port != 0)
			fprintf(out, ":%u", l->port);
		if (l->domain != NULL)
			fprintf(out, " " DOMAIN_WORD " %s", l->domain);
		fputc('\n', out);
	}
	return 0;
}

/* Each of Port at one host. */
static int
listen_ports(
    struct listens *list, const struct ports *ports, const struct listen *at)
{
	int rc = 0;

	for (size_t i = 0; i < ports->n && rc == 0; i++)
		rc = listens_add(list, at, ports->v[i]);
	return rc;
}

int
options_listen(const struct options *o, struct listens *out_list)
{
	AUTO(listens_done) struct listens list = { NULL, 0 };
	const struct listens *given = &o->listen_address;
	const struct listen any6 = { .host = (char *)(uintptr_t) "::" };
	const struct listen any4 = { .host = (char *)(uintptr_t) "0.0.0.0" };
	int rc = 0;

	for (size_t i = 0; i < given->n && rc == 0; i++) {
		const struct listen *at = &given->v[i];

		rc = at->port != 0 ? listens_add(&list, at, at->port)
				   : listen_ports(&list, &o->port, at);
	}
	if (given->n == 0 && o->address_family != AF_INET)
		rc = listen_ports(&list, &o->port, &any6);
	if (rc == 0 && given->n == 0 && o->address_family != AF_INET6)
		rc = listen_ports(&list, &o->port, &any4);
	if (rc != 0)
		return rc;
	*out_list = list;
	list = (struct listens){ NULL, 0 };
	return 0;
}

int
options_dump_listen(const struct options *o, FILE *out)
{
	AUTO(listens_done) struct listens list = { NULL, 0 };
	int rc = options_listen(o, &list);

	return rc != 0
		   ? rc
		   : listen_print(option_row(OPT_listen_address), &list, out);
}

static bool
permit_good(const struct option_in *in, const char *word)
{
	AUTOFREE char *copy = strdup(word);
	char *host, *port;
	uint16_t number;

	if (copy == NULL)
		return false;
	/* PermitListen takes a port alone, at any host. */
	if (in->row->id == OPT_permit_listen && strchr(word, ':') == NULL)
		port = copy;
	else if (host_split(copy, &host, &port) != 0 || port == NULL)
		return false;
	return strcmp(port, "*") == 0 || port_read(port, &number) == 0;
}

static int
permits_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	AUTO(words_done) struct words list = { NULL, 0 };

	for (size_t i = 0; i < in->words->n; i++) {
		const char *word = in->words->v[i];

		if (option_listed(word, "any none")) {
			if (in->words->n > 1)
				return option_bad(
				    in, why, "%s has to stand alone", word);
		} else if (!permit_good(in, word)) {
			return option_bad(in, why, "\"%.64s\" is not %s", word,
			    in->row->id == OPT_permit_listen
				? "PORT or HOST:PORT, any or none"
				: "HOST:PORT, any or none");
		}
		if (words_add(&list, word) != 0)
			return -ENOMEM;
	}
	*(struct words *)out = list;
	list = (struct words){ NULL, 0 };
	return 0;
}

static int
permits_print(const struct option *row, const void *value, FILE *out)
{
	return option_type_words.print(row, value, out);
}

static void
permits_done(void *value)
{
	words_done(value);
}

const struct option_type option_type_port = { 1, 1, sizeof(struct ports),
	port_parse, port_merge, port_print, port_done };
const struct option_type option_type_listen = { 1, 3, sizeof(struct listens),
	listen_parse, listen_merge, listen_print, listen_done };
const struct option_type option_type_permits = { 1, 0, sizeof(struct words),
	permits_parse, NULL, permits_print, permits_done };

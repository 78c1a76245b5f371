/*
 * The greeting. Runs in omniedge-ssh-server, once, when it is ready.
 */
#include "config.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/own.h"
#include "common/pattern.h"
#include "monitor/lab_greet.h"

#define ADDR_MAX 80 /* bytes of an address with its scope */

/* Ranges of addresses, as people call them; the first that has it. */
static const struct {
	const char *cidr;
	const char *name;
} ranges[] = {
	{ "127.0.0.0/8", "this host" },
	{ "::1/128", "this host" },
	{ "10.0.0.0/8", "a private network" },
	{ "172.16.0.0/12", "a private network" },
	{ "192.168.0.0/16", "a private network" },
	{ "100.64.0.0/10", "a shared (mesh or provider's) network" },
	{ "169.254.0.0/16", "its own link" },
	{ "fc00::/7", "a private network" },
	{ "fe80::/10", "its own link" },
	{ "0.0.0.0/0", "the Internet" },
	{ "::/0", "the Internet" },
};

static const char *
range_of(const char *addr)
{
	for (size_t i = 0; i < nitems_of(ranges); i++)
		if (cidr_match(addr, ranges[i].cidr) == 1)
			return ranges[i].name;
	return "an unknown network";
}

static bool
may_connect(const struct lab_conf *conf, const char *addr)
{
	for (size_t i = 0; i < conf->networks.n; i++)
		if (cidr_match(addr, conf->networks.v[i]) == 1)
			return true;
	return conf->networks.n == 0;
}

/* --- addresses */

static bool
is_wildcard(const struct sockaddr_storage *addr)
{
	const struct sockaddr_in *v4 = (const void *)addr;
	const struct sockaddr_in6 *v6 = (const void *)addr;

	return addr->ss_family == AF_INET
		   ? v4->sin_addr.s_addr == htonl(INADDR_ANY)
		   : IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
}

/* The address of an interface as text; false if it has no such. */
static bool
interface_text(
    const struct ifaddrs *ifa, sa_family_t family, char out[ADDR_MAX])
{
	const struct sockaddr_in *v4 = (const void *)ifa->ifa_addr;
	const struct sockaddr_in6 *v6 = (const void *)ifa->ifa_addr;
	size_t len;

	if (ifa->ifa_addr == NULL || ifa->ifa_addr->sa_family != family ||
	    (ifa->ifa_flags & IFF_UP) == 0)
		return false;
	if (family == AF_INET)
		return inet_ntop(AF_INET, &v4->sin_addr, out, ADDR_MAX) != NULL;
	if (inet_ntop(AF_INET6, &v6->sin6_addr, out, ADDR_MAX) == NULL)
		return false;
	len = strlen(out);
	if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
		snprintf(out + len, ADDR_MAX - len, "%%%s", ifa->ifa_name);
	return true;
}

struct where {
	char addr[ADDR_MAX];
	unsigned port;
};

/* An address of an interface, one that may connect before one that may not. */
static bool
find_interface(
    const struct lab_greeting *g, sa_family_t family, char out[ADDR_MAX])
{
	struct ifaddrs *list = NULL;
	bool found = false, best = false;

	if (getifaddrs(&list) != 0)
		return false;
	for (const struct ifaddrs *i = list; i != NULL && !best;
	     i = i->ifa_next) {
		char text[ADDR_MAX];

		if ((i->ifa_flags & IFF_LOOPBACK) != 0 ||
		    !interface_text(i, family, text) ||
		    strchr(text, '%') != NULL)
			continue;
		best = may_connect(g->conf, text);
		if (best || !found)
			strlcpy(out, text, ADDR_MAX);
		found = true;
	}
	freeifaddrs(list);
	/* Who asks this host itself is better off than others elsewhere. */
	return best || (found && !may_connect(g->conf,
				     family == AF_INET ? "127.0.0.1" : "::1"));
}

/* Where a client best connects to. */
static void
find_where(const struct lab_greeting *g, struct where *out)
{
	const struct listener *l = &g->listeners->v[0];
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	struct listener_name name = { "UNKNOWN", 0, "" };

	if (getsockname(l->fd, (struct sockaddr *)&bound, &len) == 0)
		listener_name(&bound, len, &name);
	strlcpy(out->addr, name.addr, sizeof(out->addr));
	out->port = name.port;
	if (is_wildcard(&l->addr) &&
	    !find_interface(g, l->addr.ss_family, out->addr))
		strlcpy(out->addr,
		    l->addr.ss_family == AF_INET ? "127.0.0.1" : "::1",
		    sizeof(out->addr));
}

/* --permissive: each address that is listened on, and what reaches it. */
static void
print_reachable(
    const struct lab_greeting *g, const struct where *where, FILE *out)
{
	struct ifaddrs *list = NULL;
	char text[ADDR_MAX];

	fputs("WARNING: --permissive: connections from every address are "
	      "accepted. Reachable at:\n",
	    out);
	for (size_t n = 0; n < g->listeners->n; n++) {
		const struct listener *l = &g->listeners->v[n];

		if (!is_wildcard(&l->addr)) {
			struct listener_name name;

			listener_name(&l->addr, l->addr_len, &name);
			fprintf(out, "  %s port %u, from %s\n", name.addr,
			    where->port, range_of(name.addr));
			continue;
		}
		if (list == NULL && getifaddrs(&list) != 0)
			return;
		for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next)
			if (interface_text(i, l->addr.ss_family, text))
				fprintf(out, "  %s port %u (%s), from %s\n",
				    text, where->port, i->ifa_name,
				    range_of(text));
	}
	if (list != NULL)
		freeifaddrs(list);
	fputs("  and from wherever a router, tunnel or port mapping leads "
	      "there.\n",
	    out);
}

/* --- the parts of it */

static void
print_networks(const struct lab_greeting *g, FILE *out)
{
	const struct words *list = &g->conf->networks;

	if (list->n == 0)
		return;
	fputs("Accepts connections from:", out);
	for (size_t i = 0; i < list->n; i++)
		fprintf(out, "%s %s", i != 0 ? "," : "", list->v[i]);
	fputs("\n", out);
}

/* Which name to show in the line to type. */
static const char *
example_user(const struct lab_greeting *g)
{
	const struct lab *terms = &g->conf->terms;
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *pw;

	if (!g->self->is_root)
		return g->self->name;
	for (size_t i = 0; i < terms->nmap; i++)
		if (strcmp(terms->map[i].from, LAB_ANY) != 0)
			return terms->map[i].from;
	if (terms->default_user != NULL)
		return terms->default_user;
	pw = sudo != NULL ? getpwnam(sudo) : NULL;
	return pw != NULL && pw->pw_uid != 0 ? sudo : "USER";
}

static void
print_users(const struct lab_greeting *g, FILE *out)
{
	if (!g->self->is_root)
		fprintf(out, "Serves user %s only: it does not run as root.\n",
		    g->self->name);
	if (g->no_namespace)
		fputs("NOTE: this kernel gives no user namespace: the network "
		      "process is held by its system call filter alone, "
		      "without an empty root directory.\n",
		    out);
}

static void
print_hostkeys(const struct lab_greeting *g, FILE *out)
{
	for (size_t i = 0; i < HOSTKEY_KINDS; i++) {
		const struct writer *blob = &g->hostkeys->slot[i].blob;
		AUTO(key_done) struct key *key = NULL;
		AUTOFREE char *print = NULL;

		if (blob->len == 0 ||
		    key_parse_blob(span_of(blob->p, blob->len),
			KEY_RSA_BITS_DEFAULT, &key) != 0 ||
		    key_fingerprint(key, KEY_HASH_SHA256, &print) != 0)
			continue;
		fprintf(
		    out, "Host key: %s %s\n", key_kind(key)->display, print);
	}
}

static void
print_credentials(const struct lab_greeting *g, FILE *out)
{
	if (g->conf->terms.auth_none)
		fprintf(out,
		    "WARNING: --auth none: whoever connects from there is in, "
		    "as any user%s, without a key or a password.\n",
		    g->self->is_root ? " but root" : " it serves");
	else if (g->once != NULL)
		fprintf(out,
		    "One-time password: %s\n"
		    "  (there is no key and no password to use; this one is "
		    "good for one login and is not shown again)\n",
		    g->once);
	else if (!g->has_login)
		fputs("WARNING: nobody can log in yet: no key is listed, and "
		      "--auth keys wants one.\n",
		    out);
}

static void
print_line(const struct lab_greeting *g, const struct where *where, FILE *out)
{
	const char *user = example_user(g);
	bool v6 = strchr(where->addr, ':') != NULL;
	char uri[ADDR_MAX + 512];

	fprintf(out, "Log in with:\n  ssh -p %u %s@%s\n", where->port, user,
	    where->addr);
	if (!isatty(fileno(out)))
		return;
	snprintf(uri, sizeof(uri), "ssh://%s@%s%s%s:%u", user, v6 ? "[" : "",
	    where->addr, v6 ? "]" : "", where->port);
	lab_qr_print(uri, out);
}

void
lab_greet(const struct lab_greeting *g, FILE *out)
{
	struct where where;

	find_where(g, &where);
	fprintf(out, "OmniEdge SSH server %s, %s, port %u\n", PACKAGE_VERSION,
	    g->args->device_id, where.port);
	if (g->args->permissive)
		print_reachable(g, &where, out);
	print_networks(g, out);
	print_users(g, out);
	print_hostkeys(g, out);
	print_credentials(g, out);
	print_line(g, &where, out);
	fflush(out);
}

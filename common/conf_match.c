/*
 * The criteria of Match, sshd_config(5). Patterns come from configuration;
 * user, host and address, which they are held against, from the network.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/conf_impl.h"
#include "common/err.h"
#include "common/option_impl.h"
#include "common/own.h"
#include "common/pattern.h"

#define PORT_MAX 65535

static bool
user_holds(const struct match_ctx *ctx, const char *pattern)
{
	return ctx->user != NULL &&
	       pattern_list_match(ctx->user, pattern, PATTERN_CASE) == 1;
}

/* One group that is excluded outweighs all others. */
static bool
group_holds(const struct match_ctx *ctx, const char *pattern)
{
	bool found = false;

	for (size_t i = 0; i < ctx->ngroups; i++) {
		int m =
		    pattern_list_match(ctx->groups[i], pattern, PATTERN_CASE);

		if (m < 0)
			return false;
		found = found || m == 1;
	}
	return found;
}

/* Without a name the address stands for the host, as in OpenSSH. */
static bool
host_holds(const struct match_ctx *ctx, const char *pattern)
{
	const char *host = ctx->host != NULL ? ctx->host : ctx->addr;

	return host != NULL &&
	       pattern_list_match(host, pattern, PATTERN_NOCASE) == 1;
}

static bool
address_holds(const struct match_ctx *ctx, const char *pattern)
{
	return ctx->addr != NULL &&
	       pattern_peer_match(pattern, ctx->addr, NULL) == 1;
}

static bool
local_address_holds(const struct match_ctx *ctx, const char *pattern)
{
	return ctx->laddr != NULL &&
	       pattern_peer_match(pattern, ctx->laddr, NULL) == 1;
}

static bool
local_port_holds(const struct match_ctx *ctx, const char *pattern)
{
	uint64_t port;

	return option_number(pattern, PORT_MAX, &port) == 0 &&
	       ctx->lport == port && port != 0;
}

/* As clients see it, without "SSH-2.0-": nothing of the connection's. */
static bool
version_holds(const struct match_ctx *ctx, const char *pattern)
{
	(void)ctx;
	return pattern_list_match(CONF_VERSION_NAME, pattern, PATTERN_CASE) ==
	       1;
}

static bool
rdomain_holds(const struct match_ctx *ctx, const char *pattern)
{
	return ctx->rdomain != NULL &&
	       pattern_list_match(ctx->rdomain, pattern, PATTERN_CASE) == 1;
}

static bool
all_holds(const struct match_ctx *ctx, const char *pattern)
{
	(void)ctx;
	(void)pattern;
	return true;
}

static bool
invalid_user_holds(const struct match_ctx *ctx, const char *pattern)
{
	(void)pattern;
	return ctx->invalid_user;
}

static int
list_check(const char *pattern, char why[OPTION_WHY_MAX])
{
	for (const char *p = pattern; *p != '\0'; p += *p == ',') {
		size_t len = strcspn(p, ",");

		if (len > PATTERN_MAX) {
			snprintf(why, OPTION_WHY_MAX,
			    "Match: a pattern is longer than %d characters",
			    PATTERN_MAX);
			return -EBADMSG;
		}
		p += len;
	}
	return 0;
}

static int
address_check(const char *pattern, char why[OPTION_WHY_MAX])
{
	int rc = pattern_peer_check(pattern);

	if (rc == 0)
		return 0;
	snprintf(why, OPTION_WHY_MAX,
	    rc == -ERANGE ? "Match: a network of \"%.64s\" has bits behind "
			    "its mask, or too long a mask"
			  : "Match: \"%.64s\" is not a list of addresses",
	    pattern);
	return -EBADMSG;
}

static int
port_check(const char *pattern, char why[OPTION_WHY_MAX])
{
	uint64_t port;

	if (option_number(pattern, PORT_MAX, &port) == 0 && port != 0)
		return 0;
	snprintf(why, OPTION_WHY_MAX,
	    "Match: \"%.64s\" is not a port number from 1 to %d", pattern,
	    PORT_MAX);
	return -EBADMSG;
}

/* check is NULL for a criterion that takes no pattern. */
static const struct {
	const char *name;
	int (*check)(const char *pattern, char why[OPTION_WHY_MAX]);
	bool (*holds)(const struct match_ctx *ctx, const char *pattern);
} criteria[MATCH_COUNT] = {
	[MATCH_ALL] = { "All", NULL, all_holds },
	[MATCH_INVALID_USER] = { "Invalid-User", NULL, invalid_user_holds },
	[MATCH_USER] = { "User", list_check, user_holds },
	[MATCH_GROUP] = { "Group", list_check, group_holds },
	[MATCH_HOST] = { "Host", list_check, host_holds },
	[MATCH_ADDRESS] = { "Address", address_check, address_holds },
	[MATCH_LOCAL_ADDRESS] = { "LocalAddress", address_check,
	    local_address_holds },
	[MATCH_LOCAL_PORT] = { "LocalPort", port_check, local_port_holds },
	[MATCH_VERSION] = { "Version", list_check, version_holds },
	[MATCH_RDOMAIN] = { "RDomain", list_check, rdomain_holds },
};

bool
conf_match(const struct conf_block *block, const struct match_ctx *ctx)
{
	for (size_t i = 0; i < block->n; i++)
		if (!criteria[block->v[i].criterion].holds(
			ctx, block->v[i].pattern))
			return false;
	return true;
}

const char *
conf_match_never(const struct conf_block *block)
{
	for (size_t i = 0; i < block->n; i++)
		if (block->v[i].criterion == MATCH_VERSION &&
		    !version_holds(NULL, block->v[i].pattern))
			return block->v[i].pattern;
	return NULL;
}

int
conf_match_check(enum conf_criterion criterion, const char *pattern,
    char why[OPTION_WHY_MAX])
{
	if (criteria[criterion].check == NULL)
		return *pattern == '\0' ? 0 : -EBADMSG;
	if (*pattern == '\0') {
		snprintf(why, OPTION_WHY_MAX,
		    "Match: a pattern is missing behind %s",
		    criteria[criterion].name);
		return -EBADMSG;
	}
	return criteria[criterion].check(pattern, why);
}

/* The criterion that the word, up to a "=", names. */
static int
find(const char *word, enum conf_criterion *out_criterion,
    char why[OPTION_WHY_MAX])
{
	int len = (int)strcspn(word, "=");

	for (size_t i = 0; i < MATCH_COUNT; i++) {
		bool whole = criteria[i].check == NULL;

		if (strncasecmp(criteria[i].name, word, (size_t)len) != 0 ||
		    criteria[i].name[len] != '\0' ||
		    (whole && word[len] == '='))
			continue;
		*out_criterion = (enum conf_criterion)i;
		return 0;
	}
	snprintf(why, OPTION_WHY_MAX,
	    "Match: \"%.64s\" is none of All, Invalid-User, User, Group, "
	    "Host, Address, LocalAddress, LocalPort, Version and RDomain",
	    word);
	return -EBADMSG;
}

/* One criterion and its pattern; *i is the word that comes next. */
static int
parse_one(struct conf *conf, const struct words *words, size_t *i,
    char why[OPTION_WHY_MAX])
{
	const char *word = words->v[(*i)++];
	const char *pattern = "";
	enum conf_criterion c;
	int rc = find(word, &c, why);

	if (rc != 0)
		return rc;
	if (c == MATCH_ALL && words->n > 1) {
		snprintf(why, OPTION_WHY_MAX, "Match: All has to stand alone");
		return -EBADMSG;
	}
	if (criteria[c].check != NULL) {
		const char *equals = strchr(word, '=');

		if (equals != NULL)
			pattern = equals + 1;
		else if (*i < words->n)
			pattern = words->v[(*i)++];
	}
	rc = conf_match_check(c, pattern, why);
	return rc != 0 ? rc : conf_add_condition(conf, c, pattern);
}

int
conf_match_parse(struct conf *conf, const struct words *words, uint32_t parent,
    uint32_t *out_block, char why[OPTION_WHY_MAX])
{
	int rc = conf_add_block(conf, parent, out_block);

	if (rc == 0 && words->n == 0) {
		snprintf(why, OPTION_WHY_MAX, "Match: a criterion is missing");
		rc = -EBADMSG;
	}
	for (size_t i = 0; rc == 0 && i < words->n;)
		rc = parse_one(conf, words, &i, why);
	return rc;
}

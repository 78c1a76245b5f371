/*
 * The table of sources. Runs in sshd as root; a tree and no hash, because the
 * addresses are of strangers' choice.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/source.h"

static int
compare(const struct source *a, const struct source *b)
{
	if (a->key.family != b->key.family)
		return a->key.family < b->key.family ? -1 : 1;
	if (a->key.bits != b->key.bits)
		return a->key.bits < b->key.bits ? -1 : 1;
	return memcmp(a->key.addr, b->key.addr, sizeof(a->key.addr));
}

/* tree(3) makes more functions than are called here. */
#define TREE_ATTR static __attribute__((unused))
RB_PROTOTYPE_INTERNAL(source_tree, source, by_key, compare, TREE_ATTR)
RB_GENERATE_INTERNAL(source_tree, source, by_key, compare, TREE_ATTR)

void
sources_init(struct sources *t)
{
	RB_INIT(&t->tree);
	t->n = 0;
}

/* --- keys */

static void
cut(struct source_key *key)
{
	for (size_t i = 0; i < sizeof(key->addr); i++) {
		unsigned left =
		    key->bits > i * 8 ? key->bits - (unsigned)i * 8 : 0;

		if (left < 8)
			key->addr[i] &= (uint8_t)(0xff00 >> left);
	}
}

static void
key_v4(struct source_key *key, const void *addr, const struct netblock *block)
{
	key->family = AF_INET;
	key->bits = (uint8_t)block->bits4;
	memcpy(key->addr, addr, sizeof(struct in_addr));
	cut(key);
}

static void
key_v6(struct source_key *key, const struct in6_addr *addr,
    const struct netblock *block)
{
	if (IN6_IS_ADDR_V4MAPPED(addr)) {
		key_v4(key, addr->s6_addr + 12, block);
		return;
	}
	key->family = AF_INET6;
	key->bits = (uint8_t)block->bits6;
	memcpy(key->addr, addr, sizeof(*addr));
	cut(key);
}

int
source_key_text(
    const char *addr, const struct netblock *block, struct source_key *out_key)
{
	struct source_key key = { .family = 0 };
	struct in_addr v4;
	struct in6_addr v6;
	char plain[INET6_ADDRSTRLEN];

	/* The scope of a link-local address says nothing about its host. */
	if (strcspn(addr, "%") >= sizeof(plain))
		return -EBADMSG;
	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(addr, "%"), addr);
	if (inet_pton(AF_INET, plain, &v4) == 1)
		key_v4(&key, &v4, block);
	else if (inet_pton(AF_INET6, plain, &v6) == 1)
		key_v6(&key, &v6, block);
	else
		return -EBADMSG;
	*out_key = key;
	return 0;
}

int
source_key_parse(const char *text, struct source_key *out_key)
{
	struct netblock block = { 32, 128 };
	char addr[SOURCE_TEXT_MAX];
	const char *slash = strchr(text, '/'), *why;
	long long bits;

	if (slash == NULL || slash - text >= (ptrdiff_t)sizeof(addr))
		return -EBADMSG;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	bits =
	    strtonum(slash + 1, 0, strchr(addr, ':') != NULL ? 128 : 32, &why);
	if (why != NULL)
		return -EBADMSG;
	block.bits4 = block.bits6 = (int)bits;
	return source_key_text(addr, &block, out_key);
}

void
source_text(const struct source_key *key, char out[SOURCE_TEXT_MAX])
{
	char addr[INET6_ADDRSTRLEN] = "UNKNOWN";

	(void)inet_ntop(key->family, key->addr, addr, sizeof(addr));
	snprintf(out, SOURCE_TEXT_MAX, "%s/%u", addr, key->bits);
}

/* --- the table */

struct source *
sources_find(struct sources *t, const struct source_key *key)
{
	struct source like = { .key = *key };

	return RB_FIND(source_tree, &t->tree, &like);
}

struct source *
sources_next(struct sources *t, const struct source_key *after)
{
	struct source like, *s;

	if (after == NULL)
		return RB_MIN(source_tree, &t->tree);
	like = (struct source){ .key = *after };
	s = RB_NFIND(source_tree, &t->tree, &like);
	/* The first at or after it; it may be gone meanwhile. */
	return s != NULL && compare(s, &like) == 0
		   ? RB_NEXT(source_tree, &t->tree, s)
		   : s;
}

struct source *
sources_hold(struct sources *t, const struct source_key *key)
{
	struct source *s = sources_find(t, key);

	if (s == NULL) {
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return NULL;
		s->key = *key;
		RB_INSERT(source_tree, &t->tree, s);
		t->n++;
	}
	s->holds++;
	return s;
}

void
sources_release(struct sources *t, struct source *s)
{
	if (--s->holds != 0)
		return;
	RB_REMOVE(source_tree, &t->tree, s);
	t->n--;
	free(s);
}

void
sources_each(
    struct sources *t, void (*each)(void *arg, struct source *s), void *arg)
{
	struct source *s, *next;

	RB_FOREACH_SAFE(s, source_tree, &t->tree, next)
	each(arg, s);
}

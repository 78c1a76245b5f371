/*
 * Session identifiers that were used. Runs in sshd as root; an identifier is
 * what a network process chose, so only its keyed hash decides where it goes.
 */
#include "config.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/seen.h"

#define SLOTS_LEAST 1024

/*
 * 64 bits of an HMAC. Two that are equal by chance, which is one in 2^44 at
 * the limit, refuse a login; none is ever granted by it.
 */
static int
tag_of(struct seen *seen, struct span id, uint64_t *out_tag)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned len = sizeof(mac);

	if (!seen->ready)
		arc4random_buf(seen->key, sizeof(seen->key));
	seen->ready = true;
	if (HMAC(EVP_sha256(), seen->key, sizeof(seen->key), id.p, id.len, mac,
		&len) == NULL)
		return -ENOMEM;
	memcpy(out_tag, mac, sizeof(*out_tag));
	*out_tag += *out_tag == 0;
	return 0;
}

/* The slot that has the tag, or where it would go. The set is never full. */
static uint64_t *
slot_of(const struct seen_set *set, uint64_t tag)
{
	size_t i = tag & (set->size - 1);

	while (set->slots[i] != 0 && set->slots[i] != tag)
		i = (i + 1) & (set->size - 1);
	return &set->slots[i];
}

static bool
has(const struct seen_set *set, uint64_t tag)
{
	return set->size != 0 && *slot_of(set, tag) == tag;
}

/* Twice the size, or the first one. */
static int
grow(struct seen_set *set)
{
	struct seen_set larger = { .size = set->size * 2, .n = set->n };

	if (set->size == 0)
		larger.size = SLOTS_LEAST;
	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i] != 0)
			*slot_of(&larger, set->slots[i]) = set->slots[i];
	free(set->slots);
	*set = larger;
	return 0;
}

static int
put(struct seen *seen, uint64_t tag)
{
	struct seen_set *now = &seen->sets[0];

	if (now->n == SEEN_GENERATION) {
		free(seen->sets[1].slots);
		seen->sets[1] = *now;
		*now = (struct seen_set){ .n = 0 };
	}
	if ((now->n + 1) * 2 > now->size && grow(now) != 0)
		return -ENOMEM;
	*slot_of(now, tag) = tag;
	now->n++;
	return 0;
}

bool
seen_claim(struct seen *seen, struct span id)
{
	uint64_t tag;

	return tag_of(seen, id, &tag) == 0 && !has(&seen->sets[0], tag) &&
	       !has(&seen->sets[1], tag) && put(seen, tag) == 0;
}

void
seen_done(struct seen *seen)
{
	for (size_t i = 0; i < nitems_of(seen->sets); i++)
		free(seen->sets[i].slots);
	*seen = (struct seen){ .ready = false };
}

/*
 * Patterns and address ranges. Runs in the monitor and in the programs that
 * read configuration. Lists come from files, texts from the network; nothing
 * here asks a name server, and no text makes a match slow.
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/pattern.h"
#include "common/wire.h"

/* Longest numeric address with "/128" behind it, and the NUL. */
#define CIDR_TEXT_MAX (INET6_ADDRSTRLEN + 4)
#define CIDR_BITS_DIGITS 3

/* ::ffff:0:0/96, RFC 4291 section 2.5.5.2. */
static const uint8_t v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };

static bool
pattern_char_eq(char a, char b, enum pattern_case c)
{
	if (c == PATTERN_NOCASE)
		return tolower((unsigned char)a) == tolower((unsigned char)b);
	return a == b;
}

/*
 * On a mismatch only the last * needs another try: whatever an earlier one
 * could take, the later one can take as well.
 */
static bool
pattern_span_match(const char *text, struct span pattern, enum pattern_case c)
{
	const char *p = (const char *)pattern.p;
	const char *end = p + pattern.len;
	const char *star = NULL;
	const char *resume = NULL;

	while (*text != '\0') {
		if (p < end && *p == '*') {
			star = ++p;
			resume = text;
		} else if (p < end &&
			   (*p == '?' || pattern_char_eq(*p, *text, c))) {
			p++;
			text++;
		} else if (star != NULL) {
			p = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

bool
pattern_match(const char *text, const char *pattern, enum pattern_case c)
{
	return pattern_span_match(text, span_of(pattern, strlen(pattern)), c);
}

/* One member of a list. */
struct member {
	struct span text;
	bool negated;
};

/* Cut the next member off *list; false, with *list NULL, when at the end. */
static bool
member_next(const char **list, struct member *out_member)
{
	const char *p = *list;
	size_t len;

	if (p == NULL)
		return false;
	out_member->negated = *p == '!';
	if (out_member->negated)
		p++;
	len = strcspn(p, ",");
	out_member->text = span_of(p, len);
	*list = p[len] == ',' ? p + len + 1 : NULL;
	return true;
}

int
pattern_list_match(const char *text, const char *list, enum pattern_case c)
{
	struct member m;
	int verdict = 0;

	while (member_next(&list, &m)) {
		bool too_long = m.text.len > PATTERN_MAX;

		if (m.negated &&
		    (too_long || pattern_span_match(text, m.text, c)))
			return -1;
		if (!m.negated && !too_long &&
		    pattern_span_match(text, m.text, c))
			verdict = 1;
	}
	return verdict;
}

/* v4-mapped becomes IPv4, so that each address has one form. */
static void
cidr_unmap(struct cidr *range)
{
	if (range->family != AF_INET6 || range->bits < 96 ||
	    memcmp(range->addr, v4_mapped, sizeof(v4_mapped)) != 0)
		return;
	memmove(range->addr, range->addr + 12, 4);
	memset(range->addr + 4, 0, 12);
	range->family = AF_INET;
	range->bits -= 96;
}

/* A bare address, all its bits counting. */
static int
cidr_parse_addr(const char *text, struct cidr *out_addr)
{
	struct cidr a = { .family = AF_INET, .bits = 32 };

	if (inet_pton(AF_INET, text, a.addr) != 1) {
		a.family = AF_INET6;
		a.bits = 128;
		if (inet_pton(AF_INET6, text, a.addr) != 1)
			return -EBADMSG;
	}
	*out_addr = a;
	return 0;
}

/* Decimal digits only; anything else is no mask, not a wrong one. */
static int
cidr_parse_bits(const char *text, unsigned most, unsigned *out_bits)
{
	size_t len = strlen(text);
	unsigned bits = 0;

	if (len == 0 || strspn(text, "0123456789") != len)
		return -EBADMSG;
	if (len > CIDR_BITS_DIGITS)
		return -ERANGE;
	for (size_t i = 0; i < len; i++)
		bits = bits * 10 + (unsigned)(text[i] - '0');
	if (bits > most)
		return -ERANGE;
	*out_bits = bits;
	return 0;
}

static bool
cidr_bit(const uint8_t *addr, unsigned i)
{
	return (addr[i / 8] >> (7 - i % 8) & 1) != 0;
}

static bool
cidr_host_bits_clear(const struct cidr *range, unsigned most)
{
	for (unsigned i = range->bits; i < most; i++)
		if (cidr_bit(range->addr, i))
			return false;
	return true;
}

static int
cidr_parse_span(struct span text, struct cidr *out_range)
{
	char buf[CIDR_TEXT_MAX];
	struct cidr range;
	unsigned most;
	char *slash;
	int r;

	if (text.len >= sizeof(buf) || memchr(text.p, '\0', text.len) != NULL)
		return -EBADMSG;
	memcpy(buf, text.p, text.len);
	buf[text.len] = '\0';
	slash = strchr(buf, '/');
	if (slash != NULL)
		*slash = '\0';
	r = cidr_parse_addr(buf, &range);
	if (r != 0)
		return r;
	most = range.bits;
	if (slash != NULL)
		r = cidr_parse_bits(slash + 1, most, &range.bits);
	if (r == 0 && !cidr_host_bits_clear(&range, most))
		r = -ERANGE;
	if (r != 0)
		return r;
	cidr_unmap(&range);
	*out_range = range;
	return 0;
}

int
cidr_parse(const char *text, struct cidr *out_range)
{
	return cidr_parse_span(span_of(text, strlen(text)), out_range);
}

/* A peer's address: without its scope, and IPv4 if it can be. */
static int
cidr_parse_peer(const char *addr, struct cidr *out_addr)
{
	char buf[INET6_ADDRSTRLEN];
	size_t len = strcspn(addr, "%");
	struct cidr a;
	int r;

	if (len >= sizeof(buf))
		return -EBADMSG;
	memcpy(buf, addr, len);
	buf[len] = '\0';
	r = cidr_parse_addr(buf, &a);
	if (r != 0)
		return r;
	cidr_unmap(&a);
	*out_addr = a;
	return 0;
}

static bool
cidr_holds(const struct cidr *range, const struct cidr *addr)
{
	if (range->family != addr->family)
		return false;
	for (unsigned i = 0; i < range->bits; i++)
		if (cidr_bit(range->addr, i) != cidr_bit(addr->addr, i))
			return false;
	return true;
}

static bool
contains(const struct cidr *range, const char *addr)
{
	struct cidr a;

	return cidr_parse_peer(addr, &a) == 0 && cidr_holds(range, &a);
}

int
cidr_match(const char *addr, const char *range)
{
	struct cidr c;
	int r = cidr_parse(range, &c);

	return r != 0 ? r : contains(&c, addr);
}

int
cidr_list_match(const char *addr, const char *list)
{
	struct member m;
	int verdict = 0;

	while (member_next(&list, &m)) {
		struct cidr range;
		int r = m.negated ? -EBADMSG : cidr_parse_span(m.text, &range);

		if (r != 0)
			return r;
		if (addr != NULL && contains(&range, addr))
			verdict = 1;
	}
	return verdict;
}

int
pattern_peer_check(const char *list)
{
	struct member m;

	while (member_next(&list, &m)) {
		struct cidr range;

		if (m.text.len == 0 || m.text.len > PATTERN_MAX)
			return -EBADMSG;
		if (cidr_parse_span(m.text, &range) == -ERANGE)
			return -ERANGE;
	}
	return 0;
}

/* The peer, in each form that a member may name it. */
struct peer {
	const char *addr;
	const char *host;
	char v4[INET_ADDRSTRLEN]; /* "" unless addr is IPv4 or mapped */
};

static bool
peer_matches(const struct peer *peer, struct span member)
{
	struct cidr range;

	if (cidr_parse_span(member, &range) == 0)
		return contains(&range, peer->addr);
	if (peer->host != NULL &&
	    pattern_span_match(peer->host, member, PATTERN_NOCASE))
		return true;
	if (peer->v4[0] != '\0')
		return pattern_span_match(peer->v4, member, PATTERN_NOCASE);
	return pattern_span_match(peer->addr, member, PATTERN_NOCASE);
}

int
pattern_peer_match(const char *list, const char *addr, const char *host)
{
	struct peer peer = { .addr = addr, .host = host };
	struct cidr numeric;
	struct member m;
	int verdict = 0;
	int r = pattern_peer_check(list);

	if (r != 0)
		return r;
	/* A name server must not be able to answer with an address. */
	if (host != NULL && cidr_parse_peer(host, &numeric) == 0)
		peer.host = NULL;
	if (cidr_parse_peer(addr, &numeric) == 0 && numeric.family == AF_INET)
		inet_ntop(AF_INET, numeric.addr, peer.v4, sizeof(peer.v4));
	while (member_next(&list, &m)) {
		if (!peer_matches(&peer, m.text))
			continue;
		if (m.negated)
			return 0;
		verdict = 1;
	}
	return verdict;
}

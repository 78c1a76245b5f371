/*
 * The pattern language of ssh_config(5) PATTERNS, and CIDR address/masklen
 * as in sshd_config(5) Match and sshd(8) from=. Patterns are configuration
 * or a user's file; the texts they are held against come from the network.
 */
#ifndef COMMON_PATTERN_H
#define COMMON_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

/* Longest single pattern of a list, in bytes. */
#define PATTERN_MAX 1023

enum pattern_case {
	PATTERN_CASE,   /* as written: users, groups, algorithm names */
	PATTERN_NOCASE, /* host names */
};

/* An address range; IPv4, also when written v4-mapped, has family AF_INET. */
struct cidr {
	int family;       /* AF_INET or AF_INET6 */
	uint8_t addr[16]; /* network order; the first 4 bytes for AF_INET */
	unsigned bits;    /* length of the prefix */
};

/*
 * Whether all of text matches one pattern: * is any run of characters, ? any
 * one. Time is at most the product of the lengths, whatever the pattern.
 */
bool pattern_match(const char *text, const char *pattern, enum pattern_case c);

/*
 * Hold text against a comma-separated list whose members may begin with "!".
 * 1: a member matches and no negated one does; 0: none matches, or a member
 * is longer than PATTERN_MAX and the rest decides nothing; -1: a negated
 * member matches, or a negated one is too long to try.
 */
int pattern_list_match(const char *text, const char *list, enum pattern_case c);

/*
 * Read "address" or "address/bits". -EBADMSG when it is no numeric address;
 * -ERANGE when bits are too many or address bits are set behind the prefix
 * (OpenSSH calls that an inconsistent mask).
 */
int cidr_parse(const char *text, struct cidr *out_range);

/*
 * Whether a numeric address (a %scope is ignored, v4-mapped is IPv4) lies in
 * the range: 1, or 0, also when addr is no address; or the error of
 * cidr_parse().
 */
int cidr_match(const char *addr, const char *range);

/*
 * Hold a peer against a list that may mix CIDR ranges, address wildcards and
 * host name patterns, with negation (sshd(8) from=, Match Address and Host).
 * host may be NULL, no name is known; one that looks like an address is not
 * looked at. 1: it matches; 0: it does not, or a negated member matches;
 * -EBADMSG or -ERANGE: the list is not well formed, whatever the peer.
 */
int pattern_peer_match(const char *list, const char *addr, const char *host);

/* 0 when pattern_peer_match() would accept the list, else its error. */
int pattern_peer_check(const char *list);

/*
 * Hold an address against a list of CIDR ranges only: no wildcard, name or
 * negation (a certificate's source-address). 1, 0, -EBADMSG or -ERANGE; with
 * addr NULL only the list is checked.
 */
int cidr_list_match(const char *addr, const char *list);

#endif

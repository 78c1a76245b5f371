/* TCP connections to a host: all its addresses, the fastest wins. */
#ifndef CLIENT_DIAL_H
#define CLIENT_DIAL_H

struct dial {
	const char *host;
	int port;
	int family;                 /* FAMILY_ of sshconf.h */
	int timeout;                /* seconds for one round; 0: the system's */
	int attempts;               /* rounds, a second apart */
	const char *bind_address;   /* NULL: any */
	const char *bind_interface; /* NULL: any */
};

/*
 * Look the name up and connect: an address is given a quarter of a second
 * before the next one is tried beside it, and the first that answers is taken
 * (RFC 8305). Returns a socket, which is the caller's and not blocking, or
 * -errno, and says what went wrong with host and port.
 */
int dial(const struct dial *d);

#endif

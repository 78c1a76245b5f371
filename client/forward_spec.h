/*
 * What -L, -R and -D are given: [bind:]port:host:port, sockets of files in
 * place of either, [bind:]port alone for a SOCKS proxy. The text is the
 * user's.
 */
#ifndef CLIENT_FORWARD_SPEC_H
#define CLIENT_FORWARD_SPEC_H

#include <stdbool.h>

#define FORWARD_TEXT_MAX 512 /* bytes that forward_text() writes */

enum forward_kind {
	FORWARD_LOCAL,
	FORWARD_REMOTE,
	FORWARD_DYNAMIC
};

struct forward_spec {
	enum forward_kind kind;
	char *bind;        /* NULL: loopback; "*": all */
	int port;          /* to listen on; -R: 0 lets the server choose */
	char *listen_path; /* or a socket's file */
	char *host;        /* where connections go; NULL: where they say */
	int host_port;
	char *host_path;
};

/*
 * 0: release with forward_spec_done(). -EBADMSG: *out_why, static, says why;
 * -ENOTSUP: it is one that we cannot do, likewise; -ENOMEM.
 */
int forward_parse(enum forward_kind kind, const char *text,
    struct forward_spec *out, const char **out_why);
void forward_spec_done(struct forward_spec *s);

/* "[127.0.0.1]:80 -> host:80", for messages. */
void forward_text(const struct forward_spec *s, char text[FORWARD_TEXT_MAX]);

/* "[127.0.0.1]:80 [host]:80", as in a file. Owned; NULL without memory. */
char *forward_setting(const struct forward_spec *s);

/* Whether who connects says where to go: -D, and -R with a port alone. */
bool forward_is_socks(const struct forward_spec *s);

/* Whether both listen at the same place. */
bool forward_same(const struct forward_spec *a, const struct forward_spec *b);

/* "host:port", as -W has it. Owned host. 0 or -EBADMSG, -ENOMEM. */
int forward_parse_host(const char *text, char **out_host, int *out_port);

#endif

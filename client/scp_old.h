/*
 * The old protocol of scp and rcp, the client's side: lines and bytes over one
 * command on the other machine. What comes from there is hostile. Between
 * scp_old.c, scp_old_send.c and scp_old_take.c.
 */
#ifndef CLIENT_SCP_OLD_H
#define CLIENT_SCP_OLD_H

#include <stdint.h>

#include "client/scp.h"

/* A line of the protocol: mode, size, name. */
#define OLD_LINE_MAX 8192
#define OLD_BUFFER (256u << 10)
/* Directories in directories, as with SFTP. */
#define OLD_DEPTH_MAX XFER_DEPTH_MAX

struct old {
	struct scp *s;
	struct link *link;
	uint8_t *in;
	size_t at, len;  /* of what was received and not yet taken */
	uint64_t due_us; /* -l: not before this time goes the next */
};

/*
 * All n bytes, or the reason why not: -EPIPE: the other side has ended;
 * -EINTR: ^C.
 */
int old_read(struct old *o, void *p, size_t n);
int old_write(struct old *o, const void *p, size_t n);
/* What is there already, or comes next: 1 to n bytes; *out_n is how many. */
int old_read_some(struct old *o, void *p, size_t n, size_t *out_n);
/* A line without its newline; -EMSGSIZE, or -EBADMSG if it holds a NUL. */
int old_line(struct old *o, char out_line[OLD_LINE_MAX]);
/* A line that is made here. */
int old_say(struct old *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Tell the other side, and the user, that a file cannot be done. Counted. */
int old_complain(struct old *o, const char *name, int error);
/*
 * The other side's answer: 0; 1: it could not do that one file, which has been
 * shown and counted; or negative: it is over.
 */
int old_response(struct old *o);

/* Send a file or directory of this machine. Negative: it is over. */
int old_send(struct old *o, const char *path);
/*
 * Take what the other side sends, into target. pattern: what was asked for;
 * names must match its last component, unless -T was given.
 */
int old_take(struct old *o, const char *pattern, const char *target);

#endif

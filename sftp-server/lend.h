/*
 * File data that goes to the client without being copied here: the kernel puts
 * the pages of a file into a pipe of our own, the stage, behind the header of
 * their reply, and moves both on from there to stdout.
 */
#ifndef SFTP_SERVER_LEND_H
#define SFTP_SERVER_LEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct handle;

/* The two ends of the stage, where the jail knows them. */
#define STAGE_IN_FD 5
#define STAGE_OUT_FD 6

struct lender {
	bool is_on;    /* there is a stage */
	bool is_lent;  /* stdout may hold pages of a file */
	size_t staged; /* bytes owed to the client, behind those of s->out */
	int error;     /* the stage broke, and the session with it */
};

/*
 * Make the stage, if stdout is a pipe and the system gives us one of full size;
 * else nothing is lent. To be called before the jail.
 */
void lend_begin(struct server *s);

/*
 * Reply to a READ of want bytes by lending them, all of them or nothing. false:
 * nothing was done, and they have to be copied.
 */
bool lend_read(
    struct server *s, struct handle *h, uint32_t id, uint64_t at, size_t want);
/* A READ of want bytes got that many, copied: may the next one be lent? */
void lend_consider(struct server *s, struct handle *h, size_t want);

/* Move what is staged to stdout, as far as it goes: 0 or -EPIPE. */
int lend_send(struct server *s);

/*
 * Before a reply is put into s->out: what is staged comes before it, so it is
 * sent, or copied into s->out after all. Nothing of the reply may be there yet.
 */
void lend_settle(struct server *s);

/*
 * Wait until nothing of a file is in stdout any more. 0, or as
 * server_pause().
 */
int lend_await(struct server *s);

#endif

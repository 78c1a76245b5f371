/*
 * The open files and directories of a session. A handle on the wire is a slot
 * and the slot's generation, so that one that was closed, or made up, is none.
 */
#ifndef SFTP_SERVER_HANDLE_H
#define SFTP_SERVER_HANDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct digest;

enum handle_kind {
	HANDLE_FREE,
	HANDLE_FILE,
	HANDLE_DIR,
};

struct handle {
	enum handle_kind kind;
	uint32_t generation;
	uint32_t next_free;
	int fd;
	int flags;  /* of open(2) */
	char *name; /* as the client gave it, for the log */
	uint64_t nread, nwritten;
	uint64_t number; /* for the audit record */
	struct timespec opened;
	struct digest *digest; /* NULL: none is wanted */
	bool is_failed;        /* a read or write did, and the log says so */
	bool is_lendable;      /* see lend.h */
};

struct handles {
	struct handle *slot;
	uint32_t nslots;
	uint32_t max;
	uint32_t free_head; /* index + 1; 0: none */
	uint32_t nwriters;  /* of them may be written to */
};

/* Most handles at a time, whatever RLIMIT_NOFILE is. */
#define HANDLE_MAX 16384
/* Descriptors that are not handles: stdio, the log, the root directory, the
 * stage, passwd(5), spare. */
#define HANDLE_RESERVE 10

/* An empty table for as many as RLIMIT_NOFILE and HANDLE_MAX allow. */
void handles_init(struct handles *h);
/* Close all and free. */
void handles_done(struct handles *h);

/*
 * Add an open file: the table takes *fd (-1 then) and copies the name. -EMFILE
 * when the table is full, -ENOMEM; *fd stays the caller's then.
 */
int handles_add(
    struct handles *h, const struct handle *proto, int *fd, uint64_t *out_id);

/* The handle, or NULL when there is no such one. Valid until the next add. */
struct handle *handles_get(struct handles *h, uint64_t id);
/* As above, but only of the kind. */
struct handle *handles_get_kind(
    struct handles *h, uint64_t id, enum handle_kind kind);

/* Close it: 0, or close(2)'s error; its id is good for nothing any more. */
int handles_close(struct handles *h, struct handle *handle);

#endif

/*
 * The parts of sftpload: what it does (sftpload_jobs.c), and the conversation
 * in which it does it (sftpload.c).
 */
#ifndef REGRESS_BENCH_SFTPLOAD_H
#define REGRESS_BENCH_SFTPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/sftp.h"
#include "common/wire.h"

#define SLOTS_MAX 1024

struct load;

/* One request in flight, and what comes after it. */
struct slot {
	uint32_t step;
	uint64_t at;
	uint8_t handle[SFTP_HANDLE_MAX];
	size_t handle_len;
	bool is_busy;
};

struct job {
	const char *name;
	const char *usage;
	/* Send what a free slot is for; false: nothing is left to send. */
	bool (*next)(struct load *l, struct slot *slot);
	/* Take a reply. true: the slot is free again. */
	bool (*took)(
	    struct load *l, struct slot *slot, uint8_t type, struct reader *r);
};

struct load {
	const struct job *job;
	const char *path;
	uint64_t total; /* bytes, files or, of a listing, entries */
	uint32_t block; /* bytes of a READ or WRITE */
	unsigned width; /* slots in use */

	struct slot slot[SLOTS_MAX];
	unsigned nbusy;
	struct slot shared; /* the one handle of a large file or directory */
	bool is_open, at_end;
	uint64_t next, done;
	uint64_t nrequests;

	int from, to;
	struct writer out;
	size_t sent;
	uint8_t *in;
	size_t in_head, in_tail;
	uint8_t *data; /* what is written, block bytes */
};

/* By name, or NULL; and all of them, one a line. */
const struct job *job_find(const char *name);
void jobs_print(void);

/* What comes before the first slot is filled: an OPEN, OPENDIR or nothing. */
void job_begin(struct load *l);
/* The reply to it. */
void job_begun(struct load *l, uint8_t type, struct reader *r);

/* Say why on stderr, and exit. */
void die(const char *what) __attribute__((noreturn));

#endif

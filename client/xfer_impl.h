/*
 * Between the engine (xfer.c) and its ends (xfer_from_*.c, xfer_to_*.c). An end
 * does what an operation says, at once or later, and reports back by one of
 * the functions below; results are those of client/xfer_peer.h.
 */
#ifndef CLIENT_XFER_IMPL_H
#define CLIENT_XFER_IMPL_H

#include <dirent.h>

#include "client/sftp_list.h"
#include "client/xfer.h"

enum job_state {
	JOB_WAITING,   /* in the queue */
	JOB_OPENING,   /* asked about, opened at one end or both */
	JOB_MOVING,    /* data flows */
	JOB_FINISHING, /* all data is at the sink */
};

/* One file or directory. Owned by the engine; gone after its last report. */
struct job {
	struct xfer *x;
	struct job *up;          /* the directory that it lies in, or NULL */
	struct job *next;        /* in one queue at a time */
	char *name;              /* below up; NULL at the top */
	char *from, *to;         /* whole paths; made when it begins */
	struct sftp_attrs attrs; /* of the source */
	enum job_state state;
	bool chosen; /* its name was chosen by a server */
	bool is_dir;
	bool failed;     /* told and counted */
	bool counted;    /* among x->files */
	bool holds;      /* among x->opened */
	bool source_end; /* there is no more to read */
	unsigned depth;
	unsigned children; /* jobs of this directory that are not over */
	bool listed;       /* no more children will come */

	uint64_t start;   /* where the sink's file ended (resume) */
	uint64_t next_at; /* of the next request for data */
	uint64_t moved;   /* bytes that are at the sink */
	bool held;        /* in the middle of something: do not finish it */

	/* the source */
	int from_fd;
	DIR *from_dir;
	struct writer from_handle;
	unsigned reading; /* READ or READDIR in flight */
	unsigned asking;  /* STAT or OPENDIR in flight, of a job that opens */
	uint64_t end_at;  /* from here on there is nothing, the server says */
	/* the sink */
	int to_fd; /* file, or directory to create in */
	struct writer to_handle;
	unsigned writing;        /* requests of the sink without an answer */
	uint64_t contiguous;     /* all before this has been written */
	struct extent *islands;  /* and these parts beyond it */
	struct stripes *stripes; /* further sessions; NULL: there are none */
	uint64_t opened_us;      /* when it was asked for */
	bool created;            /* the sink's directory is new */
};

/* A part that was written before what is in front of it. */
struct extent {
	struct extent *next;
	uint64_t at, end;
};

/* Data asked for: which part of which file. */
struct chunk {
	struct job *job;
	uint64_t at;
	uint32_t len;
	uint32_t got; /* by the request before, which was cut short */
	bool whole;   /* CLOSE is right behind it */
	uint64_t asked_us;
};

struct from_ops {
	/* Learn attrs, and open if it is a file; job_opened(). */
	void (*open)(struct job *j);
	/* Begin a listing: job_entry() for each, job_listed(). */
	void (*list)(struct job *j);
	/* Go on with it: there is room for more entries. */
	void (*list_more)(struct job *j);
	/* Ask for the next part, of at most len bytes; job_data(), or
	 * source_end. False: nothing to ask for at present. */
	bool (*pull)(struct job *j, uint32_t len);
	/* Release; nothing is in flight. */
	void (*close)(struct job *j);
	/* Open once more what was closed, after job_again(); job_ready(). */
	void (*open_again)(struct job *j);
};

struct to_ops {
	/* Create or open the file; job_ready(). */
	void (*open)(struct job *j);
	/* Create the directory, if need be; job_ready(). */
	void (*mkdir)(struct job *j);
	/* Take data; job_written(). */
	void (*write)(struct job *j, uint64_t at, struct span data);
	/* Modes, times, fsync, close, of a file or directory, behind what is
	 * still being written; job_over(). */
	void (*finish)(struct job *j);
};

extern const struct from_ops from_local, from_server;
extern const struct to_ops to_local, to_server;

/* Sessions beside the first that one file goes over; see xfer_stripe.h. */
#define TWINS_MAX 3

struct queue {
	struct job *first, **last;
	unsigned n;
};

struct xfer {
	struct peer *from_peer, *to_peer;
	struct peer *twins[TWINS_MAX]; /* of to_peer */
	unsigned ntwins;
	const struct from_ops *from;
	const struct to_ops *to;
	struct xfer_options options;
	struct progress *progress;
	struct xfer_result result;
	struct queue waiting; /* files */
	struct queue dirs;    /* directories: the newest first */
	struct queue moving;
	struct queue listing;
	struct queue again; /* files whose handles were let go too early */
	unsigned alive;     /* jobs that are not over */
	unsigned opened;    /* files that hold, or ask for, handles */
	unsigned files;     /* that have begun and are not over */
	unsigned files_max; /* of those, for each may be open on this machine */
	unsigned dirs_open; /* directories that are not over */
	unsigned dirs_begun; /* of those, not yet being listed */
	mode_t umask;
	bool stopping;
	bool wary;       /* a CLOSE right behind a READ was too early */
	uint8_t *buffer; /* for reads of this machine's files */
	/* window */
	uint64_t in_flight;
	uint64_t window;
	uint32_t chunk_cap; /* what the server gave when asked for more; 0 */
	uint64_t rtt_us;    /* least seen */
	uint64_t epoch_us, epoch_bytes;
	uint64_t last_us;
	double tokens; /* bytes that -l allows now */
};

/* client/xfer_queue.c; a job is in one queue at a time. */
void queue_init(struct queue *q);
void queue_push(struct queue *q, struct job *j);
void queue_push_front(struct queue *q, struct job *j);
/* The first; there is one. */
struct job *queue_pop(struct queue *q);
/* Also of a job that is not in it. */
void queue_remove(struct queue *q, const struct job *j);

/*
 * A failed job: one message, counted once. rc 0: the format says it all. The
 * report that was due follows all the same, and sees j->failed.
 */
void job_fail(struct job *j, struct peer *p, int rc, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The handle of a file is given back before the file is over. */
void job_let_go(struct job *j);

/* It was needed: open the file once more when there is one. */
void job_again(struct job *j);

/* Reports of the source. After them j may be gone. */
void job_opened(struct job *j);
void job_entry(
    struct job *dir, const char *name, const struct sftp_attrs *attrs);
void job_listed(struct job *dir);
/* Bytes that were asked for. */
void job_data(struct job *j, uint64_t at, struct span data);
/* Something has changed (source_end, failed, reading): is it at its end? */
void job_settle(struct job *j);
/* Reports of the sink. */
void job_ready(struct job *j);
void job_written(struct job *j, uint32_t len);
void job_over(struct job *j);

/* One of the requests that j->writing counts was answered. */
void sink_answered(struct job *j);

/* The sink has these bytes: contiguous and islands. 0 or -ENOMEM. */
int extent_note(struct job *j, uint64_t at, uint64_t end);
void extent_drop(struct job *j);

/* Whether entries may be added to the queues. */
bool xfer_wants_entries(const struct xfer *x);

/* client/xfer_window.c: how much may be in flight. */
void window_init(struct xfer *x);
/* Bytes that may be asked for this file now, one request's at most; 0: wait. */
uint32_t window_room(struct job *j);
void window_asked(struct xfer *x, uint32_t len);
/* An answer to what was asked at this time is here. */
void window_rtt(struct xfer *x, uint64_t asked_us);
/* len bytes that were asked for are through, or given up. */
void window_done(struct xfer *x, uint32_t len);
/* Milliseconds until -l lets more pass; -1: it does not matter. */
int window_pause(const struct xfer *x);
uint64_t window_now(void); /* microseconds, monotonic */

#endif

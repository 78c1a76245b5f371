/*
 * Lends the client pages of files through a pipe. Runs in sftp-server, jailed,
 * as the user; offsets and lengths are the client's, and the files may be
 * changed, cut or replaced by anybody meanwhile.
 *
 * A lent page is not a copy: until somebody reads it out of the pipe, what is
 * written into the file shows in it. Of other processes' writes that is as good
 * as any order, since the client has not got its reply yet. But its own
 * requests have an order (draft section 6: as if they were done one after the
 * other), and a READ must not show what a later one of them does:
 *
 * - WRITE, FSETSTAT and copy-data need a handle to write with. While there is
 *   one, nothing is lent; when one is opened, its id comes to the client behind
 *   all that was lent before. Who guesses it deceives himself.
 * - OPEN with TRUNC takes pages away from the file, whole. They stay as they
 *   are for who holds them.
 * - SETSTAT of a size writes zeros behind the new end, into a page that may be
 *   lent. It waits: lend_await().
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/lend.h"
#include "sftp-server/reply.h"
#include "sftp-server/server.h"

/* Smaller blocks are copied sooner than lent. Bytes. */
#define LEND_MIN (16u * 1024)
#define PAGE_MIN 4096u
/* Pages in the stage. */
#define STAGE_PAGES 128u
#define DATA_HEAD (SFTP_LEN_SIZE + 1 + 2 * sizeof(uint32_t))
/* Between two looks at whether the client's end has read on. */
#define AWAIT_MS_MAX 50

/* Nothing is lent while SEND_AT bytes are staged. Of each block the header and
 * both ends may take a page. */
_Static_assert(SEND_AT / PAGE_MIN + 3 * (SEND_AT / LEND_MIN) +
		       SFTP_DATA_MAX / PAGE_MIN + 3 <
		   STAGE_PAGES,
    "the largest block has room behind what is staged");

/* Out of the way of the places of the stage; -1 on failure. */
static int
fd_raise(int fd)
{
	int raised = fcntl(fd, F_DUPFD_CLOEXEC, STAGE_OUT_FD + 1);

	close(fd);
	return raised;
}

void
lend_begin(struct server *s)
{
	int size = (int)STAGE_PAGES * (int)sysconf(_SC_PAGESIZE);
	AUTOCLOSE int in = -1;
	AUTOCLOSE int out = -1;
	struct stat st;
	int fds[2];

	if (fstat(STDOUT_FILENO, &st) != 0 || !S_ISFIFO(st.st_mode) ||
	    pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	out = fd_raise(fds[0]);
	in = fd_raise(fds[1]);
	s->lend.is_on = in >= 0 && out >= 0 &&
			fcntl(in, F_SETPIPE_SZ, size) >= size &&
			dup3(in, STAGE_IN_FD, O_CLOEXEC) == STAGE_IN_FD &&
			dup3(out, STAGE_OUT_FD, O_CLOEXEC) == STAGE_OUT_FD;
}

/* Copy what is staged to the end of s->out, and drop extra bytes behind it. */
static void
take_back(struct server *s, size_t extra)
{
	size_t left = s->lend.staged + extra;
	uint8_t *to = reply_space(s, left);
	ssize_t n;

	for (; left > 0; left -= (size_t)n) {
		n = read(STAGE_OUT_FD, to, left);
		if (n <= 0) {
			s->lend.error = -EIO;
			return;
		}
		to += n;
	}
	reply_advance(s, s->lend.staged);
	s->lend.staged = 0;
	s->mark = s->out.len;
}

static bool
may_lend(const struct server *s, const struct handle *h, size_t want)
{
	return h->is_lendable && want >= LEND_MIN && s->handles.nwriters == 0 &&
	       h->digest == NULL;
}

/* How many of the bytes the kernel has put into the stage. */
static size_t
stage_data(struct handle *h, uint64_t at, size_t want)
{
	loff_t from = (loff_t)at;
	size_t done = 0;
	ssize_t n;

	do {
		n = splice(h->fd, &from, STAGE_IN_FD, NULL, want - done,
		    SPLICE_F_NONBLOCK);
		if (n > 0)
			done += (size_t)n;
	} while (done < want && (n > 0 || (n < 0 && errno == EINTR)));
	return done;
}

bool
lend_read(
    struct server *s, struct handle *h, uint32_t id, uint64_t at, size_t want)
{
	uint8_t head[DATA_HEAD];
	size_t done;

	if (!may_lend(s, h, want))
		return false;
	reply_poke(head, (uint32_t)(sizeof(head) - SFTP_LEN_SIZE + want));
	head[SFTP_LEN_SIZE] = SSH_FXP_DATA;
	reply_poke(head + SFTP_LEN_SIZE + 1, id);
	reply_poke(head + sizeof(head) - sizeof(uint32_t), (uint32_t)want);
	if (write(STAGE_IN_FD, head, sizeof(head)) != (ssize_t)sizeof(head))
		return false;
	done = stage_data(h, at, want);
	if (done == want) {
		s->lend.staged += sizeof(head) + want;
		s->lend.is_lent = true;
		return true;
	}
	/* The end of the file, or one that is not lent: its header promises
	 * too much. Asked again when a copied block was whole. */
	h->is_lendable = false;
	take_back(s, sizeof(head) + done);
	return false;
}

void
lend_consider(struct server *s, struct handle *h, size_t want)
{
	struct stat st;

	if (s->lend.is_on && want >= LEND_MIN && !h->is_lendable)
		h->is_lendable = fstat(h->fd, &st) == 0 && S_ISREG(st.st_mode);
}

int
lend_send(struct server *s)
{
	ssize_t n;

	while (s->lend.staged > 0) {
		n = splice(STAGE_OUT_FD, NULL, STDOUT_FILENO, NULL,
		    s->lend.staged, SPLICE_F_NONBLOCK);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			return -EPIPE;
		s->lend.staged -= (size_t)n;
	}
	return 0;
}

void
lend_settle(struct server *s)
{
	if (s->lend.staged == 0)
		return;
	/* That the client is gone is told by the next write, too. */
	(void)server_send(s);
	take_back(s, 0);
}

int
lend_await(struct server *s)
{
	int left, error, pause = 1;

	while (s->lend.is_lent) {
		if (ioctl(STDOUT_FILENO, FIONREAD, &left) != 0)
			return -errno;
		if (left == 0)
			s->lend.is_lent = false;
		else if ((error = server_pause(s, pause)) != 0)
			return error;
		if (pause < AWAIT_MS_MAX)
			pause *= 2;
	}
	return 0;
}

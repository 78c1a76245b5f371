/*
 * Directory listings. A directory handle is its descriptor: entries are looked
 * at relative to it, so that renaming the directory or swapping a link on the
 * way to it changes nothing of a listing that has begun.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/longname.h"
#include "sftp-server/op.h"
#include "sftp-server/place.h"
#include "sftp-server/reply.h"

/*
 * The draft promises clients 34000 bytes; all in use take 64 KiB, as a full
 * reply of OpenSSH's with long names has about as much. libssh2 once took
 * 80000 and sshfs takes 131072 at the most.
 */
#define LIST_MAX (60u * 1024)
/* Read from the kernel at a time. */
#define DENTS_SIZE 4096
/* getdents64(2): the smallest entry, and what one becomes in the reply. */
#define DENT_MIN 24
#define ENTRY_MAX (2 * 4 + LONGNAME_HEAD_MAX + 32)
/* The most that DENTS_SIZE bytes become: small names gain most. */
#define DENTS_REPLY_MAX (DENTS_SIZE / DENT_MIN * ENTRY_MAX + 2 * DENTS_SIZE)

_Static_assert(DENTS_REPLY_MAX < LIST_MAX, "one read fits a reply");
_Static_assert(LIST_MAX < REPLY_MAX, "a listing fits the room there is");

int
op_opendir(struct server *s, const struct request *q)
{
	struct handle proto = {
		.kind = HANDLE_DIR,
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK,
		.name = (char *)(uintptr_t)q->path[0],
	};
	AUTOCLOSE int fd = -1;
	uint64_t id;
	int error;

	slog(SLOG_INFO, "opendir \"%s\"", slog_name(q->path[0]));
	fd = place_open(s, q->path[0], proto.flags, 0);
	if (fd < 0)
		return fd;
	error = handles_add(&s->handles, &proto, &fd, &id);
	if (error != 0)
		return error;
	audit_opened(s, handles_get(&s->handles, id));
	return reply_handle(s, q->id, id);
}

struct entry {
	const char *name;
	struct stat st;
	bool is_seen; /* else only its kind is known */
};

/* Look at an entry. false: it is gone. */
static bool
entry_look(int fd, const struct dirent64 *d, struct entry *out_entry)
{
	const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	struct entry *e = out_entry;

	e->name = d->d_name;
	e->is_seen = fstatat(fd, d->d_name, &e->st, flags) == 0;
	if (e->is_seen)
		return true;
	if (errno == ENOENT)
		return false;
	memset(&e->st, 0, sizeof(e->st));
	e->st.st_mode = DTTOIF(d->d_type);
	return true;
}

static void
entry_write(struct server *s, struct longname *l, const struct entry *e)
{
	struct sftp_attrs attrs = sftp_attrs_of(&e->st);
	size_t name_len = strlen(e->name);
	size_t head_len;
	uint8_t *len;
	char *head;

	writer_string(&s->out, e->name, name_len);
	len = reply_space(s, sizeof(uint32_t) + LONGNAME_HEAD_MAX);
	head = (char *)len + sizeof(uint32_t);
	if (e->is_seen) {
		head_len = longname_head(l, &e->st, head);
	} else {
		attrs.flags = SSH_FILEXFER_ATTR_PERMISSIONS;
		head_len = longname_head_unseen(e->st.st_mode, head);
	}
	reply_poke(len, (uint32_t)(head_len + name_len));
	reply_advance(s, sizeof(uint32_t) + head_len);
	writer_bytes(&s->out, e->name, name_len);
	sftp_attrs_write(&s->out, &attrs);
}

/* Append the entries of one getdents64(2): how many, or -errno; -ENODATA at
 * the end of the directory. */
static int
list_some(struct server *s, struct longname *l, int fd)
{
	_Alignas(struct dirent64) char dents[DENTS_SIZE];
	ssize_t n = getdents64(fd, dents, sizeof(dents));
	const struct dirent64 *d;
	struct entry entry;
	int count = 0;

	if (n <= 0)
		return n < 0 ? -errno : REQUEST_EOF;
	for (ssize_t at = 0; at < n; at += d->d_reclen) {
		d = (const struct dirent64 *)(dents + at);
		if (!entry_look(fd, d, &entry))
			continue;
		entry_write(s, l, &entry);
		count++;
	}
	return count;
}

int
op_readdir(struct server *s, const struct request *q)
{
	struct handle *h =
	    handles_get_kind(&s->handles, q->handle[0], HANDLE_DIR);
	struct longname l = { .names = &s->names, .now = time(NULL) };
	size_t mark = reply_start(s, SSH_FXP_NAME, q->id);
	size_t count_at = s->out.len;
	uint32_t count = 0;
	int n = 0;

	if (h == NULL)
		return REQUEST_NO_HANDLE;
	writer_u32(&s->out, 0);
	while (s->out.len - mark + DENTS_REPLY_MAX <= LIST_MAX) {
		n = list_some(s, &l, h->fd);
		if (n < 0)
			break;
		count += (uint32_t)n;
	}
	/* An error behind the first entries comes back with the next READDIR,
	 * as the kernel says it again. */
	if (count == 0)
		return n < 0 ? n : REQUEST_EOF;
	reply_poke(s->out.p + count_at, count);
	sftp_finish(&s->out, mark);
	return REQUEST_REPLIED;
}

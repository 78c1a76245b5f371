/*
 * Writes the seeds of fuzz_msg out of msg.def: each row at its lower and at
 * its upper bounds. By hand, when rows have changed: make
 * regress/fuzz/seed_msg, and run it with regress/fuzz/corpus/msg.
 */
#include "config.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "common/err.h"
#include "common/own.h"
#include "regress/unit/msgfill.h"

static int
write_seed(const char *dir, enum msg_id id, enum msgfill bound)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTOCLOSE int fd = -1;
	struct msg m = msgfill(id, bound);
	char path[PATH_MAX];
	char *p;

	snprintf(path, sizeof(path), "%s/%s-%s", dir, msg_rule(id)->name,
	    bound == MSGFILL_MIN ? "least" : "most");
	for (p = path + strlen(dir); *p != '\0'; p++)
		*p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
	if (msg_encode(&m, &w) != 0)
		return -EBADMSG;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	return write(fd, w.p, w.len) == (ssize_t)w.len ? 0 : -EIO;
}

int
main(int argc, char **argv)
{
	int rc = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: seed_msg DIRECTORY\n");
		return 2;
	}
	for (enum msg_id id = MSG_NONE + 1; id < MSG_COUNT && rc == 0; id++) {
		rc = write_seed(argv[1], id, MSGFILL_MIN);
		if (rc == 0 && msgfill_count(id) != 0)
			rc = write_seed(argv[1], id, MSGFILL_MAX);
	}
	if (rc != 0)
		fprintf(stderr, "seed_msg: %s\n", err_str(rc));
	return rc == 0 ? 0 : 1;
}

/*
 * Replies of sftp-server, appended to the session's out buffer.
 */
#ifndef SFTP_SERVER_REPLY_H
#define SFTP_SERVER_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/sftp.h"
#include "common/wire.h"
#include "sftp-server/server.h"
#include "sftp-server/slog.h"

/* Begin a reply; sftp_finish(&s->out, mark) ends it. */
size_t reply_start(struct server *s, uint8_t type, uint32_t id);

/* Where the next n bytes of the reply are to be put. */
uint8_t *reply_space(struct server *s, size_t n);
void reply_advance(struct server *s, size_t n);

/* Big-endian v at p. */
void reply_poke(uint8_t *p, uint32_t v);

/* STATUS for 0 or -errno, with errno's words where the status has none. */
void reply_status(struct server *s, uint32_t id, int result);
/* STATUS in words of our own. */
int reply_error(
    struct server *s, uint32_t id, enum sftp_status status, const char *text);
int reply_handle(struct server *s, uint32_t id, uint64_t handle);
/* A NAME of one path and no attributes. */
int reply_path(struct server *s, uint32_t id, const char *path);
int reply_attrs(struct server *s, uint32_t id, const struct stat *st);

#endif

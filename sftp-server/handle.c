/*
 * The handle table of sftp-server. The ids that come in were chosen by the
 * client, and may be anything.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/handle.h"

#define FIRST_SLOTS 16

void
handles_init(struct handles *h)
{
	struct rlimit limit;

	*h = (struct handles){ .max = HANDLE_MAX };
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (limit.rlim_cur <= HANDLE_RESERVE)
		h->max = 1;
	else if (limit.rlim_cur - HANDLE_RESERVE < HANDLE_MAX)
		h->max = (uint32_t)(limit.rlim_cur - HANDLE_RESERVE);
}

void
handles_done(struct handles *h)
{
	for (uint32_t i = 0; i < h->nslots; i++)
		if (h->slot[i].kind != HANDLE_FREE)
			handles_close(h, &h->slot[i]);
	free(h->slot);
	*h = (struct handles){ 0 };
}

static int
handles_grow(struct handles *h)
{
	uint32_t nslots = h->nslots != 0 ? 2 * h->nslots : FIRST_SLOTS;
	struct handle *slot;

	if (nslots > h->max)
		nslots = h->max;
	if (nslots <= h->nslots)
		return -EMFILE;
	slot = reallocarray(h->slot, nslots, sizeof(*slot));
	if (slot == NULL)
		return -ENOMEM;
	/* The lowest slot comes to lie at the head of the free list. */
	for (uint32_t i = nslots; i-- > h->nslots;) {
		slot[i] = (struct handle){
			.fd = -1, .generation = 1, .next_free = h->free_head
		};
		h->free_head = i + 1;
	}
	h->slot = slot;
	h->nslots = nslots;
	return 0;
}

int
handles_add(
    struct handles *h, const struct handle *proto, int *fd, uint64_t *out_id)
{
	AUTOFREE char *name = strdup(proto->name);
	struct handle *slot;
	int error;

	if (name == NULL)
		return -ENOMEM;
	if (h->free_head == 0) {
		error = handles_grow(h);
		if (error != 0)
			return error;
	}
	slot = &h->slot[h->free_head - 1];
	*out_id = (uint64_t)(h->free_head - 1) << 32 | slot->generation;
	h->free_head = slot->next_free;
	slot->kind = proto->kind;
	slot->flags = proto->flags;
	slot->fd = take_fd(fd);
	slot->name = take_ptr(&name);
	slot->nread = 0;
	slot->nwritten = 0;
	slot->is_failed = false;
	slot->is_lendable = false;
	slot->number = 0;
	slot->digest = NULL;
	h->nwriters += (slot->flags & O_ACCMODE) != O_RDONLY;
	return 0;
}

struct handle *
handles_get(struct handles *h, uint64_t id)
{
	uint64_t i = id >> 32;

	if (i >= h->nslots || h->slot[i].kind == HANDLE_FREE ||
	    h->slot[i].generation != (uint32_t)id)
		return NULL;
	return &h->slot[i];
}

struct handle *
handles_get_kind(struct handles *h, uint64_t id, enum handle_kind kind)
{
	struct handle *handle = handles_get(h, id);

	return handle != NULL && handle->kind == kind ? handle : NULL;
}

int
handles_close(struct handles *h, struct handle *handle)
{
	int error = close(handle->fd) == 0 ? 0 : -errno;

	free(handle->name);
	free(handle->digest);
	handle->name = NULL;
	handle->digest = NULL;
	handle->fd = -1;
	handle->kind = HANDLE_FREE;
	h->nwriters -= (handle->flags & O_ACCMODE) != O_RDONLY;
	/* 0 stays unused, so that an all-zero handle is never a handle. */
	if (++handle->generation == 0)
		handle->generation = 1;
	handle->next_free = h->free_head;
	h->free_head = (uint32_t)(handle - h->slot) + 1;
	return error;
}

/*
 * The beginning and the end of an SFTP session, and what there is to know of
 * it in between. Runs in the client; all that is received is hostile.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "client/xfer_peer_impl.h"
#include "common/clock.h"
#include "common/own.h"

/* A look at ^C and the like while a server is slow to greet. */
#define FIRST_MS 1000

static void
take_limits(void *arg, const struct answer *a)
{
	struct peer *p = arg;
	struct reader r = a->body;

	if (a->rc != 0 || a->type != SSH_FXP_EXTENDED_REPLY)
		return;
	sftp_limits_read(&r, &p->limits);
	/* A server that says less than it must take is not believed. */
	if (p->limits.read_max < PEER_DATA_DEFAULT)
		p->limits.read_max = 0;
	if (p->limits.write_max < PEER_DATA_DEFAULT)
		p->limits.write_max = 0;
}

static void
send_init(struct peer *p)
{
	p->mark = sftp_start(&p->out, SSH_FXP_INIT, SFTP_VERSION);
	peer_end(p);
}

void
peer_ask_limits(struct peer *p)
{
	/* A twin has those of the first session. */
	if (p->is_twin || !peer_has(p, PEER_LIMITS))
		return;
	peer_extended(p, "limits@openssh.com", take_limits, p);
	peer_end(p);
}

int
peer_greet(struct peer *p)
{
	int rc = p->dead;

	while (rc == 0 && !p->greeted)
		rc = peer_pump(&p, 1, FIRST_MS);
	return rc;
}

/* Takes the link, also without memory. */
static struct peer *
make(struct link *l)
{
	struct peer *p = calloc(1, sizeof(*p));
	void *in = mmap(NULL, PEER_RECEIVE_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == NULL || in == MAP_FAILED) {
		free(p);
		link_close(l);
		return NULL;
	}
	p->link = l;
	p->in = in;
	for (uint16_t i = 0; i < PEER_REQUESTS; i++)
		p->table[i].next_free = (uint16_t)((i + 1) % PEER_REQUESTS);
	return p;
}

int
peer_new(struct link *l, struct peer **out_peer)
{
	struct peer *p = make(l);

	if (p == NULL)
		return -ENOMEM;
	send_init(p);
	*out_peer = p;
	return 0;
}

int
peer_twin(const struct peer *p, struct peer **out_twin)
{
	struct link *l;
	struct peer *twin;
	int rc;

	if (p->link->ops->twin == NULL)
		return -ENOTSUP;
	rc = p->link->ops->twin(p->link, &l);
	if (rc != 0)
		return rc;
	twin = make(l);
	if (twin == NULL)
		return -ENOMEM;
	/* The same program over there: it need not be asked again. */
	twin->limits = p->limits;
	twin->is_twin = true;
	send_init(twin);
	*out_twin = twin;
	return 0;
}

int64_t
peer_silence_ms(const struct peer *p)
{
	return p->in_flight > 0 ? clock_ms() - p->heard_ms : -1;
}

int64_t
peer_patience_ms(const struct peer *p)
{
	int64_t ms = p->link->ops->patience != NULL
			 ? p->link->ops->patience(p->link)
			 : 0;

	return ms > 0 ? ms : PEER_PATIENCE_MS;
}

bool
peer_is_ready(const struct peer *p)
{
	return p->greeted && p->dead == 0;
}

size_t
peer_window(const struct peer *p)
{
	return p->link->ops->window != NULL ? p->link->ops->window(p->link)
					    : SIZE_MAX;
}

int
peer_free(struct peer *p)
{
	int status;

	if (p == NULL)
		return 0;
	peer_bury(p, -ECANCELED);
	peer_reject(p);
	status = link_close(p->link);
	writer_done(&p->out);
	munmap(p->in, PEER_RECEIVE_SIZE);
	free(p);
	return status;
}

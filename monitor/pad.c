/*
 * Refusals that tell nothing by their time. Runs in sshd-monitor; the name is
 * the client's.
 */
#include "config.h"

#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "common/own.h"
#include "monitor/pad.h"

#define PAD_LEAST_NS 5000000
#define PAD_SPREAD_NS 4000000

/*
 * How long a refusal takes at least: between 5 and 9 ms, fixed by the name and
 * a secret of this host. Work that takes longer is padded to the next power of
 * two of it, so that existing and other users answer alike.
 */
static int64_t
pad_of(const struct conn *c)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
	uint32_t pick;

	writer_bytes(&w, c->hostkeys.salt, sizeof(c->hostkeys.salt));
	writer_cstring(&w, c->user != NULL ? c->user : "");
	if (writer_end(&w) == 0)
		EVP_Digest(w.p, w.len, hash, NULL, EVP_sha256(), NULL);
	memcpy(&pick, hash, sizeof(pick));
	return PAD_LEAST_NS + pick % PAD_SPREAD_NS;
}

void
pad_answer(const struct conn *c, const struct timespec *began)
{
	struct timespec now, rest;
	int64_t spent, until = pad_of(c);

	clock_gettime(CLOCK_MONOTONIC, &now);
	spent = (int64_t)(now.tv_sec - began->tv_sec) * 1000000000 +
		now.tv_nsec - began->tv_nsec;
	while (until < spent)
		until *= 2;
	rest.tv_sec = (until - spent) / 1000000000;
	rest.tv_nsec = (until - spent) % 1000000000;
	nanosleep(&rest, NULL);
}

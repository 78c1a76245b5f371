/*
 * The signed bytes of public key authentication: what is accepted must come
 * out of the builder byte for byte, and its algorithm must be the key's.
 */
#include "config.h"

#include <stdlib.h>

#include "common/own.h"
#include "common/userauth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct userauth_blob b;

	if (userauth_parse(span_of(data, size), &b) != 0)
		return 0;
	if (userauth_build(&b, &w) != 0 ||
	    !span_eq(span_of(data, size), span_of(w.p, w.len)) ||
	    b.alg->type != b.kind->type)
		abort();
	return 0;
}

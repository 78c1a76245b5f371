/*
 * Certificates. Few inputs have a good signature, so what is tried is mostly
 * the cutting into fields; what does pass is asked all that can be asked.
 */
#include "config.h"

#include <stdlib.h>

#include "common/cert.h"
#include "common/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(cert_done) struct cert *cert = NULL;
	AUTO(cert_opts_done) struct cert_opts opts = { .grants = 0 };

	/* Options alone, which no signature protects from the fuzzer. */
	struct cert loose = { .critical = span_of(data, size),
		.extensions = span_of(data, size) };

	if (cert_read_opts(&loose, &opts) == 0)
		cert_opts_done(&opts);
	if (cert_parse(span_of(data, size), 0, "*", &cert) != 0)
		return 0;
	if (cert->nprincipals > CERT_PRINCIPALS_MAX || cert->ca_alg == NULL)
		abort();
	cert_names(cert, span_text("alice"));
	cert_is_current(cert, 1);
	(void)cert_read_opts(cert, &opts);
	return 0;
}

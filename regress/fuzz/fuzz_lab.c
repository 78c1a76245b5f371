/*
 * The terms of omniedge-ssh-server: what is read must be written back byte for
 * byte, and any name comes to an account or to itself.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/own.h"
#include "monitor/lab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct lab *lab;

	if (lab_decode(span_of(data, size), &lab) != 0)
		return 0;
	if (lab_encode(lab, &w) != 0 ||
	    !span_eq(span_of(data, size), span_of(w.p, w.len)) ||
	    lab_local_name(lab, "root") == NULL)
		abort();
	lab_free(lab);
	return 0;
}

/*
 * Lists of revoked keys, binary and text. What is asked for is a key, and a
 * certificate whose numbers a list may well hold.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/krl.h"
#include "common/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char line[] =
	    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2"
	    "qYjJa8CGmj3B1Ea";
	static struct key *key;
	struct span file = span_of(data, size);
	struct cert cert = { .serial = 7, .key_id = span_of("id 7", 4) };
	unsigned number = 0;
	int rc;

	if (key == NULL &&
	    key_parse_line(span_of(line, strlen(line)), 0, &key, NULL) != 0)
		abort();
	cert.key = cert.ca = key;
	rc = krl_check(file, key, NULL);
	/* What is malformed is so whatever is looked for. */
	if ((rc == 0 || rc == -EKEYREVOKED) !=
	    (krl_check(file, key, &cert) == 0 ||
		krl_check(file, key, &cert) == -EKEYREVOKED))
		abort();
	if (!krl_is_binary(file) && rc == 0)
		abort();
	(void)krl_check_text(file, key, &number);
	return 0;
}

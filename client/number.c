/* Numbers on command lines. Runs in the client, on the user's own words. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/number.h"
#include "client/show.h"

#define KBIT_MAX (100u * 1024 * 1024)
#define REQUESTS_MAX 1024
#define BUFFER_MAX (16u << 20)

int
number_parse(const char *text, uint64_t most, uint64_t *out_number)
{
	unsigned long long n;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (*end != '\0' || errno != 0 || n == 0 || n > most)
		return -EINVAL;
	*out_number = n;
	return 0;
}

int
number_limit(const char *text, uint64_t *out_rate)
{
	uint64_t n;

	if (number_parse(text, KBIT_MAX, &n) != 0) {
		show_error("-l %s: not a number of Kbit/s from 1 to %u", text,
		    KBIT_MAX);
		return -EINVAL;
	}
	*out_rate = n * 1024 / 8;
	return 0;
}

static int
take_number(const char *text, uint64_t most, uint32_t *out_number)
{
	uint64_t n;
	int rc = number_parse(text, most, &n);

	if (rc == 0)
		*out_number = (uint32_t)n;
	return rc;
}

int
number_sftp_option(const char *text, struct xfer_options *out_options)
{
	static const char requests[] = "nrequests=", buffer[] = "buffer=";
	int rc = -EINVAL;

	if (strncmp(text, requests, strlen(requests)) == 0)
		rc = take_number(text + strlen(requests), REQUESTS_MAX,
		    &out_options->requests);
	else if (strncmp(text, buffer, strlen(buffer)) == 0)
		rc = take_number(
		    text + strlen(buffer), BUFFER_MAX, &out_options->buffer);
	if (rc != 0)
		show_error("-X %s: neither nrequests=N (1 to %u) nor "
			   "buffer=BYTES",
		    text, REQUESTS_MAX);
	return rc;
}

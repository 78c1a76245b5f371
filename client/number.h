/* Numbers on the command lines of scp and sftp. */
#ifndef CLIENT_NUMBER_H
#define CLIENT_NUMBER_H

#include <stdint.h>

#include "client/xfer.h"

/* A decimal number from 1 to most. 0 or -EINVAL. */
int number_parse(const char *text, uint64_t most, uint64_t *out_number);
/* -l: Kbit/s, as bytes a second. 0; -EINVAL: said. */
int number_limit(const char *text, uint64_t *out_rate);
/* -X: nrequests=N or buffer=BYTES. 0; -EINVAL: said. */
int number_sftp_option(const char *text, struct xfer_options *out_options);

#endif

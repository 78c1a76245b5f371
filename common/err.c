/*
 * Words for errors; used by every program, trusts nothing, holds nothing.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/own.h"

static const struct {
	int code;
	const char *text;
} ours[] = {
	{ EBADMSG, "malformed" },
	{ EPROTO, "not allowed at this point" },
	{ EDQUOT, "more often than allowed" },
	{ EKEYREJECTED, "key or signature not acceptable" },
	{ EMSGSIZE, "too long" },
};

const char *
err_str(int negative_errno)
{
	int code = negative_errno < 0 ? -negative_errno : negative_errno;

	for (size_t i = 0; i < nitems_of(ours); i++)
		if (ours[i].code == code)
			return ours[i].text;
	return strerror(code);
}

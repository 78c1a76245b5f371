/*
 * ssh_config(5): a file up to the first NUL, and behind it what each Include
 * finds. No command of a Match runs and no file is opened: what the parser
 * would ask of the system is answered here.
 */
#include "config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "client/file.h"
#include "client/run.h"
#include "client/sshconf.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

#define MAIN "main"
#define READS_MAX 64 /* of one input: Includes include each other */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span outer, inner;
static unsigned reads;

/* In place of client/file.c's. */
int
file_read(const char *path, struct writer *out, struct stat *out_st)
{
	struct span text = strcmp(path, MAIN) == 0 ? outer : inner;

	if (reads++ >= READS_MAX)
		return -ENOENT;
	if (out_st != NULL)
		*out_st = (struct stat){ .st_mode = S_IFREG | 0600 };
	writer_bytes(out, text.p, text.len);
	return writer_end(out);
}

/* In place of client/run.c's. */
int
run_question(const char *command)
{
	return (int)(strlen(command) % 2);
}

/* Each pattern finds one file of its own name. */
int
glob(const char *restrict pattern, int flags,
    int (*on_error)(const char *, int), glob_t *restrict found)
{
	(void)flags;
	(void)on_error;
	*found = (glob_t){ .gl_pathc = 1 };
	found->gl_pathv = calloc(2, sizeof(char *));
	if (found->gl_pathv == NULL)
		abort();
	found->gl_pathv[0] = strdup(pattern);
	return 0;
}

void
globfree(glob_t *found)
{
	if (found->gl_pathv != NULL)
		free(found->gl_pathv[0]);
	free(found->gl_pathv);
	*found = (glob_t){ .gl_pathc = 0 };
}

/* What was taken can be shown, and has the types that callers rely on. */
static void
look_at(struct sshconf *c)
{
	AUTOFREE char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	uint64_t bytes;
	unsigned mask;

	if (out == NULL || sshconf_finish(c) != 0 ||
	    sshconf_print(c, "host", out) != 0)
		abort();
	fclose(out);
	if (sshconf_number(c, KW_PORT) < 1 ||
	    sshconf_number(c, KW_PORT) > 65535 ||
	    sshconf_mask(sshconf_text(c, KW_STREAM_MASK), &mask) != 0 ||
	    (strcasecmp(sshconf_list(c, KW_REKEY_LIMIT)->v[0], "default") !=
		    0 &&
		sshconf_bytes(sshconf_list(c, KW_REKEY_LIMIT)->v[0], &bytes) !=
		    0))
		abort();
	if (sshconf_text(c, KW_PROXY_COMMAND) != NULL &&
	    sshconf_text(c, KW_PROXY_JUMP) != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(sshconf_done) struct sshconf *c = sshconf_new();
	AUTO(sshconf_done) struct sshconf *option = sshconf_new();
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	char *text, why[SSHCONF_WHY_MAX];

	log_open("fuzz", SINK_STDERR, LOG_USER, LEVEL_QUIET);
	outer = span_of(data, nul != NULL ? (size_t)(nul - data) : size);
	inner = span_of(nul != NULL ? nul + 1 : data,
	    nul != NULL ? size - outer.len - 1 : 0);
	reads = 0;
	if (sshconf_load(c, MAIN, "host.example") == 0)
		look_at(c);
	text = strndup((const char *)outer.p, outer.len);
	if (text != NULL)
		(void)sshconf_take_text(option, text, why);
	free(text);
	return 0;
}

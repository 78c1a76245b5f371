/*
 * Configuration: any text is either refused or obeys two laws, that its sshd
 * -T reads back as itself and that what sshd-monitor decodes is what sshd
 * encoded. Any bytes at all are decoded or refused. Input: one byte that says
 * which, then the text or the bytes.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include "common/conf.h"
#include "common/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct match_ctx contexts[] = {
	{ .user = "alice",
	    .groups = (const char *const[]){ "users", "wheel" },
	    .ngroups = 2,
	    .host = "host.example.org",
	    .addr = "192.0.2.7",
	    .laddr = "2001:db8::1",
	    .lport = 22 },
	{ .user = "x", .invalid_user = true, .addr = "2001:db8::7" },
	{ .user = NULL },
};

static struct conf *
load(const void *text, size_t len, struct conf_report *report)
{
	AUTOCLOSE int fd = memfd_create("conf", MFD_CLOEXEC);
	char path[32];
	struct conf_source src = { path, "/nonexistent", NULL, 0 };
	struct conf *conf = NULL;

	if (fd < 0 || write(fd, text, len) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET) != 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((conf_load(&src, &conf, report) == 0) != (report->nerrors == 0))
		abort();
	return conf;
}

/* NULL when the configuration cannot be resolved: only a decoded one may. */
static char *
dump(const struct conf *conf, const struct match_ctx *ctx)
{
	struct options o;
	char *text = NULL;
	size_t size;
	FILE *f;

	if (conf_resolve(conf, ctx, &o) != 0)
		return NULL;
	f = open_memstream(&text, &size);
	if (f == NULL || options_dump(&o, f) != 0 || fclose(f) != 0)
		abort();
	options_free(&o);
	return text;
}

static void
dump_law(const char *text)
{
	struct conf_report report = CONF_REPORT_INIT;
	struct conf *conf = load(text, strlen(text), &report);
	AUTOFREE char *again = conf != NULL ? dump(conf, NULL) : NULL;

	if (again == NULL || report.nwarnings != 0 || strcmp(text, again) != 0)
		abort();
	conf_free(conf);
	conf_report_done(&report);
}

static void
wire_law(
    const struct conf *conf, const struct match_ctx *ctx, const char *wanted)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTOFREE char *text = NULL;
	struct conf *copy = NULL;

	if (conf_encode(conf, &w) != 0 ||
	    conf_decode(span_of(w.p, w.len), &copy) != 0)
		abort();
	text = dump(copy, ctx);
	if (text == NULL || strcmp(text, wanted) != 0)
		abort();
	conf_free(copy);
}

static void
read_text(const uint8_t *data, size_t size)
{
	struct conf_report report = CONF_REPORT_INIT;
	AUTOFREE char *text = calloc(1, size + 1);
	struct conf *conf;

	/* Do not wander about in the files of the machine. */
	for (size_t i = 0; i < size; i++)
		text[i] = (char)tolower(data[i] != '\0' ? data[i] : ' ');
	if (strstr(text, "include") != NULL)
		return;
	conf = load(data, size, &report);
	for (size_t i = 0; conf != NULL && i < nitems_of(contexts); i++) {
		AUTOFREE char *all = dump(conf, &contexts[i]);

		if (all == NULL)
			abort();
		wire_law(conf, &contexts[i], all);
		if (i == 0)
			dump_law(all);
	}
	conf_free(conf);
	conf_report_done(&report);
}

static void
read_bytes(const uint8_t *data, size_t size)
{
	struct conf *conf = NULL;

	if (conf_decode(span_of(data, size), &conf) != 0)
		return;
	for (size_t i = 0; i < nitems_of(contexts); i++)
		free(dump(conf, &contexts[i]));
	conf_free(conf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'w')
		read_bytes(data + 1, size - 1);
	else
		read_text(data + 1, size - 1);
	return 0;
}

/*
 * Options of a connection's channels and packets: ChannelTimeout, IPQoS,
 * VersionAddendum. Used by sshd and sshd-monitor; words come from
 * configuration.
 */
#include "config.h"

#include <netinet/ip.h>
#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "common/option_impl.h"
#include "common/own.h"

/* So that "SSH-2.0-", our name and it are a line of RFC 4253 section 4.2. */
#define ADDENDUM_MAX 200

/* --- IPQoS */

/* RFC 2474, 2597, 3246, 8622, and the older RFC 1349. */
static const struct option_choice classes[] = {
	{ "none", OPTION_QOS_NONE },
	{ "af11", IPTOS_DSCP_AF11 },
	{ "af12", IPTOS_DSCP_AF12 },
	{ "af13", IPTOS_DSCP_AF13 },
	{ "af21", IPTOS_DSCP_AF21 },
	{ "af22", IPTOS_DSCP_AF22 },
	{ "af23", IPTOS_DSCP_AF23 },
	{ "af31", IPTOS_DSCP_AF31 },
	{ "af32", IPTOS_DSCP_AF32 },
	{ "af33", IPTOS_DSCP_AF33 },
	{ "af41", IPTOS_DSCP_AF41 },
	{ "af42", IPTOS_DSCP_AF42 },
	{ "af43", IPTOS_DSCP_AF43 },
	{ "cs0", IPTOS_CLASS_CS0 },
	{ "cs1", IPTOS_CLASS_CS1 },
	{ "cs2", IPTOS_CLASS_CS2 },
	{ "cs3", IPTOS_CLASS_CS3 },
	{ "cs4", IPTOS_CLASS_CS4 },
	{ "cs5", IPTOS_CLASS_CS5 },
	{ "cs6", IPTOS_CLASS_CS6 },
	{ "cs7", IPTOS_CLASS_CS7 },
	{ "ef", IPTOS_DSCP_EF },
	{ "le", 0x04 },
	{ "lowdelay", IPTOS_LOWDELAY },
	{ "throughput", IPTOS_THROUGHPUT },
	{ "reliability", IPTOS_RELIABILITY },
	{ NULL, 0 },
};

#define QOS_MAX 255

static int
qos_read(const struct option_in *in, const char *word, int *out_class,
    char why[OPTION_WHY_MAX])
{
	char *end;
	unsigned long n = strtoul(word, &end, 0);

	for (const struct option_choice *c = classes; c->name != NULL; c++)
		if (strcasecmp(c->name, word) == 0) {
			*out_class = c->value;
			return 0;
		}
	if (*word < '0' || *word > '9' || *end != '\0' || n > QOS_MAX)
		return option_bad(in, why,
		    "\"%.64s\" is not a class such as ef, af21, cs1 or none, "
		    "or a number up to %d",
		    word, QOS_MAX);
	*out_class = (int)n;
	return 0;
}

static int
qos_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const struct words *w = in->words;
	struct ip_qos qos;
	int rc = qos_read(in, w->v[0], &qos.interactive, why);

	/* One word is for both. */
	if (rc == 0)
		rc = qos_read(in, w->v[w->n - 1], &qos.bulk, why);
	if (rc == 0)
		*(struct ip_qos *)out = qos;
	return rc;
}

static void
qos_print_one(int class, FILE *out)
{
	const struct option_choice *c = classes;

	while (c->name != NULL && c->value != class)
		c++;
	if (c->name != NULL)
		fprintf(out, " %s", c->name);
	else
		fprintf(out, " 0x%02x", (unsigned)class);
}

static int
qos_print(const struct option *row, const void *value, FILE *out)
{
	const struct ip_qos *qos = value;

	option_print_keyword(row, out);
	qos_print_one(qos->interactive, out);
	qos_print_one(qos->bulk, out);
	fputc('\n', out);
	return 0;
}

/* --- ChannelTimeout */

static int
timeouts_check(
    const struct option_in *in, const char *word, char why[OPTION_WHY_MAX])
{
	size_t len = strcspn(word, "=");
	int seconds;

	if (strcasecmp(word, "none") == 0)
		return option_bad(in, why, "none has to stand alone");
	if (len == 0 || word[len] == '\0' || strpbrk(word, " \t") != NULL ||
	    (strcasecmp(word + len + 1, "none") != 0 &&
		option_time(word + len + 1, &seconds) != 0))
		return option_bad(in, why,
		    "\"%.64s\" is not TYPE=TIME, such as session:shell=30m",
		    word);
	return 0;
}

static int
timeouts_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	AUTO(words_done) struct words list = { NULL, 0 };
	const struct words *w = in->words;
	bool none = w->n == 1 && strcasecmp(w->v[0], "none") == 0;

	for (size_t i = 0; i < w->n && !none; i++) {
		int rc = timeouts_check(in, w->v[i], why);

		if (rc == 0)
			rc = words_add(&list, w->v[i]);
		if (rc != 0)
			return rc;
	}
	*(struct words *)out = list;
	list = (struct words){ NULL, 0 };
	return 0;
}

static int
timeouts_print(const struct option *row, const void *value, FILE *out)
{
	const struct words *w = value;

	option_print_keyword(row, out);
	if (w->n == 0)
		fputs(" none", out);
	for (size_t i = 0; i < w->n; i++)
		if (option_print_word(w->v[i], out) != 0)
			return -ENOMEM;
	fputc('\n', out);
	return 0;
}

int
option_timeouts_text(const struct words *timeouts, char **out_text)
{
	AUTOFREE char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < timeouts->n; i++) {
		const char *word = timeouts->v[i];
		int len = (int)strcspn(word, "=");
		int seconds = 0;

		/* "none" is no time, and 0. */
		(void)option_time(word + len + 1, &seconds);
		fprintf(out, "%s%.*s=%d", i > 0 ? " " : "", len, word, seconds);
	}
	if (fclose(out) != 0)
		return -ENOMEM;
	*out_text = take_ptr(&text);
	return 0;
}

/* --- VersionAddendum */

static int
addendum_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *text = in->rest;
	size_t len = strlen(text);
	char *copy = NULL;

	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return option_bad(in, why,
			    "only printable ASCII characters may stand in it");
	if (len > ADDENDUM_MAX)
		return option_bad(
		    in, why, "it has more than %d characters", ADDENDUM_MAX);
	if (strcasecmp(text, "none") != 0) {
		copy = strdup(text);
		if (copy == NULL)
			return -ENOMEM;
	}
	*(char **)out = copy;
	return 0;
}

const struct option_type option_type_qos = { 1, 2, sizeof(struct ip_qos),
	qos_parse, NULL, qos_print, NULL };
const struct option_type option_type_chantimeouts = { 1, 0,
	sizeof(struct words), timeouts_parse, NULL, timeouts_print,
	option_done_words };
const struct option_type option_type_addendum = { 1, 0, sizeof(char *),
	addendum_parse, NULL, option_print_command, option_done_text };

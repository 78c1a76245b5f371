/*
 * msgdoc: writes sshd-messages(7) from the rows of common/msg.def. Runs only
 * while the suite is built, and reads nothing.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/msg.h"
#include "common/own.h"

#define TEXT_WIDTH 72 /* columns of a line of text in the page's source */

static const char head[] =
    ".\\\" Made by man/msgdoc from common/msg.def; changes belong there.\n"
    ".Dd November 23, 2026\n"
    ".Dt SSHD-MESSAGES 7\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm sshd-messages\n"
    ".Nd what the processes of the SSH server say to each other\n"
    ".Sh DESCRIPTION\n"
    "The processes of\n"
    ".Xr sshd 8\n"
    "have different rights, and talk over\n"
    ".Dv SOCK_SEQPACKET\n"
    "socket pairs, with the messages of this page and no others.\n"
    "This is for those who read a debug log, judge the server's design, or\n"
    "change it; nothing here is an interface for other programs, and both\n"
    "ends of a socket are always of the same build.\n";

static const char form[] =
    ".Pp\n"
    "A message is one datagram.\n"
    "It begins with a byte for the version of the format and one for the\n"
    "message; its fields follow in the order in which they are listed.\n"
    "An integer has eight bytes, the highest first; everything else has its\n"
    "length in four such bytes in front.\n"
    "The kinds of fields are\n"
    ".Bl -tag -width secret\n"
    ".It integer\n"
    "a number within the bounds that are given\n"
    ".It text\n"
    "bytes without a NUL, as many as the bounds allow\n"
    ".It bytes\n"
    "any bytes, as many as the bounds allow\n"
    ".It secret\n"
    "the same, but never in a trace, and wiped after use\n"
    ".El\n"
    ".Pp\n"
    "A receiver takes a message only if it is known, from the right sender,\n"
    "in a phase in which it is allowed, not too often, with no more\n"
    "descriptors than are stated, each field within its bounds, and nothing\n"
    "behind the last field.\n"
    "If a network process breaks one of these rules, its monitor logs one\n"
    "line and the connection ends.\n"
    "A monitor that breaks one has its connection to\n"
    ".Nm sshd\n"
    "closed; no message ends\n"
    ".Nm sshd\n"
    "itself.\n"
    ".Pp\n"
    "The phases are those of the receiver:\n"
    ".Bl -tag -width session\n"
    ".It start\n"
    "until the set-up is answered\n"
    ".It kex\n"
    "until the first exchange hash is signed\n"
    ".It auth\n"
    "until the monitor has granted a login\n"
    ".It session\n"
    "from then on\n"
    ".El\n"
    ".Pp\n"
    "When the server's\n"
    ".Ic LogLevel\n"
    "is\n"
    ".Cm DEBUG3 ,\n"
    "a monitor logs each message that it sends, or takes after CONN.\n"
    ".Sh MESSAGES\n";

static const char tail[] = ".Sh SEE ALSO\n"
			   ".Xr sshd_config 5 ,\n"
			   ".Xr unix 7 ,\n"
			   ".Xr sshd 8\n";

/* How a kind is called, and what its bounds count. */
static const struct {
	const char *name;
	const char *unit;
} kinds[] = {
	[FIELD_INT] = { "integer", "" },
	[FIELD_STR] = { "text", " bytes" },
	[FIELD_BYTES] = { "bytes", " of them" },
	[FIELD_SECRET] = { "secret", " bytes" },
};

static const struct {
	unsigned bit;
	const char *name;
} phase_names[] = {
	{ PH_START, "start" },
	{ PH_KEX, "kex" },
	{ PH_AUTH, "auth" },
	{ PH_SESSION, "session" },
};

/* One word of text; a control character at a line's start is no macro. */
static void
put_word(const char *word, size_t len, size_t *column)
{
	if (*column != 0 && *column + 1 + len > TEXT_WIDTH) {
		putchar('\n');
		*column = 0;
	}
	if (*column != 0)
		putchar(' ');
	else if (*word == '.' || *word == '\'')
		fputs("\\&", stdout);
	*column += (*column != 0) + len;
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\\')
			fputs("\\e", stdout);
		else
			putchar(word[i]);
	}
}

/* Text as lines of its own, with a full stop if it has no end yet. */
static void
put_text(const char *text)
{
	size_t column = 0;
	char last = '\0';

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		put_word(text, len, &column);
		last = len != 0 ? text[len - 1] : last;
		text += len;
		text += strspn(text, " ");
	}
	puts(last == '?' || last == '.' ? "" : ".");
}

static void
put_phases(unsigned phases)
{
	const char *comma = "";

	fputs(".It phases\n", stdout);
	if (phases == PH_ANY) {
		puts("any");
		return;
	}
	for (size_t i = 0; i < nitems_of(phase_names); i++) {
		if ((phases & phase_names[i].bit) == 0)
			continue;
		printf("%s%s", comma, phase_names[i].name);
		comma = ", ";
	}
	putchar('\n');
}

static void
put_field(const struct msg_field *f)
{
	printf(".It Va %s\n%s, %" PRIu64 " to %" PRIu64 "%s:\n", f->name,
	    kinds[f->kind].name, f->min, f->max, kinds[f->kind].unit);
	put_text(f->help);
}

static void
put_fields(const struct msg_field *f)
{
	puts(".Pp");
	if (f->kind == FIELD_END) {
		puts("It has no fields.");
		return;
	}
	puts("Fields:\n.Bl -tag -width rekey_seconds -compact");
	for (; f->kind != FIELD_END; f++)
		put_field(f);
	puts(".El");
}

static void
put_message(const struct msg_rule *rule)
{
	const struct msg_rule *reply = msg_rule(rule->reply);

	printf(".Ss %s\n", rule->name);
	put_text(rule->help);
	printf(".Pp\n.Bl -tag -width descriptors -compact\n"
	       ".It from\n%s\n.It to\n%s\n",
	    msg_peer_name(rule->sender), msg_peer_name(rule->receiver));
	put_phases(rule->phases);
	printf(".It at most\n%" PRIu32 " in a connection\n", rule->times);
	if (rule->fds != 0)
		printf(".It descriptors\nup to %u\n", rule->fds);
	if (reply != NULL)
		printf(".It reply\n%s\n", reply->name);
	puts(".El");
	put_fields(rule->fields);
}

int
main(void)
{
	fputs(head, stdout);
	fputs(form, stdout);
	for (int id = MSG_NONE + 1; id < MSG_COUNT; id++)
		put_message(msg_rule((enum msg_id)id));
	fputs(tail, stdout);
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}

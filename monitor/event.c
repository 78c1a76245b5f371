/*
 * Events of one connection. Runs in sshd-monitor; names and commands are the
 * client's, and the log encodes them.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/log.h"
#include "common/own.h"
#include "monitor/event.h"

#define ID_BYTES 8
#define ID_TEXT (2 * ID_BYTES + 1)

/*
 * A connection's name: the beginning of its session identifier, which no other
 * connection has, and which this process has signed itself.
 */
static const char *
id_of(const struct conn *c, char text[ID_TEXT])
{
	text[0] = '\0';
	for (size_t i = 0; i < ID_BYTES && i < c->session_id_len; i++)
		snprintf(text + 2 * i, 3, "%02x", c->session_id[i]);
	return text;
}

static const char *
type_of(const struct usession *s)
{
	static const char *const names[] = {
		[SESSION_SHELL] = "shell",
		[SESSION_EXEC] = "exec",
		[SESSION_SUBSYSTEM] = "subsystem",
	};

	return names[s->kind];
}

void
event_authenticated(const struct conn *c, const char *method)
{
	char id[ID_TEXT];
	const struct log_field fields[] = {
		{ "conn", id_of(c, id), 0 },
		{ "src", c->addr, 0 },
		{ "src_port", NULL, c->port },
		{ "ssh_user", c->user, 0 },
		{ "local_user", c->account.name, 0 },
		{ "method", method, 0 },
	};

	log_event("ConnectionAuthenticated", fields, nitems_of(fields));
}

void
event_rejected(const struct conn *c, const char *reason)
{
	char id[ID_TEXT];
	const struct log_field fields[] = {
		{ "conn", id_of(c, id), 0 },
		{ "src", c->addr, 0 },
		{ "src_port", NULL, c->port },
		{ "ssh_user", c->user != NULL ? c->user : "", 0 },
		{ "reason", reason, 0 },
	};

	log_event("ConnectionRejected", fields, nitems_of(fields));
}

void
event_closed(const struct conn *c)
{
	char id[ID_TEXT];
	const struct log_field fields[] = {
		{ "conn", id_of(c, id), 0 },
		{ "src", c->addr, 0 },
		{ "src_port", NULL, c->port },
	};

	log_event("ConnectionClosed", fields, nitems_of(fields));
}

void
event_session_started(const struct conn *c, const struct usession *s)
{
	char id[ID_TEXT];
	const struct log_field fields[] = {
		{ "conn", id_of(c, id), 0 },
		{ "session", NULL, s->id },
		{ "session_type", type_of(s), 0 },
		{ "tty", s->has_pty ? s->tty : "", 0 },
		{ "command", s->command != NULL ? s->command : "", 0 },
	};

	log_event("SessionStarted", fields, nitems_of(fields));
}

void
event_session_ended(const struct conn *c, const struct usession *s)
{
	char id[ID_TEXT];
	const char *signal = "";
	struct log_field fields[] = {
		{ "conn", id_of(c, id), 0 },
		{ "session", NULL, s->id },
		{ "bytes_in", NULL, s->bytes_in },
		{ "bytes_out", NULL, s->bytes_out },
		{ "exit", NULL, 0 },
		{ "signal", NULL, 0 },
	};
	size_t n = nitems_of(fields);

	/* A process may outlive its session: nohup(1). */
	if (!s->reaped)
		fields[4].text = "running";
	else if (WIFEXITED(s->status))
		fields[4].number = (uint64_t)WEXITSTATUS(s->status);
	else
		signal = sigabbrev_np(WTERMSIG(s->status));
	fields[5].text = signal != NULL ? signal : "unknown";
	if (*fields[5].text == '\0')
		n--;
	else
		fields[4].text = "signal";
	log_event("SessionEnded", fields, n);
}

void
event_command_blocked(
    const struct conn *c, const char *command, const char *reason)
{
	char id[ID_TEXT];
	const struct log_field fields[] = {
		{ "conn", id_of(c, id), 0 },
		{ "reason", reason, 0 },
		{ "command", command, 0 },
	};

	log_event("CommandBlocked", fields, nitems_of(fields));
}

/*
 * Log lines of sshd-monitor. The words are an interface: see the inventory of
 * log templates that regress/system/log-lines checks. Names and texts come
 * from the network; log.c encodes them.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/own.h"
#include "monitor/authlog.h"

#define DISCONNECT_BEGINS "Received SSH_MSG_DISCONNECT: " /* libssh's words */

/* journald's fields for the next line. */
static void
about(const struct conn *c, const char *event, const char *method)
{
	log_about(
	    &(struct log_about){ event, c->user, method, c->addr, c->port });
}

static const char *
invalid(const struct conn *c)
{
	return c->valid ? "" : "invalid user ";
}

void
authlog_result(const struct conn *c, enum auth_verdict verdict,
    const char *method, const char *info)
{
	static const char *const words[] = {
		[VERDICT_DENIED] = "Failed",
		[VERDICT_GRANTED] = "Accepted",
		[VERDICT_PARTIAL] = "Partial",
	};
	bool loud = verdict == VERDICT_GRANTED || !c->valid ||
		    c->failures >= (unsigned)c->options.max_auth_tries / 2 ||
		    strcmp(method, "password") == 0;

	static const char *const events[] = {
		[VERDICT_DENIED] = "failed",
		[VERDICT_GRANTED] = "accepted",
		[VERDICT_PARTIAL] = "partial",
	};

	if (c->probe)
		return;
	about(c, events[verdict], method);
	log_at(loud ? LEVEL_INFO : LEVEL_VERBOSE,
	    "%s %s for %s%s from %s port %u ssh2%s%s", words[verdict], method,
	    invalid(c), c->user, c->addr, c->port, info != NULL ? ": " : "",
	    info != NULL ? info : "");
}

void
authlog_invalid_user(const struct conn *c)
{
	about(c, "invalid-user", NULL);
	log_info("Invalid user %s from %s port %u", c->user, c->addr, c->port);
}

void
authlog_max_tries(const struct conn *c)
{
	about(c, "too-many", NULL);
	log_error("maximum authentication attempts exceeded for %s%s "
		  "from %s port %u ssh2 [preauth]",
	    invalid(c), c->user, c->addr, c->port);
}

/* "authenticating user U ", "invalid user U ", "user U " or nothing. */
static void
who(const struct conn *c, char *out, size_t size)
{
	out[0] = '\0';
	if (c->user == NULL)
		return;
	if (c->granted)
		snprintf(out, size, "user %s ", c->user);
	else
		snprintf(out, size, "%s user %s ",
		    c->valid ? "authenticating" : "invalid", c->user);
}

/*
 * libssh's "kex error : no match for method M: server [S], client [C]", in
 * the words that OpenSSH has for it.
 */
static bool
log_no_match(const struct conn *c, const char *text)
{
	static const struct {
		const char *method;
		const char *words;
	} methods[] = {
		{ "kex algos", "key exchange method" },
		{ "server host key algo", "host key type" },
		{ "encryption", "cipher" },
		{ "mac algo", "MAC" },
		{ "compression", "compression method" },
	};
	const char *method = strstr(text, "no match for method ");
	const char *offer = strstr(text, "client [");

	if (method == NULL || offer == NULL)
		return false;
	method += strlen("no match for method ");
	offer += strlen("client [");
	for (size_t i = 0; i < nitems_of(methods); i++) {
		if (strncmp(method, methods[i].method,
			strlen(methods[i].method)) != 0)
			continue;
		log_info("Unable to negotiate with %s port %u: no matching %s "
			 "found. Their offer: %.*s [preauth]",
		    c->addr, c->port, methods[i].words,
		    (int)strcspn(offer, "]"), offer);
		return true;
	}
	return false;
}

static void
log_disconnect(const struct conn *c, const char *text, const char *mark)
{
	const char *reason = "11:";

	if (strncmp(text, DISCONNECT_BEGINS, strlen(DISCONNECT_BEGINS)) == 0)
		reason = text + strlen(DISCONNECT_BEGINS);
	log_info("Received disconnect from %s port %u:%.*s: %s%s", c->addr,
	    c->port, (int)strcspn(reason, ":"), reason,
	    strchr(reason, ':') != NULL ? strchr(reason, ':') + 1 : "", mark);
}

void
authlog_bye(const struct conn *c, enum bye_reason why, const char *text)
{
	static const char *const begins[] = {
		[BYE_CLOSED] = "Connection closed by ",
		[BYE_RESET] = "Connection reset by ",
		[BYE_DISCONNECTED] = "Disconnected from ",
		[BYE_PROTOCOL] = "Disconnecting ",
		[BYE_TIMEOUT] = "Timeout, client not responding from ",
		[BYE_AUTHTRIES] = "Disconnecting ",
		[BYE_LIMIT] = "Disconnecting ",
		[BYE_LOCAL] = "fatal for ",
		[BYE_BANNER] = "banner exchange: Connection from ",
	};
	const char *mark = c->granted ? "" : " [preauth]";
	bool tells = why >= BYE_PROTOCOL && why != BYE_TIMEOUT;

	if (why == BYE_BANNER)
		log_error("kex_exchange_identification: client sent invalid "
			  "protocol identifier \"%s\"",
		    text);
	if (why == BYE_BANNER)
		text = "invalid format";
	char name[320];

	if (c->probe || (why == BYE_PROTOCOL && log_no_match(c, text)))
		return;
	if (why == BYE_DISCONNECTED)
		log_disconnect(c, text, mark);
	who(c, name, sizeof(name));
	about(c, "closed", NULL);
	log_info("%s%s%s port %u%s%s%s", begins[why], name, c->addr, c->port,
	    tells ? ": " : "", tells ? text : "", mark);
}

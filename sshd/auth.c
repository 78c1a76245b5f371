/*
 * Authentication requests: each is asked of the monitor, and its verdict sent.
 * Runs in sshd-net. Everything in a request was chosen by the client.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/own.h"
#include "sshd/ask.h"
#include "sshd/auth.h"
#include "sshd/forward.h"
#include "sshd/residue.h"
#include "sshd/seam.h"

#define ANSWERS_MAX 32768 /* bytes of AUTH_ANSWERS, msg.def */
#define PROMPTS_MAX 32    /* of one round, as monitor/kbdint.h */

static const struct {
	unsigned ours;
	int libssh;
} method_bits[] = {
	{ METHOD_PUBLICKEY, SSH_AUTH_METHOD_PUBLICKEY },
	{ METHOD_PASSWORD, SSH_AUTH_METHOD_PASSWORD },
	{ METHOD_KBDINT, SSH_AUTH_METHOD_INTERACTIVE },
};

static int
libssh_methods(unsigned methods)
{
	int bits = 0;

	for (size_t i = 0; i < nitems_of(method_bits); i++)
		if ((methods & method_bits[i].ours) != 0)
			bits |= method_bits[i].libssh;
	return bits;
}

/*
 * libssh says in its debug log that it dispatches a packet of type 50, or 61:
 * answers. It is the only word of a request that it then cannot parse.
 */
static void
watch_log(int priority, const char *function, const char *text, void *arg)
{
	struct net *n = arg;
	const char *type;

	(void)priority;
	if (strcmp(function, "ssh_packet_process") != 0)
		return;
	type = strrchr(text, ' ');
	if (type != NULL &&
	    (strcmp(type, " 50") == 0 || strcmp(type, " 61") == 0))
		n->auth_parsed++;
}

void
auth_watch(struct net *n)
{
	ssh_set_log_userdata(n);
	ssh_set_log_callback(watch_log);
	ssh_set_log_level(SSH_LOG_PACKET);
}

/* A request that libssh refuses by itself; newer ones do not say it here. */
static void
watch_refusal(int priority, const char *function, const char *text, void *arg)
{
	(void)priority;
	if (strcmp(function, "ssh_packet_global_request") == 0 &&
	    strstr(text, " UNKNOWN ") != NULL &&
	    strstr(text, " streamlocal-forward@openssh.com") != NULL)
		forward_tell(arg, TOLD_UNIX);
}

static void
auth_unwatch(void)
{
	ssh_set_log_level(SSH_LOG_PROTOCOL);
	ssh_set_log_callback(watch_refusal);
}

/* The public key or certificate of a request, as its blob. */
static int
key_blob_of(ssh_key key, struct writer *out)
{
	char *text = NULL;
	int rc;

	if (key == NULL || ssh_pki_export_pubkey_base64(key, &text) != SSH_OK)
		return -EBADMSG;
	rc = base64_decode(span_of(text, strlen(text)), out);
	ssh_string_free_char(text);
	return rc;
}

static struct msg_auth_result
try_none(struct net *n, ssh_message m)
{
	(void)m;
	return ask_auth_none(n);
}

static struct msg_auth_result
try_password(struct net *n, ssh_message m)
{
	const char *password = ssh_message_auth_password(m);
	struct msg_auth_result r;

	if (password == NULL)
		return ask_auth_dropped(n);
	r = strlen(password) <= MSG_PASSWORD_MAX
		? ask_auth_password(n, password)
		: ask_auth_dropped(n);
	/* All of it before the answer is sent: libssh wipes its own later. */
	residue_wipe(password);
	explicit_bzero((char *)(uintptr_t)password, strlen(password));
	return r;
}

static struct msg_auth_result
try_publickey(struct net *n, ssh_message m)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	const struct seam_verify *v = seam_take_verify();
	struct span key;

	if (key_blob_of(ssh_message_auth_pubkey(m), &blob) != 0 ||
	    blob.len == 0 || blob.len > 16384)
		return ask_auth_dropped(n);
	key = span_of(blob.p, blob.len);
	if (ssh_message_auth_publickey_state(m) == SSH_PUBLICKEY_STATE_NONE)
		return ask_auth_key(n, key);
	if (v == NULL)
		return ask_auth_dropped(n);
	return ask_auth_signature(n, key, span_of(v->data, v->data_len),
	    span_of(v->signature, v->signature_len));
}

/* --- keyboard-interactive (RFC 4256) */

static bool
is_response(ssh_message m)
{
	return ssh_message_subtype(m) == SSH_AUTH_METHOD_INTERACTIVE &&
	       ssh_message_auth_kbdint_is_response(m);
}

/* What libssh keeps of the answers is wiped with its copies of the packet. */
static void
wipe_answers(struct net *n, struct span response)
{
	int count = ssh_userauth_kbdint_getnanswers(n->ssh);

	for (int i = 0; i < count; i++) {
		const char *answer =
		    ssh_userauth_kbdint_getanswer(n->ssh, (unsigned)i);

		if (answer != NULL)
			explicit_bzero(
			    (char *)(uintptr_t)answer, strlen(answer));
	}
	residue_wipe_answers(response);
}

static struct msg_auth_result
pass_answers(struct net *n)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	int count = ssh_userauth_kbdint_getnanswers(n->ssh);
	struct msg_auth_result r;

	writer_u32(&w, (uint32_t)count);
	for (int i = 0; i < count; i++) {
		const char *answer =
		    ssh_userauth_kbdint_getanswer(n->ssh, (unsigned)i);

		writer_cstring(&w, answer != NULL ? answer : "");
	}
	if (count < 0 || writer_end(&w) != 0 || w.len > ANSWERS_MAX)
		r = ask_auth_dropped(n);
	else
		r = ask_auth_answers(n, span_of(w.p, w.len));
	wipe_answers(n, span_of(w.p, w.len));
	return r;
}

static struct msg_auth_result
try_kbdint(struct net *n, ssh_message m)
{
	bool asked = n->asked;

	n->asked = false;
	if (!is_response(m))
		return ask_auth_kbdint(n);
	/* Answers that nobody asked for are a failed attempt of the client. */
	return asked ? pass_answers(n) : ask_auth_dropped(n);
}

/* The monitor's text, as libssh wants it; owned. */
static char *
take_text(struct reader *r)
{
	struct span s = reader_string(r, r->left);

	return strndup((const char *)s.p, s.len);
}

/* Put the questions of the monitor's to the client. */
static int
put_questions(ssh_message m, struct span questions)
{
	char *prompts[PROMPTS_MAX] = { NULL };
	char echo[PROMPTS_MAX];
	struct reader r;
	uint32_t count;
	int rc = -EBADMSG;

	reader_init(&r, questions.p, questions.len);
	AUTOFREE char *name = take_text(&r);
	AUTOFREE char *instruction = take_text(&r);
	AUTOFREE char *language = take_text(&r);

	count = reader_u32(&r);
	for (uint32_t i = 0; i < count && i < PROMPTS_MAX; i++) {
		prompts[i] = take_text(&r);
		echo[i] = (char)reader_u8(&r);
	}
	if (reader_end(&r) == 0 && count <= PROMPTS_MAX &&
	    ssh_message_auth_interactive_request(m, name, instruction, count,
		(const char **)prompts, echo) == SSH_OK)
		rc = 0;
	for (uint32_t i = 0; i < PROMPTS_MAX; i++)
		free(prompts[i]);
	(void)language;
	return rc;
}

static void
ask_client(struct net *n, ssh_message m, struct span questions)
{
	n->asked = true;
	if (put_questions(m, questions) != 0)
		net_leave(n, BYE_LOCAL, "cannot ask the client");
}

static const struct {
	int libssh;
	struct msg_auth_result (*try)(struct net *n, ssh_message m);
} methods[] = {
	{ SSH_AUTH_METHOD_NONE, try_none },
	{ SSH_AUTH_METHOD_PASSWORD, try_password },
	{ SSH_AUTH_METHOD_PUBLICKEY, try_publickey },
	{ SSH_AUTH_METHOD_INTERACTIVE, try_kbdint },
};

static struct msg_auth_result
try_method(struct net *n, ssh_message m)
{
	for (size_t i = 0; i < nitems_of(methods); i++)
		if (methods[i].libssh == ssh_message_subtype(m))
			return methods[i].try(n, m);
	return ask_auth_dropped(n);
}

static void
send_banner(struct net *n, struct span banner)
{
	ssh_string text;

	if (banner.len == 0)
		return;
	text = ssh_string_new(banner.len);
	if (text == NULL)
		return;
	if (ssh_string_fill(text, banner.p, banner.len) == 0)
		ssh_send_issue_banner(n->ssh, text);
	ssh_string_free(text);
}

/* The first request fixes the user (RFC 4252 section 5, as OpenSSH reads it) */
static int
fix_user(struct net *n, ssh_message m)
{
	const char *user = ssh_message_auth_user(m);
	struct msg_auth_methods answer;

	/* Answers name no user; they belong to the one of the questions. */
	if (is_response(m))
		return n->user != NULL ? 0 : -EPROTO;
	if (user == NULL || strlen(user) > 256)
		return -EBADMSG;
	if (n->user != NULL)
		return strcmp(user, n->user) == 0 ? 0 : -EPROTO;
	n->user = strdup(user);
	if (n->user == NULL)
		return -ENOMEM;
	answer = ask_auth_user(n, user);
	n->methods = (unsigned)answer.methods;
	send_banner(n, answer.banner);
	if (n->methods == 0) /* a failure has to name one */
		net_leave(n, BYE_LOCAL, "no authentication methods enabled");
	return 0;
}

static void
granted(struct net *n, ssh_message m, const struct msg_auth_result *r)
{
	send_banner(n, r->text);
	n->authenticated = true;
	auth_unwatch();
	ssh_message_auth_reply_success(m, 0);
	if (n->refusal != NULL)
		ssh_message_free(n->refusal);
	n->refusal = NULL;
}

static void
refused(struct net *n, ssh_message m, const struct msg_auth_result *r)
{
	n->methods = (unsigned)r->methods;
	send_banner(n, r->text);
	if (r->last) {
		net_leave(n, BYE_AUTHTRIES, "Too many authentication failures");
		return;
	}
	ssh_message_auth_set_methods(m, libssh_methods(n->methods));
	if (r->verdict == VERDICT_PARTIAL)
		ssh_message_auth_reply_success(m, 1);
	else
		ssh_message_reply_default(m);
}

static void
answer(struct net *n, ssh_message m, const struct msg_auth_result *r)
{
	bool query =
	    ssh_message_subtype(m) == SSH_AUTH_METHOD_PUBLICKEY &&
	    ssh_message_auth_publickey_state(m) == SSH_PUBLICKEY_STATE_NONE;

	if (r->verdict == VERDICT_ASKED)
		ask_client(n, m, r->questions);
	else if (r->verdict != VERDICT_GRANTED)
		refused(n, m, r);
	else if (query)
		ssh_message_auth_reply_pk_ok_simple(m);
	else
		granted(n, m, r);
}

/* In OpenSSH's words, which fail2ban's filter looks for. */
static void
leave_by_change(struct net *n, ssh_message m)
{
	const char *user = ssh_message_auth_user(m);
	char text[700];

	snprintf(text, sizeof(text),
	    "Change of username or service not allowed: "
	    "(%s,ssh-connection) -> (%s,ssh-connection)",
	    n->user != NULL ? n->user : "", user != NULL ? user : "");
	net_leave(n, BYE_PROTOCOL, text);
}

bool
auth_message(struct net *n, ssh_message m)
{
	struct msg_auth_result r;

	n->auth_seen++;
	/* RFC 4252 section 5.1: what comes after success is ignored. */
	if (n->authenticated)
		return false;
	if (fix_user(n, m) != 0) {
		leave_by_change(n, m);
		return false;
	}
	if (n->leaving)
		return false;
	/* Anything else ends the questions, in the monitor too. */
	n->asked &= is_response(m);
	r = try_method(n, m);
	answer(n, m, &r);
	/* Kept to answer others with; but no password is kept in memory. */
	if (n->authenticated || n->refusal != NULL ||
	    ssh_message_subtype(m) == SSH_AUTH_METHOD_PASSWORD)
		return false;
	n->refusal = m;
	return true;
}

void
auth_answer_dropped(struct net *n)
{
	while (
	    !n->authenticated && !n->leaving && n->auth_parsed > n->auth_seen) {
		struct msg_auth_result r;

		n->auth_seen++;
		if (n->user == NULL || n->refusal == NULL) {
			/* Nothing to answer with: better gone than hanging. */
			net_leave(n, BYE_PROTOCOL,
			    "Authentication request not understood");
			return;
		}
		n->asked = false;
		r = ask_auth_dropped(n);
		r.verdict = VERDICT_DENIED;
		refused(n, n->refusal, &r);
	}
}

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
#include "sshd/residue.h"
#include "sshd/seam.h"

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
 * libssh says in its debug log that it dispatches a packet of type 50. It is
 * the only word of a request that it then cannot parse.
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
	if (type != NULL && strcmp(type, " 50") == 0)
		n->auth_parsed++;
}

void
auth_watch(struct net *n)
{
	ssh_set_log_userdata(n);
	ssh_set_log_callback(watch_log);
	ssh_set_log_level(SSH_LOG_PACKET);
}

static void
auth_unwatch(void)
{
	ssh_set_log_level(SSH_LOG_NOLOG);
	ssh_set_log_callback(NULL);
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

	if (password == NULL || strlen(password) > 1024)
		return ask_auth_dropped(n);
	r = ask_auth_password(n, password);
	residue_wipe(password);
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

static const struct {
	int libssh;
	struct msg_auth_result (*try)(struct net *n, ssh_message m);
} methods[] = {
	{ SSH_AUTH_METHOD_NONE, try_none },
	{ SSH_AUTH_METHOD_PASSWORD, try_password },
	{ SSH_AUTH_METHOD_PUBLICKEY, try_publickey },
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

	if (r->verdict != VERDICT_GRANTED)
		refused(n, m, r);
	else if (query)
		ssh_message_auth_reply_pk_ok_simple(m);
	else
		granted(n, m, r);
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
		net_leave(n, BYE_PROTOCOL, "Change of username not allowed");
		return false;
	}
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
		r = ask_auth_dropped(n);
		r.verdict = VERDICT_DENIED;
		refused(n, n->refusal, &r);
	}
}

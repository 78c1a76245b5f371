/*
 * The questions of keyboard-interactive authentication (RFC 4256): a PAM
 * module's conversation, carried to the client and back while the module
 * waits.
 */
#ifndef MONITOR_KBDINT_H
#define MONITOR_KBDINT_H

#include "monitor/conn.h"

#define KBDINT_PROMPTS_MAX 32 /* of one round; PAM has no more */
#define KBDINT_ROUNDS_MAX 64  /* of one attempt */
#define KBDINT_TEXT_MAX 32768 /* bytes of a round, msg.def */

struct kbdint_prompt {
	const char *text;
	bool echo;
};

struct kbdint_round {
	const char *instruction; /* what modules had to say, or "" */
	const struct kbdint_prompt *prompts;
	size_t n; /* may be 0: the text is shown, and nothing is asked */
};

/*
 * Ask, and wait for the answers. 0: out_answers has n of them, to be wiped and
 * freed by the caller. -ECANCELED: the client does something else, which waits
 * in c->waiting, or the connection is over (c->ended); -EBADMSG: it gave
 * another number of answers; -EMSGSIZE, -ENOMEM.
 */
int kbdint_ask(struct conn *c, const struct kbdint_round *round,
    char *out_answers[KBDINT_PROMPTS_MAX]);

#endif

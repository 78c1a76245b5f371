/*
 * Messages between processes of different privilege: the types made from
 * msg.def, the one encoder, the one decoder, the one permission check.
 */
#ifndef COMMON_MSG_H
#define COMMON_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/* Both ends are always of one build; this catches a half-done upgrade. */
#define MSG_VERSION 6
#define MSG_MAX_LEN 65536 /* bytes of an encoded message */
#define MSG_MAX_FDS 5
/* A command goes in parts; execve(2) takes no longer word than the whole. */
#define MSG_PART_MAX 65000
#define MSG_COMMAND_MAX 131071
#define MSG_LOGS_MAX 1000 /* lines of one network process's */
/* Bytes of fields that their readers copy, with room for a NUL behind them. */
#define MSG_BYE_TEXT_MAX 1024
#define MSG_COOKIE_MAX 1024
#define MSG_PASSWORD_MAX 1024

/* sshd-net's root directory, where sshd hands it one in place of PRIVSEP_PATH;
 * and its argument, where there is none to enter. */
#define NET_ROOT_FD 5
#define NET_NO_ROOT "-u"

/* sshd-net's exit status when it cannot enter its jail. */
#define NET_EXIT_JAIL 2

enum peer {
	SSHD,
	MONITOR,
	NET,
	CTL, /* sshdctl(8) */
	FORWARD,
	PEER_COUNT,
};

enum phase {
	PH_START = 1 << 0,
	PH_KEX = 1 << 1,
	PH_AUTH = 1 << 2,
	PH_SESSION = 1 << 3,
	PH_ANY = PH_START | PH_KEX | PH_AUTH | PH_SESSION,
};

enum auth_method { /* RFC 4252, 4256: bits of AUTH_METHODS and AUTH_RESULT */
	METHOD_PUBLICKEY = 1 << 0,
	METHOD_PASSWORD = 1 << 1,
	METHOD_KBDINT = 1 << 2,
};

enum auth_verdict {
	VERDICT_DENIED,
	VERDICT_GRANTED, /* for AUTH_KEY: a signature by it would be */
	VERDICT_PARTIAL,
	VERDICT_ASKED, /* there are questions to be answered first */
};

enum session_kind {
	SESSION_SHELL,
	SESSION_EXEC,
	SESSION_SUBSYSTEM,
};

enum forward_outcome {
	FORWARD_DONE,
	FORWARD_DENIED,      /* by options or the key's line */
	FORWARD_FORBIDDEN,   /* by the kernel: the user may not */
	FORWARD_UNKNOWN,     /* no such name */
	FORWARD_REFUSED,     /* nobody listens there */
	FORWARD_UNREACHABLE, /* no way there */
	FORWARD_TIMEOUT,
	FORWARD_IN_USE,
	FORWARD_LIMIT, /* a named limit of ours */
	FORWARD_FAILED,
	FORWARD_OUTCOME_COUNT,
};

enum forward_family {
	FAMILY_ANY,
	FAMILY_INET,
	FAMILY_INET6,
};

enum forward_bind {
	BIND_TCP,
	BIND_X11,
	BIND_AGENT,
};

enum forward_where {
	WHERE_LOOPBACK, /* 127.0.0.1 and ::1 */
	WHERE_ANY,      /* every address */
	WHERE_HOST,
};

/* The monitor's own BIND: a number that CONNECT and LISTEN cannot have. */
#define FORWARD_OWN_ID (1ull << 32)

/* Limits of one connection, kept by sshd-net and enforced by the monitor. */
#define FORWARD_CHANNELS_MAX 1024 /* channels that carry a forwarding */
#define FORWARD_LISTENERS_MAX 128 /* tcpip-forward, displays, the agent */
#define FORWARD_GLOBALS_MAX 256   /* tcpip-forward and cancels, unanswered */

/*
 * sshd-forward's argument in the start-up proof, without its jail or in it; and
 * the bits of what it could then do.
 */
#define FORWARD_TRY "try"
#define FORWARD_PROVE "prove"
enum forward_can {
	FORWARD_CAN_BIND,
	FORWARD_CAN_CONNECT,
	FORWARD_CAN_AGENT,
	FORWARD_CAN_LOOK_UP,
	FORWARD_CAN_COUNT,
};

/* Its exit status: */
#define FORWARD_EXIT_JAIL 2   /* it could not enter its jail */
#define FORWARD_EXIT_OPEN 3   /* the jail lets through what it must not */
#define FORWARD_EXIT_TRIED 64 /* and bits, 1 << enum forward_can */

/* A word for an outcome, to end a log line with; never NULL. */
const char *forward_str(uint64_t outcome);

enum bye_reason {
	BYE_CLOSED,       /* the client's side was closed */
	BYE_RESET,        /* ... with an error of the socket */
	BYE_DISCONNECTED, /* it sent SSH_MSG_DISCONNECT */
	BYE_PROTOCOL,     /* libssh could not go on */
	BYE_TIMEOUT,      /* ClientAliveCountMax */
	BYE_AUTHTRIES,    /* told to disconnect by AUTH_RESULT */
	BYE_LIMIT,        /* the client broke a limit of ours */
	BYE_LOCAL,        /* something failed on this side */
	BYE_BANNER,       /* what came first was not SSH */
};

enum msg_id {
	MSG_NONE,
#define MSG(NAME, ...) MSG_##NAME,
#define INT(...)
#define STR(...)
#define BYTES(...)
#define SECRET(...)
#define END
#include "common/msg.def"
#undef MSG
#undef INT
#undef STR
#undef BYTES
#undef SECRET
#undef END
	MSG_COUNT,
};

/* One struct a message: an integer is a uint64_t, all else a borrowed span. */
#define MSG(NAME, type, ...) struct msg_##type {
#define INT(name, ...) uint64_t name;
#define STR(name, ...) struct span name;
#define BYTES(name, ...) struct span name;
#define SECRET(name, ...) struct span name;
/* clang-format off */
#define END };
#include "common/msg.def"
/* clang-format on */
#undef MSG
#undef INT
#undef STR
#undef BYTES
#undef SECRET
#undef END

struct msg {
	enum msg_id id;
	union msg_body {
#define MSG(NAME, type, ...) struct msg_##type type;
#define INT(...)
#define STR(...)
#define BYTES(...)
#define SECRET(...)
#define END
#include "common/msg.def"
#undef MSG
#undef INT
#undef STR
#undef BYTES
#undef SECRET
#undef END
	} u;
};

enum msg_kind {
	FIELD_END,
	FIELD_INT,
	FIELD_STR,
	FIELD_BYTES,
	FIELD_SECRET,
};

struct msg_field {
	enum msg_kind kind;
	const char *name;
	uint64_t min;
	uint64_t max; /* of an INT's value, else of the length in bytes */
	const char *help;
};

struct msg_rule {
	const char *name;
	enum peer sender;
	enum peer receiver;
	unsigned phases;
	uint32_t times;
	enum msg_id reply;
	unsigned fds;
	const char *help;
	const struct msg_field *fields; /* ends with FIELD_END */
};

/* The row of a message; NULL for an id that is none. */
const struct msg_rule *msg_rule(enum msg_id id);
const char *msg_peer_name(enum peer peer);

/*
 * A number that differs when a row of msg.def does: what two programs compare
 * that may be of different builds, before they exchange messages.
 */
uint32_t msg_schema(void);

/*
 * Append m to w. 0, -EBADMSG when a field is out of its bounds (then our own
 * code is wrong), -EMSGSIZE, or -ENOMEM.
 */
int msg_encode(const struct msg *m, struct writer *w);

/*
 * Read one whole message. Spans of *out_m borrow from buf. 0, or -EBADMSG:
 * unknown id or version, short, out of bounds, a NUL in a STR, trailing bytes.
 */
int msg_decode(const void *buf, size_t len, struct msg *out_m);

/*
 * Whether `receiver`, in `phase`, may take a message from `sender` that
 * carries nfds descriptors and that it has taken `count` times before.
 * 0, -EPROTO, or -EDQUOT.
 */
struct msg_arrival {
	enum peer sender;
	enum peer receiver;
	unsigned phase;
	uint32_t count;
	unsigned nfds;
};
int msg_permitted(enum msg_id id, const struct msg_arrival *how);

/*
 * One line for the debug log: "AUTH_PASSWORD password=<9 bytes hidden>".
 * Writes at most size bytes with the NUL; text of fields is vis(3)-encoded.
 */
void msg_trace(const struct msg *m, char *out, size_t size);

#endif

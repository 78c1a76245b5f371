/*
 * Writing JSON (RFC 8259), as much as sshdctl(8) needs of it: values come from
 * the administrator's files and from records.
 */
#ifndef MONITOR_JSON_H
#define MONITOR_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* An array or object that is being written: commas are its business. */
struct json {
	FILE *out;
	bool comma; /* something stands in front */
};

/* Begin and end with '[' ']' or '{' '}'. */
void json_open(struct json *j, char bracket);
void json_close(struct json *j, char bracket);

/* A member of an object. Bytes that are no UTF-8 become U+FFFD. */
void json_text(struct json *j, const char *name, const char *value);
void json_number(struct json *j, const char *name, int64_t value);
void json_flag(struct json *j, const char *name, bool value);
/* Seconds since 1970 in the form of RFC 3339, UTC. */
void json_time(struct json *j, const char *name, int64_t value);

#endif

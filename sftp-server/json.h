/*
 * One JSON object on one line, made of parts that a client may have chosen:
 * plain ASCII comes out, in which nothing can end a string, a line or a record.
 */
#ifndef SFTP_SERVER_JSON_H
#define SFTP_SERVER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of an object: what syslog daemons take whole. */
#define JSON_MAX 8000
/* Bytes that one name may become; longer ones are cut, and marked as such. */
#define JSON_NAME_MAX 3400

struct json {
	size_t len;
	bool is_full; /* the member being written does not fit */
	char text[JSON_MAX];
};

/* Begin an object, in whatever was in it. */
void json_begin(struct json *j);
/* Close the object; the text is NUL-terminated then. */
const char *json_end(struct json *j);

/* Members. Keys are ours, and plain. What does not fit is left out. */
void json_string(struct json *j, const char *key, const char *value);
void json_number(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key);

/*
 * A file's name, which may be any bytes: "key" is its UTF-8, with U+FFFD for
 * what is none; then "key_hex" has the bytes themselves. A name that was cut
 * has "key_cut", its length in bytes.
 */
void json_name(struct json *j, const char *key, const char *name);

#endif

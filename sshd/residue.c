/*
 * Wiping what libssh does not. Runs in sshd-net, after a password has been
 * asked about: the packet that brought it has been read to its end by then, so
 * nobody minds that its bytes change.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/own.h"
#include "common/wire.h"
#include "sshd/residue.h"

/* The sanitizers' allocator is elsewhere, and does not like to be searched. */
#ifdef WITH_SANITIZERS
#define HEAP_IS_PLAIN false
#else
#define HEAP_IS_PLAIN true
#endif

#define MESSAGE_INFO_RESPONSE 61 /* RFC 4256 section 5 */
#define RESPONSE_HEAD 5          /* that number, and the number of answers */

#define STAT_START_BRK 47 /* proc(5): the field of /proc/PID/stat */
#define STAT_MAX 1024

/* The heap's first byte, for the one process-wide heap there is. */
static char *heap_start;

/* The first byte that brk(2) gave out; NULL if the line does not say it. */
static char *
read_start_brk(const char *stat)
{
	/* The name, field 2, may have blanks and brackets of its own. */
	const char *at = strrchr(stat, ')');

	for (int field = 2; at != NULL && field < STAT_START_BRK; field++)
		at = strchr(at + 1, ' ');
	return at != NULL ? (char *)strtoul(at, NULL, 10) : NULL;
}

void
residue_init(void)
{
	FILE *file = fopen("/proc/self/stat", "re");
	char line[STAT_MAX];

	/* /proc/self/maps says it too, for an eighth of what a login costs
	 * this process. */
	if (file != NULL && fgets(line, sizeof(line), file) != NULL)
		heap_start = read_start_brk(line);
	if (file != NULL)
		fclose(file);
}

/* Overwrite what follows the first `head` bytes of each copy of the pattern. */
static void
wipe_copies(struct span pattern, size_t head)
{
	char *at = heap_start;
	char *end = sbrk(0);

	if (!HEAP_IS_PLAIN || heap_start == NULL)
		return;
	/* The pattern itself is on the heap too, and is found among the rest.
	 */
	while ((at = memmem(at, (size_t)(end - at), pattern.p, pattern.len)) !=
	       NULL) {
		if (at != (const char *)pattern.p)
			explicit_bzero(at + head, pattern.len - head);
		at += head;
	}
}

void
residue_wipe(const char *password)
{
	AUTO(writer_done) struct writer request = WRITER_INIT;
	size_t len = strlen(password);
	size_t head;

	if (len == 0)
		return;
	/*
	 * RFC 4252 section 8, from the method's name on: no other bytes look
	 * like this, so that only a request is found, whatever the password.
	 */
	writer_cstring(&request, "password");
	writer_u8(&request, 0);
	writer_u32(&request, (uint32_t)len);
	head = request.len;
	writer_bytes(&request, password, len);
	if (writer_end(&request) == 0)
		wipe_copies(span_of(request.p, request.len), head);
}

void
residue_wipe_answers(struct span response)
{
	AUTO(writer_done) struct writer packet = WRITER_INIT;

	/* The message's number in front, so that nothing else is found. */
	writer_u8(&packet, MESSAGE_INFO_RESPONSE);
	writer_bytes(&packet, response.p, response.len);
	if (writer_end(&packet) == 0)
		wipe_copies(span_of(packet.p, packet.len), RESPONSE_HEAD);
}

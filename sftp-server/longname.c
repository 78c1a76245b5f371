/*
 * ls -l lines for sftp-server's directory listings. Made by hand and not by
 * printf(3): a listing of 100,000 entries spends its time here otherwise.
 */
#include "config.h"

#include <string.h>
#include <sys/types.h>

#include "sftp-server/longname.h"

/* Six months, after which ls(1) shows the year instead of the time. */
#define RECENT_SECONDS (365 * 24 * 60 * 60 / 2)
#define NAME_COLUMN 8
#define LINKS_COLUMN 3
#define SIZE_COLUMN 8
/* "Jan 13 18:39" and "Jan 13  2001". */
#define DATE_MAX 12
#define DIGITS_MAX 20

static char *
put_number(char *to, unsigned long long v, size_t column)
{
	char digits[DIGITS_MAX];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	for (size_t i = n; i < column; i++)
		*to++ = ' ';
	while (n > 0)
		*to++ = digits[--n];
	return to;
}

/* Left aligned; a control character could not be told from the line's end. */
static char *
put_name(char *to, const char *name)
{
	size_t n = 0;

	for (; n < NAMES_SHOWN_MAX && name[n] != '\0'; n++)
		to[n] = (unsigned char)name[n] > ' ' ? name[n] : '?';
	for (; n < NAME_COLUMN; n++)
		to[n] = ' ';
	return to + n;
}

static char *
put_id(char *to, const char *name, uint32_t id)
{
	char *end;

	if (name != NULL)
		return put_name(to, name);
	end = put_number(to, id, 0);
	while (end < to + NAME_COLUMN)
		*end++ = ' ';
	return end;
}

static const char *
date_text(struct longname *l, time_t t)
{
	struct longname_date *d = &l->date;
	int recent = l->now - RECENT_SECONDS < t && t <= l->now;
	char text[DATE_MAX + 1];
	struct tm tm;

	if (d->text[0] != '\0' && d->minute == t / 60 && d->recent == recent)
		return d->text;
	if (localtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), recent ? "%b %e %H:%M" : "%b %e  %Y",
		&tm) == 0)
		return "";
	d->minute = t / 60;
	d->recent = recent;
	memcpy(d->text, text, sizeof(text));
	return d->text;
}

size_t
longname_head(struct longname *l, const struct stat *st, char *head)
{
	const char *date = date_text(l, st->st_mtime);
	size_t date_len = strlen(date);
	char mode[12];
	char *p = head;

	strmode((mode_t)st->st_mode, mode);
	memcpy(p, mode, 11);
	p += 11;
	*p++ = ' ';
	p = put_number(p, st->st_nlink, LINKS_COLUMN);
	*p++ = ' ';
	p = put_id(p, names_user(l->names, st->st_uid), st->st_uid);
	*p++ = ' ';
	p = put_id(p, names_group(l->names, st->st_gid), st->st_gid);
	*p++ = ' ';
	p = put_number(p, (unsigned long long)st->st_size, SIZE_COLUMN);
	*p++ = ' ';
	memcpy(p, date, date_len);
	p += date_len;
	*p++ = ' ';
	return (size_t)(p - head);
}

size_t
longname_head_unseen(mode_t mode, char *head)
{
	static const char unknown[] =
	    "?????????    ? ?        ?               ? ?            ";
	char text[12];

	strmode(mode, text);
	head[0] = text[0];
	memcpy(head + 1, unknown, sizeof(unknown) - 1);
	return sizeof(unknown);
}

/*
 * One line of progress on standard error. Runs in the client; names are shown
 * with show_text(), because a server may have chosen them.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "client/progress.h"
#include "client/show.h"
#include "common/own.h"

#define COLUMNS_DEFAULT 80
#define COLUMNS_MOST 512
/* What stands behind the name: "100% 1234KB 123.4MB/s   00:12 ETA". */
#define FIGURES_WIDTH 36
#define PAINT_MS 100
/* Rate over this time, smoothed. */
#define SMOOTH_MS 3000.0
/* Without a byte for so long, it says so. */
#define STALLED_MS 5000
#define MS 1000u

struct progress {
	bool shown; /* switched on, and a terminal */
	bool painted;
	uint64_t painted_ms;
	uint64_t file_ms;       /* when this line's file began */
	uint64_t sample_ms;     /* of the last rate */
	uint64_t sample, first; /* bytes then; bytes at the beginning */
	uint64_t moved_ms;      /* of the last byte */
	uint64_t ended_ms;      /* of the line before */
	double rate;            /* bytes a second */
	char *name;
};

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * MS + (uint64_t)t.tv_nsec / 1000000;
}

struct progress *
progress_new(bool quiet)
{
	struct progress *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->shown = !quiet && isatty(STDERR_FILENO);
	return p;
}

void
progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	free(p->name);
	free(p);
}

bool
progress_toggle(struct progress *p)
{
	if (p == NULL)
		return false;
	p->shown = !p->shown;
	return p->shown;
}

/* Not in the background: a line over somebody's prompt helps nobody. */
static bool
may_paint(void)
{
	return tcgetpgrp(STDERR_FILENO) == getpgrp();
}

static int
columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col > COLUMNS_MOST ? COLUMNS_MOST : size.ws_col;
}

static void
format_time(char *out, size_t size, uint64_t seconds)
{
	unsigned h = (unsigned)(seconds / 3600 % 10000);
	unsigned m = (unsigned)(seconds / 60 % 60);

	if (h != 0)
		snprintf(
		    out, size, "%u:%02u:%02u", h, m, (unsigned)(seconds % 60));
	else
		snprintf(out, size, "%02u:%02u", m, (unsigned)(seconds % 60));
}

static void
measure(struct progress *p, uint64_t done, uint64_t now)
{
	double ms = (double)(now - p->sample_ms);
	double rate, weight;

	if (ms < PAINT_MS)
		return;
	if (done != p->sample)
		p->moved_ms = now;
	rate = (double)(done - p->sample) * MS / ms;
	weight = p->rate == 0 ? 1 : ms / (ms + SMOOTH_MS);
	p->rate += (rate - p->rate) * weight;
	p->sample = done;
	p->sample_ms = now;
}

static void
figures(const struct progress *p, char *out, size_t size, uint64_t done,
    uint64_t total)
{
	char bytes[SHOW_SIZE_MAX], rate[SHOW_SIZE_MAX], left[16];
	uint64_t now = now_ms();
	unsigned percent =
	    total != 0 ? (unsigned)((double)done * 100 / (double)total) : 100;
	double speed = p->rate;

	if (done >= total) {
		/* Over the whole file, when it is there. */
		speed = (double)(done - p->first) * MS /
			(double)(now - p->file_ms + 1);
		format_time(left, sizeof(left), (now - p->file_ms) / MS);
	} else if (now - p->moved_ms >= STALLED_MS)
		strlcpy(left, "stalled", sizeof(left));
	else if (speed < 1)
		strlcpy(left, "--:--", sizeof(left));
	else
		format_time(left, sizeof(left),
		    (uint64_t)((double)(total - done) / speed));
	snprintf(out, size, "%3u%% %8s %8s/s %8s%s",
	    percent > 100 ? 100 : percent, show_size(done, "B", bytes),
	    show_size((uint64_t)speed, "B", rate), left,
	    done < total ? " ETA" : "");
}

/* The name, cut at its end to what fits in front of the figures. */
static void
paint(struct progress *p, uint64_t done, uint64_t total)
{
	AUTOFREE char *shown = show_text(p->name != NULL ? p->name : "");
	char text[96];
	int width = columns() - FIGURES_WIDTH - 2;
	int pad;

	if (shown == NULL || !may_paint())
		return;
	figures(p, text, sizeof(text), done, total);
	width = width > 8 ? width : 8;
	while (show_width(shown) > (size_t)width && shown[0] != '\0')
		shown[strlen(shown) - 1] = '\0';
	pad = width - (int)show_width(shown);
	fprintf(stderr, "\r%s%*s %s\033[K", shown, pad, "", text);
	fflush(stderr);
	p->painted = true;
}

static bool
is_other(const struct progress *p, const char *name)
{
	return p->name == NULL || strcmp(p->name, name) != 0;
}

static void
begin(struct progress *p, const char *name, uint64_t done)
{
	free(p->name);
	p->name = strdup(name);
	p->file_ms = p->sample_ms = p->moved_ms = now_ms();
	p->first = p->sample = done;
	p->rate = 0;
	p->painted_ms = 0;
}

void
progress_update(
    struct progress *p, const char *name, uint64_t done, uint64_t total)
{
	uint64_t now;

	if (p == NULL || !p->shown)
		return;
	if (is_other(p, name))
		begin(p, name, done);
	now = now_ms();
	measure(p, done, now);
	if (now - p->painted_ms < PAINT_MS)
		return;
	p->painted_ms = now;
	paint(p, done, total);
}

void
progress_end(
    struct progress *p, const char *name, uint64_t done, uint64_t total)
{
	if (p == NULL || !p->shown)
		return;
	if (is_other(p, name)) {
		/* It went by unseen: its time is what passed since. */
		begin(p, name, 0);
		if (p->ended_ms != 0)
			p->file_ms = p->ended_ms;
	}
	paint(p, done, total > done ? total : done);
	p->ended_ms = now_ms();
	if (p->painted)
		fputc('\n', stderr);
	p->painted = false;
	free(p->name);
	p->name = NULL;
}

void
progress_clear(struct progress *p)
{
	if (p == NULL || !p->painted)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->painted = false;
}

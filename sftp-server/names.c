/*
 * Names for ids in sftp-server, jailed: passwd(5) and group(5) are parsed here
 * because what libc would do could load code or open sockets. Inside a chroot
 * they are the chroot's files, and their text is not trusted.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/names.h"

/* Of passwd(5) and group(5): some 100,000 names. */
#define FILE_MAX_BYTES (8u << 20)
/* Supplementary groups that the name service is asked about. */
#define OWN_GROUPS_MAX 32
#define PASSWD_FIELDS 7
#define GROUP_FIELDS 4

static int
entry_cmp(const void *a, const void *b)
{
	const struct name_entry *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	/* Of several names for an id the first in the file counts. */
	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return 0;
}

/* The whole file as a C string in *out_text; -EFBIG over FILE_MAX_BYTES. */
static int
file_read(const char *path, char **out_text)
{
	AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	AUTOFREE char *text = NULL;
	struct stat st;
	size_t len = 0;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		n = pread(fd, text + len, (size_t)st.st_size - len, (off_t)len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	*out_text = take_ptr(&text);
	return 0;
}

/* Cut "name:password:id:..." in place; 0 when the line is an entry. */
static int
line_parse(char *line, size_t nfields, struct name_entry *out_entry)
{
	char *field[PASSWD_FIELDS] = { NULL }, *end, *rest = line;
	size_t n = 0;
	unsigned long id;

	while (n < nfields && rest != NULL)
		field[n++] = strsep(&rest, ":");
	/* + and - are not names but orders to the name service. */
	if (n < nfields || strchr("#+-", line[0]) != NULL)
		return -EBADMSG;
	errno = 0;
	id = strtoul(field[2], &end, 10);
	if (errno != 0 || end == field[2] || *end != '\0' || id > UINT32_MAX)
		return -EBADMSG;
	out_entry->id = (uint32_t)id;
	out_entry->name = field[0];
	out_entry->home = nfields == PASSWD_FIELDS ? field[5] : "";
	return 0;
}

static size_t
lines_count(const char *text)
{
	size_t n = 1;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

/* Best effort: without a file there are no names, only numbers. */
static void
table_load(struct name_table *t, size_t nfields)
{
	char *line, *rest;

	if (t->loaded)
		return;
	t->loaded = 1;
	if (file_read(t->path, &t->text) != 0)
		return;
	t->entry = calloc(lines_count(t->text), sizeof(*t->entry));
	if (t->entry == NULL)
		return;
	rest = t->text;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line_parse(line, nfields, &t->entry[t->nentries]) == 0)
			t->nentries++;
	/* Not qsort(3): that asks the system for its memory size. */
	if (t->nentries > 1)
		heapsort(t->entry, t->nentries, sizeof(*t->entry), entry_cmp);
}

static const struct name_entry *
table_find(const struct name_table *t, uint32_t id)
{
	size_t low = 0, high = t->nentries;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->entry[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < t->nentries && t->entry[low].id == id)
		return &t->entry[low];
	for (size_t i = 0; i < t->nown; i++)
		if (t->own[i].id == id)
			return &t->own[i];
	return NULL;
}

const char *
names_user(struct names *n, uid_t uid)
{
	const struct name_entry *entry;

	table_load(&n->users, PASSWD_FIELDS);
	entry = table_find(&n->users, uid);
	return entry != NULL ? entry->name : NULL;
}

const char *
names_group(struct names *n, gid_t gid)
{
	const struct name_entry *entry;

	table_load(&n->groups, GROUP_FIELDS);
	entry = table_find(&n->groups, gid);
	return entry != NULL ? entry->name : NULL;
}

const char *
names_home(struct names *n, const char *user)
{
	if (strcmp(user, n->user) == 0)
		return n->home;
	table_load(&n->users, PASSWD_FIELDS);
	for (size_t i = 0; i < n->users.nentries; i++)
		if (strcmp(user, n->users.entry[i].name) == 0)
			return n->users.entry[i].home;
	return NULL;
}

static int
own_add(struct name_table *t, uint32_t id, const char *name, const char *home)
{
	AUTOFREE char *name_copy = strdup(name);
	AUTOFREE char *home_copy = strdup(home);

	if (name_copy == NULL || home_copy == NULL)
		return -ENOMEM;
	t->own[t->nown++] = (struct name_entry){
		.id = id,
		.name = take_ptr(&name_copy),
		.home = take_ptr(&home_copy),
	};
	return 0;
}

static int
own_groups(struct name_table *t)
{
	gid_t gids[OWN_GROUPS_MAX + 1] = { getgid() };
	int n = getgroups(OWN_GROUPS_MAX, gids + 1);
	struct group *group;
	int error = 0;

	/* More groups than there is room for: names of some are numbers. */
	if (n < 0)
		n = 0;
	t->own = calloc((size_t)n + 1, sizeof(*t->own));
	if (t->own == NULL)
		return -ENOMEM;
	for (int i = 0; i <= n && error == 0; i++) {
		group = getgrgid(gids[i]);
		if (group != NULL)
			error = own_add(t, gids[i], group->gr_name, "");
	}
	return error;
}

int
names_init(struct names *n)
{
	struct passwd *pw = getpwuid(getuid());
	int error;

	*n = (struct names){
		.users.path = "/etc/passwd",
		.groups.path = "/etc/group",
	};
	if (pw == NULL)
		return -ENOENT;
	n->users.own = calloc(1, sizeof(*n->users.own));
	if (n->users.own == NULL)
		return -ENOMEM;
	error = own_add(&n->users, pw->pw_uid, pw->pw_name, pw->pw_dir);
	if (error != 0)
		return error;
	n->user = n->users.own[0].name;
	n->home = n->users.own[0].home;
	return own_groups(&n->groups);
}

static void
table_done(struct name_table *t)
{
	for (size_t i = 0; i < t->nown; i++) {
		free((void *)(uintptr_t)t->own[i].name);
		free((void *)(uintptr_t)t->own[i].home);
	}
	free(t->own);
	free(t->entry);
	free(t->text);
}

void
names_done(struct names *n)
{
	table_done(&n->users);
	table_done(&n->groups);
	*n = (struct names){ 0 };
}

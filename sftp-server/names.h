/*
 * Names for user and group ids, and home directories by name. What the name
 * service knows about this user is asked for before the jail is entered; all
 * else comes from passwd(5) and group(5) read as files, when first needed, so
 * that no module is loaded and nothing connected to from within.
 */
#ifndef SFTP_SERVER_NAMES_H
#define SFTP_SERVER_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Longest name that a directory listing shows whole. */
#define NAMES_SHOWN_MAX 32

struct name_entry {
	uint32_t id;
	const char *name;
	const char *home; /* "" for groups */
};

struct name_table {
	const char *path;
	char *text; /* the file, cut into C strings */
	struct name_entry *entry;
	size_t nentries;
	int loaded;
	struct name_entry *own; /* from the name service */
	size_t nown;
};

struct names {
	struct name_table users, groups;
	/* This user; never NULL. */
	const char *user, *home;
};

/*
 * Ask the name service about this process's user and groups. -ENOENT when it
 * does not know the user; -ENOMEM.
 */
int names_init(struct names *n);
void names_done(struct names *n);

/* The name or NULL; borrowed from the table. */
const char *names_user(struct names *n, uid_t uid);
const char *names_group(struct names *n, gid_t gid);
/* Home directory of the user of this name, or NULL. */
const char *names_home(struct names *n, const char *user);

#endif

/*
 * From the command line of omniedge-ssh-server(1) to what sshd's own code
 * enforces: lines of sshd_config(5), and the terms of lab.h for the rest.
 */
#ifndef MONITOR_LAB_CONF_H
#define MONITOR_LAB_CONF_H

#include "common/lex.h"
#include "monitor/args.h"
#include "monitor/lab.h"
#include "monitor/lab_args.h"

/* Who has started it. */
struct lab_self {
	bool is_root;
	char *name; /* owned */
	char *home; /* owned */
	char *dir;  /* owned: of its program, where the others are */
};
/* 0, or -errno and a sentence on err. */
int lab_self_find(struct lab_self *out_self, FILE *err);
void lab_self_done(struct lab_self *self);

struct lab_conf {
	struct words lines;    /* of sshd_config(5) */
	struct words networks; /* CIDR: who may connect; empty: everybody */
	struct lab terms;      /* without a hash: lab_cred.h has it */
};

/*
 * Make all of it. host_keys are files. 0; -EINVAL: an argument is wrong, and
 * err has a sentence; -ENOMEM.
 */
int lab_conf_make(const struct lab_args *args, const struct lab_self *self,
    const struct words *host_keys, struct lab_conf *out_conf, FILE *err);
void lab_conf_done(struct lab_conf *conf);

/* --print-config: the lines, and as comments what they cannot say. */
void lab_conf_print(
    const struct lab_args *args, const struct lab_conf *conf, FILE *out);

#endif

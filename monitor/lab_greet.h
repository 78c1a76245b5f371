/*
 * What omniedge-ssh-server(1) tells its user when it serves: who can connect,
 * who can log in, with what, and the line to type.
 */
#ifndef MONITOR_LAB_GREET_H
#define MONITOR_LAB_GREET_H

#include "monitor/hostkey.h"
#include "monitor/lab_conf.h"
#include "monitor/listener.h"

struct lab_greeting {
	const struct lab_args *args;
	const struct lab_self *self;
	const struct lab_conf *conf;
	const struct listeners *listeners;
	const struct hostkeys *hostkeys;
	const char *once;  /* the one-time password; NULL: there is none */
	bool has_login;    /* somebody can log in without it */
	bool no_namespace; /* the network process has no root of its own */
};

/* Write it; on a terminal with the address as a QR code. */
void lab_greet(const struct lab_greeting *g, FILE *out);

/* Print text as a QR code; nothing where the suite is built without. */
void lab_qr_print(const char *text, FILE *out);

#endif

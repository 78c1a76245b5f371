/*
 * UseDNS, sshd_config(5): the name of the client's host, if its owner and the
 * owner of the address agree on it.
 */
#ifndef MONITOR_DNS_H
#define MONITOR_DNS_H

/*
 * The name of a numeric address, in lower case, owned; NULL: none, or one that
 * does not lead back to the address, which is logged. May take as long as the
 * system's resolver does, and holds up this connection only.
 */
char *dns_name(const char *addr);

#endif

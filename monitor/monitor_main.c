/*
 * sshd-monitor: one connection's privileged half. Runs as root with the
 * capabilities that logins need; decides logins, signs with the host keys,
 * starts sessions. It never reads a byte of the network but as messages.
 *
 * Peers: MONITOR_NET_FD, its sshd-net; MONITOR_SSHD_FD, the sshd that started
 * it and sends CONN first.
 */
#include "config.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <syslog.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/caps.h"
#include "monitor/conn.h"

#define BLOB_MAX (8u << 20) /* bytes of configuration or keys from sshd */

/* The bytes of a memory file from sshd. */
static int
read_blob(int fd, struct writer *out)
{
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0 ||
	    st.st_size > BLOB_MAX)
		return -EBADMSG;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	writer_bytes(out, p, (size_t)st.st_size);
	munmap(p, (size_t)st.st_size);
	return writer_end(out);
}

static int
read_config(struct conn *c, int fd)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	int rc = read_blob(fd, &w);

	if (rc == 0)
		rc = conf_decode(span_of(w.p, w.len), &c->conf);
	if (rc == 0)
		rc = conf_resolve(c->conf, NULL, &c->options);
	return rc;
}

static int
read_hostkeys(struct conn *c, int fd)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	int rc = read_blob(fd, &w);

	if (rc == 0)
		rc = hostkeys_decode(span_of(w.p, w.len), &c->hostkeys);
	return rc;
}

/* What omniedge-ssh-server adds; sshd sends none of it. */
static int
read_lab(struct conn *c, int fd)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	int rc;

	if (fd < 0)
		return 0;
	rc = read_blob(fd, &w);
	if (rc == 0)
		rc = lab_decode(span_of(w.p, w.len), &c->lab);
	if (rc == 0)
		log_style(&(struct log_style){
		    c->lab->json, c->lab->mark, c->lab->device });
	return rc;
}

/* The first message: who connected, and what holds for it. */
static int
read_conn(struct conn *c)
{
	struct msg m;
	const struct msg_conn *q = &m.u.conn;
	AUTOCLOSE int config_fd = -1;
	AUTOCLOSE int keys_fd = -1;
	AUTOCLOSE int lab_fd = -1;
	int rc;

	rc = chan_recv(&c->sshd, &m);
	if (rc != 0)
		return rc;
	config_fd = chan_take_fd(&c->sshd, 0);
	keys_fd = chan_take_fd(&c->sshd, 1);
	c->forward_fd = chan_take_fd(&c->sshd, 2);
	lab_fd = chan_take_fd(&c->sshd, 3);
	c->once_fd = chan_take_fd(&c->sshd, 4);
	c->addr = strndup((const char *)q->addr.p, q->addr.len);
	c->laddr = strndup((const char *)q->laddr.p, q->laddr.len);
	c->rdomain = strndup((const char *)q->rdomain.p, q->rdomain.len);
	c->port = (unsigned)q->port;
	c->lport = (unsigned)q->lport;
	c->probe = q->probe;
	c->log_level = (unsigned)q->log_level;
	c->sink = q->stderr_log ? SINK_STDERR : SINK_SYSLOG;
	if (c->addr == NULL || c->laddr == NULL || c->rdomain == NULL)
		return -ENOMEM;
	if (c->forward_fd < 0)
		return -EBADMSG;
	rc = read_config(c, config_fd);
	if (rc == 0)
		rc = read_hostkeys(c, keys_fd);
	return rc == 0 ? read_lab(c, lab_fd) : rc;
}

static struct hostkeys *held_keys;

static void
forget_hostkeys(void)
{
	hostkeys_done(held_keys);
}

/*
 * No child has a use for the host keys, and most are about to be the user:
 * each wipes them before it leaves fork(), also those of PAM's modules.
 */
static int
keep_from_children(struct hostkeys *keys)
{
	held_keys = keys;
	return -pthread_atfork(NULL, NULL, forget_hostkeys);
}

static void
trace(void *arg, const char *line)
{
	(void)arg;
	log_at(LEVEL_DEBUG3, "%s", line);
}

/* Our sftp-server stands beside this program. */
static const char *
find_sftp(char *buf, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return PKGLIBEXECDIR "/sftp-server";
	self[n] = '\0';
	snprintf(buf, size, "%s/sftp-server", dirname(self));
	return buf;
}

/* The two peers, at the numbers where sshd has put them. */
static int
take_peers(struct conn *c)
{
	int rc;

	if (fcntl(MONITOR_NET_FD, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(MONITOR_SSHD_FD, F_SETFD, FD_CLOEXEC) != 0)
		fatal("sshd-monitor is started by sshd, not by hand");
	rc = chan_init(&c->net, MONITOR_NET_FD, MONITOR, NET);
	c->net.patience_ms = CONN_PATIENCE_MS;
	return rc != 0 ? rc
		       : chan_init(&c->sshd, MONITOR_SSHD_FD, MONITOR, SSHD);
}

int
main(int argc, char **argv, char **envp)
{
	struct conn c = {
		.key_opts = AUTHKEYS_OPTS_ALL, .forward_fd = -1, .once_fd = -1
	};
	char sftp_path[PATH_MAX];
	int rc;

	setproctitle_init(argc, argv, envp);
	signal(SIGPIPE, SIG_IGN);
	/* pam_limits may set a size here that records of logins are over. */
	signal(SIGXFSZ, SIG_IGN);
	log_open("sshd", SINK_STDERR, LOG_AUTH, LEVEL_INFO);
	rc = take_peers(&c);
	log_open("sshd", SINK_SYSLOG, LOG_AUTH, LEVEL_INFO);
	/* What fail2ban's filter has journald look for (_COMM=sshd). */
	prctl(PR_SET_NAME, "sshd", 0, 0, 0);
	/* It holds host keys: no core, no ptrace by anyone but root. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (rc == 0)
		rc = keep_from_children(&c.hostkeys);
	if (rc == 0)
		rc = read_conn(&c);
	if (rc != 0)
		fatal("no connection to serve: %s", err_str(rc));
	log_open("sshd", c.sink, c.options.syslog_facility, conn_log_level(&c));
	if (log_level() >= LEVEL_DEBUG3)
		c.net.trace = c.sshd.trace = trace;
	rc = caps_trim(CAPS_MONITOR);
	if (rc != 0)
		fatal("cannot drop capabilities: %s", err_str(rc));
	c.sftp_path = find_sftp(sftp_path, sizeof(sftp_path));
	setproctitle("[accepted]");
	log_about(
	    &(struct log_about){ "connected", NULL, NULL, c.addr, c.port });
	if (!c.probe)
		log_verbose("Connection from %s port %u on %s port %u%s%s%s",
		    c.addr, c.port, c.laddr, c.lport,
		    *c.rdomain != '\0' ? " rdomain \"" : "", c.rdomain,
		    *c.rdomain != '\0' ? "\"" : "");
	rc = conn_serve(&c);
	/* The kernel frees it faster than libcrypto takes itself apart. */
	_exit(rc);
}

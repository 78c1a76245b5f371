/*
 * Reading the configuration for all connections. Runs in sshd as root; files
 * are the administrator's.
 */
#include "config.h"

#include <fcntl.h>
#include <paths.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/lab.h"
#include "monitor/logincheck.h"
#include "monitor/server.h"

#define NOTE_LINE_MAX 1024
#ifdef USE_PAM
#define BUILT_WITH_PAM true
#else
#define BUILT_WITH_PAM false
#endif

static void
log_report(const struct conf_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		char line[NOTE_LINE_MAX];

		conf_report_format(&report->v[i], line, sizeof(line));
		if (report->v[i].severity == CONF_ERROR)
			log_error("%s", line);
		else
			log_info("%s", line);
	}
}

static int
load_conf(const struct server_args *args, struct server_config *config)
{
	struct conf_report report = CONF_REPORT_INIT;
	const struct conf_source source = {
		.path = args->config_file,
		.dir = SSHCONFDIR,
		.overrides = args->overrides,
		.noverrides = args->noverrides,
	};
	int rc;

	rc = conf_load(&source, &config->conf, &report);
	log_report(&report);
	if (rc != 0)
		log_error("%s: terminating, %zu bad configuration options",
		    args->config_file != NULL ? args->config_file
					      : "command-line",
		    report.nerrors);
	conf_report_done(&report);
	return rc == 0 ? conf_resolve(config->conf, NULL, &config->options)
		       : rc;
}

static int
check_build(const struct options *o)
{
	if (!o->use_pam || BUILT_WITH_PAM)
		return 0;
	log_error("UsePAM yes, but this sshd was built without PAM; "
		  "set UsePAM no, or build it --with-pam");
	return -EBADMSG;
}

/* A missing default key is no error, as long as there is another one. */
static int
load_hostkeys(const struct server_args *args, struct server_config *config)
{
	const struct options *o = &config->options;
	bool named = o->set[OPT_host_key];

	for (size_t i = 0; i < o->host_key.n; i++) {
		char why[HOSTKEY_WHY_MAX];
		int rc =
		    hostkeys_load(&config->hostkeys, o->host_key.v[i], why);

		if (rc == 0 || (rc == -ENOENT && !named))
			continue;
		log_error("%s", why);
		if (rc != -EEXIST)
			log_error(
			    "Unable to load host key: %s", o->host_key.v[i]);
	}
	/* As OpenSSH: one good key is enough to serve with. */
	if (hostkeys_any(&config->hostkeys))
		return 0;
	/* Only omniedge-ssh-server has no file. */
	log_info("%s",
	    args->config_file != NULL
		? "sshd: no hostkeys available -- exiting. "
		  "Make them with: ssh-keygen -A"
		: "no host key can be used: mend the file, move it away, or "
		  "name another one with --host-key-path");
	return -ENOKEY;
}

/* A file of memory that nobody can change any more: 0 and a descriptor. */
static int
seal(const char *name, const struct writer *w, int *out_fd)
{
	AUTOCLOSE int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (write(fd, w->p, w->len) != (ssize_t)w->len)
		return -EIO;
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
		return -errno;
	*out_fd = take_fd(&fd);
	return 0;
}

int
server_seal_lab(struct server_config *config, const struct lab *lab)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	int fd = -1;
	int rc = lab_encode(lab, &w);

	if (rc == 0)
		rc = seal("sshd-lab", &w, &fd);
	if (rc != 0)
		return rc;
	if (config->lab_fd >= 0)
		close(config->lab_fd);
	config->lab_fd = fd;
	return 0;
}

static int
seal_all(struct server_config *config)
{
	AUTO(writer_done) struct writer conf = WRITER_INIT;
	AUTO(writer_done) struct writer keys = WRITER_INIT;
	int rc;

	rc = conf_encode(config->conf, &conf);
	if (rc == 0)
		rc = seal("sshd-config", &conf, &config->config_fd);
	if (rc == 0)
		rc = hostkeys_encode(&config->hostkeys, &keys);
	if (rc == 0)
		rc = seal("sshd-hostkeys", &keys, &config->hostkeys_fd);
	if (rc != 0)
		log_error(
		    "cannot keep the configuration in memory: %s", err_str(rc));
	return rc;
}

int
server_config_load(
    const struct server_args *args, struct server_config *out_config)
{
	struct server_config config = {
		.conf = NULL,
		.config_fd = -1,
		.hostkeys_fd = -1,
		.lab_fd = -1,
		.once_fd = -1,
	};
	int rc;

	options_init(&config.options);
	rc = load_conf(args, &config);
	if (rc == 0)
		rc = check_build(&config.options);
	if (rc == 0)
		rc = logincheck(&config.options);
	if (rc == 0 && !args->dump)
		rc = load_hostkeys(args, &config);
	if (rc == 0)
		rc = seal_all(&config);
	if (rc != 0) {
		server_config_done(&config);
		return -EBADMSG;
	}
	*out_config = config;
	return 0;
}

void
server_config_done(struct server_config *config)
{
	conf_free(config->conf);
	config->conf = NULL;
	options_free(&config->options);
	hostkeys_done(&config->hostkeys);
	if (config->config_fd >= 0)
		close(take_fd(&config->config_fd));
	if (config->hostkeys_fd >= 0)
		close(take_fd(&config->hostkeys_fd));
	if (config->lab_fd >= 0)
		close(take_fd(&config->lab_fd));
	if (config->once_fd >= 0)
		close(take_fd(&config->once_fd));
}

unsigned
server_log_level(const struct server_args *args)
{
	unsigned level = LEVEL_VERBOSE + args->debug;

	if (args->quiet)
		return LEVEL_QUIET;
	if (args->debug == 0)
		return SERVER_LEVEL_NONE;
	return level < LEVEL_DEBUG3 ? level : LEVEL_DEBUG3;
}

void
server_log_open(
    const struct server_args *args, const struct server_config *config)
{
	unsigned level = server_log_level(args);

	if (level == SERVER_LEVEL_NONE)
		level = (unsigned)config->options.log_level;
	log_open("sshd", args->stderr_log ? SINK_STDERR : SINK_SYSLOG,
	    config->options.syslog_facility, (enum log_level)level);
}

void
server_hold_stdio(unsigned nsockets)
{
	int fd;

	do
		fd = open(_PATH_DEVNULL, O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	closefrom(STDERR_FILENO + 1 + (int)nsockets);
}

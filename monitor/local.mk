noinst_LIBRARIES += libmonitor.a
libmonitor_a_SOURCES = \
	monitor/account.c monitor/account.h \
	monitor/answer.c monitor/answer.h \
	monitor/answer_auth.c monitor/answer_forward.c \
	monitor/answer_session.c \
	monitor/answer_transport.c monitor/answer_user.c \
	monitor/args.c monitor/args.h \
	monitor/authinfo.c monitor/authinfo.h \
	monitor/audit.h \
	monitor/authlog.c monitor/authlog.h \
	monitor/caps.c monitor/caps.h \
	monitor/chain.c monitor/chain.h \
	monitor/child.c monitor/child.h \
	monitor/claim.c monitor/claim.h \
	monitor/confcheck.c monitor/confcheck.h \
	monitor/conn.c monitor/conn.h \
	monitor/control.c monitor/control.h \
	monitor/dns.c monitor/dns.h \
	monitor/door.c monitor/door.h \
	monitor/environ.c monitor/environ.h \
	monitor/event.c monitor/event.h \
	monitor/forward.c monitor/forward.h \
	monitor/hostkey.c monitor/hostkey.h \
	monitor/inetd.c monitor/inetd.h \
	monitor/kbdint.c monitor/kbdint.h \
	monitor/keyauth.c monitor/keyauth.h \
	monitor/keycert.c monitor/keycert.h \
	monitor/keyfile.c monitor/keyfile.h \
	monitor/keyprog.c monitor/keyprog.h \
	monitor/keyrevoked.c monitor/keyrevoked.h \
	monitor/lab.c monitor/lab.h \
	monitor/listener.c monitor/listener.h \
	monitor/logincheck.c monitor/logincheck.h \
	monitor/loginrec.c monitor/loginrec.h \
	monitor/master.c monitor/master.h \
	monitor/master_lab.c monitor/master_lab.h \
	monitor/pad.c monitor/pad.h \
	monitor/pam.h \
	monitor/password.c monitor/password.h \
	monitor/penalty.c monitor/penalty.h \
	monitor/permit.c monitor/permit.h \
	monitor/preflight.c monitor/preflight.h \
	monitor/waiting.c monitor/waiting.h \
	monitor/proof_forward.c monitor/proof_forward.h \
	monitor/pty.c monitor/pty.h \
	monitor/rootdir.c monitor/rootdir.h \
	monitor/seen.c monitor/seen.h \
	monitor/record.c monitor/record.h \
	monitor/server.c monitor/server.h \
	monitor/source.c monitor/source.h \
	monitor/spawn.c monitor/spawn.h monitor/spawn_alone.c \
	monitor/startups.c monitor/startups.h \
	monitor/token.c monitor/token.h \
	monitor/systemd.c monitor/systemd.h \
	monitor/userfile.c monitor/userfile.h \
	monitor/userid.c monitor/userid.h \
	monitor/userkey.c monitor/userkey.h \
	monitor/userproc.c monitor/userproc.h \
	monitor/usession.c monitor/usession.h \
	monitor/xauth.c monitor/xauth.h
if USE_PAM
libmonitor_a_SOURCES += monitor/pam.c
else
libmonitor_a_SOURCES += monitor/pam_none.c
endif
if WITH_AUDIT
libmonitor_a_SOURCES += monitor/audit.c
else
libmonitor_a_SOURCES += monitor/audit_none.c
endif
EXTRA_DIST += monitor/pam.c monitor/pam_none.c monitor/audit.c \
	monitor/audit_none.c

sbin_PROGRAMS += bin/sshd
bin_sshd_SOURCES = monitor/sshd_main.c
bin_sshd_LDADD = libmonitor.a libcommon.a $(CAP_LIBS) $(CRYPTO_LIBS) $(BSD_LIBS)

pkglibexec_PROGRAMS += bin/sshd-monitor
bin_sshd_monitor_SOURCES = monitor/monitor_main.c
bin_sshd_monitor_LDADD = libmonitor.a libjail.a libcommon.a $(PAM_LIBS) \
	$(AUDIT_LIBS) $(SECCOMP_LIBS) $(CRYPT_LIBS) $(CAP_LIBS) $(CRYPTO_LIBS) \
	$(BSD_LIBS)

sbin_PROGRAMS += bin/sshdctl
bin_sshdctl_SOURCES = monitor/ctl.h monitor/ctl_server.c \
	monitor/ctl_sessions.c monitor/json.c monitor/json.h \
	monitor/sshdctl_main.c
bin_sshdctl_LDADD = libmonitor.a libcommon.a $(CAP_LIBS) $(CRYPTO_LIBS) \
	$(BSD_LIBS)
# omniedge ssh-server: the same processes, from a command line.
noinst_LIBRARIES += liblab.a
liblab_a_SOURCES = \
	monitor/lab_args.c monitor/lab_args.h \
	monitor/lab_conf.c monitor/lab_conf.h \
	monitor/lab_cred.c monitor/lab_cred.h \
	monitor/lab_greet.c monitor/lab_greet.h \
	monitor/lab_key.c monitor/lab_key.h \
	monitor/lab_qr.c
pkglibexec_PROGRAMS += bin/omniedge-ssh-server
bin_omniedge_ssh_server_SOURCES = monitor/lab_main.c
bin_omniedge_ssh_server_LDADD = liblab.a libmonitor.a libjail.a libcommon.a \
	$(SECCOMP_LIBS) $(QRENCODE_LIBS) $(CRYPT_LIBS) $(CAP_LIBS) $(CRYPTO_LIBS) $(BSD_LIBS)

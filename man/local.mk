dist_man_MANS += man/omniedge.1 man/omniedge-known-hosts.1 \
	man/omniedge-ssh.1
dist_man_MANS += man/authorized_keys.5 man/omniedge-scp.1 \
	man/omniedge-sftp.1 man/omniedge-ssh-server.1 man/sftp-server.8 \
	man/sshd.8 man/sshd_config.5 man/sshdctl.8

# sshd-messages(7) is made from common/msg.def.
noinst_PROGRAMS += man/msgdoc
man_msgdoc_SOURCES = man/msgdoc.c
man_msgdoc_LDADD = libcommon.a $(BSD_LIBS)
nodist_man_MANS += man/sshd-messages.7
CLEANFILES += man/sshd-messages.7
man/sshd-messages.7: man/msgdoc$(EXEEXT)
	$(AM_V_GEN)man/msgdoc$(EXEEXT) > $@.tmp && mv -f $@.tmp $@

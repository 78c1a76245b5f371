pkglibexec_PROGRAMS += bin/sshd-net
bin_sshd_net_SOURCES = \
	common/readahead.c common/readahead.h \
	sshd/ask.c sshd/ask.h \
	sshd/auth.c sshd/auth.h \
	sshd/forward.c sshd/forward.h \
	sshd/grave.c sshd/grave.h \
	sshd/idle.c sshd/idle.h \
	sshd/listener.c sshd/listener.h \
	sshd/net.h sshd/net_main.c \
	sshd/prove.c sshd/prove.h \
	sshd/relay.c sshd/relay.h \
	sshd/residue.c sshd/residue.h \
	sshd/seam.c sshd/seam.h \
	sshd/session.c sshd/session.h \
	sshd/terms.c sshd/terms.h \
	sshd/transport.c sshd/transport.h
bin_sshd_net_LDADD = libcommon.a libjail.a $(LIBSSH_LIBS) $(CRYPTO_LIBS) \
	$(SECCOMP_LIBS) $(CAP_LIBS) $(BSD_LIBS)
bin_sshd_net_LDFLAGS = $(AM_LDFLAGS) $(seam_ldflags) $(readahead_ldflags)

pkglibexec_PROGRAMS += bin/sshd-probe
bin_sshd_probe_SOURCES = sshd/probe_main.c
bin_sshd_probe_LDADD = $(LIBSSH_LIBS)

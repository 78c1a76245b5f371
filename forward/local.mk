noinst_LIBRARIES += libforward.a
libforward_a_SOURCES = \
	forward/agent.c forward/agent.h \
	forward/bind.c forward/bind.h \
	forward/dial.c forward/dial.h \
	forward/helper.c forward/helper.h \
	forward/jail.c forward/jail.def forward/jail.h \
	forward/loop.c forward/loop.h \
	forward/prove.c forward/prove.h \
	forward/resolve.c forward/resolve.h

pkglibexec_PROGRAMS += bin/sshd-forward
bin_sshd_forward_SOURCES = forward/forward_main.c
bin_sshd_forward_LDADD = libforward.a libcommon.a -lpthread $(SECCOMP_LIBS) \
	$(CAP_LIBS) $(BSD_LIBS)

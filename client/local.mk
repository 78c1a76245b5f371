# omniedge(1). All but its main() is a library, for the unit tests.
noinst_LIBRARIES += libclient.a
libclient_a_SOURCES = \
	client/agent.c client/agent.h \
	client/auth.c \
	client/clock.h client/command.h \
	client/sshconf.c client/sshconf.h client/sshconf_load.c \
	client/connect.c client/connect.h client/connect_impl.h \
	client/dial.c client/dial.h \
	client/expand.c client/expand.h \
	client/file.c client/file.h \
	client/hostcheck.c client/hostcheck.h \
	client/identity.c client/identity.h \
	client/keyword.def \
	client/known_hosts_cmd.c \
	client/knownhosts.c client/knownhosts.h \
	client/prompt.c client/prompt.h \
	client/proxy.c client/proxy.h \
	client/randomart.c client/randomart.h \
	client/resolve.c client/resolve.h \
	client/target.c client/target.h \
	client/transport.c

client_libs = libclient.a libcommon.a libjail.a $(LIBSSH_LIBS) \
	$(CRYPTO_LIBS) $(JANSSON_LIBS) $(EDIT_LIBS) $(SECCOMP_LIBS) \
	$(CAP_LIBS) $(BSD_LIBS)

bin_PROGRAMS += bin/omniedge
bin_omniedge_SOURCES = client/omniedge_main.c
bin_omniedge_LDADD = $(client_libs)

# omniedge(1). All but its main() is a library, for the unit tests.
noinst_LIBRARIES += libclient.a
libclient_a_SOURCES = \
	common/readahead.c common/readahead.h \
	client/agent.c client/agent.h \
	client/alive.c client/alive.h \
	client/auth.c \
	client/command.h \
	client/sshconf.c client/sshconf.h client/sshconf_load.c \
	client/sshconf_more.c client/sshconf_value.c client/sshconf_value.h \
	client/connect.c client/connect.h client/connect_impl.h \
	client/dial.c client/dial.h \
	client/escape.c client/escape.h \
	client/expand.c client/expand.h \
	client/file.c client/file.h \
	client/flow.c client/flow.h client/flow_impl.h client/flow_io.c \
	client/forward.c client/forward.h client/forward_impl.h \
	client/forward_remote.c client/forward_report.c \
	client/forward_socks.c client/forward_tunnel.c client/forward_x11.c \
	client/forward_spec.c client/forward_spec.h \
	client/front.c client/front.h \
	client/hostcheck.c client/hostcheck.h \
	client/identity.c client/identity.h \
	client/keyword.def \
	client/known_hosts_cmd.c \
	client/knownhosts.c client/knownhosts.h \
	client/trunk.c client/trunk.h \
	client/loop.c client/loop.h \
	client/master.c client/master.h \
	client/mux.c client/mux.h \
	client/place.c client/place.h \
	client/prompt.c client/prompt.h \
	client/proxy.c client/proxy.h \
	client/pump.c client/pump.h \
	client/randomart.c client/randomart.h \
	client/resolve.c client/resolve.h \
	client/run.c client/run.h \
	client/session.c client/session.h \
	client/sharer.c client/sharer.h \
	client/shell.c client/shell.h \
	client/socks.c client/socks.h \
	client/sockspeer.c client/sockspeer.h \
	client/ssh_cmd.c client/ssh_print.c client/ssh_print.h \
	client/stdio.c client/stdio.h \
	client/target.c client/target.h \
	client/copy_line.c client/copy_line.h \
	client/interrupt.c client/interrupt.h \
	client/link.h client/link_pipe.c \
	client/link_mux.c client/link_mux.h \
	client/link_ssh.c client/link_ssh.h \
	client/number.c client/number.h \
	client/progress.c client/progress.h \
	client/remote.c client/remote.h \
	client/scp.h client/scp_main.c \
	client/scp_names.c client/scp_names.h \
	client/scp_old.c client/scp_old.h client/scp_old_send.c \
	client/scp_old_take.c client/scp_sftp.c \
	client/sftp.h client/sftp_call.c client/sftp_call.h \
	client/sftp_command.c client/sftp_complete.c \
	client/sftp_do_copy.c client/sftp_do_local.c client/sftp_do_path.c \
	client/sftp_edit.c client/sftp_edit.h client/sftp_glob.c \
	client/sftp_list.c client/sftp_list.h client/sftp_ls.c \
	client/sftp_owner.c client/sftp_owner.h \
	client/sftp_main.c client/sftp_words.c client/sftp_words.h \
	client/show.c client/show.h \
	client/xfer.c client/xfer.h client/xfer_impl.h \
	client/xfer_extent.c \
	client/xfer_from_local.c client/xfer_from_server.c \
	client/xfer_peer.c client/xfer_peer.h client/xfer_peer_impl.h \
	client/xfer_peer_open.c client/xfer_queue.c \
	client/xfer_stripe.c client/xfer_stripe.h \
	client/xfer_to_local.c client/xfer_to_server.c client/xfer_window.c \
	client/tcp.c client/tcp.h \
	client/transport.c \
	client/tty.c client/tty.h client/x11.c client/x11.h

client_libs = libclient.a libcommon.a libjail.a $(LIBSSH_LIBS) \
	$(CRYPTO_LIBS) $(JANSSON_LIBS) $(EDIT_LIBS) $(SECCOMP_LIBS) \
	$(CAP_LIBS) $(BSD_LIBS)

bin_PROGRAMS += bin/omniedge
bin_omniedge_SOURCES = client/omniedge_main.c
bin_omniedge_LDFLAGS = $(AM_LDFLAGS) $(readahead_ldflags)
bin_omniedge_LDADD = $(client_libs)

noinst_LIBRARIES += libsftpserver.a
libsftpserver_a_SOURCES = \
	sftp-server/ahead.c sftp-server/ahead.h \
	sftp-server/audit.c sftp-server/audit.h sftp-server/decode.c \
	sftp-server/digest.c sftp-server/digest.h sftp-server/handle.c \
	sftp-server/handle.h sftp-server/jail.c sftp-server/jail.def \
	sftp-server/jail.h sftp-server/json.c sftp-server/json.h \
	sftp-server/landlock.c sftp-server/lend.c \
	sftp-server/lend.h sftp-server/longname.c \
	sftp-server/longname.h sftp-server/names.c sftp-server/names.h \
	sftp-server/op.h sftp-server/op_attr.c sftp-server/op_copy.c \
	sftp-server/op_dir.c \
	sftp-server/op_file.c sftp-server/op_info.c sftp-server/op_path.c \
	sftp-server/option.c sftp-server/option.h sftp-server/place.c \
	sftp-server/place.h sftp-server/reply.c sftp-server/reply.h \
	sftp-server/request.c sftp-server/request.h sftp-server/resolve.c \
	sftp-server/resolve.h sftp-server/server.c sftp-server/server.h \
	sftp-server/slog.c sftp-server/slog.h

pkglibexec_PROGRAMS += bin/sftp-server
bin_sftp_server_SOURCES = sftp-server/sftp_main.c
bin_sftp_server_LDADD = libsftpserver.a libcommon.a $(SECCOMP_LIBS) \
	$(MD_LIBS) $(BSD_LIBS)

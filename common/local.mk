noinst_LIBRARIES += libcommon.a
libcommon_a_SOURCES = \
	common/authkeys.c common/authkeys.h common/authkeys_impl.h \
	common/authkeys_merge.c common/authkeys_value.c \
	common/base64.c common/base64.h \
	common/cert.c common/cert.h common/cert_opts.c \
	common/chan.c common/chan.h common/clock.h \
	common/conf.c common/conf.h common/conf_impl.h common/conf_load.c \
	common/conf_match.c common/conf_report.c common/conf_wire.c \
	common/err.c common/err.h \
	common/journal.c common/journal.h \
	common/key.c common/key.h common/key_blob.c common/key_hollow.c \
	common/key_impl.h common/key_openssh.c common/key_private.c \
	common/key_text.c common/key_verify.c \
	common/jsonline.c common/jsonline.h \
	common/landlock.c common/landlock.h \
	common/krl.c common/krl.h \
	common/lex.c common/lex.h \
	common/log.c common/log.h \
	common/msg.c common/msg.def common/msg.h \
	common/nearest.c common/nearest.h common/nofile.h \
	common/option.c common/option.def common/option.h \
	common/option_algs.c common/option_algs.h common/option_auth.c \
	common/option_impl.h \
	common/option_list.c common/option_net.c common/option_number.c \
	common/option_session.c \
	common/option_source.c common/option_text.c \
	common/own.h \
	common/pattern.c common/pattern.h \
	common/sftp.c common/sftp.h \
	common/userauth.c common/userauth.h \
	common/wire.c common/wire.h

# Apart, because only sandboxed programs link it, and with it libseccomp.
noinst_LIBRARIES += libjail.a
libjail_a_SOURCES = common/jail.c common/jail.def common/jail.h \
	common/jail_sanitizers.def \
	common/readonly.c common/readonly.h

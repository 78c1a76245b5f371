# Tests: each file runs alone and speaks TAP; `make check TESTS=...` runs some.
TEST_EXTENSIONS = .py .t
LOG_DRIVER = $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
PY_LOG_DRIVER = $(LOG_DRIVER)
PY_LOG_COMPILER = $(PYTHON3)
T_LOG_DRIVER = $(LOG_DRIVER)
AM_TESTS_ENVIRONMENT = \
	BUILDDIR='$(abs_top_builddir)'; export BUILDDIR; \
	SRCDIR='$(abs_top_srcdir)'; export SRCDIR; \
	SFTP_SERVER='$(abs_top_builddir)/bin/sftp-server'; \
	export SFTP_SERVER; \
	FUZZ_CORPUS='$(abs_top_srcdir)/regress/fuzz/corpus'; \
	export FUZZ_CORPUS; \
	GOLDEN='$(abs_top_srcdir)/regress/golden'; export GOLDEN; \
	CK_DEFAULT_TIMEOUT=$(CHECK_TEST_SECONDS); export CK_DEFAULT_TIMEOUT; \
	ASAN_OPTIONS="detect_leaks=$(DETECT_LEAKS)"; export ASAN_OPTIONS;
# libcheck ends a test after 4 seconds, which a busy machine may need.
CHECK_TEST_SECONDS = 60
DETECT_LEAKS = 1

test_libs = libcommon.a $(CHECK_LIBS) $(CRYPTO_LIBS) $(BSD_LIBS)
unit_tests =
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

# --- unit: one module each
unit_tests += regress/unit/test_authkeys
regress_unit_test_authkeys_SOURCES = regress/unit/test_authkeys.c
regress_unit_test_authkeys_LDADD = $(test_libs)
unit_tests += regress/unit/test_authkeys_merge
regress_unit_test_authkeys_merge_SOURCES = regress/unit/test_authkeys_merge.c
regress_unit_test_authkeys_merge_LDADD = $(test_libs)
unit_tests += regress/unit/test_base64
regress_unit_test_base64_SOURCES = regress/unit/test_base64.c
regress_unit_test_base64_LDADD = $(test_libs)
unit_tests += regress/unit/test_cert
regress_unit_test_cert_SOURCES = regress/unit/test_cert.c
regress_unit_test_cert_LDADD = $(test_libs)
unit_tests += regress/unit/test_conf
regress_unit_test_conf_SOURCES = regress/unit/test_conf.c
regress_unit_test_conf_LDADD = $(test_libs)
unit_tests += regress/unit/test_conf_golden
regress_unit_test_conf_golden_SOURCES = regress/unit/test_conf_golden.c
regress_unit_test_conf_golden_LDADD = $(test_libs)
unit_tests += regress/unit/test_conf_match
regress_unit_test_conf_match_SOURCES = regress/unit/test_conf_match.c
regress_unit_test_conf_match_LDADD = $(test_libs)
unit_tests += regress/unit/test_jsonline
regress_unit_test_jsonline_SOURCES = regress/unit/test_jsonline.c
regress_unit_test_jsonline_LDADD = $(test_libs)
unit_tests += regress/unit/test_key
regress_unit_test_key_SOURCES = regress/unit/test_key.c
regress_unit_test_key_LDADD = $(test_libs)
unit_tests += regress/unit/test_key_private
regress_unit_test_key_private_SOURCES = regress/unit/test_key_private.c
regress_unit_test_key_private_LDADD = $(test_libs)
unit_tests += regress/unit/test_key_sk
regress_unit_test_key_sk_SOURCES = regress/unit/test_key_sk.c
regress_unit_test_key_sk_LDADD = $(test_libs)
unit_tests += regress/unit/test_krl
regress_unit_test_krl_SOURCES = regress/unit/test_krl.c
regress_unit_test_krl_LDADD = $(test_libs)
unit_tests += regress/unit/test_lex
regress_unit_test_lex_SOURCES = regress/unit/test_lex.c
regress_unit_test_lex_LDADD = $(test_libs)
unit_tests += regress/unit/test_option
regress_unit_test_option_SOURCES = regress/unit/test_option.c
regress_unit_test_option_LDADD = $(test_libs)
unit_tests += regress/unit/test_pattern
regress_unit_test_pattern_SOURCES = regress/unit/test_pattern.c
regress_unit_test_pattern_LDADD = $(test_libs)
unit_tests += regress/unit/test_userauth
regress_unit_test_userauth_SOURCES = regress/unit/test_userauth.c
regress_unit_test_userauth_LDADD = $(test_libs)
unit_tests += regress/unit/test_hollow
regress_unit_test_hollow_SOURCES = regress/unit/test_hollow.c
regress_unit_test_hollow_LDADD = $(test_libs) $(LIBSSH_LIBS)
unit_tests += regress/unit/test_sftp
regress_unit_test_sftp_SOURCES = regress/unit/test_sftp.c
regress_unit_test_sftp_LDADD = libsftpserver.a $(test_libs) $(SECCOMP_LIBS)
unit_tests += regress/unit/test_sftp_decode
regress_unit_test_sftp_decode_SOURCES = regress/unit/test_sftp_decode.c
regress_unit_test_sftp_decode_LDADD = libsftpserver.a $(test_libs) $(SECCOMP_LIBS)
unit_tests += regress/unit/test_sftp_handle
regress_unit_test_sftp_handle_SOURCES = regress/unit/test_sftp_handle.c
regress_unit_test_sftp_handle_LDADD = libsftpserver.a $(test_libs) $(SECCOMP_LIBS)
unit_tests += regress/unit/test_sftp_jail
regress_unit_test_sftp_jail_SOURCES = regress/unit/test_sftp_jail.c
regress_unit_test_sftp_jail_LDADD = libsftpserver.a $(test_libs) $(SECCOMP_LIBS)
unit_tests += regress/unit/test_sftp_json
regress_unit_test_sftp_json_SOURCES = regress/unit/test_sftp_json.c
regress_unit_test_sftp_json_LDADD = libsftpserver.a $(test_libs) $(SECCOMP_LIBS)
unit_tests += regress/unit/test_sftp_names
regress_unit_test_sftp_names_SOURCES = regress/unit/test_sftp_names.c
regress_unit_test_sftp_names_LDADD = libsftpserver.a $(test_libs) $(SECCOMP_LIBS)

unit_tests += regress/unit/test_sftp_words
regress_unit_test_sftp_words_SOURCES = regress/unit/test_sftp_words.c
regress_unit_test_sftp_words_LDADD = libclient.a $(test_libs)

# --- unit: the message layer, the jail, and the monitor's own modules
unit_tests += regress/unit/test_msg
regress_unit_test_msg_SOURCES = regress/unit/test_msg.c
regress_unit_test_msg_LDADD = $(test_libs)
unit_tests += regress/unit/test_chan
regress_unit_test_chan_SOURCES = regress/unit/test_chan.c
regress_unit_test_chan_LDADD = $(test_libs)
unit_tests += regress/unit/test_wire
regress_unit_test_wire_SOURCES = regress/unit/test_wire.c
regress_unit_test_wire_LDADD = $(test_libs)
unit_tests += regress/unit/test_log
regress_unit_test_log_SOURCES = regress/unit/test_log.c
regress_unit_test_log_LDADD = $(test_libs)
unit_tests += regress/unit/test_err
regress_unit_test_err_SOURCES = regress/unit/test_err.c
regress_unit_test_err_LDADD = $(test_libs)
unit_tests += regress/unit/test_jail
regress_unit_test_jail_SOURCES = regress/unit/test_jail.c \
	regress/unit/jail_calls.h
regress_unit_test_jail_LDADD = libjail.a $(test_libs) $(SECCOMP_LIBS) \
	$(CAP_LIBS)
monitor_libs = libmonitor.a libjail.a $(test_libs) $(PAM_LIBS) $(AUDIT_LIBS) \
	$(CRYPT_LIBS) $(SECCOMP_LIBS) $(CAP_LIBS)
unit_tests += regress/unit/test_answer
regress_unit_test_answer_SOURCES = regress/unit/test_answer.c
regress_unit_test_answer_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_chain
regress_unit_test_chain_SOURCES = regress/unit/test_chain.c
regress_unit_test_chain_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_child
regress_unit_test_child_SOURCES = regress/unit/test_child.c
regress_unit_test_child_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_seen
regress_unit_test_seen_SOURCES = regress/unit/test_seen.c
regress_unit_test_seen_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_penalty
regress_unit_test_penalty_SOURCES = regress/unit/test_penalty.c
regress_unit_test_penalty_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_json
regress_unit_test_json_SOURCES = regress/unit/test_json.c monitor/json.c
regress_unit_test_json_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_door
regress_unit_test_door_SOURCES = regress/unit/test_door.c
regress_unit_test_door_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_lab
regress_unit_test_lab_SOURCES = regress/unit/test_lab.c
regress_unit_test_lab_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_environ
regress_unit_test_environ_SOURCES = regress/unit/test_environ.c
regress_unit_test_environ_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_forward_jail
regress_unit_test_forward_jail_SOURCES = regress/unit/test_forward_jail.c
regress_unit_test_forward_jail_LDADD = libforward.a $(test_libs) -lpthread \
	$(SECCOMP_LIBS) $(CAP_LIBS)
unit_tests += regress/unit/test_userid
regress_unit_test_userid_SOURCES = regress/unit/test_userid.c
regress_unit_test_userid_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_hostkey
regress_unit_test_hostkey_SOURCES = regress/unit/test_hostkey.c
regress_unit_test_hostkey_LDADD = $(monitor_libs)
unit_tests += regress/unit/test_permit
regress_unit_test_permit_SOURCES = regress/unit/test_permit.c
regress_unit_test_permit_LDADD = $(monitor_libs)

# --- unit: the client's modules
dist_check_SCRIPTS += regress/unit/check-client-man.py
TESTS += regress/unit/check-client-man.py
client_test_libs = libclient.a libjail.a $(test_libs) $(LIBSSH_LIBS) \
	$(JANSSON_LIBS) $(EDIT_LIBS) $(SECCOMP_LIBS) $(CAP_LIBS)
unit_tests += regress/unit/test_escape
regress_unit_test_escape_SOURCES = regress/unit/test_escape.c
regress_unit_test_escape_LDADD = $(client_test_libs)
unit_tests += regress/unit/test_forward_spec
regress_unit_test_forward_spec_SOURCES = regress/unit/test_forward_spec.c
regress_unit_test_forward_spec_LDADD = $(client_test_libs)
unit_tests += regress/unit/test_knownhosts
regress_unit_test_knownhosts_SOURCES = regress/unit/test_knownhosts.c
regress_unit_test_knownhosts_LDADD = $(client_test_libs)
unit_tests += regress/unit/test_mux
regress_unit_test_mux_SOURCES = regress/unit/test_mux.c
regress_unit_test_mux_LDADD = $(client_test_libs)
unit_tests += regress/unit/test_place
regress_unit_test_place_SOURCES = regress/unit/test_place.c
regress_unit_test_place_LDADD = $(client_test_libs)
unit_tests += regress/unit/test_socks
regress_unit_test_socks_SOURCES = regress/unit/test_socks.c
regress_unit_test_socks_LDADD = $(client_test_libs)
unit_tests += regress/unit/test_sshconf
regress_unit_test_sshconf_SOURCES = regress/unit/test_sshconf.c
regress_unit_test_sshconf_LDADD = $(client_test_libs)
unit_tests += regress/unit/test_target
regress_unit_test_target_SOURCES = regress/unit/test_target.c
regress_unit_test_target_LDADD = $(client_test_libs)
unit_tests += regress/unit/test_x11
regress_unit_test_x11_SOURCES = regress/unit/test_x11.c
regress_unit_test_x11_LDADD = $(client_test_libs)

# --- evil: hostile network processes against the real monitor
evil_tests = regress/evil/evil_forward regress/evil/evil_rows \
	regress/evil/evil_rules
check_PROGRAMS += $(evil_tests) regress/evil/hostile regress/evil/jailed
TESTS += $(evil_tests) regress/evil/files.py regress/evil/login.py
dist_check_SCRIPTS += regress/evil/files.py regress/evil/login.py
EXTRA_DIST += regress/evil/messages.py regress/evil/sftp_liar.py
regress_evil_evil_forward_SOURCES = regress/evil/evil_forward.c \
	regress/evil/rig.c regress/evil/rig.h
regress_evil_evil_forward_LDADD = $(monitor_libs)
regress_evil_evil_rows_SOURCES = regress/evil/evil_rows.c regress/evil/rig.c \
	regress/evil/rig.h
regress_evil_evil_rows_LDADD = $(monitor_libs)
regress_evil_evil_rules_SOURCES = regress/evil/evil_rules.c \
	regress/evil/rig.c regress/evil/rig.h
regress_evil_evil_rules_LDADD = $(monitor_libs)
regress_evil_jailed_SOURCES = regress/evil/jailed.c
regress_evil_hostile_SOURCES = regress/evil/hostile.c
regress_evil_hostile_LDADD = libcommon.a $(CRYPTO_LIBS) $(BSD_LIBS)

dist_check_SCRIPTS += regress/unit/lint-selftest.t \
	regress/unit/check-options-man.py regress/unit/check-docs.py \
	regress/unit/check-contrib.py
TESTS += regress/unit/lint-selftest.t regress/unit/check-options-man.py \
	regress/unit/check-docs.py regress/unit/check-contrib.py

# --- fuzz: harnesses that replay their seeds, or with --enable-fuzzing hunt
fuzz_programs =
if FUZZING
noinst_PROGRAMS += $(fuzz_programs)
fuzz_main =
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
else
check_PROGRAMS += $(fuzz_programs)
TESTS += $(fuzz_programs)
fuzz_main = libreplay.a
fuzz_ldflags = $(AM_LDFLAGS)
endif
check_LIBRARIES = libreplay.a
libreplay_a_SOURCES = regress/fuzz/replay_main.c
fuzz_libs = $(fuzz_main) libcommon.a $(CRYPTO_LIBS) $(BSD_LIBS)
fuzz_programs += regress/fuzz/fuzz_authkeys
regress_fuzz_fuzz_authkeys_SOURCES = regress/fuzz/fuzz_authkeys.c
regress_fuzz_fuzz_authkeys_LDADD = $(fuzz_libs)
regress_fuzz_fuzz_authkeys_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_cert
regress_fuzz_fuzz_cert_SOURCES = regress/fuzz/fuzz_cert.c
regress_fuzz_fuzz_cert_LDADD = $(fuzz_libs)
regress_fuzz_fuzz_cert_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_conf
regress_fuzz_fuzz_conf_SOURCES = regress/fuzz/fuzz_conf.c
regress_fuzz_fuzz_conf_LDADD = $(fuzz_libs)
regress_fuzz_fuzz_conf_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_key
regress_fuzz_fuzz_key_SOURCES = regress/fuzz/fuzz_key.c
regress_fuzz_fuzz_key_LDADD = $(fuzz_libs)
regress_fuzz_fuzz_key_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_krl
regress_fuzz_fuzz_krl_SOURCES = regress/fuzz/fuzz_krl.c
regress_fuzz_fuzz_krl_LDADD = $(fuzz_libs)
regress_fuzz_fuzz_krl_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_lab
regress_fuzz_fuzz_lab_SOURCES = regress/fuzz/fuzz_lab.c
regress_fuzz_fuzz_lab_LDADD = $(fuzz_main) libmonitor.a libcommon.a \
	$(CRYPTO_LIBS) $(BSD_LIBS)
regress_fuzz_fuzz_lab_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_userauth
regress_fuzz_fuzz_userauth_SOURCES = regress/fuzz/fuzz_userauth.c
regress_fuzz_fuzz_userauth_LDADD = $(fuzz_libs)
regress_fuzz_fuzz_userauth_LDFLAGS = $(fuzz_ldflags)
EXTRA_PROGRAMS += regress/fuzz/seed_msg
regress_fuzz_seed_msg_SOURCES = regress/fuzz/seed_msg.c regress/unit/msgfill.h
regress_fuzz_seed_msg_LDADD = $(test_libs)
fuzz_programs += regress/fuzz/fuzz_msg
regress_fuzz_fuzz_msg_SOURCES = regress/fuzz/fuzz_msg.c
regress_fuzz_fuzz_msg_LDADD = $(fuzz_libs)
regress_fuzz_fuzz_msg_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_sftp
regress_fuzz_fuzz_sftp_SOURCES = regress/fuzz/fuzz_sftp.c
regress_fuzz_fuzz_sftp_LDADD = libsftpserver.a $(fuzz_libs)
regress_fuzz_fuzz_sftp_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_peer
regress_fuzz_fuzz_peer_SOURCES = regress/fuzz/fuzz_peer.c
regress_fuzz_fuzz_peer_LDADD = libclient.a $(fuzz_libs)
regress_fuzz_fuzz_peer_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_sftploop
regress_fuzz_fuzz_sftploop_SOURCES = regress/fuzz/fuzz_sftploop.c
regress_fuzz_fuzz_sftploop_LDADD = libsftpserver.a $(fuzz_libs) $(MD_LIBS)
regress_fuzz_fuzz_sftploop_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += regress/fuzz/fuzz_client
regress_fuzz_fuzz_client_SOURCES = regress/fuzz/fuzz_client.c
regress_fuzz_fuzz_client_LDADD = libclient.a $(fuzz_libs)
regress_fuzz_fuzz_client_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += regress/fuzz/fuzz_agent
regress_fuzz_fuzz_agent_SOURCES = regress/fuzz/fuzz_agent.c
regress_fuzz_fuzz_agent_LDADD = libclient.a $(fuzz_libs)
regress_fuzz_fuzz_agent_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_mux
regress_fuzz_fuzz_mux_SOURCES = regress/fuzz/fuzz_mux.c
regress_fuzz_fuzz_mux_LDADD = $(fuzz_main) $(client_test_libs)
regress_fuzz_fuzz_mux_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += regress/fuzz/fuzz_sshconf
regress_fuzz_fuzz_sshconf_SOURCES = regress/fuzz/fuzz_sshconf.c
regress_fuzz_fuzz_sshconf_LDADD = libclient.a $(fuzz_libs)
regress_fuzz_fuzz_sshconf_LDFLAGS = $(fuzz_ldflags)

# --- a module of PAM's that asks several things at once
if USE_PAM
check_PROGRAMS += regress/lib/pam_ask.so
regress_lib_pam_ask_so_SOURCES = regress/lib/pam_ask.c
regress_lib_pam_ask_so_CFLAGS = $(AM_CFLAGS) -fPIC
regress_lib_pam_ask_so_LDFLAGS = -shared
regress_lib_pam_ask_so_LDADD = $(PAM_LIBS)
endif

# --- system and interop: the real server, real clients, real accounts
dist_check_SCRIPTS += regress/bench/selfcheck.py $(system_tests)
# The longest of all comes first, so that nothing waits for it at the end.
TESTS += regress/bench/selfcheck.py $(system_tests)
system_tests = \
	regress/interop/client-asyncssh.py \
	regress/interop/client-dropbear.py \
	regress/interop/client-openssh.py \
	regress/interop/client-paramiko.py \
	regress/interop/client-putty.py \
	regress/system/audit.py \
	regress/interop/sftp-clients.py \
	regress/system/authtries.py \
	regress/system/channel-close.py \
	regress/system/channels.py \
	regress/system/check-config.py \
	regress/system/chroot.py \
	regress/system/client-scp.py \
	regress/system/client-sftp.py \
	regress/system/client-auth.py \
	regress/system/client-conf.py \
	regress/system/client-copies.py \
	regress/system/client-dropbear.py \
	regress/system/client-forward.py \
	regress/system/client-hostile.py \
	regress/system/client-hostkeys.py \
	regress/system/client-proxy.py \
	regress/system/client-session.py \
	regress/system/client-shared.py \
	regress/system/client-streamlocal.py \
	regress/system/client-teardown.py \
	regress/system/client-turns.py \
	regress/system/client-x11.py \
	regress/system/connection-options.py \
	regress/system/differential.py \
	regress/system/flags.py \
	regress/system/forward-agent.py \
	regress/system/forward-clients.py \
	regress/system/forward-local.py \
	regress/system/forward-burst.py \
	regress/system/forward-names.py \
	regress/system/forward-permit.py \
	regress/system/forward-remote.py \
	regress/system/forward-x11.py \
	regress/system/host-keys.py \
	regress/system/hostile-user.py \
	regress/system/identification.py \
	regress/system/idle.py \
	regress/system/inetd.py \
	regress/system/journal.py \
	regress/system/keys-command.py \
	regress/system/lab-clients.py \
	regress/system/lab-flags.py \
	regress/system/lab-limits.py \
	regress/system/lab-login.py \
	regress/system/lab-man.py \
	regress/system/lab-sessions.py \
	regress/system/limits.py \
	regress/system/penalties.py \
	regress/system/listen.py \
	regress/system/log-lines.py \
	regress/system/login-cert.py \
	regress/system/login-chain.py \
	regress/system/login-kbdint.py \
	regress/system/login-password.py \
	regress/system/login-pubkey.py \
	regress/system/login-root.py \
	regress/system/login-rules.py \
	regress/system/pam-session.py \
	regress/system/password-change.py \
	regress/system/memory.py \
	regress/system/process-facts.py \
	regress/system/programs.py \
	regress/system/rekey.py \
	regress/system/reload.py \
	regress/system/revoked-keys.py \
	regress/system/rsync-git.py \
	regress/system/scp.py \
	regress/system/secrets-memory.py \
	regress/system/session-exec.py \
	regress/system/session-options.py \
	regress/system/session-pty.py \
	regress/system/sftp-audit.py \
	regress/system/sftp-bulk.py \
	regress/system/sftp-differential.py \
	regress/system/sftp-races.py \
	regress/system/sftp-server.py \
	regress/system/sftp.py \
	regress/system/signals.py \
	regress/system/terminate.py \
	regress/system/sshdctl.py \
	regress/system/systemd.py

bench: all
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON3) \
	    $(srcdir)/regress/bench/bench.py --ours $(abs_builddir)/bin \
	    --json bench.json $(BENCHFLAGS)
bench-sftp: all regress/bench/sftpload
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON3) \
	    $(srcdir)/regress/bench/bench.py --ours $(abs_builddir)/bin \
	    --sftp ours --load $(abs_builddir)/regress/bench/sftpload \
	    --json bench-sftp.json $(BENCHFLAGS)
# The clients' side: omniedge scp beside OpenSSH's and rsync.
check_PROGRAMS += regress/bench/delay
regress_bench_delay_SOURCES = regress/bench/delay.c
bench-files: all regress/bench/delay
	BUILDDIR='$(abs_top_builddir)' PYTHONDONTWRITEBYTECODE=1 $(PYTHON3) \
	    $(srcdir)/regress/bench/files.py --json bench-files.json \
	    $(BENCHFLAGS)
# A login and a command by omniedge ssh beside ssh, with OpenSSH's server.
bench-logins: all
	BUILDDIR='$(abs_top_builddir)' PYTHONDONTWRITEBYTECODE=1 $(PYTHON3) \
	    $(srcdir)/regress/bench/logins.py --json bench-logins.json \
	    $(BENCHFLAGS)
.PHONY: bench bench-files bench-logins bench-sftp
check_PROGRAMS += regress/bench/sftpload
regress_bench_sftpload_SOURCES = regress/bench/sftpload.c \
	regress/bench/sftpload.h regress/bench/sftpload_jobs.c
regress_bench_sftpload_LDADD = libcommon.a $(CRYPTO_LIBS) $(BSD_LIBS)

EXTRA_DIST += regress/bench/bench.py regress/bench/client.py \
	regress/bench/files.py regress/bench/logins.py \
	regress/bench/meter.py regress/bench/report.py \
	regress/bench/rows.py regress/bench/servers.py \
	regress/bench/sftprows.py \
	regress/lib regress/golden regress/fuzz/corpus \
	regress/unit/msgfill.h \
	regress/unit/tap.h regress/unit/conffiles.h regress/unit/keyfiles.h

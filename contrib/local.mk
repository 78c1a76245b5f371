EXTRA_DIST += LICENSE .ci/run \
	debian/changelog debian/control debian/copyright debian/rules \
	debian/source/format debian/sshd_config \
	debian/omniedge-ssh-client.docs debian/omniedge-ssh-server.docs \
	debian/omniedge-ssh-server.README.Debian \
	debian/omniedge-ssh-server.lintian-overrides \
	debian/omniedge-ssh-server.postinst debian/omniedge-ssh-server.prerm \
	contrib/test-deb \
	contrib/check contrib/packages contrib/quickstart \
	contrib/hooks/pre-commit contrib/hooks/commit-msg \
	contrib/hooks/install \
	contrib/lint/run contrib/lint/files contrib/lint/lib.sh \
	contrib/lint/csource.py contrib/lint/format contrib/lint/includes \
	contrib/lint/words contrib/lint/comments contrib/lint/tables \
	contrib/lint/sizes contrib/lint/shell contrib/lint/man \
	contrib/lint/symbols contrib/lint/selftest
.PHONY: lint hooks
lint: all
	@BUILDDIR=$(abs_builddir) $(SHELL) -c 'exec "$$0"' \
	    $(abs_top_srcdir)/contrib/lint/run
hooks:
	@$(abs_top_srcdir)/contrib/hooks/install

# --- what a system has besides the programs; configure says where it goes
contrib_subst = $(SED) -e 's|@sbindir[@]|$(sbindir)|g' \
	-e 's|@sshconfdir[@]|$(sshconfdir)|g' \
	-e 's|@privsep_user[@]|$(privsep_user)|g' \
	-e 's|@privsep_path[@]|$(privsep_path)|g' \
	-e 's|@control_path[@]|$(control_path)|g'
contrib_units = contrib/systemd/sshd.service contrib/systemd/sshd.socket \
	contrib/systemd/sshd-inetd.socket contrib/systemd/sshd-inetd@.service
contrib_made = $(contrib_units) contrib/systemd/sysusers.conf \
	contrib/systemd/tmpfiles.conf contrib/openrc/sshd contrib/procd/sshd
contrib_inputs = contrib/systemd/sshd.service.in \
	contrib/systemd/sshd.socket.in contrib/systemd/sshd-inetd.socket.in \
	contrib/systemd/sshd-inetd@.service.in \
	contrib/systemd/sysusers.conf.in contrib/systemd/tmpfiles.conf.in \
	contrib/openrc/sshd.in contrib/procd/sshd.in
noinst_DATA += $(contrib_made)
CLEANFILES += $(contrib_made)
$(contrib_made): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	    $(contrib_subst) $(srcdir)/$@.in > $@.tmp && mv -f $@.tmp $@
contrib/systemd/sshd.service: $(srcdir)/contrib/systemd/sshd.service.in
contrib/systemd/sshd.socket: $(srcdir)/contrib/systemd/sshd.socket.in
contrib/systemd/sshd-inetd.socket: $(srcdir)/contrib/systemd/sshd-inetd.socket.in
contrib/systemd/sshd-inetd@.service: \
	$(srcdir)/contrib/systemd/sshd-inetd@.service.in
contrib/systemd/sysusers.conf: $(srcdir)/contrib/systemd/sysusers.conf.in
contrib/systemd/tmpfiles.conf: $(srcdir)/contrib/systemd/tmpfiles.conf.in
contrib/openrc/sshd: $(srcdir)/contrib/openrc/sshd.in
contrib/procd/sshd: $(srcdir)/contrib/procd/sshd.in
EXTRA_DIST += $(contrib_inputs) contrib/pam/sshd.debian contrib/pam/sshd.plain \
	contrib/logrotate/sshd

bashcompdir = $(datadir)/bash-completion/completions
zshcompdir = $(datadir)/zsh/site-functions
fishcompdir = $(datadir)/fish/vendor_completions.d
dist_zshcomp_DATA = contrib/completions/_omniedge contrib/completions/_sshd \
	contrib/completions/_sshdctl
dist_fishcomp_DATA = contrib/completions/omniedge.fish \
	contrib/completions/sshd.fish \
	contrib/completions/sshdctl.fish
contrib_bash = contrib/completions/omniedge.bash \
	contrib/completions/sshd.bash contrib/completions/sshdctl.bash
EXTRA_DIST += $(contrib_bash)

# put MODE SOURCE DIRECTORY NAME
put = put() { $(MKDIR_P) "$(DESTDIR)$$3" && \
	$(INSTALL) -m "$$1" "$$2" "$(DESTDIR)$$3/$$4"; }; put
install-data-local: $(contrib_made)
	@$(put) 644 $(srcdir)/contrib/completions/omniedge.bash \
	    $(bashcompdir) omniedge
	@$(put) 644 $(srcdir)/contrib/completions/sshd.bash $(bashcompdir) sshd
	@$(put) 644 $(srcdir)/contrib/completions/sshdctl.bash \
	    $(bashcompdir) sshdctl
if WITH_SYSTEMD
	@for unit in $(contrib_units); do \
	    $(put) 644 $$unit $(systemdsystemunitdir) $${unit##*/} || exit 1; \
	done
endif
if WITH_SYSUSERS
	@$(put) 644 contrib/systemd/sysusers.conf $(sysusersdir) \
	    omniedge-ssh.conf
endif
if WITH_TMPFILES
	@$(put) 644 contrib/systemd/tmpfiles.conf $(tmpfilesdir) \
	    omniedge-ssh.conf
endif
if WITH_PAMDIR
	@test -e "$(DESTDIR)$(pamdir)/sshd" || $(put) 644 \
	    $(srcdir)/contrib/pam/sshd.$(pam_style) $(pamdir) sshd
endif
if WITH_LOGROTATE
	@$(put) 644 $(srcdir)/contrib/logrotate/sshd $(logrotatedir) sshd
endif
if WITH_OPENRC
	@$(put) 755 contrib/openrc/sshd $(openrcdir) sshd
endif
if WITH_PROCD
	@$(put) 755 contrib/procd/sshd $(procddir) sshd
endif
# PAM's file stays: it is the administrator's once it is there.
uninstall-local:
	rm -f "$(DESTDIR)$(bashcompdir)/sshd" "$(DESTDIR)$(bashcompdir)/sshdctl" \
	    "$(DESTDIR)$(bashcompdir)/omniedge"
if WITH_SYSTEMD
	for unit in $(contrib_units); do \
	    rm -f "$(DESTDIR)$(systemdsystemunitdir)/$${unit##*/}"; done
endif
if WITH_SYSUSERS
	rm -f "$(DESTDIR)$(sysusersdir)/omniedge-ssh.conf"
endif
if WITH_TMPFILES
	rm -f "$(DESTDIR)$(tmpfilesdir)/omniedge-ssh.conf"
endif
if WITH_LOGROTATE
	rm -f "$(DESTDIR)$(logrotatedir)/sshd"
endif
if WITH_OPENRC
	rm -f "$(DESTDIR)$(openrcdir)/sshd"
endif
if WITH_PROCD
	rm -f "$(DESTDIR)$(procddir)/sshd"
endif

EXTRA_DIST += LICENSE .ci/run \
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

# TAP for shell tests. Source it, call ok/not_ok/skip, end with done_testing.
# shellcheck shell=bash
tap_n=0
tap_failed=0

# ok NAME: the last command's success is the verdict:  cmd; ok "name"
ok() {
	local rc=$?
	tap_n=$((tap_n + 1))
	if [ $rc -eq 0 ]; then
		echo "ok $tap_n - $1"
	else
		echo "not ok $tap_n - $1"
		tap_failed=$((tap_failed + 1))
	fi
}

# is GOT WANTED NAME
is() {
	[ "$1" = "$2" ]
	ok "$3"
	[ "$1" = "$2" ] || diag "got:    $1" "wanted: $2"
}

# like GOT EXTENDED-REGEX NAME
like() {
	grep -qE -- "$2" <<< "$1"
	ok "$3"
	grep -qE -- "$2" <<< "$1" || diag "got:    $1" "wanted: /$2/"
}

diag() {
	printf '%s\n' "$@" | sed 's/^/# /'
}

# skip NAME REASON: one test that cannot run here, and why
skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

# skip_all REASON: the whole file
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

bail() {
	echo "Bail out! $*"
	exit 99
}

done_testing() {
	echo "1..$tap_n"
	[ $tap_failed -eq 0 ]
	exit $?
}

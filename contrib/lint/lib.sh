# Shared by the shell checks of this folder. LINT_ROOT is the tree to check,
# BUILDDIR where its programs were built.
# shellcheck shell=bash
lint_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LINT_ROOT=$(cd "${LINT_ROOT:-$lint_here/../..}" && pwd)
export LINT_ROOT
LINT_SKIPPED=77
lint_found=0

# complain FILE[:LINE] MESSAGE
complain() {
	echo "$1: $2"
	lint_found=1
}

# lint_done: the check's verdict is its exit status
lint_done() {
	exit "$lint_found"
}

# need TOOL: a check whose tool is missing has not passed
need() {
	command -v "$1" > /dev/null && return
	echo "$1 is missing: contrib/packages install lint" >&2
	exit 1
}

# lint_skip REASON
lint_skip() {
	echo "$1" >&2
	exit "$LINT_SKIPPED"
}

# What to look at: the arguments, or the tree's files that end in a suffix.
# lint_files "SUFFIX..." [FILE...]
lint_files() {
	local suffixes
	read -ra suffixes <<< "$1"
	shift
	if [ $# -gt 0 ]; then
		printf '%s\n' "$@"
	else
		"$lint_here/files" ${suffixes[@]+"${suffixes[@]}"}
	fi
}

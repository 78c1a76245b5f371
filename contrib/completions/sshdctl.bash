# bash completion for sshdctl(8)
_omniedge_sshdctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local word command='' words=''
	COMPREPLY=()
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in
		status | sessions | end | penalties | lift) command=$word ;;
		esac
	done
	case $prev in
	--user)
		words=$(sshdctl sessions 2> /dev/null | awk 'NR > 1 { print $2 }')
		;;
	-f | --pid-file)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2> /dev/null
		return
		;;
	-p | --port | --addr) return ;;
	*)
		case $command in
		'') words="status sessions end penalties lift --help --version" ;;
		end) words="--user --addr --all $(sshdctl sessions 2> /dev/null |
			awk 'NR > 1 { print $1 }')" ;;
		lift) words="all $(sshdctl penalties 2> /dev/null |
			awk '{ sub("/.*", "", $1); print $1 }')" ;;
		*) words="--json" ;;
		esac
		words+=" -f -p --pid-file --port"
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _omniedge_sshdctl sshdctl

# bash completion for sshd(8)
_omniedge_sshd() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	case $prev in
	-f | -h | -c | -E)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2> /dev/null
		;;
	-o)
		mapfile -t COMPREPLY < <(compgen -W "$(sshd -G 2> /dev/null |
			awk '{ print $1 "=" }' | sort -u)" -- "$cur")
		compopt -o nospace 2> /dev/null
		;;
	-C)
		mapfile -t COMPREPLY < <(compgen -W \
			"user= host= addr= laddr= lport=" -- "$cur")
		compopt -o nospace 2> /dev/null
		;;
	-[bgkpu]) ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "-4 -6 -C -c -D -d -E -e -f -G -g \
			-h -i -o -p -q -T -t -u -V" -- "$cur")
		;;
	esac
}
complete -F _omniedge_sshd sshd

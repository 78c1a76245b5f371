# bash completion for omniedge(1)
_omniedge_hosts() {
	awk 'tolower($1) == "host" { for (i = 2; i <= NF; i++)
			if ($i !~ /[*?!]/) print $i }' ~/.ssh/config 2> /dev/null
	awk '$1 !~ /^[#|@]/ { n = split($1, names, ",")
			for (i = 1; i <= n; i++) if (names[i] !~ /[*?!\[]/)
				print names[i] }' ~/.ssh/known_hosts 2> /dev/null
}

_omniedge() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local sub=${COMP_WORDS[1]} words
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$(omniedge --help 2> /dev/null | awk '/^  [a-z]/ { print $1 }')
		mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$cur")
		return
	fi
	case $sub:$prev in
	*:-i | *:-F | *:-E | *:-S | *:--file | *:--key)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2> /dev/null
		return
		;;
	ssh:-O)
		words="check forward cancel stats json stop exit"
		;;
	ssh:-o)
		words=$(omniedge ssh -G host 2> /dev/null | awk '{ print $1 "=" }' |
			sort -u)
		compopt -o nospace 2> /dev/null
		;;
	*:-J)
		words=$(_omniedge_hosts)
		;;
	known-hosts:known-hosts)
		words="list add remove"
		;;
	*)
		case $cur in
		-*) words=$(omniedge "$sub" --help 2> /dev/null |
			awk '/^  -/ { print $1 }') ;;
		*) words=$(_omniedge_hosts) ;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	case $sub in
	scp)
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2> /dev/null
		;;
	esac
}
complete -F _omniedge omniedge

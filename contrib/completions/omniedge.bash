# bash completion for omniedge(1)
_omniedge_hosts() {
	awk 'tolower($1) == "host" { for (i = 2; i <= NF; i++)
			if ($i !~ /[*?!]/) print $i }' ~/.ssh/config 2> /dev/null
	awk '$1 !~ /^[#|@]/ { n = split($1, names, ",")
			for (i = 1; i <= n; i++) if (names[i] !~ /[*?!\[]/)
				print names[i] }' ~/.ssh/known_hosts 2> /dev/null
}

# _omniedge_remote HOST:PATH [FLAG...]: what the path may go on to, as scp shows
# it there: by `omniedge sftp`, without a question.
_omniedge_remote() {
	local host=${1%%:*} path=${1#*:} dir name all=
	shift
	dir=${path%"${path##*/}"}
	[[ ${path##*/} != .* ]] || all=a
	printf '@ls -ln%s "%s"\n' "$all" "${dir:-.}" |
		omniedge sftp -q -b - -o ConnectTimeout=5 "$@" "$host" 2> /dev/null |
		sed -nE 's,^(.)[^ ]* +([^ ]+ +){7}(.*/)?([^/]+)$,\1\4,p' |
		while IFS= read -r name; do
			[[ $name != d* ]] || name+=/
			[[ ${name:1} != "${path##*/}"* ]] ||
				printf '%q\n' "$dir${name:1}"
		done
}

# _omniedge_copy WORD: COMPREPLY for scp's host:path, with its flags.
_omniedge_copy() {
	local -a line flags=()
	local i
	read -ra line <<< "${COMP_LINE:0:COMP_POINT}"
	for ((i = 2; i < ${#line[@]}; i++)); do
		case ${line[i]} in
		-[PiFoJc]) flags+=("${line[i]}" "${line[++i]}") ;;
		-[PiFoJc]?* | -[46C]) flags+=("${line[i]}") ;;
		esac
	done
	mapfile -t COMPREPLY < <(_omniedge_remote "$1" "${flags[@]}")
	[[ $COMP_WORDBREAKS == *:* ]] ||
		COMPREPLY=("${COMPREPLY[@]/#/${1%%:*}:}")
	[[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != */ ]] ||
		compopt -o nospace 2> /dev/null
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
	words=${COMP_LINE:0:COMP_POINT}
	words=${words##*[[:space:]]}
	if [[ $sub == scp && $words == [!-]*:* && ${words%%:*} != */* ]]; then
		_omniedge_copy "$words"
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

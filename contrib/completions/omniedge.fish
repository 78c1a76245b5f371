# fish completion for omniedge(1)
function __omniedge_hosts
	string match -ri '^\s*host\s+(.*)' <~/.ssh/config 2>/dev/null | string match -v '*ost *' | string split ' ' | string match -v '*[*?!]*'
end
function __omniedge_flags
	omniedge $argv[1] --help 2>/dev/null | string match -rg '^  (-\S+)'
end
# What a host:path of scp may go on to, by `omniedge sftp`, without a question.
function __omniedge_remote
    set -l word (commandline -ct)
    string match -qr '^[^-/:][^/:]*:' -- $word; or return
    set -l parts (string split -m 1 : -- $word)
    set -l dir (string replace -r '[^/]*$' '' -- $parts[2])
    set -l base (string replace -r '.*/' '' -- $parts[2])
    set -l all (string match -rq '^\.' -- $base; and echo a)
    set -l flags
    set -l words (commandline -opc)
    while set -q words[1]
        if string match -qr '^-[PiFoJc]$' -- $words[1]; and set -q words[2]
            set flags $flags $words[1..2]
            set -e words[1]
        else if string match -qr '^-([PiFoJc].+|[46C])$' -- $words[1]
            set flags $flags $words[1]
        end
        set -e words[1]
    end
    set -l shown $dir
    test -n "$shown"; or set shown .
    printf '@ls -ln%s "%s"\n' "$all" $shown \
        | omniedge sftp -q -b - -o ConnectTimeout=5 $flags $parts[1] 2>/dev/null \
        | sed -nE 's,^d[^ ]* +([^ ]+ +){7}(.*/)?([^/]+)$,\3/,p;t;s,^[^ ]+ +([^ ]+ +){7}(.*/)?([^/]+)$,\3,p' \
        | string replace -r '^' -- "$parts[1]:$dir"
end
complete -c omniedge -f
complete -c omniedge -n __fish_use_subcommand -a ssh -d 'Log in to a host, or run a command there'
complete -c omniedge -n __fish_use_subcommand -a scp -d 'Copy files to, from and between hosts'
complete -c omniedge -n __fish_use_subcommand -a sftp -d 'A shell for the files of a host'
complete -c omniedge -n __fish_use_subcommand -a known-hosts -d 'List, add and remove the keys of known hosts'
complete -c omniedge -n __fish_use_subcommand -l help -d 'Usage'
complete -c omniedge -n __fish_use_subcommand -l version -d 'Version'
complete -c omniedge -n '__fish_seen_subcommand_from ssh sftp scp known-hosts' -a '(__omniedge_hosts)' -d Host
complete -c omniedge -n '__fish_seen_subcommand_from ssh' -a '(__omniedge_flags ssh)'
complete -c omniedge -n '__fish_seen_subcommand_from scp' -F
complete -c omniedge -n '__fish_seen_subcommand_from scp' -a '(__omniedge_remote)' -d Remote
complete -c omniedge -n '__fish_seen_subcommand_from ssh sftp scp' -s i -r -F -d 'Private key'
complete -c omniedge -n '__fish_seen_subcommand_from ssh sftp scp' -s F -r -F -d 'Configuration'
complete -c omniedge -n '__fish_seen_subcommand_from ssh sftp scp' -s J -x -a '(__omniedge_hosts)' -d 'Hops'
complete -c omniedge -n '__fish_seen_subcommand_from ssh' -s O -x -a 'check forward cancel stats json stop exit' -d 'Tell the shared connection'
complete -c omniedge -n '__fish_seen_subcommand_from known-hosts' -a 'list add remove'
complete -c omniedge -n '__fish_seen_subcommand_from known-hosts' -l json -d 'For scripts'
complete -c omniedge -n '__fish_seen_subcommand_from known-hosts' -l picture -d 'Show pictures'
complete -c omniedge -n '__fish_seen_subcommand_from known-hosts' -l hash -d 'Hide the name'
complete -c omniedge -n '__fish_seen_subcommand_from known-hosts' -l file -r -F -d 'This file'
complete -c omniedge -n '__fish_seen_subcommand_from known-hosts' -l key -r -F -d 'Public key'

# fish completion for omniedge(1)
function __omniedge_hosts
	string match -ri '^\s*host\s+(.*)' <~/.ssh/config 2>/dev/null | string match -v '*ost *' | string split ' ' | string match -v '*[*?!]*'
end
function __omniedge_flags
	omniedge $argv[1] --help 2>/dev/null | string match -rg '^  (-\S+)'
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

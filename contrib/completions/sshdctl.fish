# fish completion for sshdctl(8)
set -l commands status sessions end penalties lift
complete -c sshdctl -f
complete -c sshdctl -n "not __fish_seen_subcommand_from $commands" -a status -d 'How each sshd is'
complete -c sshdctl -n "not __fish_seen_subcommand_from $commands" -a sessions -d 'Who is logged in'
complete -c sshdctl -n "not __fish_seen_subcommand_from $commands" -a end -d 'End sessions'
complete -c sshdctl -n "not __fish_seen_subcommand_from $commands" -a penalties -d 'Sources that are kept out'
complete -c sshdctl -n "not __fish_seen_subcommand_from $commands" -a lift -d 'End penalties'
complete -c sshdctl -s f -l pid-file -r -F -d 'Only the sshd with this PidFile'
complete -c sshdctl -s p -l port -x -d 'Only the sshd that listens there'
complete -c sshdctl -l help -d 'Usage'
complete -c sshdctl -l version -d 'Version'
complete -c sshdctl -n '__fish_seen_subcommand_from status sessions penalties' -l json -d 'For scripts'
complete -c sshdctl -n '__fish_seen_subcommand_from end' -l all -d 'Every session'
complete -c sshdctl -n '__fish_seen_subcommand_from end' -l user -x -a '(__fish_complete_users)' -d 'Of a user'
complete -c sshdctl -n '__fish_seen_subcommand_from end' -l addr -x -d 'From addresses'
complete -c sshdctl -n '__fish_seen_subcommand_from end' -a "(sshdctl sessions 2>/dev/null | string match -r '^[0-9]+')" -d 'Session'
complete -c sshdctl -n '__fish_seen_subcommand_from lift' -a "all (sshdctl penalties 2>/dev/null | string replace -r '/.*' '')" -d 'Source'

dist_man_MANS += man/sftp-server.8 man/sshd_config.5

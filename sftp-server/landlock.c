/*
 * Landlock for sftp-server: nothing is executed, no device is controlled, no
 * network is reached, and with -R nothing is changed.
 */
#include "config.h"

#include "common/landlock.h"
#include "sftp-server/jail.h"

int
landlock_enter(enum jail_role role)
{
	int abi = landlock_abi();
	struct landlock_rights take = landlock_all(abi);
	struct landlock_path root = { "/",
		take.fs & ~(LANDLOCK_EXECUTE | LANDLOCK_IOCTL_DEV) };
	int error;

	/* ABI 1 cannot allow a rename from one directory to another. */
	if (abi == 0 || (abi == 1 && role == JAIL_WRITE))
		return 0;
	if (role == JAIL_READ)
		root.fs = LANDLOCK_READ_FILE | LANDLOCK_READ_DIR;
	error = landlock_restrict(&take, &root, 1);
	return error != 0 ? error : abi;
}

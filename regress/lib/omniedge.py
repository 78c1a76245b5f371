"""Our own client, kept inside a test: argv and environment."""
import tap
from server import ADDRESS, built, user_name


def program():
    path = built("omniedge")
    if not path:
        tap.bail("no omniedge in the build: make")
    return path


class Omniedge:
    """omniedge ssh against one server; options are as for ssh(1)."""

    def __init__(self, place, server):
        self.place, self.server, self.path = place, server, program()

    def options(self, key=None, **more):
        """Keywords that keep the client inside the test. None leaves one
        out."""
        chosen = {"UserKnownHostsFile": self.server.known_hosts,
                  "GlobalKnownHostsFile": "/dev/null",
                  "StrictHostKeyChecking": "yes",
                  "IdentitiesOnly": "yes", "IdentityAgent": "none",
                  "BatchMode": "yes"}
        if key is None:
            chosen["IdentityFile"] = "none"
        chosen.update(more)
        argv = ["-F", "none"]
        for keyword, value in chosen.items():
            if value is not None:
                argv += ["-o", "%s=%s" % (keyword, value)]
        return argv + (["-i", key] if key else [])

    def argv(self, user, *command, key=None, flags=(), host=ADDRESS,
             **options):
        return [self.path, "ssh", *self.options(key, **options), "-p",
                str(self.server.port), *flags,
                "%s@%s" % (user_name(user), host), *command]

    def run(self, user, *command, key=None, flags=(), host=ADDRESS,
            options=None, **run):
        argv = self.argv(user, *command, key=key, flags=flags, host=host,
                         **(options or {}))
        return self.place.run(argv, **run)

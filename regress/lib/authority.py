"""A certificate authority and lists of revoked keys, made with ssh-keygen."""
import os
import subprocess


class Authority:
    """Signs keys of the place's; everything lies in the place."""

    def __init__(self, place, name="ca", kind="ed25519", bits=None):
        self.place, self.name = place, name
        self.key = place.key(kind, bits, name="id_" + name)
        self.public = self.key + ".pub"
        self.count = 0

    def public_text(self):
        with open(self.public, encoding="ascii") as text:
            return text.read()

    def certify(self, key, principals="", identity="someone", serial=None,
                options=(), validity="always:forever", flags=()):
        """A copy of the key with a certificate beside it; its path."""
        self.count += 1
        copy = "%s_%s%d" % (key, self.name, self.count)
        for end in ("", ".pub"):
            with open(key + end, "rb") as source:
                data = source.read()
            with open(os.open(copy + end, os.O_WRONLY | os.O_CREAT, 0o600),
                      "wb") as out:
                out.write(data)
        argv = ["ssh-keygen", "-q", "-s", self.key, "-I", identity,
                "-V", validity, *flags]
        if principals:
            argv += ["-n", principals]
        if serial is not None:
            argv += ["-z", str(serial)]
        for option in options:
            argv += ["-O", option]
        subprocess.run([*argv, copy + ".pub"], check=True)
        return copy


def make_krl(path, *lines, flags=()):
    """ssh-keygen -k of a specification; its lines as in ssh-keygen(1)."""
    spec = path + ".spec"
    with open(spec, "w", encoding="ascii") as out:
        out.write("".join(line + "\n" for line in lines))
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", path, *flags, spec],
                   check=True)
    return path

"""A stock client in a pseudo-terminal, with a reader that waits for text."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from wait import PATIENCE

CHUNK = 65536


class Terminal:
    """Runs argv with a terminal of its own as controlling terminal."""

    def __init__(self, place, argv, rows=24, cols=80, term="xterm"):
        self.master, slave = pty.openpty()
        self.seen = b""
        self.size(rows, cols)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = place.popen(
            argv, env=place.environment(TERM=term), stdin=slave,
            stdout=slave, stderr=slave, preexec_fn=own_terminal)
        os.close(slave)

    def size(self, rows, cols):
        """Set the window's size; the client gets SIGWINCH (tty_ioctl(4))."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def send(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        while data:
            data = data[os.write(self.master, data):]

    def _read(self, deadline):
        left = max(0, deadline - time.monotonic())
        ready, _, _ = select.select([self.master], [], [], left)
        if not ready:
            return None
        try:
            return os.read(self.master, CHUNK)
        except OSError:
            return b""

    def expect(self, pattern, timeout=PATIENCE):
        """Read until the pattern is found; what comes before it is taken.
        None when the time or the client ends first."""
        deadline = time.monotonic() + timeout
        while True:
            found = re.search(pattern.encode(), self.seen)
            if found:
                self.seen = self.seen[found.end():]
                return found
            part = self._read(deadline)
            if not part:
                return None
            self.seen += part

    def start(self, program):
        """A program in the shell's foreground, where keys reach it."""
        self.send("sh -c 'echo go''ing; exec %s'\r" % program)
        if not self.expect("going\r\n"):
            raise RuntimeError("no %s: %r" % (program, self.seen))

    def ask(self, command, timeout=PATIENCE):
        """What a shell prints for a command, between two marks."""
        self.send("echo '<''<'; %s; echo '>''>'\r" % command)
        found = self.expect(r"(?s)<<\r\n(.*?)>>", timeout)
        return found.group(1).decode().replace("\r\n", "\n") if found else None

    def finish(self, timeout=PATIENCE):
        """Read to the end; the client's exit status, None if it hangs."""
        deadline = time.monotonic() + timeout
        while True:
            part = self._read(deadline)
            if part is None:
                return None
            if not part:
                break
            self.seen += part
        try:
            return self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None

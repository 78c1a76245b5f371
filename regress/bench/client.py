# Runs as root in the benchmark, as the client's side of a measurement: drives
# stock ssh and sftp and watches the clock. A client that ends badly, early or
# with too few bytes is a Failure, never a short time.
"""Stock clients, driven and timed."""

import fcntl
import os
import pty
import select
import socket
import subprocess
import tempfile
import threading
import time
import tty

from meter import Failure, NotPossible

CLIENT_SECONDS = 120
CHUNK = 1 << 20
F_SETPIPE_SZ = 1031
SFTP_PROMPT = b"Remote working directory: "


class Client:
    """One running stock client. Use with `with`: it never outlives that."""

    def __init__(self, running, argv, tty_fd=None):
        self._running = running
        self._errors = tempfile.TemporaryFile()
        self._deadline = time.monotonic() + CLIENT_SECONDS
        self._rest = b""
        where = subprocess.PIPE if tty_fd is None else tty_fd
        self.process = subprocess.Popen(
            argv, stdin=where, stdout=where, stderr=self._errors,
            bufsize=0, start_new_session=True)
        if tty_fd is None:
            self.out = self.process.stdout.fileno()
            self._in = self.process.stdin.fileno()
            os.set_blocking(self._in, False)
            for fd in (self._in, self.out):
                fcntl.fcntl(fd, F_SETPIPE_SZ, CHUNK)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for end in (self.process.stdin, self.process.stdout, self._errors):
            if end is not None:
                end.close()

    def _wait_for(self, fd, event):
        left = self._deadline - time.monotonic()
        poll = select.poll()
        poll.register(fd, event)
        if left <= 0 or not poll.poll(left * 1000):
            raise Failure(f"nothing moves for {CLIENT_SECONDS} s")

    def line(self):
        """The next line of output, without its end."""
        while b"\n" not in self._rest:
            self._wait_for(self.out, select.POLLIN)
            got = os.read(self.out, 65536)
            if not got:
                self.end()
                raise Failure("the client's output ends too early")
            self._rest += got
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def expect(self, wanted):
        """Read lines up to one that begins with WANTED."""
        while not self.line().startswith(wanted):
            pass

    def write(self, data):
        view = memoryview(data)
        while view:
            self._wait_for(self._in, select.POLLOUT)
            try:
                view = view[os.write(self._in, view):]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                self.end()
                raise Failure("the client stops reading") from None

    def write_zeros(self, count):
        zeros = memoryview(bytes(CHUNK))
        while count > 0:
            self.write(zeros[:min(count, CHUNK)])
            count -= CHUNK

    def close_input(self):
        self.process.stdin.close()

    def count_output(self):
        """Bytes up to the end of the output."""
        room = bytearray(CHUNK)
        total = len(self._rest)
        while True:
            self._wait_for(self.out, select.POLLIN)
            got = os.readv(self.out, [room])
            if got == 0:
                return total
            total += got

    def end(self):
        """Wait for the client's end; anything but success is raised."""
        try:
            code = self.process.wait(
                max(1, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Failure("the client does not end") from None
        if code == 0:
            return
        self._errors.seek(0)
        told = self._errors.read().decode("utf-8", "replace").strip()
        refuse(self._running, code, told)


def refuse(running, code, told):
    """Say in an exception what a client's failure means."""
    lacks = running.lacks(told)
    if lacks is not None:
        raise NotPossible(lacks)
    told = " / ".join(told.splitlines()[-2:])
    raise Failure(f"client exit {code}: {told or 'no message'}")


def login(running, *options, command="true"):
    """One login; its wall time in seconds."""
    argv = running.client(*options, command=command)
    began = time.perf_counter()
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, check=False,
                              capture_output=True, timeout=CLIENT_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failure("a login does not end") from None
    wall = time.perf_counter() - began
    if done.returncode != 0:
        refuse(running, done.returncode,
               done.stderr.decode("utf-8", "replace").strip())
    return wall


def logins_at_once(running, total, width):
    """TOTAL logins, WIDTH of them at a time; wall time of all."""
    argv = running.client(command="true")
    active, started = [], 0
    began = time.perf_counter()
    try:
        while active or started < total:
            while started < total and len(active) < width:
                active.append(subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                started += 1
            _wait_any(active, began + CLIENT_SECONDS)
            for process in [p for p in active if p.returncode is not None]:
                active.remove(process)
                if process.returncode != 0:
                    raise Failure(f"client exit {process.returncode} "
                                  "in parallel logins")
    finally:
        for process in active:
            process.kill()
            process.wait()
    return time.perf_counter() - began


def _wait_any(active, deadline):
    """Sleep until one of ACTIVE has ended, without turning in a loop."""
    poll = select.poll()
    fds = [os.pidfd_open(p.pid) for p in active]
    try:
        for fd in fds:
            poll.register(fd, select.POLLIN)
        left = deadline - time.perf_counter()
        if left <= 0 or not poll.poll(left * 1000):
            raise Failure("parallel logins do not end")
    finally:
        for fd in fds:
            os.close(fd)
    for process in active:
        process.poll()


def echoes_bytes(running, cipher, data):
    """Is DATA the same after a way there and back?"""
    argv = running.client("-c", cipher, command="cat")
    done = subprocess.run(argv, input=data, capture_output=True, check=False,
                          timeout=CLIENT_SECONDS)
    if done.returncode != 0:
        refuse(running, done.returncode,
               done.stderr.decode("utf-8", "replace").strip())
    if done.stdout != data:
        raise Failure(f"{cipher}: bytes change on the way")


def download(running, cipher, count):
    """COUNT bytes from the server; seconds without the login."""
    argv = running.client("-c", cipher, command="echo go; read x; "
                          f"exec head -c {count} /dev/zero")
    with Client(running, argv) as client:
        client.expect(b"go")
        running.mark(2)
        began = time.perf_counter()
        client.write(b"\n")
        got = client.count_output()
        wall = time.perf_counter() - began
        client.end()
    if got != count:
        raise Failure(f"{got} bytes came instead of {count}")
    return wall


def upload(running, cipher, count):
    """COUNT bytes to the server; seconds without the login."""
    argv = running.client("-c", cipher,
                          command="echo go; cat >/dev/null && echo ok")
    with Client(running, argv) as client:
        client.expect(b"go")
        running.mark(2)
        began = time.perf_counter()
        client.write_zeros(count)
        client.close_input()
        client.expect(b"ok")
        wall = time.perf_counter() - began
        client.end()
    return wall


class _FarEnd:
    """A TCP service beside the server: serves one connection in a thread."""

    def __init__(self, serve):
        self._serve = serve
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self._sock.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            conn, _ = self._sock.accept()
            with conn:
                self._serve(conn)
        except OSError:
            pass  # the client's count then shows it

    def close(self):
        self._sock.close()
        self._thread.join(CLIENT_SECONDS)


def forward_down(running, cipher, count):
    """COUNT bytes through a forwarding from the server's side."""
    def pour(conn):
        zeros, left = memoryview(bytes(CHUNK)), count
        conn.sendall(b"go\n")
        conn.recv(1)
        while left > 0:
            conn.sendall(zeros[:min(left, CHUNK)])
            left -= CHUNK

    far = _FarEnd(pour)
    argv = running.client("-c", cipher, "-W", far.target)
    with Client(running, argv) as client:
        client.expect(b"go")
        running.mark(2)
        began = time.perf_counter()
        client.write(b"\n")
        got = client.count_output()
        wall = time.perf_counter() - began
        client.close_input()
        client.end()
    far.close()
    if got != count:
        raise Failure(f"{got} bytes came instead of {count}")
    return wall


def forward_up(running, cipher, count):
    """COUNT bytes through a forwarding to the server's side."""
    def swallow(conn):
        room, got = bytearray(CHUNK), 0
        conn.sendall(b"go\n")
        while (more := conn.recv_into(room)) > 0:
            got += more
        conn.sendall(b"ok\n" if got == count else b"few\n")

    far = _FarEnd(swallow)
    argv = running.client("-c", cipher, "-W", far.target)
    with Client(running, argv) as client:
        client.expect(b"go")
        running.mark(2)
        began = time.perf_counter()
        client.write_zeros(count)
        client.close_input()
        client.expect(b"ok")
        wall = time.perf_counter() - began
        client.end()
    far.close()
    return wall


def sftp(running, command):
    """One sftp command; seconds without the login."""
    argv = running.client("-b", "-", program="sftp")
    with Client(running, argv) as client:
        client.write(b"pwd\n")
        client.expect(SFTP_PROMPT)
        running.mark(2)
        began = time.perf_counter()
        client.write(command.encode() + b"\npwd\n")
        client.expect(SFTP_PROMPT)
        wall = time.perf_counter() - began
        client.close_input()
        client.end()
    return wall


def idle_session(running):
    """A Client with a pty session in which nothing happens."""
    argv = running.client("-tt", command="echo ready; exec cat")
    client = Client(running, argv)
    try:
        client.expect(b"ready")
    except BaseException:
        client.__exit__()
        raise
    return client


def echo_times(running, count, gap):
    """Seconds that each of COUNT single bytes took, there and back."""
    near, far = pty.openpty()
    try:
        tty.setraw(far)
        argv = running.client(
            "-tt", command="stty raw -echo; echo ready; exec cat")
        with Client(running, argv, tty_fd=far) as client:
            client.out = near
            client.expect(b"ready")
            return [_one_echo(near, gap) for _ in range(count)]
    finally:
        os.close(near)
        os.close(far)


def _one_echo(fd, gap):
    time.sleep(gap)
    began = time.perf_counter()
    os.write(fd, b"x")
    if not select.select([fd], [], [], 10)[0] or os.read(fd, 64) != b"x":
        raise Failure("an echo is lost")
    return time.perf_counter() - began

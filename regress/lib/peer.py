"""Clients that speak the protocol by hand, or break it on purpose.

paramiko's Transport is used where a whole session is wanted, a bare socket
where only the first packets matter.
"""
import socket
import struct

import paramiko

from wait import PATIENCE

MSG_KEXINIT = 20
KEXINIT_LISTS = (
    "kex", "host_key", "cipher_in", "cipher_out", "mac_in", "mac_out",
    "compression_in", "compression_out", "language_in", "language_out")
BANNER_LIMIT = 255


def connect(server, host="127.0.0.1"):
    return socket.create_connection((host, server.port), PATIENCE)


def read_line(sock):
    """One line, without its end; a closed connection gives what came."""
    line = b""
    while not line.endswith(b"\n") and len(line) <= BANNER_LIMIT:
        byte = sock.recv(1)
        if not byte:
            break
        line += byte
    return line.rstrip(b"\r\n")


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise EOFError("closed after %d of %d bytes" % (len(data), count))
        data += part
    return data


def read_packet(sock):
    """The payload of an unencrypted packet (RFC 4253, section 6)."""
    length, padding = struct.unpack(">IB", read_exactly(sock, 5))
    return read_exactly(sock, length - 1)[:length - 1 - padding]


def offers(server):
    """What the server proposes: list name -> algorithms (RFC 4253, 7.1)."""
    with connect(server) as sock:
        read_line(sock)
        sock.sendall(b"SSH-2.0-offers\r\n")
        payload = read_packet(sock)
    if payload[0] != MSG_KEXINIT:
        raise ValueError("message %d instead of KEXINIT" % payload[0])
    lists, at = {}, 17
    for name in KEXINIT_LISTS:
        size, = struct.unpack_from(">I", payload, at)
        text = payload[at + 4:at + 4 + size].decode("ascii")
        lists[name] = text.split(",") if text else []
        at += 4 + size
    return lists


def closed(sock, timeout=PATIENCE):
    """Does the server close this connection in time?"""
    sock.settimeout(timeout)
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except OSError:
        return False
    return True


class BadSigner:
    """A private key whose signatures are wrong in one bit."""

    def __init__(self, key):
        self.key = key

    def __getattr__(self, name):
        return getattr(self.key, name)

    def sign_ssh_data(self, data, algorithm=None):
        made = self.key.sign_ssh_data(data, algorithm)
        raw = bytearray(made.asbytes())
        raw[-8] ^= 0x10
        return paramiko.Message(bytes(raw))


def load_key(path):
    return paramiko.Ed25519Key.from_private_key_file(path)


def transport(server):
    """A paramiko Transport after key exchange, host key checked."""
    with open(server.place.host_key("ed25519") + ".pub",
              encoding="ascii") as public:
        blob = public.read().split()[1]
    made = paramiko.Transport(connect(server))
    made.get_security_options().key_types = ["ssh-ed25519"]
    made.start_client(timeout=PATIENCE)
    if made.get_remote_server_key().get_base64() != blob:
        raise ValueError("another host key than the server's")
    made.auth_timeout = PATIENCE
    return made


def verdict(call, *arguments):
    """The outcome of one authentication try, as a word."""
    try:
        left = call(*arguments)
    except paramiko.BadAuthenticationType as error:
        return "not offered (%s)" % ",".join(error.allowed_types)
    except paramiko.AuthenticationException as error:
        text = str(error)
        return "failure" if text == "Authentication failed." else text
    except (paramiko.SSHException, EOFError, OSError) as error:
        return "broken: %s" % error
    return "partial" if left else "success"

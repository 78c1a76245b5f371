#!/usr/bin/python3
"""OpenSSH's client over each key exchange, cipher and MAC the server offers."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
import peer

# Signals inside the list of key exchanges, not methods (RFC 8308, 2.1).
NOT_METHODS = r"^(ext-info-[cs]|kex-strict-[cs]-.*|kex-guess.*)$"
WEAK = r"sha1|md5|cbc|3des|arcfour|ripemd|umac-64|none|group1-|dss"
SIZE = 300000

tap.need_program("ssh")
place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
offered = peer.offers(server)
data = os.urandom(SIZE)


def client_has(kind):
    return place.run(["ssh", "-Q", kind]).stdout.decode().split()


def works(options, name, seen):
    done = server.ssh(user, "cat", key=key, flags=["-v"], input=data,
                      options=options)
    tap.ok(done.returncode == 0 and done.stdout == data, name,
           done.stderr[-800:])
    tap.like(done.stderr, seen, name + ": is what was used")


def key_exchanges():
    mine = [name for name in offered["kex"]
            if not re.match(NOT_METHODS, name)]
    tap.ok(mine, "the server offers key exchanges", offered)
    for name in mine:
        if name not in client_has("kex"):
            tap.skip("kex " + name, "this client does not have it")
            continue
        works({"KexAlgorithms": name}, "kex " + name,
              "kex: algorithm: " + re.escape(name))


def ciphers():
    tap.equal(offered["cipher_in"], offered["cipher_out"],
              "the same ciphers both ways")
    for name in offered["cipher_in"]:
        if name not in client_has("cipher"):
            tap.skip("cipher " + name, "this client does not have it")
            continue
        works({"Ciphers": name}, "cipher " + name,
              r"kex: server->client cipher: %s " % re.escape(name))


def macs():
    tap.equal(offered["mac_in"], offered["mac_out"], "the same MACs both ways")
    plain = [name for name in offered["cipher_in"] if name.endswith("-ctr")]
    for name in offered["mac_in"]:
        if not plain or name not in client_has("mac"):
            tap.skip("MAC " + name, "no cipher that needs it, or not in ssh")
            continue
        works({"MACs": name, "Ciphers": plain[0]}, "MAC " + name,
              r"kex: server->client cipher: \S+ MAC: %s " % re.escape(name))


def compression():
    for value in ("yes", "no"):
        done = server.ssh(user, "cat", key=key, input=data,
                          options={"Compression": value})
        tap.ok(done.returncode == 0 and done.stdout == data,
               "a client with Compression=" + value, done.stderr)


def what_is_offered():
    """Terrapin's counter measure and signature algorithms are announced; no
    algorithm that scanners call weak is offered."""
    tap.ok("kex-strict-s-v00@openssh.com" in offered["kex"],
           "strict key exchange (CVE-2023-48795)", offered["kex"])
    done = server.ssh(user, "true", key=key, flags=["-v"])
    tap.like(done.stderr, "kex_input_ext_info: server-sig-algs=<.*ssh-ed25519"
             ".*rsa-sha2-512.*>", "server-sig-algs (RFC 8308)")
    if flavour() == "openssh":
        tap.skip("nothing weak is offered", "OpenSSH's defaults keep some")
        return
    for name in ("kex", "host_key", "cipher_in", "mac_in"):
        weak = [each for each in offered[name] if re.search(WEAK, each)]
        tap.equal(weak, [], "%s: nothing weak is offered" % name)


def the_end():
    server.stop()


tap.main(key_exchanges, ciphers, macs, compression, what_is_offered, the_end)

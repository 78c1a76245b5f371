#!/usr/bin/python3
"""A client that goes on sending on a channel which both sides have closed.

Requests and the close arrive in one segment, so that the server's library has
queued the request when it hears of the close: what it then points at must
still be there. A build with sanitizers tells; any build must go on serving.
"""
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place
from wait import PATIENCE, wait_for
import peer

import paramiko
import paramiko.transport
from paramiko.common import (MSG_CHANNEL_CLOSE, MSG_CHANNEL_FAILURE,
                             MSG_CHANNEL_SUCCESS, cMSG_CHANNEL_CLOSE,
                             cMSG_CHANNEL_DATA, cMSG_CHANNEL_EOF,
                             cMSG_CHANNEL_REQUEST)
from paramiko.message import Message

ROUNDS = 50

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()


late = []  # channels on which an answer came behind the server's close


def answered(usual):
    def handler(channel, text):
        if channel.oet_closed.is_set():
            late.append(channel)
        else:
            usual(channel, text)
    return handler


def login():
    """A client that does not answer the server's close of a channel."""
    session = peer.transport(server)
    session.auth_publickey(user.name, peer.load_key(key))
    handlers = dict(session._channel_handler_table)
    handlers[MSG_CHANNEL_CLOSE] = lambda channel, _: channel.oet_closed.set()
    for kind in (MSG_CHANNEL_SUCCESS, MSG_CHANNEL_FAILURE):
        handlers[kind] = answered(handlers[kind])
    session._channel_handler_table = handlers
    return session


class Channel(paramiko.Channel):
    """One whose end is noted, from the start."""

    def __init__(self, chanid):
        super().__init__(chanid)
        self.oet_closed = threading.Event()


paramiko.transport.Channel = Channel


def opened(session, command):
    channel = session.open_session()
    channel.exec_command(command)
    return channel


def message(kind, channel, *fields):
    made = Message()
    made.add_byte(kind)
    made.add_int(channel.remote_chanid)
    for field in fields:
        add = {bool: made.add_boolean, int: made.add_int,
               str: made.add_string}[type(field)]
        add(field)
    return made


def request(channel, name, reply, *fields):
    return message(cMSG_CHANNEL_REQUEST, channel, name, reply, *fields)


def at_once(session, messages):
    """All of them in as few segments as the kernel can make."""
    session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    for each in messages:
        session._send_message(each)
    session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


def ended(session):
    """A channel that the server has closed, and the client has not yet."""
    channel = opened(session, "true")
    if not channel.oet_closed.wait(PATIENCE):
        raise EOFError("the server did not close the channel")
    return channel


def forget(session, channel):
    session._unlink_channel(channel.chanid)


def serves(session, name):
    channel = opened(session, "echo alive")
    tap.equal(channel.makefile().read(), b"alive\n", name)
    channel.close()


def after_our_close(name, make):
    """What make(channel) gives, then the close, all in one."""
    session = login()
    for _ in range(ROUNDS):
        channel = ended(session)
        at_once(session, [*make(channel),
                          message(cMSG_CHANNEL_CLOSE, channel)])
        forget(session, channel)
    serves(session, name)
    session.close()


def requests():
    after_our_close("a request, no answer wanted, then the close",
                    lambda c: [request(c, "exec", False, "id")])
    after_our_close("requests that want an answer, then the close",
                    lambda c: [request(c, "env", True, "LANG", "C"),
                               request(c, "shell", True),
                               request(c, "no@such", True)] * 5)
    after_our_close("a new size of the terminal, then the close",
                    lambda c: [request(c, "window-change", False,
                                       80, 24, 0, 0)])
    after_our_close("data and its end, then the close",
                    lambda c: [message(cMSG_CHANNEL_DATA, c, "x" * 1000),
                               message(cMSG_CHANNEL_EOF, c)])


def behind_the_close():
    """The channel is no more: what comes for it is nobody's."""
    session = login()
    for _ in range(ROUNDS):
        channel = ended(session)
        at_once(session, [message(cMSG_CHANNEL_CLOSE, channel),
                          request(channel, "exec", True, "id"),
                          message(cMSG_CHANNEL_DATA, channel, "x"),
                          message(cMSG_CHANNEL_CLOSE, channel)])
        forget(session, channel)
    serves(session, "requests behind the close")
    session.close()


def before_our_close():
    """The client closes a session that runs, with requests in flight."""
    session = login()
    for _ in range(ROUNDS):
        channel = opened(session, "cat")
        at_once(session, [request(channel, "signal", False, "TERM"),
                          request(channel, "window-change", False,
                                  80, 24, 0, 0),
                          message(cMSG_CHANNEL_CLOSE, channel)])
        forget(session, channel)
    serves(session, "a close with requests in front of it")
    session.close()
    wait_for(lambda: not user.processes(), what="the commands to end")


def of_a_forward():
    """The same for a channel that carries a connection."""
    with socket.create_server(("127.0.0.1", 0)) as target:
        session = login()
        for _ in range(ROUNDS):
            channel = session.open_channel(
                "direct-tcpip", target.getsockname(), ("127.0.0.1", 1))
            target.accept()[0].close()
            channel.send(b"x")
            at_once(session, [message(cMSG_CHANNEL_EOF, channel)])
            if not channel.oet_closed.wait(PATIENCE):
                raise EOFError("the server did not close the channel")
            at_once(session, [request(channel, "shell", True),
                              request(channel, "exec", False, "id"),
                              message(cMSG_CHANNEL_CLOSE, channel)])
        serves(session, "a forwarded connection, requests, then the close")
        session.close()


def no_close():
    """Ended sessions that the client never closes do not count."""
    session = login()
    for _ in range(ROUNDS):
        forget(session, ended(session))
    serves(session, "50 ended sessions, none of them closed by the client")
    session.close()


def the_end():
    tap.equal(late, [], "no answer came on a channel that it had closed")
    tap.unlike(server.log(), r"was ended by signal|broke the rules|"
               r"AddressSanitizer", "no process of the server was harmed")
    server.stop()


tap.main(requests, behind_the_close, before_our_close, of_a_forward, no_close,
         the_end)

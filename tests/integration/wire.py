# SPDX-License-Identifier: GPL-2.0-or-later
"""A D-Bus client that does what no library lets it do: many calls unread, any body, descriptors nobody asked for, another
user. Little-endian, D-Bus Specification 0.41. Depends on nothing else here: it also runs inside the virtual terminal."""
import array
import os
import select
import socket
import struct
import time

NAME = "org.sekimori.Sekimori1"
PATIENCE = 60.0
CALL, RETURN, ERROR_REPLY, SIGNAL = 1, 2, 3, 4
INTERACTIVE = 4  # ALLOW_INTERACTIVE_AUTHORIZATION
NOBODY = 65534


def padded(data, to):
    return data + b"\0" * (-len(data) % to)


def string(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<I", len(raw)) + raw + b"\0"


def field(code, signature, value):
    return struct.pack("<B", code) + struct.pack("<B", len(signature)) + signature + b"\0" + value


def message(serial, destination, path, interface, member, signature="", body=b"", fds=0, flags=0):
    rows = [(1, b"o", string(path)), (2, b"s", string(interface)), (3, b"s", string(member)), (6, b"s", string(destination))]
    if signature:
        rows.append((8, b"g", struct.pack("<B", len(signature)) + signature.encode() + b"\0"))
    if fds:
        rows.append((9, b"u", struct.pack("<I", fds)))
    fields = b""
    for row in rows:
        fields = padded(fields, 8) + field(*row)
    return padded(struct.pack("<BBBBIII", ord("l"), CALL, flags, 1, len(body), serial, len(fields)) + fields, 8) + body


def read_fields(data):
    """{code: value} of the header fields that are text or a number."""
    found, at = {}, 0
    while at < len(data):
        at += -at % 8
        code, kind = data[at], data[at + 2:at + 3]
        at += 4
        if kind == b"g":
            size = data[at]
            found[code] = data[at + 1:at + 1 + size].decode()
            at += size + 2
            continue
        at += -at % 4
        number, = struct.unpack_from("<I", data, at)
        at += 4
        if kind == b"u":
            found[code] = number
        else:
            found[code] = data[at:at + number].decode()
            at += number + 1
    return found


class Client:
    """On the bus at this socket, as this user; `uid` is another one where the test is root."""

    def __init__(self, path, uid=None):
        self.uid = os.getuid() if uid is None or os.getuid() else uid
        self.socket = socket.socket(socket.AF_UNIX)
        self.serial, self.buffer, self.read = 0, b"", []
        # What counts is the effective user at this moment.
        os.seteuid(self.uid)
        try:
            self.socket.connect(str(path))
            self.socket.sendall(b"\0AUTH EXTERNAL " + str(self.uid).encode().hex().encode() + b"\r\n")
            assert self.socket.recv(4096).startswith(b"OK")
        finally:
            os.seteuid(os.getuid())
        self.socket.sendall(b"NEGOTIATE_UNIX_FD\r\n")
        assert self.socket.recv(4096).startswith(b"AGREE")
        self.socket.sendall(b"BEGIN\r\n")
        serial = self.send("/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", destination="org.freedesktop.DBus")
        assert self.answer(serial)[0] is None

    def send(self, path, interface, member, signature="", body=b"", fds=(), flags=0, destination=NAME):
        """The serial of the call."""
        self.serial += 1
        data = message(self.serial, destination, path, interface, member, signature, body, len(fds), flags)
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        sent = self.socket.sendmsg([data], control)
        self.socket.sendall(data[sent:])
        return self.serial

    def next(self, seconds=PATIENCE):
        """(type, header fields) of the next message."""
        end = time.monotonic() + seconds
        while True:
            if len(self.buffer) >= 16:
                body, _, fields = struct.unpack_from("<III", self.buffer, 4)
                size = 16 + fields + -fields % 8 + body
                if len(self.buffer) >= size:
                    found = self.buffer[1], read_fields(self.buffer[16:16 + fields])
                    self.buffer = self.buffer[size:]
                    return found
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise AssertionError(f"no message within {seconds} s")
            piece = self.socket.recv(1 << 18)
            if not piece:
                raise AssertionError("the bus has closed the connection")
            self.buffer += piece

    def answer(self, serial, seconds=PATIENCE):
        """(name of the error or None, its unread messages before); answers to other calls are kept."""
        for n, (kind, fields) in enumerate(self.read):
            if fields.get(5) == serial:
                del self.read[n]
                return fields.get(4) if kind == ERROR_REPLY else None, fields
        while True:
            kind, fields = self.next(seconds)
            if kind in (RETURN, ERROR_REPLY) and fields.get(5) == serial:
                return fields.get(4) if kind == ERROR_REPLY else None, fields
            self.read.append((kind, fields))

    def call(self, *args, **more):
        """The name of the error, or None."""
        return self.answer(self.send(*args, **more))[0]

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

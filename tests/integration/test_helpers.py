# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimori-helpers by its socket: it does what system/helpers.h says, and nothing for who says something else."""

import array
import contextlib
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import time

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build/sekimori-helpers"
NO_PROGRAM = 127
CLD_EXITED = 1
NETLINK_KOBJECT_UEVENT = 15
PROGRAMS = 3


class House:
    def __init__(self, path, process):
        self.path, self.process = path, process

    @contextlib.contextmanager
    def connect(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(10)
            self.reach(connection)
            yield connection

    def reach(self, connection):
        """Between bind(2), which makes the name, and listen(2) a connection is refused; one that has ended refuses for good."""
        deadline = time.monotonic() + 10
        while True:
            try:
                return connection.connect(self.path)
            except ConnectionRefusedError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.02)

    def open(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


@contextlib.contextmanager
def house(script=None):
    """The service as systemd starts it, at the first connection. `script`: what stands for sekimori-open, in its folder's sight only."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/helpers"
        call = ["systemd-socket-activate", "--seqpacket", "-l", path, PROGRAM]
        if script:
            played = pathlib.Path(folder) / "libexec/sekimori/sekimori-open"
            played.parent.mkdir(parents=True)
            played.write_text(f"#!/bin/sh\ncd {folder}\n{script}\n")
            played.chmod(0o755)
            call = ["unshare", "-m", *([] if os.getuid() == 0 else ["-r"]), "sh", "-c",
                    f'mount --bind {folder}/libexec /usr/libexec && exec "$@"', "sh", *call]
        process = subprocess.Popen(call, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 10
        while not os.path.exists(path) and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            yield House(path, process)
        finally:
            process.terminate()
            _, err = process.communicate(timeout=10)
            assert process.returncode == 0, (process.returncode, err)


def with_descriptors(connection, message, fds):
    connection.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])


def order(number, mask, *argv):
    return b"r" + bytes([number, mask]) + b"".join(word.encode() + b"\0" for word in argv)


def test_it_says_whether_the_clock_is_synchronised_as_often_as_it_is_asked():
    with house() as h, h.connect() as connection:
        answers = set()
        for _ in range(3):
            connection.send(b"c")
            answers.add(connection.recv(16))
        assert len(answers) == 1 and answers <= {b"y", b"n"}, answers


def test_it_hands_out_a_socket_that_listens_to_udev():
    with house() as h, h.connect() as connection:
        connection.send(b"ublock\0\0")
        answer, control, _, _ = connection.recvmsg(16, socket.CMSG_SPACE(4))
        assert answer == b"u" and len(control) == 1, (answer, control)
        fd, = array.array("i", control[0][2])
        with socket.socket(fileno=fd) as udev:
            assert (udev.family, udev.proto) == (socket.AF_NETLINK, NETLINK_KOBJECT_UEVENT), udev
            assert udev.getsockname()[1] != 0, "it is in a group"


def test_what_cannot_be_started_ends_with_its_own_status():
    if os.path.exists("/usr/libexec/sekimori"):
        return  # the suite is installed on this machine
    with house() as h, h.connect() as connection:
        connection.send(order(0, 0, "sekimori-inspect"))
        kind, code, status = struct.unpack("=B3xii", connection.recv(64))
        assert (chr(kind), code, status) == ("e", CLD_EXITED, NO_PROGRAM)


def test_nonsense_ends_its_connection_and_nothing_else():
    cases = [
        (b"x", 0), (b"r", 0), (b"r\0", 0), (b"r\0\0", 0), (b"r\0\0no end", 0), (order(PROGRAMS, 0, "x"), 0), (order(255, 0, "x"), 0),
        (order(0, 1, "x"), 0), (order(0, 0, "x"), 1), (order(0, 1, "x"), 2), (order(0, 0x10, "x"), 1), (order(0, 0xff, "x"), 4),
        (order(0, 0, *["x"] * 65), 0), (b"r\0\0" + b"x" * 20000 + b"\0", 0), (b"k", 0), (b"l", 0), (b"u", 0), (b"ublock", 0),
        (b"ublock\0", 0), (b"ublock\0disk", 0), (b"c", 4),
    ]
    with house() as h:
        with h.connect() as connection:
            connection.send(b"c")
            assert connection.recv(16)
            before = h.open()
            for message, n in cases[:-1]:
                with h.connect() as bad:
                    with_descriptors(bad, message, [0] * n)
                    assert bad.recv(64) == b"", message
            # Descriptors that nobody asked for are closed.
            with h.connect() as other:
                with_descriptors(other, *[cases[-1][0], [0] * cases[-1][1]])
                assert other.recv(16)
            deadline = time.monotonic() + 10
            while h.open() != before and time.monotonic() < deadline:
                time.sleep(0.05)
            assert h.open() == before
            connection.send(b"c")
            assert connection.recv(16)


def test_asked_to_end_it_waits_for_what_was_left_to_live_and_kills_the_rest():
    for left in (True, False):
        with house("touch begun; sleep 2; touch closed") as h, h.connect() as connection:
            folder = pathlib.Path(h.path).parent
            connection.send(order(1, 0, "sekimori-open", "close"))
            deadline = time.monotonic() + 10
            while not (folder / "begun").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            assert (folder / "begun").exists()
            if left:
                # Said, and not read yet when it is asked to end.
                os.kill(h.process.pid, signal.SIGSTOP)
                connection.send(b"l")
            h.process.terminate()
            os.kill(h.process.pid, signal.SIGCONT)
            h.process.wait(timeout=10)
            assert (folder / "closed").exists() == left
            time.sleep(0 if left else 2.5)
            assert (folder / "closed").exists() == left, "it was killed, and not only forsaken"


def test_it_wants_to_be_started_by_systemd():
    done = subprocess.run([PROGRAM], capture_output=True, text=True)
    assert done.returncode == 2 and "sekimori-helpers.socket" in done.stderr, done

# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients can take from the daemon by asking: little, and from each other less."""
import os
import re
import struct
import threading
import time

from harness import DEVICE, ERROR, MANAGER, ROOT, VOLUME, Polkit, device, volume, wait_until, world
from wire import NOBODY, RETURN, SIGNAL, Client, padded, string

OBJECTS = (ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
PROPERTIES = "org.freedesktop.DBus.Properties"
CLIENTS = 100


def rss_kib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def open_arguments(size=0):
    """h a{sv}: the first descriptor, and options of that size."""
    option = string("x") + b"\1s\0"
    entry = padded(option, 4) + string(b"x" * size) if size else b""
    return padded(struct.pack("<II", 0, len(entry)), 8) + entry


def holding(w, answer="hold"):
    """A volume that nobody may close before polkit has said so, which it does not."""
    w.tell("add 0")
    w.tell("volume 0")
    w.tell(f"may {NOBODY if os.getuid() == 0 else os.getuid()}")
    w.polkit = w.polkit or Polkit(w)
    w.polkit.say(answer)


def test_a_hundred_clients_at_once_are_served():
    with world() as w:
        for number in range(8):
            w.tell(f"add {number}")
        clients = [Client(w.socket) for _ in range(CLIENTS)]
        try:
            for client in clients:
                client.send("/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "s",
                            string(f"type='signal',interface='{MANAGER}'"), destination="org.freedesktop.DBus")
            for _ in range(3):
                asked = [(client, client.send(*OBJECTS)) for client in clients]
                assert [client.answer(serial)[0] for client, serial in asked] == [None] * CLIENTS
            w.tell("deny 0 not-registered")
            for client in clients:
                while True:
                    kind, fields = client.read.pop(0) if client.read else client.next()
                    if kind == SIGNAL and fields[3] == "DeviceDenied":
                        break
        finally:
            for client in clients:
                client.close()


RELOAD = (ROOT, MANAGER, "ReloadPolicy")


def test_a_client_can_have_eight_calls_waiting_and_so_can_a_user():
    with world() as w:
        holding(w)
        with Client(w.socket, NOBODY) as greedy, Client(w.socket, NOBODY) as other, Client(w.socket) as me:
            waiting = [greedy.send(*RELOAD) for _ in range(8)]
            assert greedy.call(*RELOAD) == ERROR + "LimitsExceeded"
            assert greedy.call(*OBJECTS) is None, "reading waits for nobody"
            w.polkit.wait("check org.sekimori.reload-policy 0", 8)
            assert other.call(*RELOAD) == ERROR + "LimitsExceeded", "one user has no more by another connection"
            if os.getuid() == 0:
                assert me.call(*RELOAD) is None, "root is served all the while"
            w.polkit.say("yes")
            assert [greedy.answer(serial)[0] for serial in waiting] == [None] * 8
            assert other.call(*RELOAD) is None


def test_all_together_can_have_sixty_four_calls_waiting():
    if os.getuid():
        # It takes more users than one may become.
        return
    with world() as w:
        holding(w)
        clients = [Client(w.socket, uid) for uid in range(1, 10)]
        try:
            asked = [(client, client.send(*RELOAD)) for client in clients[:8] for _ in range(8)]
            w.polkit.wait("check org.sekimori.reload-policy 0", 64)
            assert clients[8].call(*RELOAD) == ERROR + "LimitsExceeded"
            w.polkit.say("yes")
            assert [client.answer(serial)[0] for client, serial in asked] == [None] * 64
            assert clients[8].call(*RELOAD) is None
        finally:
            for client in clients:
                client.close()


def test_a_client_that_leaves_gives_its_places_back():
    with world() as w:
        holding(w)
        for _ in range(10):
            with Client(w.socket, NOBODY) as client:
                for _ in range(8):
                    client.send(volume(0), VOLUME, "Close")
                assert client.call(volume(0), VOLUME, "Close") == ERROR + "LimitsExceeded"
                w.polkit.wait("check org.sekimori.close-volume 0", 8)
            w.polkit.wait("cancel", 8)
        with Client(w.socket, NOBODY) as client:
            serial = client.send(volume(0), VOLUME, "Close")
            w.polkit.say("yes")
            assert client.answer(serial)[0] is None


def test_large_calls_are_refused_and_leave_nothing_behind():
    with world() as w, Client(w.socket) as client:
        w.tell("add 0")
        w.tell("volume 0")
        name = string("A" * (31 * 1024))
        assert client.call(ROOT, PROPERTIES, "GetAll", "s", name) == ERROR + "UnknownInterface"
        before = rss_kib(w.daemon)
        for size in (33 * 1024, 1 << 20, 16 << 20):
            assert client.call(ROOT, PROPERTIES, "GetAll", "s", string("A" * size)) == ERROR + "LimitsExceeded", size
            numbers = struct.pack("<I", size) + b"\0" * size
            assert client.call(ROOT, PROPERTIES, "GetAll", "ay", numbers) == ERROR + "LimitsExceeded", size
            with open("/dev/null", "rb") as null:
                assert client.call(volume(0), VOLUME, "Open", "ha{sv}", open_arguments(size), [null.fileno()]) == \
                    ERROR + "LimitsExceeded", size
        assert client.call(*OBJECTS) is None
        # The sanitizer keeps what was freed; harness.py allows it a MiB.
        assert rss_kib(w.daemon) - before < 40 * 1024, rss_kib(w.daemon) - before


def test_descriptors_that_nobody_asked_for_do_not_pile_up():
    with world() as w:
        holding(w)
        before = descriptors(w.daemon)
        with open("/dev/null", "rb") as null, Client(w.socket, NOBODY) as client, Client(w.socket, NOBODY) as other:
            sixteen = [null.fileno()] * 16
            for _ in range(40):
                assert client.call(volume(0), VOLUME, "Close", fds=sixteen) == ERROR + "InvalidArgs"
                assert client.call(ROOT, MANAGER, "ReloadPolicy", fds=sixteen) == ERROR + "InvalidArgs"
            wait_until(lambda: descriptors(w.daemon) <= before, "what came with refused calls closed")
            for each in (client, other):
                for _ in range(8):
                    each.send(volume(0), VOLUME, "Open", "ha{sv}", open_arguments(), sixteen)
            assert other.call(*OBJECTS) is None
            assert descriptors(w.daemon) - before <= 8 * 16 + 2, descriptors(w.daemon) - before
        wait_until(lambda: descriptors(w.daemon) <= before, "all of them closed")


def flood(client, stop, counts, number):
    """Asks for everything as fast as the bus takes it, and reads the answers."""
    with client:
        while not stop.is_set():
            asked = [client.send(*OBJECTS) for _ in range(20)]
            asked += [client.send(ROOT, MANAGER, "ReloadPolicy") for _ in range(20)]
            for serial in asked:
                client.answer(serial)
            counts[number] += len(asked)


def test_floods_from_several_clients_neither_grow_the_daemon_nor_starve_others():
    with world() as w:
        holding(w, "no")
        w.polkit.say("quiet")
        for number in range(1, 32):
            w.tell(f"add {number}")
        w.tell(f"records {w.directory}/records")
        stop, counts = threading.Event(), [0] * 5
        threads = [threading.Thread(target=flood, args=(Client(w.socket, NOBODY), stop, counts, number)) for number in range(5)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: all(counts), "every flood under way")
            before, log_before = rss_kib(w.daemon), os.path.getsize(w.directory / "records")
            slowest = 0
            with Client(w.socket) as client:
                for number in range(1, 32):
                    start = time.monotonic()
                    w.tell(f"deny {number} not-registered")
                    told = time.monotonic()
                    assert client.call(device(number), PROPERTIES, "GetAll", "s", string(DEVICE)) is None
                    slowest = max(slowest, time.monotonic() - start)
                    # The daemon's own work comes before all calls.
                    assert told - start < 5, told - start
            assert slowest < 20, slowest
            assert rss_kib(w.daemon) - before < 16 * 1024, rss_kib(w.daemon) - before
            assert os.path.getsize(w.directory / "records") - log_before < 10000
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert int(w.tell("dropped")[0]) == 0, "no answer was dropped: who asks too fast waits"


def test_answers_to_a_bus_that_pauses_wait_and_come():
    with world() as w, Client(w.socket) as client:
        for number in range(48):
            w.tell(f"add {number}")
        asked = [client.send(*OBJECTS) for _ in range(200)]
        assert all(client.answer(serial)[0] is None for serial in asked)
        assert int(w.tell("dropped")[0]) == 0
        assert not [kind for kind, _ in client.read if kind == RETURN]

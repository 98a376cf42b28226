# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon goes on without a bus, comes back to it, and sleeps when nothing happens."""
import re
import subprocess
import time

from harness import DEVICE, MANAGER, PATIENCE, ROOT, device, wait_until, world


def switches(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", status.read()).group(1))


def test_a_missing_bus_is_joined_when_it_comes():
    with world(bus=False) as w:
        w.tell("add 0")
        w.tell("deny 0 not-registered")
        assert not w.connected()
        w.bus_start()
        wait_until(w.connected, "joining the bus")
        assert w.get_all(device(0), DEVICE)["State"] == "denied"


def test_after_a_restart_of_the_bus_everything_is_there_again():
    with world() as w:
        w.tell("add 0")
        w.bus_stop()
        wait_until(lambda: not w.connected(), "noticing the loss")
        w.tell("deny 0 not-registered")
        w.tell("remove 0")
        w.tell("add 1")
        w.bus_start()
        wait_until(w.connected, "coming back")
        data, error = w.call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        assert error is None and set(data[0]) == {device(1)}, (data, error)
        said = (w.directory / "stderr").read_text()
        assert said.count("going on without") == 1 and said.count("connected") == 1, said


def test_a_taken_name_is_not_fatal_and_is_taken_over_later():
    with world() as w:
        first = w.daemon
        w.daemon_start(wait=False)
        wait_until(lambda: "somebody else does" in (w.directory / "stderr").read_text(),
                   "the second saying why")
        assert not w.connected()
        first.stdin.close()
        assert first.wait(PATIENCE) == 0
        wait_until(w.connected, "the second taking the name")


def test_a_bus_that_never_greets_does_not_block():
    with world() as w:
        w.bus_stop()
        wait_until(lambda: not w.connected(), "noticing the loss")
        # Somebody listens there who accepts and says nothing.
        w.start(["python3", "-c", "import socket,sys,time\n"
                 "s=socket.socket(socket.AF_UNIX);s.bind(sys.argv[1]);s.listen()\n"
                 "c=s.accept();print('here',flush=True);time.sleep(60)", w.directory / "bus"],
                stdout=subprocess.PIPE).stdout.readline()
        start = time.monotonic()
        for number in range(50):
            w.tell("state 0 held" if number else "add 0")
        assert time.monotonic() - start < 10, "a bus is waited for much longer"


def test_nothing_wakes_it_while_nothing_happens():
    with world() as w:
        w.tell("add 0")
        w.get_all(ROOT, MANAGER)
        wait_until(lambda: switches(w.daemon) == (time.sleep(0.5), switches(w.daemon))[1], "the end of what it had to do")
        before = switches(w.daemon)
        time.sleep(4)
        assert switches(w.daemon) == before, switches(w.daemon) - before


def test_watch_tells_of_the_daemon_going_and_coming():
    with world() as w:
        w.tell("add 0")
        _, lines = w.ctl_watch("--json", "--count=2")
        w.tell("hold 0")
        assert '"DeviceHeld"' in lines.next()
        w.daemon_stop()
        assert '"DaemonGone"' in lines.next()
        w.daemon_start()
        assert '"DaemonBack"' in lines.next()
        w.tell("add 1")
        w.bus_stop()
        assert '"DaemonGone"' in lines.next()
        w.bus_start()
        assert '"DaemonBack"' in lines.next()
        wait_until(w.connected, "the daemon")
        w.tell("deny 1 not-registered")
        assert '"DeviceDenied"' in lines.next()


def test_watch_waits_for_a_daemon_that_is_not_there():
    with world(daemon=False) as w:
        process, lines = w.ctl_follow("watch", "--count=1")
        assert "does not answer; waiting" in lines.next()
        w.daemon_start()
        assert "is here" in lines.next()
        w.tell("add 0")
        w.tell("hold 0")
        assert "held" in lines.next()
        assert process.wait(PATIENCE) == 0


def test_watch_believes_only_the_daemon():
    with world() as w:
        w.tell("add 0")
        process, lines = w.ctl_watch("--count=1")
        unique = w.unique_name(process.pid)
        forged = w.run("busctl", f"--address={w.address}", f"--destination={unique}", "emit", ROOT,
                       MANAGER, "AttemptRefused", "a{sv}", "1", "program", "s", "forged")
        assert forged.returncode == 0, forged.stderr
        w.tell("deny 0 not-registered")
        line = lines.next()
        assert "forged" not in line and "denied" in line, line



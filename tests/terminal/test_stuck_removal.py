# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk that is taken back and does not answer: the kernel waits for it, with its locks held, and nobody else does."""

from barrier import (PLAYED, SANITIZED, TOOLS, UUID, Since, check_daemon, daemon_pid, ffs, ffs_stop,
                     images, medium, options, ready, unplug_all)
from policies import use

LONG = True
OPTIONS = options(daemon=SANITIZED, setup="modprobe dummy_hcd; ")

GOOD = medium("ZEI-001", "GOOD", UUID)
LENT = f"allow id {':'.join(PLAYED)} with-interface one-of {{ 08:*:* }}\n"
PATIENCE = 4  # seconds for an answer on D-Bus, under emulation


def teardown(t):
    t.run("rm -f /run/late.in")
    ffs_stop(t, "played")
    unplug_all(t)
    check_daemon(t)


def answers(t):
    """Not Ping, which libdbus answers by itself."""
    t.run(f"dbus-send --system --print-reply --reply-timeout={PATIENCE * 1000} --dest=org.sekimori.Sekimori1 "
          "/org/sekimori/Sekimori1 org.freedesktop.DBus.Properties.GetAll string:org.sekimori.Sekimori1.Manager")


def stuck(t):
    """Takes back a disk that never says that its cache is flushed. Returns the name of its interface."""
    use(t, GOOD + LENT)
    since = Since(t)
    t.run("mkfifo /run/late.in")
    t.start(f"{TOOLS}/udev-late sda <> /run/late.in", "/run/late.out")
    ffs(t, "played", "PLAYED", "never-status --at flush")
    allowed = since.wait("allowed", serial="PLAYED")
    t.wait_until(lambda: "kept" in t.read("/run/late.out"), what="udev's message")
    # As a device can say of itself.
    t.run("echo temporary write back | tee /sys/class/scsi_disk/*/cache_type")
    use(t, GOOD)
    since.wait("revoked", serial="PLAYED")
    t.wait_until(lambda: "command 35" in t.read("/run/ffs-played.log"), what="the flush")
    return allowed["device"] + ":1.0"


def still_there(t, interface):
    """The kernel has not got rid of the disk's host yet."""
    return [name for name in t.ls(f"/sys/bus/usb/devices/{interface}") if name.startswith("host")]


def serves_another(t, interface):
    since = Since(t)
    answers(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    good = since.wait("allowed", serial="GOOD")
    assert good["verdict_us"] < 8000000, good
    answers(t)
    assert still_there(t, interface), "it was not stuck all the while"


def test_late_word_of_a_disk_that_hangs_holds_nobody_up(t):
    ready(t)
    interface = stuck(t)
    t.run("echo > /run/late.in")
    t.wait_until(lambda: "sent" in t.read("/run/late.out"), what="udev's message again")
    serves_another(t, interface)


def test_daemon_that_starts_beside_a_disk_that_hangs_does_not_wait_for_it(t):
    ready(t)
    interface = stuck(t)
    t.run(f"kill -9 {daemon_pid(t)}")
    t.run(f"{SANITIZED} >> /run/sekimorid.out 2>&1 < /dev/null & echo $! > /run/sekimorid.pid")
    ready(t)
    serves_another(t, interface)

# SPDX-License-Identifier: GPL-2.0-or-later
"""The terminal sleeps, and somebody is near it."""

from barrier import UUID_OTHER, Since, disks, images, options, ready, unplug_all

LONG = {"test_same_stick_is_proved_again_after_sleep"}  # the other shows that it is proved again
OPTIONS = options(sleeps=True)
# The emulated clocks are shaken by a sleep; each test gets a machine that has not slept yet.
FRESH = {"test_stick_swapped_during_sleep_is_proved_again_and_refused", "test_same_stick_is_proved_again_after_sleep"}


def teardown(t):
    unplug_all(t)


def swap(t, image):
    """Another stick with the same descriptors in the same port, while the machine sleeps."""
    t.unplug("a", asleep=True)
    t.plug_storage("a", image, serial="GOOD", port="1")


def released(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD", port="1")
    since.wait("released")
    t.wait_until(lambda: disks(t), what="the disk")
    t.settle()
    return Since(t)


def test_stick_swapped_during_sleep_is_proved_again_and_refused(t):
    since = released(t)
    name = t.find_usb("46f4:0001")
    assert t.read(f"/sys/bus/usb/devices/{name}/power/persist") == "0"
    t.suspend()
    swap(t, images.luks2(UUID_OTHER))
    t.wake(timeout=60)
    denied = since.wait("denied", timeout=60)
    assert denied["reason"] == "other-volume", denied
    t.wait_until(lambda: not disks(t), what="no disk")
    assert not since.records("allowed")
    assert since.records("held", reason="sleep"), "held before the sleep"


def test_same_stick_is_proved_again_after_sleep(t):
    since = released(t)
    t.suspend()
    t.wake(timeout=60)
    since.wait("allowed", timeout=60)
    t.wait_until(lambda: disks(t), timeout=30, what="the disk again")
    kinds = [r["kind"] for r in since.records()]
    assert kinds.index("held") < kinds.index("allowed"), kinds

# SPDX-License-Identifier: GPL-2.0-or-later
"""Issuing that is stopped, killed, pulled out, done twice at once, or runs out of disk."""

import re
import time

from helpdesk import (  # noqa: F401
    DISKS, IMAGE, OFFICE, QUICK, begin, gone, image, inspect, issue, mappings, options,
    plug, ready, refused, teardown, wait_step)

LONG = True  # minutes under emulation: run by `make test-long`
OPTIONS = options()


def test_killed_at_any_step_leaves_nothing_in_the_register_and_is_taken_up(t):
    ready(t)
    stick = DISKS.plain("killed")
    node = plug(t, "killed", stick, "KILLED")
    for step in ("writing the LUKS2", "making keyslots", "making the file system", "reading everything back"):
        pid = begin(t, node)
        wait_step(t, step)
        # A moment into the step, so that it is in the middle of something.
        time.sleep(0.4)
        t.run(f"kill -9 {pid}")
        gone(t, pid)
        found = inspect(t, node)
        assert "register" not in found, (step, found)
        assert found["outcome"] != "proved" or found["volumes"][0]["mark"] == "none", (step, found)
    issued = issue(t, node)
    found = inspect(t, node)
    assert found["volumes"][0]["mark"] == "good" and found["register"]["number"] == issued["number"], found


def test_killed_on_an_image_frees_mapping_and_loop_device_on_the_next_run(t):
    ready(t)
    path = image(t, "killed")
    pid = begin(t, path, f"{IMAGE} KILLED-IMG")
    wait_step(t, "making the file system")
    t.wait_until(lambda: mappings(t), timeout=60, what="mapping")
    t.run(f"kill -9 {pid}")
    gone(t, pid)
    assert issue(t, path, f"{IMAGE} KILLED-IMG")["number"]


def test_interrupted_says_how_the_medium_is_left(t):
    ready(t)
    node = plug(t, "stopped", DISKS.plain("stopped"), "STOPPED")
    pid = begin(t, node)
    wait_step(t, "making keyslots")
    t.run(f"kill -INT {pid}")
    gone(t, pid)
    assert "stopped; what was on the medium is gone and it cannot be used yet: run issue again" in t.read("/run/issue.out")
    assert mappings(t) == []
    assert issue(t, node)["number"]


def test_pulled_out_in_the_middle_fails_and_leaves_no_mapping(t):
    ready(t)
    node = plug(t, "pulled", DISKS.plain("pulled"), "PULLED")
    pid = begin(t, node)
    wait_step(t, "making the file system")
    t.unplug("pulled")
    gone(t, pid)
    log = t.read("/run/issue.out")
    assert "is issued" not in log and "run issue again" in log, log
    assert mappings(t) == [], log


def test_two_at_once_on_one_stick_the_second_is_refused(t):
    ready(t)
    node = plug(t, "twice", DISKS.plain("twice"), "TWICE")
    pid = begin(t, node)
    wait_step(t, "writing the LUKS2")
    for line in (f"issue {node} --class II --yes {QUICK}", f"wipe {node} --yes --overwrite"):
        refused(t, line, "another sekimori-desk is working on it")
    gone(t, pid)
    assert "is issued" in t.read("/run/issue.out")
    assert inspect(t, node)["volumes"][0]["mark"] == "good"


def test_two_desks_at_once_give_two_numbers(t):
    ready(t)
    one, two = image(t, "one"), image(t, "two")
    pids = [begin(t, path, f"{IMAGE} TWO-{n}", log=f"/run/two-{n}.out") for n, path in enumerate((one, two))]
    for pid in pids:
        gone(t, pid)
    got = [re.search(r"(M-\d+) is issued", t.read(f"/run/two-{n}.out")) for n in range(2)]
    assert all(got) and got[0].group(1) != got[1].group(1), [t.read(f"/run/two-{n}.out") for n in range(2)]




def test_full_disk_leaves_a_whole_medium_that_is_not_in_the_register(t):
    ready(t)
    path = image(t, "full")
    pid = begin(t, path, f"{IMAGE} FULL")
    wait_step(t, "making keyslots")
    t.run(f"dd if=/dev/zero of={OFFICE}/filler bs=4k status=none", check=False)
    gone(t, pid)
    assert "complete but not in the register: run issue again" in t.read("/run/issue.out"), t.read("/run/issue.out")
    t.run(f"rm {OFFICE}/filler")
    assert "register" not in inspect(t, path, f"{IMAGE} FULL")
    issued = issue(t, path, f"{IMAGE} FULL")
    assert inspect(t, path, f"{IMAGE} FULL")["register"]["number"] == issued["number"]

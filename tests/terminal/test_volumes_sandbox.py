# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimori-open behind the sandbox of sekimori-helpers.service: it has what it needs, and nothing that it does not."""

import os
import re

import test_volumes as volumes
from barrier import STAGE
from test_volumes import MAPPING, OPEN, PASSPHRASE, TANAKA, answers, clean_image, image, mount_of, plug, uuid

with open(os.path.join(STAGE, "usr/lib/systemd/system/sekimori-helpers.service"), encoding="utf-8") as f:
    UNIT = f.read()
NEEDED = re.search(r"(?m)^CapabilityBoundingSet=(.*)$", UNIT)[1].split()


def helper_unit():
    """A unit that runs /run/helper.sh with all that sekimori-helpers.service takes away."""
    unit = re.sub(r"(?m)^(ExecReload|Restart|RestartSec|WatchdogSec|\w+Directory\w*)=.*\n", "", UNIT)
    return unit.replace("Type=notify", "Type=oneshot").replace(
        "ExecStart=/usr/libexec/sekimori/sekimori-helpers", "ExecStart=/bin/sh /run/helper.sh")


LONG = True  # minutes under emulation: run by `make test-long`
OPTIONS = {"stages": [STAGE], "init": "systemd", "files": {"/etc/systemd/system/helper.service": helper_unit()}}


def teardown(t):
    drop(t, None)
    volumes.teardown(t)


def drop(t, capability):
    path = "/run/systemd/system/helper.service.d/drop.conf"
    t.run(f"mkdir -p {os.path.dirname(path)}")
    # An empty assignment first: lists add up.
    kept = " ".join(c for c in NEEDED if c != capability)
    t.write(path, f"[Service]\nCapabilityBoundingSet=\nCapabilityBoundingSet={kept}\n" if capability else "")
    t.run("systemctl daemon-reload")


def helper(t, arguments):
    t.write("/run/secret", PASSPHRASE)
    t.write("/run/helper.sh", f"exec {OPEN} {arguments} 3< /run/secret 4> /run/progress\n")
    t.run("rm -f /run/progress; systemctl reset-failed helper.service; systemctl start helper.service", check=False, timeout=120)
    return answers(t.read("/run/progress"))


def open_volume(t, number, more=""):
    return helper(t, f"open --node /dev/sda --mapping {MAPPING} --method luks2 --uuid {uuid(number)} --uid 1001 "
                  f"--gid 1001 --user tanaka {more}")


def test_opens_scans_names_holders_and_closes(t):
    clean_image(t)
    socket = volumes.start_clamd(t)
    plug(t, "clean")
    lines = open_volume(t, 7, f"--scan {socket} --read-only")
    assert lines[-1]["result"] == "open", lines
    assert {"ro", "nosuid", "nodev", "noexec"} <= mount_of(t, "/run/media/tanaka/CLEAN")[0]
    holder = t.start(f"{TANAKA} sh -c 'cd /run/media/tanaka/CLEAN; exec sleep 1000'")
    t.wait_until(lambda: t.run(f"readlink /proc/{holder}/cwd").out.startswith("/run/media"))
    lines = helper(t, f"close --mapping {MAPPING}")
    assert [line["pid"] for line in lines if "holder" in line] == [holder], lines
    lines = helper(t, f"close --mapping {MAPPING} --force")
    assert lines[-1]["result"] == "closed", lines
    t.run(f"kill {holder}")
    t.wait_until(lambda: volumes.mappings(t) == [])
    volumes.assert_closed(t)


def test_fresh_ext4_is_given_to_its_user(t):
    image(t, "fresh", "ext4", 9)
    plug(t, "fresh")
    lines = open_volume(t, 9)
    assert lines[-1]["result"] == "open", lines
    t.run(f"{TANAKA} touch /run/media/tanaka/FRESH/x")


def test_it_fails_without_each_of_its_own_capabilities(t):
    image(t, "fresh", "ext4", 9)
    plug(t, "fresh")
    for capability in ("CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_CHROOT", "CAP_CHOWN"):
        drop(t, capability)
        lines = open_volume(t, 9)
        assert lines[-1]["result"] == "failed", (capability, lines)
        volumes.assert_closed(t)

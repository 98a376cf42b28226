# SPDX-License-Identifier: GPL-2.0-or-later
"""What the scenarios of the image tier share: the people of the terminal, whether the barrier stands, and our packages."""

import glob
import os
import re
import subprocess
import tempfile

from barrier import LOG, DISK_WORDS, Since, disks, images, medium, ready, unplug_all  # noqa: F401
from machine import BUILD
from sessions import SUZUKI, TANAKA, Person, login, logout_all, run_as, session  # noqa: F401
from terminal import CommandError

# See prepare.sh: staff are tanaka and suzuki.
SATO = Person("sato", 1003, ("sato", "jumin", "sekimori-approve"))
KATO = Person("kato", 1004, ("kato", "users", "sekimori-audit"))
YAMADA = Person("yamada", 1005, ("yamada", "users", "sekimori-desk"))

GROUPS = ("sekimori-approve", "sekimori-desk", "sekimori-emergency", "sekimori-audit")  # of the packages
SLOW = 60
UUID = "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001"
DEBS = "/root/debs"
# An administrator's setting of Debian that leaves the initrd alone: to make one takes minutes under emulation. Those tests that
# start the machine again do without.
KEEP_INITRD = {"/etc/initramfs-tools/update-initramfs.conf": "update_initramfs=no\n"}
# One of this machine's own drivers only: quicker, and Debian's other way to make an initrd.
SMALL_INITRD = {"/etc/initramfs-tools/conf.d/terminal": "MODULES=dep\n"}


def policy(version=1, more=""):
    return (f"policy test-terminal\nversion {version}\napprovers 1\nexception-period 8 hours\ndefault block\n"
            + medium("ZEI-001", "GOOD", UUID) + more)


CONFIGURED = {"/etc/sekimori/policy": policy(), "/etc/sekimori/sekimorid.conf": "terminal ZEI-014\ninspect-deadline 40\n"}


OWN_HOST = re.compile(r"scsi host\d+: ahci")  # the machine's, there before any stick


def no_disk(t, dmesg_from=0):
    """Nothing of the kind a stick becomes, nor has it ever been since a line of dmesg."""
    assert not disks(t), disks(t)
    assert not t.run("ls /dev/sd* 2>/dev/null", check=False).out, "there are nodes"
    lines = [line for line in t.dmesg().splitlines()[dmesg_from:] if DISK_WORDS.search(line) and not OWN_HOST.search(line)]
    assert not lines, lines


def storage_drivers(t):
    """USB interfaces that a storage driver has bound."""
    out = t.run("for d in usb-storage uas; do for i in /sys/bus/usb/drivers/$d/*:*; do [ ! -e $i ] || echo $i; done; done").out
    return out.split()


def plug_held(t, id="held", serial="NOBODY", image=None, seconds=2):
    """A stick that nobody knows: there on the bus, and no disk after a while, whatever else is broken."""
    before = len(t.dmesg().splitlines())
    t.plug_storage(id, image or images.plain(), serial=serial)
    name = t.find_usb("46f4:0001", timeout=30)
    t.settle()
    t.run(f"sleep {seconds}")
    assert storage_drivers(t) == []
    no_disk(t, before)
    return name


def module_file():
    """The module that DKMS has built for the image's kernel."""
    kver = os.path.join(BUILD, "image/sekimori/kver")
    if not os.path.exists(kver):
        return "/none"
    with open(kver, encoding="ascii") as f:
        return f"/lib/modules/{f.read().strip()}/updates/dkms/sekimori.ko"


def second_layer_holds(t):
    """Without the module: the stick is judged and shut out by the daemon alone. What doctor calls wrong."""
    ready(t)
    assert not t.exists("/sys/module/sekimori")
    since = Since(t)
    name = plug_held(t)
    since.wait("denied", SLOW, serial="NOBODY")
    assert t.read(f"/sys/bus/usb/devices/{name}:1.0/authorized") == "0"
    return failed_checks(t)[0]


def failed_checks(t):
    """{id: detail} of what `sekimorictl doctor` calls wrong, and of what it warns of."""
    import json
    items = json.loads(t.run("sekimorictl doctor --json", check=False, timeout=120).out)
    return ({i["id"]: i["detail"] for i in items if i["result"] == "fail"},
            {i["id"]: i["detail"] for i in items if i["result"] == "warn"})


def in_session(t, person, vt):
    if not session(t, person):
        login(t, person, vt)


def refused(t, person, command):
    """It fails for this person; what was said."""
    done = run_as(t, person, command, check=False)
    if done.status == 0:
        raise CommandError(f"{person.name} may `{command}`: {done!r}")
    return done.out + done.err


# --- packages -------------------------------------------------------------------------------------

def built():
    """The packages of a terminal in build/deb."""
    found = [path for name in ("sekimori", "sekimori-common", "sekimori-dkms")
             for path in glob.glob(os.path.join(BUILD, f"deb/{name}_*.deb"))]
    assert len(found) == 3, f"build/deb has {found}"
    return found


def version(deb):
    return subprocess.run(["dpkg-deb", "-f", deb, "Version"], check=True, capture_output=True, text=True).stdout.strip()


def _edit(path, old, new):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))


def other_version(deb, new, folder, source_line=""):
    """The same package under another version number: in its fields, in the directory of the module's source, with a line more
    in what it configures by default, as another release has it, and with `source_line` at the end of the module's gate.c."""
    old = version(deb)
    with tempfile.TemporaryDirectory() as top:
        tree = os.path.join(top, "tree")
        subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
        for name in os.listdir(os.path.join(tree, "DEBIAN")):
            _edit(os.path.join(tree, "DEBIAN", name), old, new)
        source = os.path.join(tree, "usr/src", f"sekimori-{old}")
        if os.path.isdir(source):
            _edit(os.path.join(source, "dkms.conf"), old, new)
            with open(os.path.join(source, "gate.c"), "a", encoding="utf-8") as f:
                f.write(source_line)
            os.rename(source, os.path.join(tree, "usr/src", f"sekimori-{new}"))
        conf = os.path.join(tree, "etc/sekimori/sekimorid.conf")
        if os.path.exists(conf):
            with open(conf, "a", encoding="utf-8") as f:
                f.write(f"# as of {new}\n")
        out = os.path.join(folder, re.sub(re.escape(f"_{old}_"), f"_{new}_", os.path.basename(deb)))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tree, out], check=True, capture_output=True)
        return out


def bring(t, debs, folder=DEBS):
    """Copies packages into the guest; their paths there."""
    t.run(f"mkdir -p {folder}")
    paths = []
    for deb in debs:
        paths.append(f"{folder}/{os.path.basename(deb)}")
        with open(deb, "rb") as f:
            t.write(paths[-1], f.read())
    return paths


def apt(t, words, timeout=600, check=True):
    """apt-get as an unattended upgrade runs it: what the administrator has changed stays."""
    return t.run(f"DEBIAN_FRONTEND=noninteractive apt-get -y -o Dpkg::Options::=--force-confold {words} < /dev/null 2>&1",
                 timeout=timeout, check=check)

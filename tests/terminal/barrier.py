# SPDX-License-Identifier: GPL-2.0-or-later
"""What the scenarios of the barrier share: the installed suite, media, and eyes that are not ours.

Nothing here asks sekimorid how it is. Disks are seen in /sys and in the kernel's own events, verdicts
on D-Bus by dbus-monitor, and in the log file.
"""

import atexit
import glob
import json
import os
import re
import subprocess
import time

from disks import Disks
from terminal import BUILD

STAGE = os.path.join(BUILD, "stage")
LOG = "/var/log/sekimori/events.jsonl"
TOOLS = "/usr/lib/terminal"
STICK = "46f4:0001"  # QEMU's usb-storage and usb-uas
SANITIZED = TOOLS + "/san/sekimorid"  # the daemon under AddressSanitizer and UBSan
PLAYED = ("1d6b", "0104")  # ids given to devices played by ffs-device

# What the kernel says when it makes a disk, from the first step on.
DISK_WORDS = re.compile(r"scsi host\d|Attached SCSI (disk|CD|removable)|Direct-Access|USB Mass Storage device detected")

UUID = "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001"
UUID_2 = "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a002"
UUID_OTHER = "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9afff"


def medium(number, serial, uuid=None, ids=STICK, status="active", more=""):
    """A line of the register; without a UUID one that no image has."""
    uuid = uuid or f"0f3b6a58-6b1c-4c59-9c3f-8d2a54d9b{number[-3:]}"
    return (f'medium {number} id {ids} serial "{serial}" encryption luks2 luks-uuid {uuid} '
            f"status {status} {more}".rstrip() + "\n")


POLICY = (
    "# 試験用 / for the tests\npolicy test-terminal\nversion 1\ndefault block\n"
    + medium("ZEI-001", "GOOD", UUID)
    + medium("ZEI-002", "PLAIN")
    + medium("ZEI-003", "SWAPPED")
    + medium("ZEI-004", "LOST", status="lost")
    + medium("ZEI-005", "GOOD2", UUID_2)
    + medium("ZEI-006", "UAS", ids="46f4:0003")
    + medium("ZEI-007", "PLAYED", ids=":".join(PLAYED))
    + medium("ZEI-008", "GADGET", ids=":".join(PLAYED))
)


def module_path():
    found = glob.glob(os.path.join(STAGE, "lib/modules/*/updates/sekimori.ko"))
    return found[0] if found else ""


def options(module=True, params="", policy=POLICY, daemon="/usr/sbin/sekimorid", files=None, **more):
    """Options of a Terminal with everything installed."""
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest")
    extra = {"/etc/sekimori/policy": policy, "/etc/sekimori/sekimorid.conf": "terminal ZEI-014\n"}
    with open(os.path.join(here, "ffs.sh"), encoding="utf-8") as f:
        extra[TOOLS + "/ffs.sh"] = (0o755, f.read())
    extra.update(files or {})
    chosen = {"module": module_path(), "module_params": params} if module else {}
    setup = ("udevadm monitor --kernel --subsystem-match=block > /run/block-events 2>&1 & "
             + more.pop("setup", ""))
    return dict(stages=[STAGE], daemon=daemon, files=extra, setup=setup, **chosen, **more)


class Images:
    """Stick images by name, made when first asked for and shared by the tests of one run."""

    def __init__(self):
        self.disks = None
        self.made = {}

    def get(self, name, make):
        if self.disks is None:
            self.disks = Disks()
            atexit.register(self.disks.close)
        if name not in self.made:
            self.made[name] = make.__module__, make(self.disks)
        module, image = self.made[name]
        assert module == make.__module__, f"{module} and {make.__module__} both have an image '{name}'"
        return image

    def plain(self):
        return self.get("plain", lambda d: d.plain("plain"))

    def luks2(self, uuid=UUID):
        return self.get(uuid, lambda d: d.luks2(uuid, uuid=uuid))

    def luks1(self):
        return self.get("luks1", lambda d: d.luks1("luks1", uuid=UUID))


images = Images()


def records(t):
    """The log, a dictionary a line; each line must be JSON by itself. One that is being written, or was cut, is left out."""
    if not t.exists(LOG):
        return []
    return [json.loads(line) for line in t.read(LOG).splitlines() if line.endswith("}")]


class Since:
    """Looks at what comes after a moment: new log records, new kernel messages, new disk events."""

    def __init__(self, t):
        self.t = t
        self.seen = len(records(t))
        self.dmesg = len(t.dmesg().splitlines())
        self.blocks = len(t.read("/run/block-events").splitlines())

    def records(self, kind=None, **match):
        return [r for r in records(self.t)[self.seen:]
                if (kind is None or r["kind"] == kind) and all(r.get(k) == v for k, v in match.items())]

    def wait(self, kind, timeout=20, **match):
        found = []

        def look():
            found[:] = self.records(kind, **match)
            return found
        self.t.wait_until(look, timeout, f"log record {kind} {match}; there is {self.records()}")
        return found[0]

    def kernel(self):
        return "\n".join(self.t.dmesg().splitlines()[self.dmesg:])

    def block_events(self):
        return [line for line in self.t.read("/run/block-events").splitlines()[self.blocks:]
                if re.search(r"\badd\b.*/block/sd", line)]

    def assert_no_disk(self):
        """No SCSI host, no disk, not even for a moment."""
        assert not disks(self.t), disks(self.t)
        assert not self.block_events(), self.block_events()
        lines = [line for line in self.kernel().splitlines() if DISK_WORDS.search(line)]
        assert not lines, lines


def disks(t):
    return [name for name in t.ls("/sys/block") if name.startswith("sd")]


def read_bytes(t, id):
    """What QEMU has read from this stick's image."""
    stats = [s for s in t.qmp("query-blockstats") if f"/{id}/" in s.get("qdev", "") + "/"]
    assert stats, t.qmp("query-blockstats")
    return max(s["stats"]["rd_bytes"] for s in stats)


def driver(t, interface):
    """The driver bound to an interface ("2-1:1.0"), or ""."""
    return os.path.basename(t.run(f"readlink /sys/bus/usb/devices/{interface}/driver", check=False).out.strip())


def nodes(t, name):
    return (int(t.read(f"/sys/bus/usb/devices/{name}/busnum")),
            int(t.read(f"/sys/bus/usb/devices/{name}/devnum")))


def poke(t, name, what, user=None):
    """What the kernel answers to usbpoke: "ok" or the name of an errno."""
    bus, dev = nodes(t, name)
    command = f"{TOOLS}/usbpoke {bus} {dev} {what}"
    if user is not None:
        command = f"setpriv --reuid {user} --regid {user} --clear-groups {command}"
    return t.run(command, check=False).out.strip()


AT_WORK = "^sekimori-inspect --(interface|block|work)"
ASKING = "^sekimori-inspect --(interface|work)"  # a device, not a disk
WAITING = "^sekimori-inspect --wait"


def inspectors(t, which=AT_WORK):
    """Process ids of inspectors, separated by blanks; one that waits for a device is not at work."""
    return " ".join(t.run(f"pgrep -f '{which}'", check=False).out.split())


class Bus:
    """Signals of the daemon as dbus-monitor prints them, of root or another user."""

    count = 0

    def __init__(self, t, uid=0):
        Bus.count += 1
        self.t = t
        self.file = f"/run/bus-{Bus.count}"
        other = f"setpriv --reuid {uid} --regid {uid} --clear-groups " if uid else ""
        self.pid = t.start(f"{other}dbus-monitor --system \"type='signal',sender='org.sekimori.Sekimori1'\"", self.file)
        t.wait_until(lambda: "member=Name" in self.text(), what="dbus-monitor")
        time.sleep(0.2)

    def members(self):
        return re.findall(r"member=(Device\w+|AttemptRefused|Incident)", self.text())

    def wait(self, member, timeout=15):
        self.t.wait_until(lambda: member in self.members(), timeout, f"signal {member}; there is {self.members()}")

    def text(self):
        return self.t.read(self.file) if self.t.exists(self.file) else ""

    def close(self):
        self.t.run(f"kill {self.pid}", check=False)


def daemon_pid(t):
    return t.run("pidof sekimorid", check=False).out.strip()


def start_daemon(t, arguments=""):
    """Without the memory of deaths before (test_crash_loop.py): what a test has killed it starts again at once."""
    t.run(f"rm -f /run/sekimori/deaths; /usr/sbin/sekimorid {arguments} >> /run/sekimorid.out 2>&1 < /dev/null & echo $! > /run/sekimorid.pid")


def ready(t):
    """The daemon has its bus name."""
    t.wait_until(lambda: t.run("dbus-send --system --print-reply --dest=org.sekimori.Sekimori1 "
                               "/org/sekimori/Sekimori1 org.freedesktop.DBus.Peer.Ping", check=False).status == 0,
                 what="the daemon on D-Bus")


def counter(t, name):
    return int(t.read(f"/sys/class/misc/sekimori/counters/{name}"))


def ffs(t, name, serial, mode):
    """Plays a device; `mode` may be followed by options of ffs-device."""
    ffs_all(t, [(name, serial, mode)])


def ffs_all(t, devices):
    """Several at once: [(name, serial, mode and options)]."""
    lines = "".join(f"{name} {PLAYED[0]} {PLAYED[1]} {serial} {mode}\n" for name, serial, mode in devices)
    t.run(f"{TOOLS}/ffs.sh start-all <<'END'\n{lines}END", timeout=60)


def bring(t, images):
    """Copies image files into the guest as /run/images/NAME.img; what is zero does not travel."""
    if not images:
        return
    packed = subprocess.run(["tar", "-czS", "--hole-detection=raw", "--transform=s,.*/,,", "-f", "-",
                             *images], check=True, capture_output=True).stdout
    t.write("/run/images.tar", packed)
    t.run("mkdir -p /run/images && tar -xzSf /run/images.tar -C /run/images && rm /run/images.tar")


def ffs_stop(t, *names):
    t.run(f"{TOOLS}/ffs.sh stop {' '.join(names)}", check=False)


def check_daemon(t):
    """No sanitizer has complained."""
    out = t.read("/run/sekimorid.out")
    assert "Sanitizer" not in out and "runtime error" not in out, out


def wait_revoked(t, patience=2):
    """A disk that is taken back goes before its driver, which flushes it first. A command that is under way when its device
    is pulled gets lost in QEMU, and the kernel then holds the device for half a minute."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        hosts = t.run("grep -lxE 'usb-storage|uas' /sys/class/scsi_host/*/proc_name", check=False).out.split()
        if len(hosts) <= len(disks(t)):
            return
        time.sleep(0.05)


def unplug_all(t):
    if t.drives:
        wait_revoked(t)
    for id in list(t.drives):
        t.unplug(id)
    gadgets = t.ls("/sys/kernel/config/usb_gadget")
    played = [name for name in gadgets if name.startswith("played")]
    if played:
        ffs_stop(t, *played)
    if "gadget" in gadgets:
        t.run(f"{TOOLS}/gadget.sh down gadget")

# SPDX-License-Identifier: GPL-2.0-or-later
"""The three that are held side by side: Sekimori, USBGuard as Debian ships it, and the same kernel unguarded.

Each is a Guard: how to boot a Debian with it under systemd, which file is its own record, and what in it says
"refused". Nothing here asks a guard how it is; figures come from /proc, cgroups, systemd, the kernel's
events and the guards' own files.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "image"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "terminal"))
sys.path.insert(0, os.path.join(HERE, ".."))

import barrier  # noqa: E402
from policy import rule as filler  # noqa: E402
from barrier import disks  # noqa: E402
from terminal import BUILD, CACHE, Terminal  # noqa: E402

# "image": Debian on a disk of its own, with both as their packages install them. "terminal": the same daemons, units and
# kernel over a root file system in memory, which boots in a fraction of the time.
TIER = os.environ.get("SEKIMORI_BENCH_TIER", "image")
STICK = barrier.STICK
KNOWN = "GOOD"  # the serial of the stick that rules let in
WATCH = "/usr/lib/terminal/plugwatch"
START_PATIENCE = 1800  # seconds for a daemon with very many rules to come up
PLUG_PATIENCE = 60
REST_S, REST_US, REST_TRIES = 4, 20000, 15  # a service that uses so little in so many seconds is at rest
CGROUP = "/sys/fs/cgroup"

# A daemon that reads many rules is given the time; one that is killed in a scene stays dead.
DROP_IN = "[Service]\nTimeoutStartSec=infinity\nWatchdogSec=0\n"


def allow(serial=KNOWN, more=""):
    """The rule for the stick, the same text for both: ours is a superset of USBGuard's language."""
    return f'allow id {STICK} serial "{serial}"{more}\n'


def keyboards():
    return "allow with-interface all-of { 03:*:* }\n"


def packaged(path):
    """A file of the guest's Debian as its package has it."""
    root = os.path.realpath(os.path.join(CACHE, "terminal/root.squashfs"))
    return subprocess.run(["unsquashfs", "-cat", root, path], check=True, capture_output=True, text=True).stdout


class Guard:
    name = "unguarded"
    unit = ""  # its daemon's service
    more_units = ()  # services that its package starts besides
    record = ""  # file of its own records; "" if it has none
    refused = ""
    disk = "plain"  # of the image tier

    def files(self, rules):
        """Put into either machine."""
        return {}

    def options(self):
        """More options of a Terminal."""
        return {}

    def boot(self, rules, **more):
        """A machine with it and these rules, not yet entered."""
        with open(os.path.join(BUILD, "guest/plugwatch"), "rb") as f:
            files = {WATCH: (0o755, f.read()), **self.files(rules), **more.pop("files", {})}
        if TIER == "image":
            from machine import Machine
            return Machine(name=self.name, disk=self.disk, files=files, **more)
        return Terminal(name=self.name, init="systemd", files=files, **{**self.options(), **more})

    def write_rules(self, t, rules):
        pass

    def restart(self, t, rules):
        """Puts rules in force by starting the service anew; returns how long systemd waited for it, in milliseconds."""
        t.run(f"systemctl stop {self.unit} {' '.join(self.more_units)}", timeout=60)
        self.write_rules(t, rules)
        t.run(f"systemctl start {self.unit}", timeout=START_PATIENCE)
        if self.more_units:
            t.run(f"systemctl start {' '.join(self.more_units)}", timeout=START_PATIENCE)
        return self.ready_ms(t)

    def ready_ms(self, t):
        """From the moment systemd began with the unit to the moment it took it for ready."""
        shown = t.run(f"systemctl show {self.unit} -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic").out
        times = dict(line.split("=") for line in shown.split())
        return (int(times["ActiveEnterTimestampMonotonic"]) - int(times["InactiveExitTimestampMonotonic"])) / 1000

    def shown(self, t, unit, what):
        return t.run(f"systemctl show {unit} -p {what} --value").out.strip()

    def cgroups(self, t):
        return [CGROUP + self.shown(t, unit, "ControlGroup") for unit in (self.unit, *self.more_units) if unit]

    def processes(self, t, whole=True):
        """The daemon, or all that runs for its package's services: what the daemon has started, too."""
        if not whole:
            return [self.shown(t, self.unit, "MainPID")]
        return [pid for group in self.cgroups(t) for pid in t.read(group + "/cgroup.procs").split()]

    def memory_kib(self, t, whole):
        """Resident, proportional and private memory."""
        sums = {"Rss": 0, "Pss": 0, "Private_Dirty": 0}
        for pid in self.processes(t, whole):
            for key, value in re.findall(r"^(\w+): +(\d+) kB$", t.read(f"/proc/{pid}/smaps_rollup"), re.M):
                if key in sums:
                    sums[key] += int(value)
        return sums

    def cpu_us(self, t):
        """Used by its services and all their children, also those that have ended."""
        return sum(int(re.search(r"usage_usec (\d+)", t.read(group + "/cpu.stat"))[1]) for group in self.cgroups(t))

    def rest(self, t):
        """Until what its services do after their start is over: USBGuard is "started" before it looks for devices."""
        for _ in range(REST_TRIES if self.unit else 0):
            before = self.cpu_us(t)
            time.sleep(REST_S)
            if self.cpu_us(t) - before < REST_US:
                break

    def switches(self, t):
        """How often any thread of its services was put on a processor."""
        counts = t.run("cat " + " ".join(f"/proc/{pid}/task/*/status" for pid in self.processes(t))).out
        return sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", counts))


class Sekimori(Guard):
    name, unit, more_units = "sekimori", "sekimorid.service", ("sekimori-helpers.service",)
    record, disk = barrier.LOG, "sekimori"
    refused = '"kind":"denied"'
    policy = "/etc/sekimori/policy"

    def text(self, rules):
        """Storage that a rule lets in must be proved encrypted besides: more work than the peer's rule asks for."""
        return "policy bench\nversion 1\nencryption luks2\ndefault block\n" + rules

    def files(self, rules):
        return {self.policy: self.text(rules), "/etc/sekimori/sekimorid.conf": "terminal ZEI-014\n",
                "/etc/systemd/system/sekimorid.service.d/bench.conf": DROP_IN}

    def options(self):
        options = barrier.options()
        del options["files"]
        return options

    def write_rules(self, t, rules):
        # A policy of the same version and other content is for signed ones only; here the content is what changes.
        t.write(self.policy, self.text(rules))


class UsbGuard(Guard):
    name, unit, more_units = "usbguard", "usbguard.service", ("usbguard-dbus.service",)
    record = "/var/log/usbguard/usbguard-audit.log"
    refused = "target.new='block'"

    def files(self, rules):
        # Both images have the package with its units masked. This directory goes before the mask's: systemd.unit(5).
        units = {f"/etc/systemd/system.control/{unit}": packaged(f"usr/lib/systemd/system/{unit}")
                 for unit in (self.unit, *self.more_units)}
        return {**units, "/etc/systemd/system/usbguard.service.d/bench.conf": DROP_IN,
                "/etc/systemd/system/basic.target.d/bench.conf": "[Unit]\nWants=usbguard.service\n",
                "/etc/systemd/system/multi-user.target.d/bench.conf": "[Unit]\nWants=usbguard-dbus.service\n",
                "/etc/usbguard/rules.conf": (0o600, rules)}

    def write_rules(self, t, rules):
        t.write("/etc/usbguard/rules.conf", rules)
        t.run("chmod 600 /etc/usbguard/rules.conf")


SEKIMORI, USBGUARD, UNGUARDED = Sekimori(), UsbGuard(), Guard()
ALL = (SEKIMORI, USBGUARD, UNGUARDED)


def rules_of(n):
    """n rules; the stick's is the last."""
    return "".join(filler(i) for i in range(n - 1)) + allow()


def record_watch(guard, word):
    return f"{guard.record} {shlex.quote(word)}"


def watch(t, what, act):
    """Starts plugwatch, acts once it looks, and returns what it saw. Nothing is asked of the guest meanwhile."""
    t.run("rm -f /run/plugwatch.*; mkfifo /run/plugwatch.done")
    script = f"{WATCH} {PLUG_PATIENCE} {what} 2> /run/plugwatch.err > /run/plugwatch.out; echo $? > /run/plugwatch.done"
    t.start("sh -c " + shlex.quote(script))
    t.wait_until(lambda: t.exists("/run/plugwatch.err") and "watching" in t.read("/run/plugwatch.err"), what="plugwatch")
    time.sleep(0.2)
    act()
    status = t.run("cat /run/plugwatch.done", timeout=PLUG_PATIENCE + 30).out.strip()
    out = t.read("/run/plugwatch.out")
    if status != "0":
        raise AssertionError(f"plugwatch {what}: status {status}: {out}")
    return json.loads(out)


def take_out(t, id="stick"):
    t.unplug(id)
    t.wait_until(lambda: not disks(t), what="no disk")

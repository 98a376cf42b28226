# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine's tree made by hand, sound in the eyes of sekimorictl doctor, and what doctor makes of faults in it."""
import contextlib
import datetime
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import time

from harness import BUILD, TOP, wait_until, world

KERNEL = "6.1.0-test"
IMAGE = f"/boot/initrd.img-{KERNEL}"
BUILD_ID = bytes(range(20))
SEAL_LOG = BUILD / "tests" / "seal-log"
POLICY = 'policy kuyakusho\nversion 3\nvalid-until 2099-03-31\ncontact "情報政策課 内線1234"\nencryption luks2\n'

# Whatever owns a name on the bus answers Ping by itself.
POLKIT = """
import ctypes
sd = ctypes.CDLL("libsystemd.so.0")
bus = ctypes.c_void_p()
assert sd.sd_bus_open_system(ctypes.byref(bus)) >= 0
assert sd.sd_bus_request_name(bus, b"org.freedesktop.PolicyKit1", ctypes.c_uint64(0)) >= 0
while True:
    if sd.sd_bus_process(bus, None) == 0:
        sd.sd_bus_wait(bus, ctypes.c_uint64(2 ** 64 - 1))
"""


# --- a sound machine -------------------------------------------------------------------------------


def note(build_id):
    return (4).to_bytes(4, "little") + len(build_id).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"GNU\0" + build_id


def elf(build_id):
    """A file of one section, a note: ELF-64, little-endian."""
    body = note(build_id)
    header = b"\x7fELF\x02\x01\x01".ljust(40, b"\0") + (64).to_bytes(8, "little")
    header = header[:40] + (64).to_bytes(8, "little") + b"\0" * 10 + (64).to_bytes(2, "little") + (1).to_bytes(2, "little")
    section = bytes(4) + (7).to_bytes(4, "little") + bytes(16) + (128).to_bytes(8, "little") + len(body).to_bytes(8, "little")
    return header.ljust(64, b"\0") + section.ljust(64, b"\0") + body


def cpio(*names, **contents):
    out = b""
    for name, data in [*((n, b"") for n in names), *contents.items(), ("TRAILER!!!", b"")]:
        fields = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return out


EARLY = ("etc/modprobe.d/sekimori.conf", "usr/lib/modprobe.d/sekimori-roads.conf", "usr/lib/udev/rules.d/10-sekimori.rules",
         "usr/lib/udev/rules.d/72-sekimori.rules", "usr/libexec/sekimori/early-gate")


def initrd(t, *gone, kernel=KERNEL, build_id=BUILD_ID, dracut=False, scripts=("blacklist", "sekimori", "udev")):
    """As mkinitramfs makes it (or dracut): microcode first. `gone`: names of files that are left out."""
    entries = {name: t.at(name).read_bytes() for name in EARLY}
    entries[f"usr/lib/modules/{kernel}/updates/sekimori.ko"] = elf(build_id)
    if dracut:
        entries["usr/lib/dracut/hooks/pre-udev/00-sekimori-gate.sh"] = b"/usr/libexec/sekimori/early-gate\n"
    else:
        entries["scripts/init-top/ORDER"] = "".join(f'/scripts/init-top/{name} "$@"\n' for name in scripts).encode()
    kept = {name: data for name, data in entries.items() if name.rsplit("/", 1)[1] not in gone}
    return cpio("kernel/x86/microcode") + bytes(300) + cpio("init", **kept)


def digest(data):
    return hashlib.blake2b(data, digest_size=32).hexdigest()


class Tree:
    def __init__(self, path):
        self.path = pathlib.Path(path)

    def at(self, path):
        return self.path / path.lstrip("/")

    def write(self, path, data, mode=0o644):
        at = self.at(path)
        at.parent.mkdir(parents=True, exist_ok=True)
        if at.is_symlink():
            at.unlink()
        at.write_bytes(data if isinstance(data, bytes) else data.encode())
        at.chmod(mode)

    def append(self, path, text):
        with open(self.at(path), "ab") as f:
            f.write(text.encode())

    def link(self, path, to):
        at = self.at(path)
        at.parent.mkdir(parents=True, exist_ok=True)
        at.symlink_to(to)

    def mkdir(self, path, mode=0o755):
        self.at(path).mkdir(parents=True, exist_ok=True)
        self.at(path).chmod(mode)

    def remove(self, path):
        self.at(path).unlink()

    def manifest(self):
        done = subprocess.run([TOP / "packaging/manifest.sh", "/usr", self.path], check=True, capture_output=True)
        self.write("/usr/share/sekimori/manifest", done.stdout)

    def accept(self, policy):
        """The floor as the daemon writes it when it accepts a policy (core/floor.h)."""
        text = (f"sekimori-floor 1\nentry 1\nversion 3\nsigned yes\ndigest {digest(policy)}\n"
                f"seal {digest(b'')}\nsignatures 1\n")
        self.write("/var/lib/sekimori/policy/floor", text + f"sum {digest(text.encode())}\n")

    def seal_log(self, checkpoint=True, kinds=("denied", "removed"), desk=True, age=60):
        log = self.at("/var/log/sekimori")
        for old in log.glob("events*"):
            old.unlink()
        moment = datetime.datetime.fromtimestamp(time.time() - age, datetime.timezone.utc)
        lines = "".join(json.dumps({"time": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "kind": kind}) + "\n"
                        for kind in kinds)
        command = [SEAL_LOG, log, "--terminal", "mado-03"]
        if checkpoint:
            command += ["--checkpoint", "2"]
        if desk:
            # Curve25519's base point: a key to which nobody has the secret.
            command += ["--desk-public", "09" + "00" * 31]
        subprocess.run(command, input=lines.encode(), check=True, capture_output=True)
        for new in log.glob("events*"):
            new.chmod(0o640)
        first = json.loads((log / "events.jsonl").read_bytes().splitlines()[0])
        self.write("/var/lib/sekimori/log/header",
                   json.dumps({k: first[k] for k in ("log", "log_first", "public", "sealed", "sealed_to")}))


def sign(t):
    """A pair of keys, the trust file, and the policy's signature, by minisign itself."""
    keys = t.path.parent / "keys"
    keys.mkdir(exist_ok=True)
    subprocess.run(["minisign", "-G", "-W", "-f", "-p", keys / "pub", "-s", keys / "key"], check=True, capture_output=True)
    public = (keys / "pub").read_text().splitlines()[1]
    t.write("/etc/sekimori/trust.d/board.trust", f'key board "{public}" name "情報課 佐藤"\n')
    subprocess.run(["minisign", "-S", "-W", "-s", keys / "key", "-m", t.at("/etc/sekimori/policy"),
                    "-x", t.at("/etc/sekimori/policy.sato.minisig")], check=True, capture_output=True)


def sound(path):
    t = Tree(path)
    t.mkdir("/")
    t.write("/proc/sys/kernel/osrelease", KERNEL + "\n")
    t.write("/proc/cmdline", "root=/dev/sda1 ro quiet\n")
    t.write("/proc/4711/comm", "systemd\n")
    t.write("/sys/module/sekimori/initstate", "live\n")
    t.write("/sys/module/sekimori/parameters/lock", "Y\n")
    t.write("/sys/module/sekimori/notes/.note.gnu.build-id", note(BUILD_ID))
    t.write("/sys/module/module/parameters/sig_enforce", "Y\n")
    t.write("/sys/bus/usb/devices/usb1/interface_authorized_default", "0\n")
    t.write("/sys/bus/usb/devices/usb2/interface_authorized_default", "0\n")
    t.write("/sys/class/rtc/rtc0/since_epoch", f"{int(time.time())}\n")
    t.write("/run/udev/control", "")
    t.write("/run/systemd/timesync/synchronized", "")
    t.write(f"/lib/modules/{KERNEL}/updates/sekimori.ko", elf(BUILD_ID))
    t.write(f"/lib/modules/{KERNEL}/modules.dep", "updates/sekimori.ko:\nkernel/drivers/scsi/sr_mod.ko:\n"
            "kernel/drivers/thunderbolt/thunderbolt.ko:\nkernel/drivers/firewire/firewire-ohci.ko:\n")
    for source, target in (("udev-rules/10-sekimori.rules", "/usr/lib/udev/rules.d/10-sekimori.rules"),
                           ("udev-rules/72-sekimori.rules", "/usr/lib/udev/rules.d/72-sekimori.rules"),
                           ("udev-rules/sekimori-modprobe.conf", "/usr/lib/modprobe.d/sekimori-roads.conf"),
                           ("packaging/sekimori.modprobe", "/etc/modprobe.d/sekimori.conf"),
                           ("packaging/sekimori.modules-load", "/usr/lib/modules-load.d/sekimori.conf"),
                           ("packaging/systemd/sekimorid.service", "/usr/lib/systemd/system/sekimorid.service"),
                           ("packaging/systemd/sekimori-doctor.timer", "/usr/lib/systemd/system/sekimori-doctor.timer"),
                           ("policy/org.sekimori.Sekimori1.conf",
                            "/usr/share/dbus-1/system.d/org.sekimori.Sekimori1.conf"),
                           ("policy/50-sekimori.rules", "/usr/share/polkit-1/rules.d/50-sekimori.rules")):
        t.write(target, (TOP / source).read_bytes())
    t.write("/usr/libexec/sekimori/early-gate", (TOP / "packaging/initramfs/early-gate").read_bytes(), 0o755)
    t.write(IMAGE, initrd(t))
    t.write("/usr/sbin/sekimorid", "a program\n", 0o755)
    t.write("/etc/sekimori/sekimorid.conf", "terminal mado-03\n")
    t.write("/etc/sekimori/policy", POLICY)
    sign(t)
    t.accept(POLICY.encode())
    t.link("/etc/systemd/system/sysinit.target.wants/sekimorid.service", "/usr/lib/systemd/system/sekimorid.service")
    t.link("/etc/systemd/system/timers.target.wants/sekimori-doctor.timer",
           "/usr/lib/systemd/system/sekimori-doctor.timer")
    t.mkdir("/var/log/sekimori", 0o750)
    t.seal_log()
    t.manifest()
    return t


@contextlib.contextmanager
def clinic():
    """A world with a daemon and polkit, and a sound tree."""
    with world() as w:
        w.start([sys.executable, "-c", POLKIT])
        wait_until(lambda: w.run("busctl", f"--address={w.address}", "call", "org.freedesktop.PolicyKit1", "/",
                                 "org.freedesktop.DBus.Peer", "Ping").returncode == 0, "a polkit")
        w.exceptions("emergency-period 4 hours", "emergency-reports 2", 'may-declare-emergency "root"')
        yield w, sound(w.directory / "sound")


def doctor(w, tree, *more, env=None):
    done = w.ctl("doctor", "--json", "--root", tree.path, *more, env=env)
    return done, {item["id"]: item for item in json.loads(done.stdout)}


def results(items):
    return {id: item["result"] for id, item in items.items()}


def check_faults(faults):
    """Each fault, made in a sound machine, changes exactly the items that its row names. The results on the sound machine."""
    with clinic() as (w, tree):
        done, items = doctor(w, tree)
        assert done.returncode == 0 and done.stderr == "", (done, items)
        base = results(items)
        wrong = {id: item for id, item in items.items() if item["result"] != "ok"}
        assert not wrong, wrong
        for name, fault, expected in faults:
            copy = Tree(w.directory / "faulty")
            shutil.copytree(tree.path, copy.path, symlinks=True)
            fault(copy)
            done, items = doctor(w, copy)
            changed = {id: result for id, result in results(items).items() if result != base[id]}
            assert changed == expected, (name, [items[id] for id in {*changed, *expected}])
            assert done.returncode == ("fail" in changed.values()), (name, done)
            for id in changed:
                assert items[id]["detail"] and bool(items[id]["todo"]) == (changed[id] != "unknown"), (name, items[id])
            shutil.rmtree(copy.path)
        return base

# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal as it stands in an office: Debian 12 from a disk, its own kernel, its own initrd, systemd, our packages.

    with Machine() as t:                  # installed by the README's lines
        t.plug_storage("stick", image)
    with Machine(disk="plain") as t:      # Debian alone
        t.run("apt-get install -y /root/*.deb")
        t.reboot()

It has the methods of the terminal tier's Terminal. Each machine writes to a throw-away layer over the disk that
`tests/image/prepare.sh` has made. Between the initrd and systemd, guest/start unpacks the files of the test; all else on the way
from power-on to the login prompt is Debian's and ours.
"""

import io
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [path for path in (HERE, os.path.join(os.path.dirname(HERE), "terminal")) if path not in sys.path]

from terminal import BUILD, CMDLINE, PATIENCE, Terminal  # noqa: E402

TOOLS = "/usr/lib/terminal"
# Debian's housekeeping, none of which a test waits for: it only slows the start down, or takes dpkg's lock in the midst of a test.
IDLE = ("e2scrub_reap.service", "e2scrub_all.timer", "fstrim.timer", "dpkg-db-backup.timer", "apt-daily.timer",
        "apt-daily-upgrade.timer")
ZSTD = b"\x28\xb5\x2f\xfd"
BLOCK_EVENTS = "udevadm monitor --kernel --subsystem-match=block > /run/block-events 2>&1 & "  # what barrier.Since looks at


def tools():
    """The small programs of tests/terminal/guest, where the terminal tier has them."""
    folder = os.path.join(BUILD, "guest")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    files = {}
    for name in names:
        with open(os.path.join(folder, name), "rb") as f:
            files[f"{TOOLS}/{name}"] = (0o755, f.read())
    return files


class Machine(Terminal):
    """Options:
    disk          "sekimori", "plain" or "recipe": a directory of build/image
    initrd        path of another initrd than the disk's
    over_initrd   {path: content}: laid over what the initrd has, at the first start
    files         {path: content or (mode, content)}, there before systemd starts; so are `links` {path: target}
    setup         shell text run early, before udev
    failing       units that may be failed in this test; any other one is a failure of it
    memory, qemu, cmdline, cpu, boot_timeout, name: as in Terminal. What `qemu` plugs in is there at power-on.
    """

    def __init__(self, *, disk="sekimori", initrd=None, over_initrd=None, files=None, links=None, setup="", failing=(), memory="768M",
                 boot_timeout=600, name="image", **more):
        super().__init__(init="systemd", files={**tools(), **(files or {})}, setup=BLOCK_EVENTS + setup, memory=memory,
                         boot_timeout=boot_timeout, name=name, **more)
        self.disk = os.path.join(BUILD, "image", disk)
        self.initrd = initrd or os.path.join(self.disk, "initrd.img")
        self.over_initrd = over_initrd or {}
        self.links = {**{f"/etc/systemd/system/{unit}": "/dev/null" for unit in IDLE}, **(links or {})}
        self.failing = set(failing)
        self.layer = None  # directory of what this machine has written

    def __exit__(self, *exception):
        super().__exit__(*exception)
        if self.layer and not os.environ.get("SEKIMORI_KEEP"):
            shutil.rmtree(self.layer, ignore_errors=True)
            self.layer = None

    def _ask(self, op, path=b"", data=b"", timeout=30.0):
        """Times of commands too are for a machine of the usual speed: see Terminal.wait_until()."""
        return super()._ask(op, path, data, timeout * PATIENCE)

    def _payload(self):
        path = os.path.join(self.dir, "payload.tar")
        with tarfile.open(path, "w") as tar:
            def add(name, kind, mode, data=b"", target=""):
                info = tarfile.TarInfo(name.strip("/"))
                info.type, info.mode, info.size, info.linkname = kind, mode, len(data), target
                tar.addfile(info, io.BytesIO(data))
            conf = {"/etc/terminal.conf": f"SETUP={shlex.quote(self.setup)}\n"}
            for name, what in {**conf, **self.files}.items():
                mode, data = what if isinstance(what, tuple) else (0o644, what)
                add(name, tarfile.REGTYPE, mode, data.encode() if isinstance(data, str) else data)
            for name, target in self.links.items():
                add(name, tarfile.SYMTYPE, 0o777, target=target)
        return path

    def _unpacked_initrd(self):
        """The same initrd; the guest would take seconds to decompress it under emulation."""
        with open(self.initrd, "rb") as f:
            packed = f.read(len(ZSTD)) == ZSTD
        if not packed and not self.over_initrd:
            return self.initrd
        path = os.path.join(self.dir, "initrd.cpio")
        if packed:
            subprocess.run(["zstd", "-q", "-f", "-d", self.initrd, "-o", path], check=True)
        else:
            shutil.copy(self.initrd, path)
        self._lay_over(path)
        return path

    def _lay_over(self, initrd):
        """The kernel unpacks one archive after the other, each over what is there."""
        if not self.over_initrd:
            return
        with tempfile.TemporaryDirectory() as root:
            for name, content in self.over_initrd.items():
                at = os.path.join(root, name.lstrip("/"))
                os.makedirs(os.path.dirname(at), exist_ok=True)
                with open(at, "wb") as f:
                    f.write(content.encode())
            with open(initrd, "ab") as out:
                out.write(bytes(-out.tell() % 512))
                # No directories: /lib may be a link to /usr/lib there.
                out.write(subprocess.run("find . -type f | cpio --quiet -o -H newc -R 0:0", shell=True, cwd=root, check=True,
                                         capture_output=True).stdout)

    def _system(self):
        if not os.path.isdir(self.disk):
            raise AssertionError(f"there is no {self.disk}: see tests/image/prepare.sh")
        if not self.layer:
            self.layer = tempfile.mkdtemp(prefix=f"sekimori-{self.name}-disk-")
            raw = os.path.join(self.disk, "disk.raw")
            below, kind = (raw, "raw") if os.path.exists(raw) else (os.path.join(self.disk, "disk.qcow2"), "qcow2")
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", kind, "-b", os.path.realpath(below),
                            os.path.join(self.layer, "disk.qcow2")], check=True)
        return ["-kernel", os.path.join(self.disk, self.image), "-initrd", self._unpacked_initrd(),
                "-append", f"{CMDLINE} root=/dev/vda ro init={TOOLS}/start {self.cmdline}",
                "-drive", f"if=none,id=root,format=qcow2,cache=unsafe,file={self.layer}/disk.qcow2",
                "-drive", f"if=none,id=payload,format=raw,readonly=on,file={self._payload()}",
                "-device", "virtio-blk-pci,drive=root", "-device", "virtio-blk-pci,drive=payload"]

    def reboot(self, timeout=300):
        """Down as systemd does it, and up again with the initrd that is on the disk now. What was plugged in is no longer."""
        kver = self.run("uname -r").out.strip()
        initrd = self.read_bytes(f"/boot/initrd.img-{kver}")
        self.run("systemctl --no-block reboot")
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the machine does not go down:\n{self.console()[-3000:]}") from None
        Terminal.__exit__(self)
        self.initrd, self.over_initrd = os.path.join(self.layer, "initrd.img"), {}
        with open(self.initrd, "wb") as f:
            f.write(initrd)
        self.drives, self.buffer = {}, b""
        self.boot()

    def failed_units(self):
        return set(self.run("systemctl --failed --plain --no-legend | awk '{print $1}'").out.split())

    def check_kernel(self):
        """After each test: no complaint of the kernel, no failed unit."""
        super().check_kernel()
        failed = self.failed_units() - self.failing
        if failed:
            raise AssertionError(f"failed: {sorted(failed)}\n" + self.run(
                "systemctl status --no-pager -l " + " ".join(sorted(failed)), check=False).out)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual terminal: Debian's kernel in QEMU's software emulation, USB devices plugged over QMP.

    with Terminal(module="build/sekimori.ko", stages=["build/stage"]) as t:
        t.plug_storage("stick", image)
        t.wait_until(lambda: t.exists("/sys/block/sda"))
        t.unplug("stick")

Everything is asserted from outside: run() and read() look at the guest's own /sys, /dev, D-Bus and
files. `tests/terminal/prepare.sh` must have run before.
"""

import os
import re
import shlex
import shutil
import socket
import struct
import subprocess
import tempfile
import time

import payload
from qmp import Qmp, QmpError

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("SEKIMORI_BUILD", os.path.join(TOP, "build"))
CACHE = os.environ.get("SEKIMORI_CACHE", os.path.join(BUILD, "cache"))

# mitigations=off, nokaslr: quicker under emulation. no_timer_check: whether the timer ticks is tried for the time of a few ticks
# only, in which QEMU on a busy host may not have run; the kernel panics then. panic=-1 with -no-reboot ends QEMU at once.
CMDLINE = "console=ttyS0 loglevel=5 panic=-1 mitigations=off nokaslr no_timer_check random.trust_cpu=on printk.time=1 net.ifnames=0"

SYSTEMD_CMDLINE = "systemd.unit=multi-user.target systemd.show_status=auto systemd.default_timeout_start_sec=60"
SERVICE = "/usr/sbin/sekimorid"  # what sekimorid.service runs by itself
PATIENCE = 4  # how much longer than on a machine of the usual speed something is waited for

TROUBLE = re.compile(
    r"WARNING:|BUG:|Oops|Call Trace|KASAN|UBSAN|KMSAN|possible (recursive|circular) locking|"
    r"INFO: (task .* blocked|possible|rcu)|unreferenced object|general protection|refcount_t:|"
    r"soft lockup|hard LOCKUP|suspicious RCU|inconsistent lock state|leaked|DEBUG_LOCKS|sleeping function")


PAUSE_MIN, PAUSE_MAX = 0.02, 0.25


def pause(took):
    """Before it is asked again: as long as the question took, for the guest has to do more than answer."""
    time.sleep(min(max(took, PAUSE_MIN), PAUSE_MAX))


class CommandError(AssertionError):
    pass


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out_bytes = out
        self.out = out.decode(errors="replace")
        self.err = err.decode(errors="replace")

    def __repr__(self):
        return f"status {self.status}\nstdout: {self.out}\nstderr: {self.err}"


class Terminal:
    """Options:
    module        path of the .ko to load before the USB host drivers; module_params: "lock=1 ..."
    modules       further .ko files put into the guest's /lib/modules/.../extra
    stages        directories copied over the guest's root (`make install DESTDIR=`)
    files         {guest path: content or (mode, content)}
    setup         shell text run before udev starts (and after the module)
    daemon        command to start once USB is up, e.g. "/usr/sbin/sekimorid"; output in
                  /run/sekimorid.out, process id in /run/sekimorid.pid
    init          "" for the harness's own process 1 (guest/init), or "systemd": Debian's, with its
                  udev, D-Bus, logind and journal. Then modules come as installed (modules-load.d,
                  udev), `daemon` says whether sekimorid.service is enabled and what it runs, its
                  output is in the journal, and the boot is over with multi-user.target and udev
                  settled. Takes a fifth longer
    units         {unit: target} to enable besides (init="systemd")
    sleeps        the test will suspend: boots the packed kernel (2.5 s slower), because QEMU writes
                  a directly started one into memory again when the machine wakes from S3
    kernel        directory with vmlinux, vmlinuz, modules.squashfs, initramfs.cpio, modules, kver
    machine, cpu, memory, qemu (more arguments), cmdline (more kernel arguments), boot_timeout
    """

    def __init__(self, *, module=None, module_params="", modules=(), stages=(), files=None,
                 setup="", daemon="", init="", units=None, sleeps=False, kernel=None,
                 machine="q35", cpu="Nehalem,+rdrand", memory="512M",
                 qemu=(), cmdline="", boot_timeout=120, name="terminal"):
        self.kernel = kernel or os.path.join(CACHE, "terminal")
        self.module, self.module_params = module, module_params
        self.modules = list(modules) + ([module] if module else [])
        self.stages, self.files = list(stages), dict(files or {})
        self.setup, self.daemon, self.init, self.units = setup, daemon, init, dict(units or {})
        self.machine, self.cpu, self.memory = machine, cpu, memory
        # After a sleep QEMU's ACPI timer reads all ones; the kernel must not go over to it.
        self.extra, self.cmdline = list(qemu), cmdline + (" tsc=reliable" if sleeps else "")
        if init == "systemd":
            self.cmdline += " " + SYSTEMD_CMDLINE
        self.boot_timeout, self.name = boot_timeout, name
        self.image = "vmlinuz" if sleeps else "vmlinux"
        self.drives = {}
        self.images = 0
        self.process = self.agent = self.qmp = None
        self.buffer = b""

    # --- life ---------------------------------------------------------------------------------

    def __enter__(self):
        try:
            self.boot()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for channel in (self.agent, self.qmp):
            if channel:
                channel.close()
        self.agent = self.qmp = None
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        if getattr(self, "dir", None) and not os.environ.get("SEKIMORI_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def _systemd_files(self):
        """Adds the files that stand for what guest/init does; returns the units to enable."""
        more = {"/etc/hostname": "terminal\n", "/etc/machine-id": "0123456789abcdef0123456789abcdef\n"}
        if self.module_params:
            name = os.path.basename(self.module)[:-len(".ko")]
            more["/etc/modprobe.d/terminal.conf"] = f"options {name} {self.module_params}\n"
        if self.daemon not in ("", SERVICE):
            more["/etc/systemd/system/sekimorid.service.d/terminal.conf"] = (
                f"[Service]\nExecStart=\nExecStart={self.daemon}\n")
        self.files = {**more, **self.files}
        return [*self.units.items()] + ([("sekimorid.service", "sysinit.target")] if self.daemon else [])

    def _initrd(self):
        module = os.path.basename(self.module)[:-len(".ko")] if self.module else ""
        conf = {"MODULE": module, "MODULE_PARAMS": self.module_params, "SETUP": self.setup,
                "DAEMON": self.daemon}
        self.files["/etc/terminal.conf"] = "".join(
            f"{key}={shlex.quote(value)}\n" for key, value in conf.items())
        units = self._systemd_files() if self.init == "systemd" else None
        extra = os.path.join(self.dir, "payload.cpio")
        payload.build(extra, cache=CACHE, kernel=self.kernel, harness=HERE,
                      agent=os.path.realpath(os.path.join(CACHE, "terminal/agent")), stages=self.stages,
                      modules=self.modules, files=self.files, systemd=units)
        path = os.path.join(self.dir, "initrd")
        with open(path, "wb") as out:
            for part in (os.path.join(self.kernel, "initramfs.cpio"), extra):
                with open(part, "rb") as f:
                    shutil.copyfileobj(f, out)
        os.unlink(extra)
        return path

    def _system(self):
        """What is booted, as arguments of QEMU. The disks come first: /dev/vda is the root."""
        kernel = os.path.realpath(self.kernel)
        drive = "if=none,format=raw,readonly=on,file.locking=off"
        return ["-kernel", os.path.join(kernel, self.image), "-initrd", self._initrd(),
                "-append", f"{CMDLINE} {self.cmdline}",
                "-drive", f"{drive},id=root,file={os.path.realpath(os.path.join(CACHE, 'terminal/root.squashfs'))}",
                "-drive", f"{drive},id=mods,file={os.path.realpath(os.path.join(kernel, 'modules.squashfs'))}",
                "-device", "virtio-blk-pci,drive=root", "-device", "virtio-blk-pci,drive=mods"]

    def boot(self):
        start = time.monotonic()
        self.dir = tempfile.mkdtemp(prefix=f"sekimori-{self.name}-")
        self.console_path = os.path.join(self.dir, "console")
        sockets = {n: os.path.join(self.dir, n) for n in ("qmp", "agent")}
        command = [
            "qemu-system-x86_64", "-machine", self.machine, "-accel", "tcg,thread=multi",
            "-cpu", self.cpu, "-smp", "2", "-m", self.memory, "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot", "-no-hpet", *self._system(),
            "-chardev", f"file,id=console,path={self.console_path}", "-serial", "chardev:console",
            "-qmp", f"unix:{sockets['qmp']},server=on,wait=off",
            "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={sockets['agent']},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=sekimori.agent",
            "-device", "qemu-xhci,id=xhci,p2=8,p3=8", *self.extra]
        self.stderr_path = os.path.join(self.dir, "qemu.err")
        with open(self.stderr_path, "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        try:
            self.qmp = Qmp(sockets["qmp"])
        except Exception as e:
            raise RuntimeError(f"QEMU did not start: {e}\n{self.qemu_errors()}") from e
        self.agent = socket.socket(socket.AF_UNIX)
        self.agent.connect(sockets["agent"])
        self._answer(start + self.boot_timeout)
        self.boot_seconds = time.monotonic() - start

    def qemu_errors(self):
        with open(self.stderr_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def console(self):
        with open(self.console_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    # --- the agent ----------------------------------------------------------------------------

    def _bytes(self, n, deadline):
        while len(self.buffer) < n:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no answer from the guest")
            self.agent.settimeout(min(left, 0.5))
            try:
                data = self.agent.recv(1 << 20)
            except TimeoutError:
                if self.process.poll() is not None:
                    raise EOFError("QEMU has ended: " + self.qemu_errors()) from None
                continue
            if not data:
                raise EOFError("the guest has gone (panic?)")
            self.buffer += data
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def _answer(self, deadline):
        while self._bytes(1, deadline) != b"A":
            pass
        status, outlen, errlen = struct.unpack("<iII", self._bytes(12, deadline))
        return Result(status, self._bytes(outlen, deadline), self._bytes(errlen, deadline))

    def _ask(self, op, path=b"", data=b"", timeout=30.0):
        head = struct.pack("<cIII", op, int(timeout * 1000), len(data), len(path))
        self.agent.settimeout(timeout + 10)
        self.agent.sendall(head + path + data)
        return self._answer(time.monotonic() + timeout + 10)

    def run(self, command, check=True, timeout=30.0):
        """Runs a shell command as root; status 124 after the timeout."""
        result = self._ask(b"x", data=command.encode(), timeout=timeout)
        if check and result.status != 0:
            raise CommandError(f"`{command}` failed: {result!r}")
        return result

    def start(self, command, out="/dev/null"):
        """Starts a background process, returns its process id."""
        return int(self.run(f"setsid sh -c {shlex.quote('exec ' + command)} > {out} 2>&1 < /dev/null & echo $!").out)

    def read_bytes(self, path):
        result = self._ask(b"r", path=path.encode())
        if result.status < 0:
            raise OSError(-result.status, os.strerror(-result.status), path)
        return result.out_bytes

    def read(self, path):
        return self.read_bytes(path).decode(errors="replace").rstrip("\n")

    def write(self, path, data):
        result = self._ask(b"w", path=path.encode(), data=data.encode() if isinstance(data, str) else data)
        if result.status < 0:
            raise OSError(-result.status, os.strerror(-result.status), path)

    def exists(self, path):
        return self._ask(b"e", path=path.encode()).status == 1

    def ls(self, path):
        """The names in a directory; none if there is no such directory."""
        return self._ask(b"l", path=path.encode()).out.split("\n")[:-1]

    def wait_until(self, condition, timeout=15.0, what=""):
        """Polls until condition() is true and returns its value. `timeout` is for a machine of the usual speed; a busy one is
        waited for much longer: who gets what he waits for loses nothing by it."""
        timeout *= PATIENCE
        deadline = time.monotonic() + timeout
        while True:
            asked = time.monotonic()
            value = condition()
            if value:
                return value
            now = time.monotonic()
            if now > deadline:
                raise AssertionError(f"not within {timeout} s: {what or condition}")
            pause(now - asked)

    def settle(self):
        self.run(f"udevadm settle --timeout={20 * PATIENCE}", timeout=30 * PATIENCE)

    # --- devices ------------------------------------------------------------------------------

    def command(self, name, **arguments):
        """A QMP command; underscores in its name and arguments stay as they are."""
        return self.qmp(name, arguments)

    def plug(self, driver, id, bus="xhci.0", **properties):
        self.qmp("device_add", {"driver": driver, "id": id, "bus": bus, **properties})

    def _drive(self, id, image, readonly):
        self.images += 1
        node = f"img-{id}-{self.images}"
        self.qmp("blockdev-add", {
            "driver": "raw", "node-name": node, "read-only": readonly,
            "file": {"driver": "file", "filename": os.path.abspath(image), "locking": "off"}})
        self.drives[id] = node
        return node

    def plug_storage(self, id, image, *, uas=False, serial=None, readonly=False, port=None,
                     bus="xhci.0", **properties):
        """A stick with bulk-only transport, or with USB attached SCSI."""
        node = self._drive(id, image, readonly)
        place = {"bus": bus, **({"port": str(port)} if port else {})}
        named = {"serial": serial} if serial is not None else {}
        if not uas:
            self.qmp("device_add", {"driver": "usb-storage", "id": id, "drive": node, **place,
                                    **named, **properties})
            return
        self.qmp("device_add", {"driver": "usb-uas", "id": id, **place, **named})
        self.qmp("device_add", {"driver": "scsi-hd", "id": id + "-disk", "bus": id + ".0",
                                "drive": node, **named, **properties})
        # A hotplugged one stays off the bus until its disks are there.
        self.qmp("qom-set", {"path": f"/machine/peripheral/{id}", "property": "attached", "value": True})

    def _usb_count(self):
        return len([name for name in self.ls("/sys/bus/usb/devices") if re.fullmatch(r"[\d.-]+", name)])

    def unplug(self, id, timeout=20 * PATIENCE, asleep=False):
        """Pulls a device out, and waits until the guest has noticed (not if it is asleep): QEMU's
        controller stumbles when the next one is plugged in before that."""
        before = 0 if asleep else self._usb_count()
        self.qmp("device_del", {"id": id})
        deadline = time.monotonic() + timeout
        while any(o["name"] == id for o in self.qmp("qom-list", {"path": "/machine/peripheral"})):
            if time.monotonic() > deadline:
                raise TimeoutError(f"QEMU keeps device {id}")
            time.sleep(0.02)
        node = self.drives.pop(id, None)
        if node:
            self._forget_image(node)
        while not asleep and self._usb_count() >= before and time.monotonic() < deadline - timeout + 3:
            time.sleep(0.02)

    def _forget_image(self, node, patience=2):
        """QEMU may still be finishing the device's last request on it; at times it never does, and then
        keeps the image open until the end, which does no harm: node names are not used twice."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                self.qmp("blockdev-del", {"node-name": node})
                return
            except QmpError:
                time.sleep(0.05)

    def keys(self, *codes):
        """Presses and releases keys one after the other (QEMU's names: "a", "ret", "shift")."""
        for code in codes:
            for down in (True, False):
                self.qmp("input-send-event", {"events": [{"type": "key", "data": {
                    "down": down, "key": {"type": "qcode", "data": code}}}]})
                time.sleep(0.03)

    def usb(self):
        """{name: id} of the devices that the guest sees, root hubs left out."""
        script = ("cd /sys/bus/usb/devices; for d in [0-9]*; do case $d in *:*) ;; *) "
                  'echo "$d $(cat $d/idVendor):$(cat $d/idProduct)";; esac; done')
        return dict(line.split() for line in self.run(script).out.splitlines())

    def find_usb(self, ids, timeout=15.0):
        """The name (`1-2`) of the device with these ids, once it is there with its interfaces."""
        def look():
            for name, found in self.usb().items():
                if found == ids and self.run(f"ls -d /sys/bus/usb/devices/{name}:*", check=False).status == 0:
                    return name
            return None
        return self.wait_until(look, timeout, f"USB device {ids}")

    # --- sleep --------------------------------------------------------------------------------

    def suspend(self, timeout=30):
        self.qmp.forget("SUSPEND")
        self.run("(sleep 0.1; echo mem > /sys/power/state) > /run/suspend.out 2>&1 &")
        self.qmp.event("SUSPEND", timeout=timeout)

    def wake(self, timeout=30):
        self.qmp.forget("WAKEUP")
        self.qmp("system_wakeup")
        self.qmp.event("WAKEUP", timeout=timeout)
        self.run("true", timeout=timeout)

    # --- the kernel's own complaints ----------------------------------------------------------

    def dmesg(self):
        return self.run("dmesg").out

    def check_kernel(self):
        lines = self.dmesg().splitlines()
        bad = [n for n, line in enumerate(lines) if TROUBLE.search(line)]
        if bad:
            raise AssertionError("the kernel complains:\n" + "\n".join(lines[max(0, bad[0] - 3):bad[0] + 30]))

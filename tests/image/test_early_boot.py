# SPDX-License-Identifier: GPL-2.0-or-later
"""What is plugged in before the terminal is switched on: held from the initramfs on, by Debian's own way of starting."""

import json
import os
import re
import subprocess
import tempfile

from barrier import LOG, POLICY, disks, driver, images, records
from ground import module_file
from terminal import CACHE

PRESENT = {"plain": "2-1", "behind": "1-2.1", "registered": "2-4"}  # where the kernel sees what `devices` plugs in
KEYBOARD, PHONE = "1-3", "1-5"

# The machine has an AHCI host of its own.
USB_DISK = re.compile(r"scsi host\d+: (usb-storage|uas)|USB Mass Storage device detected|Attached SCSI|Direct-Access")


def devices():
    """QEMU's arguments: a stick nobody knows, one behind a hub, one of the register, a keyboard, a phone."""
    def stick(name, port, image, serial):
        return ["-drive", f"if=none,id={name},format=raw,file={image},snapshot=on",
                "-device", f"usb-storage,drive={name},bus=xhci.0,port={port},serial={serial}"]
    phone = tempfile.mkdtemp(prefix="sekimori-phone-")
    return [*stick("plain", "1", images.plain(), "NOBODY"),
            "-device", "usb-hub,bus=xhci.0,port=2", *stick("behind", "2.1", images.plain(), "BEHIND"),
            "-device", "usb-kbd,bus=xhci.0,port=3",
            *stick("registered", "4", images.luks2(), "GOOD"),
            "-device", f"usb-mtp,bus=xhci.0,port=5,rootdir={phone}"]


OPTIONS = {"qemu": devices(), "files": {"/etc/sekimori/policy": POLICY}}
FRESH = {"test_without_the_module_the_second_layer_holds", "test_least_initramfs_holds_too", "test_dracut_holds_too",
         "test_old_initramfs_is_told_by_the_self_check", "test_root_on_usb_keeps_the_barrier_out_whichever_tool_makes_the_initramfs"}
LONG = FRESH


OWN = {"test_blacklist_on_the_command_line_does_not_keep_the_gate_out": {"cmdline": "modprobe.blacklist=sekimori"},
       "test_module_that_cannot_be_loaded_is_told_with_its_reason_and_the_hosts_are_shut": {"over_initrd": {"/usr" + module_file(): "no module\n"}}}


def line_of(lines, pattern):
    """The number of the first line that fits."""
    found = [n for n, line in enumerate(lines) if re.search(pattern, line)]
    assert found, f"nothing like {pattern}"
    return found[0]


def system_starts(t, lines):
    """Where the root file system is mounted: what stands before happened in the initramfs."""
    return line_of(lines, r"EXT4-fs \(vda\): mounted")


def assert_held_from_the_initramfs_on(t):
    lines = t.dmesg().splitlines()
    down, root = line_of(lines, "sekimori: the barrier is down"), system_starts(t, lines)
    assert down < line_of(lines, r"xhci_hcd .* new USB bus registered") < root
    assert "locked" in lines[down] and t.read("/sys/module/sekimori/parameters/lock") == "Y"
    for name, port in PRESENT.items():
        assert down < line_of(lines, rf"usb {port}: New USB device found"), name
        held = line_of(lines, rf"{port}:1\.0: held \(class 08\)")
        touched = [n for n, line in enumerate(lines) if f"usb-storage {port}:1.0: USB Mass Storage" in line]
        if name == "registered":  # not before the daemon's verdict, which comes from the system proper
            assert all(n > max(held, root) for n in touched), [lines[n] for n in touched]
        else:
            assert not touched, [lines[n] for n in touched]
    assert not [line for line in lines[:root] if USB_DISK.search(line)], name


def assert_judged(t):
    """Once the daemon runs: one stick is let in, nobody else."""
    t.wait_until(lambda: any(r["kind"] == "released" and r.get("medium") == "ZEI-001" for r in records(t)), 60, "the registered stick")
    t.wait_until(lambda: {r["device"] for r in records(t) if r["kind"] == "denied"} >= {PRESENT["plain"], PRESENT["behind"], PHONE}, 60,
                 f"three refusals in {LOG}")
    disk = t.wait_until(lambda: disks(t), what="the registered disk")
    assert len(disk) == 1 and f"/{PRESENT['registered']}/" in os.path.join(t.run(f"readlink -f /sys/block/{disk[0]}").out.strip(), "")
    for name in ("plain", "behind"):
        assert driver(t, f"{PRESENT[name]}:1.0") == ""


def assert_keyboard_in_the_initramfs(t):
    """A passphrase of the root disk can be typed."""
    lines = t.dmesg().splitlines()
    assert line_of(lines, r"input: QEMU QEMU USB Keyboard") < system_starts(t, lines)
    assert driver(t, f"{KEYBOARD}:1.0") == "usbhid"


def check_of(t, id):
    items = json.loads(t.run("sekimorictl doctor --json", check=False, timeout=120).out)
    return next(item for item in items if item["id"] == id)


def rebuild(t, more=""):
    """A new initramfs, and the same devices at power-on."""
    t.run(f"{more}\n/usr/libexec/sekimori/rebuild-initramfs", timeout=600)
    t.reboot()


def test_all_that_was_there_is_held_from_the_initramfs_on(t):
    assert_held_from_the_initramfs_on(t)


def test_verdicts_come_once_the_daemon_runs(t):
    assert_judged(t)


def test_keyboard_works_before_the_root_file_system_is_there(t):
    assert_keyboard_in_the_initramfs(t)


def test_self_check_sees_the_barrier_in_the_initramfs(t):
    found = check_of(t, "initramfs")
    assert found["result"] == "ok", found


def test_blacklist_on_the_command_line_does_not_keep_the_gate_out(t):
    """Whoever may edit one line at power-on. initramfs-tools asks modprobe to heed it."""
    assert "modprobe.blacklist=sekimori" in t.read("/proc/cmdline")
    assert_held_from_the_initramfs_on(t)
    assert_judged(t)


def test_module_that_cannot_be_loaded_is_told_with_its_reason_and_the_hosts_are_shut(t):
    lines = t.dmesg().splitlines()
    root = system_starts(t, lines)
    assert line_of(lines, "sekimori: the kernel module is not loaded: .*sekimori.*format") < root
    assert line_of(lines, "sekimori: only the second layer holds USB devices .[1-9] hosts shut") < root
    assert not [line for line in lines[:root] if USB_DISK.search(line)]
    assert_judged(t)


def test_without_the_module_the_second_layer_holds(t):
    t.failing.add("systemd-modules-load.service")
    rebuild(t, "find /lib/modules -name 'sekimori.ko*' -delete; depmod")
    assert not t.exists("/sys/module/sekimori")
    lines = t.dmesg().splitlines()
    root = system_starts(t, lines)
    assert line_of(lines, "sekimori: the kernel module is not loaded: .*not found") < root
    assert line_of(lines, "sekimori: only the second layer holds USB devices .[1-9] hosts shut") < root
    assert "sekimori: the kernel module is not loaded" in t.console(), "also on a quiet console"
    assert not [line for line in lines[:root] if USB_DISK.search(line)]
    assert_judged(t)
    assert_keyboard_in_the_initramfs(t)
    found = check_of(t, "initramfs")
    assert found["result"] == "fail" and "seen before the barrier stands" in found["detail"], found


def test_least_initramfs_holds_too(t):
    """Only what this machine needs, no busybox."""
    rebuild(t, "printf 'MODULES=dep\\nBUSYBOX=n\\n' > /etc/initramfs-tools/conf.d/least")
    assert_held_from_the_initramfs_on(t)
    assert_judged(t)
    assert_keyboard_in_the_initramfs(t)


def test_old_initramfs_is_told_by_the_self_check(t):
    t.run("echo '# changed' >> /usr/lib/udev/rules.d/10-sekimori.rules")
    found = check_of(t, "initramfs")
    assert found["result"] == "warn" and "has another /usr/lib/udev/rules.d/10-sekimori.rules" in found["detail"], found
    t.run("cp /boot/initrd.img-* /root; mv /usr/share/initramfs-tools/scripts/init-top/sekimori /root; update-initramfs -u", timeout=600)
    found = check_of(t, "initramfs")
    assert found["result"] == "fail" and "does not load the module before udev" in found["detail"], found


def dracut():
    """Debian's package, which is not in the image because it and initramfs-tools-core each make initramfs in their own way."""
    version = re.search(r"Candidate: (\S+)", subprocess.run(["apt-cache", "policy", "dracut-core"], capture_output=True, text=True,
                                                           check=True).stdout).group(1)
    folder = os.path.join(CACHE, f"dracut-core-{version}")
    if not os.path.isdir(folder):
        tmp = tempfile.mkdtemp(dir=CACHE)
        subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", f"dracut-core={version}"], cwd=tmp, check=True)
        os.rename(tmp, folder)
    (name,) = os.listdir(folder)
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


# As Debian calls it: for any host.
DRACUT = "dracut --no-hostonly --omit multipath --gzip --force"


def dracut_install(t):
    t.write("/root/dracut-core.deb", dracut())
    # What it depends on besides is for kinds of root file systems that are not here.
    t.run("dpkg --force-depends -i /root/dracut-core.deb", timeout=120)


def test_root_on_usb_keeps_the_barrier_out_whichever_tool_makes_the_initramfs(t):
    """Neither the module nor what has it loaded: the disk that is the root must come up."""
    asked = "/usr/libexec/sekimori/root-on-usb"
    t.run(f"printf '#!/bin/sh\\necho / is on USB\\n' > {asked}; chmod 755 {asked}")
    dracut_install(t)
    kver = t.run("uname -r").out.strip()
    for make in ("mkinitramfs -o", DRACUT):
        said = t.run(f"{make} /root/initrd {kver} 2>&1", timeout=1800).out
        assert "would not start" in said, (make, said)
        t.run("rm -rf /root/tree; unmkinitramfs /root/initrd /root/tree", timeout=300)
        assert t.run("find /root/tree -name 'xhci-hcd.ko*'").out, "it is a whole one"
        left = t.run("find /root/tree -name 'sekimori.ko*' -o -path '*/modprobe.d/*sekimori*' -o -path '*/modules-load.d/sekimori*' "
                     "-o -name '*-sekimori.rules' -o -name early-gate").out.split()
        assert not left, (make, left)
        assert t.run("grep -r 'pre: sekimori' /root/tree/ --include='*.conf'", check=False).status != 0, make


def test_dracut_holds_too(t):
    dracut_install(t)
    kver = t.run("uname -r").out.strip()
    t.run(f"{DRACUT} /boot/initrd.img-{kver} {kver} > /root/dracut.log 2>&1", timeout=1800)
    found = check_of(t, "initramfs")
    assert found["result"] == "ok", found
    t.reboot()
    assert "dracut" in t.dmesg(), "started by another initramfs"
    assert_held_from_the_initramfs_on(t)
    assert_judged(t)
    assert_keyboard_in_the_initramfs(t)

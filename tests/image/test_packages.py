# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages' life on a running terminal: they come, are replaced by the next version, go, and are purged."""

import atexit
import os
import shutil
import tempfile

from ground import (CONFIGURED, GROUPS, KEEP_INITRD, LOG, SLOW, SMALL_INITRD, Since, apt, bring, built, disks, failed_checks, images,
                    no_disk, other_version, plug_held, ready, second_layer_holds, storage_drivers, unplug_all)

NEXT = "9.9.9"
OPTIONS = {"files": {**CONFIGURED, **KEEP_INITRD}}


def teardown(t):
    unplug_all(t)


def next_packages(names, source_line=""):
    folder = tempfile.mkdtemp(prefix="sekimori-next-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    debs = [deb for deb in built() if os.path.basename(deb).split("_")[0] in names]
    return [other_version(deb, NEXT, folder, source_line) for deb in debs]


def state(t, package):
    return t.run(f"dpkg-query -W -f '${{db:Status-Abbrev}} ${{Version}}' {package}", check=False).out.split()


def test_upgrade_keeps_what_is_the_terminals_own_and_what_is_in_use(t):
    ready(t)
    since = Since(t)
    t.plug_storage("good", images.luks2(), serial="GOOD")
    since.wait("released", SLOW)
    t.wait_until(lambda: disks(t), SLOW, "the disk")
    policy, conf = t.read("/etc/sekimori/policy"), t.read("/etc/sekimori/sekimorid.conf")
    before = t.run("pidof sekimorid").out
    old = state(t, "sekimori")
    paths = bring(t, next_packages(("sekimori", "sekimori-common")))
    since = Since(t)
    said = apt(t, "install " + " ".join(paths)).out
    assert state(t, "sekimori") == ["ii", NEXT] and state(t, "sekimori-common") == ["ii", NEXT], (old, said)
    ready(t)
    assert t.run("pidof sekimorid").out != before, "the daemon is the new one"
    assert t.read("/etc/sekimori/policy") == policy and t.read("/etc/sekimori/sekimorid.conf") == conf
    assert t.exists("/etc/sekimori/sekimorid.conf.dpkg-dist"), "the new default is laid beside it"
    assert f"as of {NEXT}" in t.read("/etc/sekimori/sekimorid.conf.dpkg-dist")
    since.wait("resumed", SLOW)
    assert len(disks(t)) == 1, "what was released stays"
    assert t.read("/sys/module/sekimori/initstate") == "live"
    t.unplug("good")
    t.wait_until(lambda: not disks(t), SLOW, "no disk")
    since = Since(t)
    plug_held(t)
    since.wait("denied", SLOW, serial="NOBODY")
    assert t.run("sekimorictl log verify", check=False).status == 0, "one log over both versions"


def test_a_half_installed_package_leaves_the_barrier_down_and_can_be_repaired(t):
    ready(t)
    paths = bring(t, next_packages(("sekimori", "sekimori-common")))
    t.run("dpkg --unpack " + " ".join(paths) + " 2>&1", timeout=300)
    assert state(t, "sekimori")[0] in ("iU", "iF"), state(t, "sekimori")
    plug_held(t)
    t.unplug("held")
    said = t.run("DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure -a < /dev/null 2>&1", timeout=300).out
    assert state(t, "sekimori") == ["ii", NEXT], said
    ready(t)
    since = Since(t)
    plug_held(t)
    since.wait("denied", SLOW, serial="NOBODY")


def test_installing_into_a_plain_terminal_takes_neither_keyboard_nor_disk_and_removal_gives_it_back(t):
    image = images.get("owned", lambda d: d.plain("owned"))
    t.plug_storage("used", image, serial="USED")
    t.wait_until(lambda: disks(t), SLOW, "the disk")
    t.settle()
    part = t.wait_until(lambda: t.run("ls /dev/sd?[0-9] 2>/dev/null || ls /dev/sd? 2>/dev/null", check=False).out.split(), SLOW)[0]
    t.run(f"mkdir -p /mnt/used && mount {part} /mnt/used && echo 住民票 > /mnt/used/x && sync")
    keyboard = t.run("readlink -f /sys/bus/usb/drivers/usbhid/*:*").out
    paths = bring(t, built())
    said = apt(t, "install " + " ".join(paths), timeout=1800).out
    assert t.read("/mnt/used/x") == "住民票" and len(disks(t)) == 1, said
    t.run("echo 2 > /mnt/used/y && sync && umount /mnt/used")
    assert t.run("readlink -f /sys/bus/usb/drivers/usbhid/*:*").out == keyboard, "the keyboard keeps its driver"
    ready(t)
    assert t.read("/sys/module/sekimori/initstate") == "live", said
    t.unplug("used")
    plug_held(t)

    t.reboot()
    ready(t)
    since = Since(t)
    plug_held(t)
    since.wait("denied", SLOW)

    said = apt(t, "remove sekimori sekimori-common sekimori-dkms", timeout=900).out
    assert t.run("pidof sekimorid", check=False).status != 0
    assert "until the next start" in said, said
    no_disk(t)
    assert t.exists("/etc/sekimori/policy") and t.exists(LOG)
    t.reboot()
    assert not t.exists("/sys/module/sekimori")
    t.plug_storage("free", image, serial="USED")
    t.wait_until(lambda: disks(t), SLOW, "a disk as on any terminal")
    assert len(storage_drivers(t)) == 1

    said = apt(t, "purge sekimori sekimori-common sekimori-dkms", timeout=300).out
    assert "/var/log/sekimori" in said, said
    for group in GROUPS:
        assert group in said and t.run(f"getent group {group}"), (group, said)
    t.run(f"rm -rf {os.path.dirname(paths[0])}")
    left = t.run("find / -xdev -iname '*sekimori*' ! -path '/usr/lib/terminal/*' ! -path '/proc/*' ! -path '/tmp/*'").out.split()
    assert left and all(path.startswith("/var/log/sekimori") or path.startswith("/var/log/apt") for path in left), left
    assert t.exists(LOG)


ALL = ("sekimori", "sekimori-common", "sekimori-dkms")


def test_upgrade_of_the_module_too_is_in_force_from_the_initramfs_on_after_a_reboot(t):
    ready(t)
    before = t.read("/sys/module/sekimori/srcversion")
    paths = bring(t, next_packages(ALL, '\nMODULE_INFO(next, "yes");\n'))
    said = apt(t, "install " + " ".join(paths), timeout=1800).out
    assert all(state(t, name) == ["ii", NEXT] for name in ALL), said
    assert "until the next start" in said and t.read("/sys/module/sekimori/srcversion") == before, said
    built_now = t.run("modinfo -F srcversion sekimori").out.strip()
    assert built_now and built_now != before, said
    assert t.run("modinfo -F signer sekimori").out.strip(), said
    status = t.run("dkms status -m sekimori").out.split("\n")
    assert [line for line in status if line] and all(f"/{NEXT}," in line for line in status if line), status
    ready(t)
    plug_held(t)

    t.reboot()
    ready(t)
    # It is the initramfs that loads it, and lock=1 keeps it.
    assert t.read("/sys/module/sekimori/srcversion") == built_now
    lines = t.dmesg().splitlines()
    down = next(i for i, line in enumerate(lines) if "sekimori: the barrier is down" in line)
    assert down < next(i for i, line in enumerate(lines) if "EXT4-fs (vda): mounted" in line)
    failed, warned = failed_checks(t)
    assert not {"initramfs", "module-kernels", "module-loaded", "module-ours"} & {**failed, **warned}.keys(), (failed, warned)
    since = Since(t)
    plug_held(t)
    since.wait("denied", SLOW, serial="NOBODY")


def test_upgrade_whose_module_does_not_compile_stops_no_apt_and_the_second_layer_holds(t):
    ready(t)
    paths = bring(t, next_packages(ALL, "\n#error as on a kernel that is too new\n"))
    said = apt(t, "install " + " ".join(paths), timeout=1800).out
    assert all(state(t, name) == ["ii", NEXT] for name in ALL), said
    assert "the module was not built" in said and f"/var/lib/dkms/sekimori/{NEXT}/build/make.log" in said, said
    assert "too new" in t.read(f"/var/lib/dkms/sekimori/{NEXT}/build/make.log")
    assert t.run("modinfo sekimori", check=False).status != 0, "nothing of the version before is left"
    assert "module-kernels" in failed_checks(t)[0]
    plug_held(t)  # by the module that is still in the kernel

    t.failing.add("systemd-modules-load.service")
    t.reboot()
    failed = second_layer_holds(t)
    assert {"module-loaded", "module-kernels"} <= failed.keys(), failed


# An initrd of its own, and a compiler, both in emulation: half an hour.
PLAIN = "test_installing_into_a_plain_terminal_takes_neither_keyboard_nor_disk_and_removal_gives_it_back"
HALF = "test_a_half_installed_package_leaves_the_barrier_down_and_can_be_repaired"
UPGRADES = ("test_upgrade_of_the_module_too_is_in_force_from_the_initramfs_on_after_a_reboot",
            "test_upgrade_whose_module_does_not_compile_stops_no_apt_and_the_second_layer_holds")
LONG = {PLAIN, HALF, *UPGRADES}
FRESH = {HALF}
# A terminal on which nobody has thought of us.
OWN = {PLAIN: {"disk": "plain", "files": SMALL_INITRD, "qemu": ["-device", "usb-kbd,id=keyboard,bus=xhci.0"]},
       **{name: {"files": {**CONFIGURED, **SMALL_INITRD}} for name in UPGRADES}}

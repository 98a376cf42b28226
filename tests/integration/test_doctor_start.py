# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimorictl doctor: what has to stand when a terminal starts (module, kernels, initramfs) and what provisioning leaves there."""
import shutil

from sound_machine import BUILD_ID, EARLY, IMAGE, KERNEL, check_faults, elf, initrd, note

OTHER = "6.1.0-other"
GUARDED = {"module-loaded": "fail", "module-locked": "unknown", "module-ours": "unknown"}

CREDENTIALS = "/etc/systemd/system/sekimorid.service.d/sekimori-credentials.conf"
CREDENTIALS_TEXT = """# Secrets that only this machine can open.
[Service]
LoadCredentialEncrypted=sekimori.organisation
LoadCredentialEncrypted=sekimori.telephone
"""


def other_initramfs(t, image):
    """A second kernel that is installed, with its module."""
    t.write(f"/lib/modules/{OTHER}/modules.dep", "updates/dkms/sekimori.ko:\n")
    t.write(f"/lib/modules/{OTHER}/updates/dkms/sekimori.ko", elf(BUILD_ID))
    t.manifest()
    t.write(f"/boot/initrd.img-{OTHER}", image)


def other_kernel(t, release):
    t.write(f"/boot/vmlinuz-{release}", "")
    t.write(f"/lib/modules/{release}/modules.dep", "kernel/drivers/hid/hid.ko:\n")


# What is wrong, and exactly what changes by it.
FAULTS = [
    ("module not loaded", lambda t: shutil.rmtree(t.at("/sys/module/sekimori")), GUARDED),
    ("module going", lambda t: t.write("/sys/module/sekimori/initstate", "going\n"), GUARDED),
    ("module not locked", lambda t: t.write("/sys/module/sekimori/parameters/lock", "N\n"), {"module-locked": "fail"}),
    ("another module", lambda t: t.write("/sys/module/sekimori/notes/.note.gnu.build-id", note(bytes(20))),
     {"module-ours": "fail"}),
    ("installed module swapped", lambda t: t.write(f"/lib/modules/{KERNEL}/updates/sekimori.ko", elf(bytes(20))),
     {"module-ours": "fail", "manifest": "fail", "initramfs": "warn"}),
    ("installed module gone", lambda t: (t.remove(f"/lib/modules/{KERNEL}/updates/sekimori.ko"), t.manifest()),
     {"module-ours": "fail", "module-kernels": "fail"}),
    ("a newer kernel without the module", lambda t: other_kernel(t, "6.10.0-1-amd64"), {"module-kernels": "fail"}),
    ("an older kernel without the module", lambda t: other_kernel(t, "6.0.0-9-amd64"), {"module-kernels": "warn"}),
    ("what a removed kernel left", lambda t: t.write("/lib/modules/6.10.0-1-amd64/modules.dep", ""), {}),
    ("a newer kernel with the module", lambda t: (
        other_kernel(t, "6.10.0-1-amd64"), t.write("/lib/modules/6.10.0-1-amd64/updates/dkms/sekimori.ko", elf(BUILD_ID)),
        t.write("/lib/modules/6.10.0-1-amd64/modules.dep", "updates/dkms/sekimori.ko:\n")), {}),
    ("a newer kernel whose module is listed only", lambda t: (
        other_kernel(t, "6.10.0-1-amd64"),
        t.write("/lib/modules/6.10.0-1-amd64/modules.dep", "updates/dkms/sekimori.ko:\n")), {"module-kernels": "fail"}),
    ("not loaded at boot", lambda t: t.write("/etc/modules-load.d/sekimori.conf", "# nothing\n"),
     {"module-at-boot": "fail", "overrides": "warn"}),
    ("named in a comment only", lambda t: (t.write("/usr/lib/modules-load.d/sekimori.conf",
                                                   "# sekimori was switched off\n ; sekimori\n"), t.manifest()),
     {"module-at-boot": "fail"}),
    ("unlocked by a later file", lambda t: t.write("/etc/modprobe.d/z.conf", "options sekimori lock=0\n"),
     {"module-at-boot": "warn"}),
    ("locked by an earlier file", lambda t: t.write("/etc/modprobe.d/a.conf", "options sekimori lock=0\n"), {}),
    ("kept out", lambda t: t.write("/etc/modprobe.d/x.conf", "install sekimori /bin/true\n"), {"module-at-boot": "fail"}),
    ("initramfs without it", lambda t: t.write(IMAGE, initrd(t, "sekimori.ko")), {"initramfs": "fail"}),
    *[(f"initramfs without {name}", lambda t, n=name: t.write(IMAGE, initrd(t, n.rsplit("/", 1)[1])), {"initramfs": "fail"})
      for name in EARLY],
    ("initramfs calls nothing", lambda t: t.write(IMAGE, initrd(t, "ORDER")), {"initramfs": "fail"}),
    ("initramfs calls udev first", lambda t: t.write(IMAGE, initrd(t, scripts=("udev", "sekimori"))), {"initramfs": "fail"}),
    ("initramfs calls another", lambda t: t.write(IMAGE, initrd(t, scripts=("sekimori-not", "udev"))), {"initramfs": "fail"}),
    ("initramfs with an old module", lambda t: t.write(IMAGE, initrd(t, build_id=bytes(20))), {"initramfs": "warn"}),
    ("initramfs with old rules", lambda t: t.write(IMAGE, initrd(t).replace(b"# These rules belong", b"# Those rules belong")),
     {"initramfs": "warn"}),
    ("initramfs cut", lambda t: t.write(IMAGE, initrd(t)[:-20]), {"initramfs": "unknown"}),
    ("initramfs by dracut", lambda t: t.write(IMAGE, initrd(t, dracut=True)), {}),
    ("initramfs by dracut, without its hook", lambda t: t.write(IMAGE, initrd(t, "00-sekimori-gate.sh", dracut=True)),
     {"initramfs": "fail"}),
    ("initramfs of another kernel", lambda t: other_initramfs(t, initrd(t, kernel=OTHER)), {}),
    ("initramfs of another kernel without it", lambda t: other_initramfs(t, initrd(t, "sekimori.ko", kernel=OTHER)), {"initramfs": "warn"}),
    ("initramfs of another kernel with an old module", lambda t: other_initramfs(t, initrd(t, kernel=OTHER, build_id=bytes(20))),
     {"initramfs": "warn"}),
    ("initramfs of a kernel that has gone", lambda t: t.write(f"/boot/initrd.img-{OTHER}", initrd(t, "sekimori.ko")), {}),
    ("drop-in by which a sealed secret could keep the daemon from starting", lambda t: t.write(CREDENTIALS, CREDENTIALS_TEXT),
     {"overrides": "warn"}),
    ("the same that starts something else", lambda t: t.write(CREDENTIALS, CREDENTIALS_TEXT + "ExecStart=/bin/true\n"),
     {"overrides": "fail"}),
    ("drop-in of the unit that opens a secret", lambda t: t.write(
        "/etc/systemd/system/sekimori-credential@telephone.service.d/x.conf", "[Service]\nNice=1\n"), {"overrides": "warn"}),
    ("another unit that opens a secret", lambda t: t.write("/etc/systemd/system/sekimori-credential@organisation.service", "[Unit]\n"),
     {"overrides": "fail"}),
]


def test_each_fault_at_the_start_shows_as_its_own_item():
    check_faults(FAULTS)

# SPDX-License-Identifier: GPL-2.0-or-later
"""The shell of early boot, with the programs that it calls played: the gate in the initramfs, root on USB, making initramfs anew."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import TOP

PARTS = TOP / "packaging/initramfs"


class Stage:
    """A directory with a machine's files in it, and programs that write down how they are called."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.bin = self.path / "bin"
        self.bin.mkdir()
        for name in ("sh", "grep"):
            os.symlink(shutil.which(name), self.bin / name)

    def program(self, name, script):
        at = self.bin / name
        at.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.path}/calls\n{script}\n')
        at.chmod(0o755)

    def write(self, path, text=""):
        at = self.path / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)
        return at

    def run(self, name, *arguments, **env):
        return subprocess.run([PARTS / name, *arguments], env={"PATH": str(self.bin), **{k: str(v) for k, v in env.items()}},
                              capture_output=True, text=True, timeout=20, check=False)

    def gate(self):
        """As initramfs-tools calls it: with options for modprobe."""
        return self.run("early-gate", SEKIMORI_SYS=self.path / "sys", SEKIMORI_KMSG=self.path / "kmsg", MODPROBE_OPTIONS="-qb")

    def calls(self):
        at = self.path / "calls"
        return at.read_text().splitlines() if at.exists() else []


@contextlib.contextmanager
def stage():
    with tempfile.TemporaryDirectory() as path:
        yield Stage(path)


def hosts(s, n):
    return [s.write(f"sys/bus/usb/devices/usb{i}/interface_authorized_default", "1\n") for i in range(1, n + 1)]


def test_gate_that_comes_down_is_silent_and_touches_no_host():
    with stage() as s:
        files = hosts(s, 2)
        s.write("kmsg")
        # A blacklist and silence are for what others load.
        s.program("modprobe", f'[ -n "$MODPROBE_OPTIONS" ] || /bin/mkdir -p {s.path}/sys/module/sekimori')
        done = s.gate()
        assert (done.returncode, done.stdout, done.stderr, (s.path / "kmsg").read_text()) == (0, "", "", ""), done
        assert s.calls() == ["modprobe sekimori"]
        assert [f.read_text() for f in files] == ["1\n", "1\n"]


def test_module_that_does_not_come_is_told_with_its_reason_and_hosts_are_shut():
    for reason in ("modprobe: FATAL: Module sekimori not found in directory /lib/modules/6.1.0", "Key was rejected by service", ""):
        with stage() as s:
            files = hosts(s, 3)
            log = s.write("kmsg")
            s.program("modprobe", f'[ "$1" != sekimori ] || {{ [ -n "$MODPROBE_OPTIONS" ] || echo "{reason}" >&2; exit 1; }}')
            # Each line of /dev/kmsg is a write of its own; a file keeps the last one.
            log.unlink()
            os.mkfifo(log)
            reader = subprocess.Popen(["sh", "-c", f'while read -r line; do echo "$line"; case "$line" in *"hosts shut"*) exit;; esac; '
                                       f'done <> {log}'], stdout=subprocess.PIPE, text=True)
            done = s.gate()
            lines = reader.communicate(timeout=20)[0].splitlines()
            assert done.returncode == 0, done
            assert all(line.startswith("<2>sekimori: ") for line in lines), lines
            assert "is not loaded: " + (reason or "modprobe said nothing") in lines[0] and "3 hosts shut" in lines[-1], lines
            assert [f.read_text() for f in files] == ["0\n"] * 3
            # The hosts' drivers first: their files are not there before.
            assert s.calls()[1].startswith("modprobe -q -a xhci_pci"), s.calls()


def test_boot_goes_on_without_modprobe_kmsg_and_usb():
    with stage() as s:
        done = s.run("early-gate", SEKIMORI_SYS=s.path / "none", SEKIMORI_KMSG=s.path / "none/kmsg")
        assert done.returncode == 0 and "not loaded" in done.stderr and "0 hosts shut" in done.stderr, done


def test_root_on_usb_is_seen_down_to_its_disks():
    for mount, kinds, there in (("/", "\\n\\nusb", True), ("/usr", "usb", True), ("/", "\\nsata", False), ("/", "nvme\\nusb", True), ("/", "", False)):
        with stage() as s:
            s.program("ischroot", "exit 1")
            s.program("findmnt", 'for last; do :; done\n' + f'[ "$last" = {mount} ] && echo /dev/mapper/root')
            s.program("lsblk", f"printf '{kinds}\\n'")
            done = s.run("root-on-usb")
            assert done.returncode == (0 if there else 1), (mount, kinds, done)
            assert not there or done.stdout == f"{mount} is on USB (/dev/mapper/root)\n", done


def test_an_image_that_is_made_in_a_chroot_on_a_usb_disk_gets_the_barrier():
    with stage() as s:
        s.program("ischroot", "exit 0")
        s.program("findmnt", "echo /dev/sda1")
        s.program("lsblk", "echo usb")
        assert s.run("root-on-usb").returncode == 1
        assert s.calls() == ["ischroot --default-false"]


def test_each_initramfs_that_is_there_is_made_anew_by_the_tool_that_is_there():
    kernel = os.uname().release
    for tools, status, expected in ((["update-initramfs", "dracut"], 0, "update-initramfs -u -k {k} -b {b}"),
                                    (["dracut"], 0, "dracut --quiet --force {b}/initrd.img-{k} {k}"), ([], 1, None)):
        with stage() as s:
            boot = s.path / "boot"
            # One of a kernel that is not installed, and copies, stay as they are.
            for name in ("1.2.3-gone", "4.5.6.bak"):
                s.write(f"boot/initrd.img-{name}")
            modules = next(iter(sorted(p.name for p in pathlib.Path("/lib/modules").iterdir())), kernel)
            s.write(f"boot/initrd.img-{modules}")
            for tool in tools:
                s.program(tool, "exit 0")
            done = s.run("rebuild-initramfs", SEKIMORI_BOOT=boot)
            assert done.returncode == status, done
            assert s.calls() == ([expected.format(k=modules, b=boot)] if expected else []), s.calls()
            assert "initrd.img-1.2.3-gone stays as it is" in done.stderr and "4.5.6" not in done.stderr, done
            # A kernel that has none yet gets none from us.
            assert s.run("rebuild-initramfs", "7.8.9", SEKIMORI_BOOT=boot).returncode == 0


def test_an_initramfs_that_cannot_be_made_is_an_error():
    with stage() as s:
        modules = sorted(p.name for p in pathlib.Path("/lib/modules").iterdir())[0]
        s.write(f"boot/initrd.img-{modules}")
        s.program("update-initramfs", "exit 3")
        assert s.run("rebuild-initramfs", SEKIMORI_BOOT=s.path / "boot").returncode == 1


# --- what each tool's own part puts into an initramfs -----------------------------------------------

BROUGHT = ("usr/lib/modules/1/updates/dkms/sekimori.ko", "usr/lib/modprobe.d/sekimori-roads.conf", "etc/modprobe.d/sekimori.conf")


def made(s, part, usb, script):
    """Runs a part of a tool in bash, with the tool's functions played, in an initramfs into which the tool has already put what it
    takes by itself. Returns (files that are left, calls, what was said)."""
    tree = s.path / "tree"
    for name in (*BROUGHT, "usr/lib/modprobe.d/other.conf"):
        s.write(f"tree/{name}", "softdep xhci_hcd pre: sekimori\n")
    s.program("root-on-usb", 'echo "/ is on USB (/dev/sda1)"; exit 0' if usb else "exit 1")
    for name in ("find", "realpath"):
        os.symlink(shutil.which(name), s.bin / name)
    functions = "".join(f'{name}() {{ echo "{name} $*" >> {s.path}/calls; }}\n' for name in (
        "instmods", "inst_multiple", "inst_rules", "inst_simple", "inst_hook", "manual_add_modules", "copy_file"))
    at = s.write("functions", functions + "dwarn() { echo \"$*\" >&2; }\n")
    text = (TOP / "packaging" / part).read_text().replace("/usr/libexec/sekimori/root-on-usb", str(s.bin / "root-on-usb"))
    file = s.write("part", text.replace("/usr/share/initramfs-tools/hook-functions", str(at)))
    done = subprocess.run([shutil.which("bash"), "-c", script.format(part=file, functions=at)], capture_output=True, text=True, timeout=20,
                          check=False, env={"PATH": str(s.bin), "DESTDIR": str(tree), "initdir": str(tree), "version": "1", "kernel": "1"})
    assert done.returncode == 0, done
    left = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    return left, [call for call in s.calls() if not call.startswith("root-on-usb")], done.stdout + done.stderr


DRACUT = ('. {functions}; . {part}; omit_drivers="^floppy$"; check || exit 1; [[ $(depends) = udev-rules ]] || exit 1; installkernel; install; '
          'echo "omit $omit_drivers"')


def test_root_on_usb_keeps_module_and_what_brings_it_out_of_dracuts_initramfs():
    for usb in (True, False):
        with stage() as s:
            s.write("tree/usr/lib/modules-load.d/sekimori.conf", "sekimori\n")
            # Debian's dracut makes an initramfs for any host: nothing is said of hostonly here.
            left, calls, said = made(s, "dracut/90sekimori/module-setup.sh", usb, DRACUT)
            if usb:
                assert left == {"usr/lib/modprobe.d/other.conf"} and not calls, (left, calls)
                assert "omit ^floppy$|^sekimori$" in said and "would not start" in said, said
            else:
                assert left > set(BROUGHT) and "omit ^floppy$\n" in said, (left, said)
                assert "instmods sekimori" in calls and any(call.startswith("inst_hook pre-udev 00") for call in calls), calls


def test_root_on_usb_keeps_module_and_what_brings_it_out_of_initramfs_tools_initramfs():
    for usb in (True, False):
        with stage() as s:
            left, calls, said = made(s, "initramfs/hook", usb, ". {part}")
            if usb:
                assert left == {"usr/lib/modprobe.d/other.conf"} and not calls and "would not start" in said, (left, calls, said)
            else:
                assert left > set(BROUGHT) and "manual_add_modules sekimori" in calls and not said, (left, calls, said)


def test_dracut_that_makes_a_foreign_roots_initramfs_does_not_ask_this_machine():
    with stage() as s:
        left, calls, _ = made(s, "dracut/90sekimori/module-setup.sh", True, "dracutsysrootdir=/target; " + DRACUT)
        assert left > set(BROUGHT) and "instmods sekimori" in calls, (left, calls)


def test_module_that_dkms_installs_by_hand_is_known_before_the_initramfs_is_made():
    """DKMS runs depmod after POST_INSTALL."""
    with stage() as s:
        s.write("boot/initrd.img-6.1.0-1-amd64")
        for name in ("depmod", "rebuild-initramfs", "dpkg-trigger"):
            s.program(name, "")
        text = (PARTS / "dkms-post-install").read_text()
        script = s.write("post", text.replace("/boot/", f"{s.path}/boot/").replace("/usr/libexec/sekimori/", f"{s.bin}/"))

        def run(kernel, **env):
            (s.path / "calls").unlink(missing_ok=True)
            subprocess.run(["sh", script, kernel], env={"PATH": str(s.bin), **env}, timeout=20, check=True)
            return s.calls()

        assert run("6.1.0-1-amd64") == ["depmod 6.1.0-1-amd64", "rebuild-initramfs 6.1.0-1-amd64"]
        assert run("6.1.0-1-amd64", DPKG_MAINTSCRIPT_PACKAGE="linux-headers") == ["dpkg-trigger --check-supported",
                                                                                 "dpkg-trigger --no-await sekimori-module"]
        assert not run("6.1.0-2-amd64")

# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian packages: what is in them, and what their maintainer scripts do, played in a root of busybox with tools that only take
notes. What apt and a real system make of them is tests/image's part.

The packages themselves are looked at where SEKIMORI_FULL is set (`make test`): building them takes a minute."""
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import BUILD, TOP

DEBIAN = TOP / "packaging/debian"
SCRIPTS = sorted(p for p in DEBIAN.iterdir() if p.suffix in (".postinst", ".postrm", ".prerm", ".preinst"))

# What the scripts may use, as notes: each call is a line in /calls. A tool `fails` while a file of its name is in /fail.
TOOL = """#!/bin/sh
echo "${0##*/} $*" >> /calls
[ ! -e "/fail/${0##*/}" ] || { cat "/fail/${0##*/}" >&2; exit 1; }
"""
NOTES = ("udevadm", "deb-systemd-invoke", "sekimorictl", "dpkg-trigger", "systemctl", "ischroot", "systemd-detect-virt", "modinfo",
         "dpkg-query", "sync", "update-initramfs")
MODPROBE = TOOL + """
case "$*" in
*-r*) [ ! -e /sys/module/sekimori/locked ] && rm -r /sys/module/sekimori ;;
*) mkdir -p /sys/module/sekimori ;;
esac
"""
DKMS = TOOL + """
case "$1" in
status) [ ! -e "/built/$7" ] || echo "sekimori/1, $7, x86_64: installed" ;;
install) [ ! -e "/fail/$7" ] && touch "/built/$7" ;;
esac
"""


class Root:
    """A running system that knows one USB host, a held stick, and no module yet."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        for name in ("bin", "fail", "built", "etc/sekimori", "run/systemd/system", "sys/module", "usr/share/sekimori", "var/log/sekimori",
                     "var/lib/sekimori/log", "etc/credstore", "lib/modules", "tmp", "dev"):
            (self.path / name).mkdir(parents=True)
        shutil.copy(shutil.which("busybox"), self.path / "bin/busybox")
        # busybox's own shell would take its own modprobe before ours.
        shell = shutil.which("dash")
        for file in [shell, *re.findall(r"(/\S+) \(", subprocess.run(["ldd", shell], check=True, capture_output=True, text=True).stdout)]:
            at = self.path / file.lstrip("/")
            at.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, at)
        self.tool("sh", "")
        shutil.copy(shell, self.path / "bin/sh")
        for applet in ("cat", "chmod", "cp", "echo", "grep", "ls", "mkdir", "mv", "rmdir", "touch", "uname"):
            (self.path / "bin" / applet).symlink_to("busybox")
        # What busybox does not know: install, and rm --one-file-system.
        self.tool("install", '#!/bin/sh\ncp "$3" "$4" && chmod "$2" "$4"\n')
        self.tool("rm", '#!/bin/sh\n[ "$2" != --one-file-system ] || { shift 2; set -- -rf "$@"; }\nexec /bin/busybox rm "$@"\n')
        for name in NOTES:
            self.tool(name, TOOL)
        self.tool("modprobe", MODPROBE)
        self.tool("rebuild-initramfs", TOOL)
        (self.path / "usr/libexec/sekimori").mkdir(parents=True)
        (self.path / "usr/libexec/sekimori/rebuild-initramfs").symlink_to("/bin/rebuild-initramfs")
        self.tool("dkms", DKMS)
        self.tool("getent", '#!/bin/sh\ngrep "^$2:" /etc/$1 2> /dev/null\n')
        self.fail("ischroot")
        self.fail("systemd-detect-virt")
        self.write("usr/share/sekimori/terminal.policy", "policy default\n")
        self.write("sys/bus/usb/devices/usb1/interface_authorized_default", "1\n")
        self.write("sys/bus/usb/devices/1-1:1.0/authorized", "0\n")
        self.write("sys/bus/usb/devices/1-2:1.0/authorized", "1\n")
        self.write("sys/bus/usb/drivers_probe", "")
        self.write("dev/null", "")

    def tool(self, name, text):
        (self.path / "bin" / name).write_text(text)
        (self.path / "bin" / name).chmod(0o755)

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name):
        return (self.path / name).read_text()

    def fail(self, tool, why=""):
        self.write(f"fail/{tool}", why)

    def works(self, tool):
        (self.path / "fail" / tool).unlink()

    def host(self):
        return self.read("sys/bus/usb/devices/usb1/interface_authorized_default").strip()

    def run(self, script, *arguments):
        """Returns (exit status, what was said, the calls)."""
        text = (DEBIAN / script).read_text().replace("#DEBHELPER#", "echo debhelper >> /calls")
        self.write("tmp/script", text)
        self.write("calls", "")
        enter = ["chroot"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "chroot"]
        done = subprocess.run([*enter, self.path, "/bin/sh", "/tmp/script", *arguments], capture_output=True, text=True, timeout=60,
                              check=False, env={"PATH": "/bin"} if os.geteuid() else {"PATH": "/bin:/usr/sbin:/usr/bin"})
        return done.returncode, done.stdout + done.stderr, self.read("calls").splitlines()


@contextlib.contextmanager
def system():
    with tempfile.TemporaryDirectory() as path:
        yield Root(path)


def position(calls, beginning):
    return next(i for i, call in enumerate(calls) if call.startswith(beginning))


# --- maintainer scripts -------------------------------------------------------------------------


def test_maintainer_scripts_pass_shellcheck():
    assert len(SCRIPTS) >= 4, SCRIPTS
    subprocess.run(["shellcheck", "-s", "sh", *SCRIPTS], check=True)
    subprocess.run(["shellcheck", "-S", "warning", TOP / "packaging/deb.sh"], check=True)
    subprocess.run(["shellcheck", "-s", "sh", TOP / "packaging/manifest.sh"], check=True)


def test_the_barrier_is_down_before_the_daemon_starts():
    with system() as s:
        status, said, calls = s.run("sekimori.postinst", "configure", "")
        assert status == 0 and not said and s.host() == "0", said
        assert position(calls, "udevadm control") < position(calls, "modprobe sekimori") < position(calls, "debhelper"), calls
        assert s.read("etc/sekimori/policy") == "policy default\n"
        # What is plugged in is nobody's here but the daemon's.
        assert s.read("sys/bus/usb/devices/1-2:1.0/authorized") == "1\n"


def test_a_second_configuration_changes_nothing():
    with system() as s:
        s.run("sekimori.postinst", "configure", "")
        s.write("etc/sekimori/policy", "policy ours\n")
        status, said, calls = s.run("sekimori.postinst", "configure", "0.1.0")
        assert status == 0 and not said and s.read("etc/sekimori/policy") == "policy ours\n" and s.host() == "0"
        assert "modprobe sekimori" not in calls, calls


def test_an_empty_policy_is_what_a_power_cut_has_left_and_is_made_again():
    with system() as s:
        s.write("etc/sekimori/policy", "")
        status, said, calls = s.run("sekimori.postinst", "configure", "0.1.0")
        assert status == 0 and not said and s.read("etc/sekimori/policy") == "policy default\n", said
        # What it is named does not reach the disk before what is in it.
        assert [c for c in calls if c.startswith("sync")] == ["sync /etc/sekimori/policy.new", "sync /etc/sekimori"], calls
        # A link of the administrator's stays, wherever it leads.
        (s.path / "etc/sekimori/policy").unlink()
        (s.path / "etc/sekimori/policy").symlink_to("/mnt/policy")
        assert s.run("sekimori.postinst", "configure", "0.1.0")[0] == 0 and (s.path / "etc/sekimori/policy").is_symlink()
    with system() as s:
        s.fail("sync")
        status, said, calls = s.run("sekimori.postinst", "configure", "")
        assert status == 1 and "dpkg --configure -a" in said and not (s.path / "etc/sekimori/policy").exists(), said


def test_an_image_build_touches_no_device():
    for chroot in (True, False):
        with system() as s:
            s.works("ischroot" if chroot else "systemd-detect-virt")
            for script, arguments in (("sekimori.postinst", ("configure", "")), ("sekimori.postrm", ("remove",))):
                status, said, calls = s.run(script, *arguments)
                assert status == 0 and not said and s.host() == "1", said
                assert not any(call.startswith(("udevadm", "modprobe", "systemctl")) for call in calls), calls
            assert s.read("etc/sekimori/policy") == "policy default\n"


def test_without_a_module_the_second_layer_stands_and_it_is_said():
    with system() as s:
        s.fail("modinfo")
        status, said, calls = s.run("sekimori.postinst", "configure", "")
        assert status == 0 and s.host() == "0" and "no kernel module" in said and "doctor" in said, said
        assert "debhelper" in calls and "modprobe sekimori" not in calls, calls
    with system() as s:
        s.fail("modprobe", "Key was rejected by service")
        status, said, _ = s.run("sekimori.postinst", "configure", "")
        assert status == 0 and s.host() == "0" and "Key was rejected by service" in said and "README.Debian" in said, said


def test_where_the_policy_cannot_be_written_the_barrier_is_down_and_configuring_can_be_repeated():
    with system() as s:
        (s.path / "etc/sekimori").rmdir()
        status, said, calls = s.run("sekimori.postinst", "configure", "")
        assert status == 1 and s.host() == "0" and "dpkg --configure -a" in said and "debhelper" not in calls, (said, calls)
        (s.path / "etc/sekimori").mkdir()
        assert s.run("sekimori.postinst", "configure", "")[0] == 0 and s.read("etc/sekimori/policy") == "policy default\n"


def test_the_daemon_takes_up_the_module_that_dkms_has_built():
    with system() as s:
        status, said, calls = s.run("sekimori.postinst", "triggered", "sekimori-module")
        assert status == 0 and not said, said
        assert position(calls, "modprobe sekimori") < position(calls, "deb-systemd-invoke restart sekimorid.service"), calls
        calls = s.run("sekimori.postinst", "triggered", "sekimori-module")[2]
        assert not any(call.startswith("deb-systemd-invoke") for call in calls), calls


def test_removal_gives_the_plain_system_back():
    with system() as s:
        s.run("sekimori.postinst", "configure", "")
        status, said, _ = s.run("sekimori.postrm", "remove")
        assert status == 0 and not said and s.host() == "1", said
        assert s.read("sys/bus/usb/devices/1-1:1.0/authorized") == "1\n" and s.read("sys/bus/usb/drivers_probe") == "1-1:1.0\n"
        assert s.read("etc/sekimori/policy") == "policy default\n"


def test_a_locked_module_stays_and_that_is_said():
    with system() as s:
        s.run("sekimori.postinst", "configure", "")
        s.write("sys/module/sekimori/locked", "")
        status, said, _ = s.run("sekimori.postrm", "remove")
        assert status == 0 and "until the next start" in said and s.host() == "0", said
        assert s.read("sys/bus/usb/devices/1-1:1.0/authorized") == "0\n"


def test_removal_closes_what_is_open():
    with system() as s:
        assert "sekimorictl eject" not in s.run("sekimori.prerm", "remove")[2]
        (s.path / "run/sekimori/volumes/luks-1").mkdir(parents=True)
        assert "sekimorictl eject" not in s.run("sekimori.prerm", "upgrade", "0.2")[2]
        calls = s.run("sekimori.prerm", "remove")[2]
        assert position(calls, "sekimorictl eject") < position(calls, "debhelper"), calls
        s.fail("sekimorictl")
        status, said, _ = s.run("sekimori.prerm", "remove")
        assert status == 0 and "still in use" in said, said


def test_purge_leaves_nothing_but_the_evidence():
    with system() as s:
        s.write("etc/sekimori/policy", "policy ours\n")
        s.write("etc/credstore/sekimori.organisation", "secret")
        s.write("etc/credstore/other", "not ours")
        s.write("var/lib/sekimori/log/header", "public")
        s.write("var/log/sekimori/events.jsonl", "{}\n")
        for _ in range(2):
            status, said, _ = s.run("sekimori.postrm", "purge")
            assert status == 0 and "/var/log/sekimori" in said and "evidence" in said, said
        left = sorted(str(p.relative_to(s.path)) for d in ("etc", "var") for p in (s.path / d).rglob("*") if p.is_file())
        assert left == ["etc/credstore/other", "var/log/sekimori/events.jsonl", "var/log/sekimori/header"], left
    with system() as s:
        status, said, _ = s.run("sekimori.postrm", "purge")
        assert status == 0 and not said and not (s.path / "var/log/sekimori").exists(), said


def test_purge_says_which_groups_stay():
    with system() as s:
        s.write("etc/group", "root:x:0:\nsekimori-approve:x:990:sato\nsekimori-audit:x:989:\nsekimori-desks:x:988:\n")
        status, said, _ = s.run("sekimori.postrm", "purge")
        assert status == 0 and "the groups sekimori-approve sekimori-audit stay" in said and "groupdel" in said, said
        assert "sekimori-approve:x:990:sato" in s.read("etc/group")


def test_a_module_that_cannot_be_built_stops_neither_apt_nor_the_next_kernel():
    with system() as s:
        for kernel, headers in (("6.1.0-1-amd64", True), ("6.1.0-2-amd64", True), ("6.1.0-3-amd64", False)):
            (s.path / "lib/modules" / kernel / "kernel").mkdir(parents=True)
            if headers:
                (s.path / "lib/modules" / kernel / "build/include").mkdir(parents=True)
        s.tool("dpkg-query", "#!/bin/sh\nprintf 1\n")
        s.tool("modinfo", '#!/bin/sh\n[ "$4" != sig_id ] || echo PKCS#7\n')
        s.fail("6.1.0-1-amd64")
        status, said, calls = s.run("sekimori-dkms.postinst", "configure", "")
        assert status == 0 and (s.path / "built/6.1.0-2-amd64").exists(), said
        lines = said.splitlines()
        assert len(lines) == 2 and "6.1.0-1-amd64" in lines[0] and "make.log" in lines[0], lines
        assert "linux-headers-6.1.0-3-amd64" in lines[1] and all("second layer" in line for line in lines), lines
        assert "dpkg-trigger --no-await sekimori-module" in calls, calls


def test_a_module_that_is_built_without_a_signature_is_told():
    with system() as s:
        (s.path / "lib/modules/6.1.0-1-amd64/kernel").mkdir(parents=True)
        (s.path / "lib/modules/6.1.0-1-amd64/build/include").mkdir(parents=True)
        s.tool("dpkg-query", "#!/bin/sh\nprintf 1\n")
        status, said, _ = s.run("sekimori-dkms.postinst", "configure", "")
        assert status == 0 and "6.1.0-1-amd64: the module carries no signature" in said and "README.Debian" in said, said


# --- packages -----------------------------------------------------------------------------------


def fields(text):
    return dict(re.findall(r"^([A-Za-z-]+): ((?:.*)(?:\n[ \t].*)*)", text, re.M))


def names(relation):
    return {re.split(r"[ (]", entry.strip())[0] for entry in relation.split(",")}


def test_what_the_packages_are_built_with_is_what_make_deps_installs():
    source = fields((DEBIAN / "control").read_text().split("\n\n")[0])
    wanted = {n for n in names(source["Build-Depends"]) if not n.startswith(("debhelper-compat", "dh-sequence"))}
    lists = subprocess.run(["make", "-s", "-f", "-", "show"], cwd=TOP, check=True, capture_output=True, text=True,
                           input="include packaging/deps.mk\nshow:\n\t@echo $(DEPS_BUILD)\n").stdout.split()
    # The compiler is build-essential's; headers are DKMS's part.
    assert wanted == set(lists) - {"gcc", "make", "libc6-dev", "linux-headers-amd64"}, wanted ^ set(lists)


# What stands where: mode and owner, and the package.
CONTENTS = {
    "sekimori": ("-rwxr-xr-x ./usr/sbin/sekimorid", "-rwxr-xr-x ./usr/bin/sekimorictl", "-rwxr-xr-x ./usr/bin/sekimori-agent",
                 "-rwxr-xr-x ./usr/libexec/sekimori/sekimori-inspect", "-rwxr-xr-x ./usr/libexec/sekimori/sekimori-open",
                 "-rwxr-xr-x ./usr/libexec/sekimori/sekimori-transfer", "-rw-r--r-- ./usr/lib/udev/rules.d/10-sekimori.rules",
                 "-rw-r--r-- ./usr/lib/udev/rules.d/72-sekimori.rules", "-rw-r--r-- ./usr/lib/modprobe.d/sekimori-roads.conf",
                 "-rw-r--r-- ./usr/lib/modules-load.d/sekimori.conf", "-rw-r--r-- ./usr/lib/systemd/system/sekimorid.service",
                 "-rw-r--r-- ./usr/lib/systemd/system/sekimori-doctor.timer", "-rw-r--r-- ./usr/lib/sysusers.d/sekimori.conf",
                 "-rw-r--r-- ./usr/lib/tmpfiles.d/sekimori.conf", "-rw-r--r-- ./usr/share/polkit-1/rules.d/50-sekimori.rules",
                 "-rw-r--r-- ./usr/share/dbus-1/system.d/org.sekimori.Sekimori1.conf", "-rw-r--r-- ./etc/modprobe.d/sekimori.conf",
                 "-rw-r--r-- ./etc/sekimori/sekimorid.conf", "drwxr-xr-x ./etc/sekimori/trust.d/",
                 "-rw-r--r-- ./usr/share/sekimori/terminal.policy", "-rw-r--r-- ./usr/share/sekimori/manifest",
                 "-rw-r--r-- ./usr/share/man/man8/sekimorid.8.gz", "-rw-r--r-- ./usr/share/man/man1/sekimorictl.1.gz",
                 "-rw-r--r-- ./usr/share/bash-completion/completions/sekimorictl",
                 "-rw-r--r-- ./usr/share/zsh/vendor-completions/_sekimorictl"),
    "sekimori-common": ("-rw-r--r-- ./usr/share/locale/ja/LC_MESSAGES/sekimori.mo",
                        "-rw-r--r-- ./usr/share/sekimori/hardware-media.policy",
                        "-rw-r--r-- ./usr/share/man/man5/sekimori.policy.5.gz"),
    "sekimori-dkms": ("-rw-r--r-- ./usr/src/sekimori-{version}/dkms.conf", "-rw-r--r-- ./usr/src/sekimori-{version}/gate.c",
                      "-rw-r--r-- ./usr/src/sekimori-{version}/include/uapi/linux/sekimori.h"),
    "sekimori-desk": ("-rwxr-xr-x ./usr/bin/sekimori-desk", "-rw-r--r-- ./usr/share/man/man1/sekimori-desk.1.gz"),
}
# A policy is the terminal's own; a log and state are nobody's but the running daemon's; the module is built where it runs.
NOWHERE = r"\./etc/sekimori/policy$|\./var/|\.ko$|^./lib/|\./usr/local/|\./run/|tests/|\.debug$"
CONFFILES = {"sekimori": ["/etc/modprobe.d/sekimori.conf", "/etc/sekimori/sekimorid.conf", "/etc/xdg/autostart/sekimori-agent.desktop"]}


def package(name):
    found = sorted((BUILD / "deb").glob(f"{name}_*.deb"))
    assert len(found) == 1, f"{found}: run 'make deb'"
    return found[0]


def deb(name, *arguments):
    return subprocess.run(["dpkg-deb", arguments[0], package(name), *arguments[1:]], check=True, capture_output=True, text=True).stdout


def content(name):
    """{path: mode} of a package; all of it is root's."""
    entries = {}
    for line in deb(name, "-c").splitlines():
        mode, owner, _, _, _, path = line.split(None, 5)
        assert owner == "root/root" and "s" not in mode[1:].lower(), line
        entries[path.split(" -> ")[0]] = mode
    return entries


def check_contents():
    for name, wanted in CONTENTS.items():
        entries = content(name)
        version = deb(name, "-f", "Version").strip()
        for line in wanted:
            mode, path = line.format(version=version).split()
            assert entries.get(path) == mode, (name, path, entries.get(path))
        assert not [p for p in entries if re.search(NOWHERE, p)], (name, entries)
        assert not [p for p, mode in entries.items() if mode[0] != "l" and mode[8] == "w"], name
        control = fields(deb(name, "-f"))
        assert control["Version"] == version and control["Architecture"] == ("all" if name.endswith(("common", "dkms")) else "amd64")
    everywhere = [p for name in CONTENTS for p in content(name) if not p.endswith("/")]
    assert len(everywhere) == len(set(everywhere)), "a file in two packages"


def check_control():
    for name in CONTENTS:
        with tempfile.TemporaryDirectory() as path:
            deb(name, "-e", path)
            kept = pathlib.Path(path, "conffiles")
            assert (kept.read_text().split() if kept.exists() else []) == CONFFILES.get(name, []), name
    control = fields(deb("sekimori", "-f"))
    assert {"udev", "kmod", "sekimori-common", "libusb-1.0-0", "libcryptsetup12", "libseccomp2"} <= names(control["Depends"])
    # Without DKMS the second layer holds; without polkit root can do all.
    assert {"sekimori-dkms", "polkitd"} <= names(control["Recommends"])
    assert {"e2fsprogs", "exfatprogs"} <= names(fields(deb("sekimori-desk", "-f"))["Depends"])
    assert "sekimori" not in names(fields(deb("sekimori-desk", "-f"))["Depends"])
    assert "openssl" in names(fields(deb("sekimori-dkms", "-f"))["Depends"]), "DKMS makes its key with it, or signs nothing"


def check_files():
    with tempfile.TemporaryDirectory() as path:
        for name in ("sekimori", "sekimori-common"):
            deb(name, "-x", path)
        root = pathlib.Path(path)
        lines = (root / "usr/share/sekimori/manifest").read_text().splitlines()[1:]
        listed = {}
        for comment, line in zip(lines[::2], lines[1::2]):
            digest, at = line.split("  ")
            file = root / at.lstrip("/")
            assert hashlib.blake2b(file.read_bytes(), digest_size=32).hexdigest() == digest, at
            assert comment.split()[1] == f"{file.stat().st_mode & 0o7777:04o}" and comment.endswith(" " + at), comment
            listed[at] = comment.split()[2]
        for at, kind in (("/usr/sbin/sekimorid", "program"), ("/usr/lib/udev/rules.d/10-sekimori.rules", "rule"),
                         ("/etc/sekimori/sekimorid.conf", "conf"), ("/usr/share/locale/ja/LC_MESSAGES/sekimori.mo", "text")):
            assert listed.get(at) == kind, (at, listed)
        for file in [*root.glob("usr/sbin/*"), *root.glob("usr/bin/*"), *root.glob("usr/libexec/sekimori/*")]:
            if file.read_bytes()[:4] != b"\x7fELF":
                continue
            shown = subprocess.run(["readelf", "-hlWd", "--dyn-syms", file], check=True, capture_output=True, text=True).stdout
            for wanted in ("DYN (Position-Independent", "GNU_RELRO", "BIND_NOW", "__stack_chk_fail"):
                assert wanted in shown, (file.name, wanted)


def check_readme():
    rows = dict(re.findall(r"^\| `(sekimori[a-z-]*)` \| (.*) \|$", (TOP / "README.md").read_text(), re.M))
    assert set(rows) == set(CONTENTS), rows
    for name, row in rows.items():
        size, depends, more = row.split("|")[1:]
        control = fields(deb(name, "-f"))
        assert abs(int(size) - int(control["Installed-Size"])) < 0.1 * int(size), (name, control["Installed-Size"])
        alike = {"default-dbus-system-bus": "dbus", "init-system-helpers": "systemd"}
        wanted = {alike.get(n, n) for n in names(control["Depends"])} if "Depends" in control else set()
        told = set(re.findall(r"[a-z][a-z0-9.+-]+", re.sub(r"\(.*?\)", "", depends)))
        assert told == {n for n in wanted if n != "libc6" and not n.startswith("sekimori")}, (name, told ^ wanted)
        assert all(n in more for n in names(control.get("Recommends", "")) - {"", "sekimori"}), (name, more)


if os.environ.get("SEKIMORI_FULL"):
    def test_the_readme_tells_their_size_and_what_they_need():
        check_readme()

    def test_each_package_has_what_belongs_to_it_and_nothing_else():
        check_contents()

    def test_the_packages_ask_for_what_they_need_and_keep_what_is_edited():
        check_control()

    def test_the_manifest_fits_and_programs_are_hardened():
        check_files()

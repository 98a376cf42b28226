# SPDX-License-Identifier: GPL-2.0-or-later
"""What one run adds to the guest: a cpio archive (newc) appended to the initramfs.

Sources, later ones win: the harness's own programs, staging directories (as made by
`make install DESTDIR=...`), kernel modules, single files.
"""

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile

# Debian 12 has merged /usr: the payload must not put directories over these links.
MERGED = ("bin", "sbin", "lib", "lib64", "lib32", "libx32")

UNITS = "etc/systemd/system"

# What Debian starts under systemd and a terminal of minutes does not need: /var has come with the root
# file system, nothing is kept, nobody is asked for a passphrase.
MASKED = """
    dev-hugepages.mount dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
    ldconfig.service modprobe@.service modprobe@drm.service modprobe@efi_pstore.service
    modprobe@fuse.service proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount
    sys-kernel-tracing.mount systemd-ask-password-console.path systemd-ask-password-wall.path
    systemd-binfmt.service systemd-boot-system-token.service systemd-firstboot.service
    systemd-hwdb-update.service systemd-journal-catalog-update.service
    systemd-journal-flush.service systemd-machine-id-commit.service systemd-pcrphase-sysinit.service
    systemd-pcrphase.service systemd-pstore.service systemd-random-seed.service
    systemd-repart.service systemd-sysusers.service systemd-tmpfiles-clean.timer
    systemd-update-done.service systemd-update-utmp-runlevel.service systemd-update-utmp.service
""".split()
GENERATORS = """
    cryptsetup debug fstab getty gpt-auto hibernate-resume integritysetup rc-local run system-update
    sysv veritysetup
""".split()


class Cpio:
    def __init__(self):
        self.entries = {}

    def add(self, name, mode, data=b""):
        name = name.strip("/")
        if name.split("/", 1)[0] in MERGED:
            name = "usr/" + name
        parent = os.path.dirname(name)
        if parent and parent not in self.entries:
            self.add(parent, stat.S_IFDIR | 0o755)
        self.entries[name] = (mode, data)

    def add_path(self, name, path):
        st = os.lstat(path)
        if stat.S_ISLNK(st.st_mode):
            self.add(name, st.st_mode, os.readlink(path).encode())
        elif stat.S_ISREG(st.st_mode):
            with open(path, "rb") as f:
                self.add(name, st.st_mode, f.read())

    def add_link(self, name, target):
        self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def add_tree(self, top):
        for folder, folders, files in os.walk(top):
            relative = os.path.relpath(folder, top)
            if relative != ".":
                if relative not in MERGED:
                    self.add(relative, stat.S_IFDIR | stat.S_IMODE(os.lstat(folder).st_mode))
            for name in files + [d for d in folders if os.path.islink(os.path.join(folder, d))]:
                self.add_path(os.path.join(relative, name), os.path.join(folder, name))

    def dump(self, prefix):
        """The archive, everything below `prefix` except what is marked `//`."""
        out = []
        entries = [(prefix, stat.S_IFDIR | 0o755, b"")] if prefix else []
        entries += [(os.path.join(prefix, n), m, d) for n, (m, d) in sorted(self.entries.items())]
        for number, (name, mode, data) in enumerate(entries + [("TRAILER!!!", 0, b"")], 1):
            raw = name.encode() + b"\0"
            fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
            head = b"070701" + b"".join(b"%08X" % f for f in fields)
            out.append(head + raw + b"\0" * (-(len(head) + len(raw)) % 4))
            out.append(data + b"\0" * (-len(data) % 4))
        blob = b"".join(out)
        return blob + b"\0" * (-len(blob) % 512)


def module_index(cache, kernel, modules):
    """modules.dep and its kin for the kernel's modules and ours. Kept, because it takes depmod 0.3 s."""
    with open(os.path.join(kernel, "kver"), encoding="ascii") as f:
        kver = f.read().strip()
    key = hashlib.sha256(os.path.realpath(kernel).encode())
    for path in modules:
        with open(path, "rb") as f:
            key.update(os.path.basename(path).encode() + f.read())
    kept = os.path.join(cache, "depmod-" + key.hexdigest()[:16])
    if not os.path.isdir(kept):
        with tempfile.TemporaryDirectory(dir=cache) as tmp:
            base = os.path.join(tmp, "lib/modules", kver)
            os.makedirs(os.path.join(base, "extra"))
            known = os.path.realpath(os.path.join(kernel, "modules/usr/lib/modules", kver))
            for name in ("kernel", "modules.order", "modules.builtin", "modules.builtin.modinfo"):
                os.symlink(os.path.join(known, name), os.path.join(base, name))
            for path in modules:
                shutil.copy(path, os.path.join(base, "extra"))
            subprocess.run(["depmod", "-b", tmp, kver], check=True)
            for name in ("kernel", "modules.order", "modules.builtin", "modules.builtin.modinfo"):
                os.unlink(os.path.join(base, name))
            for old in [d for d in os.listdir(cache) if d.startswith("depmod-")][:-8]:
                shutil.rmtree(os.path.join(cache, old), ignore_errors=True)
            try:
                os.rename(base, kept)
            except OSError:  # another run was quicker
                pass
    return kver, kept


def add_systemd(root, harness, wanted):
    """Process 1 is systemd, the agent is a service; wanted: [(unit, target), ...] to enable."""
    root.add_link("sbin/terminal-init", "/lib/systemd/systemd")
    root.add_tree(os.path.join(harness, "guest/systemd"))
    for unit, target in [("terminal-setup.service", "sysinit.target"),
                         ("terminal-agent.service", "multi-user.target"), *wanted]:
        root.add_link(f"{UNITS}/{target}.wants/{unit}", f"../{unit}")
    for unit in MASKED:
        root.add_link(f"{UNITS}/{unit}", "/dev/null")
    for name in GENERATORS:
        root.add_link(f"etc/systemd/system-generators/systemd-{name}-generator", "/dev/null")


def build(path, *, cache, kernel, harness, agent, stages=(), modules=(), files=None, systemd=None):
    """Writes the archive. `files`: guest path -> text, bytes or (mode, text or bytes).
    `systemd`: None, or the units to enable (see add_systemd)."""
    root = Cpio()
    if systemd is None:
        root.add_path("sbin/terminal-init", os.path.join(harness, "guest/init"))
    else:
        add_systemd(root, harness, systemd)
    root.add_path("sbin/terminal-agent", agent)
    root.add_path("usr/lib/terminal/gadget.sh", os.path.join(harness, "guest/gadget.sh"))
    for stage in stages:
        root.add_tree(stage)
    if modules:
        kver, index = module_index(cache, kernel, modules)
        for folder, _, names in os.walk(index):
            for name in names:
                full = os.path.join(folder, name)
                root.add_path(os.path.join("lib/modules", kver, os.path.relpath(full, index)), full)
    for name, what in (files or {}).items():
        mode, data = what if isinstance(what, tuple) else (0o644, what)
        root.add(name, stat.S_IFREG | mode, data.encode() if isinstance(data, str) else data)
    early = Cpio()
    early.add_path("init", os.path.join(harness, "guest/initramfs-init"))
    with open(path, "wb") as f:
        f.write(root.dump("payload"))
        f.write(early.dump(""))

# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of sticks, as sparse files: plain ones and encrypted ones. No loop device, no mount.

    with Disks() as disks:
        image = disks.luks2("m1", uuid="...", passphrase="secret")
"""

import atexit
import os
import shutil
import struct
import subprocess
import tempfile
import uuid as uuids

MIB = 1 << 20
SECTOR = 512
PART_START = 2048  # sectors, as every partitioning tool does it


def _mbr(total, kind):
    """A master boot record with one partition of this kind up to the end."""
    entry = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", PART_START, total - PART_START)
    return b"\0" * 440 + os.urandom(4) + b"\0\0" + entry + b"\0" * 48 + b"\x55\xaa"


def _fat16(sectors, label):
    """What is not zero of an empty FAT16 file system (Microsoft FAT specification 1.03)."""
    per_cluster = 4
    while sectors // per_cluster > 65000:
        per_cluster *= 2
    fat = -(-(sectors // per_cluster + 2) * 2 // SECTOR)
    boot = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x3c\x90", b"MSWIN4.1", SECTOR, per_cluster, 1, 2, 512,
                       0, 0xf8, fat, 63, 255, PART_START, sectors)
    boot += struct.pack("<BBB4s11s8s", 0x80, 0, 0x29, os.urandom(4), label.encode().ljust(11)[:11], b"FAT16   ")
    boot = boot.ljust(510, b"\0") + b"\x55\xaa"
    start = b"\xf8\xff\xff\xff"
    volume = label.encode().ljust(11)[:11] + b"\x08"  # root directory entry, ATTR_VOLUME_ID
    return {0: boot, SECTOR: start, SECTOR * (1 + fat): start, SECTOR * (1 + 2 * fat): volume}


class Disks:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="sekimori-disks-")
        atexit.register(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def blank(self, name, size=64 * MIB):
        path = os.path.join(self.dir, name + ".img")
        with open(path, "wb") as f:
            f.truncate(size)
        return path

    def patch(self, image, offset, data):
        with open(image, "r+b") as f:
            f.seek(offset)
            f.write(data)

    def plain(self, name, size=64 * MIB, label="PLAIN", partitioned=True):
        """One FAT16 file system, in a partition as sticks are sold, or over the whole disk."""
        path = self.blank(name, size)
        start = PART_START if partitioned else 0
        if partitioned:
            self.patch(path, 0, _mbr(size // SECTOR, 0x0e))
        for offset, data in _fat16(size // SECTOR - start, label).items():
            self.patch(path, start * SECTOR + offset, data)
        return path

    def ext4(self, name, size=64 * MIB, label="plain"):
        path = self.blank(name, size)
        subprocess.run(["/sbin/mkfs.ext4", "-q", "-L", label, path], check=True)
        return path

    def _luks(self, version, name, size, uuid, passphrase, label, partitioned, options):
        whole = self.blank(name, size)
        path = self.blank(name + "-part", size - PART_START * SECTOR) if partitioned else whole
        command = ["/sbin/cryptsetup", "luksFormat", "--batch-mode", "--type", version, "--uuid",
                   uuid or str(uuids.uuid4()), "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000",
                   "--key-file", "-", *(["--label", label] if label else []), *options, path]
        subprocess.run(command, input=passphrase.encode(), check=True)
        if partitioned:
            self.patch(whole, 0, _mbr(size // SECTOR, 0x83))
            subprocess.run(["dd", f"if={path}", f"of={whole}", "bs=1M", "seek=1", "conv=notrunc,sparse",
                            "status=none"], check=True)
            os.unlink(path)
        return whole

    def luks2(self, name, uuid=None, passphrase="sekimori", label=None, size=64 * MIB,
              partitioned=False, options=()):
        return self._luks("luks2", name, size, uuid, passphrase, label, partitioned, options)

    def luks1(self, name, uuid=None, passphrase="sekimori", size=64 * MIB, partitioned=False, options=()):
        return self._luks("luks1", name, size, uuid, passphrase, None, partitioned, options)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of sticks, as sparse files: plain ones and encrypted ones. No loop device, no mount.

    with Disks() as disks:
        image = disks.luks2("m1", uuid="...", passphrase="secret")
        parts = disks.parts("m2", [disks.luks2("a", size=20 * MIB), disks.ext4("b")], table="gpt")
"""

import atexit
import os
import shutil
import struct
import subprocess
import tempfile
import uuid as uuids
import zlib

MIB = 1 << 20
SECTOR = 512
PART_START = 2048  # sectors, as every partitioning tool does it


def _mbr(total, kind):
    """A master boot record with one partition of this kind up to the end."""
    entry = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", PART_START, total - PART_START)
    return b"\0" * 440 + os.urandom(4) + b"\0\0" + entry + b"\0" * 48 + b"\x55\xaa"


def _may_be_atari(path):
    """Would the kernel take the header's checksum for an Atari partition table if the disk were large enough? One in
    seventy headers of LUKS2 is such (userspace/core/oldtable.h); each header has another checksum."""
    with open(path, "rb") as f:
        sector = f.read(SECTOR)
    entries = [sector[at:at + 4] for at in range(0x1c6, 0x1c6 + 4 * 12, 12)]
    return any(e[0] & 1 and all(chr(c).isalnum() for c in e[1:]) for e in entries)


def _entry(kind, start, count):
    """An entry of a master boot record; start and count in blocks."""
    return struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start, count) if kind else bytes(16)


def _boot_record(entries, signature=b"\0\0\0\0"):
    return b"\0" * 440 + signature + b"\0\0" + b"".join(entries).ljust(64, b"\0") + b"\x55\xaa"


def _mbr_parts(places, sector):
    """{offset: bytes} of a table of up to four primary partitions, (offset, size) in bytes."""
    entries = [_entry(0x83, start // sector, size // sector) for start, size in places]
    return {0: _boot_record(entries, os.urandom(4))}


def _logical_parts(places, sector):
    """The first is primary, the others lie in an extended partition, each 1 MiB behind its own table."""
    chain = places[1:]
    first, end = chain[0][0] - MIB, sum(chain[-1])
    tables = {0: _boot_record([_entry(0x83, places[0][0] // sector, places[0][1] // sector),
                               _entry(0x05, first // sector, (end - first) // sector)], os.urandom(4))}
    for n, (start, size) in enumerate(chain):
        link = bytes(16)
        if n + 1 < len(chain):
            next_start, next_size = chain[n + 1]
            link = _entry(0x05, (next_start - MIB - first) // sector, (next_size + MIB) // sector)
        tables[start - MIB] = _boot_record([_entry(0x83, MIB // sector, size // sector), link])
    return tables


GPT_ENTRIES = 128
GPT_ARRAY = GPT_ENTRIES * 128
LINUX_DATA = uuids.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


def _gpt_parts(places, sector, size):
    """UEFI 2.10, section 5: protective MBR, both headers and both arrays."""
    last, blocks = size // sector - 1, GPT_ARRAY // sector
    array = b"".join(
        struct.pack("<16s16sQQQ72s", LINUX_DATA.bytes_le, uuids.uuid4().bytes_le, start // sector,
                    (start + length) // sector - 1, 0, b"") for start, length in places).ljust(GPT_ARRAY, b"\0")
    disk = uuids.uuid4().bytes_le

    def header(own, other, entries):
        def pack(crc):
            return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, own, other, 2 + blocks,
                               last - 1 - blocks, disk, entries, GPT_ENTRIES, 128, zlib.crc32(array))
        return pack(zlib.crc32(pack(0)))

    whole = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1, min(last, 0xffffffff))
    return {0: _boot_record([whole]), sector: header(1, last, 2), 2 * sector: array,
            (last - blocks) * sector: array, last * sector: header(last, 1, last - blocks)}


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

    def copy(self, name, image):
        path = os.path.join(self.dir, name + ".img")
        subprocess.run(["cp", "--sparse=always", image, path], check=True)
        return path

    def put(self, image, offset, part):
        """Writes the file `part` into the image, zeroes left out."""
        subprocess.run(["dd", f"if={part}", f"of={image}", "bs=64K", f"seek={offset}", "oflag=seek_bytes",
                        "conv=notrunc,sparse", "status=none"], check=True)

    def assemble(self, name, size, table, volumes=None):
        """A partition table (see tables.py) with images in it: {byte offset: path}."""
        path = self.blank(name, size)
        for offset, part in (volumes or {}).items():
            self.put(path, offset, part)
        for offset, data in table.items():
            self.patch(path, offset, data)
        return path

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

    def copy_in(self, image, offset, source):
        """Copies what is not a hole of `source` to a place in `image`."""
        with open(source, "rb") as f, open(image, "r+b") as out:
            end = f.seek(0, os.SEEK_END)
            at = 0
            while at < end:
                try:
                    at = os.lseek(f.fileno(), at, os.SEEK_DATA)
                except OSError:  # nothing but a hole is left
                    break
                hole = os.lseek(f.fileno(), at, os.SEEK_HOLE)
                f.seek(at)
                out.seek(offset + at)
                while at < hole:
                    data = f.read(min(MIB, hole - at))
                    out.write(data)
                    at += len(data)

    def parts(self, name, contents, table="gpt", sector=SECTOR, size=None, starts=None):
        """A partitioned disk. contents: images, each of its partition's size. table: "mbr" (up to four),
        "logical" (the first primary, the others logical) or "gpt". starts: offsets in bytes; else
        one behind the other, aligned to 1 MiB, with 1 MiB between logical ones for their tables."""
        places, at = [], MIB
        for n, image in enumerate(contents):
            if table == "logical" and n:
                at += MIB
            length = os.path.getsize(image)
            at = starts[n] if starts else at
            places.append((at, length))
            at = -(-(at + length) // MIB) * MIB
        size = size or at + MIB
        path = self.blank(name, size)
        make = {"mbr": _mbr_parts, "logical": _logical_parts}.get(table)
        tables = make(places, sector) if make else _gpt_parts(places, sector, size)
        for offset, data in tables.items():
            self.patch(path, offset, data)
        for (start, _), image in zip(places, contents):
            self.copy_in(path, start, image)
        return path

    def _luks(self, version, name, size, uuid, passphrase, label, partitioned, options):
        whole = self.blank(name, size)
        path = self.blank(name + "-part", size - PART_START * SECTOR) if partitioned else whole
        command = ["/sbin/cryptsetup", "luksFormat", "--batch-mode", "--type", version, "--uuid",
                   uuid or str(uuids.uuid4()), "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000",
                   "--key-file", "-", *(["--label", label] if label else []), *options, path]
        for _ in range(16):
            done = subprocess.run(command, input=passphrase.encode(), capture_output=True)
            if done.returncode:
                raise RuntimeError(f"{command}: {done.stderr.decode()}")
            if not _may_be_atari(path):
                break
        if partitioned:
            self.patch(whole, 0, _mbr(size // SECTOR, 0x83))
            subprocess.run(["dd", f"if={path}", f"of={whole}", "bs=1M", "seek=1", "conv=notrunc,sparse",
                            "status=none"], check=True)
            os.unlink(path)
        return whole

    def luks2(self, name, uuid=None, passphrase="sekimori", label=None, size=64 * MIB,
              partitioned=False, options=()):
        return self._luks("luks2", name, size, uuid, passphrase, label, partitioned, options)

    def small(self, name, uuid=None, size=2 * MIB, offset=MIB, options=()):
        """A LUKS2 volume of little size: short headers and few keyslots, data from `offset` on."""
        return self.luks2(name, uuid, size=size, options=(
            "--luks2-metadata-size", "16k", "--luks2-keyslots-size", "256k", "--offset", str(offset // SECTOR), *options))

    def luks1(self, name, uuid=None, passphrase="sekimori", size=64 * MIB, partitioned=False, options=()):
        return self._luks("luks1", name, size, uuid, passphrase, None, partitioned, options)

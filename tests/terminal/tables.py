# SPDX-License-Identifier: GPL-2.0-or-later
"""Partition tables as bytes, right ones and wrong ones: {byte offset: bytes} for Disks.assemble().

Written from the specifications (UEFI 2.10, section 5; the MBR as every tool writes it), not from what
userspace/core reads. All positions are in sectors.
"""

import struct
import uuid as uuids
import zlib

SECTOR = 512
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"
EXTENDED = 0x0f
GPT_ENTRIES = 128


def mbr(*entries, disk_id=b"\x5e\x4b\x13\x07"):
    """One sector; an entry is (type, start, count), at most four."""
    rows = b"".join(struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start, count)
                    for kind, start, count in entries)
    return b"\0" * 440 + disk_id + b"\0\0" + rows.ljust(64, b"\0") + b"\x55\xaa"


def primary(*entries):
    return {0: mbr(*entries)}


def logical(start, count, parts, first=(), sector=SECTOR):
    """An extended partition and its chain; parts are (start, count), each with its table a sector or more in front."""
    table = {0: mbr(*first, (EXTENDED, start, count))}
    links = [start] + [begin - 1 for begin, _ in parts[1:]]
    for i, (begin, length) in enumerate(parts):
        entries = [(0x83, begin - links[i], length)]
        if i + 1 < len(parts):
            next_end = parts[i + 1][0] + parts[i + 1][1]
            entries.append((0x05, links[i + 1] - start, next_end - links[i + 1]))
        table[links[i] * sector] = mbr(*entries, disk_id=b"\0" * 4)
    return table


def cyclic(start, count, part):
    """A chain whose second table says that the first one follows."""
    begin, length = part
    second = begin + length
    return {0: mbr((EXTENDED, start, count)),
            start * SECTOR: mbr((0x83, begin - start, length), (0x05, second - start, 2)),
            second * SECTOR: mbr((0x83, 1, 1), (0x05, 0, second - start))}


def _header(at, other, first, last, entries_at, crc, sector):
    fields = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, at, other, first, last,
                         uuids.UUID(int=0x5e4b).bytes_le, entries_at, GPT_ENTRIES, 128, crc)
    return (fields[:16] + struct.pack("<I", zlib.crc32(fields)) + fields[20:]).ljust(sector, b"\0")


def gpt(total, parts, sector=SECTOR, usable=None, hybrid=()):
    """Both headers and arrays and the protective MBR; parts are (start, count)."""
    rows = b"".join(
        struct.pack("<16s16sQQQ72s", uuids.UUID(LINUX).bytes_le, uuids.UUID(int=i + 1).bytes_le, start,
                    start + count - 1, 0, f"p{i}".encode("utf-16-le")) for i, (start, count) in enumerate(parts))
    rows = rows.ljust(GPT_ENTRIES * 128, b"\0")
    length = -(-len(rows) // sector)
    first, last = usable or (2 + length, total - 2 - length)
    crc = zlib.crc32(rows)
    cover = min(total - 1, 0xffffffff)
    return {0: mbr((0xee, 1, cover), *hybrid),
            sector: _header(1, total - 1, first, last, 2, crc, sector),
            2 * sector: rows,
            (total - 1 - length) * sector: rows,
            (total - 1) * sector: _header(total - 1, 1, first, last, total - 1 - length, crc, sector)}


def damaged(table, offset, at):
    """The same with one byte of the piece at `offset` changed."""
    piece = bytearray(table[offset])
    piece[at] ^= 0x40
    return {**table, offset: bytes(piece)}


def without(table, *offsets):
    return {offset: piece for offset, piece in table.items() if offset not in offsets}

# SPDX-License-Identifier: GPL-2.0-or-later
"""Contents of media that lie, as images, each with the reason it has to be refused for."""

import json
import os
import struct

import tables
from disks import MIB, SECTOR, Disks
from luks import Header

SIZE = 16 * MIB
SECTORS = SIZE // SECTOR
PART = 4096  # sectors of a partition that holds the small volume
A, B, C, D = (MIB * n // SECTOR for n in (1, 4, 7, 10))


class Contents:
    """NAME -> image; every method that has a reason in TABLE makes one."""

    def __init__(self, disks: Disks):
        self.disks = disks
        self.volume = disks.small("volume")
        # Nobody looks at key material; without it an image is small.
        area = Header(self.volume).meta()["keyslots"]["0"]["area"]
        disks.patch(self.volume, int(area["offset"]), bytes(int(area["size"])))

    def make(self, name):
        return getattr(self, name)(name)

    # --- the header of one volume ---

    def header(self, name):
        return Header(self.disks.copy(name, self.volume))

    def edited(self, name, change):
        return self.header(name).edit(change).write()

    def first_copy_damaged(self, name):
        header = self.header(name)
        header.copies[0][5000] ^= 1
        return header.write()

    def second_copy_damaged(self, name):
        header = self.header(name)
        header.copies[1][5000] ^= 1
        return header.write()

    def copies_differ(self, name):
        return self.header(name).edit(lambda m: m["config"].update(flags=["no-read-workqueue"]), copies=[1]).write()

    def header_4_gib(self, name):
        header = self.header(name)
        struct.pack_into(">Q", header.copies[0], 8, 1 << 32)
        return header.sign().write()

    def header_without_end(self, name):
        header = self.header(name)
        struct.pack_into(">Q", header.copies[0], 8, (1 << 64) - 1)
        return header.sign().write()

    def header_larger_than_the_disk(self, name):
        header = self.header(name)
        struct.pack_into(">Q", header.copies[0], 8, 4 * MIB)
        return header.sign().write()

    def json_deep(self, name):
        return self.header(name).set_text(b'{"tokens":' + b"[" * 1000 + b"]" * 1000 + b"}").write()

    def json_huge(self, name):
        path = self.disks.copy(name, self.volume)
        os.truncate(path, 10 * MIB)
        header = Header(path).set_size(4 * MIB)
        meta = header.meta()
        meta["tokens"] = {"0": {"type": "huge", "keyslots": [], "text": "x" * (4 * MIB - 8192)}}
        return header.set_text(json.dumps(meta).encode()).write()

    def json_no_object(self, name):
        return self.header(name).set_text(b"[]").write()

    def json_cut(self, name):
        header = self.header(name)
        return header.set_text(json.dumps(header.meta()).encode()[:-20]).write()

    def data_beyond_the_end(self, name):
        return self.edited(name, lambda m: m["segments"]["0"].update(size=str(1 << 40)))

    def data_with_clear_end(self, name):
        return self.edited(name, lambda m: m["segments"]["0"].update(size=str(512 << 10)))

    def null_cipher(self, name):
        return self.edited(name, lambda m: m["segments"]["0"].update(encryption="cipher_null-ecb"))

    def keyslot_in_the_data(self, name):
        return self.edited(name, lambda m: m["keyslots"]["0"]["area"].update(offset=str(MIB)))

    def no_keyslot(self, name):
        def change(meta):
            meta["keyslots"] = {}
            meta["digests"]["0"]["keyslots"] = []
        return self.edited(name, change)

    def demand_nobody_knows(self, name):
        return self.edited(name, lambda m: m["config"].update(requirements={"mandatory": ["online-reencrypt-v9"]}))

    def file_system_before_the_data(self, name):
        path = self.disks.copy(name, self.volume)
        fat = self.disks.plain(name + "-fat", 512 << 10, partitioned=False)
        self.disks.put(path, 2 * Header(path).size + (256 << 10), fat)
        return path

    def backup_header_alone(self, name):
        """Nothing where the first copy should be: cryptsetup would open it by the second."""
        header = self.header(name)
        header.copies[0][:] = bytes(header.size)
        return header.write()

    # --- partition tables ---

    def table(self, name, table, *starts):
        return self.disks.assemble(name, SIZE, table, {start * SECTOR: self.volume for start in starts})

    def plain_among_four(self, name):
        path = self.table(name, tables.gpt(SECTORS, [(A, PART), (B, PART), (C, PART), (D, PART)]), A, B, D)
        fat = self.disks.plain(name + "-fat", PART * SECTOR, partitioned=False)
        self.disks.put(path, C * SECTOR, fat)
        return path

    def partitions_overlap(self, name):
        return self.table(name, tables.primary((0x83, A, PART), (0x83, A + PART // 2, PART)), A)

    def partition_beyond_the_end(self, name):
        return self.table(name, tables.primary((0x83, A, PART), (0x83, B, 1 << 30)), A, B)

    def extended_cycle(self, name):
        return self.table(name, tables.cyclic(A, SECTORS - A, (A + 2, PART)), A + 2)

    def extended_chain_too_long(self, name):
        parts = [(A + 64 * i + 2, 32) for i in range(40)]
        return self.table(name, tables.logical(A, SECTORS - A, parts))

    def extended_beyond_the_end(self, name):
        return self.table(name, {0: tables.mbr((tables.EXTENDED, A, 1 << 31))})

    def gpt_header_crc(self, name):
        return self.table(name, tables.damaged(tables.gpt(SECTORS, [(A, PART)]), SECTOR, 60), A)

    def gpt_entries_crc(self, name):
        return self.table(name, tables.damaged(tables.gpt(SECTORS, [(A, PART)]), 2 * SECTOR, 60), A)

    def gpt_backup_crc(self, name):
        return self.table(name, tables.damaged(tables.gpt(SECTORS, [(A, PART)]), SIZE - SECTOR, 60), A)

    def gpt_overlap(self, name):
        return self.table(name, tables.gpt(SECTORS, [(A, PART), (A + 2048, PART)]), A)

    def gpt_beyond_the_end(self, name):
        return self.table(name, tables.gpt(SECTORS, [(A, PART), (SECTORS + A, PART)]), A)

    def gpt_and_mbr_differ(self, name):
        return self.table(name, tables.gpt(SECTORS, [(A, PART)], hybrid=[(0x0c, B, PART)]), A)

    def gpt_without_backup(self, name):
        whole = tables.gpt(SECTORS, [(A, PART)])
        return self.table(name, tables.without(whole, SIZE - SECTOR), A)

    def gpt_backup_alone(self, name):
        whole = tables.gpt(SECTORS, [(A, PART)])
        return self.table(name, tables.without(whole, 0, SECTOR), A)

    def table_without_partitions(self, name):
        return self.table(name, tables.gpt(SECTORS, []))

    def file_system_in_a_gap(self, name):
        path = self.table(name, tables.primary((0x83, A, PART)), A)
        fat = self.disks.plain(name + "-fat", 4 * MIB, partitioned=False)
        self.disks.put(path, 8 * MIB, fat)
        return path

    def table_over_a_volume(self, name):
        """A volume on the whole disk with the end of an MBR written over its padding, checksums right."""
        header = self.header(name)
        header.copies[0][446:512] = tables.mbr((0x0c, A // 2, 64))[446:]
        return header.write()


TABLE = [
    ("first_copy_damaged", "header-damaged"),
    ("second_copy_damaged", "header-damaged"),
    ("copies_differ", "header-damaged"),
    ("header_4_gib", "header-damaged"),
    ("header_without_end", "header-damaged"),
    ("header_larger_than_the_disk", "header-damaged"),
    ("json_deep", "header-damaged"),
    ("json_huge", "header-damaged"),
    ("json_no_object", "header-damaged"),
    ("json_cut", "header-damaged"),
    ("data_beyond_the_end", "header-damaged"),
    ("keyslot_in_the_data", "header-damaged"),
    ("no_keyslot", "header-damaged"),
    ("table_over_a_volume", "table-damaged"),
    ("data_with_clear_end", "not-encrypted"),
    ("null_cipher", "not-encrypted"),
    ("backup_header_alone", "not-encrypted"),
    ("demand_nobody_knows", "encryption-not-accepted"),
    ("file_system_before_the_data", "hidden-space"),
    ("plain_among_four", "not-encrypted"),
    ("partitions_overlap", "table-damaged"),
    ("partition_beyond_the_end", "table-damaged"),
    ("extended_cycle", "table-damaged"),
    ("extended_chain_too_long", "too-many-volumes"),
    ("extended_beyond_the_end", "table-damaged"),
    ("gpt_header_crc", "table-damaged"),
    ("gpt_entries_crc", "table-damaged"),
    ("gpt_backup_crc", "table-damaged"),
    ("gpt_overlap", "table-damaged"),
    ("gpt_beyond_the_end", "table-damaged"),
    ("gpt_and_mbr_differ", "table-damaged"),
    ("gpt_without_backup", "table-damaged"),
    ("gpt_backup_alone", "table-damaged"),
    ("table_without_partitions", "not-encrypted"),
    ("file_system_in_a_gap", "hidden-space"),
]

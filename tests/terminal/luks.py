# SPDX-License-Identifier: GPL-2.0-or-later
"""LUKS2 headers in images, read and changed by hand: LUKS2 On-Disk Format Specification 1.1.

    header = Header(image, offset)
    header.edit(lambda meta: meta["segments"]["0"].update(size="512"))   # both copies, right checksums
"""

import hashlib
import json
import struct

CHECKSUM_AT = 448
BINARY = 4096


class Header:
    """The copies of one volume's header; write() puts them back."""

    def __init__(self, image, offset=0):
        self.image, self.offset = image, offset
        with open(image, "rb") as f:
            f.seek(offset + 8)
            self.size = struct.unpack(">Q", f.read(8))[0]
            f.seek(offset)
            self.copies = [bytearray(f.read(self.size)) for _ in range(2)]

    def meta(self, copy=0):
        return json.loads(self.copies[copy][BINARY:].rstrip(b"\0"))

    def set_text(self, text, copies=(0, 1)):
        """Any bytes as the JSON area."""
        assert len(text) <= self.size - BINARY
        for i in copies:
            self.copies[i][BINARY:] = text.ljust(self.size - BINARY, b"\0")
        return self.sign(copies)

    def set_size(self, size):
        """Copies of another size: where the second lies changes with it."""
        for i in (0, 1):
            self.copies[i] = self.copies[i][:size].ljust(size, b"\0")
            struct.pack_into(">Q", self.copies[i], 8, size)
            struct.pack_into(">Q", self.copies[i], 256, i * size)
        self.size = size
        return self

    def edit(self, change, copies=(0, 1)):
        meta = self.meta()
        change(meta)
        return self.set_text(json.dumps(meta).encode(), copies)

    def sign(self, copies=(0, 1)):
        """Right checksums."""
        for i in copies:
            self.copies[i][CHECKSUM_AT:CHECKSUM_AT + 64] = bytes(64)
            self.copies[i][CHECKSUM_AT:CHECKSUM_AT + 32] = hashlib.sha256(self.copies[i]).digest()
        return self

    def write(self):
        with open(self.image, "r+b") as f:
            f.seek(self.offset)
            for copy in self.copies:
                f.write(copy)
        return self.image

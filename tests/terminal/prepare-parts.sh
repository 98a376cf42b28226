# SPDX-License-Identifier: GPL-2.0-or-later
# What prepare.sh here and in tests/image share; sourced.

say() { echo "prepare: $*" >&2; }

# QEMU starts an unpacked kernel directly (PVH): 2.5 s less than unpacking it under emulation.
unpack_kernel() {
	python3 - "$1" "$2" <<'END'
import lzma, sys
packed = open(sys.argv[1], "rb").read()
at = packed.find(b"\xfd7zXZ\0")
data = lzma.LZMADecompressor().decompress(packed[at:]) if at >= 0 else b""
open(sys.argv[2], "wb").write(data if data.startswith(b"\x7fELF") else packed)
END
}

# The host's own Debian sources, and no others: third-party ones have no place in the guest.
debian_sources() {
	{ apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
		'Created-By: Packages' |
	awk '$4 == "Debian" && !seen[$0]++ { print "deb", $1, $2, $3 }'
	} > "$1"
	[ -s "$1" ] || echo "deb http://deb.debian.org/debian bookworm main" > "$1"
}

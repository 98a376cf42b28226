// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/fsmagic.h"

#include <string.h>

#include "core/bytes.h"
#include "core/macro.h"

/* The superblock of many file systems, behind room for a boot block. */
#define SUPER 1024

/* --- second looks: where a magic number is short or missing ----------------------------------- */

static bool power_in(uint32_t value, uint32_t min, uint32_t max)
{
	return value >= min && value <= max && !(value & (value - 1));
}

/* fs/ext4/ext4.h: counts of inodes and blocks, logarithm of the block size, revision. */
static bool is_ext(struct bytes *b)
{
	return bytes_u32_le(b, SUPER) && bytes_u32_le(b, SUPER + 4) &&
	       bytes_u32_le(b, SUPER + 24) <= 6 && bytes_u32_le(b, SUPER + 76) <= 1;
}

/* What the kernel's reader asks of a boot sector (fs/fat/inode.c): not even a signature. */
static bool is_fat(struct bytes *b)
{
	uint8_t media = bytes_u8(b, 21);

	return power_in(bytes_u16_le(b, 11), 512, 4096) && power_in(bytes_u8(b, 13), 1, 128) &&
	       bytes_u16_le(b, 14) && bytes_u8(b, 16) && (media >= 0xf8 || media == 0xf0);
}

/* BitLocker To Go looks like FAT but for this identifier; see bitlocker.h. */
static bool is_bitlocker_to_go(struct bytes *b)
{
	static const uint8_t id[] = {0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a,
				     0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01};

	return bytes_has(b, 424, sizeof(id)) && memcmp(b->data + 424, id, sizeof(id)) == 0;
}

static bool is_xfs(struct bytes *b)
{
	return power_in(bytes_u32_be(b, 4), 512, 65536);
}

/* Allocation blocks of whole sectors, up to 16 MiB. */
static bool is_hfs(struct bytes *b)
{
	uint32_t size = bytes_u32_be(b, SUPER + 20);

	return size && size % 512 == 0 && size <= 16u << 20 && bytes_u16_be(b, SUPER + 18);
}

static bool is_hfsplus(struct bytes *b)
{
	return bytes_u16_be(b, SUPER + 2) == 4 || bytes_u16_be(b, SUPER + 2) == 5;
}

static bool is_apfs(struct bytes *b)
{
	return power_in(bytes_u32_le(b, 36), 4096, 65536);
}

/* fs/minix: bit maps, and zones that are blocks. */
static bool is_minix(struct bytes *b)
{
	return bytes_u16_le(b, SUPER + 4) && bytes_u16_le(b, SUPER + 6) &&
	       !bytes_u16_le(b, SUPER + 10);
}

static bool is_minix3(struct bytes *b)
{
	return power_in(bytes_u16_le(b, SUPER + 28), 1024, 4096) && bytes_u16_le(b, SUPER + 6) &&
	       !bytes_u16_le(b, SUPER + 12);
}

static bool is_affs(struct bytes *b)
{
	return bytes_u8(b, 3) <= 7;
}

static bool is_md1(struct bytes *b)
{
	return bytes_u32_le(b, 4) == 1 || bytes_u32_le(b, 4096 + 4) == 1;
}

/* Four entries, each empty or marked as the kernel wants it, one of them in use. */
static bool is_mbr(struct bytes *b)
{
	bool used = false;

	for (size_t at = 446; at < 510; at += 16) {
		if (bytes_u8(b, at) != 0 && bytes_u8(b, at) != 0x80)
			return false;
		used |= bytes_u32_le(b, at + 12) != 0;
	}
	return used;
}

/* --- the table -------------------------------------------------------------------------------- */

#define MAGIC(text) text, sizeof(text) - 1

static const struct {
	const char *name;
	size_t offset;
	const char *magic;
	size_t len;
	bool (*check)(struct bytes *b);
} magics[] = {
	{"luks", 0, MAGIC("LUKS\xba\xbe"), NULL},
	{"luks", 0, MAGIC("SKUL\xba\xbe"), NULL},
	{"luks", 16384, MAGIC("SKUL\xba\xbe"), NULL},
	{"luks", 32768, MAGIC("SKUL\xba\xbe"), NULL},
	{"luks", 65536, MAGIC("SKUL\xba\xbe"), NULL},
	{"bitlocker", 3, MAGIC("-FVE-FS-"), NULL},
	{"bitlocker", 3, MAGIC("MSWIN4.1"), is_bitlocker_to_go},
	{"ntfs", 3, MAGIC("NTFS    "), NULL},
	{"exfat", 3, MAGIC("EXFAT   "), NULL},
	{"ext", SUPER + 56, MAGIC("\x53\xef"), is_ext},
	{"xfs", 0, MAGIC("XFSB"), is_xfs},
	{"btrfs", 65536 + 64, MAGIC("_BHRfS_M"), NULL},
	{"bcachefs", 4096 + 24,
	 MAGIC("\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"), NULL},
	{"bcachefs", 4096 + 24,
	 MAGIC("\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"), NULL},
	{"f2fs", SUPER, MAGIC("\x10\x20\xf5\xf2"), NULL},
	{"hfsplus", SUPER, MAGIC("H+"), is_hfsplus},
	{"hfsplus", SUPER, MAGIC("HX"), is_hfsplus},
	{"hfs", SUPER, MAGIC("BD"), is_hfs},
	{"apfs", 32, MAGIC("NXSB"), is_apfs},
	{"iso9660", 32768 + 1, MAGIC("CD001"), NULL},
	{"udf", 32768 + 1, MAGIC("BEA01"), NULL},
	{"udf", 32768 + 1, MAGIC("NSR0"), NULL},
	{"squashfs", 0, MAGIC("hsqs"), NULL},
	{"squashfs", 0, MAGIC("sqsh"), NULL},
	{"erofs", SUPER, MAGIC("\xe2\xe1\xf5\xe0"), NULL},
	{"cramfs", 0, MAGIC("\x45\x3d\xcd\x28"), NULL},
	{"cramfs", 512, MAGIC("\x45\x3d\xcd\x28"), NULL},
	{"romfs", 0, MAGIC("-rom1fs-"), NULL},
	{"jfs", 32768, MAGIC("JFS1"), NULL},
	{"reiserfs", 65536 + 52, MAGIC("ReIsEr"), NULL},
	{"reiserfs", 8192 + 52, MAGIC("ReIsErFs"), NULL},
	{"ufs", 8192 + 1372, MAGIC("\x54\x19\x01\x00"), NULL},
	{"ufs", 8192 + 1372, MAGIC("\x19\x01\x54\x19"), NULL},
	{"ufs", 65536 + 1372, MAGIC("\x19\x01\x54\x19"), NULL},
	{"gfs2", 65536, MAGIC("\x01\x16\x19\x70"), NULL},
	{"ocfs2", SUPER, MAGIC("OCFSV2"), NULL},
	{"ocfs2", 2048, MAGIC("OCFSV2"), NULL},
	{"ocfs2", 4096, MAGIC("OCFSV2"), NULL},
	{"ocfs2", 8192, MAGIC("OCFSV2"), NULL},
	{"minix", SUPER + 16, MAGIC("\x7f\x13"), is_minix},
	{"minix", SUPER + 16, MAGIC("\x8f\x13"), is_minix},
	{"minix", SUPER + 16, MAGIC("\x68\x24"), is_minix},
	{"minix", SUPER + 16, MAGIC("\x78\x24"), is_minix},
	{"minix", SUPER + 24, MAGIC("\x5a\x4d"), is_minix3},
	{"hpfs", 8192, MAGIC("\x49\xe8\x95\xf9"), NULL},
	{"qnx6", 8192, MAGIC("\x22\x11\x19\x68"), NULL},
	{"vxfs", SUPER, MAGIC("\xf5\xfc\x01\xa5"), NULL},
	{"bfs", 0, MAGIC("\xce\xfa\xad\x1b"), NULL},
	{"zonefs", 0, MAGIC("SFOZ"), NULL},
	{"affs", 0, MAGIC("DOS"), is_affs},
	{"zfs", 16384 + 20, MAGIC("\0\0\0\7version"), NULL},
	{"swap", 4096 - 10, MAGIC("SWAPSPACE2"), NULL},
	{"swap", 4096 - 10, MAGIC("SWAP-SPACE"), NULL},
	{"swap", 8192 - 10, MAGIC("SWAPSPACE2"), NULL},
	{"swap", 65536 - 10, MAGIC("SWAPSPACE2"), NULL},
	{"lvm2", 0, MAGIC("LABELONE"), NULL},
	{"lvm2", 512, MAGIC("LABELONE"), NULL},
	{"lvm2", 1024, MAGIC("LABELONE"), NULL},
	{"lvm2", 1536, MAGIC("LABELONE"), NULL},
	{"md", 0, MAGIC("\xfc\x4e\x2b\xa9"), is_md1},
	{"md", 4096, MAGIC("\xfc\x4e\x2b\xa9"), is_md1},
	/* After all that may look like it but says more. */
	{"fat", 0, MAGIC(""), is_fat},
	/* Tables of partitions, for blocks of 512 to 4096 bytes. */
	{"gpt", 512, MAGIC("EFI PART"), NULL},
	{"gpt", 1024, MAGIC("EFI PART"), NULL},
	{"gpt", 2048, MAGIC("EFI PART"), NULL},
	{"gpt", 4096, MAGIC("EFI PART"), NULL},
	{"mbr", 510, MAGIC("\x55\xaa"), is_mbr},
};

/* `data` lies `offset` bytes behind the possible beginning, which second looks need. */
static const char *magic_find(const uint8_t *data, size_t len, size_t offset, const char *beside)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		struct bytes b = {.data = data, .len = len};
		size_t at = magics[i].offset - offset;

		if (magics[i].offset < offset || magics[i].len > len || at > len - magics[i].len ||
		    memcmp(data + at, magics[i].magic, magics[i].len) != 0)
			continue;
		if (beside && strcmp(beside, magics[i].name) == 0)
			continue;
		if (!magics[i].check || (!offset && magics[i].check(&b) && bytes_ok(&b)))
			return magics[i].name;
	}
	return NULL;
}

const char *fsmagic_find(const uint8_t *data, size_t len)
{
	return magic_find(data, len, 0, NULL);
}

const char *fsmagic_find_beside(const uint8_t *data, size_t len, const char *beside)
{
	return magic_find(data, len, 0, beside);
}

const char *fsmagic_find_far(const uint8_t *data, size_t len, size_t offset)
{
	return magic_find(data, len, offset, NULL);
}

bool fsmagic_is_table(const char *name)
{
	return strcmp(name, "mbr") == 0 || strcmp(name, "gpt") == 0;
}

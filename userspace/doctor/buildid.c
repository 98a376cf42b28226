// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <string.h>

#include "core/bytes.h"
#include "doctor/buildid.h"

#define NOTE_HEADER_LEN 12

static uint64_t align4(uint64_t n)
{
	return (n + 3) & ~UINT64_C(3);
}

bool buildid_from_notes(struct buildid *id, const uint8_t *data, size_t len)
{
	struct bytes b = {.data = data, .len = len};
	uint64_t off = 0;

	while (bytes_has(&b, off, NOTE_HEADER_LEN)) {
		uint32_t name_len = bytes_u32_le(&b, off), desc_len = bytes_u32_le(&b, off + 4);
		uint32_t type = bytes_u32_le(&b, off + 8);
		uint64_t name = off + NOTE_HEADER_LEN, desc = name + align4(name_len);

		if (!bytes_has(&b, name, name_len) || !bytes_has(&b, desc, desc_len))
			return false;
		if (type == NT_GNU_BUILD_ID && name_len == 4 && !memcmp(data + name, "GNU", 4) &&
		    desc_len && desc_len <= BUILDID_MAX) {
			memcpy(id->bytes, data + desc, desc_len);
			id->len = desc_len;
			return true;
		}
		off = desc + align4(desc_len);
	}
	return false;
}

bool buildid_from_elf(struct buildid *id, const uint8_t *data, size_t len)
{
	struct bytes b = {.data = data, .len = len};
	uint64_t sections;
	uint16_t size, n;

	if (!bytes_has(&b, 0, sizeof(Elf64_Ehdr)) || memcmp(data, ELFMAG, SELFMAG) ||
	    data[EI_CLASS] != ELFCLASS64 || data[EI_DATA] != ELFDATA2LSB)
		return false;
	sections = bytes_u64_le(&b, offsetof(Elf64_Ehdr, e_shoff));
	size = bytes_u16_le(&b, offsetof(Elf64_Ehdr, e_shentsize));
	n = bytes_u16_le(&b, offsetof(Elf64_Ehdr, e_shnum));
	if (size < sizeof(Elf64_Shdr) || sections > len)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = sections + i * size, off, bytes;

		if (!bytes_has(&b, at, sizeof(Elf64_Shdr)))
			return false;
		if (bytes_u32_le(&b, at + offsetof(Elf64_Shdr, sh_type)) != SHT_NOTE)
			continue;
		off = bytes_u64_le(&b, at + offsetof(Elf64_Shdr, sh_offset));
		bytes = bytes_u64_le(&b, at + offsetof(Elf64_Shdr, sh_size));
		if (bytes_has(&b, off, bytes) && buildid_from_notes(id, data + off, bytes))
			return true;
	}
	return false;
}

bool buildid_equal(const struct buildid *a, const struct buildid *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The build id: a hash that the linker puts into a note of type NT_GNU_BUILD_ID, owner "GNU", of
 * each kernel module. The kernel shows that of a loaded one in
 * /sys/module/NAME/notes/.note.gnu.build-id, the file has it in a section (ELF-64, little-endian:
 * System V gABI, chapters 4 and 5). Pure; every offset is checked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SHA-1 has 20 bytes; a linker may be told another one. */
#define BUILDID_MAX 64

struct buildid {
	uint8_t bytes[BUILDID_MAX];
	size_t len;
};

/* Out of a note section's bytes. False if there is none. */
bool buildid_from_notes(struct buildid *id, const uint8_t *data, size_t len);

/* Out of an ELF file. False if there is none, or it is no such file. */
bool buildid_from_elf(struct buildid *id, const uint8_t *data, size_t len);

bool buildid_equal(const struct buildid *a, const struct buildid *b);

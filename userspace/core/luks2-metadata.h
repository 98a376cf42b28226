/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON area of a LUKS2 header: specification 1.1, section 3. A part of luks2.c, which has
 * checked the binary header around it; see luks2.h for what passes.
 *
 * Every number of objects, depth of nesting and length of text has a maximum, so that the worst
 * area costs little memory. What json-c forgives and what the reference implementation, which uses
 * json-c as well, forgives is the same: a member that is there twice counts as its last one.
 */
#pragma once

#include "core/luks2.h"

/*
 * `area` holds `len` bytes of a volume of `size` bytes; more->hdr_size is set. Fills in the rest of
 * *out and *more. 0, VOLUME_E_JSON, _METADATA, _REQUIREMENT, _CLEAR, _CAPACITY, _MARK, or -ENOMEM;
 * then they are half filled.
 */
int luks2_metadata_parse(const uint8_t *area, size_t len, uint64_t size, struct volume *out,
			 struct luks2 *more, char detail[static VOLUME_DETAIL_MAX]);

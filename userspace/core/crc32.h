/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRC-32 as GPT (UEFI 2.10, section 5.3.2) and BitLocker's metadata have it: the one of ISO 3309
 * and Ethernet, reflected, polynomial 0x04c11db7, beginning and ending with an inversion.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_sum(const uint8_t *data, size_t len);

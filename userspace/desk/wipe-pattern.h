/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a medium is overwritten with: a key stream (ChaCha20) that depends on the place, of a key
 * that is thrown away. Every block of a disk gets other bytes, and what ought to be read back can
 * be said of each: a stick that pretends to be larger than it is, or that keeps old data, is found
 * out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WIPE_PATTERN_KEY_SIZE 32
#define WIPE_PATTERN_ALIGN 64

/* The bytes at `offset`, which is a multiple of WIPE_PATTERN_ALIGN. */
void wipe_pattern(const uint8_t key[static WIPE_PATTERN_KEY_SIZE], uint64_t offset, uint8_t *out,
		  size_t len);

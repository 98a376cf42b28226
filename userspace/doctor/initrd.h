/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in an initramfs: cpio archives one after the other, padded with zeros, the later ones
 * compressed by gzip, xz or zstd (as mkinitramfs makes them: microcode first, in the clear).
 * Streams the packed bytes.
 */
#pragma once

#include "doctor/cpio.h"

/* What one may unpack to; a larger one is refused, so that a bomb ends. */
#define INITRD_UNPACKED_MAX (UINT64_C(2) << 30)

enum {
	INITRD_E_COMPRESSION = 1, /* a compression that is not read here */
	INITRD_E_DAMAGED = 2,     /* ends early, or is no initramfs */
	INITRD_E_LARGE = 3,       /* unpacks to more than INITRD_UNPACKED_MAX */
};

/* 0 after the last archive, INITRD_E_…, -ENOMEM. What was found before an error was given. */
int initrd_read(const uint8_t *data, size_t len, cpio_name_fn found, cpio_data_fn contents,
		void *userdata);

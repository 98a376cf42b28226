/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device that rules are held against, in unit tests and by the fuzzer. */
#pragma once

#include "core/ident.h"

#define SAMPLE_NOW INT64_C(1795000000) /* 2026-11-18T11:06:40, a Wednesday */

/* A stick that talks bulk-only and UAS, and types. */
static const struct ident sample_device = {
	.name = "1-2.3",
	.id_vendor = 0x1234,
	.id_product = 0xabcd,
	.serial = "5A00-0017",
	.manufacturer = "Sakura",
	.product = "USB DISK 3.0",
	.connect_type = "hotplug",
	.fingerprint = "blake2b:00112233445566778899aabbccddeeff",
	.hash = "Zm9v",
	.parent_hash = "YmFy",
	.n_types = 3,
	.types = {{0x08, 0x06, 0x50, 0}, {0x08, 0x06, 0x62, 0}, {0x03, 0x01, 0x01, 1}},
};

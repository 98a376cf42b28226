/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The USB descriptors of a device as sysfs gives them (`descriptors`: the device descriptor, then each
 * configuration with all that follows it; USB 2.0, 9.5 and 9.6). The bytes are the device's own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/ident.h"

/* 8 configurations (USB_MAXCONFIG) of at most 64 KiB would be more; no honest device comes near. */
#define DESCRIPTORS_MAX 65536

/*
 * Fills ident->types. 0; -EBADMSG if a descriptor's length leads out of the bytes or is below 2;
 * -E2BIG if there are more interface descriptors than IDENT_TYPES_MAX. After an error none are there.
 */
int descriptors_types(const uint8_t *bytes, size_t len, struct ident *ident);

/*
 * USBGuard's hash of a device, so that rules written by it still match: SHA-256 over the product
 * string, idVendor and idProduct as four hexadecimal digits each, the serial number, and the descriptors
 * (bcdDevice of Linux's own root hubs counts as zero), in base 64. The strings are taken as the
 * device sent them. Writes "" for descriptors that are not whole.
 */
void descriptors_usbguard_hash(const char *product, uint16_t id_vendor, uint16_t id_product,
			       const char *serial, const uint8_t *bytes, size_t len,
			       char out[static IDENT_HASH_MAX]);

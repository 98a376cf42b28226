/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who a USB device says it is: ids, strings and interfaces, as the kernel shows them in sysfs.
 * Everything here was written by the device and proves nothing by itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A USB string descriptor holds at most 126 UTF-16 units; each takes at most 3 bytes of UTF-8. */
#define IDENT_STRING_MAX (126 * 3 + 1)
/* bNumInterfaces may be 255, but the kernel takes 32 at most (USB_MAXINTERFACES). */
#define IDENT_INTERFACES_MAX 32
/* "usb" topology names: bus, port and up to six hub ports: "12-1.2.3.4.5.6". */
#define IDENT_NAME_MAX 32
/* "blake2b:" and 32 hexadecimal digits. */
#define IDENT_FINGERPRINT_MAX 48

struct ident_interface {
	uint8_t number; /* bInterfaceNumber */
	uint8_t class;	/* of alternate setting 0 */
	uint8_t subclass;
	uint8_t protocol;
};

/* Interface descriptors of all configurations and alternate settings. More than this is refused. */
#define IDENT_TYPES_MAX 256
/* Base 64 of a SHA-256. */
#define IDENT_HASH_MAX 48

struct ident_type {
	uint8_t class;
	uint8_t subclass;
	uint8_t protocol;
	uint8_t number; /* bInterfaceNumber of the interface that it is a setting of */
};

struct ident {
	char name[IDENT_NAME_MAX]; /* sysfs name of the device, "1-2.3"; the port path */
	uint16_t busnum;
	uint16_t devnum;
	uint16_t id_vendor;
	uint16_t id_product;
	uint16_t bcd_device;
	char serial[IDENT_STRING_MAX]; /* valid UTF-8 (see ident_set_string), may be empty */
	char manufacturer[IDENT_STRING_MAX];
	char product[IDENT_STRING_MAX];
	char connect_type[16]; /* "hotplug", "hardwired", "not used", "unknown" or "" */
	char fingerprint[IDENT_FINGERPRINT_MAX]; /* see ident_fingerprint(); "" before it is known */
	/* What USBGuard's rules call hash and parent-hash; see core/descriptors.h. */
	char hash[IDENT_HASH_MAX];
	char parent_hash[IDENT_HASH_MAX];
	/* Of the active configuration, as the gate tells of them. */
	unsigned int n_interfaces;
	struct ident_interface interfaces[IDENT_INTERFACES_MAX];
	/* Of all descriptors, in their order; what with-interface is about. */
	bool malformed; /* the descriptors are not whole; `types` is empty */
	unsigned int n_types;
	struct ident_type types[IDENT_TYPES_MAX];
};

/*
 * Copies a string that came from a device into a field of IDENT_STRING_MAX bytes: cut at a
 * character boundary if too long, bytes that are not UTF-8 replaced by U+FFFD. Control characters
 * stay as they are: they are part of the identity and are escaped where text is shown.
 */
void ident_set_string(char field[static IDENT_STRING_MAX], const char *text);

/*
 * The fingerprint: BLAKE2b-128 (RFC 7693, by libsodium) over the version octet 1 and then the
 * fields vendor, product, bcdDevice, manufacturer, product string, serial, and the interface triples
 * in order, each preceded by its length in bytes as a 32-bit little-endian number. bcdUSB, speed and
 * port are left out, so that the same stick has the same fingerprint in every port.
 * Writes "blake2b:<32 hex digits>".
 */
void ident_fingerprint(const struct ident *ident, char out[static IDENT_FINGERPRINT_MAX]);

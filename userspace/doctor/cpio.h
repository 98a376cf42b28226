/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and contents in a cpio archive of the form that the kernel unpacks as an initramfs
 * (Documentation/driver-api/early-userspace/ buffer-format.rst: "newc" and "crc", 070701 and
 * 070702), fed piece by piece as it comes out of a decompressor. Pure: hostile bytes end in
 * CPIO_BAD, and memory stays as it is.
 *
 *	HEADER ──► NAME ──► PAD ──► DATA ──► PAD ──► HEADER …      "TRAILER!!!" ► END
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPIO_HEADER_LEN 110
/* PATH_MAX; the kernel takes no longer ones. */
#define CPIO_NAME_MAX 4096

enum cpio_state {
	CPIO_HEADER,
	CPIO_NAME,
	CPIO_PAD,  /* zeros after the name or after the data */
	CPIO_DATA,
	CPIO_END,  /* the trailer was there; the rest is another archive's or padding */
	CPIO_BAD,
};

/* Once for each entry but the trailer. True: its contents are wanted. */
typedef bool (*cpio_name_fn)(void *userdata, const char *name);
/* The next bytes of what was wanted. */
typedef void (*cpio_data_fn)(void *userdata, const void *data, size_t len);

struct cpio {
	enum cpio_state state;
	cpio_name_fn found;
	cpio_data_fn contents; /* may be NULL */
	void *userdata;
	bool wanted;        /* the entry's contents */
	uint32_t left;      /* bytes of data that are still to come */
	size_t pad;         /* … and of the padding before what comes next */
	size_t data_pad;    /* of the padding after the data */
	size_t name_size;   /* with its NUL */
	size_t used;      /* of the buffer */
	char buffer[CPIO_NAME_MAX];
};

void cpio_init(struct cpio *cpio, cpio_name_fn found, cpio_data_fn contents, void *userdata);

/* Takes up to len bytes; returns how many: fewer only at CPIO_END and CPIO_BAD. */
size_t cpio_feed(struct cpio *cpio, const void *data, size_t len);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk that a command is about: a whole block device, or an image file that stands for one.
 *Opening a target for writing makes sure that nothing else in the machine uses it, and keeps other
 *desks and udev away until it is closed:
 *
 *	block device   flock() of the node (systemd's block device locking), opened O_EXCL meanwhile
 *	image file     a lock of the open file description on all of it; libcryptsetup flock()s the
 *file itself
 *
 * The exclusive open ends with target_share(), because dm-crypt and libcryptsetup make one of their
 *own. A mapping that a desk left behind when it was killed is closed by the next that opens the
 *same target.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/ident.h"
#include "core/macro.h"

enum {
	TARGET_E_ABSENT = 1,    /* no such file */
	TARGET_E_KIND = 2,      /* neither a block device nor a regular file */
	TARGET_E_PARTITION = 3, /* part of a disk: the disk's node is in `detail` */
	TARGET_E_SYSTEM = 4,    /* the running system is on it; detail: the mount point */
	TARGET_E_MOUNTED = 5,   /* detail: the mount point */
	TARGET_E_SWAP = 6,      /* in use as swap */
	TARGET_E_HELD = 7,      /* part of a mapping, a RAID …; detail: of which */
	TARGET_E_BUSY = 8,      /* somebody has it open exclusively */
	TARGET_E_LOCKED = 9,    /* another desk, or udev, is at it */
	TARGET_E_FIXED = 10,    /* built in, and that was not asked for */
	TARGET_E_READ_ONLY = 11,
	TARGET_E_SIZE = 12,     /* too small, or not a multiple of its block */
	TARGET_E_EMPTY = 13,    /* a reader without a medium */
	TARGET_E_IDENTITY = 14, /* no USB device: ids and serial number must be said */
	TARGET_E_NAMED =
		15, /* a USB device, whose ids and serial number cannot be said otherwise */
	TARGET_E_TEXT =
		16, /* its serial number or an option holds what cannot be written in a mark */
};

/* LUKS2's header takes 16 MiB; what is smaller holds no file system worth having. */
#define TARGET_SIZE_MIN ((uint64_t)32 << 20)

#define TARGET_DETAIL_MAX 256
#define TARGET_MAPPING_MAX 64

struct target_request {
	const char *path;
	bool write;          /* false: only to look; then nothing but its kind is asked */
	bool fixed_ok;       /* a disk that is built in may be meant */
	bool empty_ok;       /* a device that shows nothing before it is unlocked; to look only */
	const char *id;      /* "1234:abcd" of what is not on USB; or NULL */
	const char *serial;  /* … */
	const char *product; /* … */
};

struct target {
	char *path; /* as given */
	char *node; /* without links */
	bool image;
	bool usb; /* its ids are those of a USB device */
	bool identified;
	int fd;         /* read-write with `write` */
	int lock;       /* the descriptor that the lock is on, or -1 */
	dev_t device;   /* of the node, or of the file system of the image */
	ino_t inode;    /* of the image */
	uint64_t size;  /* bytes */
	uint32_t block; /* bytes of a logical block */
	uint16_t id_vendor;
	uint16_t id_product;
	char serial[IDENT_STRING_MAX];
	char product[2 * IDENT_STRING_MAX]; /* maker and model, for people */
	char mapping[TARGET_MAPPING_MAX];   /* the name of its temporary mapping */
	char detail[TARGET_DETAIL_MAX];
};

/* 0 and *targetp, or an outcome or negative errno with detail (TARGET_DETAIL_MAX bytes) set. */
int target_open(const struct target_request *request, struct target **targetp,
		char detail[static TARGET_DETAIL_MAX]);

/* Closes its mapping too, if one is left. */
struct target *target_close(struct target *target);
DEFINE_CLEANUP(struct target *, target_close)

/*
 * Ends the exclusive open; the lock stays. Whoever opens the device now is seen by
 * target_exclude(), the opposite, which takes it back: 0 or TARGET_E_BUSY.
 */
int target_share(struct target *target);
int target_exclude(struct target *target);

/* Makes what is read from now on come from the device, not from memory. 0 or a negative errno. */
int target_flush(struct target *target);

/* Whole transfers. -EIO also at the end of the device. */
int target_read(const struct target *target, uint64_t offset, void *data, size_t len);
int target_write(const struct target *target, uint64_t offset, const void *data, size_t len);

/* One sentence that says what is wrong and what to do about it. `code` as from target_open(). */
const char *target_error(int code);

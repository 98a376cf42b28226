/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening and closing an encrypted volume: libcryptsetup, and the few requests to device mapper
 * (linux/dm-ioctl.h) that it does not offer. The mapping is private: udev makes its node, and nothing
 * probes it or acts on it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CRYPTOPEN_DETAIL_MAX 160

struct cryptopen {
	const char *node; /* of the volume */
	const char *mapping;
	const char *method; /* "luks2", "luks1", "bitlocker" */
	const char *uuid;   /* that the header must have */
	const char *cipher; /* … and the cipher, as dm-crypt writes it; NULL: not looked at */
	bool read_only;
};

enum {
	CRYPTOPEN_E_PASSPHRASE = 1, /* opens no keyslot */
	CRYPTOPEN_E_HEADER = 2,	    /* no such header there, or one that is not understood */
	CRYPTOPEN_E_UUID = 3,	    /* another volume than the one that was asked for */
	CRYPTOPEN_E_EXISTS = 4,	    /* there is a mapping of that name */
	CRYPTOPEN_E_GONE = 5,	    /* the device has been unplugged, or cannot be read */
	CRYPTOPEN_E_MEMORY = 6,	    /* the key's derivation needs more memory than there is */
	CRYPTOPEN_E_ABSENT = 7,	    /* there is no mapping of that name */
	CRYPTOPEN_E_BUSY = 8,	    /* somebody uses the mapping */
};

/*
 * Makes the mapping; *devno is its device number. `detail` gets what the library says of an error. The
 * passphrase stays the caller's to wipe.
 */
int cryptopen_activate(const struct cryptopen *volume, const char *passphrase, size_t len,
		       dev_t *devno, char detail[static CRYPTOPEN_DETAIL_MAX]);

/* The device number of a mapping. 0, CRYPTOPEN_E_ABSENT or a negative errno. */
int cryptopen_find(const char *mapping, dev_t *devno);

/* Takes away a mapping that nobody uses. 0, CRYPTOPEN_E_ABSENT, CRYPTOPEN_E_BUSY or a negative errno. */
int cryptopen_deactivate(const char *mapping);

/*
 * Takes it away from whoever uses it: what is written or read from then on fails, the key leaves the kernel, the
 * medium is free. If somebody still holds the dead mapping it goes with the last of them.
 */
int cryptopen_kill(const char *mapping);

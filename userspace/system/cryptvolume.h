/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An encrypted volume on a block device or in an image file, by libcryptsetup: formatting LUKS2,
 * keyslots, the mark's token, opening and closing. LUKS1 and BitLocker volumes are read and opened,
 * never written.
 *
 * One handle for one device; not for several threads. Passphrases are bytes with a length and stay
 * the caller's, who keeps them in locked memory and wipes them. A handle that has formatted knows
 * the volume key until it is freed.
 *
 * libcryptsetup serialises changes of a LUKS2 header itself; whether the device is anybody else's
 * business (mounted, in use) is for the caller to have asked. Nothing here may run beside an
 * exclusive open (O_EXCL) of the same node, or a flock() of the same image file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/encryption.h"
#include "core/macro.h"
#include "core/mark.h"

/* Outcomes, beside 0 and a negative errno; cryptvolume_message() has libcryptsetup's own words. */
enum {
	CRYPTVOLUME_E_NONE = 1, /* no volume of a known method, or one whose header is damaged */
	CRYPTVOLUME_E_PASSPHRASE = 2, /* opens no keyslot */
	CRYPTVOLUME_E_KDF = 3,        /* costs below the floor */
	CRYPTVOLUME_E_MARK = 4,       /* no mark, more than one, or one that is malformed */
	CRYPTVOLUME_E_BUSY = 5,       /* the mapping is in use, or the name is taken */
	CRYPTVOLUME_E_METHOD = 6,     /* not for this method of encryption */
	CRYPTVOLUME_E_DIGEST = 7,     /* no single digest holds for all of the data */
};

/* Costs of argon2id. Weaker than the floor is refused; beyond the ceiling weak terminals cannot
 * open it. */
struct cryptvolume_kdf {
	uint32_t memory_kib;
	uint32_t iterations;
	uint32_t threads;
};

#define CRYPTVOLUME_KDF_MEMORY_MIN ((uint32_t)32 << 10)
#define CRYPTVOLUME_KDF_MEMORY_MAX ((uint32_t)1 << 20)
#define CRYPTVOLUME_KDF_ITERATIONS_MIN 4
#define CRYPTVOLUME_KDF_ITERATIONS_MAX 64
#define CRYPTVOLUME_KDF_THREADS_MAX 4

/* 256 MiB, 4 passes, 4 threads: about a second on the slowest terminals that are still in use. */
#define CRYPTVOLUME_KDF_DEFAULT                                                                    \
	{                                                                                          \
		.memory_kib = (uint32_t)256 << 10, .iterations = 4, .threads = 4                   \
	}

bool cryptvolume_kdf_ok(const struct cryptvolume_kdf *kdf);

struct cryptvolume_params {
	const char *uuid;           /* NULL: a random one */
	const char *label;          /* NULL: none */
	uint32_t sector_size;       /* of the encryption: 512 or 4096 */
	struct cryptvolume_kdf kdf; /* of every keyslot that this handle adds */
};

struct cryptvolume;

/* Takes the path of a block device or of an image file; reads nothing yet. */
int cryptvolume_new(const char *path, struct cryptvolume **volume);
struct cryptvolume *cryptvolume_free(struct cryptvolume *volume);
DEFINE_CLEANUP(struct cryptvolume *, cryptvolume_free)

/* libcryptsetup's last complaint, one line; "" if it had none. Not escaped. */
const char *cryptvolume_message(const struct cryptvolume *volume);

/*
 * Writes LUKS2 over the device, aes-xts-plain64 with a 512-bit key, without any keyslot: nobody
 * can open it yet. 0, CRYPTVOLUME_E_KDF.
 */
int cryptvolume_format(struct cryptvolume *volume, const struct cryptvolume_params *params);

/*
 * Writes a LUKS2 header anew that says the same: its sequence number, salt and checksum become
 * others. Of a handle that has formatted or loaded. 0, CRYPTVOLUME_E_METHOD.
 */
int cryptvolume_renew(struct cryptvolume *volume);

/* Reads the header that is there: LUKS2, LUKS1 or BitLocker. 0 or CRYPTVOLUME_E_NONE. */
int cryptvolume_load(struct cryptvolume *volume);

enum encryption cryptvolume_method(const struct cryptvolume *volume);
const char *cryptvolume_uuid(const struct cryptvolume *volume);
uint64_t cryptvolume_data_offset(
	const struct cryptvolume *volume); /* bytes; what lies before is header and keyslots */
uint32_t cryptvolume_sector_size(const struct cryptvolume *volume);
/* Is all of the device behind the header encrypted under the one volume key, up to its end? LUKS
 * only. */
bool cryptvolume_covers(struct cryptvolume *volume);
unsigned int cryptvolume_keyslots(const struct cryptvolume *volume); /* that are in use */

/* Adds a keyslot, with the handle that has formatted. Its number, or negative. */
int cryptvolume_key_add(struct cryptvolume *volume, const void *passphrase, size_t len);

/* Which keyslot does it open? Its number, negative, or through *outcome CRYPTVOLUME_E_PASSPHRASE.
 */
int cryptvolume_key_try(struct cryptvolume *volume, const void *passphrase, size_t len, int *slot);

/*
 * Destroys every keyslot, their key material overwritten; *n: how many there were. LUKS only. After
 * this nothing opens the volume, whoever knows a passphrase.
 */
int cryptvolume_keys_destroy(struct cryptvolume *volume, unsigned int *n);

/* What binds a mark to this volume (core/mark.h). 0, CRYPTVOLUME_E_METHOD, _DIGEST. */
int cryptvolume_binding(struct cryptvolume *volume, uint8_t binding[static MARK_BINDING_SIZE]);

/* 0, CRYPTVOLUME_E_MARK, _METHOD. Setting replaces the mark that is there, other tokens stay. */
int cryptvolume_mark_get(struct cryptvolume *volume, struct mark *mark);
int cryptvolume_mark_set(struct cryptvolume *volume, const struct mark *mark);

enum {
	CRYPTVOLUME_READ_ONLY = 1 << 0,
	CRYPTVOLUME_PRIVATE =
		1 << 1, /* udev's rules leave the mapping alone: nothing probes or mounts it */
	CRYPTVOLUME_DISCARD = 1 << 2, /* discards pass through */
};

/* Opens as /dev/mapper/NAME. 0, CRYPTVOLUME_E_PASSPHRASE, _BUSY. */
int cryptvolume_activate(struct cryptvolume *volume, const char *name, const void *passphrase,
			 size_t len, unsigned int flags);

/*
 * Closes a mapping, whoever opened it; 0 also if there is none. CRYPTVOLUME_E_BUSY while it is in
 * use. Waits a moment for those that only look (udev).
 */
int cryptvolume_deactivate(const char *name);

/* What a positive code means, as the end of a sentence. */
const char *cryptvolume_error(int code);

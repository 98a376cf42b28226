/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes an encrypted medium of a target, in this order:
 *
 *	UNTOUCHED ── old signatures erased ──► ERASED ── LUKS2, keyslots ──► ENCRYPTED
 *	  ── file system ──► FILLED ── everything read back ──► PROVED ── mark, read back ──► MARKED
 *
 * Killed anywhere before MARKED it is no medium of the desk's: nothing lets it in. Every step
 *begins anew on the next run. The temporary mapping is closed before the functions return, and by
 *the next desk if this one is killed.
 */
#pragma once

#include "core/mark.h"
#include "core/volume.h"
#include "desk/filesystem.h"
#include "desk/progress.h"
#include "desk/target.h"
#include "system/cryptvolume.h"

enum format_state {
	FORMAT_UNTOUCHED,
	FORMAT_ERASED,
	FORMAT_ENCRYPTED,
	FORMAT_FILLED,
	FORMAT_PROVED,
	FORMAT_MARKED,
};

/* Beside a negative errno. What went wrong stands in detail. */
enum {
	FORMAT_E_FAILED = 1,  /* a tool or libcryptsetup failed */
	FORMAT_E_PROOF = 2,   /* what was read back is not what was written: a bad medium */
	FORMAT_E_STOPPED = 3, /* somebody asked for it */
	FORMAT_E_USED = 4,    /* somebody began to use the device meanwhile */
};

#define FORMAT_KEYS_MAX 3
#define FORMAT_DETAIL_MAX 512
#define FORMAT_STEPS 5      /* of progress, without discarding and overwriting */
#define FORMAT_MARK_STEPS 1 /* of format_mark() */

struct format_key {
	const char *passphrase; /* the caller's, in locked memory */
};

struct format {
	struct target *target;
	struct progress *progress;
	const char *label; /* of LUKS2 and of the file system: filesystem_label_ok(), or "" */
	enum filesystem filesystem;
	struct cryptvolume_kdf kdf;
	bool overwrite;                          /* everything with random bytes first */
	bool discard;                            /* everything first, as far as the device can */
	struct format_key keys[FORMAT_KEYS_MAX]; /* the first opens it for the file system */
	size_t n_keys;
	/* What comes out. */
	enum format_state state;
	char uuid[VOLUME_UUID_MAX];
	uint8_t binding[MARK_BINDING_SIZE];
	char detail[FORMAT_DETAIL_MAX];
};

/* Up to PROVED; the UUID is random unless it is set before. The target was opened for writing. */
int format_run(struct format *format);

/* Writes the signed mark, and proves it with the public key. */
int format_mark(struct format *format, const struct mark *mark,
		const uint8_t key[static MARK_KEY_SIZE]);

/* One sentence on what may be done with a medium that was left in this state. */
const char *format_state_text(enum format_state state);

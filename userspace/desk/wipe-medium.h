/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a medium unreadable for ever, and proves it. Two ways:
 *
 *	keys       for a LUKS volume over the whole disk: every keyslot destroyed, then the header
 *and all of the keyslots' area overwritten. What was ever written through the volume is ciphertext
 *		   without a key.
 *	overwrite  for anything: every block overwritten, random samples read back.
 *
 * Order for `keys`, so that a run that was killed can be taken up: keyslots first, the first
 * block of the header last; up to then the volume is recognised and the next run goes on.
 *Afterwards the first and the last MiB are zero: nothing recognises anything on the disk.
 */
#pragma once

#include "core/volume.h"
#include "desk/progress.h"
#include "desk/target.h"
#include "desk/wipe-area.h"

enum wipe_way {
	WIPE_WAY_KEYS,
	WIPE_WAY_OVERWRITE,
};

/* Beside a negative errno. What went wrong stands in detail. */
enum {
	WIPE_E_FAILED = 1,
	WIPE_E_PROOF =
		2, /* what was read back is not what was written: it must be destroyed physically */
	WIPE_E_STOPPED = 3, /* somebody asked for it */
	WIPE_E_PLAIN = 4,   /* no volume whose keys could be destroyed; nothing was done */
};

#define WIPE_DETAIL_MAX 512
#define WIPE_SAMPLES 1024
#define WIPE_DIGEST_SIZE 32

struct wipe {
	struct target *target;
	struct progress *progress;
	bool overwrite;
	bool discard;
	/* What comes out. */
	enum wipe_way way;
	bool begun;             /* something was destroyed */
	enum encryption method; /* that was found; 0 none */
	char uuid[VOLUME_UUID_MAX];
	unsigned int keyslots; /* that were destroyed */
	uint64_t header_size;  /* bytes that were overwritten and read back from the start */
	bool discarded;
	unsigned int samples;             /* of WIPE_SAMPLE bytes that were read back */
	uint8_t digest[WIPE_DIGEST_SIZE]; /* BLAKE2b over each sample's place (u64 little-endian)
					     and bytes */
	char detail[WIPE_DETAIL_MAX];
};

/* Finds out what is there and which way it will be; destroys nothing. 0 or WIPE_E_PLAIN. */
int wipe_medium_look(struct wipe *wipe);

/* How many steps of progress it will be. */
unsigned int wipe_medium_steps(const struct wipe *wipe);

int wipe_medium(struct wipe *wipe);

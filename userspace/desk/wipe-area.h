/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Overwriting areas of a target, and reading them back. Areas begin and end at whole blocks. Both
 * show their progress and stop when they are interrupted (-EINTR).
 */
#pragma once

#include <stdint.h>

#include "desk/progress.h"
#include "desk/target.h"
#include "desk/wipe-pattern.h"

enum wipe_filling {
	WIPE_ZERO,
	WIPE_RANDOM, /* the pattern of the key */
};

/* Bytes of one sample that is read back. */
#define WIPE_SAMPLE 4096

struct wipe_area {
	struct target *target;
	struct progress *progress; /* or NULL */
	uint8_t key[WIPE_PATTERN_KEY_SIZE];
};

void wipe_area_pick_key(struct wipe_area *area);
void wipe_area_forget(struct wipe_area *area);

/* Writes, and waits until the device has it. */
int wipe_area_write(struct wipe_area *area, uint64_t offset, uint64_t size,
		    enum wipe_filling filling);

/*
 * Does the area hold what was written? Read from the device, not from memory, if target_flush() was
 * called before. 0, -EILSEQ if it does not (*at: where), or another negative errno.
 */
int wipe_area_verify(struct wipe_area *area, uint64_t offset, uint64_t size,
		     enum wipe_filling filling, uint64_t *at);

/*
 * Tells the device that nothing in the area is needed: BLKSECDISCARD, else BLKDISCARD; for an
 * image, holes. 0, or -EOPNOTSUPP. What is read afterwards is up to the device: no proof of
 * anything.
 */
int wipe_area_discard(struct wipe_area *area, uint64_t offset, uint64_t size);

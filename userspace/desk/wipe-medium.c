// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/wipe-medium.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "desk/target-contents.h"
#include "system/cryptvolume.h"

#define MIB ((uint64_t)1 << 20)
/* A LUKS header is smaller (LUKS2's default is 16 MiB); an earlier one may have had another size.
 */
#define HEADER_MIN (32 * MIB)
/* The primary header's binary part: what a volume is recognised by. */
#define FIRST_BLOCK 4096

_printf_(3, 4) static int fail(struct wipe *wipe, int code, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vsnprintf(wipe->detail, sizeof(wipe->detail), text, args);
	va_end(args);
	return code;
}

static int fail_errno(struct wipe *wipe, int r, uint64_t at)
{
	if (r == -EINTR || progress_interrupted())
		return WIPE_E_STOPPED;
	if (r == -EILSEQ)
		return fail(wipe, WIPE_E_PROOF,
			    _("byte %llu and what follows does not keep what is written"),
			    (unsigned long long)at);
	return fail(wipe, r, "%s", target_error(r));
}

static int fail_volume(struct wipe *wipe, const struct cryptvolume *volume, int r)
{
	const char *message = volume ? cryptvolume_message(volume) : "";

	return fail(wipe, WIPE_E_FAILED, "%s",
		    *message ? message
		    : r > 0  ? i18n(cryptvolume_error(r))
			     : i18n_error(-r));
}

static int begin_step(struct wipe *wipe, const char *text)
{
	if (progress_interrupted())
		return WIPE_E_STOPPED;
	progress_step(wipe->progress, text);
	return 0;
}

int wipe_medium_look(struct wipe *wipe)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	uint64_t offset = 0;
	int r = cryptvolume_new(wipe->target->node, &volume);

	if (r)
		return fail_volume(wipe, volume, r);
	wipe->way = WIPE_WAY_OVERWRITE;
	r = cryptvolume_load(volume);
	if (r < 0)
		return fail_volume(wipe, volume, r);
	if (!r) {
		wipe->method = cryptvolume_method(volume);
		snprintf(wipe->uuid, sizeof(wipe->uuid), "%s", cryptvolume_uuid(volume));
		if (cryptvolume_covers(volume)) {
			wipe->way = WIPE_WAY_KEYS;
			offset = cryptvolume_data_offset(volume);
		}
	}
	wipe->header_size = offset > HEADER_MIN ? offset : HEADER_MIN;
	if (wipe->header_size > wipe->target->size)
		wipe->header_size = wipe->target->size;
	if (wipe->overwrite)
		wipe->header_size = wipe->target->size;
	else if (wipe->way != WIPE_WAY_KEYS)
		return WIPE_E_PLAIN;
	return 0;
}

unsigned int wipe_medium_steps(const struct wipe *wipe)
{
	return 3 + (wipe->way == WIPE_WAY_KEYS) + wipe->discard;
}

/* --- destroying --- */

static int destroy_keys(struct wipe *wipe)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	int r = begin_step(wipe, _("destroying all keyslots"));

	if (r)
		return r;
	if ((r = cryptvolume_new(wipe->target->node, &volume)) || (r = cryptvolume_load(volume)))
		return fail_volume(wipe, volume, r);
	wipe->begun = true;
	r = cryptvolume_keys_destroy(volume, &wipe->keyslots);
	return r ? fail_volume(wipe, volume, r) : 0;
}

static int discard(struct wipe *wipe, struct wipe_area *area)
{
	const uint64_t size = wipe->target->size;
	int r = begin_step(wipe, _("discarding all blocks"));

	if (r)
		return r;
	wipe->begun = true;
	wipe->discarded =
		wipe->header_size == size
			? wipe_area_discard(area, FIRST_BLOCK, size - FIRST_BLOCK) == 0
			: wipe_area_discard(area, wipe->header_size, size - wipe->header_size) == 0;
	return 0;
}

static int overwrite(struct wipe *wipe, struct wipe_area *area)
{
	int r = wipe->overwrite ? begin_step(wipe, _("overwriting everything"))
				: begin_step(wipe, _("overwriting header and keyslots"));

	if (r)
		return r;
	wipe->begun = true;
	if ((r = wipe_area_write(area, FIRST_BLOCK, wipe->header_size - FIRST_BLOCK,
				 WIPE_RANDOM)) ||
	    (r = wipe_area_write(area, 0, FIRST_BLOCK, WIPE_RANDOM)))
		return fail_errno(wipe, r, 0);
	return 0;
}

/* --- proving --- */

/* One place in each of as many equal parts of the disk, so that no larger area goes unseen. */
static uint64_t sample_place(const struct wipe *wipe, unsigned int i, unsigned int n)
{
	uint64_t part = wipe->target->size / n / WIPE_SAMPLE, in_part = 0;

	for (unsigned int byte = 0; byte < 6; byte++)
		in_part = in_part << 8 | randombytes_random() % 256;
	return (i * part + in_part % part) * WIPE_SAMPLE;
}

static bool sample_ok(const struct wipe *wipe, const struct wipe_area *area, uint64_t at,
		      const uint8_t *found)
{
	uint8_t wanted[WIPE_SAMPLE];

	if (at + WIPE_SAMPLE > wipe->header_size)
		return true;
	wipe_pattern(area->key, at, wanted, sizeof(wanted));
	return !memcmp(found, wanted, sizeof(wanted));
}

static int read_samples(struct wipe *wipe, const struct wipe_area *area)
{
	crypto_generichash_state state;
	uint64_t blocks = wipe->target->size / WIPE_SAMPLE;
	unsigned int n = blocks < WIPE_SAMPLES ? (unsigned int)blocks : WIPE_SAMPLES;

	crypto_generichash_init(&state, NULL, 0, sizeof(wipe->digest));
	for (unsigned int i = 0; i < n; i++) {
		uint64_t at = sample_place(wipe, i, n);
		uint8_t data[WIPE_SAMPLE], place[8];
		int r = target_read(wipe->target, at, data, sizeof(data));

		if (r)
			return fail_errno(wipe, r, at);
		if (!sample_ok(wipe, area, at, data))
			return fail_errno(wipe, -EILSEQ, at);
		for (unsigned int byte = 0; byte < sizeof(place); byte++)
			place[byte] = (uint8_t)(at >> (8 * byte));
		crypto_generichash_update(&state, place, sizeof(place));
		crypto_generichash_update(&state, data, sizeof(data));
		if (progress_interrupted())
			return WIPE_E_STOPPED;
	}
	crypto_generichash_final(&state, wipe->digest, sizeof(wipe->digest));
	wipe->samples = n;
	return 0;
}

static int read_back(struct wipe *wipe, struct wipe_area *area)
{
	const uint64_t header = wipe->header_size < HEADER_MIN ? wipe->header_size : HEADER_MIN;
	uint64_t at = 0;
	int r = begin_step(wipe, _("reading it back"));

	if (r)
		return r;
	r = target_flush(wipe->target);
	if (!r)
		r = wipe_area_verify(area, 0, wipe->overwrite ? header : wipe->header_size,
				     WIPE_RANDOM, &at);
	return r ? fail_errno(wipe, r, at) : read_samples(wipe, area);
}

static int prove_nothing(struct wipe *wipe)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	struct target_contents contents;
	int r = target_contents_probe(wipe->target->fd, &contents);

	if (r)
		return fail_errno(wipe, r, 0);
	if (contents.n)
		return fail(wipe, WIPE_E_PROOF, _("something is still recognised on it: %s"),
			    contents.items[0].type);
	r = cryptvolume_new(wipe->target->node, &volume);
	if (!r)
		r = cryptvolume_load(volume);
	if (!r)
		return fail(wipe, WIPE_E_PROOF, _("an encrypted volume is still recognised on it"));
	return r == CRYPTVOLUME_E_NONE ? 0 : fail_volume(wipe, volume, r);
}

/* Random bytes could be taken for a partition table once in 65536 times. */
static int blank(struct wipe *wipe, struct wipe_area *area)
{
	const uint64_t last = wipe->target->size - MIB;
	uint64_t at = 0;
	int r = begin_step(wipe, _("clearing both ends"));

	if (r)
		return r;
	if ((r = wipe_area_write(area, 0, MIB, WIPE_ZERO)) ||
	    (r = wipe_area_write(area, last, MIB, WIPE_ZERO)) || (r = target_flush(wipe->target)) ||
	    (r = wipe_area_verify(area, 0, MIB, WIPE_ZERO, &at)) ||
	    (r = wipe_area_verify(area, last, MIB, WIPE_ZERO, &at)))
		return fail_errno(wipe, r, at);
	return prove_nothing(wipe);
}

int wipe_medium(struct wipe *wipe)
{
	struct wipe_area area = {.target = wipe->target, .progress = wipe->progress};
	int r = 0;

	wipe_area_pick_key(&area);
	if (wipe->way == WIPE_WAY_KEYS)
		r = destroy_keys(wipe);
	if (!r && wipe->discard)
		r = discard(wipe, &area);
	if (!r)
		r = overwrite(wipe, &area);
	if (!r)
		r = read_back(wipe, &area);
	if (!r)
		r = blank(wipe, &area);
	wipe_area_forget(&area);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the targets for bytes from a medium share: reading the input, and what holds for a volume.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/luks2.h"
#include "core/report.h"
#include "core/volume.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* The input as a row of numbers; zeroes when it is used up. */
struct input {
	const uint8_t *data;
	size_t len;
};

static inline uint64_t input_number(struct input *in, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n && in->len; i++, in->data++, in->len--)
		value |= (uint64_t)*in->data << (8 * i);
	return value;
}

/* As many bytes as there are, at most `max`. */
static inline const uint8_t *input_bytes(struct input *in, size_t max, size_t *len)
{
	const uint8_t *at = in->data;

	*len = in->len < max ? in->len : max;
	in->data += *len;
	in->len -= *len;
	return at;
}

/* Overwrites parts of `data` as the input says. */
static inline void input_patch(struct input *in, uint8_t *data, size_t size)
{
	while (in->len) {
		size_t at = (size_t)input_number(in, 2) % size, len;
		const uint8_t *bytes = input_bytes(in, input_number(in, 1) % 32 + 1, &len);

		memcpy(data + at, bytes, len < size - at ? len : size - at);
	}
}

/*
 * Nothing is proved half, and what one program of ours reports the other takes. `r` is the parser's
 * outcome.
 */
static inline void volume_must(int r, const struct volume *volume, uint64_t size,
			       const char *detail)
{
	struct report report, checked;

	must(memchr(detail, 0, VOLUME_DETAIL_MAX), "the detail does not end");
	must(!r == !*detail, "refused without a word, or accepted with one");
	must(r >= 0 && r <= VOLUME_E_COPIES, "outcome");
	if (r)
		return;
	must(luks2_uuid_ok(volume->uuid), "UUID");
	must(volume_cipher_encrypts(volume->cipher), "cipher");
	must(volume->keyslots, "no keyslot");
	must(!volume->has_mark || mark_ok(&volume->mark), "mark");
	if (size > INT64_MAX) /* no disk of that size is reported */
		return;

	report_init(&report, REPORT_PROVED);
	report.n_units = 1;
	report.units[0].state = REPORT_UNIT_DISK;
	report.units[0].block_size = 512;
	report.units[0].blocks = size / 512;
	report.units[0].digest[0] = 1;
	must(report_add_volume(&report, 0, 0, 0, size / 512 * 512, volume), "report is full");
	must(report_check(&report, sizeof(report), &checked), "report is refused");
}

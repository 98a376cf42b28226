/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encryption headers that lie in a few bytes, a row each: what the parser of their method says (core/volume.h). */
#pragma once

#include <string.h>

#include "core/macro.h"
#include "core/volume.h"
#include "testing.h"

static char detail[VOLUME_DETAIL_MAX];
static struct volume volume;

struct damage {
	const char *name;
	size_t offset;
	size_t len;
	const char *bytes;
	int expect; /* 0: it is taken all the same */
};

static _unused_ void damage_apply(const struct damage *damage, uint8_t *image)
{
	memcpy(image + damage->offset, damage->bytes, damage->len);
}

/* What is refused says why. */
static void damage_expect(const struct damage *damage, int r)
{
	EXPECT(r == damage->expect, damage->name);
	EXPECT((detail[0] != '\0') == (damage->expect != 0), damage->name);
}

/* And nothing of it is told as a fact. */
static _unused_ void damage_expect_volume(const struct damage *damage, int r)
{
	damage_expect(damage, r);
	EXPECT((volume.uuid[0] != '\0') == (damage->expect == 0), damage->name);
}

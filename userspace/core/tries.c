// SPDX-License-Identifier: GPL-2.0-or-later
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "core/tries.h"

#define SECOND_US 1000000u

static const struct tries_volume *find(const struct tries *tries, const char *uuid)
{
	for (size_t i = 0; i < TRIES_VOLUMES_MAX; i++)
		if (tries->volumes[i].uuid[0] &&
		    !strncmp(tries->volumes[i].uuid, uuid, TRIES_UUID_MAX - 1))
			return &tries->volumes[i];
	return NULL;
}

unsigned int tries_wrong(const struct tries *tries, const char *uuid)
{
	const struct tries_volume *volume = find(tries, uuid);

	return volume ? volume->wrong : 0;
}

unsigned int tries_wait(const struct tries *tries, const char *uuid, uint64_t now_us)
{
	const struct tries_volume *volume = find(tries, uuid);
	unsigned int seconds = 1;
	uint64_t end;

	if (!volume)
		return 0;
	for (unsigned int i = 1; i < volume->wrong && seconds < TRIES_WAIT_MAX_S; i++)
		seconds *= 2;
	if (seconds > TRIES_WAIT_MAX_S)
		seconds = TRIES_WAIT_MAX_S;
	end = volume->last_us + (uint64_t)seconds * SECOND_US;
	return now_us < end ? (unsigned int)((end - now_us + SECOND_US - 1) / SECOND_US) : 0;
}

void tries_add_wrong(struct tries *tries, const char *uuid, uint64_t now_us)
{
	struct tries_volume *volume = (struct tries_volume *)find(tries, uuid);

	if (!volume) {
		volume = &tries->volumes[0];
		for (size_t i = 1; i < TRIES_VOLUMES_MAX && volume->uuid[0]; i++)
			if (!tries->volumes[i].uuid[0] ||
			    tries->volumes[i].last_us < volume->last_us)
				volume = &tries->volumes[i];
		*volume = (struct tries_volume){ .wrong = 0 };
		strncpy(volume->uuid, uuid, TRIES_UUID_MAX - 1);
	}
	if (volume->wrong < UINT_MAX)
		volume->wrong++;
	volume->last_us = now_us;
}

void tries_set_right(struct tries *tries, const char *uuid)
{
	struct tries_volume *volume = (struct tries_volume *)find(tries, uuid);

	if (volume)
		*volume = (struct tries_volume){ .wrong = 0 };
}

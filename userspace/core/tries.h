/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wrong passphrases, counted for each volume by its UUID, so that pulling the medium out and putting it in again does
 * not begin anew. After each wrong one the next must wait: 1, 2, 4 … 60 seconds. Time comes as an argument:
 * microseconds of a clock that goes on while the terminal sleeps.
 */
#pragma once

#include <stdint.h>

/* Volumes that are remembered; the one whose last try is longest ago gives way. More are not plugged in. */
#define TRIES_VOLUMES_MAX 64
#define TRIES_UUID_MAX 40
#define TRIES_WAIT_MAX_S 60

struct tries {
	struct tries_volume {
		char uuid[TRIES_UUID_MAX]; /* "" free */
		unsigned int wrong;
		uint64_t last_us;
	} volumes[TRIES_VOLUMES_MAX];
};

/* Whole seconds until a passphrase is taken again, rounded up; 0: now. */
unsigned int tries_wait(const struct tries *tries, const char *uuid, uint64_t now_us);

/* How often it has been wrong since it was last right. */
unsigned int tries_wrong(const struct tries *tries, const char *uuid);

void tries_add_wrong(struct tries *tries, const char *uuid, uint64_t now_us);
void tries_set_right(struct tries *tries, const char *uuid);

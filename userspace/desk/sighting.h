/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stock-taking: when and where each medium was last in front of somebody. A sighting is a row of
 * the register's `sightings`: a person had it in the hand (terminal ""), or a terminal let it in,
 * as its event log says. A stock-taking is opened, media are seen, and it is closed with what was
 * expected and what is missing. At most one is open.
 */
#pragma once

#include "desk/register.h"

#define SIGHTING_TERMINAL_MAX 128

struct sighting {
	char time[REGISTER_TIME_MAX];
	char terminal[SIGHTING_TERMINAL_MAX];
};

/* The last one of a medium; *last stays as it is if there is none. */
int sighting_last(struct media_register *reg, int64_t medium, struct sighting *last);

/*
 * Enters one, between begin and commit. A sighting that is known already changes nothing: *fresh
 * says so.
 */
int sighting_add(struct media_register *reg, int64_t medium, const struct sighting *sighting,
		 int64_t stocktake, const char *by, bool *fresh);

/* The stock-taking that is open; 0 if none. `opened` as REGISTER_TIME_MAX. */
int stocktake_current(struct media_register *reg, int64_t *stocktake,
		      char opened[static REGISTER_TIME_MAX]);
int stocktake_open(struct media_register *reg, const char *by, const char *why, int64_t *stocktake);
int stocktake_close(struct media_register *reg, int64_t stocktake, const char *by, const char *why,
		    size_t expected, size_t seen, const char *missing_json);

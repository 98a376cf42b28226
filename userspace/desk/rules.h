/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this desk answers by telephone without further ado. What lies beyond it is not refused, but shown to the clerk as a
 * warning, and takes a reason. Kept as settings of the register.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/grant.h"
#include "desk/register.h"

struct rules {
	bool classes[N_DEVICE_CLASSES];
	enum grant_access access; /* the most */
	uint32_t seconds;	  /* the longest */
};

/* What was set last, else: storage, read-only, 8 hours. 0, REGISTER_E_…, negative errno. */
int rules_load(struct media_register *reg, struct rules *rules);

/* Between begin and commit. */
int rules_store(struct media_register *reg, const struct rules *rules, const char *by);

/* The names of the classes with blanks between them; malloc'd. */
char *rules_classes(const struct rules *rules);

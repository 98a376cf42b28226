/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When rules were last applied and evaluated, for the conditions that ask. A rule is known by
 * rule_key(), so it keeps its memory over a reload that leaves its line alone. What the device that is
 * judged did itself does not count for it: its right must not hang on its own being there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/macro.h"

/* More rules than this that remember are not remembered: their conditions are then "never". */
#define MEMORY_RULES_MAX 4096

struct memory;

struct memory *memory_new(void);
struct memory *memory_free(struct memory *memory);
DEFINE_CLEANUP(struct memory *, memory_free)

/* By which device (struct device's id, never used twice), and when (CLOCK_BOOTTIME microseconds). */
void memory_note(struct memory *memory, uint64_t rule_key, bool evaluated, uint64_t device,
		 uint64_t boot_us);

/* When last, by another device than this; 0 never. */
uint64_t memory_last(const struct memory *memory, uint64_t rule_key, bool evaluated,
		     uint64_t device);

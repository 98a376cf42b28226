/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of medium that encrypts in its own hardware, as a `model` statement of a policy describes it: its
 * ids, and which logical units it shows while locked and once unlocked.
 *
 *   model VVVV:PPPP "name" [inquiry "VENDOR" ["PRODUCT"]] locked { cdrom empty } unlocked { cdrom disk }
 *
 * That such a device encrypts cannot be proved from outside: whoever copies the descriptors passes. A policy
 * that accepts `hardware` accepts that, and every verdict says so.
 */
#pragma once

#include <stdint.h>

#include "core/arena.h"
#include "core/lex.h"
#include "core/report.h"

#define MODEL_UNITS_MAX REPORT_UNITS_MAX

enum model_unit {
	MODEL_UNIT_DISK,
	MODEL_UNIT_EMPTY, /* a removable disk with nothing in it */
	MODEL_UNIT_CDROM,
};

struct model_state {
	uint8_t units[MODEL_UNITS_MAX]; /* enum model_unit, by LUN */
	uint8_t n_units;		/* 0: this state is not described */
};

struct model {
	const char *name;
	const char *vendor;  /* of INQUIRY of the first unit; NULL: not looked at */
	const char *product;
	uint16_t id_vendor;
	uint16_t id_product;
	struct model_state locked;
	struct model_state unlocked;
	uint32_t line;
};

/* Parses the rest of a `model` statement. 0 (also after errors were reported) or -ENOMEM. */
int model_parse(struct arena *arena, struct lex *lex, struct model *model);

enum model_match {
	MODEL_OTHER, /* looks like neither */
	MODEL_LOCKED,
	MODEL_UNLOCKED,
};

/* Which state of the model the report shows. */
enum model_match model_match(const struct model *model, const struct report *report);

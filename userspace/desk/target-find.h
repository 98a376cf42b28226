/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which medium of the register is on a target? By --number, which must fit the device; else by the
 * volume that is on it, if the device fits; else by the device, if it has a serial number that only
 * one medium has.
 */
#pragma once

#include "desk/command.h"
#include "desk/desk.h"
#include "desk/target.h"

/* Not in the register. Not one of the exit statuses. */
#define TARGET_FIND_NONE 100

/*
 * Fills *state (zeroed before). 0, TARGET_FIND_NONE, or COMMAND_FAILED after saying why. `uuid`: of
 * the volume, or "".
 */
int target_find(const struct context *context, const struct command_options *options,
		const struct desk *desk, const struct target *target, const char *uuid,
		struct medium_state *state);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is a mark one of this desk's, and does it hold here and today? */
#pragma once

#include "core/report.h"
#include "desk/desk.h"
#include "desk/target.h"

enum {
	TARGET_MARK_NONE = 1,    /* no mark */
	TARGET_MARK_FOREIGN = 2, /* signed by a key that is not of this desk */
	TARGET_MARK_FORGED = 3,  /* the signature is false */
	TARGET_MARK_VOLUME = 4,  /* made for another volume */
	TARGET_MARK_DEVICE = 5,  /* … another device */
	TARGET_MARK_EXPIRED = 6,
	TARGET_MARK_NOT_YET = 7,
};

/*
 * Sets *outcome to one of the above, or to 0 for a good mark. 0, or COMMAND_FAILED after saying why
 * the register cannot be read. What is not on USB and has no ids said is taken for the device that
 * the mark was made for.
 */
int target_mark_check(const struct context *context, const struct desk *desk,
		      const struct target *target, const struct report_volume *volume,
		      int *outcome);

const char *target_mark_word(int outcome); /* "good", "none", …: for JSON */
const char *target_mark_text(int outcome);

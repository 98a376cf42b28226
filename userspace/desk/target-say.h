/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A target as the options of a command name it, and as people are told of it. */
#pragma once

#include <stdio.h>

#include "desk/command.h"
#include "desk/desk.h"
#include "desk/target.h"

enum target_say_purpose {
	TARGET_SAY_LOOK,  /* read only */
	TARGET_SAY_ENROL, /* read only, but who it is must be known, and it may be locked */
	TARGET_SAY_WRITE,
};

/*
 * Opens the command's DEVICE, by --id, --serial, --product and --force-fixed. 0, or COMMAND_FAILED
 * after saying why not.
 */
int target_say_open(const struct context *context, const struct command_options *options,
		    enum target_say_purpose purpose, struct target **targetp);

/* What it is and what is on it, some lines on standard error (or `out`). */
void target_say_contents(const struct context *context, const struct target *target, FILE *out);

/* "1234:abcd" */
#define TARGET_ID_MAX 10
void target_say_id(const struct target *target, char out[static TARGET_ID_MAX]);

/* Bytes as people write the size of a stick: "15.9 GB". */
#define TARGET_SIZE_TEXT_MAX 32
void target_say_size(uint64_t size, char out[static TARGET_SIZE_TEXT_MAX]);

/* The identity of a medium on this target, without its number. */
void target_say_identity(const struct target *target, struct record *identity);

/* Is the medium on such a device? By ids and serial number; without a serial number only by ids. */
bool target_say_same(const struct target *target, const struct record *record);

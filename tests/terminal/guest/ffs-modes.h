/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways in which ffs-device can misbehave. A new one is a row, and its fault's place in the
 * code. */
#pragma once

#include <stdint.h>

#define OP_ANY 0xff

enum fault {
	FAULT_NONE,
	FAULT_STALL_CBW,
	FAULT_STALL_DATA,
	FAULT_STALL_CSW,
	FAULT_STALL_CSW_TWICE,
	FAULT_SHORT,
	FAULT_LONG,
	FAULT_NEVER_DATA,
	FAULT_NEVER_CSW,
	FAULT_BAD_TAG,
	FAULT_BAD_SIGNATURE,
	FAULT_PHASE_ERROR,
	FAULT_BIG_RESIDUE,
	FAULT_DIE,
	FAULT_CAPACITY,
	FAULT_LYING_LUKS,
	FAULT_ZEROES,
	FAULT_NO_MEDIUM,
	FAULT_MANY_UNITS,
	FAULT_DEAF,
	FAULT_VENDOR, /* no stick at all */
};

struct mode {
	const char *name;
	enum fault fault;
	uint8_t op; /* at this SCSI command */
	const char *about;
};

static const struct mode modes[] = {
	{"good", FAULT_NONE, OP_ANY, "an honest stick"},
	{"stall-cbw", FAULT_STALL_CBW, OP_ANY,
	 "halts in place of taking a command, then falls silent"},
	{"stall-data", FAULT_STALL_DATA, 0x28, "halts in the middle of READ"},
	{"stall-csw", FAULT_STALL_CSW, OP_ANY, "halts once before each status, as it may"},
	{"stall-csw-twice", FAULT_STALL_CSW_TWICE, OP_ANY, "halts again after that"},
	{"short-inquiry", FAULT_SHORT, 0x12, "sends half of INQUIRY"},
	{"short-capacity", FAULT_SHORT, 0x25, "sends half of READ CAPACITY"},
	{"short-read", FAULT_SHORT, 0x28, "sends half of READ"},
	{"long-inquiry", FAULT_LONG, 0x12, "sends more INQUIRY than asked for"},
	{"never-answer", FAULT_NEVER_DATA, OP_ANY, "takes a command, sends no data"},
	{"never-read", FAULT_NEVER_DATA, 0x28, "the same at READ"},
	{"never-status", FAULT_NEVER_CSW, OP_ANY, "sends data, but no status"},
	{"bad-tag", FAULT_BAD_TAG, OP_ANY, "status of another command"},
	{"bad-signature", FAULT_BAD_SIGNATURE, OP_ANY, "status that is none"},
	{"phase-error", FAULT_PHASE_ERROR, OP_ANY, "phase error at every command"},
	{"big-residue", FAULT_BIG_RESIDUE, OP_ANY, "residue beyond the length asked for"},
	{"die-mid-read", FAULT_DIE, 0x28, "goes away in the middle of READ"},
	{"capacity-huge", FAULT_CAPACITY, 0x25, "2^64 blocks"},
	{"lying-luks", FAULT_LYING_LUKS, 0x28, "LUKS2 header of 4 GiB"},
	{"two-faced", FAULT_ZEROES, 0x28, "from the command of --after on: zeroes"},
	{"no-medium", FAULT_NO_MEDIUM, 0x00, "an empty reader"},
	{"many-units", FAULT_MANY_UNITS, OP_ANY, "a reader with four slots"},
	{"deaf", FAULT_DEAF, OP_ANY, "does not even answer class requests"},
	{"vendor-ff", FAULT_VENDOR, OP_ANY, "class ff, answers vendor requests"},
};

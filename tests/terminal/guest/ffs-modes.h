/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways in which ffs-device can misbehave. A new one is a row, and its fault's place in the code. What
 * a device holds is no mode: that is an image.
 */
#pragma once

#include <stdint.h>

#define OP_ANY 0xff

enum fault {
	FAULT_NONE,
	FAULT_STALL_CBW,
	FAULT_HALT,
	FAULT_STALL_DATA,
	FAULT_STALL_CSW,
	FAULT_STALL_CSW_TWICE,
	FAULT_SHORT,
	FAULT_LONG,
	FAULT_NEVER_DATA,
	FAULT_NEVER_CSW,
	FAULT_BAD_TAG,
	FAULT_BAD_SIGNATURE,
	FAULT_SHORT_CSW,
	FAULT_PHASE_ERROR,
	FAULT_BIG_RESIDUE,
	FAULT_DIE,
	FAULT_ZEROES,
	FAULT_CHECK,
	FAULT_MORE_UNITS,
	FAULT_DEAF,
	FAULT_VENDOR, /* no stick at all */
};

struct mode {
	const char *name;
	enum fault fault;
	uint8_t op; /* at this SCSI command, unless --at says another */
	uint32_t sense; /* FAULT_CHECK: key, ASC, ASCQ, a byte each */
	const char *about;
};

static const struct mode modes[] = {
	{"good", FAULT_NONE, OP_ANY, 0, "an honest stick"},
	{"stall-cbw", FAULT_STALL_CBW, OP_ANY, 0,
	 "halts in place of taking a command, then falls silent"},
	{"halt", FAULT_HALT, OP_ANY, 0, "takes a command, and halts both ways until it is reset"},
	{"stall-data", FAULT_STALL_DATA, 0x28, 0, "halts in the middle of the data"},
	{"stall-csw", FAULT_STALL_CSW, OP_ANY, 0, "halts once before each status, as it may"},
	{"stall-csw-twice", FAULT_STALL_CSW_TWICE, OP_ANY, 0, "halts again after that"},
	{"short", FAULT_SHORT, OP_ANY, 0, "sends half of the data"},
	{"long", FAULT_LONG, OP_ANY, 0, "sends more data than asked for"},
	{"never-answer", FAULT_NEVER_DATA, OP_ANY, 0, "takes a command, sends no data"},
	{"never-status", FAULT_NEVER_CSW, OP_ANY, 0, "sends data, but no status"},
	{"bad-tag", FAULT_BAD_TAG, OP_ANY, 0, "status of another command"},
	{"bad-signature", FAULT_BAD_SIGNATURE, OP_ANY, 0, "status that is none"},
	{"short-status", FAULT_SHORT_CSW, OP_ANY, 0, "half a status"},
	{"phase-error", FAULT_PHASE_ERROR, OP_ANY, 0, "phase error"},
	{"big-residue", FAULT_BIG_RESIDUE, OP_ANY, 0, "residue beyond the length asked for"},
	{"die", FAULT_DIE, 0x28, 0, "goes away in the middle of the data"},
	{"zeroes", FAULT_ZEROES, 0x28, 0, "from the command of --after on: zeroes"},
	{"no-medium", FAULT_CHECK, 0x00, 0x023a00, "an empty reader"},
	{"never-ready", FAULT_CHECK, 0x00, 0x020401, "becoming ready for ever"},
	{"attention", FAULT_CHECK, 0x00, 0x062800, "the medium may have changed, for ever"},
	{"changing", FAULT_CHECK, 0x28, 0x062800, "… at every READ"},
	{"unreadable", FAULT_CHECK, 0x28, 0x031100, "medium error"},
	{"senseless", FAULT_CHECK, OP_ANY, 0, "each command fails, even REQUEST SENSE"},
	{"more-units", FAULT_MORE_UNITS, OP_ANY, 0, "has a unit more each time it is asked"},
	{"deaf", FAULT_DEAF, OP_ANY, 0, "does not even answer class requests"},
	{"vendor-ff", FAULT_VENDOR, OP_ANY, 0, "class ff, answers vendor requests"},
};

/* What --at takes. */
static const struct step {
	const char *name;
	uint8_t op;
} steps[] = {
	{"ready", 0x00}, {"sense", 0x03},    {"inquiry", 0x12},
	{"mode", 0x1a},	 {"capacity", 0x25}, {"capacity16", 0x9e},
	{"read", 0x28},  {"flush", 0x35},
};

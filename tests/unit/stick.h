/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A played bulk-only stick or card reader for the tests of the transport and the probe: well-behaved,
 * with one kind of fault at one command, or a change of medium in the middle, and a played clock, so
 * that a timeout costs no time. It checks what a device can see of its host: only whole CBWs, to units
 * that it has, no data out, no block behind the last, waits within the deadline.
 */
#pragma once

#include "inspect/bot.h"
#include "disk-image.h"
#include "testing.h"

#define DEADLINE_MS 8000
#define STICK_UNITS 16
#define STICK_READ_MAX (64 << 10)

#define OP_TUR 0x00
#define OP_SENSE 0x03
#define OP_INQUIRY 0x12
#define OP_MODE 0x1a
#define OP_CAP10 0x25
#define OP_READ 0x28
#define OP_READ16 0x88
#define OP_CAP16 0x9e
#define OP_NONE 0xff

enum fault {
	FAULT_NONE,
	FAULT_STALL_CBW,
	FAULT_IGNORE_CBW, /* never takes it */
	FAULT_HALF_CBW,
	FAULT_STALL_DATA, /* half of the data, then a halt; the residue says so */
	FAULT_STALL_ALL_DATA,
	FAULT_NO_DATA,    /* never sends any */
	FAULT_EMPTY_DATA, /* an empty packet in place of data */
	FAULT_SHORT_DATA,
	FAULT_LONG_DATA,
	FAULT_STALL_CSW,
	FAULT_STALL_CSW_TWICE,
	FAULT_NO_CSW,
	FAULT_EMPTY_BEFORE_CSW,
	FAULT_EMPTY_CSW,
	FAULT_SHORT_CSW,
	FAULT_LONG_CSW,
	FAULT_BAD_TAG,
	FAULT_BAD_SIGNATURE,
	FAULT_PHASE_ERROR,
	FAULT_BAD_STATUS,
	FAULT_BIG_RESIDUE,
	FAULT_WRONG_RESIDUE, /* all data came, residue claims that none did */
	FAULT_FAIL,          /* CSW status 1 */
	FAULT_GONE,
	FAULT_IO,
	FAULT_NO_RESET,   /* stalls the CBW and the reset after it */
	FAULT_STUCK_HALT, /* halts in data and refuses to clear it */
};

enum phase {
	PHASE_COMMAND,
	PHASE_DATA,
	PHASE_STATUS,
	PHASE_DEAD, /* until reset */
};

struct stick_unit {
	struct disk disk;
	uint8_t inquiry[36], capacity10[8], capacity16[32], mode[192];
	unsigned int unready; /* TEST UNIT READY fails so often */
	uint8_t unready_sense[3];
	/* Another medium comes, or none, in front of read number `change_at`, so often as told. */
	unsigned int change_at;
	unsigned int changes;
	uint8_t change_sense[3];
	void (*change)(struct stick_unit *unit);
	unsigned int reads;
};

struct stick {
	uint64_t clock;
	enum phase phase;
	uint8_t op;
	uint32_t tag, expect, residue;
	const uint8_t *answer;
	size_t answer_len;
	uint8_t status;
	unsigned int stalls_left;
	bool halted_in, halted_out;

	enum fault fault;
	uint8_t fault_op;        /* at this command */
	unsigned int fault_from; /* skip so many of them */
	unsigned int fault_times;
	bool faulty; /* the present command */
	bool gone;

	uint8_t max_lun;
	int max_lun_result;
	uint8_t lun; /* of the present command */
	uint8_t sense[18];
	struct stick_unit unit[STICK_UNITS];
	uint8_t out[STICK_READ_MAX];

	unsigned int resets, cbws, reads;
	uint64_t overslept; /* an operation was given more than the time left */
};

static struct stick stick;

static bool faulty(enum fault fault)
{
	return stick.faulty && stick.fault == fault;
}

static void time_check(unsigned int ms)
{
	CU_ASSERT(ms >= 1);
	if (stick.clock + ms > DEADLINE_MS)
		stick.overslept++;
}

static int time_out(unsigned int ms)
{
	stick.clock += ms;
	return BOT_E_TIMEOUT;
}

static void answer_set(const uint8_t *data, size_t len)
{
	stick.answer = data;
	stick.answer_len = len < stick.expect ? len : stick.expect;
}

static void sense_set(uint8_t key, uint8_t asc, uint8_t ascq)
{
	memset(stick.sense, 0, sizeof(stick.sense));
	stick.sense[0] = 0x70;
	stick.sense[2] = key;
	stick.sense[7] = 10;
	stick.sense[12] = asc;
	stick.sense[13] = ascq;
}

static bool medium_changes(struct stick_unit *unit)
{
	if (!unit->changes || ++unit->reads < unit->change_at)
		return false;
	unit->reads = 0;
	unit->changes--;
	if (unit->change)
		unit->change(unit);
	stick.status = 1;
	sense_set(unit->change_sense[0], unit->change_sense[1], unit->change_sense[2]);
	return true;
}

static void stick_read(const uint8_t *cdb, struct stick_unit *unit)
{
	const bool large = cdb[0] == OP_READ16;
	uint64_t lba = 0;

	for (size_t i = 2; i < (large ? 10 : 6); i++)
		lba = lba << 8 | cdb[i];
	stick.reads++;
	if (medium_changes(unit))
		return;
	CU_ASSERT(stick.expect <= STICK_READ_MAX);
	CU_ASSERT(lba * unit->disk.block + stick.expect <= unit->disk.size);
	disk_read(&unit->disk, lba * unit->disk.block, stick.out, stick.expect);
	answer_set(stick.out, sizeof(stick.out));
}

static void stick_execute(const uint8_t *cdb)
{
	struct stick_unit *unit = &stick.unit[stick.lun];

	stick.status = 0;
	stick.answer_len = 0;
	switch (stick.op) {
	case OP_TUR:
		if (unit->unready) {
			unit->unready--;
			stick.status = 1;
			sense_set(unit->unready_sense[0], unit->unready_sense[1],
				  unit->unready_sense[2]);
		}
		break;
	case OP_SENSE:
		answer_set(stick.sense, sizeof(stick.sense));
		break;
	case OP_INQUIRY:
		answer_set(unit->inquiry, sizeof(unit->inquiry));
		break;
	case OP_MODE:
		answer_set(unit->mode, sizeof(unit->mode));
		break;
	case OP_CAP10:
		answer_set(unit->capacity10, sizeof(unit->capacity10));
		break;
	case OP_CAP16:
		answer_set(unit->capacity16, sizeof(unit->capacity16));
		break;
	case OP_READ:
	case OP_READ16:
		stick_read(cdb, unit);
		break;
	default:
		CU_FAIL("a command that the stick does not know");
	}
	if (faulty(FAULT_FAIL)) {
		stick.status = 1;
		stick.answer_len = 0;
		sense_set(5, 0x20, 0);
	}
	if (faulty(FAULT_STALL_DATA) || faulty(FAULT_SHORT_DATA))
		stick.answer_len /= 2;
	if (faulty(FAULT_EMPTY_DATA) || faulty(FAULT_STALL_ALL_DATA))
		stick.answer_len = 0;
	stick.residue = stick.expect - (uint32_t)stick.answer_len;
	stick.phase = stick.expect ? PHASE_DATA : PHASE_STATUS;
	stick.stalls_left = faulty(FAULT_STALL_CSW) ? 1 : faulty(FAULT_STALL_CSW_TWICE) ? 2 : 0;
}

static void fault_choose(void)
{
	stick.faulty = false;
	if (stick.op != stick.fault_op || !stick.fault_times)
		return;
	if (stick.fault_from) {
		stick.fault_from--;
		return;
	}
	stick.fault_times--;
	stick.faulty = true;
}

static int play_bulk_out(void *ctx, const uint8_t *data, size_t len, size_t *done, unsigned int ms)
{
	time_check(ms);
	stick.clock++;
	if (stick.gone)
		return BOT_E_GONE;
	if (stick.halted_out)
		return BOT_E_STALL;
	/* Nothing but a CBW ever goes out. */
	CU_ASSERT_EQUAL(len, 31);
	CU_ASSERT_EQUAL(memcmp(data, "USBC", 4), 0);
	if (stick.phase == PHASE_DEAD)
		return time_out(ms - 1);
	if (stick.phase != PHASE_COMMAND) {
		stick.halted_out = stick.halted_in = true;
		stick.phase = PHASE_DEAD;
		return BOT_E_STALL;
	}

	stick.cbws++;
	stick.tag = (uint32_t)data[7] << 24 | data[6] << 16 | data[5] << 8 | data[4];
	stick.expect = (uint32_t)data[11] << 24 | data[10] << 16 | data[9] << 8 | data[8];
	stick.op = data[15];
	CU_ASSERT_EQUAL(data[12], stick.expect ? 0x80 : 0);
	stick.lun = data[13];
	CU_ASSERT(stick.lun <= stick.max_lun);
	fault_choose();
	if (faulty(FAULT_STALL_CBW) || faulty(FAULT_NO_RESET)) {
		stick.halted_out = stick.halted_in = true;
		stick.phase = PHASE_DEAD;
		return BOT_E_STALL;
	}
	if (faulty(FAULT_IGNORE_CBW)) {
		stick.phase = PHASE_DEAD;
		return time_out(ms - 1);
	}
	if (faulty(FAULT_GONE)) {
		stick.gone = true;
		return BOT_E_GONE;
	}
	if (faulty(FAULT_HALF_CBW)) {
		stick.phase = PHASE_DEAD;
		*done = 16;
		return 0;
	}
	stick_execute(data + 15);
	*done = len;
	return 0;
}

static int play_data(uint8_t *data, size_t len, size_t *done, unsigned int ms)
{
	*done = stick.answer_len;
	if (faulty(FAULT_NO_DATA))
		return time_out(ms);
	if (faulty(FAULT_IO))
		return BOT_E_IO;
	if (faulty(FAULT_LONG_DATA)) {
		stick.phase = PHASE_DEAD;
		memset(data, 0xee, len);
		*done = len;
		return BOT_E_OVERFLOW;
	}
	if (stick.answer_len)
		memcpy(data, stick.answer, stick.answer_len);
	stick.phase = PHASE_STATUS;
	if (faulty(FAULT_STALL_DATA) || faulty(FAULT_STALL_ALL_DATA) || faulty(FAULT_STUCK_HALT) ||
	    (stick.status == 1 && stick.answer_len == 0)) {
		stick.halted_in = true;
		return BOT_E_STALL;
	}
	return 0;
}

static int play_status(uint8_t *data, size_t len, size_t *done, unsigned int ms)
{
	uint8_t csw[13] = "USBS";

	CU_ASSERT_EQUAL(len, 13);
	if (faulty(FAULT_NO_CSW))
		return time_out(ms);
	if (stick.stalls_left) {
		stick.stalls_left--;
		stick.halted_in = true;
		return BOT_E_STALL;
	}
	*done = 0;
	if (faulty(FAULT_EMPTY_CSW))
		return 0;
	if (faulty(FAULT_EMPTY_BEFORE_CSW)) {
		stick.faulty = false;
		return 0;
	}
	if (faulty(FAULT_BAD_TAG))
		stick.tag ^= 0x100;
	if (faulty(FAULT_BAD_SIGNATURE))
		csw[3] = 'C';
	if (faulty(FAULT_BIG_RESIDUE))
		stick.residue = stick.expect + 1;
	if (faulty(FAULT_WRONG_RESIDUE))
		stick.residue = stick.expect;
	csw[12] = faulty(FAULT_PHASE_ERROR) ? 2 : faulty(FAULT_BAD_STATUS) ? 3 : stick.status;
	for (int i = 0; i < 4; i++) {
		csw[4 + i] = (uint8_t)(stick.tag >> (8 * i));
		csw[8 + i] = (uint8_t)(stick.residue >> (8 * i));
	}
	memcpy(data, csw, sizeof(csw));
	*done = faulty(FAULT_SHORT_CSW) ? 12 : sizeof(csw);
	if (faulty(FAULT_LONG_CSW))
		return BOT_E_OVERFLOW;
	stick.phase = csw[12] == 2 ? PHASE_DEAD : PHASE_COMMAND;
	return 0;
}

static int play_bulk_in(void *ctx, uint8_t *data, size_t len, size_t *done, unsigned int ms)
{
	time_check(ms);
	stick.clock++;
	if (stick.gone)
		return BOT_E_GONE;
	if (stick.halted_in)
		return BOT_E_STALL;
	if (stick.phase == PHASE_DATA)
		return play_data(data, len, done, ms - 1);
	if (stick.phase == PHASE_STATUS)
		return play_status(data, len, done, ms - 1);
	return time_out(ms - 1);
}

static int play_clear_halt_out(void *ctx, unsigned int ms)
{
	time_check(ms);
	stick.halted_out = false;
	return 0;
}

static int play_clear_halt_in(void *ctx, unsigned int ms)
{
	time_check(ms);
	if (faulty(FAULT_STUCK_HALT))
		return BOT_E_STALL;
	stick.halted_in = false;
	return 0;
}

static int play_reset(void *ctx, unsigned int ms)
{
	time_check(ms);
	stick.resets++;
	if (faulty(FAULT_NO_RESET))
		return BOT_E_STALL;
	stick.phase = PHASE_COMMAND;
	return 0;
}

static int play_get_max_lun(void *ctx, uint8_t *max_lun, unsigned int ms)
{
	time_check(ms);
	*max_lun = stick.max_lun;
	if (stick.max_lun_result == BOT_E_TIMEOUT)
		return time_out(ms);
	return stick.max_lun_result;
}

static uint64_t play_now(void *ctx)
{
	return stick.clock;
}

static void play_sleep(void *ctx, unsigned int ms)
{
	time_check(ms);
	stick.clock += ms;
}

static const struct bot_transport played = {
	.bulk_out = play_bulk_out,
	.bulk_in = play_bulk_in,
	.clear_halt_out = play_clear_halt_out,
	.clear_halt_in = play_clear_halt_in,
	.reset = play_reset,
	.get_max_lun = play_get_max_lun,
	.now = play_now,
	.sleep = play_sleep,
};

/* Sets the disk's size as READ CAPACITY says it. */
static void unit_size(struct stick_unit *unit, uint64_t size, uint32_t block)
{
	const uint64_t last = size / block - 1;

	disk_make(&unit->disk, size, block);
	image_put_be(unit->capacity10, last < UINT32_MAX ? last : UINT32_MAX, 4);
	image_put_be(unit->capacity10 + 4, block, 4);
	image_put_be(unit->capacity16, last, 8);
	image_put_be(unit->capacity16 + 8, block, 4);
}

/* A disk of 64 MiB with a LUKS2 header; one unit attention waits, as after power-on. */
static void unit_make(struct stick_unit *unit, unsigned int number)
{
	memcpy(unit->inquiry, "\0\x80\x06\x02\x1f\0\0\0SANWA   USB MEMORY 16GB 1.00", 36);
	unit->mode[0] = 3;
	unit->unready = 1;
	memcpy(unit->unready_sense, "\x06\x28\0", 3);
	memcpy(unit->change_sense, "\x06\x28\0", 3);
	unit_size(unit, 64 * MIB, 512);
	disk_luks2(&unit->disk, 0, number);
}

/* A slot of a reader with nothing in it. */
static void unit_empty(struct stick_unit *unit)
{
	unit->unready = 1000;
	memcpy(unit->unready_sense, "\x02\x3a\0", 3);
}

/* So many units, each a LUKS2 disk. */
static void stick_make_units(unsigned int n)
{
	for (size_t i = 0; i < STICK_UNITS; i++)
		disk_clear(&stick.unit[i].disk);
	memset(&stick, 0, sizeof(stick));
	for (unsigned int i = 0; i < n; i++)
		unit_make(&stick.unit[i], 0x11 + i);
	stick.max_lun = (uint8_t)(n - 1);
	stick.fault_op = OP_NONE;
}

static void stick_make(void)
{
	stick_make_units(1);
}

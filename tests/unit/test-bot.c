// SPDX-License-Identifier: GPL-2.0-or-later
/* The bulk-only transport and the probe against a played device. What lies on disks: test-survey.c. */
#include "../../userspace/inspect/bot.c"
#include "../../userspace/inspect/probe.c"
#include "../../userspace/inspect/survey.c"

#include "stick.h"

static struct bot bot;
static struct report report;
static struct stick_unit *const unit = stick.unit;

static unsigned int stick_probe(void)
{
	struct report copy;

	report_init(&report, REPORT_INTERNAL);
	bot_init(&bot, &played, NULL, DEADLINE_MS);
	probe_run(&bot, &report);
	/* Always: well-formed, in time, and never sent a command that nobody counted. */
	EXPECT(report_check(&report, sizeof(report), &copy), report.detail);
	EXPECT(stick.clock <= DEADLINE_MS, report.detail);
	EXPECT(stick.overslept == 0, report.detail);
	EXPECT(report.commands >= stick.cbws, report.detail);
	return report.outcome;
}

static void luks2_stick_is_proved_in_few_commands(void)
{
	stick_make();
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT_EQUAL(report.n_units, 1);
	CU_ASSERT_EQUAL(report.units[0].state, REPORT_UNIT_DISK);
	CU_ASSERT_STRING_EQUAL(report.units[0].vendor, "SANWA");
	CU_ASSERT_STRING_EQUAL(report.units[0].product, "USB MEMORY 16GB");
	CU_ASSERT_EQUAL(report.units[0].blocks, 131072);
	CU_ASSERT_EQUAL(report.units[0].block_size, 512);
	CU_ASSERT_EQUAL(report.units[0].table, PTABLE_NONE);
	CU_ASSERT_EQUAL(report.units[0].write_protected, 0);
	CU_ASSERT_EQUAL(report.n_volumes, 1);
	CU_ASSERT_EQUAL(report.volumes[0].method, ENCRYPTION_LUKS2);
	CU_ASSERT_STRING_EQUAL(report.volumes[0].cipher, "aes-xts-plain64");
	CU_ASSERT_EQUAL(report.volumes[0].keyslots, 1);
	CU_ASSERT_STRING_EQUAL(report.detail, "");
	CU_ASSERT(report.commands <= 12);
	CU_ASSERT(report.bytes_read <= 40 << 10);
	CU_ASSERT_EQUAL(report.bytes_read, 2 * IMAGE_HEADER + 3 * 512);
	CU_ASSERT_EQUAL(stick.resets, 0);
}

static void plain_stick_is_called_plain(void)
{
	stick_make();
	memcpy(unit->disk.pieces[0].data, "no LUKS", 8);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PLAIN);
	CU_ASSERT_EQUAL(report.bytes_read, 16384 + 512);
	CU_ASSERT_EQUAL(report.n_volumes, 0);
	CU_ASSERT_FALSE(report_is_blank(&report));
}

/* More of it is read, because somebody may want to know whether it has been erased. */
static void empty_stick_is_looked_at_wherever_blank_disks_are(void)
{
	const uint64_t areas = SURVEY_BLANK_FIRST + SURVEY_BLANK_LAST + SURVEY_BLANK_PLACES * 4096;

	stick_make();
	disk_clear(&unit->disk);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PLAIN);
	CU_ASSERT_STRING_EQUAL(report.detail, "not encrypted: starts with zeroes");
	CU_ASSERT_TRUE(report_is_blank(&report));
	CU_ASSERT_TRUE(report.bytes_read >= areas && report.bytes_read <= areas + 16384 + 512);
	CU_ASSERT_EQUAL(report.n_volumes, 0);
}

static void largest_header_is_read_in_pieces(void)
{
	stick_make();
	image_put_be(unit->disk.pieces[0].data + 8, 4u << 20, 8);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_DAMAGED); /* its checksum is wrong */
	CU_ASSERT_EQUAL(report.bytes_read, (8u << 20) + 512);
	CU_ASSERT_EQUAL(stick.reads, 2 + 128);
}

static void blocks_of_4096_bytes_are_addressed_right(void)
{
	stick_make();
	unit_size(unit, 64 * MIB, 4096);
	disk_luks2(&unit->disk, 0, 1);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT_EQUAL(report.units[0].block_size, 4096);
	CU_ASSERT_EQUAL(report.units[0].blocks, 16384);
}

static void every_fault_at_every_command_ends_in_a_report(void)
{
	static const uint8_t ops[] = {OP_TUR, OP_SENSE, OP_INQUIRY, OP_MODE, OP_CAP10, OP_READ};

	for (size_t op = 0; op < ARRAY_SIZE(ops); op++) {
		for (int fault = FAULT_NONE; fault <= FAULT_STUCK_HALT; fault++) {
			for (unsigned int times = 1; times <= 1000; times += 999) {
				stick_make();
				stick.fault = (enum fault)fault;
				stick.fault_op = ops[op];
				stick.fault_times = times;
				(void)stick_probe();
				CU_ASSERT_NOT_EQUAL(report.outcome, REPORT_INTERNAL);
				CU_ASSERT_NOT_EQUAL(report.outcome, REPORT_PLAIN);
			}
		}
	}
}

static void faults_that_last_have_their_outcome(void)
{
	static const struct {
		const char *name;
		enum fault fault;
		uint8_t op;
		enum report_outcome expect;
	} rows[] = {
		{"stalls INQUIRY's CBW", FAULT_STALL_CBW, OP_INQUIRY, REPORT_BAD_ANSWER},
		{"stalls READ's CBW", FAULT_STALL_CBW, OP_READ, REPORT_BAD_ANSWER},
		{"never takes a CBW", FAULT_IGNORE_CBW, OP_INQUIRY, REPORT_BAD_ANSWER},
		{"takes half a CBW", FAULT_HALF_CBW, OP_INQUIRY, REPORT_BAD_ANSWER},
		{"stalls in INQUIRY's data", FAULT_STALL_DATA, OP_INQUIRY, REPORT_BAD_ANSWER},
		{"stalls in place of data", FAULT_STALL_ALL_DATA, OP_READ, REPORT_BAD_ANSWER},
		{"never sends data", FAULT_NO_DATA, OP_INQUIRY, REPORT_TIMEOUT},
		{"never sends the header", FAULT_NO_DATA, OP_READ, REPORT_TIMEOUT},
		{"short INQUIRY", FAULT_SHORT_DATA, OP_INQUIRY, REPORT_BAD_ANSWER},
		{"empty INQUIRY", FAULT_EMPTY_DATA, OP_INQUIRY, REPORT_BAD_ANSWER},
		{"short capacity", FAULT_SHORT_DATA, OP_CAP10, REPORT_BAD_ANSWER},
		{"short read", FAULT_SHORT_DATA, OP_READ, REPORT_BAD_ANSWER},
		{"too much data", FAULT_LONG_DATA, OP_INQUIRY, REPORT_BAD_ANSWER},
		{"stalls one CSW", FAULT_STALL_CSW, OP_READ, REPORT_PROVED},
		{"stalls two CSWs", FAULT_STALL_CSW_TWICE, OP_READ, REPORT_BAD_ANSWER},
		{"never sends a CSW", FAULT_NO_CSW, OP_READ, REPORT_TIMEOUT},
		{"empty packet before the CSW", FAULT_EMPTY_BEFORE_CSW, OP_READ, REPORT_PROVED},
		{"empty packets in place of a CSW", FAULT_EMPTY_CSW, OP_READ, REPORT_BAD_ANSWER},
		{"short CSW", FAULT_SHORT_CSW, OP_READ, REPORT_BAD_ANSWER},
		{"long CSW", FAULT_LONG_CSW, OP_READ, REPORT_BAD_ANSWER},
		{"another's tag", FAULT_BAD_TAG, OP_READ, REPORT_BAD_ANSWER},
		{"bad signature", FAULT_BAD_SIGNATURE, OP_READ, REPORT_BAD_ANSWER},
		{"phase error", FAULT_PHASE_ERROR, OP_READ, REPORT_BAD_ANSWER},
		{"unknown status", FAULT_BAD_STATUS, OP_READ, REPORT_BAD_ANSWER},
		{"residue too large", FAULT_BIG_RESIDUE, OP_READ, REPORT_BAD_ANSWER},
		{"wrong residue with all data", FAULT_WRONG_RESIDUE, OP_READ, REPORT_PROVED},
		{"fails to read", FAULT_FAIL, OP_READ, REPORT_BAD_ANSWER},
		{"fails INQUIRY", FAULT_FAIL, OP_INQUIRY, REPORT_BAD_ANSWER},
		{"knows no MODE SENSE", FAULT_FAIL, OP_MODE, REPORT_PROVED},
		{"breaks down at MODE SENSE", FAULT_STALL_CBW, OP_MODE, REPORT_PROVED},
		{"no sense data", FAULT_FAIL, OP_SENSE, REPORT_BAD_ANSWER},
		{"pulled out", FAULT_GONE, OP_READ, REPORT_TRANSPORT},
		{"wire breaks", FAULT_IO, OP_READ, REPORT_TRANSPORT},
		{"stalls and does not reset", FAULT_NO_RESET, OP_INQUIRY, REPORT_BAD_ANSWER},
		{"halted for ever", FAULT_STUCK_HALT, OP_READ, REPORT_BAD_ANSWER},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		stick_make();
		stick.fault = rows[i].fault;
		stick.fault_op = rows[i].op;
		stick.fault_times = 1000;
		EXPECT(stick_probe() == rows[i].expect, rows[i].name);
		EXPECT((report.detail[0] == '\0') == (rows[i].expect == REPORT_PROVED),
		       rows[i].name);
	}
}

static void phase_error_is_named_in_the_report(void)
{
	stick_make();
	stick.fault = FAULT_PHASE_ERROR;
	stick.fault_op = OP_READ;
	stick.fault_times = 1000;
	(void)stick_probe();
	CU_ASSERT_STRING_EQUAL(report.detail, "READ: the device reports a phase error");
}

static void device_left_in_mid_command_is_woken_by_a_reset(void)
{
	static const enum phase left[] = {PHASE_DATA, PHASE_STATUS, PHASE_DEAD};

	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		stick_make();
		stick.phase = left[i];
		CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
		CU_ASSERT_EQUAL(stick.resets, 1);
	}
}

static void broken_protocol_is_forgiven_once_only(void)
{
	stick_make();
	stick.fault = FAULT_BAD_TAG;
	stick.fault_op = OP_READ;
	stick.fault_times = 1;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);

	stick_make();
	stick.fault = FAULT_BAD_TAG;
	stick.fault_op = OP_READ;
	stick.fault_times = 2;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
}

static void empty_reader_is_no_medium(void)
{
	stick_make();
	unit->unready = 1000;
	memcpy(unit->unready_sense, "\x02\x3a\0", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_NO_MEDIUM);
	CU_ASSERT_EQUAL(stick.reads, 0);
}

static void disk_that_spins_up_is_waited_for(void)
{
	stick_make();
	unit->unready = 10;
	memcpy(unit->unready_sense, "\x02\x04\x01", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT(stick.clock >= 2000);

	stick_make();
	unit->unready = 1000;
	memcpy(unit->unready_sense, "\x02\x04\x01", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_TIMEOUT);
}

static void endless_attention_and_hardware_errors_are_refused(void)
{
	stick_make();
	unit->unready = 1000;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
	CU_ASSERT(report.commands < 12);

	stick_make();
	unit->unready = 1000;
	memcpy(unit->unready_sense, "\x04\x44\0", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
	CU_ASSERT(report.commands < 12);
}

/* --- several units --- */

static void every_unit_is_proved(void)
{
	stick_make_units(8);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT_EQUAL(report.n_units, 8);
	CU_ASSERT_EQUAL(report.n_volumes, 8);
	for (unsigned int i = 0; i < 8; i++) {
		char uuid[] = IMAGE_UUID;

		snprintf(uuid + 34, 3, "%02x", 0x11 + i);
		CU_ASSERT_EQUAL(report.volumes[i].unit, i);
		CU_ASSERT_STRING_EQUAL(report.volumes[i].uuid, uuid);
		CU_ASSERT_STRING_EQUAL(report.units[i].vendor, "SANWA");
	}
	CU_ASSERT(report.commands <= 8 * 12);
}

static void sixteen_units_are_as_many_as_there_can_be(void)
{
	stick_make_units(16);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT_EQUAL(report.n_volumes, 16);
}

static void one_unit_of_another_outcome_spoils_all(void)
{
	static const struct {
		const char *name;
		uint8_t type;
		bool plain;
		enum report_outcome expect;
		const char *detail;
	} rows[] = {
		{"plain", 0, true, REPORT_PLAIN, "unit 2: not encrypted: starts with zeroes"},
		{"CD", 0x05, false, REPORT_NOT_DISK, "unit 2: peripheral type 05, qualifier 0"},
		{"no unit", 0x7f, false, REPORT_NOT_DISK, "unit 2: peripheral type 1f, qualifier 3"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		stick_make_units(4);
		unit[2].inquiry[0] = rows[i].type;
		if (rows[i].plain)
			disk_clear(&unit[2].disk);
		EXPECT(stick_probe() == rows[i].expect, rows[i].name);
		CU_ASSERT_STRING_EQUAL(report.detail, rows[i].detail);
		CU_ASSERT_EQUAL(report.n_volumes, 0);
		/* The others were looked at all the same. */
		CU_ASSERT_EQUAL(report.n_units, 4);
		CU_ASSERT_EQUAL(report.units[2].type, rows[i].type & 0x1f);
		CU_ASSERT_EQUAL(report.units[2].state,
				rows[i].plain ? REPORT_UNIT_DISK : REPORT_UNIT_OTHER);
		CU_ASSERT_EQUAL(report.units[3].state, REPORT_UNIT_DISK);
		CU_ASSERT(report.units[3].digest[0] || report.units[3].digest[1]);
	}
}

static void worst_unit_is_told_of(void)
{
	stick_make_units(3);
	disk_clear(&unit[0].disk);
	unit[1].inquiry[0] = 5;
	disk_clear(&unit[2].disk);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_NOT_DISK);
	CU_ASSERT_STRING_EQUAL(report.detail, "unit 1: peripheral type 05, qualifier 0");

	stick_make_units(3);
	disk_clear(&unit[0].disk);
	disk_clear(&unit[2].disk);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PLAIN);
	CU_ASSERT_STRING_EQUAL(report.detail, "unit 0: not encrypted: starts with zeroes");
}

static void empty_slots_are_no_failure(void)
{
	stick_make_units(4);
	unit_empty(&unit[0]);
	unit_empty(&unit[3]);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT_EQUAL(report.units[0].state, REPORT_UNIT_EMPTY);
	CU_ASSERT_EQUAL(report.units[1].state, REPORT_UNIT_DISK);
	CU_ASSERT_EQUAL(report.n_volumes, 2);
	CU_ASSERT_EQUAL(report.volumes[0].unit, 1);

	stick_make_units(4);
	for (size_t i = 0; i < 4; i++)
		unit_empty(&unit[i]);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_NO_MEDIUM);
	CU_ASSERT_EQUAL(report.n_units, 4);
	CU_ASSERT_EQUAL(stick.reads, 0);
}

static void write_protection_is_each_units_own(void)
{
	stick_make_units(2);
	unit[1].mode[2] = 0x80;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT_EQUAL(report.units[0].write_protected, 0);
	CU_ASSERT_EQUAL(report.units[1].write_protected, 1);
}

static void more_volumes_than_the_report_holds_are_refused(void)
{
	stick_make_units(16);
	disk_clear(&unit[3].disk);
	uint8_t *sector = disk_mbr(&unit[3].disk, 0);

	for (unsigned int i = 0; i < 2; i++) {
		disk_mbr_entry(&unit[3].disk, sector, i, 0x83, (1 + 20 * i) * MIB, 20 * MIB);
		disk_luks2(&unit[3].disk, (1 + 20 * i) * MIB, 0x40 + i);
	}
	CU_ASSERT_EQUAL(stick_probe(), REPORT_TOO_MANY);
	CU_ASSERT_STRING_EQUAL(report.detail, "unit 15: more than 16 volumes");
}

/* A reader that is broken in one unit must not take the deadline of all. */
static void unit_that_does_not_answer_ends_it(void)
{
	stick_make_units(4);
	unit[1].unready = 100000;
	memcpy(unit[1].unready_sense, "\x02\x04\x01", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_TIMEOUT);
	CU_ASSERT_STRING_EQUAL(report.detail, "unit 1: not ready in time, sense 2/04/01");
	CU_ASSERT_STRING_EQUAL(report.units[3].vendor, "SANWA");
	CU_ASSERT_EQUAL(report.units[3].state, REPORT_UNIT_UNKNOWN);
}

/* --- media that come and go --- */

static void change_to_plain(struct stick_unit *u)
{
	disk_clear(&u->disk);
}

static void change_to_another(struct stick_unit *u)
{
	unit_size(u, 32 * MIB, 4096);
	disk_luks2(&u->disk, 0, 0x77);
}

static void change_to_none(struct stick_unit *u)
{
	unit_empty(u);
}

static void change_in_the_middle_starts_the_unit_again(void)
{
	for (unsigned int at = 1; at <= 5; at++) {
		stick_make_units(2);
		unit[1].change_at = at;
		unit[1].changes = 1;
		unit[1].change = change_to_another;
		CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
		CU_ASSERT_EQUAL(report.n_volumes, 2);
		CU_ASSERT_EQUAL(report.units[1].block_size, 4096);
		CU_ASSERT_STRING_EQUAL(report.volumes[1].uuid + 34, "77");

		stick_make_units(2);
		unit[0].change_at = at;
		unit[0].changes = 1;
		unit[0].change = change_to_plain;
		CU_ASSERT_EQUAL(stick_probe(), REPORT_PLAIN);
		CU_ASSERT_STRING_EQUAL(report.detail, "unit 0: not encrypted: starts with zeroes");

		stick_make_units(2);
		unit[0].change_at = at;
		unit[0].changes = 1;
		unit[0].change = change_to_none;
		memcpy(unit[0].change_sense, "\x02\x3a\0", 3);
		CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
		CU_ASSERT_EQUAL(report.units[0].state, REPORT_UNIT_EMPTY);
		CU_ASSERT_EQUAL(report.n_volumes, 1);
	}
}

static void changing_back_and_forth_is_refused(void)
{
	stick_make();
	unit->change_at = 2;
	unit->changes = 2;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
	CU_ASSERT_STRING_EQUAL(report.detail, "the medium changes all the time");
	CU_ASSERT_EQUAL(report.units[0].state, REPORT_UNIT_UNKNOWN);
}

static void every_word_for_a_change_is_understood(void)
{
	static const struct {
		const char *sense;
		bool change;
	} rows[] = {
		{"\x06\x28\x00", true},  /* not ready to ready */
		{"\x06\x2a\x09", true},  /* capacity */
		{"\x06\x3f\x0e", true},  /* reported units */
		{"\x06\x29\x00", false}, /* reset: perhaps our own */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		stick_make();
		unit->change_at = 2;
		unit->changes = 1;
		memcpy(unit->change_sense, rows[i].sense, 3);
		CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
		EXPECT(stick.reads == (rows[i].change ? 7 : 6), "read from the start again");
	}
}

/* QEMU's usb-bot says 5/25/00 where it means a unit attention. */
static void wrong_sense_data_of_a_unit_attention_is_survived(void)
{
	stick_make_units(2);
	unit[1].unready = 1;
	memcpy(unit[1].unready_sense, "\x05\x25\0", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);

	stick_make_units(2);
	unit[1].unready = 1000;
	memcpy(unit[1].unready_sense, "\x05\x25\0", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
	CU_ASSERT_STRING_EQUAL(report.detail, "unit 1: TEST UNIT READY: refused, sense 5/25/00");
}

static void number_of_units_is_not_guessed(void)
{
	stick_make();
	stick.max_lun = 1;
	stick.max_lun_result = BOT_E_STALL; /* BOT 1.0, 3.2: one unit */
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT_EQUAL(report.n_units, 1);

	stick_make();
	stick.max_lun = 16;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
	CU_ASSERT_EQUAL(report.n_units, 0);
	stick_make();
	stick.max_lun_result = BOT_E_TIMEOUT;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_TIMEOUT);
	stick_make();
	stick.max_lun_result = BOT_E_IO;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_TRANSPORT);
}

static void other_kinds_of_device_are_no_disk(void)
{
	static const uint8_t types[] = {0x01, 0x05, 0x0d, 0x0e, 0x1f, 0x20, 0x60, 0x7f};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		stick_make();
		unit->inquiry[0] = types[i];
		CU_ASSERT_EQUAL(stick_probe(), REPORT_NOT_DISK);
		CU_ASSERT_EQUAL(stick.reads, 0);
	}
}

static void names_with_escapes_are_made_harmless(void)
{
	stick_make();
	memcpy(unit->inquiry + 8, "\x1b[2J\xff\n\0X", 8);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT_STRING_EQUAL(report.units[0].vendor, "?[2J??");
}

static void impossible_capacity_is_refused(void)
{
	static const struct {
		const char *name;
		uint64_t last; /* block */
		uint32_t block;
	} rows[] = {
		{"2^64 blocks", UINT64_MAX, 512},
		{"2^64-1 blocks", UINT64_MAX - 1, 512},
		{"2^63 bytes", (uint64_t)INT64_MAX / 512, 512},
		{"blocks of 0 bytes", 131071, 0},
		{"blocks of 3 bytes", 131071, 3},
		{"blocks of 520 bytes", 131071, 520},
		{"blocks of 8192 bytes", 131071, 8192},
		{"seven blocks", 6, 512},
		{"one block", 0, 512},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		stick_make();
		image_put_be(unit->capacity10, rows[i].last < UINT32_MAX ? rows[i].last : UINT32_MAX, 4);
		image_put_be(unit->capacity10 + 4, rows[i].block, 4);
		image_put_be(unit->capacity16, rows[i].last, 8);
		image_put_be(unit->capacity16 + 8, rows[i].block, 4);
		EXPECT(stick_probe() == REPORT_BAD_ANSWER, rows[i].name);
		EXPECT(stick.reads == 0, rows[i].name);
	}
}

static void large_disk_is_asked_twice_and_read(void)
{
	stick_make();
	unit_size(unit, 0x200000001 * 512, 512);
	disk_luks2(&unit->disk, 0, 1);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT_EQUAL(report.units[0].blocks, 0x200000001);
}

static void volume_beyond_two_tebibytes_is_read(void)
{
	const struct disk_part part = {(uint64_t)3 << 40, 100 * MIB};

	stick_make();
	unit_size(unit, (uint64_t)4 << 40, 512);
	disk_gpt(&unit->disk, &part, 1);
	disk_luks2(&unit->disk, part.offset, 1);
	/* The space in front of it is too large to be looked at. */
	CU_ASSERT_EQUAL(stick_probe(), REPORT_SLACK);
	CU_ASSERT_PTR_NOT_NULL(strstr(report.detail, "could hide a file system"));
}

static void write_protection_is_reported(void)
{
	stick_make();
	unit->mode[2] = 0x80;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PROVED);
	CU_ASSERT_EQUAL(report.units[0].write_protected, 1);
}

static void nothing_is_sent_after_the_deadline(void)
{
	uint8_t data[SCSI_INQUIRY_LEN];
	struct scsi_cdb cdb;
	uint8_t max_lun;
	size_t got;

	stick_make();
	stick.clock = DEADLINE_MS;
	bot_init(&bot, &played, NULL, DEADLINE_MS);
	scsi_build_inquiry(&cdb);
	CU_ASSERT_EQUAL(bot_command(&bot, 0, &cdb, data, &got), BOT_E_TIMEOUT);
	CU_ASSERT_EQUAL(bot_get_max_lun(&bot, &max_lun), BOT_E_TIMEOUT);
	CU_ASSERT_EQUAL(bot_wait(&bot, 10), BOT_E_TIMEOUT);
	CU_ASSERT_EQUAL(stick.cbws, 0);
	CU_ASSERT_EQUAL(stick.clock, DEADLINE_MS);
}

static const struct test tests[] = {
	TEST(luks2_stick_is_proved_in_few_commands),
	TEST(plain_stick_is_called_plain),
	TEST(empty_stick_is_looked_at_wherever_blank_disks_are),
	TEST(largest_header_is_read_in_pieces),
	TEST(blocks_of_4096_bytes_are_addressed_right),
	TEST(every_fault_at_every_command_ends_in_a_report),
	TEST(faults_that_last_have_their_outcome),
	TEST(phase_error_is_named_in_the_report),
	TEST(device_left_in_mid_command_is_woken_by_a_reset),
	TEST(broken_protocol_is_forgiven_once_only),
	TEST(empty_reader_is_no_medium),
	TEST(disk_that_spins_up_is_waited_for),
	TEST(endless_attention_and_hardware_errors_are_refused),
	TEST(every_unit_is_proved),
	TEST(sixteen_units_are_as_many_as_there_can_be),
	TEST(one_unit_of_another_outcome_spoils_all),
	TEST(worst_unit_is_told_of),
	TEST(empty_slots_are_no_failure),
	TEST(write_protection_is_each_units_own),
	TEST(more_volumes_than_the_report_holds_are_refused),
	TEST(unit_that_does_not_answer_ends_it),
	TEST(change_in_the_middle_starts_the_unit_again),
	TEST(changing_back_and_forth_is_refused),
	TEST(every_word_for_a_change_is_understood),
	TEST(wrong_sense_data_of_a_unit_attention_is_survived),
	TEST(number_of_units_is_not_guessed),
	TEST(other_kinds_of_device_are_no_disk),
	TEST(names_with_escapes_are_made_harmless),
	TEST(impossible_capacity_is_refused),
	TEST(large_disk_is_asked_twice_and_read),
	TEST(volume_beyond_two_tebibytes_is_read),
	TEST(write_protection_is_reported),
	TEST(nothing_is_sent_after_the_deadline),
};

int main(void)
{
	return testing_run("bot", tests, ARRAY_SIZE(tests));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The bulk-only transport and the probe against a played device. */
#include "../../userspace/inspect/bot.c"
#include "../../userspace/inspect/probe.c"

#include "stick.h"

static struct bot bot;
static struct report report;

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
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS2);
	CU_ASSERT_STRING_EQUAL(report.luks_uuid, IMAGE_UUID);
	CU_ASSERT_STRING_EQUAL(report.luks_cipher, "aes-xts-plain64");
	CU_ASSERT_STRING_EQUAL(report.vendor, "SANWA");
	CU_ASSERT_STRING_EQUAL(report.product, "USB MEMORY 16GB");
	CU_ASSERT_STRING_EQUAL(report.detail, "");
	CU_ASSERT_EQUAL(report.blocks, 131072);
	CU_ASSERT_EQUAL(report.block_size, 512);
	CU_ASSERT_EQUAL(report.luns, 1);
	CU_ASSERT_EQUAL(report.write_protected, 0);
	CU_ASSERT_EQUAL(report.luks_keyslots, 1);
	CU_ASSERT(report.commands <= 12);
	CU_ASSERT_EQUAL(report.bytes_read, IMAGE_HEADER);
	CU_ASSERT_EQUAL(stick.resets, 0);
}

static void plain_stick_is_called_plain(void)
{
	stick_make();
	memset(stick.disk, 0, sizeof(stick.disk));
	stick.disk[510] = 0x55;
	stick.disk[511] = 0xaa;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_PLAIN);
	CU_ASSERT_STRING_EQUAL(report.detail, "starts with a partition table or boot sector");
	CU_ASSERT_EQUAL(report.bytes_read, 4096);
}

static void luks1_and_lying_headers_are_told_apart(void)
{
	stick_make();
	stick.disk[7] = 1;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS_OTHER);

	stick_make();
	image_put_be(stick.disk + 8, 1ull << 32, 8);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS_BAD);
	CU_ASSERT_EQUAL(report.bytes_read, 4096);

	stick_make();
	stick.disk[5000] ^= 1;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS_BAD);
	CU_ASSERT_STRING_EQUAL(report.luks_uuid, "");
}

static void header_larger_than_the_medium_is_not_read(void)
{
	stick_make();
	image_put_be(stick.disk + 8, 4u << 20, 8);
	memcpy(stick.capacity10, "\0\0\x0f\xff\0\0\x02\0", 8);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS_BAD);
	CU_ASSERT_EQUAL(stick.reads, 1);
}

static void largest_header_is_read_in_pieces(void)
{
	stick_make();
	image_put_be(stick.disk + 8, 4u << 20, 8);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS_BAD); /* its checksum is wrong */
	CU_ASSERT_EQUAL(report.bytes_read, 4u << 20);
	CU_ASSERT_EQUAL(stick.reads, 65);
}

static void blocks_of_4096_bytes_are_addressed_right(void)
{
	stick_make();
	memcpy(stick.capacity10, "\0\0\x3f\xff\0\0\x10\0", 8);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS2);
	CU_ASSERT_EQUAL(report.block_size, 4096);
	CU_ASSERT_EQUAL(report.blocks, 16384);
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
		{"stalls one CSW", FAULT_STALL_CSW, OP_READ, REPORT_LUKS2},
		{"stalls two CSWs", FAULT_STALL_CSW_TWICE, OP_READ, REPORT_BAD_ANSWER},
		{"never sends a CSW", FAULT_NO_CSW, OP_READ, REPORT_TIMEOUT},
		{"empty packet before the CSW", FAULT_EMPTY_BEFORE_CSW, OP_READ, REPORT_LUKS2},
		{"empty packets in place of a CSW", FAULT_EMPTY_CSW, OP_READ, REPORT_BAD_ANSWER},
		{"short CSW", FAULT_SHORT_CSW, OP_READ, REPORT_BAD_ANSWER},
		{"long CSW", FAULT_LONG_CSW, OP_READ, REPORT_BAD_ANSWER},
		{"another's tag", FAULT_BAD_TAG, OP_READ, REPORT_BAD_ANSWER},
		{"bad signature", FAULT_BAD_SIGNATURE, OP_READ, REPORT_BAD_ANSWER},
		{"phase error", FAULT_PHASE_ERROR, OP_READ, REPORT_BAD_ANSWER},
		{"unknown status", FAULT_BAD_STATUS, OP_READ, REPORT_BAD_ANSWER},
		{"residue too large", FAULT_BIG_RESIDUE, OP_READ, REPORT_BAD_ANSWER},
		{"wrong residue with all data", FAULT_WRONG_RESIDUE, OP_READ, REPORT_LUKS2},
		{"fails to read", FAULT_FAIL, OP_READ, REPORT_BAD_ANSWER},
		{"fails INQUIRY", FAULT_FAIL, OP_INQUIRY, REPORT_BAD_ANSWER},
		{"knows no MODE SENSE", FAULT_FAIL, OP_MODE, REPORT_LUKS2},
		{"breaks down at MODE SENSE", FAULT_STALL_CBW, OP_MODE, REPORT_LUKS2},
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
		EXPECT((report.detail[0] == '\0') == (rows[i].expect == REPORT_LUKS2),
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
		CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS2);
		CU_ASSERT_EQUAL(stick.resets, 1);
	}
}

static void broken_protocol_is_forgiven_once_only(void)
{
	stick_make();
	stick.fault = FAULT_BAD_TAG;
	stick.fault_op = OP_READ;
	stick.fault_times = 1;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS2);

	stick_make();
	stick.fault = FAULT_BAD_TAG;
	stick.fault_op = OP_READ;
	stick.fault_times = 2;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
}

static void empty_reader_is_no_medium(void)
{
	stick_make();
	stick.unready = 1000;
	memcpy(stick.unready_sense, "\x02\x3a\0", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_NO_MEDIUM);
	CU_ASSERT_EQUAL(stick.reads, 0);
}

static void disk_that_spins_up_is_waited_for(void)
{
	stick_make();
	stick.unready = 10;
	memcpy(stick.unready_sense, "\x02\x04\x01", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS2);
	CU_ASSERT(stick.clock >= 2000);

	stick_make();
	stick.unready = 1000;
	memcpy(stick.unready_sense, "\x02\x04\x01", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_TIMEOUT);
}

static void endless_attention_and_hardware_errors_are_refused(void)
{
	stick_make();
	stick.unready = 1000;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
	CU_ASSERT(report.commands < 12);

	stick_make();
	stick.unready = 1000;
	memcpy(stick.unready_sense, "\x04\x44\0", 3);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
}

static void several_units_are_reported_and_not_read(void)
{
	stick_make();
	stick.max_lun = 3;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUNS);
	CU_ASSERT_EQUAL(report.luns, 4);
	CU_ASSERT_STRING_EQUAL(report.vendor, "SANWA");
	CU_ASSERT_EQUAL(stick.reads, 0);
}

static void number_of_units_is_not_guessed(void)
{
	stick_make();
	stick.max_lun = 1;
	stick.max_lun_result = BOT_E_STALL; /* BOT 1.0, 3.2: one unit */
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS2);
	CU_ASSERT_EQUAL(report.luns, 1);

	stick_make();
	stick.max_lun = 16;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
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
		stick.inquiry[0] = types[i];
		CU_ASSERT_EQUAL(stick_probe(), REPORT_NOT_DISK);
		CU_ASSERT_EQUAL(stick.reads, 0);
	}
}

static void names_with_escapes_are_made_harmless(void)
{
	stick_make();
	memcpy(stick.inquiry + 8, "\x1b[2J\xff\n\0X", 8);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS2);
	CU_ASSERT_STRING_EQUAL(report.vendor, "?[2J??");
}

static void impossible_capacity_is_refused(void)
{
	stick_make();
	memset(stick.capacity10, 0xff, 4);
	memset(stick.capacity16, 0xff, 8);
	stick.capacity16[10] = 2;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
	stick_make();
	memcpy(stick.capacity10, "\0\0\0\x06\0\0\x02\0", 8);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_BAD_ANSWER);
	CU_ASSERT_EQUAL(stick.reads, 0);
}

static void large_disk_is_asked_twice_and_read(void)
{
	stick_make();
	memset(stick.capacity10, 0xff, 4);
	memcpy(stick.capacity16, "\0\0\0\x02\0\0\0\0\0\0\x02\0", 12);
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS2);
	CU_ASSERT_EQUAL(report.blocks, 0x200000001);
}

static void write_protection_is_reported(void)
{
	stick_make();
	stick.mode[2] = 0x80;
	CU_ASSERT_EQUAL(stick_probe(), REPORT_LUKS2);
	CU_ASSERT_EQUAL(report.write_protected, 1);
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
	TEST(luks1_and_lying_headers_are_told_apart),
	TEST(header_larger_than_the_medium_is_not_read),
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
	TEST(several_units_are_reported_and_not_read),
	TEST(number_of_units_is_not_guessed),
	TEST(other_kinds_of_device_are_no_disk),
	TEST(names_with_escapes_are_made_harmless),
	TEST(impossible_capacity_is_refused),
	TEST(large_disk_is_asked_twice_and_read),
	TEST(write_protection_is_reported),
	TEST(nothing_is_sent_after_the_deadline),
};

int main(void)
{
	return testing_run("bot", tests, ARRAY_SIZE(tests));
}

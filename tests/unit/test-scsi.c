// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/macro.h"
#include "core/scsi.h"
#include "testing.h"

static const uint8_t inquiry_disk[36] = "\x00\x80\x06\x02\x1f\0\0\0"
					"SANWA   USB MEMORY 16GB 1.00";

static void commands_have_the_bytes_of_the_standard(void)
{
	static const uint8_t read10[] = {0x28, 0, 0x12, 0x34, 0x56, 0x78, 0, 0, 8, 0};
	static const uint8_t read16[] = {0x88, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0};
	static const uint8_t capacity16[] = {0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0};
	static const uint8_t inquiry[] = {0x12, 0, 0, 0, 36, 0};
	static const uint8_t mode_sense[] = {0x1a, 0, 0x3f, 0, 192, 0};
	static const uint8_t sense[] = {0x03, 0, 0, 0, 18, 0};
	struct scsi_cdb cdb;

	scsi_build_read(&cdb, 0x12345678, 8, 512);
	CU_ASSERT(cdb.len == 10 && cdb.expect == 4096 && !memcmp(cdb.bytes, read10, 10));
	scsi_build_read(&cdb, 0x100000002, 8, 4096);
	CU_ASSERT(cdb.len == 16 && cdb.expect == 32768 && !memcmp(cdb.bytes, read16, 16));
	scsi_build_capacity16(&cdb);
	CU_ASSERT(cdb.len == 16 && cdb.expect == 32 && !memcmp(cdb.bytes, capacity16, 16));
	scsi_build_inquiry(&cdb);
	CU_ASSERT(cdb.len == 6 && cdb.expect == 36 && !memcmp(cdb.bytes, inquiry, 6));
	scsi_build_mode_sense(&cdb);
	CU_ASSERT(cdb.len == 6 && cdb.expect == 192 && !memcmp(cdb.bytes, mode_sense, 6));
	scsi_build_request_sense(&cdb);
	CU_ASSERT(cdb.len == 6 && cdb.expect == 18 && !memcmp(cdb.bytes, sense, 6));
	scsi_build_test_unit_ready(&cdb);
	CU_ASSERT(cdb.len == 6 && cdb.expect == 0 && cdb.bytes[0] == 0);
}

static void inquiry_names_lose_their_padding(void)
{
	struct scsi_inquiry out;

	CU_ASSERT_EQUAL(scsi_parse_inquiry(inquiry_disk, 36, &out), 0);
	CU_ASSERT_EQUAL(out.type, SCSI_TYPE_DISK);
	CU_ASSERT_EQUAL(out.qualifier, 0);
	CU_ASSERT_TRUE(out.removable);
	CU_ASSERT_STRING_EQUAL(out.vendor, "SANWA");
	CU_ASSERT_STRING_EQUAL(out.product, "USB MEMORY 16GB");
	CU_ASSERT_STRING_EQUAL(out.revision, "1.00");
}

static void short_inquiry_is_refused(void)
{
	struct scsi_inquiry out = {.type = 99};
	uint8_t data[36];

	for (size_t len = 0; len < 36; len++)
		CU_ASSERT_EQUAL(scsi_parse_inquiry(inquiry_disk, len, &out), SCSI_E_SHORT);
	memcpy(data, inquiry_disk, 36);
	data[4] = 30;
	CU_ASSERT_EQUAL(scsi_parse_inquiry(data, 36, &out), SCSI_E_SHORT);
	CU_ASSERT_EQUAL(out.type, 99);
}

static void inquiry_shows_what_is_no_disk(void)
{
	struct scsi_inquiry out;
	uint8_t data[36];

	memcpy(data, inquiry_disk, 36);
	data[0] = 0x7f;
	CU_ASSERT_EQUAL(scsi_parse_inquiry(data, 36, &out), 0);
	CU_ASSERT_EQUAL(out.type, 0x1f);
	CU_ASSERT_EQUAL(out.qualifier, 3);
	data[0] = 0x05;
	CU_ASSERT_EQUAL(scsi_parse_inquiry(data, 36, &out), 0);
	CU_ASSERT_EQUAL(out.type, 5);
}

static void sense_is_read_in_both_formats(void)
{
	static const uint8_t fixed[18] = {0x70, 0, 0x06, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x28, 0x01};
	static const uint8_t descriptor[8] = {0x72, 0x02, 0x3a, 0x02};
	static const uint8_t vendor[18] = {0x7f, 0, 6};
	struct scsi_sense out = {0};

	CU_ASSERT_EQUAL(scsi_parse_sense(fixed, 18, &out), 0);
	CU_ASSERT(out.key == 6 && out.asc == 0x28 && out.ascq == 1);
	CU_ASSERT_EQUAL(scsi_parse_sense(descriptor, 8, &out), 0);
	CU_ASSERT(out.key == 2 && out.asc == 0x3a && out.ascq == 2);
	CU_ASSERT_EQUAL(scsi_parse_sense(vendor, 18, &out), SCSI_E_INVALID);
	for (size_t len = 0; len < 14; len++)
		CU_ASSERT_EQUAL(scsi_parse_sense(fixed, len, &out), SCSI_E_SHORT);
	for (size_t len = 0; len < 4; len++)
		CU_ASSERT_EQUAL(scsi_parse_sense(descriptor, len, &out), SCSI_E_SHORT);
	CU_ASSERT_EQUAL(out.asc, 0x3a);
}

static void capacity_is_checked(void)
{
	static const struct {
		const char *name;
		const char *data;
		int expect;
		uint64_t blocks;
		uint32_t block_size;
	} rows[] = {
		{"64 MiB", "\0\x01\xff\xff\0\0\x02\0", 0, 131072, 512},
		{"one block", "\0\0\0\0\0\0\x10\0", 0, 1, 4096},
		{"all that 10 can say", "\xff\xff\xff\xfe\0\0\x02\0", 0, 0xffffffff, 512},
		{"too large for 10", "\xff\xff\xff\xff\0\0\x02\0", SCSI_E_LARGE, 0, 0},
		{"block size 0", "\0\0\x01\0\0\0\0\0", SCSI_E_INVALID, 0, 0},
		{"block size 256", "\0\0\x01\0\0\0\x01\0", SCSI_E_INVALID, 0, 0},
		{"block size 520", "\0\0\x01\0\0\0\x02\x08", SCSI_E_INVALID, 0, 0},
		{"block size 1536", "\0\0\x01\0\0\0\x06\0", SCSI_E_INVALID, 0, 0},
		{"block size 8192", "\0\0\x01\0\0\0\x20\0", SCSI_E_INVALID, 0, 0},
		{"block size 2 GiB", "\0\0\x01\0\x80\0\0\0", SCSI_E_INVALID, 0, 0},
	};
	struct scsi_capacity out;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&out, 0, sizeof(out));
		EXPECT(scsi_parse_capacity10((const uint8_t *)rows[i].data, 8, &out) ==
			       rows[i].expect,
		       rows[i].name);
		EXPECT(out.blocks == rows[i].blocks && out.block_size == rows[i].block_size,
		       rows[i].name);
	}
	for (size_t len = 0; len < 8; len++)
		CU_ASSERT_EQUAL(scsi_parse_capacity10((const uint8_t *)rows[0].data, len, &out),
				SCSI_E_SHORT);
}

static void large_capacity_must_not_overflow(void)
{
	uint8_t data[32] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0};
	struct scsi_capacity out = {0};

	CU_ASSERT_EQUAL(scsi_parse_capacity16(data, 32, &out), 0);
	CU_ASSERT_EQUAL(out.blocks, 0x100000001);
	for (size_t len = 0; len < 12; len++)
		CU_ASSERT_EQUAL(scsi_parse_capacity16(data, len, &out), SCSI_E_SHORT);
	memset(data, 0xff, 8);
	CU_ASSERT_EQUAL(scsi_parse_capacity16(data, 32, &out), SCSI_E_INVALID);
	/* 2^54 blocks of 512 bytes are 2^63 bytes: one too many for a file offset. */
	memcpy(data, "\0\x3f\xff\xff\xff\xff\xff\xff", 8);
	CU_ASSERT_EQUAL(scsi_parse_capacity16(data, 32, &out), SCSI_E_INVALID);
	data[7] = 0xfe;
	CU_ASSERT_EQUAL(scsi_parse_capacity16(data, 32, &out), 0);
}

static void write_protection_is_one_bit_of_the_header(void)
{
	bool protected = true;

	CU_ASSERT_EQUAL(scsi_parse_write_protect((const uint8_t *)"\x03\0\0\0", 4, &protected), 0);
	CU_ASSERT_FALSE(protected);
	CU_ASSERT_EQUAL(scsi_parse_write_protect((const uint8_t *)"\x03\0\x80\0", 4, &protected),
			0);
	CU_ASSERT_TRUE(protected);
	for (size_t len = 0; len < 4; len++)
		CU_ASSERT_EQUAL(
			scsi_parse_write_protect((const uint8_t *)"\x03\0\0\0", len, &protected),
			SCSI_E_SHORT);
}

static const struct test tests[] = {
	TEST(commands_have_the_bytes_of_the_standard),
	TEST(inquiry_names_lose_their_padding),
	TEST(short_inquiry_is_refused),
	TEST(inquiry_shows_what_is_no_disk),
	TEST(sense_is_read_in_both_formats),
	TEST(capacity_is_checked),
	TEST(large_capacity_must_not_overflow),
	TEST(write_protection_is_one_bit_of_the_header),
};

int main(void)
{
	return testing_run("scsi", tests, ARRAY_SIZE(tests));
}

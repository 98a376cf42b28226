// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/macro.h"
#include "core/ptable.h"
#include "core/report.h"
#include "testing.h"

#define UUID_1 "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d11"
#define UUID_2 "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d12"
#define MIB ((uint64_t)1 << 20)

static const struct volume volume_luks2 = {
	.method = ENCRYPTION_LUKS2,
	.keyslots = 1,
	.uuid = UUID_1,
	.label = "\xe8\xb2\xb8\xe5\x87\xba",
	.cipher = "aes-xts-plain64",
	.kdf = "argon2id",
	.has_mark = true,
	.mark = {.number = "ZEI-001",
		 .uuid = UUID_1,
		 .serial = "GOOD",
		 .issued = "2026-04-01",
		 .until = "2027-03-31",
		 .class = 1},
};
static const struct volume volume_bitlocker = {
	.method = ENCRYPTION_BITLOCKER,
	.uuid = UUID_2,
	.cipher = "aes-xts-plain64",
};

static void unit_make(struct report_unit *u, uint64_t size, uint32_t block_size, uint8_t table)
{
	u->state = REPORT_UNIT_DISK;
	u->blocks = size / block_size;
	u->block_size = block_size;
	u->table = table;
	memset(u->digest, 0x5a, sizeof(u->digest));
	strcpy(u->vendor, "SANWA");
}

/* A reader with an empty slot, a whole disk, and a disk with two partitions, as the inspector writes it. */
static void report_make(struct report *r)
{
	report_init(r, REPORT_PROVED);
	r->commands = 8;
	r->bytes_read = 16384;
	r->n_units = 3;
	r->units[0].state = REPORT_UNIT_EMPTY;
	unit_make(&r->units[1], 64 * MIB, 512, PTABLE_NONE);
	unit_make(&r->units[2], 64 * MIB, 4096, PTABLE_GPT);
	report_add_volume(r, 1, 0, 0, 64 * MIB, &volume_luks2);
	report_add_volume(r, 2, 1, MIB, 20 * MIB, &volume_bitlocker);
	report_add_volume(r, 2, 5, 21 * MIB, 30 * MIB, &volume_luks2);
}

static void report_of_the_inspector_is_taken(void)
{
	struct report r, out;

	report_make(&r);
	CU_ASSERT_TRUE(report_check(&r, sizeof(r), &out));
	CU_ASSERT_EQUAL(memcmp(&r, &out, sizeof(r)), 0);
	for (unsigned int outcome = REPORT_PLAIN; outcome <= REPORT_SLACK; outcome++) {
		report_init(&r, outcome);
		EXPECT(report_check(&r, sizeof(r), &out), report_outcome_name(outcome));
		r.n_units = 2;
		r.units[0].state = REPORT_UNIT_OTHER;
		r.units[0].type = 5;
		unit_make(&r.units[1], 64 * MIB, 512, PTABLE_MBR);
		EXPECT(report_check(&r, sizeof(r), &out), report_outcome_name(outcome));
	}
}

static void report_of_any_other_length_is_refused(void)
{
	uint8_t buf[sizeof(struct report) + 1] = {0};
	struct report r, out;

	report_make(&r);
	memcpy(buf, &r, sizeof(r));
	for (size_t len = 0; len < sizeof(r); len++)
		CU_ASSERT_FALSE(report_check(buf, len, &out));
	CU_ASSERT_FALSE(report_check(buf, sizeof(buf), &out));
}

/* One row is one field set to one value in an otherwise good report. */
#define SET(member, value)                                                                         \
	{                                                                                          \
#member " = " #value, offsetof(struct report, member),                             \
			sizeof(((struct report *)0)->member), (value)                              \
	}

static void numbers_that_cannot_be_are_refused(void)
{
	static const struct {
		const char *name;
		size_t offset;
		size_t size;
		uint64_t value;
	} rows[] = {
		SET(magic, 0),
		SET(magic, 0x31534554),
		SET(version, 0),
		SET(version, 1),
		SET(version, 3),
		SET(outcome, 0),
		SET(outcome, 14),
		SET(outcome, 0xffff),
		SET(outcome, REPORT_PLAIN), /* with volumes */
		SET(outcome, REPORT_NO_MEDIUM),
		SET(pad[0], 1),
		SET(pad[1], 1),
		SET(n_units, 0),
		SET(n_units, 2),
		SET(n_units, 4), /* the fourth is not known */
		SET(n_units, 17),
		SET(n_volumes, 0),
		SET(n_volumes, 1),
		SET(n_volumes, 2),
		SET(n_volumes, 4),
		SET(n_volumes, 17),
		SET(units[0].state, REPORT_UNIT_UNKNOWN),
		SET(units[0].state, REPORT_UNIT_DISK),
		SET(units[0].state, REPORT_UNIT_OTHER),
		SET(units[0].state, 4),
		SET(units[0].blocks, 1),
		SET(units[0].block_size, 512),
		SET(units[0].table, PTABLE_MBR),
		SET(units[0].digest, 1),
		SET(units[1].state, REPORT_UNIT_EMPTY),
		SET(units[1].block_size, 0),
		SET(units[1].block_size, 256),
		SET(units[1].block_size, 513),
		SET(units[1].block_size, 8192),
		SET(units[1].blocks, 0),
		SET(units[1].blocks, 1),
		SET(units[1].blocks, 64 * MIB / 512 + 1), /* the volume is not all of it */
		SET(units[1].blocks, UINT64_MAX),
		SET(units[1].blocks, (UINT64_MAX >> 10) + 1),
		SET(units[1].table, PTABLE_MBR),
		SET(units[1].table, 3),
		SET(units[1].write_protected, 2),
		SET(units[1].type, 0x20),
		SET(units[1].blank, 2),
		SET(units[2].table, PTABLE_NONE),
		SET(units[3].type, 5),
		SET(units[15].blank, 1),
		SET(volumes[0].unit, 0),
		SET(volumes[0].unit, 2),
		SET(volumes[0].unit, 3),
		SET(volumes[0].unit, 255),
		SET(volumes[0].partition, 1),
		SET(volumes[0].offset, 512),
		SET(volumes[0].size, 64 * MIB - 512),
		SET(volumes[0].keyslots, 0),
		SET(volumes[0].method, 0),
		SET(volumes[0].method, ENCRYPTION_LUKS1 | ENCRYPTION_LUKS2),
		SET(volumes[0].method, ENCRYPTION_HARDWARE),
		SET(volumes[0].method, ENCRYPTION_OPTIONAL),
		SET(volumes[0].has_mark, 0), /* but there is one */
		SET(volumes[0].has_mark, 2),
		SET(volumes[0].pad[0], 1),
		SET(volumes[0].pad_end[0], 1),
		SET(volumes[0].pad_end[1], 1),
		SET(volumes[0].mark.class, 4),
		SET(volumes[0].mark.pad[0], 1),
		SET(volumes[1].has_mark, 1), /* but there is none */
		SET(volumes[1].partition, 0),
		SET(volumes[1].offset, MIB + 512),
		SET(volumes[1].offset, 2 * MIB), /* reaches into the next */
		SET(volumes[1].offset, 52 * MIB), /* behind the next */
		SET(volumes[1].size, 0),
		SET(volumes[1].size, 512),
		SET(volumes[2].offset, 20 * MIB),
		SET(volumes[2].offset, 64 * MIB),
		SET(volumes[2].offset, UINT64_MAX - 4095),
		SET(volumes[2].size, 44 * MIB),
		SET(volumes[2].size, UINT64_MAX - 4095),
		SET(volumes[3].keyslots, 1),
		SET(volumes[15].pad_end[1], 1),
	};
	struct report r, out;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		report_make(&r);
		memcpy((uint8_t *)&r + rows[i].offset, &rows[i].value, rows[i].size);
		EXPECT(!report_check(&r, sizeof(r), &out), rows[i].name);
	}
}

#define FIELD(member) offsetof(struct report, member), sizeof(((struct report *)0)->member)

static void texts_that_could_fool_a_reader_are_refused(void)
{
	static const struct {
		const char *name;
		size_t offset;
		size_t size;
		const char *text;
	} rows[] = {
		{"newline in the vendor", FIELD(units[1].vendor), "A\nB"},
		{"escape in the product", FIELD(units[1].product), "A\x1b[2J"},
		{"DEL in the revision", FIELD(units[0].revision), "\x7f"},
		{"Japanese in the vendor", FIELD(units[2].vendor), "\xe8\xb2\xb8"},
		{"Japanese in the detail", FIELD(detail), "\xe8\xb2\xb8"},
		{"broken UTF-8 in the label", FIELD(volumes[0].label), "\xe8\xb2"},
		{"overlong UTF-8 in the label", FIELD(volumes[0].label), "\xc0\xaf"},
		{"surrogate in the label", FIELD(volumes[2].label), "\xed\xa0\x80"},
		{"C1 control in the label", FIELD(volumes[0].label), "\xc2\x9b"},
		{"tab in the label", FIELD(volumes[0].label), "a\tb"},
		{"empty UUID", FIELD(volumes[0].uuid), ""},
		{"short UUID", FIELD(volumes[0].uuid), "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d1"},
		{"long UUID", FIELD(volumes[0].uuid), "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d111"},
		{"UUID in upper case", FIELD(volumes[0].uuid),
		 "3B1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d11"},
		{"UUID with a slash", FIELD(volumes[1].uuid),
		 "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d/1"},
		{"UUID with other dashes", FIELD(volumes[0].uuid),
		 "3b1d7c5-20f6a-4e0d-9a51-6c7e5f0b2d11"},
		{"no cipher", FIELD(volumes[0].cipher), ""},
		{"newline in the KDF", FIELD(volumes[0].kdf), "pbkdf2\n"},
		{"mark without a number", FIELD(volumes[0].mark.number), ""},
		{"mark with a day that is none", FIELD(volumes[0].mark.issued), "2026-04-31"},
	};
	struct report r, out;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		report_make(&r);
		memset((uint8_t *)&r + rows[i].offset, 0, rows[i].size);
		strcpy((char *)&r + rows[i].offset, rows[i].text);
		EXPECT(!report_check(&r, sizeof(r), &out), rows[i].name);
	}
}

static void texts_that_do_not_end_are_refused(void)
{
	static const struct {
		const char *name;
		size_t offset;
		size_t size;
	} rows[] = {
		{"vendor", FIELD(units[0].vendor)},    {"product", FIELD(units[1].product)},
		{"revision", FIELD(units[2].revision)}, {"uuid", FIELD(volumes[0].uuid)},
		{"label", FIELD(volumes[0].label)},    {"cipher", FIELD(volumes[1].cipher)},
		{"kdf", FIELD(volumes[2].kdf)},	       {"serial", FIELD(volumes[0].mark.serial)},
		{"detail", FIELD(detail)},
	};
	struct report r, out;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		report_make(&r);
		memset((uint8_t *)&r + rows[i].offset, 'a', rows[i].size);
		EXPECT(!report_check(&r, sizeof(r), &out), rows[i].name);
	}
}

static void bytes_behind_a_text_are_refused(void)
{
	struct report r, out;

	report_make(&r);
	r.detail[REPORT_DETAIL_MAX - 2] = 'x';
	CU_ASSERT_FALSE(report_check(&r, sizeof(r), &out));
	report_make(&r);
	r.volumes[1].label[VOLUME_LABEL_MAX - 2] = 'x';
	CU_ASSERT_FALSE(report_check(&r, sizeof(r), &out));
}

static void refused_report_leaves_the_result_alone(void)
{
	struct report r, out;

	memset(&out, 0xa5, sizeof(out));
	report_make(&r);
	r.magic = 0;
	CU_ASSERT_FALSE(report_check(&r, sizeof(r), &out));
	CU_ASSERT_EQUAL(out.magic, 0xa5a5a5a5);
}

static void text_of_a_device_is_made_fit_to_show(void)
{
	static const struct {
		const char *in;
		const char *out;
		bool ascii;
	} rows[] = {
		{"plain", "plain", true},
		{"a\nb\x1b[m\x7f", "a?b?[m?", true},
		{"\xe8\xb2\xb8x", "???x", true},
		{"\xe8\xb2\xb8x", "\xe8\xb2\xb8x", false},
		{"\xe8\xb2x", "??x", false},
		{"\xc2\x9b"
		 "2J",
		 "??2J", false},
		{"0123456789", "0123456", true},
		/* The third character would need bytes 7 to 9 of a field of 8. */
		{"\xe8\xb2\xb8\xe8\xb2\xb8\xe8\xb2\xb8", "\xe8\xb2\xb8\xe8\xb2\xb8", false},
		{"", "", false},
	};
	char field[8];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(field, 'z', sizeof(field));
		report_set_text(field, sizeof(field), rows[i].in, rows[i].ascii);
		EXPECT(strcmp(field, rows[i].out) == 0, rows[i].in);
		EXPECT(field[sizeof(field) - 1] == '\0', rows[i].in);
	}
}

static void no_byte_that_means_nothing_may_be_set(void)
{
	/* Where any value, or more than one, is right. */
	static const struct {
		size_t offset;
		size_t size;
	} open[] = {
		{FIELD(commands)},		 {FIELD(bytes_read)},
		{FIELD(elapsed_us)},		 {FIELD(units[1].digest)},
		{FIELD(units[2].digest)},	 {FIELD(units[2].blocks)},
		{FIELD(volumes[0].keyslots)},	 {FIELD(volumes[1].keyslots)},
		{FIELD(volumes[2].keyslots)},	 {FIELD(volumes[1].partition)},
		{FIELD(volumes[2].partition)},	 {FIELD(volumes[2].offset)},
		{FIELD(volumes[2].size)},	 {FIELD(volumes[0].binding)},
		{FIELD(volumes[1].binding)},	 {FIELD(volumes[2].binding)},
		{FIELD(volumes[0].mark.id_vendor)}, {FIELD(volumes[0].mark.id_product)},
		{FIELD(volumes[0].mark.binding)},   {FIELD(volumes[0].mark.signer)},
		{FIELD(volumes[0].mark.signature)}, {FIELD(volumes[2].mark.id_vendor)},
		{FIELD(volumes[2].mark.id_product)}, {FIELD(volumes[2].mark.binding)},
		{FIELD(volumes[2].mark.signer)},    {FIELD(volumes[2].mark.signature)},
	};
	struct report r, out;

	for (size_t i = 0; i < sizeof(r); i++) {
		bool known = false;

		for (size_t j = 0; j < ARRAY_SIZE(open); j++)
			known |= i >= open[j].offset && i < open[j].offset + open[j].size;
		report_make(&r);
		((uint8_t *)&r)[i] ^= 0xff;
		if (report_check(&r, sizeof(r), &out) && !known) {
			fprintf(stderr, "byte %zu of the report may be anything\n", i);
			CU_FAIL("a byte of the report is not checked");
		}
	}
}

static void volumes_find_room_until_there_is_none(void)
{
	struct report r;

	report_init(&r, REPORT_PROVED);
	for (uint16_t i = 0; i < REPORT_VOLUMES_MAX; i++)
		CU_ASSERT_TRUE(report_add_volume(&r, 0, i, i * MIB, MIB, &volume_luks2));
	CU_ASSERT_FALSE(report_add_volume(&r, 0, 99, 99 * MIB, MIB, &volume_luks2));
	CU_ASSERT_EQUAL(r.n_volumes, REPORT_VOLUMES_MAX);
}

static void texts_of_a_volume_are_made_acceptable(void)
{
	struct volume volume = volume_bitlocker;
	struct report r, out;

	memcpy(volume.label, "a\x1b\xff\xe8\xb2\xb8", 7);
	report_init(&r, REPORT_PROVED);
	r.n_units = 1;
	unit_make(&r.units[0], 64 * MIB, 512, PTABLE_NONE);
	report_add_volume(&r, 0, 0, 0, 64 * MIB, &volume);
	CU_ASSERT_TRUE(report_check(&r, sizeof(r), &out));
	CU_ASSERT_STRING_EQUAL(out.volumes[0].label, "a??\xe8\xb2\xb8");
}

static void volume_is_found_by_its_uuid(void)
{
	struct report r;

	report_make(&r);
	CU_ASSERT_PTR_EQUAL(report_find_uuid(&r, UUID_1), &r.volumes[0]);
	CU_ASSERT_PTR_EQUAL(report_find_uuid(&r, UUID_2), &r.volumes[1]);
	CU_ASSERT_PTR_NULL(report_find_uuid(&r, "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d13"));
	CU_ASSERT_PTR_NULL(report_find_uuid(&r, ""));
}

static void disks_are_the_same_by_size_table_and_digest(void)
{
	struct report_unit a = {0}, b = {0};

	CU_ASSERT_FALSE(report_unit_same(&a, &b));
	unit_make(&a, 64 * MIB, 512, PTABLE_MBR);
	b = a;
	memset(b.vendor, 0, sizeof(b.vendor)); /* a block device does not tell */
	b.write_protected = 1;
	CU_ASSERT_TRUE(report_unit_same(&a, &b));
	b.digest[31] ^= 1;
	CU_ASSERT_FALSE(report_unit_same(&a, &b));
	b = a;
	b.blocks++;
	CU_ASSERT_FALSE(report_unit_same(&a, &b));
	b = a;
	b.table = PTABLE_NONE;
	CU_ASSERT_FALSE(report_unit_same(&a, &b));
	/* Nothing seen is nothing shown to be the same. */
	memset(a.digest, 0, sizeof(a.digest));
	b = a;
	CU_ASSERT_FALSE(report_unit_same(&a, &b));
}

static void worst_outcome_wins_and_the_first_of_its_kind_tells(void)
{
	struct report r, out;

	report_make(&r);
	report_worsen(&r, REPORT_SLACK, "slack");
	report_worsen(&r, REPORT_PLAIN, "plain");
	report_worsen(&r, REPORT_PLAIN, "plain, too");
	report_worsen(&r, REPORT_DAMAGED, "damaged");
	report_worsen(&r, REPORT_PROVED, "");
	CU_ASSERT_EQUAL(r.outcome, REPORT_PLAIN);
	CU_ASSERT_STRING_EQUAL(r.detail, "plain");
	report_worsen(&r, REPORT_NOT_DISK, "CD\n");
	CU_ASSERT_EQUAL(r.outcome, REPORT_NOT_DISK);
	CU_ASSERT_STRING_EQUAL(r.detail, "CD?");

	CU_ASSERT_FALSE(report_check(&r, sizeof(r), &out));
	report_conclude(&r);
	CU_ASSERT_TRUE(report_check(&r, sizeof(r), &out));
	CU_ASSERT_EQUAL(r.n_volumes, 0);
	CU_ASSERT_EQUAL(r.n_units, 3);
}

static void empty_reader_is_concluded_to_hold_no_medium(void)
{
	struct report r;

	report_init(&r, REPORT_PROVED);
	r.n_units = 2;
	r.units[0].state = r.units[1].state = REPORT_UNIT_EMPTY;
	report_conclude(&r);
	CU_ASSERT_EQUAL(r.outcome, REPORT_NO_MEDIUM);

	report_make(&r);
	report_conclude(&r);
	CU_ASSERT_EQUAL(r.outcome, REPORT_PROVED);
	CU_ASSERT_EQUAL(r.n_volumes, 3);
}

static void outcomes_have_stable_names(void)
{
	CU_ASSERT_STRING_EQUAL(report_outcome_name(REPORT_PROVED), "proved");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(REPORT_PLAIN), "plain");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(REPORT_DAMAGED), "damaged");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(REPORT_INTERNAL), "internal");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(REPORT_SLACK), "slack");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(0), "unknown");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(14), "unknown");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(0xffff), "unknown");
}

static const struct test tests[] = {
	TEST(report_of_the_inspector_is_taken),
	TEST(report_of_any_other_length_is_refused),
	TEST(numbers_that_cannot_be_are_refused),
	TEST(texts_that_could_fool_a_reader_are_refused),
	TEST(texts_that_do_not_end_are_refused),
	TEST(bytes_behind_a_text_are_refused),
	TEST(refused_report_leaves_the_result_alone),
	TEST(text_of_a_device_is_made_fit_to_show),
	TEST(no_byte_that_means_nothing_may_be_set),
	TEST(volumes_find_room_until_there_is_none),
	TEST(texts_of_a_volume_are_made_acceptable),
	TEST(volume_is_found_by_its_uuid),
	TEST(disks_are_the_same_by_size_table_and_digest),
	TEST(worst_outcome_wins_and_the_first_of_its_kind_tells),
	TEST(empty_reader_is_concluded_to_hold_no_medium),
	TEST(outcomes_have_stable_names),
};

int main(void)
{
	return testing_run("report", tests, ARRAY_SIZE(tests));
}

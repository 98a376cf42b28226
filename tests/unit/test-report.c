// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/macro.h"
#include "core/report.h"
#include "testing.h"

/* A report of a proved LUKS2 medium, as the inspector writes it. */
static void report_make(struct report *r)
{
	report_init(r, REPORT_LUKS2);
	r->block_size = 512;
	r->blocks = 131072;
	r->commands = 8;
	r->bytes_read = 16384;
	r->luks_keyslots = 1;
	strcpy(r->vendor, "SANWA");
	strcpy(r->luks_uuid, "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d11");
	strcpy(r->luks_label, "\xe8\xb2\xb8\xe5\x87\xba");
	strcpy(r->luks_cipher, "aes-xts-plain64");
}

static void report_of_the_inspector_is_taken(void)
{
	struct report r, out;

	report_make(&r);
	CU_ASSERT_TRUE(report_check(&r, sizeof(r), &out));
	CU_ASSERT_EQUAL(memcmp(&r, &out, sizeof(r)), 0);
	for (unsigned int outcome = REPORT_PLAIN; outcome <= REPORT_INTERNAL; outcome++) {
		report_init(&r, outcome);
		CU_ASSERT_TRUE(report_check(&r, sizeof(r), &out));
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
		SET(version, 2),
		SET(outcome, 0),
		SET(outcome, 12),
		SET(outcome, 0xffff),
		SET(outcome, REPORT_PLAIN), /* with a UUID */
		SET(outcome, REPORT_LUKS_BAD),
		SET(block_size, 0),
		SET(block_size, 513),
		SET(block_size, 8192),
		SET(blocks, 0),
		SET(luns, 0),
		SET(luns, 2),
		SET(write_protected, 2),
		SET(write_protected, 255),
		SET(pad[0], 1),
		SET(pad[1], 1),
		SET(pad_end[0], 1),
		SET(luks_keyslots, 0),
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
		{"newline in the vendor", FIELD(vendor), "A\nB"},
		{"escape in the product", FIELD(product), "A\x1b[2J"},
		{"DEL in the revision", FIELD(revision), "\x7f"},
		{"Japanese in the vendor", FIELD(vendor), "\xe8\xb2\xb8"},
		{"Japanese in the detail", FIELD(detail), "\xe8\xb2\xb8"},
		{"broken UTF-8 in the label", FIELD(luks_label), "\xe8\xb2"},
		{"overlong UTF-8 in the label", FIELD(luks_label), "\xc0\xaf"},
		{"surrogate in the label", FIELD(luks_label), "\xed\xa0\x80"},
		{"C1 control in the label", FIELD(luks_label), "\xc2\x9b"},
		{"tab in the label", FIELD(luks_label), "a\tb"},
		{"empty UUID", FIELD(luks_uuid), ""},
		{"short UUID", FIELD(luks_uuid), "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d1"},
		{"long UUID", FIELD(luks_uuid), "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d111"},
		{"UUID in upper case", FIELD(luks_uuid), "3B1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d11"},
		{"UUID with a slash", FIELD(luks_uuid), "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d/1"},
		{"UUID with other dashes", FIELD(luks_uuid),
		 "3b1d7c5-20f6a-4e0d-9a51-6c7e5f0b2d11"},
		{"no cipher", FIELD(luks_cipher), ""},
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
		{"vendor", FIELD(vendor)},     {"product", FIELD(product)},
		{"revision", FIELD(revision)}, {"uuid", FIELD(luks_uuid)},
		{"label", FIELD(luks_label)},  {"cipher", FIELD(luks_cipher)},
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

static void outcomes_have_stable_names(void)
{
	CU_ASSERT_STRING_EQUAL(report_outcome_name(REPORT_LUKS2), "luks2");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(REPORT_PLAIN), "plain");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(REPORT_LUKS_BAD), "luks-bad");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(REPORT_INTERNAL), "internal");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(0), "unknown");
	CU_ASSERT_STRING_EQUAL(report_outcome_name(12), "unknown");
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
	TEST(outcomes_have_stable_names),
};

int main(void)
{
	return testing_run("report", tests, ARRAY_SIZE(tests));
}

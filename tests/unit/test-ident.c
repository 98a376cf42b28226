// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <string.h>

#include "core/ident.h"
#include "core/macro.h"
#include "core/utf8.h"
#include "testing.h"

static struct ident stick(void)
{
	struct ident ident = { .name = "1-2",
			       .busnum = 1,
			       .devnum = 5,
			       .id_vendor = 0x46f4,
			       .id_product = 1,
			       .n_interfaces = 1,
			       .interfaces = { { 0, 8, 6, 0x50 } } };

	ident_set_string(ident.serial, "S1");
	ident_set_string(ident.product, "ab");
	return ident;
}

static void fingerprint_is_the_same_in_every_port(void)
{
	struct ident a = stick(), b = stick();
	char fa[IDENT_FINGERPRINT_MAX], fb[IDENT_FINGERPRINT_MAX];

	strcpy(b.name, "4-1.3");
	b.busnum = 4;
	b.devnum = 77;
	ident_fingerprint(&a, fa);
	ident_fingerprint(&b, fb);
	CU_ASSERT_STRING_EQUAL(fa, fb);
	CU_ASSERT_EQUAL(strlen(fa), 8 + 32);
	CU_ASSERT_EQUAL(strncmp(fa, "blake2b:", 8), 0);
}

static void fingerprint_differs_in_every_field(void)
{
	char seen[9][IDENT_FINGERPRINT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		struct ident ident = stick();

		switch (i) {
		case 1:
			ident.id_vendor++;
			break;
		case 2:
			ident.id_product++;
			break;
		case 3:
			ident.bcd_device++;
			break;
		case 4:
			ident_set_string(ident.serial, "S2");
			break;
		case 5:
			ident_set_string(ident.manufacturer, "ab");
			ident.product[0] = '\0';
			break;
		case 6:
			ident_set_string(ident.product, "abS");
			ident_set_string(ident.serial, "1");
			break;
		case 7:
			ident.interfaces[0].protocol = 0x62;
			break;
		case 8:
			ident.interfaces[ident.n_interfaces++] = (struct ident_interface){ 1, 3, 1, 1 };
			break;
		}
		ident_fingerprint(&ident, seen[i]);
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(seen[i], seen[j]);
	}
}

static void strings_from_devices_become_valid_utf8(void)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "日本語", "日本語" },
		{ "a\xff", "a\xef\xbf\xbd" },
		{ "\xe6\x97", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf5\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\x1b[2J", "\x1b[2J" },
		{ "", "" },
	};
	char field[IDENT_STRING_MAX], small[5];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ident_set_string(field, rows[i].in);
		EXPECT(!strcmp(field, rows[i].out), rows[i].in);
		EXPECT(utf8_valid(field, strlen(field)), rows[i].in);
	}
	/* Cut before the character that does not fit. */
	utf8_copy(small, sizeof(small), "日本", strlen("日本"));
	CU_ASSERT_STRING_EQUAL(small, "日");
}

static const struct test tests[] = {
	TEST(fingerprint_is_the_same_in_every_port),
	TEST(fingerprint_differs_in_every_field),
	TEST(strings_from_devices_become_valid_utf8),
};

int main(void)
{
	return sodium_init() < 0 ? 1 : testing_run("ident", tests, ARRAY_SIZE(tests));
}

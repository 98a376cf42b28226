// SPDX-License-Identifier: GPL-2.0-or-later
/* core/descriptors: interfaces and USBGuard's hash, out of bytes that the device chose. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/descriptors.h"
#include "core/macro.h"
#include "testing.h"

/* A stick with two settings of its storage interface (bulk-only, UAS) and a keyboard. */
static const uint8_t composite[] = {
	/* device: USB 3.10, ids 1234:abcd, bcdDevice 2.01 */
	18, 1, 0x10, 0x03, 0, 0, 0, 9, 0x34, 0x12, 0xcd, 0xab, 0x01, 0x02, 1, 2, 3, 1,
	/* configuration */
	9, 2, 0x54, 0x00, 2, 1, 0, 0x80, 0x32,
	/* interface 0, setting 0: 08:06:50, two endpoints */
	9, 4, 0, 0, 2, 0x08, 0x06, 0x50, 0, 7, 5, 0x81, 2, 0, 2, 0, 7, 5, 0x02, 2, 0, 2, 0,
	/* interface 0, setting 1: 08:06:62, endpoints and a pipe usage descriptor */
	9, 4, 0, 1, 4, 0x08, 0x06, 0x62, 0, 7, 5, 0x81, 2, 0, 2, 0, 4, 0x24, 1, 0, 7, 5, 0x02, 2, 0,
	2, 0,
	/* interface 1: 03:01:01, HID descriptor, endpoint */
	9, 4, 1, 0, 1, 0x03, 0x01, 0x01, 0, 9, 0x21, 0x11, 0x01, 0, 1, 0x22, 0x3f, 0, 7, 5, 0x83, 3,
	8, 0, 0x0a};

/* Linux's own root hub at high speed; bcdDevice is the kernel's version, here 6.1. */
static const uint8_t root_hub[] = {18,   1,    0x00, 0x02, 9, 0,    1, 64, 0x6b, 0x1d, 0x02,
				   0x00, 0x01, 0x06, 3,    2, 1,    1, 9,  2,    25,   0,
				   1,    1,    0,    0xe0, 0, 9,    4, 0,  0,    1,    9,
				   0,    0,    0,    7,    5, 0x81, 3, 4,  0,    12};

static bool type_is(const struct ident_type *type, uint8_t number, uint8_t class, uint8_t subclass,
		    uint8_t protocol)
{
	return type->number == number && type->class == class && type->subclass == subclass &&
	       type->protocol == protocol;
}

static void every_setting_of_every_interface_is_told(void)
{
	struct ident ident = {.n_types = 7};

	CU_ASSERT_EQUAL(descriptors_types(composite, sizeof(composite), &ident), 0);
	CU_ASSERT_EQUAL_FATAL(ident.n_types, 3);
	CU_ASSERT_TRUE(type_is(&ident.types[0], 0, 0x08, 0x06, 0x50));
	CU_ASSERT_TRUE(type_is(&ident.types[1], 0, 0x08, 0x06, 0x62));
	CU_ASSERT_TRUE(type_is(&ident.types[2], 1, 0x03, 0x01, 0x01));
	CU_ASSERT_EQUAL(descriptors_types(composite, 0, &ident), 0);
	CU_ASSERT_EQUAL(ident.n_types, 0);
}

/* Each length into a block of its own, so that a byte too far is seen. */
static int types_of(const uint8_t *bytes, size_t len, struct ident *ident)
{
	uint8_t *copy = malloc(len ? len : 1);
	int r;

	memcpy(copy, bytes, len);
	r = descriptors_types(copy, len, ident);
	free(copy);
	return r;
}

static bool ends_a_descriptor(const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len)
		at += bytes[at];
	return at == len;
}

static void descriptors_cut_anywhere_are_refused(void)
{
	for (size_t len = 0; len <= sizeof(composite); len++) {
		struct ident ident = {.n_types = 7};
		int r = types_of(composite, len, &ident);
		char row[32];

		snprintf(row, sizeof(row), "%zu bytes", len);
		EXPECT(r == (ends_a_descriptor(composite, len) ? 0 : -EBADMSG), row);
		EXPECT(!r || !ident.n_types, row);
	}
}

static void lengths_that_lie_are_refused(void)
{
	static const struct {
		const char *name;
		uint8_t bytes[24];
		size_t len;
	} rows[] = {
		{"length 0", {0}, 1},
		{"length 0 in a row", {0, 0, 0, 0}, 4},
		{"length 1", {1, 4}, 2},
		{"length 1 at the end", {2, 5, 1}, 3},
		{"one byte too long", {10, 4, 0, 0, 2, 8, 6, 0x50, 0}, 9},
		{"far too long", {255, 4, 0, 0, 2, 8, 6, 0x50, 0}, 9},
		{"interface of 8 bytes", {8, 4, 0, 0, 2, 8, 6, 0x50}, 8},
		{"interface of 2 bytes", {2, 4}, 2},
		{"good, then cut", {9, 4, 0, 0, 2, 8, 6, 0x50, 0, 9, 4, 1}, 12},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ident ident = {.n_types = 7};

		EXPECT(types_of(rows[i].bytes, rows[i].len, &ident) == -EBADMSG, rows[i].name);
		EXPECT(!ident.n_types, rows[i].name);
	}
}

static void more_interfaces_than_fit_are_refused(void)
{
	static uint8_t bytes[9 * (IDENT_TYPES_MAX + 1)];
	static struct ident ident;

	for (size_t at = 0; at < sizeof(bytes); at += 9)
		memcpy(bytes + at, (const uint8_t[]){9, 4, 0, 0, 0, 8, 6, 0x50, 0}, 9);
	CU_ASSERT_EQUAL(types_of(bytes, sizeof(bytes) - 9, &ident), 0);
	CU_ASSERT_EQUAL(ident.n_types, IDENT_TYPES_MAX);
	CU_ASSERT_EQUAL(types_of(bytes, sizeof(bytes), &ident), -E2BIG);
	CU_ASSERT_EQUAL(ident.n_types, 0);
}

static void longer_interface_descriptors_are_read(void)
{
	static const uint8_t bytes[] = {11, 4, 5, 0, 0, 0xff, 1, 2, 0, 0xaa, 0xbb, 2, 0x24};
	struct ident ident;

	CU_ASSERT_EQUAL(types_of(bytes, sizeof(bytes), &ident), 0);
	CU_ASSERT_EQUAL_FATAL(ident.n_types, 1);
	CU_ASSERT_TRUE(type_is(&ident.types[0], 5, 0xff, 1, 2));
}

static const char *hash_of(const char *product, uint16_t vendor, uint16_t id_product,
			   const char *serial, const uint8_t *bytes, size_t len)
{
	static char out[IDENT_HASH_MAX];

	memset(out, 'x', sizeof(out));
	descriptors_usbguard_hash(product, vendor, id_product, serial, bytes, len, out);
	return out;
}

/* What USBGuard itself writes for this root hub, as its users' rule files on the web show. */
static void the_hash_is_the_one_that_usbguard_writes(void)
{
	CU_ASSERT_STRING_EQUAL(hash_of("xHCI Host Controller", 0x1d6b, 2, "0000:00:14.0", root_hub,
				       sizeof(root_hub)),
			       "jEP/6WzviqdJ5VSeTUY8PatCNBKeaREvo2OqdplND/o=");
}

/* Computed with Python's hashlib. */
static void the_hash_is_over_strings_ids_and_descriptors(void)
{
	CU_ASSERT_STRING_EQUAL(
		hash_of("USB DISK 3.0", 0x1234, 0xabcd, "5A00-0017", composite, sizeof(composite)),
		"pY8vGWtqjoGa/NABvxF1v16VuOjrgmRze04XafSK8Ao=");
	CU_ASSERT_STRING_EQUAL(hash_of("関守", 0x1234, 0xabcd, "", composite, sizeof(composite)),
			       "5go+PiadeOYsTi8XVHYfmnRYvstnEYC1HwPBVIezUbQ=");
}

static void the_hash_differs_in_each_part(void)
{
	char first[IDENT_HASH_MAX];
	uint8_t other[sizeof(composite)];

	strcpy(first, hash_of("a", 0x1234, 0xabcd, "b", composite, sizeof(composite)));
	CU_ASSERT_STRING_NOT_EQUAL(first,
				   hash_of("A", 0x1234, 0xabcd, "b", composite, sizeof(composite)));
	CU_ASSERT_STRING_NOT_EQUAL(first,
				   hash_of("a", 0x1235, 0xabcd, "b", composite, sizeof(composite)));
	CU_ASSERT_STRING_NOT_EQUAL(first,
				   hash_of("a", 0x1234, 0xabce, "b", composite, sizeof(composite)));
	CU_ASSERT_STRING_NOT_EQUAL(first,
				   hash_of("a", 0x1234, 0xabcd, "c", composite, sizeof(composite)));
	for (size_t i = 0; i < sizeof(composite); i++) {
		memcpy(other, composite, sizeof(other));
		other[i] ^= 0x80;
		CU_ASSERT_STRING_NOT_EQUAL(first,
					   hash_of("a", 0x1234, 0xabcd, "b", other, sizeof(other)));
	}
}

static void the_kernels_version_is_left_out_for_its_root_hubs_only(void)
{
	static const struct {
		const char *name;
		uint8_t vendor, product, high; /* low bytes of the ids, high byte of the product */
		bool same;
	} rows[] = {
		{"1d6b:0001", 0x6b, 1, 0, true},  {"1d6b:0002", 0x6b, 2, 0, true},
		{"1d6b:0003", 0x6b, 3, 0, true},  {"1d6b:0000", 0x6b, 0, 0, false},
		{"1d6b:0004", 0x6b, 4, 0, false}, {"1d6b:0102", 0x6b, 2, 1, false},
		{"1d6c:0002", 0x6c, 2, 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t old[sizeof(root_hub)], new[sizeof(root_hub)];
		char hash[IDENT_HASH_MAX];

		memcpy(old, root_hub, sizeof(old));
		old[8] = rows[i].vendor;
		old[10] = rows[i].product;
		old[11] = rows[i].high;
		memcpy(new, old, sizeof(new));
		new[12] = 0x12;
		new[13] = 0x07;
		strcpy(hash, hash_of("x", 1, 2, "", old, sizeof(old)));
		EXPECT(!strcmp(hash, hash_of("x", 1, 2, "", new, sizeof(new))) == rows[i].same,
		       rows[i].name);
	}
}

static void descriptors_that_are_not_whole_have_no_hash(void)
{
	for (size_t len = 0; len < sizeof(composite); len++) {
		uint8_t *copy = malloc(len ? len : 1);
		char row[32];

		memcpy(copy, composite, len);
		snprintf(row, sizeof(row), "%zu bytes", len);
		EXPECT(!*hash_of("a", 1, 2, "b", copy, len) ==
			       (len < 18 || !ends_a_descriptor(composite, len)),
		       row);
		free(copy);
	}
}

int main(void)
{
	static const struct test tests[] = {
		TEST(every_setting_of_every_interface_is_told),
		TEST(descriptors_cut_anywhere_are_refused),
		TEST(lengths_that_lie_are_refused),
		TEST(more_interfaces_than_fit_are_refused),
		TEST(longer_interface_descriptors_are_read),
		TEST(the_hash_is_the_one_that_usbguard_writes),
		TEST(the_hash_is_over_strings_ids_and_descriptors),
		TEST(the_hash_differs_in_each_part),
		TEST(the_kernels_version_is_left_out_for_its_root_hubs_only),
		TEST(descriptors_that_are_not_whole_have_no_hash),
	};

	return testing_run("descriptors", tests, ARRAY_SIZE(tests));
}

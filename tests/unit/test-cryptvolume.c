// SPDX-License-Identifier: GPL-2.0-or-later
/* system/cryptvolume on image files: what needs no device mapper. Our own parser reads what it
 * writes. */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/luks2.h"
#include "system/cryptvolume.h"
#include "testing.h"

#define SIZE (32 << 20)
#define UUID "6f1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
#define KDF_FLOOR                                                                                  \
	{                                                                                          \
		CRYPTVOLUME_KDF_MEMORY_MIN, CRYPTVOLUME_KDF_ITERATIONS_MIN, 1                      \
	}

static char path[] = "/tmp/sekimori-cryptvolume-XXXXXX";

static void image_reset(void)
{
	CU_ASSERT_EQUAL_FATAL(truncate(path, 0), 0);
	CU_ASSERT_EQUAL_FATAL(truncate(path, SIZE), 0);
}

static struct cryptvolume *image_open(void)
{
	struct cryptvolume *volume = NULL;

	CU_ASSERT_EQUAL_FATAL(cryptvolume_new(path, &volume), 0);
	return volume;
}

/* Two keyslots. */
static struct cryptvolume *image_format(void)
{
	const struct cryptvolume_params params = {
		.uuid = UUID, .label = "M-0001", .sector_size = 512, .kdf = KDF_FLOOR};
	struct cryptvolume *volume;

	image_reset();
	volume = image_open();
	CU_ASSERT_EQUAL_FATAL(cryptvolume_format(volume, &params), 0);
	CU_ASSERT_EQUAL(cryptvolume_key_add(volume, "first", 5), 0);
	CU_ASSERT_EQUAL(cryptvolume_key_add(volume, "second", 6), 1);
	return volume;
}

/* What a terminal reads out of it. */
static int image_parse(struct volume *found)
{
	static uint8_t header[2 * LUKS2_SIZE_MIN];
	_cleanup_(closep) int fd = open(path, O_RDONLY);
	char detail[VOLUME_DETAIL_MAX];
	struct luks2 more;
	size_t size = 0;

	CU_ASSERT_EQUAL_FATAL(read(fd, header, sizeof(header)), sizeof(header));
	if (luks2_header_size(header, &size, detail))
		return -1;
	CU_ASSERT_EQUAL_FATAL(size, LUKS2_SIZE_MIN);
	return luks2_parse(header, header + size, size, SIZE, found, &more, detail);
}

static void costs_below_the_floor_are_refused(void)
{
	static const struct cryptvolume_kdf bad[] = {
		{CRYPTVOLUME_KDF_MEMORY_MIN - 1, 4, 1}, {CRYPTVOLUME_KDF_MEMORY_MIN, 3, 1},
		{CRYPTVOLUME_KDF_MEMORY_MIN, 4, 0},     {CRYPTVOLUME_KDF_MEMORY_MIN, 4, 5},
		{CRYPTVOLUME_KDF_MEMORY_MAX + 1, 4, 1}, {CRYPTVOLUME_KDF_MEMORY_MIN, 65, 1},
	};
	static const struct cryptvolume_kdf usual = CRYPTVOLUME_KDF_DEFAULT, least = KDF_FLOOR;

	CU_ASSERT_TRUE(cryptvolume_kdf_ok(&usual));
	CU_ASSERT_TRUE(cryptvolume_kdf_ok(&least));
	image_reset();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct cryptvolume_params params = {.sector_size = 512, .kdf = bad[i]};
		_cleanup_(cryptvolume_freep) struct cryptvolume *volume = image_open();

		CU_ASSERT_FALSE(cryptvolume_kdf_ok(&bad[i]));
		CU_ASSERT_EQUAL(cryptvolume_format(volume, &params), CRYPTVOLUME_E_KDF);
		CU_ASSERT_EQUAL(cryptvolume_load(volume), CRYPTVOLUME_E_NONE);
	}
}

static void what_it_formats_is_what_our_parser_proves(void)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = image_format();
	uint8_t binding[MARK_BINDING_SIZE];
	struct volume found;

	CU_ASSERT_EQUAL_FATAL(image_parse(&found), 0);
	CU_ASSERT_STRING_EQUAL(found.uuid, UUID);
	CU_ASSERT_STRING_EQUAL(found.label, "M-0001");
	CU_ASSERT_STRING_EQUAL(found.cipher, "aes-xts-plain64");
	CU_ASSERT_STRING_EQUAL(found.kdf, "argon2id");
	CU_ASSERT_EQUAL(found.keyslots, 2);
	CU_ASSERT_FALSE(found.has_mark);
	CU_ASSERT_EQUAL(cryptvolume_binding(volume, binding), 0);
	CU_ASSERT_EQUAL(memcmp(binding, found.binding, sizeof(binding)), 0);
	CU_ASSERT_TRUE(cryptvolume_covers(volume));
}

static void each_passphrase_opens_its_keyslot_and_no_other_does(void)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *formatted = image_format(),
							*volume = image_open();
	int slot;

	CU_ASSERT_EQUAL_FATAL(cryptvolume_load(volume), 0);
	CU_ASSERT_EQUAL(cryptvolume_method(volume), ENCRYPTION_LUKS2);
	CU_ASSERT_EQUAL(cryptvolume_key_try(volume, "first", 5, &slot), 0);
	CU_ASSERT_EQUAL(slot, 0);
	CU_ASSERT_EQUAL(cryptvolume_key_try(volume, "second", 6, &slot), 0);
	CU_ASSERT_EQUAL(slot, 1);
	CU_ASSERT_EQUAL(cryptvolume_key_try(volume, "third", 5, &slot), CRYPTVOLUME_E_PASSPHRASE);
}

static struct mark mark_new(struct cryptvolume *volume, const char *number)
{
	struct mark mark = {.uuid = UUID,
			    .serial = "S",
			    .issued = "2026-04-01",
			    .until = "2027-03-31",
			    .class = 2};

	snprintf(mark.number, sizeof(mark.number), "%s", number);
	CU_ASSERT_EQUAL(cryptvolume_binding(volume, mark.binding), 0);
	return mark;
}

static void mark_is_kept_replaced_and_found_by_our_parser(void)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = image_format();
	struct mark first = mark_new(volume, "M-0001"), second = mark_new(volume, "M-0002"), got;
	struct volume found;

	CU_ASSERT_EQUAL(cryptvolume_mark_get(volume, &got), CRYPTVOLUME_E_MARK);
	CU_ASSERT_EQUAL(cryptvolume_mark_set(volume, &first), 0);
	CU_ASSERT_EQUAL(cryptvolume_mark_get(volume, &got), 0);
	CU_ASSERT_EQUAL(memcmp(&got, &first, sizeof(got)), 0);
	CU_ASSERT_EQUAL(cryptvolume_mark_set(volume, &second), 0);
	CU_ASSERT_EQUAL_FATAL(image_parse(&found), 0);
	CU_ASSERT_TRUE(found.has_mark);
	CU_ASSERT_EQUAL(memcmp(&found.mark, &second, sizeof(second)), 0);
}

static void a_mark_that_none_may_be_is_not_written(void)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = image_format();
	struct mark mark = mark_new(volume, "");

	CU_ASSERT_EQUAL(cryptvolume_mark_set(volume, &mark), CRYPTVOLUME_E_MARK);
	CU_ASSERT_EQUAL(cryptvolume_mark_get(volume, &mark), CRYPTVOLUME_E_MARK);
}

static void destroyed_keyslots_open_to_nobody(void)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *formatted = image_format(),
							*volume = image_open();
	unsigned int n = 0;
	int slot;

	CU_ASSERT_EQUAL_FATAL(cryptvolume_load(volume), 0);
	CU_ASSERT_EQUAL(cryptvolume_keyslots(volume), 2);
	CU_ASSERT_EQUAL(cryptvolume_keys_destroy(volume, &n), 0);
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_EQUAL(cryptvolume_keyslots(volume), 0);
	CU_ASSERT_EQUAL(cryptvolume_key_try(volume, "first", 5, &slot), CRYPTVOLUME_E_PASSPHRASE);
	/* Taken up by the next run: the header is still there. */
	CU_ASSERT_EQUAL(cryptvolume_load(volume), 0);
	CU_ASSERT_EQUAL(cryptvolume_keys_destroy(volume, &n), 0);
	CU_ASSERT_EQUAL(n, 0);
}

static void nothing_is_no_volume(void)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	uint8_t binding[MARK_BINDING_SIZE];
	unsigned int n;

	image_reset();
	volume = image_open();
	CU_ASSERT_EQUAL(cryptvolume_load(volume), CRYPTVOLUME_E_NONE);
	CU_ASSERT_EQUAL(cryptvolume_method(volume), 0);
	CU_ASSERT_EQUAL(cryptvolume_binding(volume, binding), CRYPTVOLUME_E_METHOD);
	CU_ASSERT_EQUAL(cryptvolume_keys_destroy(volume, &n), CRYPTVOLUME_E_METHOD);
	CU_ASSERT_FALSE(cryptvolume_covers(volume));
	CU_ASSERT_EQUAL(cryptvolume_keyslots(volume), 0);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(costs_below_the_floor_are_refused),
		TEST(what_it_formats_is_what_our_parser_proves),
		TEST(each_passphrase_opens_its_keyslot_and_no_other_does),
		TEST(mark_is_kept_replaced_and_found_by_our_parser),
		TEST(a_mark_that_none_may_be_is_not_written),
		TEST(destroyed_keyslots_open_to_nobody),
		TEST(nothing_is_no_volume),
	};
	int fd = mkstemp(path), status;

	if (fd < 0 || close(fd) || sodium_init() < 0)
		return 1;
	status = testing_run("cryptvolume", tests, ARRAY_SIZE(tests));
	unlink(path);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * desk/target-header: a header that the kernel would take for a partition table is made anew. One
 * is looked for among real ones, as they come on disks beyond 2 TiB; the rest is played, by an
 * oldtable_find() that says so as often as it is told.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/oldtable.h"
#include "desk/format.h"
#include "desk/target-header.h"
#include "testing.h"

#define SIZE ((uint64_t)32 << 20)
/* Just below where the 32 bits wrap in which the kernel counts sectors: any place is on the disk.
 */
#define LARGE (((uint64_t)2 << 40) - ((uint64_t)1 << 20))
#define SEQUENCE 16 /* of the header: its sequence number, big-endian (LUKS2 1.1.3, 2.1) */
#define SEARCHES 5000
#define HEADER_LEN 512

static unsigned int unlucky; /* how often it is a table whatever it is */

const char *__real_oldtable_find(const uint8_t *data, size_t len, uint64_t size, uint32_t block,
				 bool alone);
const char *__wrap_oldtable_find(const uint8_t *data, size_t len, uint64_t size, uint32_t block,
				 bool alone);

const char *__wrap_oldtable_find(const uint8_t *data, size_t len, uint64_t size, uint32_t block,
				 bool alone)
{
	if (unlucky) {
		unlucky--;
		return "atari";
	}
	return __real_oldtable_find(data, len, size, block, alone);
}

static char path[64];

/* LUKS2 with one keyslot over an image of that size. */
static struct target *image_new(uint64_t size, struct cryptvolume **volumep)
{
	const struct target_request request = {
		.path = path, .write = true, .id = "1234:abcd", .serial = "S"};
	const struct cryptvolume_params params = {
		.label = "M-0001",
		.sector_size = 512,
		.kdf = {CRYPTVOLUME_KDF_MEMORY_MIN, CRYPTVOLUME_KDF_ITERATIONS_MIN, 1}};
	char detail[TARGET_DETAIL_MAX];
	struct target *target = NULL;

	CU_ASSERT_EQUAL_FATAL(truncate(path, 0), 0);
	CU_ASSERT_EQUAL_FATAL(truncate(path, (off_t)size), 0);
	CU_ASSERT_EQUAL_FATAL(target_open(&request, &target, detail), 0);
	CU_ASSERT_EQUAL_FATAL(cryptvolume_new(path, volumep), 0);
	CU_ASSERT_EQUAL_FATAL(cryptvolume_format(*volumep, &params), 0);
	CU_ASSERT_EQUAL_FATAL(cryptvolume_key_add(*volumep, "first", 5), 0);
	return target;
}

static unsigned int sequence_of(const struct target *target)
{
	uint8_t bytes[8];

	CU_ASSERT_EQUAL_FATAL(target_read(target, SEQUENCE, bytes, sizeof(bytes)), 0);
	return (unsigned int)bytes[6] << 8 | bytes[7];
}

static bool is_table(const struct target *target)
{
	uint8_t data[OLDTABLE_LEN];

	CU_ASSERT_EQUAL_FATAL(target_read(target, 0, data, sizeof(data)), 0);
	return __real_oldtable_find(data, sizeof(data), target->size, target->block, true);
}

static void header_that_is_taken_for_a_table_is_made_anew_and_says_the_same(void)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL, *again = NULL;
	_cleanup_(target_closep) struct target *target = image_new(LARGE, &volume);
	uint8_t before[MARK_BINDING_SIZE], after[MARK_BINDING_SIZE];
	char uuid[VOLUME_UUID_MAX], label[64] = "";
	unsigned int searches = 0;
	int slot;

	snprintf(uuid, sizeof(uuid), "%s", cryptvolume_uuid(volume));
	CU_ASSERT_EQUAL(cryptvolume_binding(volume, before), 0);
	while (!is_table(target) && ++searches < SEARCHES)
		CU_ASSERT_EQUAL_FATAL(cryptvolume_renew(volume), 0);
	CU_ASSERT_TRUE_FATAL(is_table(target));

	CU_ASSERT_EQUAL(target_header_settle(target, volume), 0);
	CU_ASSERT_FALSE(is_table(target));
	CU_ASSERT_EQUAL_FATAL(cryptvolume_new(path, &again), 0);
	CU_ASSERT_EQUAL_FATAL(cryptvolume_load(again), 0);
	CU_ASSERT_STRING_EQUAL(cryptvolume_uuid(again), uuid);
	CU_ASSERT_EQUAL(cryptvolume_binding(again, after), 0);
	CU_ASSERT_EQUAL(memcmp(before, after, sizeof(before)), 0);
	CU_ASSERT_EQUAL(cryptvolume_key_try(again, "first", 5, &slot), 0);
	/* The label: 48 bytes from 24 on (LUKS2 1.1.3, 2.1). */
	CU_ASSERT_EQUAL(target_read(target, 24, label, 48), 0);
	CU_ASSERT_STRING_EQUAL(label, "M-0001");
}

static void header_that_is_none_is_left_alone(void)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	_cleanup_(target_closep) struct target *target = image_new(SIZE, &volume);
	uint8_t before[HEADER_LEN], after[HEADER_LEN];

	/* Small disks have such headers too, once in thousands. */
	CU_ASSERT_EQUAL(target_header_settle(target, volume), 0);
	CU_ASSERT_EQUAL(target_read(target, 0, before, sizeof(before)), 0);
	CU_ASSERT_EQUAL(target_header_settle(target, volume), 0);
	CU_ASSERT_EQUAL(target_read(target, 0, after, sizeof(after)), 0);
	CU_ASSERT_EQUAL(memcmp(before, after, sizeof(before)), 0);
}

static void it_ends_where_nothing_helps(void)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	_cleanup_(target_closep) struct target *target = image_new(SIZE, &volume);
	unsigned int sequence = sequence_of(target);

	unlucky = 1000;
	CU_ASSERT_EQUAL(target_header_settle(target, volume), 0);
	CU_ASSERT_EQUAL(unlucky, 1000 - TARGET_HEADER_TRIES);
	CU_ASSERT_EQUAL(sequence_of(target), sequence + TARGET_HEADER_TRIES);
	unlucky = 0;
}

/* What `sekimori-desk issue` does last; its proof would refuse the header as terminals do. */
static void a_mark_is_written_until_its_header_is_no_table(void)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	_cleanup_(target_closep) struct target *target = image_new(SIZE, &volume);
	struct context context = {0};
	struct progress progress = {0};
	struct format format = {.target = target, .progress = &progress, .n_keys = 1};
	uint8_t key[MARK_KEY_SIZE], secret[MARK_SECRET_SIZE];
	struct mark mark = {.number = "M-0001",
			    .serial = "S",
			    .issued = "2026-04-01",
			    .until = "2027-03-31",
			    .class = 2};

	crypto_sign_keypair(key, secret);
	snprintf(mark.uuid, sizeof(mark.uuid), "%s", cryptvolume_uuid(volume));
	snprintf(format.uuid, sizeof(format.uuid), "%s", cryptvolume_uuid(volume));
	CU_ASSERT_EQUAL(cryptvolume_binding(volume, mark.binding), 0);
	memcpy(format.binding, mark.binding, sizeof(mark.binding));
	volume = cryptvolume_free(volume);
	mark_sign(&mark, (const uint8_t *)"12345678", secret);

	progress_start(&progress, &context, FORMAT_MARK_STEPS);
	unlucky = 3;
	CU_ASSERT_EQUAL(format_mark(&format, &mark, key), 0);
	progress_end(&progress, true);
	CU_ASSERT_STRING_EQUAL(format.detail, "");
	CU_ASSERT_EQUAL(unlucky, 0);
	CU_ASSERT_EQUAL(format.state, FORMAT_MARKED);
	unlucky = 0;
}

int main(void)
{
	static const struct test tests[] = {
		TEST(header_that_is_taken_for_a_table_is_made_anew_and_says_the_same),
		TEST(header_that_is_none_is_left_alone),
		TEST(it_ends_where_nothing_helps),
		TEST(a_mark_is_written_until_its_header_is_no_table),
	};
	int fd, status;

	/* In memory where that is possible: every header is flushed. */
	strcpy(path, access("/dev/shm", W_OK) ? "/tmp/sekimori-header-XXXXXX"
					      : "/dev/shm/sekimori-header-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || sodium_init() < 0)
		return 1;
	close(fd);
	status = testing_run("desk header", tests, ARRAY_SIZE(tests));
	unlink(path);
	return status;
}

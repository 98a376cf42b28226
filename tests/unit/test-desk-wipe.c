// SPDX-License-Identifier: GPL-2.0-or-later
/* desk/wipe: a medium on an image file is unreadable afterwards, and the proof notices when it is
 * not. */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "desk/certificate.h"
#include "desk/wipe-medium.h"
#include "system/cryptvolume.h"
#include "testing.h"

#define MIB (1 << 20)
#define SIZE (48 * MIB)

static char path[] = "/tmp/sekimori-wipe-XXXXXX";
static const struct context context;

static struct target *image_open(void)
{
	const struct target_request request = {
		.path = path, .write = true, .id = "1234:abcd", .serial = "S"};
	char detail[TARGET_DETAIL_MAX];
	struct target *target = NULL;

	CU_ASSERT_EQUAL_FATAL(target_open(&request, &target, detail), 0);
	return target;
}

static void image_put(uint64_t at, const char *text)
{
	_cleanup_(closep) int fd = open(path, O_RDWR);

	CU_ASSERT_EQUAL(pwrite(fd, text, strlen(text), (off_t)at), (ssize_t)strlen(text));
}

static void image_reset(void)
{
	CU_ASSERT_EQUAL_FATAL(truncate(path, 0), 0);
	CU_ASSERT_EQUAL_FATAL(truncate(path, SIZE), 0);
}

static void image_encrypt(void)
{
	const struct cryptvolume_params params = {
		.sector_size = 512,
		.kdf = {CRYPTVOLUME_KDF_MEMORY_MIN, CRYPTVOLUME_KDF_ITERATIONS_MIN, 1}};
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;

	image_reset();
	CU_ASSERT_EQUAL_FATAL(cryptvolume_new(path, &volume), 0);
	CU_ASSERT_EQUAL_FATAL(cryptvolume_format(volume, &params), 0);
	CU_ASSERT_EQUAL(cryptvolume_key_add(volume, "first", 5), 0);
}

/* Is the text anywhere in the image? */
static bool image_holds(const char *text)
{
	_cleanup_(freep) uint8_t *data = malloc(SIZE);
	_cleanup_(closep) int fd = open(path, O_RDONLY);

	CU_ASSERT_EQUAL_FATAL(read(fd, data, SIZE), SIZE);
	return memmem(data, SIZE, text, strlen(text));
}

static bool image_zero(uint64_t at, size_t len)
{
	_cleanup_(freep) uint8_t *data = malloc(len);
	_cleanup_(closep) int fd = open(path, O_RDONLY);

	CU_ASSERT_EQUAL_FATAL(pread(fd, data, len, (off_t)at), (ssize_t)len);
	return sodium_is_zero(data, len);
}

static int wipe_run_on(struct target *target, bool overwrite, struct wipe *wipe)
{
	struct progress progress;
	int r;

	*wipe = (struct wipe){.target = target, .progress = &progress, .overwrite = overwrite};
	r = wipe_medium_look(wipe);
	if (r)
		return r;
	progress_start(&progress, &context, wipe_medium_steps(wipe));
	r = wipe_medium(wipe);
	progress_end(&progress, !r);
	return r;
}

static void pattern_is_the_same_wherever_it_is_begun(void)
{
	uint8_t key[WIPE_PATTERN_KEY_SIZE] = {1}, other[WIPE_PATTERN_KEY_SIZE] = {2}, whole[1024],
		part[512];
	const uint64_t far = UINT64_C(1) << 43;

	wipe_pattern(key, far, whole, sizeof(whole));
	wipe_pattern(key, far + 512, part, sizeof(part));
	CU_ASSERT_EQUAL(memcmp(whole + 512, part, sizeof(part)), 0);
	/* Another place, another key: other bytes. A stick that wraps around is found out. */
	wipe_pattern(key, far - (UINT64_C(1) << 32), part, sizeof(part));
	CU_ASSERT_NOT_EQUAL(memcmp(whole, part, sizeof(part)), 0);
	wipe_pattern(other, far, part, sizeof(part));
	CU_ASSERT_NOT_EQUAL(memcmp(whole, part, sizeof(part)), 0);
}

static void encrypted_medium_loses_its_keys_and_its_header(void)
{
	_cleanup_(target_closep) struct target *target = NULL;
	struct wipe wipe;

	image_encrypt();
	image_put(40 * MIB, "this is ciphertext");
	target = image_open();
	CU_ASSERT_EQUAL_FATAL(wipe_run_on(target, false, &wipe), 0);
	CU_ASSERT_EQUAL(wipe.way, WIPE_WAY_KEYS);
	CU_ASSERT_EQUAL(wipe.method, ENCRYPTION_LUKS2);
	CU_ASSERT_EQUAL(wipe.keyslots, 1);
	CU_ASSERT_EQUAL(wipe.samples, WIPE_SAMPLES);
	CU_ASSERT_FALSE(sodium_is_zero(wipe.digest, sizeof(wipe.digest)));
	CU_ASSERT_FALSE(image_holds("LUKS\xba\xbe"));
	CU_ASSERT_FALSE(image_holds("SKUL\xba\xbe"));
	CU_ASSERT_FALSE(image_holds("keyslots"));
	CU_ASSERT_TRUE(image_zero(0, MIB) && image_zero(SIZE - MIB, MIB));
	CU_ASSERT_FALSE(image_zero(MIB, MIB));
	/* Without its key it may stay. */
	CU_ASSERT_TRUE(image_holds("this is ciphertext"));
}

static void plain_medium_is_left_alone_unless_all_is_overwritten(void)
{
	_cleanup_(target_closep) struct target *target = NULL;
	struct wipe wipe;

	image_reset();
	image_put(40 * MIB, "plain secret");
	target = image_open();
	CU_ASSERT_EQUAL(wipe_run_on(target, false, &wipe), WIPE_E_PLAIN);
	CU_ASSERT_FALSE(wipe.begun);
	CU_ASSERT_TRUE(image_holds("plain secret"));
	CU_ASSERT_EQUAL_FATAL(wipe_run_on(target, true, &wipe), 0);
	CU_ASSERT_EQUAL(wipe.way, WIPE_WAY_OVERWRITE);
	CU_ASSERT_FALSE(image_holds("plain secret"));
}

/* Killed after the keyslots, before the header: the next run knows it for what it is. */
static void half_wiped_medium_is_taken_up(void)
{
	_cleanup_(target_closep) struct target *target = NULL;
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	struct wipe wipe;
	unsigned int n;

	image_encrypt();
	CU_ASSERT_EQUAL_FATAL(cryptvolume_new(path, &volume), 0);
	CU_ASSERT_EQUAL_FATAL(cryptvolume_load(volume), 0);
	CU_ASSERT_EQUAL(cryptvolume_keys_destroy(volume, &n), 0);
	target = image_open();
	CU_ASSERT_EQUAL(wipe_run_on(target, false, &wipe), 0);
	CU_ASSERT_EQUAL(wipe.keyslots, 0);
}

static void what_does_not_stay_as_written_is_noticed(void)
{
	_cleanup_(target_closep) struct target *target = NULL;
	struct wipe_area area;
	uint64_t at = 0;

	image_reset();
	target = image_open();
	area = (struct wipe_area){.target = target};
	wipe_area_pick_key(&area);
	CU_ASSERT_EQUAL(wipe_area_write(&area, MIB, 3 * MIB + 512, WIPE_RANDOM), 0);
	CU_ASSERT_EQUAL(wipe_area_verify(&area, MIB, 3 * MIB + 512, WIPE_RANDOM, &at), 0);
	CU_ASSERT_TRUE(image_zero(0, MIB) && image_zero(4 * MIB + 512, MIB));
	image_put(4 * MIB + 500, "kept");
	CU_ASSERT_EQUAL(wipe_area_verify(&area, MIB, 3 * MIB + 512, WIPE_RANDOM, &at), -EILSEQ);
	CU_ASSERT_EQUAL(at, 4 * MIB);
	CU_ASSERT_EQUAL(wipe_area_verify(&area, 0, MIB, WIPE_ZERO, &at), 0);
	image_put(MIB - 1, "x");
	CU_ASSERT_EQUAL(wipe_area_verify(&area, 0, MIB, WIPE_ZERO, &at), -EILSEQ);
}

static void one_desk_at_a_time(void)
{
	const struct target_request request = {
		.path = path, .write = true, .id = "1234:abcd", .serial = "S"};
	_cleanup_(target_closep) struct target *target = NULL;
	struct target *second = NULL;
	char detail[TARGET_DETAIL_MAX];

	image_reset();
	target = image_open();
	CU_ASSERT_EQUAL(target_open(&request, &second, detail), TARGET_E_LOCKED);
	target = target_close(target);
	CU_ASSERT_EQUAL(target_open(&request, &second, detail), 0);
	target_close(second);
}

static void a_target_says_who_it_is_or_is_refused(void)
{
	static const struct {
		struct target_request request;
		int outcome;
	} rows[] = {
		{{.path = path, .write = true}, TARGET_E_IDENTITY},
		{{.path = path, .write = true, .id = "1234:abcd"}, TARGET_E_IDENTITY},
		{{.path = path, .write = true, .id = "1234abcd", .serial = "S"}, TARGET_E_TEXT},
		{{.path = path, .write = true, .id = "1234:abcx", .serial = "S"}, TARGET_E_TEXT},
		{{.path = path, .write = true, .id = "1234:abcd", .serial = "S\n"}, TARGET_E_TEXT},
		{{.path = path, .write = true, .id = "1234:abcd", .serial = ""}, 0},
		{{.path = path}, 0},
		{{.path = "/dev/null", .write = true}, TARGET_E_KIND},
		{{.path = "/tmp", .write = true}, TARGET_E_KIND},
		{{.path = "/nowhere/at-all", .write = true}, TARGET_E_ABSENT},
	};

	image_reset();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char detail[TARGET_DETAIL_MAX];
		struct target *target = NULL;

		EXPECT(target_open(&rows[i].request, &target, detail) == rows[i].outcome,
		       rows[i].request.path);
		target_close(target);
	}
	CU_ASSERT_EQUAL(truncate(path, 1000), 0);
	for (unsigned int i = 0; i < 2; i++) {
		char detail[TARGET_DETAIL_MAX];
		struct target *target = NULL;

		CU_ASSERT_EQUAL(target_open(&rows[5].request, &target, detail), TARGET_E_SIZE);
		CU_ASSERT_EQUAL(truncate(path, 16 * MIB), 0);
	}
}

static void certificate_is_in_both_languages_and_claims_no_more_than_was_done(void)
{
	static char text[CERTIFICATE_MAX];
	struct wipe wipe = {
		.way = WIPE_WAY_KEYS, .keyslots = 3, .header_size = 33554432, .samples = 1024};
	struct certificate certificate = {.organisation = "青葉市",
					  .by = "Suzuki",
					  .witness = "佐藤",
					  .why = "end of use",
					  .number = "R8-001",
					  .product = "Stick\n結果: 偽",
					  .id = "1234:abcd",
					  .serial = "S-1",
					  .size = 64000000000,
					  .wipe = &wipe};

	strcpy(wipe.uuid, "6f1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d");
	CU_ASSERT_EQUAL(certificate_format(&certificate, text), strlen(text));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "消去証明書（様式第3号）"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Certificate of erasure (form 3)"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "キースロット3個"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "6f1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "64.0 GB (64000000000)"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "not what was on it before"));
	CU_ASSERT_PTR_NULL(strstr(text, "every block"));
	/* A device's text makes no line of its own. */
	CU_ASSERT_PTR_NULL(strstr(text, "\n結果: 偽"));
	wipe.overwrite = true;
	CU_ASSERT_NOT_EQUAL(certificate_format(&certificate, text), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "every block of the medium"));
}

int main(void)
{
	static const struct test tests[] = {
		TEST(pattern_is_the_same_wherever_it_is_begun),
		TEST(encrypted_medium_loses_its_keys_and_its_header),
		TEST(plain_medium_is_left_alone_unless_all_is_overwritten),
		TEST(half_wiped_medium_is_taken_up),
		TEST(what_does_not_stay_as_written_is_noticed),
		TEST(one_desk_at_a_time),
		TEST(a_target_says_who_it_is_or_is_refused),
		TEST(certificate_is_in_both_languages_and_claims_no_more_than_was_done),
	};
	int fd = mkstemp(path), status;

	if (fd < 0 || close(fd) || sodium_init() < 0)
		return 1;
	i18n_init();
	i18n_speak(false);
	status = testing_run("desk-wipe", tests, ARRAY_SIZE(tests));
	unlink(path);
	return status;
}

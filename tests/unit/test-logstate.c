// SPDX-License-Identifier: GPL-2.0-or-later
/* system/logstate: the keys of the event log. */
#include <json-c/json.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "log-reader.h"
#include "system/logstate.h"
#include "testing.h"

static char dir[64], keys[96];
static struct logpoint *point;
static struct logstate *state;

static void world_begin(void)
{
	strcpy(dir, access("/dev/shm", W_OK) ? "/tmp/test-logstate-XXXXXX" : "/dev/shm/test-logstate-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(keys, sizeof(keys), "%s/keys", dir);
	memset(point, 0, sizeof(*point));
}

static void world_end(void)
{
	char command[128];

	state = logstate_free(state);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

static int reopen(void)
{
	state = logstate_free(state);
	memset(point, 0, sizeof(*point));
	return logstate_open(&state, keys, point);
}

static const char *file(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", keys, name);
	return path;
}

static void what_is_saved_is_read_again(void)
{
	uint8_t key[CHAIN_KEY_LEN];

	world_begin();
	CU_ASSERT_EQUAL_FATAL(reopen(), LOGSTATE_E_NONE);
	point->chain.seq = 41;
	CU_ASSERT_EQUAL_FATAL(logstate_begin(state, NULL, LOGSTATE_KEYS_LOST, point), 0);
	CU_ASSERT_EQUAL(logstate_first(state), 42);
	for (unsigned int i = 0; i < 3; i++) {
		point->chain.seq++;
		point->end += 1000;
		point->newest_us = (int64_t)i - 5;
		chain_next_key(point->chain.key);
		CU_ASSERT_EQUAL(logstate_save(state, point), 0);
	}
	memcpy(key, point->chain.key, sizeof(key));
	CU_ASSERT_EQUAL_FATAL(reopen(), 0);
	CU_ASSERT_EQUAL(point->chain.seq, 44);
	CU_ASSERT_EQUAL(point->end, 3000);
	CU_ASSERT_EQUAL(point->newest_us, -3);
	CU_ASSERT_EQUAL(logstate_first(state), 42);
	CU_ASSERT_EQUAL(logstate_why(state), LOGSTATE_KEYS_LOST);
	CU_ASSERT_EQUAL(memcmp(key, point->chain.key, sizeof(key)), 0);
	CU_ASSERT_STRING_EQUAL(logstate_sealed_to(state), "");
	world_end();
}

static void any_changed_byte_of_one_slot_is_noticed_and_the_other_counts(void)
{
	char *text;
	size_t len;

	world_begin();
	reopen();
	CU_ASSERT_EQUAL_FATAL(logstate_begin(state, NULL, LOGSTATE_FIRST, point), 0);
	point->chain.seq = 7;
	CU_ASSERT_EQUAL(logstate_save(state, point), 0);
	text = reader_file(file("state"), &len);
	CU_ASSERT_EQUAL_FATAL(len, 1024);
	for (size_t i = 0; i < 512; i++) {
		char row[32];

		snprintf(row, sizeof(row), "byte %zu", i);
		text[i] ^= 0x41;
		reader_write(file("state"), text, len);
		EXPECT(!reopen() && point->chain.seq == 7, row);
		text[512 + i] ^= 0x41;
		reader_write(file("state"), text, len);
		EXPECT(reopen() == LOGSTATE_E_LOST, row);
		text[i] ^= 0x41;
		text[512 + i] ^= 0x41;
	}
	free(text);
	world_end();
}

static void a_save_that_was_cut_leaves_the_one_before(void)
{
	char *before, *after, mixed[1024];
	size_t len;

	world_begin();
	reopen();
	CU_ASSERT_EQUAL_FATAL(logstate_begin(state, NULL, LOGSTATE_FIRST, point), 0);
	point->chain.seq = 1;
	logstate_save(state, point);
	before = reader_file(file("state"), &len);
	point->chain.seq = 2;
	logstate_save(state, point);
	after = reader_file(file("state"), &len);
	for (size_t cut = 0; cut <= sizeof(mixed); cut += 64) {
		memcpy(mixed, after, cut);
		memcpy(mixed + cut, before + cut, sizeof(mixed) - cut);
		reader_write(file("state"), mixed, sizeof(mixed));
		EXPECT(!reopen() && point->chain.seq == (cut < 512 ? 1u : 2u), "cut");
	}
	free(before);
	free(after);
	world_end();
}

static void the_first_key_opens_with_the_desks_secret_only(void)
{
	uint8_t public[32], secret[32], other_public[32], other_secret[32], plain[CHAIN_KEY_LEN + CHAIN_ID_LEN];
	struct json_object *members = json_object_new_object(), *value;
	uint8_t sealed[128];
	const char *text;
	size_t len;

	world_begin();
	crypto_box_keypair(public, secret);
	crypto_box_keypair(other_public, other_secret);
	reopen();
	CU_ASSERT_EQUAL_FATAL(logstate_begin(state, public, LOGSTATE_FIRST, point), 0);
	logstate_add_members(state, members);
	CU_ASSERT_TRUE_FATAL(json_object_object_get_ex(members, "sealed", &value));
	text = json_object_get_string(value);
	CU_ASSERT_EQUAL_FATAL(sodium_base642bin(sealed, sizeof(sealed), text, strlen(text), NULL, &len, NULL,
						sodium_base64_VARIANT_ORIGINAL), 0);
	CU_ASSERT_NOT_EQUAL(crypto_box_seal_open(plain, sealed, len, other_public, other_secret), 0);
	CU_ASSERT_EQUAL(crypto_box_seal_open(plain, sealed, len, public, secret), 0);
	CU_ASSERT_EQUAL(memcmp(plain, point->chain.key, CHAIN_KEY_LEN), 0);
	CU_ASSERT_EQUAL(memcmp(plain + CHAIN_KEY_LEN, logstate_id(state), CHAIN_ID_LEN), 0);
	json_object_put(members);
	world_end();
}

static void keys_are_nobody_elses_business(void)
{
	static const char *const names[] = { "terminal.key", "state" };
	struct stat st;

	world_begin();
	reopen();
	CU_ASSERT_EQUAL_FATAL(logstate_begin(state, NULL, LOGSTATE_FIRST, point), 0);
	CU_ASSERT_TRUE(!stat(keys, &st) && (st.st_mode & 07777) == 0700);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CU_ASSERT_TRUE(!stat(file(names[i]), &st) && (st.st_mode & 07777) == 0600);
		chmod(file(names[i]), 0640);
		EXPECT(reopen() == -EPERM, names[i]);
		chmod(file(names[i]), 0600);
		EXPECT(!reopen(), names[i]);
	}
	/* A link in its place is not followed. */
	CU_ASSERT_EQUAL(symlink("terminal.key", strcat(strcpy((char[128]){ "" }, keys), "/link")), 0);
	unlink(file("state"));
	CU_ASSERT_EQUAL(rename(strcat(strcpy((char[128]){ "" }, keys), "/link"), file("state")), 0);
	CU_ASSERT_EQUAL(reopen(), -ELOOP);
	world_end();
}

static void a_header_of_another_log_is_put_right(void)
{
	char *header, *right;
	size_t len, again;

	world_begin();
	reopen();
	CU_ASSERT_EQUAL_FATAL(logstate_begin(state, NULL, LOGSTATE_FIRST, point), 0);
	header = reader_file(file("header"), &len);
	CU_ASSERT_EQUAL_FATAL(logstate_begin(state, NULL, LOGSTATE_KEYS_LOST, point), 0);
	CU_ASSERT_EQUAL(reopen(), 0);
	right = reader_file(file("header"), &len);
	CU_ASSERT_NOT_EQUAL(memcmp(header, right, len), 0);
	reader_write(file("header"), header, len);
	CU_ASSERT_EQUAL(reopen(), 0);
	free(header);
	header = reader_file(file("header"), &again);
	CU_ASSERT(again == len && !memcmp(header, right, len));
	free(header);
	free(right);
	world_end();
}

static const struct test tests[] = {
	TEST(what_is_saved_is_read_again),
	TEST(any_changed_byte_of_one_slot_is_noticed_and_the_other_counts),
	TEST(a_save_that_was_cut_leaves_the_one_before),
	TEST(the_first_key_opens_with_the_desks_secret_only),
	TEST(keys_are_nobody_elses_business),
	TEST(a_header_of_another_log_is_put_right),
};

int main(void)
{
	int r;

	if (sodium_init() < 0 || !(point = logstate_points(1)))
		return 1;
	umask(027);
	r = testing_run("log keys", tests, ARRAY_SIZE(tests));
	logstate_free_points(point);
	return r;
}

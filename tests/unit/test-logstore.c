// SPDX-License-Identifier: GPL-2.0-or-later
/* system/logstore: what stands in the files after whatever happened, judged by core/logverify. */
#include <fcntl.h>
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "log-reader.h"
#include "system/logstate.h"
#include "system/logstore.h"
#include "testing.h"

static struct {
	char dir[64], keys[96], log[96];
	uint8_t desk_public[32], desk_secret[32];
	struct logstore *store;
	char kinds[1024]; /* of what the log said by itself since the last start */
} world;

static int64_t now = INT64_C(1800000000000000);

static void world_begin(void)
{
	/* In memory where that is possible: thousands of syncs. */
	strcpy(world.dir, access("/dev/shm", W_OK) ? "/tmp/test-logstore-XXXXXX" : "/dev/shm/test-logstore-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(world.dir));
	snprintf(world.keys, sizeof(world.keys), "%s/keys", world.dir);
	snprintf(world.log, sizeof(world.log), "%s/log", world.dir);
	mkdir(world.log, 0750);
	crypto_box_keypair(world.desk_public, world.desk_secret);
}

static const char *log_path(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/events.jsonl", world.log);
	return path;
}

static void stop(void)
{
	if (world.store) {
		CU_ASSERT_EQUAL(logstore_commit(world.store), 0);
		CU_ASSERT_EQUAL(logstore_save(world.store), 0);
	}
	world.store = logstore_free(world.store);
}

static void crash(void)
{
	world.store = logstore_free(world.store);
}

static void world_end(void)
{
	char command[128];

	crash();
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

static void start(void)
{
	CU_ASSERT_EQUAL_FATAL(logstore_new(&world.store, log_path(), world.keys, world.desk_public), 0);
	world.kinds[0] = '\0';
}

static int put(const char *kind, struct json_object *members)
{
	struct json_object *record = json_object_new_object();
	char line[LOGSTORE_LINE_MAX], time[64];
	uint8_t hash[CHAIN_HASH_LEN];
	time_t seconds = (time_t)(++now / 1000000);
	const char *text;
	struct tm tm;
	int r;

	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	sprintf(time + strlen(time), ".%06dZ", (int)(now % 1000000));
	json_object_object_add(record, "seq", json_object_new_uint64(logstore_next_seq(world.store)));
	json_object_object_add(record, "time", json_object_new_string(time));
	json_object_object_add(record, "boot_us", json_object_new_int(1));
	json_object_object_add(record, "kind", json_object_new_string(kind));
	json_object_object_add(record, "terminal", json_object_new_string("T-1"));
	if (members) {
		json_object_object_foreach(members, key, value)
			json_object_object_add(record, key, json_object_get(value));
		json_object_put(members);
	}
	text = json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	strcpy(line, text);
	r = logstore_append(world.store, now, line, strlen(line), hash);
	json_object_put(record);
	return r;
}

/* What is due, as the daemon writes it. */
static int make_ready(void)
{
	struct json_object *members;
	const char *kind;
	int r;

	while ((r = logstore_ready(world.store, &kind, &members)) == LOGSTORE_E_DUE) {
		struct json_object *why;

		strcat(world.kinds, kind);
		if (json_object_object_get_ex(members, "why", &why))
			sprintf(world.kinds + strlen(world.kinds), ":%s", json_object_get_string(why));
		strcat(world.kinds, " ");
		r = put(kind, members);
		if (!r)
			r = logstore_commit(world.store);
		if (r)
			return r;
	}
	return r;
}

static int write_one(const char *kind)
{
	int r = make_ready();

	return r ? r : put(kind, NULL);
}

static void write_some(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		CU_ASSERT_EQUAL(write_one("held"), 0);
	CU_ASSERT_EQUAL(logstore_commit(world.store), 0);
}

static void checkpoint(void)
{
	struct json_object *members = json_object_new_object();

	CU_ASSERT_EQUAL(make_ready(), 0);
	CU_ASSERT_TRUE(logstore_add_checkpoint(world.store, members));
	CU_ASSERT_EQUAL(put("checkpoint", members), 0);
	CU_ASSERT_EQUAL(logstore_commit(world.store), 0);
}

/* Everything is verified with the first key, unsealed as the desk does. */
static const char *verify(void)
{
	return reader_verify(world.log, world.desk_public, world.desk_secret);
}

static void expect_clean(const char *row)
{
	const char *findings = verify();

	if (*findings)
		fprintf(stderr, "%s: %s\n", row, findings);
	EXPECT(!*findings, row);
}

static void edit(size_t at, char with)
{
	size_t len;
	char *text = reader_file(log_path(), &len);

	CU_ASSERT_TRUE_FATAL(at < len);
	text[at] = with;
	reader_write(log_path(), text, len);
	free(text);
}

/* --- the tests --- */

static void a_new_log_verifies_with_the_desks_key_and_goes_on_after_a_restart(void)
{
	world_begin();
	start();
	write_some(5);
	checkpoint();
	stop();
	CU_ASSERT_STRING_EQUAL(world.kinds, "log-begun:first ");
	start();
	write_some(5);
	CU_ASSERT_STRING_EQUAL(world.kinds, "");
	stop();
	expect_clean("two runs");
	CU_ASSERT_EQUAL(reader_result.last_seq, 12);
	CU_ASSERT_EQUAL(reader_result.macs, 12);
	CU_ASSERT_EQUAL(reader_result.checkpoints, 1);
	world_end();
}

static void killed_with_the_keys_behind_the_log_it_catches_up(void)
{
	world_begin();
	start();
	write_some(3);
	CU_ASSERT_EQUAL(logstore_save(world.store), 0);
	write_some(20);
	CU_ASSERT_EQUAL(write_one("held"), 0);
	crash();
	start();
	write_some(1);
	CU_ASSERT_STRING_EQUAL(world.kinds, "");
	stop();
	expect_clean("caught up");
	CU_ASSERT_EQUAL(reader_result.macs, 26);
	world_end();
}

/* The power goes while the last two records are being written, with the keys of before them, of between them, of after them. */
static void cut_at_every_byte_of_the_last_two_records_it_verifies_and_says_so(void)
{
	for (unsigned int saved = 0; saved < 2; saved++) {
		char copy[128], command[512];
		size_t before, len;
		char *text;

		world_begin();
		snprintf(copy, sizeof(copy), "%s/copy", world.dir);
		start();
		write_some(4);
		CU_ASSERT_EQUAL(logstore_save(world.store), 0);
		free(reader_file(log_path(), &before));
		write_some(saved);
		if (saved)
			CU_ASSERT_EQUAL(logstore_save(world.store), 0);
		if (saved)
			free(reader_file(log_path(), &before));
		write_some(2);
		crash();
		snprintf(command, sizeof(command), "cp -a %s %s", world.keys, copy);
		CU_ASSERT_EQUAL_FATAL(system(command), 0);
		text = reader_file(log_path(), &len);
		for (size_t cut = before; cut <= len; cut++) {
			bool torn = cut > before && cut < len && text[cut - 1] != '\n' && text[cut] != '\n';
			char row[64];

			snprintf(row, sizeof(row), "cut at %zu of %zu..%zu", cut, before, len);
			snprintf(command, sizeof(command), "%s/state", copy);
			reader_copy(command, world.keys, "state");
			reader_write(log_path(), text, cut);
			start();
			EXPECT(!write_one("held"), row);
			EXPECT(!logstore_commit(world.store), row);
			EXPECT(!strcmp(world.kinds, torn ? "log-recovered " : ""), row);
			crash();
			expect_clean(row);
		}
		free(text);
		world_end();
	}
}

static void cut_at_every_byte_of_the_first_record_it_begins_again(void)
{
	char command[512];
	size_t len;
	char *text;

	world_begin();
	start();
	CU_ASSERT_EQUAL(make_ready(), 0);
	crash();
	snprintf(command, sizeof(command), "cp -a %s %s/copy", world.keys, world.dir);
	CU_ASSERT_EQUAL_FATAL(system(command), 0);
	text = reader_file(log_path(), &len);
	for (size_t cut = 0; cut <= len; cut++) {
		char row[32], from[128];

		snprintf(row, sizeof(row), "cut at %zu", cut);
		snprintf(from, sizeof(from), "%s/copy/state", world.dir);
		reader_copy(from, world.keys, "state");
		reader_write(log_path(), text, cut);
		start();
		EXPECT(!write_one("held"), row);
		EXPECT(!logstore_commit(world.store), row);
		EXPECT(!strcmp(world.kinds, cut + 1 < len ? "log-begun:first " : ""), row);
		crash();
		expect_clean(row);
		EXPECT(reader_result.last_seq == 2, row);
	}
	free(text);
	world_end();
}

static void cut_while_it_rotates_it_goes_on_across_the_files(void)
{
	char state[128], row[128], *name = NULL, *text;
	size_t len;

	world_begin();
	start();
	write_some(4);
	CU_ASSERT_EQUAL(logstore_rotate(world.store, &name), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(name);
	snprintf(state, sizeof(state), "%s/state", world.dir);
	snprintf(row, sizeof(row), "%s/state", world.keys);
	reader_copy(row, world.dir, "state");
	CU_ASSERT_EQUAL(make_ready(), 0);
	CU_ASSERT_STRING_EQUAL(world.kinds, "log-begun:first log-continued:rotated ");
	crash();
	text = reader_file(log_path(), &len);
	for (size_t cut = 0; cut <= len; cut++) {
		snprintf(row, sizeof(row), "cut at %zu", cut);
		reader_copy(state, world.keys, "state");
		reader_write(log_path(), text, cut);
		start();
		EXPECT(!write_one("held"), row);
		EXPECT(!logstore_commit(world.store), row);
		EXPECT(!strcmp(world.kinds, cut + 1 < len ? "log-continued:rotated " : ""), row);
		crash();
		expect_clean(row);
		EXPECT(reader_result.macs == 7, row);
	}
	/* Not even the new file was made. */
	reader_copy(state, world.keys, "state");
	unlink(log_path());
	start();
	write_some(1);
	CU_ASSERT_STRING_EQUAL(world.kinds, "log-continued:rotated ");
	stop();
	expect_clean("no new file");
	free(text);
	free(name);
	world_end();
}

static void what_root_does_to_the_file_is_named_at_the_next_record(void)
{
	enum { ALTER, TRUNCATE, CUT, EMPTY, REMOVE, REPLACE, APPEND, N };
	static const char *const kinds[N] = { "log-damaged ",		   "log-damaged ",
					      "log-damaged ",		   "log-continued:file-missing ",
					      "log-continued:file-missing ", "log-damaged ", "log-damaged " };

	for (unsigned int running = 0; running < 2; running++) {
		for (unsigned int what = 0; what < N; what++) {
			char row[32], *text;
			size_t len, at;

			snprintf(row, sizeof(row), "case %u, running %u", what, running);
			world_begin();
			start();
			write_some(6);
			if (!running) {
				stop();
				start();
			}
			world.kinds[0] = '\0';
			text = reader_file(log_path(), &len);
			at = (size_t)((char *)memrchr(text, '\n', len - 1) - text) + 1;
			if (what == ALTER && running) {
				/* While it runs only size and inode are looked at: verifying names it, the next start too. */
				free(text);
				world_end();
				continue;
			}
			if (what == ALTER)
				edit(at + 40, '#');
			else if (what == TRUNCATE)
				CU_ASSERT_EQUAL(truncate(log_path(), (off_t)at), 0)
			else if (what == CUT)
				CU_ASSERT_EQUAL(truncate(log_path(), (off_t)at - 30), 0)
			else if (what == EMPTY)
				CU_ASSERT_EQUAL(truncate(log_path(), 0), 0)
			else if (what == REMOVE)
				unlink(log_path());
			else if (what == REPLACE) {
				unlink(log_path());
				reader_write(log_path(), "{\"seq\":1}\n", 10);
			} else {
				reader_append(log_path(), text + at, len - at);
			}
			free(text);
			EXPECT(!write_one("held"), row);
			EXPECT(!logstore_commit(world.store), row);
			EXPECT(!strcmp(world.kinds, kinds[what]), row);
			if (strcmp(world.kinds, kinds[what]))
				fprintf(stderr, "%s: %s\n", row, world.kinds);
			/* It goes on with its own number, so that what is gone stays visible. */
			EXPECT(logstore_durable(world.store)->seq == 9, row);
			stop();
			EXPECT(*verify(), row);
			world_end();
		}
	}
}

static void a_full_disk_loses_nothing_silently(void)
{
	char filler[128], command[256];
	struct json_object *record, *lost, *error;
	unsigned int written = 0, failed = 0;
	char *text, *line;
	size_t len;
	int fd;

	world_begin();
	snprintf(command, sizeof(command), "mount -t tmpfs -o size=64k,mode=750 full %s 2>/dev/null", world.log);
	if (system(command)) {
		fprintf(stderr, "(no right to mount: a full disk is tested in the virtual terminal only)\n");
		world_end();
		return;
	}
	start();
	write_some(4);
	snprintf(filler, sizeof(filler), "%s/filler", world.log);
	fd = open(filler, O_WRONLY | O_CREAT, 0600);
	while (write(fd, command, sizeof(command)) > 0)
		;
	close(fd);
	for (unsigned int i = 0; i < 40; i++) {
		int r = write_one("held");

		if (!r)
			r = logstore_commit(world.store);
		if (r) {
			CU_ASSERT_EQUAL(r, -ENOSPC);
			failed++;
		} else {
			written++;
		}
	}
	CU_ASSERT_TRUE(failed > 0 && written < 40);
	unlink(filler);
	world.kinds[0] = '\0';
	write_some(2);
	CU_ASSERT_STRING_EQUAL(world.kinds, "log-recovered ");
	stop();
	expect_clean("after a full disk");
	text = reader_file(log_path(), &len);
	line = strstr(text, "\"kind\":\"log-recovered\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(line);
	line = memrchr(text, '\n', (size_t)(line - text));
	*strchr(line + 1, '\n') = '\0';
	record = json_tokener_parse(line + 1);
	CU_ASSERT_TRUE(json_object_object_get_ex(record, "lost", &lost) && json_object_get_int(lost) >= 1);
	CU_ASSERT_TRUE(json_object_object_get_ex(record, "error", &error) &&
		       !strcmp(json_object_get_string(error), "No space left on device"));
	json_object_put(record);
	free(text);
	snprintf(command, sizeof(command), "umount %s", world.log);
	CU_ASSERT_EQUAL(system(command), 0);
	world_end();
}

static void lost_keys_begin_a_new_log_that_hangs_on_the_old_one(void)
{
	static const char *const files[] = { "state", "header", "terminal.key" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[160];

		world_begin();
		start();
		write_some(4);
		stop();
		snprintf(path, sizeof(path), "%s/%s", world.keys, files[i]);
		if (i)
			unlink(path);
		else
			reader_write(path, "spoilt", 6);
		start();
		write_some(1);
		EXPECT(!strcmp(world.kinds, "log-begun:key-state-lost "), files[i]);
		EXPECT(logstore_durable(world.store)->seq == 7, files[i]);
		stop();
		EXPECT(strstr(verify(), "begun-anew"), verify());
		world_end();
	}
}

static void one_bad_slot_of_the_state_is_no_loss(void)
{
	for (size_t slot = 0; slot < 2; slot++) {
		char path[160], *text;
		size_t len;

		world_begin();
		start();
		write_some(4);
		stop();
		snprintf(path, sizeof(path), "%s/state", world.keys);
		text = reader_file(path, &len);
		CU_ASSERT_EQUAL_FATAL(len, 1024);
		text[slot * 512 + 100] ^= 1;
		reader_write(path, text, len);
		free(text);
		start();
		write_some(1);
		CU_ASSERT_STRING_EQUAL(world.kinds, "");
		stop();
		expect_clean("one slot");
		world_end();
	}
}

static void lines_from_before_the_seal_are_kept_aside(void)
{
	static const char old[] = "{\"seq\":1,\"time\":\"2026-11-01T00:00:00.000000Z\",\"kind\":\"started\"}\n";
	char path[192], *text;
	size_t len;

	world_begin();
	reader_write(log_path(), old, sizeof(old) - 1);
	start();
	write_some(1);
	CU_ASSERT_STRING_EQUAL(world.kinds, "log-begun:first ");
	stop();
	expect_clean("unsealed");
	snprintf(path, sizeof(path), "%s/unsealed-events-20261101T000000Z-000000000000.jsonl", world.log);
	text = reader_file(path, &len);
	CU_ASSERT_TRUE(len == sizeof(old) - 1 && !memcmp(text, old, len));
	free(text);
	world_end();
}

static void another_desk_gets_a_log_of_its_own(void)
{
	world_begin();
	start();
	write_some(3);
	stop();
	crypto_box_keypair(world.desk_public, world.desk_secret);
	start();
	write_some(3);
	CU_ASSERT_STRING_EQUAL(world.kinds, "log-begun:desk-key ");
	CU_ASSERT_EQUAL(logstore_durable(world.store)->seq, 8);
	stop();
	start();
	write_some(1);
	CU_ASSERT_STRING_EQUAL(world.kinds, "");
	stop();
	world_end();
}

static void files_that_others_may_write_are_refused(void)
{
	char path[160];

	world_begin();
	start();
	write_some(1);
	stop();
	chmod(log_path(), 0666);
	start();
	CU_ASSERT_EQUAL(write_one("held"), -EPERM);
	chmod(log_path(), 0640);
	CU_ASSERT_EQUAL(write_one("held"), 0);
	stop();
	snprintf(path, sizeof(path), "%s/terminal.key", world.keys);
	chmod(path, 0644);
	start();
	CU_ASSERT_EQUAL(write_one("held"), -EPERM);
	CU_ASSERT_STRING_EQUAL(logstore_trouble(world.store), world.keys);
	world_end();
}

static void a_key_is_gone_once_its_record_is_saved(void)
{
	struct logpoint *point = logstate_points(1);
	uint8_t key[CHAIN_KEY_LEN];
	struct logstate *state;
	char path[160], *text;
	size_t len;

	world_begin();
	start();
	write_some(3);
	stop();
	CU_ASSERT_EQUAL_FATAL(logstate_open(&state, world.keys, point), 0);
	memcpy(key, point->chain.key, sizeof(key));
	logstate_free(state);
	snprintf(path, sizeof(path), "%s/state", world.keys);
	text = reader_file(path, &len);
	CU_ASSERT_PTR_NOT_NULL(memmem(text, len, key, sizeof(key)));
	free(text);
	start();
	write_some(1);
	stop();
	text = reader_file(path, &len);
	CU_ASSERT_PTR_NULL(memmem(text, len, key, sizeof(key)));
	free(text);
	logstate_free_points(point);
	world_end();
}

static const struct test tests[] = {
	TEST(a_new_log_verifies_with_the_desks_key_and_goes_on_after_a_restart),
	TEST(killed_with_the_keys_behind_the_log_it_catches_up),
	TEST(cut_at_every_byte_of_the_last_two_records_it_verifies_and_says_so),
	TEST(cut_at_every_byte_of_the_first_record_it_begins_again),
	TEST(cut_while_it_rotates_it_goes_on_across_the_files),
	TEST(what_root_does_to_the_file_is_named_at_the_next_record),
	TEST(a_full_disk_loses_nothing_silently),
	TEST(lost_keys_begin_a_new_log_that_hangs_on_the_old_one),
	TEST(one_bad_slot_of_the_state_is_no_loss),
	TEST(lines_from_before_the_seal_are_kept_aside),
	TEST(another_desk_gets_a_log_of_its_own),
	TEST(files_that_others_may_write_are_refused),
	TEST(a_key_is_gone_once_its_record_is_saved),
};

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	umask(027);
	return testing_run("log store", tests, ARRAY_SIZE(tests));
}

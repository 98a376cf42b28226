// SPDX-License-Identifier: GPL-2.0-or-later
/* system/logstore: what stands in the files after whatever happened, judged by core/logverify. */
#include "log-world.h"

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

/* A power cut left a cut line; the next one comes while log-recovered is being written, and once more. */
static void killed_while_it_tells_of_a_cut_line_it_tells_of_all_of_them(void)
{
	char state[128], copy[128], row[64];
	size_t before, torn, len;
	char *text, *more;

	world_begin();
	snprintf(state, sizeof(state), "%s/state", world.keys);
	snprintf(copy, sizeof(copy), "%s/state", world.dir);
	start();
	write_some(4);
	stop();
	reader_copy(state, world.dir, "state");
	free(reader_file(log_path(), &before));
	for (torn = 1; torn < 190; torn += 37) {
		reader_copy(copy, world.keys, "state");
		CU_ASSERT_EQUAL(truncate(log_path(), (off_t)before), 0);
		start();
		write_some(1);
		crash();
		CU_ASSERT_EQUAL(truncate(log_path(), (off_t)(before + torn)), 0);
		start();
		CU_ASSERT_EQUAL(make_ready(), 0);
		CU_ASSERT_STRING_EQUAL(world.kinds, "log-recovered ");
		crash();
		text = reader_file(log_path(), &len);
		for (size_t cut = before + torn; cut <= len; cut++) {
			size_t again;

			snprintf(row, sizeof(row), "%zu, cut at %zu of %zu", torn, cut, len);
			reader_copy(copy, world.keys, "state");
			reader_write(log_path(), text, cut);
			start();
			EXPECT(!write_one("held") && !logstore_commit(world.store), row);
			EXPECT(!strcmp(world.kinds, cut + 1 < len ? "log-recovered " : ""), row);
			crash();
			expect_clean(row);
			/* What was told stands, also if the keys do not know of it. */
			reader_copy(copy, world.keys, "state");
			start();
			EXPECT(!write_one("held") && !logstore_commit(world.store) && !*world.kinds, row);
			crash();
			expect_clean(row);
			if (cut % 29)
				continue;
			more = reader_file(log_path(), &again);
			for (size_t third = cut; third <= again; third += 17) {
				reader_copy(copy, world.keys, "state");
				reader_write(log_path(), more, third);
				start();
				EXPECT(!write_one("held") && !logstore_commit(world.store), row);
				crash();
				expect_clean(row);
			}
			free(more);
		}
		free(text);
	}
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
	static const char *const files[] = { "state", "terminal.key" };

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

/* The file that was being written is gone too: number, hash and time go on from what is left. */
static void lost_keys_and_a_lost_file_go_on_from_the_newest_rotated_file(void)
{
	for (unsigned int packed = 0; packed < 2; packed++) {
		char command[512], *name = NULL;
		struct json_object *members;
		const char *kind, *findings;
		uint8_t hash[CHAIN_HASH_LEN];
		int64_t newest;
		uint64_t seq;

		world_begin();
		start();
		write_some(3);
		CU_ASSERT_EQUAL(logstore_rotate(world.store, NULL), 0);
		write_some(300);
		CU_ASSERT_EQUAL(logstore_rotate(world.store, &name), 0);
		seq = logstore_durable(world.store)->seq;
		memcpy(hash, logstore_durable(world.store)->hash, sizeof(hash));
		newest = logstore_newest_us(world.store);
		write_some(2);
		stop();
		snprintf(command, sizeof(command), "rm -r %s %s; cd %s; test %u = 0 || zstd -q --rm %s", world.keys, log_path(),
			 world.log, packed, name);
		CU_ASSERT_EQUAL_FATAL(system(command), 0);
		start();
		CU_ASSERT_EQUAL(logstore_ready(world.store, &kind, &members), LOGSTORE_E_DUE);
		CU_ASSERT_STRING_EQUAL(kind, "log-begun");
		json_object_put(members);
		CU_ASSERT_EQUAL(logstore_next_seq(world.store), seq + 1);
		CU_ASSERT_EQUAL(logstore_newest_us(world.store), newest);
		CU_ASSERT_EQUAL(memcmp(logstore_durable(world.store)->hash, hash, sizeof(hash)), 0);
		write_some(1);
		CU_ASSERT_STRING_EQUAL(world.kinds, "log-begun:key-state-lost ");
		stop();
		findings = verify();
		EXPECT(strstr(findings, "begun-anew") && !strchr(strchr(findings, ')') + 1, '('), findings);
		free(name);
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

static void a_cut_line_of_another_log_is_not_told_of(void)
{
	char *text;
	size_t len;

	/* Killed before the first record was whole: the keys are there, and a line that was put in its place. */
	world_begin();
	start();
	CU_ASSERT_EQUAL(make_ready(), 0);
	crash();
	text = reader_file(log_path(), &len);
	text[60] ^= 1;
	reader_write(log_path(), text, len - 1);
	start();
	logstore_count_lost(world.store, -EIO);
	write_some(1);
	CU_ASSERT_STRING_EQUAL(world.kinds, "log-begun:first log-recovered ");
	stop();
	free(text);
	text = reader_file(log_path(), &len);
	CU_ASSERT_PTR_NULL(strstr(text, "torn_bytes"));
	free(text);
	world_end();
}

static void the_header_is_only_a_copy(void)
{
	for (unsigned int spoilt = 0; spoilt < 2; spoilt++) {
		char path[160], *before, *after;
		size_t len, again;

		world_begin();
		start();
		write_some(2);
		stop();
		snprintf(path, sizeof(path), "%s/header", world.keys);
		before = reader_file(path, &len);
		if (spoilt)
			reader_write(path, "{}", 2);
		else
			unlink(path);
		start();
		write_some(1);
		CU_ASSERT_STRING_EQUAL(world.kinds, "");
		stop();
		after = reader_file(path, &again);
		CU_ASSERT(len == again && !memcmp(before, after, len));
		expect_clean("header");
		free(before);
		free(after);
		world_end();
	}
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
	TEST(killed_while_it_tells_of_a_cut_line_it_tells_of_all_of_them),
	TEST(lost_keys_and_a_lost_file_go_on_from_the_newest_rotated_file),
	TEST(a_cut_line_of_another_log_is_not_told_of),
	TEST(the_header_is_only_a_copy),
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

// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/evidence: records in groups, checkpoints, rotation, a log that cannot be written; judged by core/logverify. */
#include <json-c/json.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "daemon/evidence-inside.h"
#include "daemon/evidence.h"
#include "log-reader.h"
#include "testing.h"

static struct {
	char dir[64], log[96];
	uint8_t desk_public[32], desk_secret[32];
	struct settings settings;
	sd_event *event;
	struct evidence *evidence;
	unsigned int checkpoints, others;
	int changes; /* of being writable */
	bool writable;
	unsigned int told, lost; /* records of all kinds */
	char newest[32];	 /* kind of the newest that was told of */
	int64_t later_us, ahead_us; /* that both clocks, and the wall clock besides, are ahead of the real ones */
} world;

/* In the place of daemon/evidence-clock.c. */
uint64_t evidence_clock_us(clockid_t id)
{
	struct timespec ts;
	int64_t us;

	clock_gettime(id, &ts);
	us = ts.tv_sec * EVIDENCE_SECOND + ts.tv_nsec / 1000;
	if (id != CLOCK_MONOTONIC)
		us += world.later_us;
	return (uint64_t)(id == CLOCK_REALTIME ? us + world.ahead_us : us);
}

bool evidence_clock_is_synchronised(void)
{
	return true;
}

static void recorded(void *userdata, const char *kind, const char *signal, uint64_t device, struct json_object *record)
{
	bool written = json_object_object_get_ex(record, "hash", NULL);

	if (!strcmp(kind, "checkpoint"))
		world.checkpoints++;
	else if (!strncmp(kind, "log-", 4) || !strncmp(kind, "clock-", 6))
		world.others++;
	CU_ASSERT_EQUAL(written, json_object_object_get_ex(record, "seq", NULL));
	world.told++;
	world.lost += !written;
	snprintf(world.newest, sizeof(world.newest), "%s", signal ? signal : kind);
}

static void changed(void *userdata, bool writable)
{
	world.changes++;
	world.writable = writable;
}

static void start(void)
{
	struct evidence_callbacks callbacks = { .recorded = recorded, .changed = changed };

	CU_ASSERT_TRUE_FATAL(sd_event_new(&world.event) >= 0);
	CU_ASSERT_EQUAL_FATAL(evidence_new(&world.evidence, world.event, &world.settings, &callbacks), 0);
}

static void stop(void)
{
	world.evidence = evidence_free(world.evidence);
	world.event = sd_event_unref(world.event);
}

static void world_begin(void)
{
	char key[96], hex[66];

	memset(&world, 0, sizeof(world));
	strcpy(world.dir, access("/dev/shm", W_OK) ? "/tmp/test-evidence-XXXXXX" : "/dev/shm/test-evidence-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(world.dir));
	snprintf(world.log, sizeof(world.log), "%s/log", world.dir);
	mkdir(world.log, 0750);
	crypto_box_keypair(world.desk_public, world.desk_secret);
	sodium_bin2hex(hex, 65, world.desk_public, sizeof(world.desk_public));
	strcat(hex, "\n");
	snprintf(key, sizeof(key), "%s/desk-log.pub", world.dir);
	reader_write(key, hex, 65);
	settings_init(&world.settings);
	strcpy(world.settings.terminal, "T-1");
	snprintf(world.settings.log_file, SETTINGS_VALUE_MAX, "%s/events.jsonl", world.log);
	snprintf(world.settings.log_keys, SETTINGS_VALUE_MAX, "%s/keys", world.dir);
	strcpy(world.settings.log_desk_key, key);
	start();
}

static void world_end(void)
{
	char command[128];

	stop();
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

static int write_text(const char *kind, const char *text)
{
	struct json_object *extra = json_object_new_object();

	json_object_object_add(extra, "detail", json_object_new_string(text));
	return evidence_write(world.evidence, kind, "Signal", NULL, extra, NULL);
}

static void expect_clean(void)
{
	const char *findings = reader_verify(world.log, world.desk_public, world.desk_secret);

	CU_ASSERT_STRING_EQUAL(findings, "");
}

static uint64_t durable(void)
{
	struct evidence_head head;

	evidence_head(world.evidence, &head);
	return head.seq;
}

/* Files that have been rotated: their number, and how many of them are not compressed. While one is being replaced, it has two names. */
static unsigned int rotated_and(unsigned int *plain)
{
	int dir = open(world.log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct logfiles_name name;
	char **names = NULL;
	uint64_t before = 0;
	unsigned int files = 0;
	size_t n = 0;

	*plain = 0;
	CU_ASSERT_EQUAL_FATAL(logfiles_list(dir, "events", &names, &n), 0);
	for (size_t i = 0; i < n; i++) {
		CU_ASSERT_TRUE_FATAL(logfiles_parse(&name, "events", names[i]));
		files += name.seq != before;
		before = name.seq;
		*plain += !name.packed;
	}
	safedir_free_names(names, n);
	close(dir);
	return files;
}

static unsigned int rotated(void)
{
	unsigned int plain;

	return rotated_and(&plain);
}

/* Nothing is left to be removed, compressed or saved. */
static bool is_tidy(void)
{
	unsigned int plain;

	rotated_and(&plain);
	return !plain && !logstore_unsaved(world.evidence->store) &&
	       (!world.evidence->expire || sd_event_source_get_enabled(world.evidence->expire, NULL) == SD_EVENT_OFF);
}

static void settle(void)
{
	RUN_UNTIL(world.event, is_tidy());
	CU_ASSERT_TRUE(is_tidy());
}

static void a_record_that_waits_is_durable_with_the_next_one_that_must_be(void)
{
	world_begin();
	CU_ASSERT_EQUAL(write_text("started", "x"), 0);
	CU_ASSERT_EQUAL(durable(), 2);
	CU_ASSERT_EQUAL(write_text("held", "x"), 0);
	CU_ASSERT_EQUAL(durable(), 2);
	CU_ASSERT_EQUAL(write_text("allowed", "x"), 0);
	CU_ASSERT_EQUAL(durable(), 4);
	CU_ASSERT_EQUAL(write_text("denied", "x"), 0);
	/* Or at the end of the turn. */
	RUN_UNTIL(world.event, durable() == 5);
	CU_ASSERT_EQUAL(durable(), 5);
	stop();
	expect_clean();
	CU_ASSERT_EQUAL(reader_result.macs, 5);
	world_end();
}

static void a_burst_is_signed_rotated_and_compressed_and_verifies_whole(void)
{
	char text[900];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	world_begin();
	world.settings.log_rotate_mib = 1;
	world.settings.log_checkpoint_records = 100;
	stop();
	start();
	for (unsigned int i = 0; i < 3000; i++)
		CU_ASSERT_EQUAL(write_text("held", text), 0);
	CU_ASSERT_TRUE(durable() > 2700);
	settle();
	stop();
	expect_clean();
	CU_ASSERT_EQUAL(reader_result.checkpoints, world.checkpoints);
	CU_ASSERT_TRUE(world.checkpoints >= 30);
	/* log-begun, and a log-continued for each rotation. */
	CU_ASSERT_TRUE(world.others >= 3);
	CU_ASSERT_EQUAL(reader_result.last_seq, 3000 + world.checkpoints + world.others);
	CU_ASSERT_EQUAL(reader_result.macs, reader_result.last_seq);
	world_end();
}

static void names_of_strangers_stand_there_safely_and_read_back_the_same(void)
{
	static const char hostile[] = "\"\n\x1b[2J\xe2\x80\xae\\u0041,\"hash\":\"0\"}{\"seq\":1";
	struct json_object *record, *value;
	char *text, *line;
	size_t len;

	world_begin();
	CU_ASSERT_EQUAL(write_text("started", hostile), 0);
	stop();
	expect_clean();
	text = reader_file(world.settings.log_file, &len);
	CU_ASSERT_PTR_NULL(strchr(text, '\x1b'));
	CU_ASSERT_PTR_NULL(strstr(text, "\xe2\x80\xae"));
	line = strchr(text, '\n') + 1;
	*strchr(line, '\n') = '\0';
	record = json_tokener_parse(line);
	CU_ASSERT_TRUE(json_object_object_get_ex(record, "detail", &value));
	CU_ASSERT_STRING_EQUAL(json_object_get_string(value), hostile);
	json_object_put(record);
	free(text);
	world_end();
}

static void a_record_that_is_too_long_is_refused_alone(void)
{
	char *text = calloc(1, 20000), *log;
	size_t len;

	memset(text, 'x', 19999);
	world_begin();
	CU_ASSERT_EQUAL(write_text("started", "x"), 0);
	CU_ASSERT_EQUAL(write_text("allowed", text), -EMSGSIZE);
	CU_ASSERT_STRING_EQUAL(evidence_state(world.evidence), "ok");
	CU_ASSERT_EQUAL(write_text("allowed", "x"), 0);
	stop();
	expect_clean();
	/* Of the other one a short form stands there. */
	CU_ASSERT_EQUAL(reader_result.last_seq, 4);
	log = reader_file(world.settings.log_file, &len);
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "\"kind\":\"allowed\",\"terminal\":\"T-1\",\"sync\":true,\"too_long\":true,\"mac\""));
	free(log);
	free(text);
	world_end();
}

static void what_cannot_be_written_says_so_and_comes_back_by_itself(void)
{
	struct json_object *record = NULL;

	world_begin();
	CU_ASSERT_EQUAL(write_text("started", "x"), 0);
	chmod(world.settings.log_file, 0666);
	stop();
	start();
	CU_ASSERT_EQUAL(evidence_write(world.evidence, "allowed", NULL, NULL, NULL, &record), -EPERM);
	CU_ASSERT_FALSE(json_object_object_get_ex(record, "seq", NULL));
	json_object_put(record);
	CU_ASSERT_STRING_EQUAL(evidence_state(world.evidence), "cannot be written: Operation not permitted");
	CU_ASSERT_TRUE(world.changes == 1 && !world.writable);
	chmod(world.settings.log_file, 0640);
	RUN_UNTIL(world.event, world.writable);
	CU_ASSERT_TRUE(world.changes == 2 && world.writable);
	CU_ASSERT_STRING_EQUAL(evidence_state(world.evidence), "ok");
	stop();
	expect_clean();
	world_end();
}

static void who_listens_hears_of_what_is_durable_and_of_what_is_lost_without_a_number(void)
{
	struct rlimit limit = { 0 }, before;
	struct stat st;

	world_begin();
	CU_ASSERT_EQUAL(write_text("started", "x"), 0);
	CU_ASSERT_EQUAL(world.told, 2);
	CU_ASSERT_EQUAL(write_text("held", "x"), 0);
	CU_ASSERT_EQUAL(world.told, 2);
	CU_ASSERT_EQUAL(evidence_flush(world.evidence), 0);
	CU_ASSERT_TRUE(world.told == 3 && durable() == 3);
	CU_ASSERT_STRING_EQUAL(world.newest, "Signal");
	/* The file cannot grow: what waited goes with it. */
	CU_ASSERT_EQUAL(write_text("held", "x"), 0);
	CU_ASSERT_EQUAL_FATAL(stat(world.settings.log_file, &st), 0);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = (rlim_t)st.st_size;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	CU_ASSERT_EQUAL(world.lost, 0);
	CU_ASSERT_EQUAL(write_text("denied", "x"), -EFBIG);
	CU_ASSERT_TRUE(world.told == 5 && world.lost == 2);
	CU_ASSERT_EQUAL(durable(), 3);
	setrlimit(RLIMIT_FSIZE, &before);
	CU_ASSERT_EQUAL(write_text("allowed", "x"), 0);
	CU_ASSERT_EQUAL(world.lost, 2);
	stop();
	expect_clean();
	world_end();
}

/* The descriptor of the file with the keys. */
static int keys_fd(void)
{
	char path[64], target[256], wanted[SETTINGS_VALUE_MAX + 8];

	snprintf(wanted, sizeof(wanted), "%s/state", world.settings.log_keys);
	for (int fd = 3; fd < 64; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0 && (target[n] = '\0', !strcmp(target, wanted)))
			return fd;
	}
	CU_FAIL_FATAL("no file with keys is open");
	return -1;
}

static void old_keys_go_also_while_the_loop_has_no_time_and_it_is_said_when_they_cannot(void)
{
	char path[SETTINGS_VALUE_MAX + 8], *before, *after;
	int fd, good, bad;
	size_t len;

	world_begin();
	CU_ASSERT_EQUAL(write_text("started", "x"), 0);
	evidence_flush(world.evidence);
	snprintf(path, sizeof(path), "%s/state", world.settings.log_keys);
	before = reader_file(path, &len);
	/* The loop does not run. */
	for (int i = 0; i < 300; i++)
		CU_ASSERT_EQUAL(write_text("allowed", "x"), 0);
	after = reader_file(path, &len);
	CU_ASSERT_TRUE(len == 1024 && memcmp(before, after, len));
	free(before);
	free(after);

	fd = keys_fd();
	good = fcntl(fd, F_DUPFD_CLOEXEC, 64);
	bad = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL(dup3(bad, fd, O_CLOEXEC), fd);
	for (int i = 0; i < 300; i++)
		CU_ASSERT_EQUAL(write_text("allowed", "x"), 0);
	CU_ASSERT_STRING_EQUAL(evidence_state(world.evidence), "keys cannot be replaced: Bad file descriptor");
	CU_ASSERT_EQUAL(world.changes, 0);
	CU_ASSERT_EQUAL_FATAL(dup3(good, fd, O_CLOEXEC), fd);
	RUN_UNTIL(world.event, !strcmp(evidence_state(world.evidence), "ok"));
	CU_ASSERT_STRING_EQUAL(evidence_state(world.evidence), "ok");
	close(good);
	close(bad);
	stop();
	expect_clean();
	world_end();
}

/* A file for every other day, of 12 days that the daemon has run. */
static void twelve_days(void)
{
	world_begin();
	world.settings.log_rotate_days = 1;
	stop();
	start();
	for (int i = 0; i < 6; i++) {
		CU_ASSERT_EQUAL(write_text("started", "x"), 0);
		world.later_us += 2 * EVIDENCE_DAY;
	}
	settle();
	CU_ASSERT_EQUAL(rotated(), 5);
}

static void old_files_go_one_a_turn_and_a_record_says_how_old_they_were(void)
{
	unsigned int left = 5, now;
	char *log;
	size_t len;

	twelve_days();
	evidence_set_retention(world.evidence, 5);
	while (!is_tidy()) {
		CU_ASSERT_TRUE(sd_event_run(world.event, TESTING_PATIENCE_S * EVIDENCE_SECOND) > 0);
		now = rotated();
		CU_ASSERT_TRUE(now == left || now + 1 == left);
		left = now;
	}
	CU_ASSERT_EQUAL(left, 2);
	stop();
	expect_clean();
	log = reader_file(world.settings.log_file, &len);
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "\"newest\":\"20"));
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "\"retention_days\":5"));
	free(log);
	world_end();
}

/* The newest rotated file or the current one has it. */
static void expect_leap(void)
{
	char command[256];

	snprintf(command, sizeof(command), "cat %s/*.jsonl | grep -c '\"kind\":\"clock-set\".*\"ahead_s\":432' | grep -qx 1", world.log);
	CU_ASSERT_EQUAL(system(command), 0);
}

static void a_clock_that_is_set_ahead_removes_nothing_also_across_a_restart(void)
{
	for (int running = 0; running < 2; running++) {
		unsigned int others;

		twelve_days();
		others = world.others;
		if (!running)
			stop();
		world.ahead_us = 5000 * EVIDENCE_DAY;
		if (!running)
			start();
		world.settings.log_rotate_days = 365;
		evidence_set_retention(world.evidence, 400);
		CU_ASSERT_EQUAL(write_text(running ? "clock-set" : "started", "x"), 0);
		/* It is one record, whoever saw it; and then the file is rotated. */
		expect_leap();
		CU_ASSERT_TRUE(world.others <= others + 2);
		settle();
		CU_ASSERT_TRUE(rotated() >= 5);
		/* Nor when the week is over: the files have not become older by it. */
		world.later_us += 8 * EVIDENCE_DAY;
		stop();
		start();
		evidence_set_retention(world.evidence, 400);
		CU_ASSERT_EQUAL(write_text("started", "x"), 0);
		world.later_us += 8 * EVIDENCE_DAY;
		CU_ASSERT_EQUAL(write_text("started", "x"), 0);
		settle();
		CU_ASSERT_TRUE(rotated() >= 5);
		stop();
		expect_clean();
		world_end();
	}
}

static void a_leap_that_was_taken_back_delays_by_a_week(void)
{
	for (int seen = 0; seen < 2; seen++) {
		twelve_days();
		world.ahead_us = 5000 * EVIDENCE_DAY;
		CU_ASSERT_EQUAL(write_text("started", "x"), 0);
		world.ahead_us = 0;
		CU_ASSERT_EQUAL(write_text(seen ? "clock-set" : "started", "x"), 0);
		evidence_set_retention(world.evidence, 5);
		settle();
		CU_ASSERT_TRUE(rotated() >= 5);
		world.later_us += 8 * EVIDENCE_DAY;
		CU_ASSERT_EQUAL(write_text("started", "x"), 0);
		evidence_set_retention(world.evidence, 5);
		settle();
		CU_ASSERT_TRUE(rotated() <= 2);
		stop();
		/* Also for a verifier, which reckons by itself. */
		expect_clean();
		world_end();
	}
}

static void what_was_left_uncompressed_is_compressed_at_the_start(void)
{
	static const char name[] = "events-20200101T000000Z-000000000001.jsonl";
	char path[256], packed[264];

	world_begin();
	stop();
	snprintf(path, sizeof(path), "%s/%s", world.log, name);
	snprintf(packed, sizeof(packed), "%s.zst", path);
	reader_write(path, "x\n", 2);
	start();
	CU_ASSERT_EQUAL(write_text("started", "x"), 0);
	RUN_UNTIL(world.event, !access(packed, F_OK));
	CU_ASSERT_EQUAL(access(packed, F_OK), 0);
	world_end();
}

static const struct test tests[] = {
	TEST(a_record_that_waits_is_durable_with_the_next_one_that_must_be),
	TEST(a_burst_is_signed_rotated_and_compressed_and_verifies_whole),
	TEST(names_of_strangers_stand_there_safely_and_read_back_the_same),
	TEST(a_record_that_is_too_long_is_refused_alone),
	TEST(who_listens_hears_of_what_is_durable_and_of_what_is_lost_without_a_number),
	TEST(old_keys_go_also_while_the_loop_has_no_time_and_it_is_said_when_they_cannot),
	TEST(old_files_go_one_a_turn_and_a_record_says_how_old_they_were),
	TEST(a_clock_that_is_set_ahead_removes_nothing_also_across_a_restart),
	TEST(a_leap_that_was_taken_back_delays_by_a_week),
	TEST(what_was_left_uncompressed_is_compressed_at_the_start),
	TEST(what_cannot_be_written_says_so_and_comes_back_by_itself),
};

int main(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	umask(027);
	if (sodium_init() < 0)
		return 1;
	return testing_run("evidence", tests, ARRAY_SIZE(tests));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/evidence: records in groups, checkpoints, rotation, a log that cannot be written; judged by core/logverify. */
#include <json-c/json.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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
} world;

static void recorded(void *userdata, const char *kind, struct json_object *record)
{
	if (!strcmp(kind, "checkpoint"))
		world.checkpoints++;
	else
		world.others++;
	CU_ASSERT_TRUE(json_object_object_get_ex(record, "hash", NULL));
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
	return evidence_write(world.evidence, kind, NULL, extra, NULL);
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
	for (int i = 0; i < 5; i++)
		sd_event_run(world.event, 30000);
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
	/* The children, and what is to be saved. */
	for (int i = 0; i < 40; i++)
		sd_event_run(world.event, 50000);
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
	char *text = calloc(1, 20000);

	memset(text, 'x', 19999);
	world_begin();
	CU_ASSERT_EQUAL(write_text("started", "x"), 0);
	CU_ASSERT_EQUAL(write_text("allowed", text), -EMSGSIZE);
	CU_ASSERT_STRING_EQUAL(evidence_state(world.evidence), "ok");
	CU_ASSERT_EQUAL(write_text("allowed", "x"), 0);
	stop();
	expect_clean();
	CU_ASSERT_EQUAL(reader_result.last_seq, 3);
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
	CU_ASSERT_EQUAL(evidence_write(world.evidence, "allowed", NULL, NULL, &record), -EPERM);
	CU_ASSERT_FALSE(json_object_object_get_ex(record, "seq", NULL));
	json_object_put(record);
	CU_ASSERT_STRING_EQUAL(evidence_state(world.evidence), "cannot be written: Operation not permitted");
	CU_ASSERT_TRUE(world.changes == 1 && !world.writable);
	chmod(world.settings.log_file, 0640);
	for (int i = 0; i < 80 && !world.writable; i++)
		sd_event_run(world.event, 100000);
	CU_ASSERT_TRUE(world.changes == 2 && world.writable);
	CU_ASSERT_STRING_EQUAL(evidence_state(world.evidence), "ok");
	stop();
	expect_clean();
	world_end();
}

static const struct test tests[] = {
	TEST(a_record_that_waits_is_durable_with_the_next_one_that_must_be),
	TEST(a_burst_is_signed_rotated_and_compressed_and_verifies_whole),
	TEST(names_of_strangers_stand_there_safely_and_read_back_the_same),
	TEST(a_record_that_is_too_long_is_refused_alone),
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

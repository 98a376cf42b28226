// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/session-grant, daemon/manager-exceptions: what an exception is to the devices of a real engine's terminal. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/manager-exceptions.h"
#include "daemon/session-inside.h"
#include "log-reader.h"
#include "testing.h"

#define PRINT "blake2b:00112233445566778899aabbccddeeff"

static struct {
	char dir[64];
	struct manager *manager;
	struct session sessions[2];
} world;

/* What the kernel has sent to the only disk there is. */
static uint64_t sent;
int __wrap_blockdev_written(const char *disk, uint64_t *bytes);

int __wrap_blockdev_written(const char *disk, uint64_t *bytes)
{
	*bytes = sent;
	return strcmp(disk, "sda") ? -ENODEV : 0;
}

static void setup_log(struct settings *settings)
{
	uint8_t public[32], secret[32];
	char path[96], hex[66];

	snprintf(path, sizeof(path), "%s/desk-log.pub", world.dir);
	crypto_box_keypair(public, secret);
	sodium_bin2hex(hex, 65, public, sizeof(public));
	strcat(hex, "\n");
	reader_write(path, hex, 65);
	strcpy(settings->log_desk_key, path);
	snprintf(settings->log_file, SETTINGS_VALUE_MAX, "%s/log/events.jsonl", world.dir);
	snprintf(settings->log_keys, SETTINGS_VALUE_MAX, "%s/keys", world.dir);
	snprintf(path, sizeof(path), "%s/log", world.dir);
	mkdir(path, 0750);
}

static void setup(void)
{
	static const char policy[] = "policy p\nversion 1\napprovers 1\n";
	struct manager *manager = calloc(1, sizeof(*manager));
	struct evidence_callbacks callbacks = { 0 };
	char path[96];

	memset(&world, 0, sizeof(world));
	strcpy(world.dir, "/tmp/test-session-grant-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(world.dir));
	world.manager = manager;
	settings_init(&manager->settings);
	setup_log(&manager->settings);
	strcpy(manager->settings.terminal, "T-1");
	snprintf(manager->settings.exceptions, SETTINGS_VALUE_MAX, "%s/exceptions/store", world.dir);
	snprintf(path, sizeof(path), "%s/released", world.dir);
	CU_ASSERT_TRUE_FATAL(sd_event_new(&manager->event) >= 0);
	CU_ASSERT_EQUAL_FATAL(evidence_new(&manager->evidence, manager->event, &manager->settings, &callbacks), 0);
	CU_ASSERT_EQUAL_FATAL(released_new(&manager->released, path), 0);
	CU_ASSERT_EQUAL_FATAL(policy_parse("p", policy, sizeof(policy) - 1, NULL, NULL, &manager->rulebook.policy), 0);
	manager->rulebook.state = "ok";
	CU_ASSERT_EQUAL_FATAL(manager_exceptions_prepare(manager), 0);
	CU_ASSERT_EQUAL_FATAL(manager_exceptions_begin(manager), 0);
	CU_ASSERT_STRING_EQUAL_FATAL(exceptions_state(manager->exceptions), "ok");
	manager->begun = true;
}

static void finish(void)
{
	struct manager *manager = world.manager;
	char command[128];

	manager->sessions = NULL;
	manager_exceptions_end(manager);
	released_free(manager->released);
	evidence_free(manager->evidence);
	policy_free(manager->rulebook.policy);
	sd_event_unref(manager->event);
	free(manager);
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

/* A signed grant that was taken in: in force at once. */
static struct exception granted(uint32_t uses, uint64_t quota)
{
	int64_t now = exceptions_now(world.manager->exceptions);
	struct grant wish = { .fingerprint = PRINT, .class = DEVICE_CLASS_STORAGE_PLAIN, .terminal = "T-1",
			      .person = "tanaka", .uid = 1001, .access = GRANT_READ_WRITE, .not_before = now,
			      .not_after = now + 3600, .uses = uses, .write_quota = quota,
			      .purpose = "受け取り" };
	struct exception after = { 0 };

	CU_ASSERT_EQUAL_FATAL(exceptions_submit(world.manager->exceptions, EXCEPTION_IMPORT, &wish, 0, NULL,
						&exceptions_system, &after), 0);
	CU_ASSERT_EQUAL(after.state, EXCEPTION_LIVE);
	return after;
}

/* A stick of that fingerprint is plugged in, and the verdict rests on this grant. */
static struct session *plug(unsigned int i, const struct exception *by)
{
	struct session *session = &world.sessions[i];

	*session = (struct session){ .manager = world.manager, .phase = SESSION_SETTLED };
	session->device = (struct device){ .id = i + 1, .ident = { .busnum = 1, .devnum = 5 + i },
					   .by_grant = by };
	sprintf(session->device.ident.name, "1-%u", i + 1);
	strcpy(session->device.ident.fingerprint, PRINT);
	strcpy(session->device.ident.serial, "A1");
	if (by)
		memcpy(session->device.grant, by->grant.id, sizeof(by->grant.id));
	session->next = world.manager->sessions;
	world.manager->sessions = session;
	return session;
}

static const char *take(struct session *session)
{
	const char *detail;

	return session_take_use(session, &detail);
}

static struct exception look(uint32_t number)
{
	struct exception x = { 0 };

	CU_ASSERT_EQUAL(exceptions_get(world.manager->exceptions, number, &x), 0);
	return x;
}

static void an_attach_takes_one_use_however_often_it_is_judged(void)
{
	struct exception x;
	struct session *first, *second;

	setup();
	x = granted(1, 0);
	first = plug(0, &x);
	CU_ASSERT_PTR_NULL(take(first));
	CU_ASSERT_PTR_NULL(take(first));
	CU_ASSERT_EQUAL(look(x.number).used, 1);
	CU_ASSERT_EQUAL(first->device.used.number, x.number);
	/* What the log-out of its person does: the right goes and comes back. */
	first->device.by_grant = false;
	CU_ASSERT_PTR_NULL(take(first));
	first->device.by_grant = true;
	CU_ASSERT_PTR_NULL(take(first));
	CU_ASSERT_EQUAL(look(x.number).used, 1);

	second = plug(1, &x);
	CU_ASSERT_STRING_EQUAL(take(second), "exception-used-up");
	CU_ASSERT_EQUAL(second->device.used.number, 0);
	CU_ASSERT_EQUAL(look(x.number).state, EXCEPTION_LIVE);
	session_leave_grant(second);
	CU_ASSERT_EQUAL(look(x.number).state, EXCEPTION_LIVE);
	session_leave_grant(first);
	CU_ASSERT_EQUAL(look(x.number).state, EXCEPTION_USED_UP);
	finish();
}

static void another_grant_ends_the_use_of_the_one_before(void)
{
	struct exception one, other;
	struct session *session;

	setup();
	one = granted(1, 0);
	session = plug(0, &one);
	CU_ASSERT_PTR_NULL(take(session));
	other = granted(0, 0);
	memcpy(session->device.grant, other.grant.id, sizeof(other.grant.id));
	CU_ASSERT_PTR_NULL(take(session));
	CU_ASSERT_EQUAL(look(one.number).state, EXCEPTION_USED_UP);
	CU_ASSERT_EQUAL(look(other.number).used, 1);
	/* Any number of uses: gone is not used up. */
	session_leave_grant(session);
	CU_ASSERT_EQUAL(look(other.number).state, EXCEPTION_LIVE);
	finish();
}

static void what_was_pulled_out_unseen_is_used_up_and_what_stays_is_not(void)
{
	struct exception gone, stays, unused;
	struct session *session;
	struct device noted;

	setup();
	gone = granted(1, 0);
	session = plug(0, &gone);
	CU_ASSERT_PTR_NULL(take(session));
	world.manager->sessions = NULL; /* the daemon was not there to see it go */
	stays = granted(1, 0);
	unused = granted(1, 0);
	session = plug(1, &stays);
	CU_ASSERT_PTR_NULL(take(session));
	/* The next daemon has not heard all of it yet; its release is noted. */
	noted = session->device;
	CU_ASSERT_EQUAL(released_add(world.manager->released, &noted, NULL, 0), 0);
	session->device.used.number = 0;
	session->phase = SESSION_GATHER;

	world.manager->begun = false;
	manager_exceptions_settle(world.manager);
	CU_ASSERT_EQUAL(look(gone.number).state, EXCEPTION_LIVE);
	world.manager->begun = true;
	manager_exceptions_settle(world.manager);
	CU_ASSERT_EQUAL(look(gone.number).state, EXCEPTION_USED_UP);
	CU_ASSERT_EQUAL(look(stays.number).state, EXCEPTION_LIVE);
	CU_ASSERT_EQUAL(look(unused.number).state, EXCEPTION_LIVE);
	finish();
}

/* It is in, with its disk, for reading and writing. */
static void let_in(struct session *session)
{
	session->device.state = DEVICE_ALLOWED;
	session->device.access = ACCESS_RW;
	session->device.interfaces[0].storage = true;
	session->device.n_interfaces = 1;
	strcpy(session->device.blocks[0], "sda");
	session->device.n_blocks = 1;
	CU_ASSERT_EQUAL(released_add(world.manager->released, &session->device, NULL, session->meter.told), 0);
}

/* The daemon is killed. The next one finds the stick, and the verdict rests on this grant. */
static struct session *restart(unsigned int i, const struct exception *by)
{
	struct session *session;
	uint64_t written = 0;
	char path[96];

	sd_event_source_disable_unref(world.sessions[i].meter.timer);
	world.manager->sessions = NULL;
	released_free(world.manager->released);
	snprintf(path, sizeof(path), "%s/released", world.dir);
	CU_ASSERT_EQUAL_FATAL(released_new(&world.manager->released, path), 0);
	session = plug(i, by);
	CU_ASSERT_TRUE_FATAL(released_restore(world.manager->released, &session->device, &written));
	session_meter_reset(session, written);
	return session;
}

static void a_restart_after_another_grant_took_over_takes_no_second_use(void)
{
	struct exception one, other;
	struct session *session;

	setup();
	/* By a rule, then by a grant, then by the one that renews it. */
	session = plug(0, NULL);
	let_in(session);
	one = granted(1, 0);
	memcpy(session->device.grant, one.grant.id, sizeof(one.grant.id));
	session->device.by_grant = true;
	CU_ASSERT_PTR_NULL(take(session));
	session = restart(0, &one);
	CU_ASSERT_PTR_NULL(take(session));
	CU_ASSERT_EQUAL(look(one.number).used, 1);
	manager_exceptions_settle(world.manager);
	CU_ASSERT_EQUAL(look(one.number).state, EXCEPTION_LIVE);

	other = granted(1, 0);
	memcpy(session->device.grant, other.grant.id, sizeof(other.grant.id));
	CU_ASSERT_PTR_NULL(take(session));
	session = restart(0, &other);
	CU_ASSERT_EQUAL(session->device.used.number, other.number);
	manager_exceptions_settle(world.manager);
	CU_ASSERT_EQUAL(look(one.number).state, EXCEPTION_USED_UP);
	CU_ASSERT_EQUAL(look(other.number).state, EXCEPTION_LIVE);
	CU_ASSERT_PTR_NULL(take(session));
	CU_ASSERT_EQUAL(look(other.number).used, 1);
	finish();
}

static void what_was_written_before_a_grant_took_over_is_not_its_own_after_a_restart(void)
{
	struct exception x;
	struct session *session;

	setup();
	session = plug(0, NULL);
	let_in(session);
	sent = 1 << 30;
	x = granted(0, 1 << 20);
	memcpy(session->device.grant, x.grant.id, sizeof(x.grant.id));
	session->device.by_grant = true;
	CU_ASSERT_PTR_NULL(take(session));
	CU_ASSERT_EQUAL(session_meter_start(session), 0);
	sent += 300;
	session_count(session);
	CU_ASSERT_EQUAL(look(x.number).written, 300);
	/* … and that is known, too. */
	session = restart(0, &x);
	let_in(session);
	CU_ASSERT_PTR_NULL(take(session));
	CU_ASSERT_EQUAL(session_meter_start(session), 0);
	sent += 40;
	session_count(session);
	CU_ASSERT_EQUAL(look(x.number).written, 340);
	CU_ASSERT_EQUAL(look(x.number).state, EXCEPTION_LIVE);
	sd_event_source_disable_unref(session->meter.timer);
	finish();
}

static void volumes_that_are_closed_again_and_again_are_told_of_once_a_minute(void)
{
	struct exception x;
	struct session *session;

	setup();
	sent = 0;
	x = granted(0, 0);
	session = plug(0, &x);
	CU_ASSERT_PTR_NULL(take(session));
	let_in(session);
	CU_ASSERT_EQUAL(session_meter_start(session), 0);
	for (int i = 0; i < 5; i++) {
		sent += 10;
		session_count_closed(session);
		CU_ASSERT_EQUAL(look(x.number).written, 10);
	}
	CU_ASSERT_EQUAL(look(x.number).steps, 4); /* import, begin, use, written */
	/* The minute is over. */
	session->meter.told_us -= 61000000;
	session_count_closed(session);
	CU_ASSERT_EQUAL(look(x.number).written, 50);
	sent += 7;
	session_leave_grant(session);
	CU_ASSERT_EQUAL(look(x.number).written, 57);
	finish();
}

/* A stick that comes back; what of it was looked at was zeros, or not. */
static void come_back(unsigned int i, const char *serial, uint8_t units, uint64_t blocks, bool blank)
{
	struct session *session = plug(i, NULL);
	struct report report;

	report_init(&report, REPORT_PLAIN);
	report.n_units = units;
	for (unsigned int unit = 0; unit < units; unit++)
		report.units[unit] = (struct report_unit){
			.blocks = blocks, .block_size = 512, .state = REPORT_UNIT_DISK, .blank = blank
		};
	strcpy(session->device.ident.serial, serial);
	session->report = &report;
	session_see_blank(session);
	world.manager->sessions = session->next;
}

static void erasure_is_seen_only_where_it_can_be(void)
{
	struct exception_event revoke = { .kind = EXCEPTION_REVOKE, .note = "終わり" };
	struct exception x;
	struct session *session;
	struct report report;

	setup();
	x = granted(0, 0);
	session = plug(0, &x);
	report_init(&report, REPORT_PLAIN);
	report.n_units = 1;
	report.units[0] = (struct report_unit){ .blocks = 2048, .block_size = 512, .state = REPORT_UNIT_DISK, .blank = 1 };
	session->report = &report;
	CU_ASSERT_PTR_NULL(take(session));
	come_back(1, "A1", 1, 2048, true);
	CU_ASSERT_EQUAL(look(x.number).state, EXCEPTION_LIVE);
	CU_ASSERT_EQUAL(exceptions_step(world.manager->exceptions, x.number, &revoke, &exceptions_system, NULL), 0);
	/* The same attach. */
	session_see_blank(session);
	session->report = NULL;
	world.manager->sessions = NULL;
	come_back(1, "A1", 1, 2048, false);
	come_back(1, "", 1, 2048, true);
	come_back(1, "A1", 2, 2048, true);
	come_back(1, "A1", 1, 4096, true);
	CU_ASSERT_EQUAL(look(x.number).state, EXCEPTION_REVOKED);
	come_back(1, "A1", 1, 2048, true);
	CU_ASSERT_EQUAL(look(x.number).state, EXCEPTION_ERASE_CONFIRMED);
	finish();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(an_attach_takes_one_use_however_often_it_is_judged),
		TEST(another_grant_ends_the_use_of_the_one_before),
		TEST(what_was_pulled_out_unseen_is_used_up_and_what_stays_is_not),
		TEST(a_restart_after_another_grant_took_over_takes_no_second_use),
		TEST(what_was_written_before_a_grant_took_over_is_not_its_own_after_a_restart),
		TEST(volumes_that_are_closed_again_and_again_are_told_of_once_a_minute),
		TEST(erasure_is_seen_only_where_it_can_be),
	};

	if (sodium_init() < 0)
		return 1;
	return testing_run("session-grant", tests, ARRAY_SIZE(tests));
}

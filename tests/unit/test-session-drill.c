// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * daemon/session-drill: in a drill nothing is taken back. There is no gate here: whoever sent it a verdict would crash.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/manager-roads.h"
#include "daemon/roads.h"
#include "daemon/session-inside.h"
#include "system/textfile.h"
#include "testing.h"

static struct {
	char dir[64];
	char log[96];
	char released[96], roads[96];
	struct manager manager;
	struct session session;
} world;

static void setup(void)
{
	static const char policy[] = "policy p\nversion 1\n";
	struct manager *manager = &world.manager;
	struct evidence_callbacks callbacks = { 0 };
	char path[96];

	memset(&world, 0, sizeof(world));
	strcpy(world.dir, "/tmp/test-session-drill-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(world.dir));
	settings_init(&manager->settings);
	snprintf(path, sizeof(path), "%s/log", world.dir);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0750), 0);
	snprintf(world.log, sizeof(world.log), "%s/log/events.jsonl", world.dir);
	snprintf(world.released, sizeof(world.released), "%s/released", world.dir);
	strcpy(manager->settings.log_file, world.log);
	snprintf(manager->settings.log_keys, SETTINGS_VALUE_MAX, "%s/keys", world.dir);
	snprintf(manager->settings.log_desk_key, SETTINGS_VALUE_MAX, "%s/absent", world.dir);
	CU_ASSERT_TRUE_FATAL(sd_event_new(&manager->event) >= 0);
	CU_ASSERT_EQUAL_FATAL(evidence_new(&manager->evidence, manager->event, &manager->settings, &callbacks), 0);
	CU_ASSERT_EQUAL_FATAL(released_new(&manager->released, world.released), 0);
	CU_ASSERT_EQUAL_FATAL(policy_parse("p", policy, sizeof(policy) - 1, NULL, NULL, &manager->rulebook.policy), 0);
	manager->begun = true;
	manager->drill.on = true;
	evidence_set_drill(manager->evidence, true);
}

static void finish(void)
{
	char command[128];

	roads_free(world.manager.roads);
	released_free(world.manager.released);
	evidence_free(world.manager.evidence);
	policy_free(world.manager.rulebook.policy);
	sd_event_unref(world.manager.event);
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

/* A stick that is in, with its disk, by the policy's leave. */
static struct session *plug(void)
{
	struct session *session = &world.session;
	struct device *device = &session->device;

	*session = (struct session){ .manager = &world.manager, .phase = SESSION_SETTLED };
	*device = (struct device){ .id = 1, .ident = { .busnum = 1, .devnum = 5 }, .state = DEVICE_ALLOWED,
				   .drill = true, .n_interfaces = 2 };
	strcpy(device->ident.name, "1-1");
	strcpy(device->ident.fingerprint, "blake2b:00112233445566778899aabbccddeeff");
	device->interfaces[0] = (struct device_interface){ .cookie = 1, .storage = true, .allowed = true,
							   .state = DEVICE_INTERFACE_RELEASED, .reason = "proved" };
	device->interfaces[1] = (struct device_interface){ .cookie = 2, .state = DEVICE_INTERFACE_PASSED };
	strcpy(device->blocks[0], "sda");
	device->n_blocks = 1;
	return session;
}

static bool log_has(const char *words)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;

	CU_ASSERT_EQUAL_FATAL(textfile_read(world.log, 1 << 20, &text, &len), 0);
	return strstr(text, words);
}

static void what_would_be_revoked_stays_in_and_is_recorded_with_its_reason(void)
{
	struct session *session;
	struct device *device;

	setup();
	session = plug();
	device = &session->device;
	session->refused = "two-faces";
	session_revoke(session, "two-faces");
	CU_ASSERT_EQUAL(device->state, DEVICE_WOULD_DENY);
	CU_ASSERT_STRING_EQUAL(device->reason, "two-faces");
	CU_ASSERT_EQUAL(session->phase, SESSION_SETTLED);
	CU_ASSERT_EQUAL(device->n_blocks, 1);
	CU_ASSERT_TRUE(log_has("\"kind\":\"would-deny\""));
	CU_ASSERT_TRUE(log_has("\"reason\":\"two-faces\""));
	CU_ASSERT_TRUE(log_has("\"drill\":true"));
	CU_ASSERT_FALSE(log_has("\"kind\":\"revoked\""));
	finish();
}

static void harmless_functions_need_no_verdict_and_get_none(void)
{
	struct session *session;

	setup();
	session = plug();
	CU_ASSERT_TRUE(session_lets_in(session, &session->device.interfaces[0]));
	CU_ASSERT_FALSE(session_lets_in(session, &session->device.interfaces[1]));
	session->device.interfaces[1].state = DEVICE_INTERFACE_KEPT;
	CU_ASSERT_FALSE(session_lets_in(session, &session->device.interfaces[1]));
	session->device.interfaces[1].state = DEVICE_INTERFACE_HELD;
	CU_ASSERT_TRUE(session_lets_in(session, &session->device.interfaces[1]));
	/* Not in a drill: as each verdict says. */
	session->device.drill = false;
	CU_ASSERT_TRUE(session_lets_in(session, &session->device.interfaces[0]));
	CU_ASSERT_FALSE(session_lets_in(session, &session->device.interfaces[1]));
	finish();
}

static void refused_part_of_an_allowed_device_is_recorded_by_itself(void)
{
	struct session *session;
	struct device_interface *part;

	setup();
	session = plug();
	part = &session->device.interfaces[1];
	part->state = DEVICE_INTERFACE_HELD;
	part->ident.number = 3;
	part->reason = "class-not-allowed";
	CU_ASSERT_EQUAL(session_record_rest(session), 0);
	CU_ASSERT_TRUE(log_has("\"kind\":\"would-deny\""));
	CU_ASSERT_TRUE(log_has("\"reason\":\"class-not-allowed\""));
	CU_ASSERT_TRUE(log_has("\"interface\":3"));
	CU_ASSERT_FALSE(log_has("\"reason\":\"proved\""));
	finish();
}

static void a_later_daemon_knows_what_a_drill_has_let_in(void)
{
	struct device plugged;
	struct session *session;
	struct released *later;

	setup();
	session = plug();
	CU_ASSERT_EQUAL(released_add(world.manager.released, &session->device, NULL, 0), 0);
	plugged = session->device;
	plugged.drill = false;
	CU_ASSERT_EQUAL_FATAL(released_new(&later, world.released), 0);
	CU_ASSERT_TRUE(released_restore(later, &plugged, NULL));
	CU_ASSERT_TRUE(plugged.drill);
	released_free(later);

	session->device.drill = false;
	CU_ASSERT_EQUAL(released_add(world.manager.released, &session->device, NULL, 0), 0);
	CU_ASSERT_EQUAL_FATAL(released_new(&later, world.released), 0);
	CU_ASSERT_TRUE(released_restore(later, &plugged, NULL));
	CU_ASSERT_FALSE(plugged.drill);
	released_free(later);
	finish();
}

/* As at the start of a daemon whose settings ask for a drill. */
static const struct drill *settle(void)
{
	struct manager *manager = &world.manager;

	manager->settings.mode = SETTINGS_DRILL;
	manager->drill = (struct drill){ .on = false };
	evidence_set_drill(manager->evidence, false);
	drill_settle(manager);
	return &manager->drill;
}

static void there_is_no_drill_without_a_policy(void)
{
	const struct drill *drill;

	setup();
	world.manager.rulebook.policy = policy_free(world.manager.rulebook.policy);
	drill = settle();
	CU_ASSERT_FALSE(drill->on);
	CU_ASSERT_STRING_EQUAL(drill_mode_name(drill), "drill-refused");
	CU_ASSERT_TRUE(log_has("\"kind\":\"drill-refused\""));
	CU_ASSERT_TRUE(log_has("\"why\":\"no-policy\""));
	CU_ASSERT_FALSE(log_has("\"drill\":true"));
	finish();
}

static void there_is_no_drill_whose_beginning_is_not_in_the_log(void)
{
	const struct drill *drill;
	char path[128];

	setup();
	/* A directory that there cannot be. */
	evidence_free(world.manager.evidence);
	snprintf(path, sizeof(path), "%s/in-the-way", world.dir);
	CU_ASSERT_EQUAL_FATAL(textfile_replace(path, "", 0, 0644), 0);
	snprintf(world.manager.settings.log_file, SETTINGS_VALUE_MAX, "%s/events.jsonl", path);
	CU_ASSERT_EQUAL_FATAL(evidence_new(&world.manager.evidence, world.manager.event, &world.manager.settings,
					   &(struct evidence_callbacks){ 0 }), 0);
	drill = settle();
	CU_ASSERT_FALSE(drill->on);
	CU_ASSERT_STRING_EQUAL(drill_mode_name(drill), "drill-refused");
	CU_ASSERT_NOT_EQUAL(access(DRILL_RUN_FILE, F_OK), 0);
	finish();
}

/* Its note may have come too late, or a log that was full kept it waiting. */
static void a_road_that_a_drill_opened_is_recorded_as_such_when_it_has_ended(void)
{
	struct manager *manager = &world.manager;
	char note[128];

	setup();
	snprintf(world.roads, sizeof(world.roads), "%s/roads", world.dir);
	snprintf(note, sizeof(note), "%s/drill-sr_mod", world.roads);
	manager_roads_begin(manager, world.roads);
	CU_ASSERT_PTR_NOT_NULL_FATAL(manager->roads);
	manager->drill.on = false;
	evidence_set_drill(manager->evidence, false);
	CU_ASSERT_EQUAL_FATAL(textfile_replace(note, "", 0, 0600), 0);
	roads_look(manager->roads);
	CU_ASSERT_TRUE(log_has("\"kind\":\"road-would-close\""));
	CU_ASSERT_TRUE(log_has("\"road\":\"sr_mod\""));
	CU_ASSERT_TRUE(log_has("\"drill\":true"));
	/* The next drill tells of it anew. */
	CU_ASSERT_NOT_EQUAL(access(note, F_OK), 0);
	manager->drill.on = true;
	CU_ASSERT_EQUAL_FATAL(textfile_replace(note, "", 0, 0600), 0);
	roads_look(manager->roads);
	CU_ASSERT_EQUAL(access(note, F_OK), 0);
	finish();
}

static void count_lost(void *userdata, const char *kind, const char *signal, uint64_t device, struct json_object *record)
{
	unsigned int *lost = userdata;

	*lost += !json_object_object_get_ex(record, "seq", NULL);
}

/* It has its device told of anew, which is then noted once more. */
static void a_road_that_was_closed_before_a_drill_is_recorded_once_as_the_drills(void)
{
	struct manager *manager = &world.manager;
	char closed[128], drilled[128];

	setup();
	snprintf(world.roads, sizeof(world.roads), "%s/roads", world.dir);
	snprintf(closed, sizeof(closed), "%s/closed-sr_mod", world.roads);
	snprintf(drilled, sizeof(drilled), "%s/drill-sr_mod", world.roads);
	manager_roads_begin(manager, world.roads);
	CU_ASSERT_PTR_NOT_NULL_FATAL(manager->roads);
	CU_ASSERT_EQUAL_FATAL(textfile_replace(closed, "", 0, 0600), 0);
	roads_look(manager->roads);
	CU_ASSERT_TRUE(log_has("\"kind\":\"road-would-close\""));
	CU_ASSERT_FALSE(log_has("\"kind\":\"road-closed\""));
	CU_ASSERT_NOT_EQUAL(access(closed, F_OK), 0);
	CU_ASSERT_EQUAL(access(drilled, F_OK), 0);
	finish();
}

static void a_log_that_cannot_be_written_loses_no_more_records_of_a_road(void)
{
	struct manager *manager = &world.manager;
	char path[128], note[128];
	unsigned int lost = 0;

	setup();
	evidence_free(manager->evidence);
	snprintf(path, sizeof(path), "%s/in-the-way", world.dir);
	CU_ASSERT_EQUAL_FATAL(textfile_replace(path, "", 0, 0644), 0);
	snprintf(manager->settings.log_file, SETTINGS_VALUE_MAX, "%s/events.jsonl", path);
	CU_ASSERT_EQUAL_FATAL(evidence_new(&manager->evidence, manager->event, &manager->settings,
					   &(struct evidence_callbacks){ .recorded = count_lost, .userdata = &lost }), 0);
	snprintf(world.roads, sizeof(world.roads), "%s/roads", world.dir);
	snprintf(note, sizeof(note), "%s/drill-sr_mod", world.roads);
	manager_roads_begin(manager, world.roads);
	CU_ASSERT_PTR_NOT_NULL_FATAL(manager->roads);
	CU_ASSERT_EQUAL_FATAL(textfile_replace(note, "", 0, 0600), 0);
	for (int i = 0; i < 3; i++)
		roads_look(manager->roads);
	/* By the first one it is found out. */
	CU_ASSERT_EQUAL(lost, 1);
	CU_ASSERT_EQUAL(access(note, F_OK), 0);
	finish();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(what_would_be_revoked_stays_in_and_is_recorded_with_its_reason),
		TEST(harmless_functions_need_no_verdict_and_get_none),
		TEST(refused_part_of_an_allowed_device_is_recorded_by_itself),
		TEST(a_later_daemon_knows_what_a_drill_has_let_in),
		TEST(there_is_no_drill_without_a_policy),
		TEST(there_is_no_drill_whose_beginning_is_not_in_the_log),
		TEST(a_road_that_a_drill_opened_is_recorded_as_such_when_it_has_ended),
		TEST(a_road_that_was_closed_before_a_drill_is_recorded_once_as_the_drills),
		TEST(a_log_that_cannot_be_written_loses_no_more_records_of_a_road),
	};

	if (sodium_init() < 0)
		return EXIT_FAILURE;
	return testing_run("session-drill", tests, ARRAY_SIZE(tests));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/manager: the daemon ends while media are plugged in and offered. AddressSanitizer watches. */
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/manager.h"
#include "daemon/session.h"
#include "log-reader.h"
#include "testing.h"

static struct {
	char dir[64];
	struct manager_bus_info info;
} world;

static const struct manager_bus_info *bus_info(void *userdata)
{
	return &world.info;
}

static bool bus_reload(void *userdata, const char **error)
{
	return false;
}

static const struct volume_ops volume_ops = { 0 };

/* Nobody else has this log; the bus is missing, which is nothing to the objects. */
static struct manager *manager_make(void)
{
	struct manager *manager = calloc(1, sizeof(*manager));
	struct evidence_callbacks callbacks = { 0 };
	uint8_t public[32], secret[32];
	char path[96], hex[66];

	strcpy(world.dir, "/tmp/test-manager-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(world.dir));
	CU_ASSERT_PTR_NOT_NULL_FATAL(manager);
	settings_init(&manager->settings);
	snprintf(path, sizeof(path), "%s/desk-log.pub", world.dir);
	crypto_box_keypair(public, secret);
	sodium_bin2hex(hex, 65, public, sizeof(public));
	strcat(hex, "\n");
	reader_write(path, hex, 65);
	strcpy(manager->settings.terminal, "T-1");
	strcpy(manager->settings.log_desk_key, path);
	snprintf(manager->settings.log_file, SETTINGS_VALUE_MAX, "%s/log/events.jsonl", world.dir);
	snprintf(manager->settings.log_keys, SETTINGS_VALUE_MAX, "%s/keys", world.dir);
	snprintf(path, sizeof(path), "%s/log", world.dir);
	mkdir(path, 0750);
	CU_ASSERT_TRUE_FATAL(sd_event_new(&manager->event) >= 0);
	CU_ASSERT_EQUAL_FATAL(evidence_new(&manager->evidence, manager->event, &manager->settings, &callbacks), 0);
	CU_ASSERT_EQUAL_FATAL(manager_bus_new(&manager->bus, manager->event, "unix:path=/nowhere", bus_info,
					      bus_reload, manager), 0);
	manager->volumes = (struct volume_setup){ .event = manager->event, .helper = "/nowhere",
						  .tries = &manager->tries };
	return manager;
}

/* A registered medium that is let in, with something to open on it. */
static void session_make(struct manager *manager, uint64_t id, const char *number)
{
	struct session *session = calloc(1, sizeof(*session));
	struct volume_facts facts = { .id = id, .device = id, .node = "/dev/sekimori-none1", .partition = 1,
				      .method = "luks2", .uuid = "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001",
				      .cipher = "", .label = number };

	CU_ASSERT_PTR_NOT_NULL_FATAL(session);
	session->manager = manager;
	session->device = (struct device){ .id = id, .state = DEVICE_ALLOWED };
	CU_ASSERT_EQUAL(manager_bus_device_added(manager->bus, &session->device), 0);
	session->announced = true;
	strcpy(session->device.medium, number);
	manager_bus_device_changed(manager->bus, &session->device);
	CU_ASSERT_EQUAL_FATAL(volume_new(&session->volumes[0].life, &manager->volumes, &facts, &volume_ops, manager), 0);
	session->n_volumes = 1;
	CU_ASSERT_EQUAL(manager_bus_volume_added(manager->bus, session->volumes[0].life), 0);
	session->next = manager->sessions;
	manager->sessions = session;
}

static void it_ends_with_several_media_plugged_in(void)
{
	struct manager *manager = manager_make();
	char command[128];

	for (uint64_t id = 1; id <= 3; id++)
		session_make(manager, id, id == 1 ? "M-0001" : id == 2 ? "M-0002" : "M-0003");
	manager_free(manager);
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(it_ends_with_several_media_plugged_in),
	};

	if (sodium_init() < 0)
		return 1;
	return testing_run("manager-stop", tests, ARRAY_SIZE(tests));
}

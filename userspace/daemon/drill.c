// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "core/policy.h"
#include "daemon/drill.h"
#include "daemon/json.h"
#include "daemon/manager.h"
#include "system/errand.h"
#include "system/textfile.h"

/* 20 digits of a 64-bit number, and the end of the line. */
#define SINCE_MAX 32

#define US_PER_S UINT64_C(1000000)

const char *drill_mode_name(const struct drill *drill)
{
	return drill->on ? "drill" : drill->refused ? "drill-refused" : "enforce";
}

/* --- since when --- */

/* Seconds since the epoch; 0: no drill was on, as far as anybody has noted. */
static uint64_t since_read(void)
{
	_cleanup_(freep) char *text = NULL;
	uint64_t seconds = 0;
	size_t len;

	if (textfile_read(DRILL_STATE_FILE, SINCE_MAX, &text, &len) ||
	    sscanf(text, "%" SCNu64, &seconds) != 1)
		return 0;
	return seconds <= INT64_MAX / US_PER_S ? seconds : 0;
}

static void file_put(const char *path, uint64_t seconds)
{
	char text[SINCE_MAX];
	int r = textfile_replace(path, text,
				 (size_t)snprintf(text, sizeof(text), "%" PRIu64 "\n", seconds), 0644);

	if (r)
		fprintf(stderr, SD_ERR "%s: %s\n", path, strerror(-r));
}

static void file_remove(const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT)
		fprintf(stderr, SD_ERR "%s: %s\n", path, strerror(errno));
}

/* --- udev --- */

/* Everything that a rule of ours treats in another way during a drill, and what drivers of other roads would take. */
static const char *const told_again[] = {
	"/sys/bus/usb/devices/*/uevent",      "/sys/bus/mmc/devices/*/uevent",
	"/sys/bus/memstick/devices/*/uevent", "/sys/bus/firewire/devices/*/uevent",
	"/sys/bus/thunderbolt/devices/*/uevent", "/sys/bus/scsi/devices/*/uevent",
	"/sys/bus/pci/devices/*/uevent",      "/sys/bus/pnp/devices/*/uevent",
	"/sys/bus/platform/devices/*/uevent", "/sys/class/block/*/uevent",
	"/sys/class/scsi_generic/*/uevent",   "/sys/class/bsg/*/uevent",
};

static void tell_again(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* It may have been unplugged meanwhile. */
	if (fd < 0)
		return;
	if (write(fd, "change", strlen("change")) < 0 && errno != ENODEV)
		fprintf(stderr, SD_WARNING "%s: %s\n", path, strerror(errno));
	close(fd);
}

/* In a process of its own: a write may wait for a device's lock. */
static int tell_all_again(const void *order, void *result)
{
	for (size_t i = 0; i < ARRAY_SIZE(told_again); i++) {
		glob_t found;

		if (!glob(told_again[i], GLOB_NOSORT, NULL, &found))
			for (size_t k = 0; k < found.gl_pathc; k++)
				tell_again(found.gl_pathv[k]);
		globfree(&found);
	}
	return 0;
}

static void rules_again(struct manager *manager)
{
	int r = errand_start(NULL, manager->event, tell_all_again, NULL, 0, NULL, NULL);

	if (r)
		fprintf(stderr, SD_WARNING "udev is not told of the change of mode: %s; run 'udevadm trigger'\n",
			strerror(-r));
}

/* --- beginning and end --- */

static void record(struct manager *manager, const char *kind, const char *why, uint64_t since)
{
	struct json_object *extra = json_object_new_object();

	if (extra && why)
		json_add_string(extra, "why", why);
	if (extra && since)
		json_add_number(extra, "since", since);
	manager_record(manager, kind, NULL, NULL, extra);
}

static void drill_begin(struct manager *manager, uint64_t since)
{
	bool known = since;

	if (!known)
		since = (uint64_t)time(NULL);
	manager->drill.on = true;
	manager->drill.since_us = since * US_PER_S;
	evidence_set_drill(manager->evidence, true);
	if (!known) {
		file_put(DRILL_STATE_FILE, since);
		record(manager, "drill-begun", NULL, since);
	}
	file_put(DRILL_RUN_FILE, since);
	fprintf(stderr, SD_WARNING "drill mode: everything is judged and recorded, and nothing is blocked\n");
	rules_again(manager);
}

static void drill_end(struct manager *manager, uint64_t since)
{
	manager->drill.on = false;
	manager->drill.since_us = 0;
	evidence_set_drill(manager->evidence, false);
	file_remove(DRILL_RUN_FILE);
	file_remove(DRILL_STATE_FILE);
	record(manager, "drill-ended", manager->drill.refused ? "policy" : "setting", since);
	rules_again(manager);
}

void drill_settle(struct manager *manager)
{
	const struct policy *policy = manager->rulebook.policy;
	struct drill *drill = &manager->drill;
	bool asked = manager->settings.mode == SETTINGS_DRILL, first = !drill->settled;
	bool was_refused = drill->refused, was_on = drill->on;
	uint64_t since = first || drill->on ? since_read() : 0;

	/* What a crash has left says nothing. */
	if (first)
		drill_forget();
	drill->settled = true;
	drill->refused = asked && policy && policy_header(policy)->drill_forbidden;
	if (asked && !drill->refused && !drill->on)
		drill_begin(manager, since);
	else if ((!asked || drill->refused) && (drill->on || since))
		drill_end(manager, since);
	if (drill->refused && !was_refused) {
		fprintf(stderr, SD_WARNING "drill mode is asked for, and the policy forbids it: the barrier stands\n");
		record(manager, "drill-refused", NULL, 0);
	}
	if (!first && drill->on != was_on)
		manager_rejudge(manager, "drill");
}

void drill_leave(const struct manager *manager)
{
	if (manager->drill.on)
		drill_forget();
}

void drill_forget(void)
{
	file_remove(DRILL_RUN_FILE);
}

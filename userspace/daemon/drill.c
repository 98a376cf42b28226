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
#include "daemon/roads.h"
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

static int file_put(const char *path, uint64_t seconds)
{
	char text[SINCE_MAX];
	int r = textfile_replace(path, text,
				 (size_t)snprintf(text, sizeof(text), "%" PRIu64 "\n", seconds), 0644);

	if (r)
		fprintf(stderr, SD_ERR "%s: %s\n", path, strerror(-r));
	return r;
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

/*
 * Only at `add` does udev look for a driver (80-drivers.rules). What has none may have come while its road was closed, as at boot,
 * before there was a daemon: it is told of as udev's own coldplug does. A USB interface's driver is the gate's to say.
 */
static bool wants_driver(const char *uevent)
{
	_cleanup_(freep) char *driver = NULL;

	if (!strncmp(uevent, "/sys/class/", strlen("/sys/class/")) || !strncmp(uevent, "/sys/bus/usb/", strlen("/sys/bus/usb/")))
		return false;
	if (asprintf(&driver, "%.*s/driver", (int)(strrchr(uevent, '/') - uevent), uevent) < 0) {
		driver = NULL;
		return false;
	}
	return access(driver, F_OK) < 0;
}

static void tell(const char *path, const char *action)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* It may have been unplugged meanwhile. */
	if (fd < 0)
		return;
	if (write(fd, action, strlen(action)) < 0 && errno != ENODEV)
		fprintf(stderr, SD_WARNING "%s: %s\n", path, strerror(errno));
	close(fd);
}

static void tell_again(const char *path, bool drivers)
{
	if (drivers && wants_driver(path))
		tell(path, "add");
	/* After the driver is there: 10-sekimori.rules gives an SD card back to it. */
	tell(path, "change");
}

/* In a process of its own: a write may wait for a device's lock. */
static void tell_all_again(const void *order)
{
	const bool *drivers = order;

	for (size_t i = 0; i < ARRAY_SIZE(told_again); i++) {
		glob_t found;

		if (!glob(told_again[i], GLOB_NOSORT, NULL, &found))
			for (size_t k = 0; k < found.gl_pathc; k++)
				tell_again(found.gl_pathv[k], *drivers);
		globfree(&found);
	}
}

static void rules_again(struct manager *manager)
{
	/* At its end nothing looks for a driver: the roads are closed again. */
	int r = errand_start(manager->event, tell_all_again, &manager->drill.on);

	if (r)
		fprintf(stderr, SD_WARNING "udev is not told of the change of mode: %s; run 'udevadm trigger'\n",
			strerror(-r));
}

/* --- beginning and end --- */

static int record(struct manager *manager, const char *kind, const char *why, uint64_t since)
{
	struct json_object *extra = json_object_new_object();

	if (extra && why)
		json_add_string(extra, "why", why);
	if (extra && since)
		json_add_number(extra, "since", since);
	return manager_record(manager, kind, NULL, NULL, extra);
}

/* Writes down that it begins. Negative errno: that could not be, and the log says so if it can. */
static int drill_note(struct manager *manager, uint64_t since)
{
	int r = record(manager, "drill-begun", NULL, since);

	if (r)
		return r;
	r = file_put(DRILL_STATE_FILE, since);
	if (r)
		record(manager, "drill-ended", "log-unwritable", since);
	return r;
}

static void drill_begin(struct manager *manager, uint64_t since)
{
	bool known = since;
	int r;

	if (!known)
		since = (uint64_t)time(NULL);
	evidence_set_drill(manager->evidence, true);
	r = known ? 0 : drill_note(manager, since);
	if (r) {
		evidence_set_drill(manager->evidence, false);
		manager->drill.refused = "log-unwritable";
		return;
	}
	manager->drill.on = true;
	manager->drill.since_us = since * US_PER_S;
	/* Without it the barrier's own rules hold for udev; file_put() has said so. */
	file_put(DRILL_RUN_FILE, since);
	fprintf(stderr, SD_WARNING "drill mode: everything is judged and recorded, and nothing is blocked\n");
	rules_again(manager);
}

static void drill_end(struct manager *manager, uint64_t since)
{
	/* What is still to be told of it comes before the record of its end. */
	roads_end_drill(manager->roads);
	manager->drill.on = false;
	manager->drill.since_us = 0;
	evidence_set_drill(manager->evidence, false);
	file_remove(DRILL_RUN_FILE);
	file_remove(DRILL_STATE_FILE);
	record(manager, "drill-ended", manager->drill.refused ? manager->drill.refused : "setting", since);
	rules_again(manager);
}

/* Without a policy nothing is judged, so there is nothing to try out: fail closed, as without a drill. */
static const char *why_refused(const struct policy *policy)
{
	if (!policy)
		return "no-policy";
	return policy_header(policy)->drill_forbidden ? "policy" : NULL;
}

void drill_settle(struct manager *manager)
{
	struct drill *drill = &manager->drill;
	bool asked = manager->settings.mode == SETTINGS_DRILL, first = !drill->settled, was_on = drill->on;
	const char *was_refused = drill->refused;
	uint64_t since = first || drill->on ? since_read() : 0;

	/* What a crash has left says nothing. */
	if (first)
		drill_forget();
	drill->settled = true;
	drill->refused = asked ? why_refused(manager->rulebook.policy) : NULL;
	if (asked && !drill->refused && !drill->on)
		drill_begin(manager, since);
	else if ((!asked || drill->refused) && (drill->on || since))
		drill_end(manager, since);
	if (drill->refused && (!was_refused || strcmp(drill->refused, was_refused))) {
		fprintf(stderr, SD_WARNING "drill mode is asked for, and the barrier stands: %s\n", drill->refused);
		record(manager, "drill-refused", drill->refused, 0);
	}
	if (!first && drill->on != was_on)
		manager_rejudge(manager, "drill");
}

void drill_retry(struct manager *manager)
{
	struct drill *drill = &manager->drill;
	bool retry = drill->retry;

	drill->retry = false;
	if (retry && drill->refused && !strcmp(drill->refused, "log-unwritable")) {
		drill_settle(manager);
		manager_bus_info_changed(manager->bus);
	}
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

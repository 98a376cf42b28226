// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disks of a released device. Until one is proved nobody but root can open it. Each is made read-only
 * where that is all that was granted, and read again by the inspector:
 *
 *	released after a proof      ──► the same as was inspected?  no: two faces, revoked for good
 *	medium changed since then   ──► the same?                   no: revoked, judged from the start
 *	released to be proved (UAS) ──► put together into the report that is judged
 *	released without a proof    ──► only the read-only part counts
 */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "core/proof.h"
#include "daemon/json.h"
#include "daemon/manager-life.h"
#include "daemon/session-inside.h"
#include "system/inspector.h"
#include "system/usbdev.h"

/* SCSI scans one unit after the other; when none has come for so long, all have. The first may take a spin-up. */
#define FIRST_UNIT_US 8000000u
#define NEXT_UNIT_US 700000u
#define UNIT_ACCURACY_US 50000u

/* So many changes of the medium in so long a time are believed. */
#define CHANGES_MAX 6u
#define CHANGES_US 60000000u

static void disk_look(struct session_disk *disk);
static bool session_looks(const struct session *session);
static void session_expect_units(struct session *session, uint64_t usec);

static void session_forget_disk(struct session *session, unsigned int i)
{
	inspector_cancel(session->disks[i]->inspector);
	free(session->disks[i]);
	session->disks[i] = session->disks[--session->n_disks];
}

void session_forget_disks(struct session *session)
{
	session->poll = sd_event_source_disable_unref(session->poll);
	session->on_blocks = false;
	while (session->n_disks)
		session_forget_disk(session, session->n_disks - 1);
}

/* --- what an inspection says --- */

void session_tamper(struct session *session, const struct session_disk *disk)
{
	struct json_object *extra = json_object_new_object();

	if (extra)
		json_add_string(extra, "disk", disk->name);
	snprintf(session->device.detail, sizeof(session->device.detail),
		 "unit %u is not what was inspected", disk->unit);
	manager_record(session->manager, "tampering", "DeviceTampered", &session->device, extra);
	session->refused = "two-faces";
	session_revoke(session, "two-faces");
}

/*
 * Of a medium that encrypts in hardware the file system is among what was read, and changes with use. Then its size
 * must do, where it may have been in use: an earlier daemon let it in.
 */
static bool disk_lives(const struct session_disk *disk)
{
	const struct device *device = &disk->session->device;

	return disk->session->resumed &&
	       !strcmp(device->method, encryption_name(ENCRYPTION_HARDWARE));
}

/* A slot that was empty and still is has nothing to compare. */
static bool disk_is_inspected(const struct session_disk *disk, const struct report *seen)
{
	const struct report *report = disk->session->report;
	const struct report_unit *unit = &report->units[disk->unit];

	if (disk->unit >= report->n_units)
		return false;
	if (unit->state == REPORT_UNIT_EMPTY)
		return seen->outcome == REPORT_NO_MEDIUM;
	/* The CD-ROM of a medium that encrypts in hardware: it was let in for what it says it is. */
	if (unit->state == REPORT_UNIT_OTHER)
		return disk->type == unit->type;
	/* Same bytes where the verdict rests on them, and nothing where there must be nothing. */
	if (seen->n_units != 1 ||
	    (report->outcome == REPORT_PROVED && seen->outcome != REPORT_PROVED))
		return false;
	return report_unit_same(unit, &seen->units[0]) ||
	       (disk_lives(disk) && unit->blocks == seen->units[0].blocks &&
		unit->block_size == seen->units[0].block_size);
}

/* A person changes cards; what does so many times a minute is a machine that wears us out. */
static bool session_may_change(struct session *session)
{
	uint64_t now = manager_now_us();

	if (now - session->changed_us > CHANGES_US) {
		session->changed_us = now;
		session->changes = 0;
	}
	return ++session->changes <= CHANGES_MAX;
}

/* Released after a proof: is it still true? */
static void disk_compare(struct session_disk *disk, const struct report *seen)
{
	struct session *session = disk->session;

	if (disk_is_inspected(disk, seen)) {
		disk->proved = disk->settled = true;
		disk->restarts = 0;
		session_show(session);
		session_offer_volumes(session, disk);
	} else if ((disk->proved || disk->changed) && session_may_change(session)) {
		session_revoke(session, "medium-changed");
	} else {
		session_tamper(session, disk);
	}
}

/* Puts what was found on one unit into the report of all. */
static void report_join(struct report *all, const struct report *one, uint8_t unit)
{
	unsigned int at = 0;

	if (unit >= REPORT_UNITS_MAX) {
		report_worsen(all, REPORT_TOO_MANY, "a unit beyond those that can be proved");
		return;
	}
	if (one->n_units)
		all->units[unit] = one->units[0];
	if (unit >= all->n_units)
		all->n_units = (uint8_t)(unit + 1);
	all->bytes_read += one->bytes_read;
	all->elapsed_us += one->elapsed_us;
	if (one->outcome != REPORT_NO_MEDIUM)
		report_worsen(all, one->outcome, one->detail);
	for (unsigned int i = 0; i < one->n_volumes; i++) {
		if (all->n_volumes == REPORT_VOLUMES_MAX) {
			report_worsen(all, REPORT_TOO_MANY, "more volumes than can be proved");
			break;
		}
		/* By unit: they need not appear in their order. */
		while (at < all->n_volumes && all->volumes[at].unit <= unit)
			at++;
		memmove(&all->volumes[at + 1], &all->volumes[at],
			(all->n_volumes - at) * sizeof(all->volumes[0]));
		all->n_volumes++;
		all->volumes[at] = one->volumes[i];
		all->volumes[at].unit = unit;
	}
}

static int units_complete(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct session *session = userdata;
	struct report report;

	session->poll = sd_event_source_disable_unref(session->poll);
	if (session_looks(session)) {
		/* Each has its own deadline. */
		session_expect_units(session, FIRST_UNIT_US);
		return 0;
	}
	session->on_blocks = false;
	if (session->report) {
		report = *session->report;
		report_conclude(&report);
	} else {
		report_init(&report, REPORT_TRANSPORT);
	}
	session_reported(session, &report, session->report ? report.detail : "no disk appeared");
	return 0;
}

static void session_expect_units(struct session *session, uint64_t usec)
{
	int r;

	session->poll = sd_event_source_disable_unref(session->poll);
	r = sd_event_add_time_relative(session->manager->event, &session->poll, CLOCK_BOOTTIME,
				       usec, UNIT_ACCURACY_US, units_complete, session);
	if (r < 0)
		session_deny(session, "inspector-failed", strerror(-r));
}

static bool session_looks(const struct session *session)
{
	for (unsigned int i = 0; i < session->n_disks; i++)
		if (session->disks[i]->inspector)
			return true;
	return false;
}

static void disk_collect(struct session_disk *disk, const struct report *seen)
{
	struct session *session = disk->session;
	struct report empty;

	if (!session->report) {
		report_init(&empty, REPORT_PROVED);
		session_keep_report(session, &empty);
	}
	if (!session->report) {
		session_deny(session, "inspector-failed", strerror(ENOMEM));
		return;
	}
	report_join(session->report, seen, disk->unit);
	disk->proved = seen->outcome == REPORT_PROVED;
	if (!session_looks(session))
		session_expect_units(session, NEXT_UNIT_US);
}

/* The read-only part failed, or nobody can say what the disk is. One that was pulled out has nothing to answer for. */
static void disk_failed(struct session_disk *disk, const char *detail)
{
	struct session *session = disk->session;
	const char *reason =
		session->device.access == ACCESS_RO ? "read-only-failed" : "cannot-inspect";

	if (!usbdev_is_there(session->device.ident.name, session->device.ident.devnum))
		return;

	fprintf(stderr, SD_ERR "%s cannot be looked at: %s; it is taken back\n", disk->name, detail);
	snprintf(session->device.detail, sizeof(session->device.detail), "%s", detail);
	session->refused = reason;
	session_revoke(session, reason);
}

static void disk_inspected(void *userdata, enum inspector_end end, const struct report *report,
			   const char *detail)
{
	struct session_disk *disk = userdata;
	struct session *session = disk->session;
	struct report failed;

	disk->inspector = NULL;
	if (end != INSPECTOR_REPORTED) {
		report_init(&failed, end == INSPECTOR_TIMEOUT ? REPORT_TIMEOUT : REPORT_INTERNAL);
		report = &failed;
	}
	if (disk->again) {
		/* Which of the two media it has read is not known. One that never rests is never compared. */
		disk->again = false;
		if (++disk->restarts > SESSION_FLAPS_MAX)
			session_tamper(session, disk);
		else
			disk_look(disk);
		return;
	}
	if (session->on_blocks)
		disk_collect(disk, report);
	else if (report->outcome == REPORT_INTERNAL || report->outcome == REPORT_TIMEOUT ||
		 report->outcome == REPORT_TRANSPORT)
		disk_failed(disk, end == INSPECTOR_REPORTED ? report->detail : detail);
	else if (session->device.method[0])
		disk_compare(disk, report);
	else {
		disk->settled = true;
		session_offer_volumes(session, disk);
	}
}

/* --- looking --- */

bool session_reads_only(const struct session *session)
{
	return session->device.access == ACCESS_RO && !session->device.drill;
}

/* Of what was let in as it is, for reading and writing, nothing need be known. */
static bool session_must_look(const struct session *session)
{
	return session->on_blocks || session->device.method[0] || session_reads_only(session);
}

static void disk_look(struct session_disk *disk)
{
	struct session *session = disk->session;
	struct manager *manager = session->manager;
	char node[sizeof("/dev/") + DEVICE_BLOCK_NAME_MAX];
	int r;

	manager_life_meet(manager, &session->device);
	if (!session_must_look(session)) {
		disk->settled = true;
		session_offer_volumes(session, disk);
		return;
	}

	snprintf(node, sizeof(node), "/dev/%s", disk->name);
	r = inspector_start_block(&disk->inspector, manager->event, manager->settings.inspector,
				  node, disk->devnum, session_reads_only(session),
				  manager->settings.inspect_deadline_ms, disk_inspected, disk);
	if (r == -ENODEV || r == -ENOENT)
		return; /* gone; its event is on its way */
	if (r < 0)
		disk_failed(disk, strerror(-r));
}

static struct session_disk *session_disk_find(struct session *session, const char *name)
{
	for (unsigned int i = 0; i < session->n_disks; i++)
		if (!strcmp(session->disks[i]->name, name))
			return session->disks[i];
	return NULL;
}

/* Is it one that we wait for, or have let in? */
static bool session_awaits_disks(const struct session *session)
{
	return (session->device.state == DEVICE_ALLOWED && session->phase == SESSION_SETTLED) ||
	       session->on_blocks;
}

/* A disk that there is no room for. It is root's alone, but the device is more than what was looked at. */
static void session_overflow(struct session *session, const char *name)
{
	const char *reason = session->n_disks == DEVICE_BLOCKS_MAX ? "too-many-volumes" :
								     "inspector-failed";
	char detail[DEVICE_BLOCK_NAME_MAX + 32];

	if (!session_must_look(session))
		return;
	snprintf(detail, sizeof(detail), "%.*s is one disk too many", DEVICE_BLOCK_NAME_MAX, name);
	if (session->on_blocks) {
		session_deny(session, reason, detail);
		return;
	}
	snprintf(session->device.detail, sizeof(session->device.detail), "%s", detail);
	session->refused = reason;
	session_revoke(session, reason);
}

static void disk_appeared(struct session *session, const struct blockdev *block)
{
	struct session_disk *disk = session_disk_find(session, block->name);

	if (disk) {
		/* A change of anything else (a partition table read again, a flag) is none of the medium. */
		if (!block->medium_changed)
			return;
		disk->changed = true;
		disk->settled = false;
		/* What is open would go on with another medium. */
		session_shut_volumes(session, disk->unit);
		if (disk->inspector)
			disk->again = true;
		else
			disk_look(disk);
		return;
	}
	disk = session->n_disks < DEVICE_BLOCKS_MAX && strlen(block->name) < sizeof(disk->name) ?
		       calloc(1, sizeof(*disk)) :
		       NULL;
	if (!disk) {
		session_overflow(session, block->name);
		return;
	}
	session->disks[session->n_disks++] = disk;
	disk->session = session;
	disk->devnum = block->devnum;
	disk->unit = blockdev_unit(block->path);
	disk->type = blockdev_type(block->path);
	strcpy(disk->name, block->name);
	disk_look(disk);
}

static void session_list_disk(struct session *session, const char *name)
{
	struct device *device = &session->device;

	for (unsigned int i = 0; i < device->n_blocks; i++)
		if (!strcmp(device->blocks[i], name))
			return;
	if (device->n_blocks == DEVICE_BLOCKS_MAX || strlen(name) >= DEVICE_BLOCK_NAME_MAX)
		return;
	strcpy(device->blocks[device->n_blocks++], name);
	session_show(session);
}

/*
 * A drill has let in a reader without a card, or a medium that was locked: it is the kernel's, and nobody but the kernel says that
 * there is something to judge now.
 */
static bool session_may_prove_now(const struct session *session, const struct blockdev *disk)
{
	return disk->medium_changed && session->manager->drill.on && session->device.state == DEVICE_WOULD_DENY &&
	       session->phase == SESSION_SETTLED && proof_may_come(session->device.reason) && !session->refused;
}

void session_block_appeared(struct session *session, const struct blockdev *disk)
{
	session_list_disk(session, disk->name);
	if (session_may_prove_now(session, disk)) {
		session->quiet = true;
		session->on_blocks = true;
		session_inspect_blocks(session);
		return;
	}
	if (session_awaits_disks(session))
		disk_appeared(session, disk);
}

bool session_remove_disk(struct session *session, const char *disk)
{
	struct device *device = &session->device;
	struct session_disk *known = session_disk_find(session, disk);

	session_meter_forget(session, disk);
	for (unsigned int i = 0; i < session->n_disks; i++)
		if (session->disks[i] == known) {
			session_forget_disk(session, i);
			break;
		}
	for (unsigned int i = 0; i < device->n_blocks; i++) {
		if (strcmp(device->blocks[i], disk))
			continue;
		memmove(device->blocks[i], device->blocks[i + 1],
			(device->n_blocks - i - 1) * sizeof(device->blocks[0]));
		device->n_blocks--;
		session_show(session);
		return true;
	}
	return false;
}

/* Those that were collected for the proof are looked at like any other, now with the access that was granted. */
static void session_look_at_disks(struct session *session)
{
	for (unsigned int i = 0; i < session->n_disks; i++)
		if (!session->disks[i]->inspector)
			disk_look(session->disks[i]);
}

static void disk_found(void *userdata, const struct blockdev *disk)
{
	session_block_appeared(userdata, disk);
}

static void disk_listed(void *userdata, const struct blockdev *disk)
{
	session_list_disk(userdata, disk->name);
}

void session_list_disks(struct session *session)
{
	blockdev_find(session->device.ident.name, disk_listed, session);
}

void session_find_disks(struct session *session)
{
	session_look_at_disks(session);
	blockdev_find(session->device.ident.name, disk_found, session);
}

void session_inspect_blocks(struct session *session)
{
	session->phase = SESSION_INSPECTING;
	session_keep_report(session, NULL);
	if (!session->quiet) {
		session->device.state = DEVICE_INSPECTING;
		session_show(session);
	}
	session_expect_units(session, FIRST_UNIT_US);
	session_find_disks(session);
}

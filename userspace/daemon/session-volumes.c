// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The volumes of a released device: offered on D-Bus once their disk is proved to be the inspected one, closed
 * before the device's right is taken back.
 *
 *	disk proved ──► a volume for each that the report names (or, where nothing was to be proved, for each
 *	                partition) ──► LOCKED until somebody opens it
 *	right lost  ──► close all by force, no longer than CLOSE_US ──► REVOKE
 *	unplugged   ──► close all by force
 */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "core/ptable.h"
#include "daemon/session-inside.h"
#include "system/blockdev.h"

/* A file system that is busy, or a stick that does not answer, does not keep a right that has ended. */
#define CLOSE_US 2000000u
#define CLOSE_ACCURACY_US 50000u

/* --- what volumes ask: `userdata` is the manager, which outlives them --- */

static struct session *session_of(struct manager *manager, const struct volume_view *view)
{
	struct session *session = manager->sessions;

	while (session && session->device.id != view->device)
		session = session->next;
	return session;
}

static bool volume_is_closed(const struct volume_life *volume)
{
	enum volume_state state = volume_view(volume)->state;

	return state == VOLUME_LOCKED || state == VOLUME_FAILED;
}

static void volume_changed(void *userdata, struct volume_life *volume)
{
	struct manager *manager = userdata;
	struct session *session = session_of(manager, volume_view(volume));

	manager_bus_volume_changed(manager->bus, volume);
	if (!session || !session->close_timer)
		return;
	for (unsigned int i = 0; i < session->n_volumes; i++)
		if (!volume_is_closed(session->volumes[i].life))
			return;
	/* Not from inside the volume's own call. */
	sd_event_source_set_time(session->close_timer, 0);
}

static int volume_record(void *userdata, const struct volume_view *view, const char *kind,
			 struct json_object *extra)
{
	struct manager *manager = userdata;
	struct session *session = session_of(manager, view);

	return manager_record(manager, kind, NULL, session ? &session->device : NULL, extra);
}

/* Who sits at the terminal, and root for him. */
static bool volume_may_open(void *userdata, const struct volume_view *view, uid_t caller,
			    struct volume_user *user)
{
	struct manager *manager = userdata;
	const struct seat_user *seated = seat_active(manager->seat);
	struct passwd *entry;

	if (caller && (caller != seated->uid || !seated->name[0]))
		return false;
	if (!seated->name[0]) {
		*user = (struct volume_user){ .name = "root" };
		return true;
	}
	entry = getpwuid(seated->uid);
	if (!entry)
		return false;
	*user = (struct volume_user){ .uid = seated->uid,
				      .gid = entry->pw_gid,
				      .name = seated->name };
	return true;
}

static const struct volume_ops volume_ops = {
	.changed = volume_changed,
	.record = volume_record,
	.may = volume_may_open,
};

/* --- offering them --- */

static void session_offer(struct session *session, const struct session_disk *disk,
			  unsigned int partition, const char *method, const char *uuid,
			  const char *label)
{
	struct manager *manager = session->manager;
	char node[sizeof("/dev/") + DEVICE_BLOCK_NAME_MAX + 16];
	struct volume_facts facts = { .device = session->device.id,
				      .node = node,
				      .partition = partition,
				      .method = method,
				      .uuid = uuid,
				      .label = label,
				      .read_only = session->device.access == ACCESS_RO };
	struct volume_life *life = NULL;
	int r;

	if (session->n_volumes == SESSION_VOLUMES_MAX)
		return;
	blockdev_node(disk->name, partition, node, sizeof(node));
	facts.id = ++manager->last_volume;
	r = volume_new(&life, &manager->volumes, &facts, &volume_ops, manager);
	if (!r)
		r = manager_bus_volume_added(manager->bus, life);
	if (r) {
		fprintf(stderr, SD_ERR "volume on %s cannot be offered: %s\n", node, strerror(-r));
		volume_free(life);
		return;
	}
	session->volumes[session->n_volumes++] =
		(struct session_volume){ .life = life, .unit = disk->unit };
}

static bool session_has_volumes_of(const struct session *session, uint8_t unit)
{
	for (unsigned int i = 0; i < session->n_volumes; i++)
		if (session->volumes[i].unit == unit)
			return true;
	return false;
}

/* Of what encrypts by itself, or was let in as it is, the partitions are what can be opened. */
static void session_offer_plain(struct session *session, const struct session_disk *disk)
{
	unsigned int partitions[SESSION_VOLUMES_MAX];
	size_t n = blockdev_partitions(disk->name, partitions, SESSION_VOLUMES_MAX);

	if (!n)
		session_offer(session, disk, 0, "plain", "", session->device.medium);
	for (size_t i = 0; i < n; i++)
		session_offer(session, disk, partitions[i], "plain", "", session->device.medium);
}

/* What the kernel shows of an extended partition: its first table, two sectors or one large one. */
#define CONTAINER_SIZE_MAX 4096
#define LOGICAL_FIRST 5

static bool partition_is_container(const struct report_unit *unit, const char *disk,
				   unsigned int number)
{
	return unit->table == PTABLE_MBR && number < LOGICAL_FIRST &&
	       blockdev_partition_size(disk, number) <= CONTAINER_SIZE_MAX;
}

static const struct report_volume *volume_of_partition(const struct report *report, uint8_t unit,
						       unsigned int number)
{
	for (unsigned int i = 0; i < report->n_volumes; i++)
		if (report->volumes[i].unit == unit && report->volumes[i].partition == number)
			return &report->volumes[i];
	return NULL;
}

/*
 * The kernel has read the partition table for itself: what it made of it is what will be opened, so it must be what
 * was proved, no more and no less.
 */
static bool partitions_agree(const struct report *report, const struct session_disk *disk)
{
	unsigned int numbers[SESSION_VOLUMES_MAX + 1];
	size_t there = blockdev_partitions(disk->name, numbers, ARRAY_SIZE(numbers));
	size_t known = 0, found = 0;

	for (unsigned int i = 0; i < report->n_volumes; i++)
		known += report->volumes[i].unit == disk->unit && report->volumes[i].partition;
	for (size_t i = 0; i < there; i++) {
		const struct report_volume *volume =
			volume_of_partition(report, disk->unit, numbers[i]);

		if (volume && blockdev_partition_is(disk->name, numbers[i], volume->offset, volume->size))
			found++;
		else if (volume || !partition_is_container(&report->units[disk->unit], disk->name,
							   numbers[i]))
			return false;
	}
	return found == known;
}

void session_offer_volumes(struct session *session, const struct session_disk *disk)
{
	const struct report *report = session->report;

	if (session_has_volumes_of(session, disk->unit))
		return;
	if (!report || report->outcome != REPORT_PROVED) {
		session_offer_plain(session, disk);
		return;
	}
	if (!partitions_agree(report, disk)) {
		session_tamper(session, disk);
		return;
	}
	for (unsigned int i = 0; i < report->n_volumes; i++) {
		const struct report_volume *volume = &report->volumes[i];

		if (volume->unit == disk->unit)
			session_offer(session, disk, volume->partition,
				      encryption_name(volume->method), volume->uuid,
				      volume->label[0] ? volume->label : session->device.medium);
	}
}

/* --- closing them --- */

static struct volume_life *session_take_volume(struct session *session)
{
	struct volume_life *life = session->volumes[--session->n_volumes].life;

	manager_bus_volume_removed(session->manager->bus, life);
	return life;
}

void session_drop_volumes(struct session *session)
{
	session->close_timer = sd_event_source_disable_unref(session->close_timer);
	while (session->n_volumes)
		volume_free(session_take_volume(session));
}

void session_leave_volumes(struct session *session)
{
	session->close_timer = sd_event_source_disable_unref(session->close_timer);
	while (session->n_volumes)
		volume_leave(session_take_volume(session));
}

static void session_closed_all(struct session *session)
{
	session_drop_volumes(session);
	session_take_back(session);
}

static int close_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct session *session = userdata;

	session_closed_all(session);
	return 0;
}

void session_close_volumes(struct session *session)
{
	unsigned int open = 0;

	if (session->close_timer)
		return; /* under way */
	for (unsigned int i = 0; i < session->n_volumes; i++)
		open += !volume_is_closed(session->volumes[i].life);
	if (!open || sd_event_add_time_relative(session->manager->event, &session->close_timer,
						CLOCK_BOOTTIME, CLOSE_US, CLOSE_ACCURACY_US,
						close_over, session) < 0) {
		session_closed_all(session);
		return;
	}
	for (unsigned int i = 0; i < session->n_volumes; i++)
		volume_close(session->volumes[i].life, true, NULL, NULL);
}

/* --- the session of the person --- */

void session_volumes_happened(struct session *session, const struct volume_rules *rules,
			      enum volume_event event, uid_t uid)
{
	for (unsigned int i = 0; i < session->n_volumes; i++) {
		const struct volume_view *view = volume_view(session->volumes[i].life);

		if (view->uid == uid && view->user[0])
			volume_happened(session->volumes[i].life, rules, event);
	}
}

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
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/session-inside.h"
#include "system/blockdev.h"

/* A file system that is busy, or a stick that does not answer, does not keep a right that has ended. */
#define CLOSE_US 1500000u
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
	if (session && volume_is_closed(volume))
		session_count_closed(session);
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

/* Its device is let in, and its disk is the one that was looked at. */
static bool volume_stands(const struct session *session, const struct volume_view *view)
{
	if (!session || session->phase != SESSION_SETTLED || session->device.state != DEVICE_ALLOWED)
		return false;
	for (unsigned int i = 0; i < session->n_volumes; i++) {
		if (volume_view(session->volumes[i].life) != view)
			continue;
		for (unsigned int k = 0; k < session->n_disks; k++)
			if (session->disks[k]->unit == session->volumes[i].unit)
				return session->disks[k]->settled;
	}
	return false;
}

/* Who sits at the terminal, and root for him. */
static bool volume_may_open(void *userdata, const struct volume_view *view, uid_t caller,
			    struct volume_user *user)
{
	struct manager *manager = userdata;
	const struct seat_user *seated = seat_active(manager->seat);

	if (!volume_stands(session_of(manager, view), view))
		return false;
	if (caller && (caller != seated->uid || !seated->name[0]))
		return false;
	if (!seated->name[0]) {
		*user = (struct volume_user){ .name = "root" };
		return true;
	}
	*user = (struct volume_user){ .uid = seated->uid,
				      .gid = seated->gid,
				      .name = seated->name };
	return true;
}

static int session_stuck(sd_event_source *source, void *userdata)
{
	struct session *session = userdata;

	session->stuck = sd_event_source_disable_unref(session->stuck);
	session->refused = "close-failed";
	session_revoke(session, "close-failed");
	return 0;
}

/* Whoever still holds it could go on there, and nobody would see it. Where the right has ended it is taken back anyway. */
static void volume_stuck(void *userdata, const struct volume_view *view)
{
	struct manager *manager = userdata;
	struct session *session = session_of(manager, view);

	if (!session || session->device.state != DEVICE_ALLOWED || session->stuck)
		return;
	if (sd_event_add_defer(manager->event, &session->stuck, session_stuck, session) < 0)
		fprintf(stderr, SD_CRIT "%s could not be closed, and stays: no memory\n", view->node);
}

static const struct volume_ops volume_ops = {
	.changed = volume_changed,
	.record = volume_record,
	.may = volume_may_open,
	.stuck = volume_stuck,
};

/* --- offering them --- */

static void session_offer(struct session *session, const struct session_disk *disk,
			  unsigned int partition, const struct report_volume *proved)
{
	struct manager *manager = session->manager;
	char node[sizeof("/dev/") + DEVICE_BLOCK_NAME_MAX + 16];
	struct volume_facts facts = { .device = session->device.id,
				      .node = node,
				      .partition = partition,
				      .method = "plain",
				      .uuid = "",
				      .cipher = "",
				      .label = session->device.medium,
				      .read_only = session_reads_only(session) };
	struct volume_life *life = NULL;
	int r;

	if (proved) {
		facts.method = encryption_name(proved->method);
		facts.uuid = proved->uuid;
		/* libcryptsetup names BitLocker's in its own way. */
		facts.cipher = proved->method == ENCRYPTION_BITLOCKER ? "" : proved->cipher;
		if (proved->label[0])
			facts.label = proved->label;
	}

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
	/* What is taken up may be somebody's who has gone meanwhile. */
	session_close_abandoned(session);
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
		session_offer(session, disk, 0, NULL);
	for (size_t i = 0; i < n; i++)
		session_offer(session, disk, partitions[i], NULL);
}

/*
 * The kernel has read the partition table for itself: what it made of it is what will be opened, so it must be what
 * was proved, no more and no less.
 */
static bool partitions_agree(const struct report *report, const struct session_disk *disk)
{
	unsigned int numbers[SESSION_VOLUMES_MAX];
	size_t there = blockdev_partitions(disk->name, numbers, SESSION_VOLUMES_MAX), known = 0;

	for (unsigned int i = 0; i < report->n_volumes; i++) {
		const struct report_volume *volume = &report->volumes[i];

		if (volume->unit != disk->unit || !volume->partition)
			continue;
		known++;
		if (!blockdev_partition_is(disk->name, volume->partition, volume->offset, volume->size))
			return false;
	}
	return there == known;
}

void session_offer_volumes(struct session *session, const struct session_disk *disk)
{
	const struct report *report = session->report;

	if (report && report->outcome == REPORT_PROVED && !partitions_agree(report, disk)) {
		session_tamper(session, disk);
		return;
	}
	if (session_has_volumes_of(session, disk->unit))
		return;
	if (!report || report->outcome != REPORT_PROVED) {
		session_offer_plain(session, disk);
		return;
	}
	for (unsigned int i = 0; i < report->n_volumes; i++) {
		const struct report_volume *volume = &report->volumes[i];

		if (volume->unit == disk->unit)
			session_offer(session, disk, volume->partition, volume);
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
	session->stuck = sd_event_source_disable_unref(session->stuck);
	session->close_timer = sd_event_source_disable_unref(session->close_timer);
	while (session->n_volumes)
		volume_free(session_take_volume(session));
}

void session_leave_volumes(struct session *session)
{
	session->stuck = sd_event_source_disable_unref(session->stuck);
	session->close_timer = sd_event_source_disable_unref(session->close_timer);
	while (session->n_volumes)
		volume_leave(session_take_volume(session));
}

void session_shut_volumes(struct session *session, uint8_t unit)
{
	for (unsigned int i = 0; i < session->n_volumes; i++)
		if (session->volumes[i].unit == unit && !volume_is_closed(session->volumes[i].life))
			volume_close(session->volumes[i].life, true, NULL, NULL);
}

static void session_closed_all(struct session *session)
{
	session_drop_volumes(session);
	if (session->device.state != DEVICE_ALLOWED)
		session_meter_stop(session);
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

static bool mapping_is_known(const struct manager *manager, const char *mapping)
{
	for (const struct session *s = manager->sessions; s; s = s->next)
		for (unsigned int i = 0; i < s->n_volumes; i++)
			if (!strcmp(volume_view(s->volumes[i].life)->mapping, mapping))
				return true;
	return false;
}

void session_sweep_volumes(struct manager *manager)
{
	char mappings[SESSION_VOLUMES_MAX][OPENNOTE_MAPPING_MAX];
	size_t n = opennote_list(mappings, SESSION_VOLUMES_MAX);

	for (size_t i = 0; i < n; i++)
		if (!mapping_is_known(manager, mappings[i]))
			volume_sweep(&manager->volumes, mappings[i], &volume_ops, manager);
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

/* What root has opened where nobody is logged in belongs to no session. */
static bool volume_is_abandoned(const struct volume_life *volume)
{
	const struct volume_view *view = volume_view(volume);

	return view->user[0] && view->uid && !volume_is_closed(volume) &&
	       !seat_has_sessions(view->uid);
}

void session_close_abandoned(struct session *session)
{
	struct volume_rules rules = manager_volume_rules(session->manager);

	for (unsigned int i = 0; i < session->n_volumes; i++)
		if (volume_is_abandoned(session->volumes[i].life))
			volume_happened(session->volumes[i].life, &rules, VOLUME_AT_LOGOUT);
}

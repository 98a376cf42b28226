// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a temporary exception means for the device that it lets in: one use for each attach, and a count of what is written.
 *
 *	verdict rests on a grant ──► use taken (once) ──► released ──► counted while it is in ──► gone: used no more
 *	                                 └─refused──► denied
 *
 * Written is what the kernel has sent to the disks (Documentation/ABI/stable/sysfs-block, stat), which is later than what programs have
 * written. It is looked at by a timer that runs only while a grant lets a disk in for writing: often where there is a quota, and else so
 * seldom that it only serves a medium that is pulled out without being closed.
 */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "core/mark-text.h"
#include "daemon/session-inside.h"
#include "system/blockdev.h"

/* A stick takes some 10 to 200 MB/s: so much more than its quota may reach it before it is noticed. */
#define QUOTA_POLL_US 250000u
#define QUOTA_ACCURACY_US 25000u
#define COUNT_POLL_US 10000000u
#define COUNT_ACCURACY_US 5000000u
/* What has been written is told so often while it goes on, and no oftener: each time is a step that the store keeps for ever. */
#define TELL_US 60000000u

/* Is the use that was taken the one of the grant that lets it in? */
static bool used_is_grant(const struct device *device)
{
	return device->used.number &&
	       !memcmp(device->used.grant, device->grant, sizeof(device->grant));
}

/* --- what is written --- */

/* The disk of this name; a new one has been written nothing yet. */
static struct session_meter_disk *meter_disk(struct session_meter *meter, const char *name)
{
	for (unsigned int i = 0; i < meter->n_disks; i++)
		if (!strcmp(meter->disks[i].name, name))
			return &meter->disks[i];
	if (meter->n_disks == DEVICE_BLOCKS_MAX)
		return NULL;
	meter->disks[meter->n_disks] = (struct session_meter_disk){ .written = 0 };
	snprintf(meter->disks[meter->n_disks].name, DEVICE_BLOCK_NAME_MAX, "%s", name);
	return &meter->disks[meter->n_disks++];
}

/* What an earlier daemon has told of this release, or passed over, is not told now. */
static void meter_add(struct session_meter *meter, uint64_t bytes)
{
	uint64_t known = bytes < meter->told_before ? bytes : meter->told_before;

	meter->told_before -= known;
	meter->untold += bytes - known;
}

static void meter_read(struct session *session)
{
	const struct device *device = &session->device;

	for (unsigned int i = 0; i < device->n_blocks; i++) {
		struct session_meter_disk *disk = meter_disk(&session->meter, device->blocks[i]);
		uint64_t written;

		/* What has gone keeps what was seen of it. */
		if (!disk || blockdev_written(disk->name, &written))
			continue;
		if (written > disk->written)
			meter_add(&session->meter, written - disk->written);
		disk->written = written;
	}
}

static void meter_tell(struct session *session)
{
	struct session_meter *meter = &session->meter;
	uint64_t bytes = meter->untold;
	int r;

	meter->closed = false;
	if (!bytes || !session->device.used.number)
		return;
	meter->told_us = manager_now_us();
	meter->untold = 0;
	meter->told += bytes;
	exceptions_written(session->manager->exceptions, session->device.used.number, bytes);
	r = released_written(session->manager->released, &session->device, meter->told);
	if (r)
		fprintf(stderr, SD_WARNING "%s: what was written is told again after a restart: %s\n",
			session->device.ident.name, strerror(-r));
}

/*
 * Whatever has been written to a disk that is there already was written by another right: it is passed over, by the next daemon as well
 * (session_note()).
 */
static void meter_pass_over(struct session *session)
{
	struct session_meter *meter = &session->meter;

	meter_read(session);
	meter->told += meter->untold;
	meter->untold = 0;
	meter->timer = sd_event_source_disable_unref(meter->timer);
}

void session_count(struct session *session)
{
	if (!session->meter.timer)
		return;
	meter_read(session);
	meter_tell(session);
}

static bool meter_may_tell(const struct session_meter *meter)
{
	return !meter->told_us || manager_now_us() - meter->told_us >= TELL_US;
}

void session_count_closed(struct session *session)
{
	struct session_meter *meter = &session->meter;

	if (meter_may_tell(meter))
		session_count(session);
	else
		meter->closed = true;
}

void session_meter_reset(struct session *session, uint64_t told)
{
	struct session_meter *meter = &session->meter;

	meter->n_disks = 0;
	meter->untold = 0;
	meter->told = meter->told_before = told;
}

void session_meter_stop(struct session *session)
{
	session_count(session);
	session->meter.timer = sd_event_source_disable_unref(session->meter.timer);
	session->meter.told = session->meter.told_before = 0;
}

void session_meter_forget(struct session *session, const char *disk)
{
	struct session_meter *meter = &session->meter;

	for (unsigned int i = 0; i < meter->n_disks; i++)
		if (!strcmp(meter->disks[i].name, disk)) {
			meter->disks[i] = meter->disks[--meter->n_disks];
			return;
		}
}

/* Bytes until its quota; UINT64_MAX without one. */
static uint64_t quota_left(struct session *session)
{
	return exceptions_bytes_left(session->manager->exceptions, session->device.used.number);
}

static int meter_rang(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct session *session = userdata;
	struct session_meter *meter = &session->meter;
	uint64_t left = quota_left(session);
	int r;

	meter_read(session);
	if (meter->untold >= left ||
	    ((left != UINT64_MAX || meter->closed) && meter_may_tell(meter)))
		meter_tell(session);
	r = sd_event_source_set_time_relative(source, left == UINT64_MAX ? COUNT_POLL_US : QUOTA_POLL_US);
	if (r >= 0)
		r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	if (r < 0) {
		/* A quota that nobody watches is none. */
		fprintf(stderr, SD_ERR "%s: its writes cannot be counted: %s\n", session->device.ident.name,
			strerror(-r));
		session->refused = "gate-failed";
		session_revoke(session, "exception");
	}
	return 0;
}

static bool session_must_count(const struct session *session)
{
	const struct device *device = &session->device;
	bool storage = false;

	for (unsigned int i = 0; i < device->n_interfaces; i++)
		storage |= device->interfaces[i].storage || device->interfaces[i].suspect;
	return storage && device->state == DEVICE_ALLOWED && device->by_grant && used_is_grant(device) &&
	       device->access == ACCESS_RW;
}

int session_meter_start(struct session *session)
{
	bool quota;

	if (!session_must_count(session)) {
		session_count(session);
		session->meter.timer = sd_event_source_disable_unref(session->meter.timer);
		return 0;
	}
	if (session->meter.timer)
		return 0;
	quota = quota_left(session) != UINT64_MAX;
	return sd_event_add_time_relative(session->manager->event, &session->meter.timer, CLOCK_BOOTTIME,
					  quota ? QUOTA_POLL_US : COUNT_POLL_US,
					  quota ? QUOTA_ACCURACY_US : COUNT_ACCURACY_US, meter_rang, session);
}

/* --- its use --- */

static void session_end_use(struct session *session)
{
	uint32_t number = session->device.used.number;

	if (!number)
		return;
	session_count(session);
	session->device.used.number = 0;
	exceptions_unused(session->manager->exceptions, number);
}

/* Bytes of the only disk that it is, as its inspection said; otherwise 0. */
static uint64_t session_size(const struct session *session)
{
	const struct report *report = session->report;
	uint64_t size;

	if (!report || report->n_units != 1 || report->units[0].state != REPORT_UNIT_DISK ||
	    __builtin_mul_overflow(report->units[0].blocks, report->units[0].block_size, &size))
		return 0;
	return size;
}

/* What is not in yet is noted when it is released. */
static void session_note(struct session *session)
{
	struct released *released = session->manager->released;
	int r = 0;

	if (released_knows(released, &session->device))
		r = released_add(released, &session->device, session->report, session->meter.told);
	if (r)
		fprintf(stderr, SD_WARNING "%s: after a restart it takes another use: %s\n",
			session->device.ident.name, strerror(-r));
}

const char *session_take_use(struct session *session, const char **detail)
{
	struct device *device = &session->device;
	uint8_t id[sizeof(device->grant)];
	uint32_t number;
	int r;

	*detail = "";
	if (!device->by_grant || used_is_grant(device))
		return NULL;
	/* Another one than before: that one has been used to its end. */
	session_end_use(session);
	memcpy(id, device->grant, sizeof(id));
	r = exceptions_use(session->manager->exceptions, id, session_size(session), &number);
	if (r)
		return exceptions_error(r, detail);
	device->used.number = number;
	memcpy(device->used.grant, id, sizeof(id));
	/* Its quota begins now. */
	meter_pass_over(session);
	session_note(session);
	return NULL;
}

void session_leave_grant(struct session *session)
{
	session_end_use(session);
	session_meter_stop(session);
}

/* --- what is left on it --- */

/*
 * Without a serial number it looks like every other of its make, and what has been plugged in all the time since its use has been erased
 * nowhere. (A reader is taken for the card in it; docs/exceptions.md says so.)
 */
bool session_may_be_erased(const struct manager *manager, const struct device *device)
{
	return device->ident.serial[0] &&
	       exceptions_await_empty(manager->exceptions, device->ident.fingerprint, device->used.number);
}

void session_see_blank(struct session *session)
{
	struct manager *manager = session->manager;
	const struct device *device = &session->device;

	if (session->report && report_is_blank(session->report) && session_may_be_erased(manager, device))
		exceptions_seen_empty(manager->exceptions, device->ident.fingerprint, session_size(session),
				      N_("seen again: zeros at its beginning, at its end, and at 256 places between, chosen at random"));
}

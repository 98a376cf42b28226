// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "core/incident.h"
#include "daemon/incidents.h"
#include "daemon/json.h"
#include "daemon/lastlife.h"
#include "daemon/manager-exceptions.h"
#include "daemon/manager-gate.h"
#include "daemon/manager-life.h"
#include "daemon/manager-log.h"
#include "daemon/manager-object.h"
#include "daemon/manager-policy.h"
#include "daemon/manager-roads.h"
#include "daemon/roads.h"
#include "daemon/session.h"
#include "system/inspector.h"
#include "system/uevents.h"

#define RELEASED_FILE "/run/sekimori/released"

uint64_t manager_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

static void gate_lost(void *userdata, int error)
{
	struct manager *manager = userdata;

	fprintf(stderr, SD_CRIT "the gate does not answer any more: %s\n", strerror(-error));
	sd_event_exit(manager->event, EXIT_FAILURE);
}

/* --- disks --- */

static struct session *session_of_disk(struct manager *manager, const struct blockdev *disk)
{
	struct session *s = manager->sessions;

	while (s && !blockdev_hangs_on(disk->path, s->device.ident.name))
		s = s->next;
	return s;
}

static void disk_told(struct manager *manager, struct udev_device *block)
{
	const char *type = udev_device_get_devtype(block);
	const char *changed = udev_device_get_property_value(block, "DISK_MEDIA_CHANGE");
	struct blockdev disk = { .path = udev_device_get_syspath(block),
				 .name = udev_device_get_sysname(block),
				 .devnum = udev_device_get_devnum(block),
				 .medium_changed = changed && !strcmp(changed, "1") };
	struct session *s;

	if (!type || strcmp(type, "disk"))
		return;
	s = session_of_disk(manager, &disk);
	if (s)
		session_block_appeared(s, &disk);
}

/* Of the event only what its message says: libudev would wait for a disk's parents (system/blockdev.h). */
static int block_changed(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct manager *manager = userdata;
	struct udev_device *block = udev_monitor_receive_device(manager->disks);
	const char *action = block ? udev_device_get_action(block) : NULL;

	if (action && (!strcmp(action, "add") || !strcmp(action, "change"))) {
		disk_told(manager, block);
	} else if (action && !strcmp(action, "remove")) {
		for (struct session *s = manager->sessions; s; s = s->next)
			if (session_remove_disk(s, udev_device_get_sysname(block)))
				break;
	}
	udev_device_unref(block);
	return 0;
}

static int watch_disks(struct manager *manager)
{
	int r = uevents_new(&manager->disks, manager->udev, "block", NULL);

	if (r >= 0)
		r = sd_event_add_io(manager->event, &manager->disks_source,
				    udev_monitor_get_fd(manager->disks), EPOLLIN, block_changed,
				    manager);
	return r < 0 ? r : 0;
}

/* --- judging again --- */

void manager_plan(struct manager *manager)
{
	int64_t first = INT64_MAX;

	for (const struct session *s = manager->sessions; s; s = s->next)
		if (s->recheck < first)
			first = s->recheck;
	alarm_set(manager->alarm, first);
}

static int rejudge_all(sd_event_source *source, void *userdata)
{
	struct manager *manager = userdata;

	drill_retry(manager);
	/* Also what could not be written before. */
	roads_look(manager->roads);
	manager_exceptions_settle(manager);
	for (struct session *s = manager->sessions; s; s = s->next)
		session_rejudge(s, manager->rejudge_why);
	manager_plan(manager);
	return 0;
}

void manager_rejudge(struct manager *manager, const char *why)
{
	manager->rejudge_why = why;
	sd_event_source_set_enabled(manager->rejudge, SD_EVENT_ONESHOT);
}

static void alarm_rang(void *userdata, bool clock_set)
{
	struct manager *manager = userdata;

	if (clock_set)
		manager_record(manager, "clock-set", NULL, NULL, NULL);
	/* A grant that ends at this moment ends before its device is taken back for it. */
	exceptions_clock_set(manager->exceptions);
	manager_bus_info_changed(manager->bus); /* the policy's own end may have come with a device's */
	manager_rejudge(manager, clock_set ? "clock" : "time");
}

/* --- volumes --- */

/* The setting counts before the credential. */
static void find_organisation_key(struct manager *manager)
{
	struct settings *settings = &manager->settings;
	_cleanup_(freep) char *path = NULL;

	if (!settings->organisation_key[0] && !secret_find(SECRET_ORGANISATION, &path) &&
	    strlen(path) < sizeof(settings->organisation_key))
		strcpy(settings->organisation_key, path);
}

/* Which secrets nobody could open, and which settings do not take the place of. */
static void find_unopened(struct manager *manager)
{
	const char *const instead[N_SECRETS] = { [SECRET_ORGANISATION] = manager->settings.organisation_key,
						 [SECRET_TELEPHONE] = manager->settings.telephone_key };
	size_t n = 0;

	for (enum secret i = 0; i < N_SECRETS; i++) {
		_cleanup_(freep) char *path = NULL;

		if (!instead[i][0] && secret_find(i, &path) == SECRET_E_UNOPENED)
			manager->unopened[n++] = secret_name(i);
	}
	manager->unopened[n] = NULL;
}

static bool is_unopened(const struct manager *manager, enum secret secret)
{
	const char *const *name = manager->unopened;

	while (*name && strcmp(*name, secret_name(secret)))
		name++;
	return *name;
}

static void record_unopened(struct manager *manager)
{
	for (const char *const *name = manager->unopened; *name; name++) {
		struct json_object *extra = json_object_new_object();

		fprintf(stderr, SD_ERR "the secret %s cannot be opened on this machine: see 'systemctl status sekimori-credential@%s'\n",
			*name, *name);
		if (extra)
			json_add_string(extra, "secret", *name);
		manager_record(manager, "secret-unopened", NULL, NULL, extra);
	}
}

/* Somebody may have logged out in the background. */
static void sessions_changed(void *userdata)
{
	struct manager *manager = userdata;

	for (struct session *s = manager->sessions; s; s = s->next)
		session_close_abandoned(s);
}

/* A daemon that starts looks at each disk again before it takes up what is open on it; that has its deadline. */
#define SWEEP_US 12000000u
#define SWEEP_ACCURACY_US 1000000u

static int sweep(sd_event_source *source, uint64_t usec, void *userdata)
{
	session_sweep_volumes(userdata);
	return 0;
}

static int manager_setup_volumes(struct manager *manager)
{
	struct settings *settings = &manager->settings;

	find_organisation_key(manager);
	find_unopened(manager);
	manager->volumes = (struct volume_setup){
		.event = manager->event,
		.helper = settings->opener,
		.organisation = settings->organisation_key[0] ? settings->organisation_key : NULL,
		.organisation_unopened = is_unopened(manager, SECRET_ORGANISATION),
		.idle_ms = VOLUME_IDLE_MS,
		.tries = &manager->tries,
		.transfers = { .event = manager->event, .helper = settings->watcher },
	};
	manager->seated = seat_active(manager->seat)->uid;
	seat_follow_sessions(manager->seat, sessions_changed);
	return sd_event_add_time_relative(manager->event, &manager->sweep, CLOCK_BOOTTIME, SWEEP_US,
					  SWEEP_ACCURACY_US, sweep, manager);
}

struct volume_rules manager_volume_rules(const struct manager *manager)
{
	const struct policy *policy = manager->rulebook.policy;
	const struct policy_header *header = policy ? policy_header(policy) : NULL;
	struct volume_rules rules = VOLUME_RULES_DEFAULT;

	if (header)
		rules = (struct volume_rules){ .close_at_lock = header->close_at_lock,
					       .close_at_logout = header->close_at_logout,
					       .close_at_switch = header->close_at_switch };
	return rules;
}

static void volumes_happened(struct manager *manager, enum volume_event event, uid_t uid)
{
	struct volume_rules rules = manager_volume_rules(manager);

	for (struct session *s = manager->sessions; s; s = s->next)
		session_volumes_happened(s, &rules, event, uid);
}

/*
 * Somebody else sits there. Whether the one before has logged out or only stepped back, logind's file of his sessions
 * says.
 */
static void volumes_of_another(struct manager *manager, uid_t uid)
{
	uid_t before = manager->seated;

	if (before == uid)
		return;
	manager->seated = uid;
	if (before == (uid_t)-1)
		return;
	volumes_happened(manager, seat_has_sessions(before) ? VOLUME_AT_SWITCH : VOLUME_AT_LOGOUT,
			 before);
}

static void screen_locked(void *userdata)
{
	struct manager *manager = userdata;

	volumes_happened(manager, VOLUME_AT_LOCK, manager->seated);
}

static void seat_changed(void *userdata, const struct seat_user *user)
{
	struct manager *manager = userdata;
	struct json_object *extra = json_object_new_object();

	if (extra)
		json_add_string(extra, "user", user->name);
	if (extra && user->name[0])
		json_add_number(extra, "uid", user->uid);
	manager_record(manager, "seat", NULL, NULL, extra);
	manager_bus_info_changed(manager->bus);
	volumes_of_another(manager, user->uid);
	screenlock_set_session(manager->screenlock, user->session);
	manager_rejudge(manager, "session");
}

/* --- beginning and end --- */

static void manager_started(struct manager *manager)
{
	struct json_object *extra = manager_policy_describe(&manager->rulebook);

	if (extra) {
		json_add_string(extra, "version", SEKIMORI_VERSION);
		json_add_string(extra, "backend", manager->info.backend);
	}
	manager_record(manager, "started", NULL, NULL, extra);
	manager->started = true;
	manager_life_tell(manager);
	record_unopened(manager);
	if (manager->rulebook.outcome[0] && strcmp(manager->rulebook.outcome, "absent"))
		manager_policy_refused(manager);
	evidence_checkpoint(manager->evidence);
}

/* The turn of the loop that goes before all others, also the exceptions' own: no device is judged and no caller heard before it is over. */
#define FIRST_TURN_PRIORITY (SD_EVENT_PRIORITY_IMPORTANT - 2)
/* … which systemd's watchdog grants this many microseconds, as it granted a start ninety seconds. */
#define FIRST_TURN_US UINT64_C(90000000)

/*
 * What need not be done for the gate to be kept, the policy to be in force and every event to be waiting for us, and takes longer than that:
 * systemd and those who wait for us do not wait for it.
 */
static int first_turn(sd_event_source *source, void *userdata)
{
	struct manager *manager = userdata;
	uint64_t watchdog_us = 0;
	bool watched = sd_watchdog_enabled(false, &watchdog_us) > 0;
	int r;

	manager->first = sd_event_source_disable_unref(manager->first);
	/* The exceptions of many years on a slow disk: nobody may be killed for reading them, again and again. */
	if (watched)
		sd_notifyf(false, "WATCHDOG=1\nWATCHDOG_USEC=%" PRIu64, FIRST_TURN_US);
	manager_started(manager);
	roads_look(manager->roads);
	r = manager_exceptions_begin(manager);
	if (watched)
		sd_notifyf(false, "WATCHDOG=1\nWATCHDOG_USEC=%" PRIu64, watchdog_us);
	/* What the start took and gave back is not kept for a daemon that idles for weeks. */
	malloc_trim(0);
	return r < 0 ? sd_event_exit(manager->event, r) : 0;
}

static int plan_first_turn(struct manager *manager)
{
	int r = sd_event_add_defer(manager->event, &manager->first, first_turn, manager);

	if (r >= 0)
		r = sd_event_source_set_priority(manager->first, FIRST_TURN_PRIORITY);
	return r < 0 ? r : 0;
}

/*
 * Everything that judging needs but what the exceptions' store says: that is read in the first turn, whose priority keeps all judging
 * waiting. The gate comes after, since it tells of devices at once.
 */
static int manager_prepare(struct manager *manager)
{
	int r = rulebook_init(&manager->rulebook, &manager->settings);

	manager->udev = udev_new();
	manager->memory = memory_new();
	manager->incidents = incidents_new();
	if (!r && (!manager->udev || !manager->memory || !manager->incidents))
		r = -ENOMEM;
	if (!r)
		r = evidence_new(&manager->evidence, manager->event, &manager->settings,
				 &(struct evidence_callbacks){ .recorded = manager_log_recorded,
							       .changed = manager_log_changed,
							       .state = manager_log_state_changed,
							       .displaced = manager_log_displaced,
							       .userdata = manager });
	if (!r)
		r = manager_log_begin(manager);
	if (!r)
		r = released_new(&manager->released, RELEASED_FILE);
	if (!r)
		r = watch_disks(manager);
	if (r >= 0)
		r = sd_event_add_defer(manager->event, &manager->rejudge, rejudge_all, manager);
	if (r >= 0)
		r = sd_event_source_set_enabled(manager->rejudge, SD_EVENT_OFF);
	if (r >= 0)
		r = alarm_new(&manager->alarm, manager->event, alarm_rang, manager);
	if (r >= 0)
		r = seat_new(&manager->seat, manager->event, seat_changed, manager);
	if (r >= 0)
		rulebook_start(&manager->rulebook);
	if (r >= 0)
		r = manager_exceptions_prepare(manager);
	if (r >= 0)
		r = manager_life_begin(manager);
	return r < 0 ? r : 0;
}

int manager_new(struct manager **managerp, sd_event *event, const struct settings *settings, struct lastlife *lastlife)
{
	_cleanup_(manager_freep) struct manager *manager = calloc(1, sizeof(*manager));
	struct gate_callbacks callbacks = { .event = manager_gate_event, .lost = gate_lost };
	int r;

	if (!manager)
		return -ENOMEM;
	manager->settings = *settings;
	manager->event = sd_event_ref(event);
	manager->lastlife = lastlife;
	callbacks.userdata = manager;

	r = manager_prepare(manager);
	if (r < 0)
		return r;
	r = gate_new(&manager->gate, event, &callbacks);
	if (r < 0) {
		fprintf(stderr, SD_ERR "cannot reach the gate: %s%s\n", strerror(-r),
			r == -EBUSY ? " (is another sekimorid running?)" : "");
		return r;
	}
	manager_object_describe(manager);
	r = manager_setup_volumes(manager);
	if (r >= 0)
		r = inspector_spare_new(&manager->spare, event, manager->settings.inspector);
	if (r < 0)
		return r;
	r = manager_object_begin(manager);
	if (r < 0)
		return r;
	r = screenlock_new(&manager->screenlock, manager_bus_connection(manager->bus),
			   screen_locked, manager);
	if (r < 0)
		return r;
	screenlock_set_session(manager->screenlock, seat_active(manager->seat)->session);
	manager_roads_begin(manager, ROAD_NOTES_DIR);
	manager_policy_in_force(manager);
	r = plan_first_turn(manager);
	if (r < 0)
		return r;
	*managerp = TAKE_PTR(manager);
	return 0;
}

struct manager *manager_free(struct manager *manager)
{
	if (!manager)
		return NULL;
	while (manager->sessions) {
		struct session *session = manager->sessions;

		manager->sessions = session->next;
		session_count(session);
		session_leave_volumes(session);
		if (session->announced)
			manager_bus_device_removed(manager->bus, &session->device);
		session_free(session);
	}
	if (manager->bus)
		manager_bus_set_witness(manager->bus, NULL, NULL);
	administration_free(manager->administration);
	if (manager->started) {
		manager_log_finish(manager);
		manager_finish_incidents(manager);
		manager_record(manager, "stopped", NULL, NULL, NULL);
		evidence_checkpoint(manager->evidence);
	}
	drill_leave(manager);
	inspector_spare_free(manager->spare);
	roads_free(manager->roads);
	gate_free(manager->gate);
	manager->bus = manager_bus_free(manager->bus);
	screenlock_free(manager->screenlock);
	seat_free(manager->seat);
	alarm_free(manager->alarm);
	sd_event_source_disable_unref(manager->first);
	sd_event_source_disable_unref(manager->rejudge);
	sd_event_source_disable_unref(manager->sweep);
	manager_life_end(manager);
	sd_event_source_disable_unref(manager->late);
	sd_event_source_disable_unref(manager->disks_source);
	udev_monitor_unref(manager->disks);
	released_free(manager->released);
	memory_free(manager->memory);
	manager_exceptions_end(manager);
	incidents_free(manager->incidents);
	evidence_free(manager->evidence);
	manager_log_end(manager);
	rulebook_deinit(&manager->rulebook);
	udev_unref(manager->udev);
	sd_event_unref(manager->event);
	free(manager);
	return NULL;
}

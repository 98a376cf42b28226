// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "bus/names.h"
#include "core/incident.h"
#include "daemon/incidents.h"
#include "daemon/json.h"
#include "daemon/lastlife.h"
#include "daemon/manager-exceptions.h"
#include "daemon/manager-gate.h"
#include "daemon/manager-life.h"
#include "daemon/manager-log.h"
#include "daemon/session.h"
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

/* systemd.exec(5): credentials of the service lie there. */
static void find_organisation_key(struct settings *settings)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[SETTINGS_VALUE_MAX];

	if (settings->organisation_key[0] || !dir ||
	    snprintf(path, sizeof(path), "%s/sekimori.organisation", dir) >= (int)sizeof(path) ||
	    access(path, R_OK))
		return;
	memcpy(settings->organisation_key, path, sizeof(path));
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

	find_organisation_key(settings);
	manager->volumes = (struct volume_setup){
		.event = manager->event,
		.helper = settings->opener,
		.organisation = settings->organisation_key[0] ? settings->organisation_key : NULL,
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

/* --- the policy --- */

static struct json_object *describe_policy(const struct rulebook *rulebook)
{
	struct json_object *extra = json_object_new_object(), *signers = json_object_new_array();
	const struct policy *policy = rulebook->policy;

	if (!extra || !signers) {
		json_object_put(extra);
		json_object_put(signers);
		return NULL;
	}
	json_add_string(extra, "state", rulebook_state(rulebook));
	json_add_string(extra, "policy", policy ? policy_id(policy) : "");
	json_add_number(extra, "policy_version", policy ? policy_version(policy) : 0);
	json_add_string(extra, "digest", rulebook->digest);
	json_add_number(extra, "retention_days", policy ? policy_header(policy)->retention_days : 0);
	json_add_number(extra, "media", policy ? policy_n_media(policy) : 0);
	json_add_number(extra, "rules", policy ? policy_n_rules(policy) : 0);
	json_object_object_add(extra, "signed", json_object_new_boolean(rulebook->is_signed));
	for (size_t i = 0; rulebook->signers[i]; i++)
		json_object_array_add(signers, json_object_new_string(rulebook->signers[i]));
	json_object_object_add(extra, "signers", signers);
	return extra;
}

/*
 * What the gate lets pass by its class alone is the policy's to say, as far as the gate follows. A policy that says
 * nothing of it takes back what one before it may have let pass.
 */
static void apply_harmless(struct manager *manager)
{
	const struct policy *policy = manager->rulebook.policy;
	bool stated = policy && policy_header(policy)->has_harmless;
	struct policy_classes classes = { { 0 } };
	int r;

	for (unsigned int class = 0; class < 256; class++)
		if (policy_is_harmless(policy, (uint8_t)class))
			classes.bits[class / 8] |= (uint8_t)(1u << class % 8);
	r = gate_set_harmless(manager->gate, classes.bits);
	if (r == -EPERM && stated)
		fprintf(stderr, SD_NOTICE "the gate is locked: it goes on holding classes that the "
					  "policy calls harmless; they are let through one by one\n");
	else if (r < 0 && r != -EPERM && (stated || r != -EOPNOTSUPP))
		fprintf(stderr, SD_WARNING "the gate's list of harmless classes stays as it is: %s\n",
			strerror(-r));
}

static void policy_in_force(struct manager *manager)
{
	struct rulebook *rulebook = &manager->rulebook;
	struct manager_bus_info *info = &manager->info;
	const struct policy_header *header = rulebook->policy ? policy_header(rulebook->policy) : NULL;

	manager->volumes.transfers.extent = header ? header->transfers : POLICY_TRANSFERS_WRITES;
	manager->volumes.scanner = header && header->scan ? manager->settings.scanner : NULL;
	info->policy_id = header ? header->id : NULL;
	info->policy_version = header ? header->version : 0;
	info->policy_signed = rulebook->is_signed;
	info->policy_signers = (const char *const *)rulebook->signers;
	info->contact = header ? header->contact : NULL;
	info->policy_valid_until[0] = '\0';
	if (header && header->valid_until)
		civil_format(header->valid_until, info->policy_valid_until);
	evidence_set_retention(manager->evidence, header ? header->retention_days : 0);
	apply_harmless(manager);
	drill_settle(manager);
}

static void record_refusal(struct manager *manager)
{
	struct json_object *extra = json_object_new_object();

	if (extra) {
		json_add_string(extra, "reason", manager->rulebook.outcome);
		json_add_string(extra, "error", manager->rulebook.error);
		json_add_string(extra, "state", rulebook_state(&manager->rulebook));
	}
	manager_record(manager, "policy-refused", "PolicyRefused", NULL, extra);
}

bool manager_reload(struct manager *manager)
{
	bool taken = rulebook_reload(&manager->rulebook);

	if (taken) {
		policy_in_force(manager);
		manager_exceptions_policy_changed(manager);
		manager_record(manager, "policy", "PolicyChanged", NULL,
			       describe_policy(&manager->rulebook));
		manager_rejudge(manager, "policy");
		manager_bus_media_changed(manager->bus);
	} else {
		record_refusal(manager);
	}
	manager_bus_info_changed(manager->bus);
	return taken;
}

/* --- the object --- */

static const struct manager_bus_info *manager_get_info(void *userdata)
{
	struct manager *manager = userdata;

	manager->info.log_state = evidence_state(manager->evidence);
	manager->info.log_damage = manager->log_damage;
	manager->info.recent_deaths = lastlife_deaths(manager->lastlife)->count;
	manager->info.policy_state = rulebook_state(&manager->rulebook);
	manager->info.policy_error = manager->rulebook.error;
	manager->info.last_self_check = manager->selfcheck.time;
	manager->info.self_check_result = manager->selfcheck.result;
	manager->info.active_user = seat_active(manager->seat)->name;
	manager->info.mode = drill_mode_name(&manager->drill);
	manager->info.drill_since = manager->drill.since_us;
	return &manager->info;
}

static bool bus_reload(void *userdata, const char **error)
{
	struct manager *manager = userdata;
	bool taken = manager_reload(manager);

	*error = manager->rulebook.error;
	return taken;
}

static dbus_bool_t bus_selfcheck(void *userdata, DBusMessage *call, DBusError *error)
{
	struct manager *manager = userdata;
	const char *why;
	struct json_object *members = selfcheck_parse(call, &why);
	bool done;

	if (!members) {
		if (*why)
			dbus_set_error(error, DBUS_ERROR_INVALID_ARGS, "%s", why);
		return FALSE;
	}
	done = !manager_record(manager, "self-check", NULL, NULL, json_object_get(members));
	if (done) {
		selfcheck_remember(&manager->selfcheck, members, time(NULL));
		manager_bus_info_changed(manager->bus);
	} else {
		dbus_set_error(error, BUS_NAME ".Error.Failed", "the event log %s",
			       evidence_state(manager->evidence));
	}
	json_object_put(members);
	return done;
}

/* Who sits here has a name already, also where no file of this terminal has it. */
static void administered(void *userdata, struct json_object *extra)
{
	struct manager *manager = userdata;
	const struct seat_user *seated = seat_active(manager->seat);
	struct json_object *uid;

	if (seated->name[0] && !json_object_object_get_ex(extra, "user", NULL) &&
	    json_object_object_get_ex(extra, "uid", &uid) &&
	    json_object_get_uint64(uid) == seated->uid)
		json_add_string(extra, "user", seated->name);
	manager_record(manager, "administration", NULL, NULL, extra);
}

/* One number may stand on several lines, for one term each: then the one that has decided. */
static const struct medium *line_of_medium(void *userdata, const struct device *device,
					   const struct policy **policyp)
{
	struct manager *manager = userdata;
	const struct policy *policy = manager->rulebook.policy;
	const char *colon = strrchr(device->decided_by, ':');
	unsigned long decided = colon ? strtoul(colon + 1, NULL, 10) : 0;
	const struct medium *const *media, *found = NULL;
	size_t n = 0;

	*policyp = policy;
	if (!policy)
		return NULL;
	media = policy_find_media(policy, device->ident.id_vendor, device->ident.id_product,
				  device->ident.serial, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(media[i]->number, device->medium) &&
		    (!found || media[i]->line == decided))
			found = media[i];
	return found;
}

static int manager_join_bus(struct manager *manager)
{
	int r = manager_bus_new(&manager->bus, manager->event, NULL, manager_get_info, bus_reload,
				manager);

	if (!r)
		r = administration_new(&manager->administration, manager->event, administered,
				       manager);
	if (r < 0)
		return r;
	r = manager_log_join_bus(manager);
	if (r < 0)
		return r;
	manager_bus_set_medium(manager->bus, line_of_medium);
	manager_bus_set_witness(manager->bus, administration_witness, manager->administration);
	return 0;
}

static void manager_started(struct manager *manager)
{
	struct json_object *extra = describe_policy(&manager->rulebook);

	if (extra) {
		json_add_string(extra, "version", SEKIMORI_VERSION);
		json_add_string(extra, "backend", manager->info.backend);
	}
	manager_record(manager, "started", NULL, NULL, extra);
	manager->started = true;
	manager_life_tell(manager);
	if (manager->rulebook.outcome[0] && strcmp(manager->rulebook.outcome, "absent"))
		record_refusal(manager);
	evidence_checkpoint(manager->evidence);
}

static void manager_info(struct manager *manager)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	manager->info = (struct manager_bus_info){
		.version = SEKIMORI_VERSION,
		.backend = gate_name(manager->gate),
		.terminal = manager->settings.terminal,
		.policy_file = manager->settings.policy_file,
		.log_file = manager->settings.log_file,
		.started_at = (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000,
	};
}

/* The turn of the loop that goes before all others: no device is judged and no caller heard before it is over. */
#define FIRST_TURN_PRIORITY (SD_EVENT_PRIORITY_IMPORTANT - 1)
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

/* Everything that judging needs; the gate comes after, since it tells of devices at once. */
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
	manager_info(manager);
	r = manager_setup_volumes(manager);
	if (r < 0)
		return r;
	r = manager_join_bus(manager);
	if (r < 0)
		return r;
	manager_bus_set_selfcheck(manager->bus, bus_selfcheck);
	r = screenlock_new(&manager->screenlock, manager_bus_connection(manager->bus),
			   screen_locked, manager);
	if (r < 0)
		return r;
	screenlock_set_session(manager->screenlock, seat_active(manager->seat)->session);
	policy_in_force(manager);
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

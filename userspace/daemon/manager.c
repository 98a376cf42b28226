// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "daemon/manager.h"
#include "daemon/session.h"
#include "system/usbdev.h"

#define RELEASED_FILE "/run/sekimori/released"

uint64_t manager_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

int manager_record(struct manager *manager, const char *kind, const char *signal,
		   const struct device *device, struct json_object *extra)
{
	bool was_ok = !strcmp(evidence_state(manager->evidence), "ok");
	struct json_object *record;
	int r;

	r = evidence_write(manager->evidence, kind, device, extra, &record);
	if (was_ok != !r) {
		fprintf(stderr, r ? SD_ERR "event log %s: nothing is let through (%s)\n" :
				    SD_NOTICE "event log %s can be written again (%s)\n",
			manager->settings.log_file, evidence_state(manager->evidence));
		manager_bus_info_changed(manager->bus);
	}
	if (signal && record)
		manager_bus_signal(manager->bus, signal, device, record);
	json_object_put(record);
	return r;
}

/* --- records of what concerns no session --- */

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static const char *attempt_name(uint8_t attempt)
{
	switch (attempt) {
	case SEKIMORI_ATTEMPT_BIND:
		return "bind";
	case SEKIMORI_ATTEMPT_AUTHORIZE:
		return "authorize";
	case SEKIMORI_ATTEMPT_CLAIM:
		return "claim";
	case SEKIMORI_ATTEMPT_UNLOAD:
		return "unload";
	}
	return "unknown";
}

/* Who did what to which interface, as the gate saw it. NULL without memory. */
static struct json_object *describe_event(const struct sekimori_event *event)
{
	struct json_object *extra = json_object_new_object();
	char id[16];

	if (!extra)
		return NULL;
	if (event->attempt)
		add_string(extra, "attempt", attempt_name(event->attempt));
	if (event->name[0]) {
		snprintf(id, sizeof(id), "%04x:%04x", event->id_vendor, event->id_product);
		add_string(extra, "interface", event->name);
		add_string(extra, "id", id);
	}
	if (event->driver[0])
		add_string(extra, "driver", event->driver);
	/* A program's name may be any bytes. */
	if (event->comm[0]) {
		char program[IDENT_STRING_MAX];

		ident_set_string(program, event->comm);
		add_string(extra, "program", program);
		add_number(extra, "pid", (uint64_t)event->pid);
		add_number(extra, "uid", event->uid);
	}
	if (event->count)
		add_number(extra, "count", event->count);
	add_number(extra, "happened_us", event->boottime_ns / 1000);
	return extra;
}

static void record_event(struct manager *manager, const char *kind, const char *signal,
			 const struct sekimori_event *event)
{
	manager_record(manager, kind, signal, NULL, describe_event(event));
}

/* --- sessions --- */

static struct session **find_device(struct manager *manager, const char *name,
				    const struct sekimori_event *event)
{
	struct session **p = &manager->sessions;

	while (*p && (strcmp((*p)->device.ident.name, name) ||
		      (*p)->device.ident.busnum != event->busnum ||
		      (*p)->device.ident.devnum != event->devnum))
		p = &(*p)->next;
	return p;
}

static struct session **find_cookie(struct manager *manager, uint64_t cookie)
{
	struct session **p = &manager->sessions;

	while (*p && !session_has_cookie(*p, cookie))
		p = &(*p)->next;
	return p;
}

static void unlink_session(struct session **p)
{
	struct session *session = *p;

	*p = session->next;
	session_gone(session);
}

static void interface_added(struct manager *manager, const struct sekimori_event *event)
{
	char name[IDENT_NAME_MAX];
	struct session **p;
	int r;

	if (usbdev_name_of_interface(event->name, name))
		return;
	p = find_device(manager, name, event);
	if (!*p) {
		r = session_new(p, manager, name, event);
		if (r) {
			/* Without a session nobody will release it. Mostly it has just been unplugged. */
			if (r != -ENODEV)
				fprintf(stderr, SD_ERR "device %s stays held: %s\n", name,
					strerror(-r));
			return;
		}
	}
	session_add_interface(*p, event);
}

static void interface_removed(struct manager *manager, const struct sekimori_event *event)
{
	struct session **p = find_cookie(manager, event->cookie);

	if (*p && session_remove_interface(*p, event->cookie))
		unlink_session(p);
	else if (!*p && event->seq <= manager->sync_seq)
		record_event(manager, "missed", NULL, event);
}

static void snapshot_done(struct manager *manager, const struct sekimori_event *event)
{
	struct session **p = &manager->sessions;
	bool locked = event->flags & SEKIMORI_F_LOCKED;

	while (*p) {
		if (session_drop_stale(*p, event->seq))
			unlink_session(p);
		else
			p = &(*p)->next;
	}
	manager->sync_seq = event->seq;
	manager->synced = true;
	if (manager->info.module_locked != locked) {
		manager->info.module_locked = locked;
		manager_bus_info_changed(manager->bus);
	}
}

static void gate_event(void *userdata, const struct sekimori_event *event)
{
	struct manager *manager = userdata;
	/* What the snapshot already contains. */
	bool history = manager->synced && event->seq <= manager->sync_seq;
	struct session **p;

	switch (event->kind) {
	case SEKIMORI_EV_PRESENT:
		interface_added(manager, event);
		break;
	case SEKIMORI_EV_SYNC:
		snapshot_done(manager, event);
		break;
	case SEKIMORI_EV_ADDED:
		if (!history)
			interface_added(manager, event);
		else if (!*find_cookie(manager, event->cookie))
			record_event(manager, "missed", NULL, event);
		break;
	case SEKIMORI_EV_STATE:
		p = find_cookie(manager, event->cookie);
		if (!history && *p)
			session_state_changed(*p, event);
		break;
	case SEKIMORI_EV_REMOVED:
		interface_removed(manager, event);
		break;
	case SEKIMORI_EV_REFUSED:
		record_event(manager, "refused", "AttemptRefused", event);
		break;
	case SEKIMORI_EV_KEEPER:
		record_event(manager, "keeper-before", NULL, event);
		break;
	case SEKIMORI_EV_OVERFLOW:
		/* A fresh snapshot follows. */
		record_event(manager, "overflow", NULL, event);
		break;
	case SEKIMORI_EV_HARMLESS:
		record_event(manager, "harmless-changed", NULL, event);
		break;
	}
}

static void gate_lost(void *userdata, int error)
{
	struct manager *manager = userdata;

	fprintf(stderr, SD_CRIT "the gate does not answer any more: %s\n", strerror(-error));
	sd_event_exit(manager->event, EXIT_FAILURE);
}

/* --- disks, for display --- */

static int disk_changed(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct manager *manager = userdata;
	struct udev_device *disk = udev_monitor_receive_device(manager->disks), *parent;
	const char *action = disk ? udev_device_get_action(disk) : NULL;
	const char *name = disk ? udev_device_get_sysname(disk) : NULL;
	struct session *s;

	if (action && !strcmp(action, "add")) {
		parent = udev_device_get_parent_with_subsystem_devtype(disk, "usb", "usb_device");
		for (s = parent ? manager->sessions : NULL; s; s = s->next)
			if (!strcmp(s->device.ident.name, udev_device_get_sysname(parent)))
				session_add_disk(s, name);
	} else if (action && !strcmp(action, "remove")) {
		for (s = manager->sessions; s; s = s->next)
			if (session_remove_disk(s, name))
				break;
	}
	udev_device_unref(disk);
	return 0;
}

static int watch_disks(struct manager *manager)
{
	int r;

	manager->disks = udev_monitor_new_from_netlink(manager->udev, "udev");
	if (!manager->disks)
		return -ENOMEM;
	r = udev_monitor_filter_add_match_subsystem_devtype(manager->disks, "block", "disk");
	if (r >= 0)
		r = udev_monitor_enable_receiving(manager->disks);
	if (r >= 0)
		r = sd_event_add_io(manager->event, &manager->disks_source,
				    udev_monitor_get_fd(manager->disks), EPOLLIN, disk_changed,
				    manager);
	return r < 0 ? r : 0;
}

/* --- the object --- */

static const struct manager_bus_info *manager_get_info(void *userdata)
{
	struct manager *manager = userdata;

	manager->info.log_state = evidence_state(manager->evidence);
	return &manager->info;
}

static void manager_started(struct manager *manager)
{
	struct json_object *extra = json_object_new_object();

	if (extra) {
		add_string(extra, "version", SEKIMORI_VERSION);
		add_string(extra, "backend", manager->info.backend);
		add_string(extra, "policy", manager->policy ? policy_id(manager->policy) : "");
		add_number(extra, "policy_version",
			   manager->policy ? policy_version(manager->policy) : 0);
		add_number(extra, "media", manager->policy ? policy_n_media(manager->policy) : 0);
	}
	manager_record(manager, "started", NULL, NULL, extra);
}

int manager_new(struct manager **managerp, sd_event *event, const struct settings *settings,
		struct policy *policy)
{
	_cleanup_(manager_freep) struct manager *manager = calloc(1, sizeof(*manager));
	struct gate_callbacks callbacks = { .event = gate_event, .lost = gate_lost };
	struct timespec now;
	int r;

	if (!manager) {
		policy_free(policy);
		return -ENOMEM;
	}
	manager->policy = policy;
	manager->settings = *settings;
	manager->event = sd_event_ref(event);
	callbacks.userdata = manager;

	manager->udev = udev_new();
	r = manager->udev ? 0 : -ENOMEM;
	if (!r)
		r = evidence_new(&manager->evidence, settings->log_file, settings->terminal);
	if (!r)
		r = released_new(&manager->released, RELEASED_FILE);
	if (!r)
		r = watch_disks(manager);
	if (!r)
		r = gate_new(&manager->gate, event, &callbacks);
	if (r < 0) {
		fprintf(stderr, SD_ERR "cannot reach the gate: %s%s\n", strerror(-r),
			r == -EBUSY ? " (is another sekimorid running?)" : "");
		return r;
	}

	clock_gettime(CLOCK_REALTIME, &now);
	manager->info = (struct manager_bus_info){
		.version = SEKIMORI_VERSION,
		.backend = gate_name(manager->gate),
		.terminal = manager->settings.terminal,
		.policy_file = manager->settings.policy_file,
		.policy_state = policy ? "ok" : "missing",
		.log_file = manager->settings.log_file,
		.started_at = (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000,
	};
	r = manager_bus_new(&manager->bus, event, NULL, manager_get_info, manager);
	if (r < 0)
		return r;
	manager_started(manager);
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
		session_free(session);
	}
	if (manager->bus)
		manager_record(manager, "stopped", NULL, NULL, NULL);
	gate_free(manager->gate);
	manager_bus_free(manager->bus);
	sd_event_source_unref(manager->disks_source);
	udev_monitor_unref(manager->disks);
	released_free(manager->released);
	evidence_free(manager->evidence);
	policy_free(manager->policy);
	udev_unref(manager->udev);
	sd_event_unref(manager->event);
	free(manager);
	return NULL;
}

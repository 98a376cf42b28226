/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's face on D-Bus: the Manager interface of docs/dbus.md as a table, and the coming and going of all objects.
 * Devices, volumes and media have tables of their own (daemon/device-bus.h, volume-bus.h, medium-bus.h). It only shows; it
 * decides nothing, and the barrier works the same when there is no bus (see bus/connection.h). No function here blocks.
 *
 * A device's life as the daemon tells it:
 *
 *   manager_bus_device_added(mb, dev)                          InterfacesAdded
 *   manager_bus_signal(mb, "DeviceHeld", &dev->id, record)
 *   … dev->state, reason, interfaces … written by the daemon
 *   manager_bus_device_changed(mb, dev)                        PropertiesChanged
 *   manager_bus_signal(mb, "DeviceDenied", &dev->id, record)
 *   manager_bus_signal(mb, "DeviceRemoved", &dev->id, record)       before the object goes:
 *   manager_bus_device_removed(mb, dev)                        InterfacesRemoved
 *
 * Write all fields first, then call manager_bus_device_changed() once, then signal: whoever reads
 * the device on a signal finds the new values.
 */
#pragma once

#include <dbus/dbus.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "bus/object.h"
#include "core/civil.h"
#include "core/macro.h"
#include "daemon/device.h"
#include "daemon/volume.h"

/* The properties of the Manager; a NULL string shows as empty. */
struct manager_bus_info {
	const char *version;
	const char *backend; /* "kmod", "sysfs" or "none" */
	bool module_locked;
	const char *terminal;
	const char *policy_file;
	const char *policy_state; /* see docs/dbus.md */
	const char *policy_id;
	uint64_t policy_version;
	bool policy_signed;
	const char *const *policy_signers; /* names, NULL at the end; NULL: none */
	char policy_valid_until[CIVIL_TEXT_MAX]; /* local time; "" for ever */
	const char *policy_error; /* of the last refused reload; "" if it was taken */
	const char *contact;	  /* whom staff should ask */
	const char *active_user;  /* "" nobody */
	const char *log_file;
	const char *log_state; /* "ok", or what is wrong with it */
	const char *log_damage; /* what was found in this run: kind and number of the record that says so; "" */
	uint32_t recent_deaths; /* of the daemon, in a row */
	const char *const *unopened_secrets; /* names, NULL at the end; NULL: none */
	const char *last_self_check;   /* YYYY-MM-DDTHH:MM:SSZ of the newest in this run; "" none */
	const char *self_check_result; /* a word of docs/doctor.md */
	const char *mode;      /* "enforce", "drill" or "drill-refused" */
	uint64_t drill_since;  /* CLOCK_REALTIME, microseconds; 0: there is no drill */
	uint64_t started_at;   /* CLOCK_REALTIME, microseconds */
};

struct manager_bus;
struct exceptions_bus;
struct medium;
struct policy;

/* Asked for at every reading; what it returns must stay as it is until the loop's next turn. */
typedef const struct manager_bus_info *(*manager_bus_info_fn)(void *userdata);

/*
 * Reloads the policy. False if it was refused: *error says why, and must stay as it is until the loop's
 * next turn.
 */
typedef bool (*manager_bus_reload_fn)(void *userdata, const char **error);

/*
 * address: of the bus, or NULL for the system bus. Fails only for want of memory or descriptors; a
 * missing bus is no failure.
 */
int manager_bus_new(struct manager_bus **ret, sd_event *event, const char *address,
		    manager_bus_info_fn info, manager_bus_reload_fn reload, void *userdata);
struct manager_bus *manager_bus_free(struct manager_bus *mb); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(struct manager_bus *, manager_bus_free);

/*
 * Records what RecordSelfCheck brings (daemon/selfcheck.h). FALSE with *error set; without, for want of memory. Without such a function
 * the method fails.
 */
typedef dbus_bool_t (*manager_bus_selfcheck_fn)(void *userdata, DBusMessage *call, DBusError *error);
void manager_bus_set_selfcheck(struct manager_bus *mb, manager_bus_selfcheck_fn selfcheck);

/*
 * The line of the policy in force that names the device's medium (device->medium, never empty), and that policy; NULL
 * if there is none any more. Both must stay until the loop's next turn. userdata: as given to manager_bus_new(). To be
 * set before a device is added.
 */
typedef const struct medium *(*manager_bus_medium_fn)(void *userdata, const struct device *dev,
						      const struct policy **policy);
void manager_bus_set_medium(struct manager_bus *mb, manager_bus_medium_fn medium);

/* Is told what became of every call that was to change something (bus/object.h). NULL: nobody. */
void manager_bus_set_witness(struct manager_bus *mb, bus_witness_fn witness, void *userdata);

/* BUS_PATIENCE_DEFAULT if it is not called. */
void manager_bus_set_patience(struct manager_bus *mb, const struct bus_patience *patience);

/* Something that info() returns has changed: PropertiesChanged of the Manager. */
void manager_bus_info_changed(struct manager_bus *mb);

/*
 * dev must stay where it is until manager_bus_device_removed(). dev->id must never have been used
 * before: -EEXIST if it is still there. -ENOMEM. The other two ignore a device that was not added. While dev->medium
 * is set there is an object /media/N besides.
 */
int manager_bus_device_added(struct manager_bus *mb, const struct device *dev);
void manager_bus_device_changed(struct manager_bus *mb, const struct device *dev);
void manager_bus_device_removed(struct manager_bus *mb, const struct device *dev);

/* Another policy is in force, which may say other things of the media. */
void manager_bus_media_changed(struct manager_bus *mb);

/*
 * A volume as an object of its own, /volumes/ID (daemon/volume-bus.h). It must stay where it is until
 * manager_bus_volume_removed(), which comes before volume_free(). -EEXIST, -ENOMEM; the other two ignore one that
 * was not added. volume_ops.changed is manager_bus_volume_changed().
 */
int manager_bus_volume_added(struct manager_bus *mb, struct volume_life *volume);
void manager_bus_volume_changed(struct manager_bus *mb, const struct volume_life *volume);
void manager_bus_volume_removed(struct manager_bus *mb, const struct volume_life *volume);

/*
 * Emits a signal of the Manager by its name in docs/dbus.md. device: id of the one that it is about, for those with a device
 * argument, else NULL. record: the log record, flat, borrowed; NULL is an empty one. -EINVAL for an unknown
 * name; while connected also for a device given or missing against the table. Otherwise 0, also
 * when there is no bus or too much is waiting already: the log has the record.
 */
int manager_bus_signal(struct manager_bus *mb, const char *name, const uint64_t *device,
		       struct json_object *record);

/*
 * A record is in the log: the signal Recorded, and LogSequence, LogHash (member `hash`, if it has one) and LogCheckpoint
 * (kind `checkpoint`). To be called for every record in their order, so that a listener sees each gap; not for one that
 * could not be written.
 */
void manager_bus_recorded(struct manager_bus *mb, struct json_object *record);

/* Temporary exceptions, also at the root object (daemon/exceptions-bus.h). Never NULL; valid until manager_bus_free(). */
struct exceptions_bus *manager_bus_exceptions(struct manager_bus *mb);

/* For what else the daemon has to say to the bus; valid until manager_bus_free(). */
struct bus_connection *manager_bus_connection(struct manager_bus *mb);

/* True while the bus name is owned; for the daemon's own status line. */
bool manager_bus_connected(const struct manager_bus *mb);

/* Signals and replies dropped since the start because the bus did not take them. */
uint64_t manager_bus_dropped(const struct manager_bus *mb);

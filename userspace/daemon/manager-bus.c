// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus/names.h"
#include "bus/object.h"
#include "bus/record.h"
#include "core/chain.h"
#include "daemon/device-bus.h"
#include "daemon/exceptions-bus.h"
#include "daemon/manager-bus.h"
#include "daemon/medium-bus.h"
#include "daemon/volume-bus.h"

/* The prefix, and 20 digits of a 64-bit number. */
#define DEVICE_PATH_MAX (sizeof(BUS_DEVICE_PATH_PREFIX) + 20)
#define VOLUME_PATH_LEN (sizeof(BUS_VOLUME_PATH_PREFIX) + 20)
#define MEDIUM_PATH_LEN (sizeof(BUS_MEDIUM_PATH_PREFIX) + 20)

/* A registered medium that is plugged in. */
struct plugged {
	struct plugged *next;
	struct medium_bus medium; /* the object's userdata */
	uint64_t device;	  /* its number, which is never used again */
	char number[DEVICE_MEDIUM_MAX];
	char path[MEDIUM_PATH_LEN];
};

struct offered {
	struct offered *next;
	struct volume_life *volume;
};

struct manager_bus {
	struct bus_registry *registry;
	struct exceptions_bus *exceptions;
	manager_bus_info_fn info;
	manager_bus_reload_fn reload;
	manager_bus_selfcheck_fn selfcheck;
	manager_bus_medium_fn medium;
	void *userdata;
	struct plugged *media;
	uint64_t last_medium; /* number of the newest object */
	struct offered *volumes;
	/* The newest record that was told of. */
	uint64_t log_seq;
	char log_hash[2 * CHAIN_HASH_LEN + 1];
	uint64_t log_checkpoint;
};

/* --- org.sekimori.Sekimori1.Manager -------------------------------------------------------- */

#define MANAGER_GETTER(field, append)                                                              \
	static dbus_bool_t manager_get_##field(void *object, DBusMessageIter *value)               \
	{                                                                                          \
		struct manager_bus *mb = object;                                                   \
                                                                                                   \
		return append(value, mb->info(mb->userdata)->field);                               \
	}

MANAGER_GETTER(version, bus_append_string)
MANAGER_GETTER(backend, bus_append_string)
MANAGER_GETTER(module_locked, bus_append_bool)
MANAGER_GETTER(terminal, bus_append_string)
MANAGER_GETTER(mode, bus_append_string)
MANAGER_GETTER(drill_since, bus_append_u64)
MANAGER_GETTER(policy_file, bus_append_string)
MANAGER_GETTER(policy_state, bus_append_string)
MANAGER_GETTER(policy_id, bus_append_string)
MANAGER_GETTER(policy_version, bus_append_u64)
MANAGER_GETTER(policy_signed, bus_append_bool)
MANAGER_GETTER(policy_valid_until, bus_append_string)
MANAGER_GETTER(policy_error, bus_append_string)
MANAGER_GETTER(contact, bus_append_string)
MANAGER_GETTER(active_user, bus_append_string)
MANAGER_GETTER(log_file, bus_append_string)
MANAGER_GETTER(log_state, bus_append_string)
MANAGER_GETTER(log_damage, bus_append_string)
MANAGER_GETTER(recent_deaths, bus_append_u32)
MANAGER_GETTER(last_self_check, bus_append_string)
MANAGER_GETTER(self_check_result, bus_append_string)
MANAGER_GETTER(started_at, bus_append_u64)

static dbus_bool_t append_names(DBusMessageIter *value, const char *const *names)
{
	DBusMessageIter array;

	if (!dbus_message_iter_open_container(value, DBUS_TYPE_ARRAY, "s", &array))
		return FALSE;
	for (size_t i = 0; names && names[i]; i++)
		if (!bus_append_string(&array, names[i]))
			return FALSE;
	return dbus_message_iter_close_container(value, &array);
}

MANAGER_GETTER(policy_signers, append_names)
MANAGER_GETTER(unopened_secrets, append_names)

static dbus_bool_t manager_get_log_sequence(void *object, DBusMessageIter *value)
{
	return bus_append_u64(value, ((struct manager_bus *)object)->log_seq);
}

static dbus_bool_t manager_get_log_hash(void *object, DBusMessageIter *value)
{
	return bus_append_string(value, ((struct manager_bus *)object)->log_hash);
}

static dbus_bool_t manager_get_log_checkpoint(void *object, DBusMessageIter *value)
{
	return bus_append_u64(value, ((struct manager_bus *)object)->log_checkpoint);
}

static dbus_bool_t manager_reload_policy(void *object, DBusMessage *call, DBusMessageIter *out,
					 DBusError *error)
{
	struct manager_bus *mb = object;
	const char *why = NULL;

	if (!mb->reload(mb->userdata, &why)) {
		dbus_set_error(error, BUS_NAME ".Error.PolicyRefused", "%s", why);
		return FALSE;
	}
	return bus_append_string(out, mb->info(mb->userdata)->policy_state);
}

static dbus_bool_t manager_record_self_check(void *object, DBusMessage *call, DBusMessageIter *out,
					     DBusError *error)
{
	struct manager_bus *mb = object;

	if (mb->selfcheck)
		return mb->selfcheck(mb->userdata, call, error);
	dbus_set_error(error, BUS_NAME ".Error.Failed", "self-checks are not recorded here");
	return FALSE;
}

static const struct bus_method manager_methods[] = {
	{.name = "ReloadPolicy",
	 .out = {{"s", "state"}},
	 .action = "org.sekimori.reload-policy",
	 .call = manager_reload_policy},
	{.name = "RecordSelfCheck",
	 .in = {{"s", "result"}, {"u", "ok"}, {"u", "warn"}, {"u", "fail"}, {"a(sss)", "items"}},
	 .action = "org.sekimori.record-self-check",
	 .call = manager_record_self_check},
	{.name = NULL},
};

static const struct bus_property manager_properties[] = {
	{"Version", "s", manager_get_version, BUS_EMITS_CONST},
	{"Backend", "s", manager_get_backend, BUS_EMITS_TRUE},
	{"ModuleLocked", "b", manager_get_module_locked, BUS_EMITS_TRUE},
	{"Terminal", "s", manager_get_terminal, BUS_EMITS_TRUE},
	{"Mode", "s", manager_get_mode, BUS_EMITS_TRUE},
	{"DrillSince", "t", manager_get_drill_since, BUS_EMITS_TRUE},
	{"PolicyFile", "s", manager_get_policy_file, BUS_EMITS_TRUE},
	{"PolicyState", "s", manager_get_policy_state, BUS_EMITS_TRUE},
	{"PolicyId", "s", manager_get_policy_id, BUS_EMITS_TRUE},
	{"PolicyVersion", "t", manager_get_policy_version, BUS_EMITS_TRUE},
	{"PolicySigned", "b", manager_get_policy_signed, BUS_EMITS_TRUE},
	{"PolicySigners", "as", manager_get_policy_signers, BUS_EMITS_TRUE},
	{"PolicyValidUntil", "s", manager_get_policy_valid_until, BUS_EMITS_TRUE},
	{"PolicyError", "s", manager_get_policy_error, BUS_EMITS_TRUE},
	{"Contact", "s", manager_get_contact, BUS_EMITS_TRUE},
	{"ActiveUser", "s", manager_get_active_user, BUS_EMITS_TRUE},
	{"LogFile", "s", manager_get_log_file, BUS_EMITS_TRUE},
	{"LogState", "s", manager_get_log_state, BUS_EMITS_TRUE},
	{"LogDamage", "s", manager_get_log_damage, BUS_EMITS_TRUE},
	{"RecentDeaths", "u", manager_get_recent_deaths, BUS_EMITS_TRUE},
	{"UnopenedSecrets", "as", manager_get_unopened_secrets, BUS_EMITS_CONST},
	{"LastSelfCheck", "s", manager_get_last_self_check, BUS_EMITS_TRUE},
	{"SelfCheckResult", "s", manager_get_self_check_result, BUS_EMITS_TRUE},
	{"LogSequence", "t", manager_get_log_sequence, BUS_EMITS_FALSE},
	{"LogHash", "s", manager_get_log_hash, BUS_EMITS_FALSE},
	{"LogCheckpoint", "t", manager_get_log_checkpoint, BUS_EMITS_FALSE},
	{"StartedAt", "t", manager_get_started_at, BUS_EMITS_CONST},
	{.name = NULL},
};

#define DEVICE_AND_RECORD                                                                          \
	{                                                                                          \
		{"o", "device"}, {"a{sv}", "record"},                                              \
	}

static const struct bus_signal manager_signals[] = {
	{"DeviceHeld", DEVICE_AND_RECORD},         {"DeviceDenied", DEVICE_AND_RECORD},
	{"DeviceAllowed", DEVICE_AND_RECORD},      {"DeviceRemoved", DEVICE_AND_RECORD},
	{"DeviceRevoked", DEVICE_AND_RECORD},      {"AttemptRefused", {{"a{sv}", "record"}}},
	{"Incident", {{"a{sv}", "record"}}},
	{"DeviceTampered", DEVICE_AND_RECORD},     {"DeviceWouldBeDenied", DEVICE_AND_RECORD},
	{"PolicyChanged", {{"a{sv}", "record"}}},  {"PolicyRefused", {{"a{sv}", "record"}}},
	{"Recorded", {{"t", "seq"}, {"s", "kind"}, {"a{sv}", "record"}}},
	{"LogCheckpoint", {{"a{sv}", "record"}}},  {"LogDamaged", {{"a{sv}", "record"}}},
	{.name = NULL},
};

static const struct bus_interface manager_interface = {
	.name = BUS_INTERFACE_MANAGER,
	.properties = manager_properties,
	.methods = manager_methods,
	.signals = manager_signals,
};

/* --- the objects --------------------------------------------------------------------------- */

static const struct bus_interface *const manager_interfaces[] = {&manager_interface,
							       &exceptions_bus_interface, NULL};
static const struct bus_interface *const device_interfaces[] = {&device_bus_interface, NULL};
static const struct bus_interface *const volume_interfaces[] = {&volume_bus_interface, NULL};
static const struct bus_interface *const medium_interfaces[] = {&medium_bus_interface, NULL};

int manager_bus_new(struct manager_bus **ret, sd_event *event, const char *address,
		    manager_bus_info_fn info, manager_bus_reload_fn reload, void *userdata)
{
	_cleanup_(manager_bus_freep) struct manager_bus *mb = calloc(1, sizeof(*mb));
	int r;

	if (!mb)
		return -ENOMEM;
	mb->info = info;
	mb->reload = reload;
	mb->userdata = userdata;
	r = bus_registry_new(&mb->registry, event, address, BUS_NAME, BUS_ROOT_PATH);
	if (r == 0)
		r = exceptions_bus_new(&mb->exceptions, mb->registry, event);
	if (r < 0)
		return r;
	r = bus_object_add(mb->registry, BUS_ROOT_PATH, manager_interfaces, mb);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(mb);
	return 0;
}

struct manager_bus *manager_bus_free(struct manager_bus *mb)
{
	if (!mb)
		return NULL;
	bus_registry_free(mb->registry);
	exceptions_bus_free(mb->exceptions);
	while (mb->media) {
		struct plugged *plugged = mb->media;

		mb->media = plugged->next;
		free(plugged);
	}
	while (mb->volumes) {
		struct offered *offered = mb->volumes;

		mb->volumes = offered->next;
		free(offered);
	}
	free(mb);
	return NULL;
}

void manager_bus_set_selfcheck(struct manager_bus *mb, manager_bus_selfcheck_fn selfcheck)
{
	mb->selfcheck = selfcheck;
}

static struct bus_object *manager_object(struct manager_bus *mb)
{
	return bus_object_find(mb->registry, BUS_ROOT_PATH);
}

static void device_path(char path[static DEVICE_PATH_MAX], uint64_t id)
{
	snprintf(path, DEVICE_PATH_MAX, BUS_DEVICE_PATH_PREFIX "%" PRIu64, id);
}

static struct bus_object *device_object(struct manager_bus *mb, const struct device *dev)
{
	char path[DEVICE_PATH_MAX];

	device_path(path, dev->id);
	return bus_object_find(mb->registry, path);
}

void manager_bus_info_changed(struct manager_bus *mb)
{
	bus_object_all_changed(manager_object(mb), &manager_interface);
}

/* --- media --- */

static bool volume_of_device(void *userdata, const struct device *dev, unsigned int n, uint64_t *id)
{
	struct manager_bus *mb = userdata;

	for (const struct offered *o = mb->volumes; o; o = o->next) {
		const struct volume_view *view = volume_view(o->volume);

		if (view->device != dev->id || n--)
			continue;
		*id = view->id;
		return true;
	}
	return false;
}

static const struct medium *line_of_medium(void *userdata, const struct device *dev,
					   const struct policy **policy)
{
	struct manager_bus *mb = userdata;

	return mb->medium ? mb->medium(mb->userdata, dev, policy) : NULL;
}

static struct plugged **plugged_find(struct manager_bus *mb, uint64_t device)
{
	struct plugged **at = &mb->media;

	while (*at && (*at)->device != device)
		at = &(*at)->next;
	return at;
}

static void plugged_remove(struct manager_bus *mb, struct plugged **at)
{
	struct plugged *plugged = *at;

	*at = plugged->next;
	bus_object_remove(bus_object_find(mb->registry, plugged->path));
	free(plugged);
}

/* Without memory the medium is not shown; its device is. */
static void plugged_add(struct manager_bus *mb, const struct device *dev)
{
	struct plugged *plugged = calloc(1, sizeof(*plugged));

	if (!plugged)
		return;
	plugged->medium = (struct medium_bus){ dev, line_of_medium, volume_of_device, mb };
	plugged->device = dev->id;
	memcpy(plugged->number, dev->medium, sizeof(plugged->number));
	snprintf(plugged->path, sizeof(plugged->path), BUS_MEDIUM_PATH_PREFIX "%" PRIu64,
		 ++mb->last_medium);
	if (bus_object_add(mb->registry, plugged->path, medium_interfaces, &plugged->medium) < 0) {
		free(plugged);
		return;
	}
	plugged->next = mb->media;
	mb->media = plugged;
}

static void plugged_changed(struct manager_bus *mb, const struct plugged *plugged)
{
	struct bus_object *object = bus_object_find(mb->registry, plugged->path);

	if (object)
		bus_object_all_changed(object, &medium_bus_interface);
}

/* After each change of the device: has it become a medium, or another, or none? */
static void plugged_follow(struct manager_bus *mb, const struct device *dev)
{
	struct plugged **at = plugged_find(mb, dev->id);

	if (*at && !strcmp((*at)->number, dev->medium))
		return;
	if (*at)
		plugged_remove(mb, at);
	if (dev->medium[0])
		plugged_add(mb, dev);
}

void manager_bus_media_changed(struct manager_bus *mb)
{
	for (const struct plugged *plugged = mb->media; plugged; plugged = plugged->next)
		plugged_changed(mb, plugged);
}

/* --- devices and volumes --- */

int manager_bus_device_added(struct manager_bus *mb, const struct device *dev)
{
	char path[DEVICE_PATH_MAX];

	device_path(path, dev->id);
	/* Getters take a plain pointer; ours only read through it. */
	return bus_object_add(mb->registry, path, device_interfaces, (void *)dev);
}

void manager_bus_device_changed(struct manager_bus *mb, const struct device *dev)
{
	struct bus_object *object = device_object(mb, dev);

	if (!object)
		return;
	bus_object_all_changed(object, &device_bus_interface);
	plugged_follow(mb, dev);
}

void manager_bus_device_removed(struct manager_bus *mb, const struct device *dev)
{
	struct plugged **at = plugged_find(mb, dev->id);

	if (*at)
		plugged_remove(mb, at);
	bus_object_remove(device_object(mb, dev));
}

static struct bus_object *volume_object(struct manager_bus *mb, const struct volume_life *volume,
					char path[static VOLUME_PATH_LEN])
{
	snprintf(path, VOLUME_PATH_LEN, BUS_VOLUME_PATH_PREFIX "%" PRIu64, volume_view(volume)->id);
	return bus_object_find(mb->registry, path);
}

int manager_bus_volume_added(struct manager_bus *mb, struct volume_life *volume)
{
	char path[VOLUME_PATH_LEN];
	struct offered *offered, **last = &mb->volumes;
	struct plugged *plugged;
	int r;

	if (volume_object(mb, volume, path))
		return -EEXIST;
	offered = calloc(1, sizeof(*offered));
	if (!offered)
		return -ENOMEM;
	r = bus_object_add(mb->registry, path, volume_interfaces, volume);
	if (r < 0) {
		free(offered);
		return r;
	}
	offered->volume = volume;
	while (*last)
		last = &(*last)->next;
	*last = offered;
	plugged = *plugged_find(mb, volume_view(volume)->device);
	if (plugged)
		plugged_changed(mb, plugged);
	return 0;
}

void manager_bus_volume_changed(struct manager_bus *mb, const struct volume_life *volume)
{
	char path[VOLUME_PATH_LEN];
	struct bus_object *object = volume_object(mb, volume, path);

	if (object)
		bus_object_all_changed(object, &volume_bus_interface);
}

void manager_bus_volume_removed(struct manager_bus *mb, const struct volume_life *volume)
{
	char path[VOLUME_PATH_LEN];
	struct offered **at = &mb->volumes, *offered;
	struct plugged *plugged;

	while (*at && (*at)->volume != volume)
		at = &(*at)->next;
	if (!*at)
		return;
	offered = *at;
	*at = offered->next;
	free(offered);
	plugged = *plugged_find(mb, volume_view(volume)->device);
	if (plugged)
		plugged_changed(mb, plugged);
	bus_object_remove(volume_object(mb, volume, path));
}

struct signal_data {
	const uint64_t *device;
	struct json_object *record;
};

static dbus_bool_t append_signal(void *userdata, DBusMessageIter *args)
{
	const struct signal_data *data = userdata;
	char buffer[DEVICE_PATH_MAX];
	const char *path = buffer;

	if (data->device) {
		device_path(buffer, *data->device);
		if (!dbus_message_iter_append_basic(args, DBUS_TYPE_OBJECT_PATH, &path))
			return FALSE;
	}
	return bus_append_record(args, data->record);
}

int manager_bus_signal(struct manager_bus *mb, const char *name, const uint64_t *device,
		       struct json_object *record)
{
	struct signal_data data = {.device = device, .record = record};
	int r = bus_object_emit(manager_object(mb), &manager_interface, name, append_signal, &data);

	return r == -ENOTCONN || r == -ENOBUFS ? 0 : r;
}

static uint64_t record_number(struct json_object *record, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(record, key, &value) ? json_object_get_uint64(value) : 0;
}

static const char *record_text(struct json_object *record, const char *key)
{
	struct json_object *value;
	const char *text = NULL;

	if (json_object_object_get_ex(record, key, &value))
		text = json_object_get_string(value);
	return text ? text : "";
}

static dbus_bool_t append_recorded(void *userdata, DBusMessageIter *args)
{
	struct json_object *record = userdata;

	return bus_append_u64(args, record_number(record, "seq")) &&
	       bus_append_string(args, record_text(record, "kind")) &&
	       bus_append_record(args, record);
}

void manager_bus_recorded(struct manager_bus *mb, struct json_object *record)
{
	mb->log_seq = record_number(record, "seq");
	snprintf(mb->log_hash, sizeof(mb->log_hash), "%s", record_text(record, "hash"));
	if (!strcmp(record_text(record, "kind"), "checkpoint"))
		mb->log_checkpoint = mb->log_seq;
	bus_object_emit(manager_object(mb), &manager_interface, "Recorded", append_recorded, record);
}

void manager_bus_set_medium(struct manager_bus *mb, manager_bus_medium_fn medium)
{
	mb->medium = medium;
}

void manager_bus_set_witness(struct manager_bus *mb, bus_witness_fn witness, void *userdata)
{
	bus_registry_set_witness(mb->registry, witness, userdata);
}

void manager_bus_set_patience(struct manager_bus *mb, const struct bus_patience *patience)
{
	bus_registry_set_patience(mb->registry, patience);
}

struct exceptions_bus *manager_bus_exceptions(struct manager_bus *mb)
{
	return mb->exceptions;
}

struct bus_connection *manager_bus_connection(struct manager_bus *mb)
{
	return bus_registry_connection(mb->registry);
}

bool manager_bus_connected(const struct manager_bus *mb)
{
	return bus_connection_ready(bus_registry_connection(mb->registry));
}

uint64_t manager_bus_dropped(const struct manager_bus *mb)
{
	return bus_connection_dropped(bus_registry_connection(mb->registry));
}

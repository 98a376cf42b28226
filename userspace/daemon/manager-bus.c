// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus/names.h"
#include "bus/object.h"
#include "bus/record.h"
#include "daemon/manager-bus.h"
#include "daemon/volume-bus.h"

/* The prefix, and 20 digits of a 64-bit number. */
#define DEVICE_PATH_MAX (sizeof(BUS_DEVICE_PATH_PREFIX) + 20)
#define VOLUME_PATH_LEN (sizeof(BUS_VOLUME_PATH_PREFIX) + 20)

struct manager_bus {
	struct bus_registry *registry;
	manager_bus_info_fn info;
	manager_bus_reload_fn reload;
	void *userdata;
};

static dbus_bool_t append_bool(DBusMessageIter *value, bool b)
{
	dbus_bool_t truth = b;

	return dbus_message_iter_append_basic(value, DBUS_TYPE_BOOLEAN, &truth);
}

static dbus_bool_t append_u32(DBusMessageIter *value, dbus_uint32_t n)
{
	return dbus_message_iter_append_basic(value, DBUS_TYPE_UINT32, &n);
}

static dbus_bool_t append_u64(DBusMessageIter *value, dbus_uint64_t n)
{
	return dbus_message_iter_append_basic(value, DBUS_TYPE_UINT64, &n);
}

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
MANAGER_GETTER(module_locked, append_bool)
MANAGER_GETTER(terminal, bus_append_string)
MANAGER_GETTER(policy_file, bus_append_string)
MANAGER_GETTER(policy_state, bus_append_string)
MANAGER_GETTER(policy_id, bus_append_string)
MANAGER_GETTER(policy_version, append_u64)
MANAGER_GETTER(policy_signed, append_bool)
MANAGER_GETTER(policy_valid_until, bus_append_string)
MANAGER_GETTER(policy_error, bus_append_string)
MANAGER_GETTER(contact, bus_append_string)
MANAGER_GETTER(active_user, bus_append_string)
MANAGER_GETTER(log_file, bus_append_string)
MANAGER_GETTER(log_state, bus_append_string)
MANAGER_GETTER(started_at, append_u64)

static dbus_bool_t manager_get_policy_signers(void *object, DBusMessageIter *value)
{
	struct manager_bus *mb = object;
	const char *const *names = mb->info(mb->userdata)->policy_signers;
	DBusMessageIter array;

	if (!dbus_message_iter_open_container(value, DBUS_TYPE_ARRAY, "s", &array))
		return FALSE;
	for (size_t i = 0; names && names[i]; i++)
		if (!bus_append_string(&array, names[i]))
			return FALSE;
	return dbus_message_iter_close_container(value, &array);
}

/* Only root may call it: policy/org.sekimori.Sekimori1.conf, enforced by the bus. */
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

static const struct bus_method manager_methods[] = {
	{.name = "ReloadPolicy", .out = {{"s", "state"}}, .call = manager_reload_policy},
	{.name = NULL},
};

static const struct bus_property manager_properties[] = {
	{"Version", "s", manager_get_version, BUS_EMITS_CONST},
	{"Backend", "s", manager_get_backend, BUS_EMITS_TRUE},
	{"ModuleLocked", "b", manager_get_module_locked, BUS_EMITS_TRUE},
	{"Terminal", "s", manager_get_terminal, BUS_EMITS_TRUE},
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
	{"DeviceTampered", DEVICE_AND_RECORD},
	{"PolicyChanged", {{"a{sv}", "record"}}},  {"PolicyRefused", {{"a{sv}", "record"}}},
	{.name = NULL},
};

static const struct bus_interface manager_interface = {
	.name = BUS_INTERFACE_MANAGER,
	.properties = manager_properties,
	.methods = manager_methods,
	.signals = manager_signals,
};

/* --- org.sekimori.Sekimori1.Device --------------------------------------------------------- */

#define DEVICE_GETTER(name, append, expression)                                                    \
	static dbus_bool_t device_get_##name(void *object, DBusMessageIter *value)                 \
	{                                                                                          \
		const struct device *dev = object;                                                 \
                                                                                                   \
		return append(value, expression);                                                  \
	}

DEVICE_GETTER(name, bus_append_string, dev->ident.name)
DEVICE_GETTER(busnum, append_u32, dev->ident.busnum)
DEVICE_GETTER(devnum, append_u32, dev->ident.devnum)
DEVICE_GETTER(serial, bus_append_string, dev->ident.serial)
DEVICE_GETTER(manufacturer, bus_append_string, dev->ident.manufacturer)
DEVICE_GETTER(product, bus_append_string, dev->ident.product)
DEVICE_GETTER(fingerprint, bus_append_string, dev->ident.fingerprint)
DEVICE_GETTER(state, bus_append_string, device_state_name(dev->state))
DEVICE_GETTER(reason, bus_append_string, dev->reason)
DEVICE_GETTER(decided_by, bus_append_string, dev->decided_by)
DEVICE_GETTER(medium, bus_append_string, dev->medium)
DEVICE_GETTER(method, bus_append_string, dev->method)
DEVICE_GETTER(luks_uuid, bus_append_string, dev->luks_uuid)
DEVICE_GETTER(access, bus_append_string,
	      dev->state == DEVICE_ALLOWED ? device_access_name(dev->access) : "")
DEVICE_GETTER(detail, bus_append_string, dev->detail)
DEVICE_GETTER(verdict_us, append_u64,
	      dev->held_us && dev->decided_us > dev->held_us ? dev->decided_us - dev->held_us : 0)

static dbus_bool_t device_get_id(void *object, DBusMessageIter *value)
{
	const struct device *dev = object;
	char id[sizeof("0000:0000")];

	snprintf(id, sizeof(id), "%04x:%04x", dev->ident.id_vendor, dev->ident.id_product);
	return bus_append_string(value, id);
}

static dbus_bool_t append_interface(DBusMessageIter *array, const struct device_interface *intf)
{
	const uint8_t bytes[] = {intf->ident.number, intf->ident.class, intf->ident.subclass,
				 intf->ident.protocol};
	DBusMessageIter entry;

	if (!dbus_message_iter_open_container(array, DBUS_TYPE_STRUCT, NULL, &entry))
		return FALSE;
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		if (!dbus_message_iter_append_basic(&entry, DBUS_TYPE_BYTE, &bytes[i]))
			return FALSE;
	return bus_append_string(&entry, device_interface_state_name(intf->state)) &&
	       bus_append_string(&entry, intf->driver) &&
	       dbus_message_iter_close_container(array, &entry);
}

static dbus_bool_t device_get_interfaces(void *object, DBusMessageIter *value)
{
	const struct device *dev = object;
	DBusMessageIter array;

	if (!dbus_message_iter_open_container(value, DBUS_TYPE_ARRAY, "(yyyyss)", &array))
		return FALSE;
	for (unsigned int i = 0; i < dev->n_interfaces; i++)
		if (!append_interface(&array, &dev->interfaces[i]))
			return FALSE;
	return dbus_message_iter_close_container(value, &array);
}

static dbus_bool_t device_get_blocks(void *object, DBusMessageIter *value)
{
	const struct device *dev = object;
	DBusMessageIter array;

	if (!dbus_message_iter_open_container(value, DBUS_TYPE_ARRAY, "s", &array))
		return FALSE;
	for (unsigned int i = 0; i < dev->n_blocks; i++)
		if (!bus_append_string(&array, dev->blocks[i]))
			return FALSE;
	return dbus_message_iter_close_container(value, &array);
}

static const struct bus_property device_properties[] = {
	{"Name", "s", device_get_name, BUS_EMITS_CONST},
	{"BusNumber", "u", device_get_busnum, BUS_EMITS_CONST},
	{"DeviceNumber", "u", device_get_devnum, BUS_EMITS_CONST},
	{"Id", "s", device_get_id, BUS_EMITS_CONST},
	{"Serial", "s", device_get_serial, BUS_EMITS_CONST},
	{"Manufacturer", "s", device_get_manufacturer, BUS_EMITS_CONST},
	{"Product", "s", device_get_product, BUS_EMITS_CONST},
	{"Fingerprint", "s", device_get_fingerprint, BUS_EMITS_CONST},
	{"State", "s", device_get_state, BUS_EMITS_TRUE},
	{"Reason", "s", device_get_reason, BUS_EMITS_TRUE},
	{"DecidedBy", "s", device_get_decided_by, BUS_EMITS_TRUE},
	{"Medium", "s", device_get_medium, BUS_EMITS_TRUE},
	{"Method", "s", device_get_method, BUS_EMITS_TRUE},
	{"Access", "s", device_get_access, BUS_EMITS_TRUE},
	{"LuksUuid", "s", device_get_luks_uuid, BUS_EMITS_TRUE},
	{"Detail", "s", device_get_detail, BUS_EMITS_TRUE},
	{"Interfaces", "a(yyyyss)", device_get_interfaces, BUS_EMITS_TRUE},
	{"BlockDevices", "as", device_get_blocks, BUS_EMITS_TRUE},
	{"VerdictMicroseconds", "t", device_get_verdict_us, BUS_EMITS_TRUE},
	{.name = NULL},
};

static const struct bus_interface device_interface = {
	.name = BUS_INTERFACE_DEVICE,
	.properties = device_properties,
};

/* --- the objects --------------------------------------------------------------------------- */

static const struct bus_interface *const manager_interfaces[] = {&manager_interface, NULL};
static const struct bus_interface *const device_interfaces[] = {&device_interface, NULL};
static const struct bus_interface *const volume_interfaces[] = {&volume_bus_interface, NULL};

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
	free(mb);
	return NULL;
}

static struct bus_object *manager_object(struct manager_bus *mb)
{
	return bus_object_find(mb->registry, BUS_ROOT_PATH);
}

static void device_path(char path[static DEVICE_PATH_MAX], const struct device *dev)
{
	snprintf(path, DEVICE_PATH_MAX, BUS_DEVICE_PATH_PREFIX "%" PRIu64, dev->id);
}

static struct bus_object *device_object(struct manager_bus *mb, const struct device *dev)
{
	char path[DEVICE_PATH_MAX];

	device_path(path, dev);
	return bus_object_find(mb->registry, path);
}

/* PropertiesChanged with everything of an interface that can change. */
static void object_changed(struct bus_object *object, const struct bus_interface *interface)
{
	const char *names[ARRAY_SIZE(device_properties)];
	size_t n = 0;

	_Static_assert(ARRAY_SIZE(device_properties) >= ARRAY_SIZE(manager_properties),
		       "names[] is sized for the longer table");
	for (const struct bus_property *p = interface->properties; p->name; p++)
		if (p->emits == BUS_EMITS_TRUE)
			names[n++] = p->name;
	names[n] = NULL;
	bus_object_changed(object, interface, names);
}

void manager_bus_info_changed(struct manager_bus *mb)
{
	object_changed(manager_object(mb), &manager_interface);
}

int manager_bus_device_added(struct manager_bus *mb, const struct device *dev)
{
	char path[DEVICE_PATH_MAX];

	device_path(path, dev);
	/* Getters take a plain pointer; ours only read through it. */
	return bus_object_add(mb->registry, path, device_interfaces, (void *)dev);
}

void manager_bus_device_changed(struct manager_bus *mb, const struct device *dev)
{
	struct bus_object *object = device_object(mb, dev);

	if (object)
		object_changed(object, &device_interface);
}

void manager_bus_device_removed(struct manager_bus *mb, const struct device *dev)
{
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

	if (volume_object(mb, volume, path))
		return -EEXIST;
	return bus_object_add(mb->registry, path, volume_interfaces, volume);
}

void manager_bus_volume_changed(struct manager_bus *mb, const struct volume_life *volume)
{
	char path[VOLUME_PATH_LEN];
	struct bus_object *object = volume_object(mb, volume, path);

	if (object)
		object_changed(object, &volume_bus_interface);
}

void manager_bus_volume_removed(struct manager_bus *mb, const struct volume_life *volume)
{
	char path[VOLUME_PATH_LEN];

	bus_object_remove(volume_object(mb, volume, path));
}

struct signal_data {
	const struct device *dev;
	struct json_object *record;
};

static dbus_bool_t append_signal(void *userdata, DBusMessageIter *args)
{
	const struct signal_data *data = userdata;
	char buffer[DEVICE_PATH_MAX];
	const char *path = buffer;

	if (data->dev) {
		device_path(buffer, data->dev);
		if (!dbus_message_iter_append_basic(args, DBUS_TYPE_OBJECT_PATH, &path))
			return FALSE;
	}
	return bus_append_record(args, data->record);
}

int manager_bus_signal(struct manager_bus *mb, const char *name, const struct device *dev,
		       struct json_object *record)
{
	struct signal_data data = {.dev = dev, .record = record};
	int r = bus_object_emit(manager_object(mb), &manager_interface, name, append_signal, &data);

	return r == -ENOTCONN || r == -ENOBUFS ? 0 : r;
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

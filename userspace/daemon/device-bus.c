// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "bus/names.h"
#include "bus/record.h"
#include "core/macro.h"
#include "daemon/device-bus.h"
#include "daemon/device.h"

#define DEVICE_GETTER(name, append, expression)                                                    \
	static dbus_bool_t device_get_##name(void *object, DBusMessageIter *value)                 \
	{                                                                                          \
		const struct device *dev = object;                                                 \
                                                                                                   \
		return append(value, expression);                                                  \
	}

DEVICE_GETTER(name, bus_append_string, dev->ident.name)
DEVICE_GETTER(busnum, bus_append_u32, dev->ident.busnum)
DEVICE_GETTER(devnum, bus_append_u32, dev->ident.devnum)
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
DEVICE_GETTER(drill, bus_append_bool, dev->drill)
DEVICE_GETTER(verdict_us, bus_append_u64,
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

static const struct bus_property device_properties[DEVICE_BUS_PROPERTIES + 1] = {
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
	{"Drill", "b", device_get_drill, BUS_EMITS_TRUE},
	{"VerdictMicroseconds", "t", device_get_verdict_us, BUS_EMITS_TRUE},
	{.name = NULL},
};

const struct bus_interface device_bus_interface = {
	.name = BUS_INTERFACE_DEVICE,
	.properties = device_properties,
};

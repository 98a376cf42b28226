// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <libudev.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "bus/names.h"
#include "cli/told.h"
#include "core/luks2.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/plugged.h"
#include "system/usbdev.h"

static void udev_unrefp(struct udev **udev)
{
	udev_unref(*udev);
}

static void udev_device_unrefp(struct udev_device **device)
{
	udev_device_unref(*device);
}

static void udev_enumerate_unrefp(struct udev_enumerate **enumerate)
{
	udev_enumerate_unref(*enumerate);
}

static bool tell(const struct context *context, enum label label, const char *what)
{
	_cleanup_(freep) char *shown = output_escape(what);

	fprintf(stderr, "sekimorictl: %s %s\n", label_text(label), shown);
	return false;
}

static const char *attribute(struct udev_device *device, const char *name)
{
	const char *value = udev_device_get_sysattr_value(device, name);

	return value ? value : "";
}

static unsigned int number(struct udev_device *device, const char *name, int base)
{
	return (unsigned int)strtoul(attribute(device, name), NULL, base);
}

/* --- reading it ---------------------------------------------------------------------------- */

/* An interface of the active configuration, as the kernel has bound or held it. */
static void read_interface(struct udev *udev, struct ident *ident, unsigned int configuration,
			   uint8_t at)
{
	_cleanup_(udev_device_unrefp) struct udev_device *device = NULL;
	char name[IDENT_NAME_MAX + 16];

	snprintf(name, sizeof(name), "%s:%u.%u", ident->name, configuration, at);
	device = udev_device_new_from_subsystem_sysname(udev, "usb", name);
	if (!device || ident->n_interfaces == IDENT_INTERFACES_MAX)
		return;
	ident->interfaces[ident->n_interfaces++] = (struct ident_interface){
		.number = at,
		.class = (uint8_t)number(device, "bInterfaceClass", 16),
		.subclass = (uint8_t)number(device, "bInterfaceSubClass", 16),
		.protocol = (uint8_t)number(device, "bInterfaceProtocol", 16)};
}

/* In the order of the descriptors, which is the kernel's. */
static void read_interfaces(struct udev *udev, struct udev_device *device, struct ident *ident)
{
	unsigned int configuration = number(device, "bConfigurationValue", 10);
	bool seen[256] = {false};

	for (unsigned int i = 0; i < ident->n_types; i++) {
		uint8_t at = ident->types[i].number;

		if (!seen[at])
			read_interface(udev, ident, configuration, at);
		seen[at] = true;
	}
}

/* USBGuard calls the SHA-256 of the host controller's place a root hub's parent. */
static void root_hub_parent(struct udev_device *device, struct ident *ident)
{
	struct udev_device *parent = udev_device_get_parent(device);
	const char *path = parent ? udev_device_get_devpath(parent) : "";
	unsigned char digest[crypto_hash_sha256_BYTES];

	if (*ident->parent_hash || !path || strncmp(ident->name, "usb", 3))
		return;
	crypto_hash_sha256(digest, (const unsigned char *)path, strlen(path));
	sodium_bin2base64(ident->parent_hash, IDENT_HASH_MAX, digest, sizeof(digest),
			  sodium_base64_VARIANT_ORIGINAL);
}

static bool read_sysfs(const struct context *context, struct udev *udev, const char *name,
		       struct ident *ident)
{
	_cleanup_(udev_device_unrefp) struct udev_device *device = NULL;
	struct usbdev_strings strings;
	int r = -ENODEV;

	/* A name, never a path. */
	if (strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz.-") == strlen(name))
		device = udev_device_new_from_subsystem_sysname(udev, "usb", name);
	if (device)
		r = usbdev_read(name, (uint16_t)number(device, "busnum", 10),
				(uint16_t)number(device, "devnum", 10), ident);
	if (!r)
		r = usbdev_read_strings(name, ident->busnum, ident->devnum, &strings);
	if (r || !ident->devnum)
		return tell(context, LABEL_NO_SUCH_DEVICE, name);
	usbdev_put_strings(ident, &strings);
	if (ident->malformed)
		return tell(context, LABEL_BAD_DESCRIPTORS, name);
	read_interfaces(udev, device, ident);
	if (ident->n_interfaces)
		ident_fingerprint(ident, ident->fingerprint);
	root_hub_parent(device, ident);
	return true;
}

/* --- finding it ---------------------------------------------------------------------------- */

/* Names of all devices with this id, with blanks between them; how many. */
static size_t find_by_id(struct udev *udev, const char *id, char *names, size_t size)
{
	_cleanup_(udev_enumerate_unrefp) struct udev_enumerate *enumerate =
		udev_enumerate_new(udev);
	struct udev_list_entry *entry;
	unsigned int vendor = (unsigned int)strtoul(id, NULL, 16);
	unsigned int product = (unsigned int)strtoul(id + 5, NULL, 16);
	size_t n = 0, used = 0;

	names[0] = '\0';
	if (!enumerate || udev_enumerate_add_match_subsystem(enumerate, "usb") < 0 ||
	    udev_enumerate_scan_devices(enumerate) < 0)
		return 0;
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(enumerate))
	{
		_cleanup_(udev_device_unrefp) struct udev_device *device =
			udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));

		if (!device || !*attribute(device, "idVendor") ||
		    number(device, "idVendor", 16) != vendor ||
		    number(device, "idProduct", 16) != product)
			continue;
		if (used < size)
			used += (size_t)snprintf(names + used, size - used, "%s%s", n ? " " : "",
						 udev_device_get_sysname(device));
		n++;
	}
	return n;
}

/* The daemon's devices; NULL if it does not answer. */
static struct json_object *ask_daemon(char **why)
{
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(why);

	return dbus ? client_devices(dbus, why) : NULL;
}

static const char *find_by_number(struct json_object *devices, const char *what)
{
	for (size_t i = 0; devices && i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);
		const char *path = output_raw(device, "Path");

		if (!strcmp(path + strlen(BUS_DEVICE_PATH_PREFIX), what))
			return output_raw(device, "Name");
	}
	return NULL;
}

static bool is_id(const char *what)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	return strlen(what) == 9 && strspn(what, hex) == 4 && what[4] == ':' &&
	       strspn(what + 5, hex) == 4;
}

/* What the daemon knows better: a volume that was proved, and a fingerprint that sysfs no longer
 * tells. */
static void add_known(struct json_object *devices, struct plugged *plugged)
{
	for (size_t i = 0; devices && i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);
		struct json_object *devnum = json_object_object_get(device, "DeviceNumber");
		const char *uuid = output_raw(device, "LuksUuid");

		if (strcmp(output_raw(device, "Name"), plugged->ident.name) ||
		    json_object_get_int(devnum) != plugged->ident.devnum)
			continue;
		if (luks2_uuid_ok(uuid))
			snprintf(plugged->luks_uuid, sizeof(plugged->luks_uuid), "%s", uuid);
		if (!*plugged->ident.fingerprint)
			snprintf(plugged->ident.fingerprint, IDENT_FINGERPRINT_MAX, "%s",
				 output_raw(device, "Fingerprint"));
	}
}

bool plugged_find(const struct context *context, const char *what, struct plugged *plugged)
{
	_cleanup_(udev_unrefp) struct udev *udev = udev_new();
	_cleanup_(freep) char *why = NULL;
	_cleanup_(json_objectp) struct json_object *devices = ask_daemon(&why);
	char names[1024];

	memset(plugged, 0, sizeof(*plugged));
	if (!udev)
		return tell(context, LABEL_NO_SUCH_DEVICE, what);
	if (*what && strspn(what, "0123456789") == strlen(what)) {
		if (!devices) {
			_cleanup_(freep) char *told = told_text(why ? why : "");

			return tell(context, LABEL_BUS_FAILED, told);
		}
		snprintf(names, sizeof(names), "%s",
			 find_by_number(devices, what) ? find_by_number(devices, what) : "");
		if (!*names)
			return tell(context, LABEL_NO_SUCH_DEVICE, what);
	} else if (is_id(what)) {
		size_t n = find_by_id(udev, what, names, sizeof(names));

		if (n > 1)
			return tell(context, LABEL_SEVERAL_DEVICES, names);
		if (!n)
			return tell(context, LABEL_NO_SUCH_DEVICE, what);
	} else {
		snprintf(names, sizeof(names), "%s", what);
	}
	if (!read_sysfs(context, udev, names, &plugged->ident))
		return false;
	add_known(devices, plugged);
	return true;
}

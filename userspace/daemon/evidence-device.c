// SPDX-License-Identifier: GPL-2.0-or-later
/* A device's members of a record. */
#include <stdio.h>
#include <string.h>

#include "daemon/evidence-inside.h"
#include "daemon/json.h"

static void add_interfaces(struct json_object *record, const struct device *device)
{
	char text[IDENT_INTERFACES_MAX * 9 + 1] = "";

	for (unsigned int i = 0; i < device->ident.n_interfaces; i++) {
		const struct ident_interface *intf = &device->ident.interfaces[i];
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s%02x:%02x:%02x", n ? " " : "", intf->class,
			 intf->subclass, intf->protocol);
	}
	json_add_string(record, "interfaces", text);
}

/* Where several interfaces were judged, each one's own verdict. */
static void add_verdicts(struct json_object *record, const struct device *device)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; list && i < device->n_interfaces; i++) {
		const struct device_interface *intf = &device->interfaces[i];
		struct json_object *verdict = intf->reason ? json_object_new_object() : NULL;
		char class[16];

		if (!verdict)
			continue;
		snprintf(class, sizeof(class), "%02x:%02x:%02x", intf->ident.class,
			 intf->ident.subclass, intf->ident.protocol);
		json_add_number(verdict, "interface", intf->ident.number);
		json_add_string(verdict, "class", class);
		json_add_string(verdict, "verdict", intf->allowed ? "allow" : "block");
		json_add_string(verdict, "reason", intf->reason);
		json_add_number(verdict, "line", intf->line);
		json_object_array_add(list, verdict);
	}
	json_object_object_add(record, "verdicts", list);
}

void evidence_add_device(struct json_object *record, const struct device *device)
{
	char id[16];

	snprintf(id, sizeof(id), "%04x:%04x", device->ident.id_vendor, device->ident.id_product);
	json_add_string(record, "device", device->ident.name);
	json_add_number(record, "bus", device->ident.busnum);
	json_add_number(record, "devnum", device->ident.devnum);
	json_add_string(record, "id", id);
	json_add_string(record, "serial", device->ident.serial);
	json_add_string(record, "manufacturer", device->ident.manufacturer);
	json_add_string(record, "product", device->ident.product);
	json_add_string(record, "fingerprint", device->ident.fingerprint);
	add_interfaces(record, device);
	json_add_string(record, "state", device_state_name(device->state));
	if (device->reason[0])
		json_add_string(record, "reason", device->reason);
	if (device->decided_by[0])
		json_add_string(record, "decided_by", device->decided_by);
	if (device->by_grant && device->used.number)
		json_add_number(record, "exception", device->used.number);
	if (device->medium[0])
		json_add_string(record, "medium", device->medium);
	if (device->method[0])
		json_add_string(record, "method", device->method);
	if (device->state == DEVICE_ALLOWED)
		json_add_string(record, "access", device_access_name(device->access));
	if (device->detail[0])
		json_add_string(record, "detail", device->detail);
	if (device->held_us && device->decided_us >= device->held_us)
		json_add_number(record, "verdict_us", device->decided_us - device->held_us);
	if (device->reason[0] && device->n_judged > 1)
		add_verdicts(record, device);
}

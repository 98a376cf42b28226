// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/text.h"
#include "daemon/evidence.h"
#include "daemon/json.h"
#include "system/logfile.h"

/* Deep enough for every record of ours; the last line of an old log is read with it. */
#define RECORD_DEPTH 8

struct evidence {
	struct logfile *log;
	char *terminal;
	uint64_t seq; /* of the newest record */
	char state[128];
};

static void evidence_set_state(struct evidence *evidence, int r)
{
	if (r)
		snprintf(evidence->state, sizeof(evidence->state), "cannot be written: %s",
			 strerror(-r));
	else
		strcpy(evidence->state, "ok");
}

/* Numbers go on where the newest whole record of an earlier run ended. */
static uint64_t last_seq(struct logfile *log)
{
	_cleanup_(freep) char *line = NULL;
	struct json_tokener *tokener;
	struct json_object *record, *seq;
	uint64_t value = 0;

	if (logfile_last(log, &line) || !line)
		return 0;
	tokener = json_tokener_new_ex(RECORD_DEPTH);
	if (!tokener)
		return 0;
	record = json_tokener_parse_ex(tokener, line, (int)strlen(line) + 1);
	if (json_object_object_get_ex(record, "seq", &seq))
		value = json_object_get_uint64(seq);
	json_object_put(record);
	json_tokener_free(tokener);
	return value;
}

int evidence_new(struct evidence **evidencep, const char *path, const char *terminal)
{
	struct evidence *evidence = calloc(1, sizeof(*evidence));
	int r;

	if (!evidence)
		return -ENOMEM;
	evidence->terminal = strdup(terminal);
	r = evidence->terminal ? logfile_new(&evidence->log, path) : -ENOMEM;
	if (r) {
		evidence_free(evidence);
		return r;
	}
	evidence->seq = last_seq(evidence->log);
	evidence_set_state(evidence, 0);
	*evidencep = evidence;
	return 0;
}

struct evidence *evidence_free(struct evidence *evidence)
{
	if (evidence) {
		logfile_free(evidence->log);
		free(evidence->terminal);
		free(evidence);
	}
	return NULL;
}

const char *evidence_state(const struct evidence *evidence)
{
	return evidence->state;
}

static void add_times(struct json_object *record)
{
	struct timespec now, boot;
	struct tm tm;
	char text[48];
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%06ldZ", now.tv_nsec / 1000);
	json_add_string(record, "time", text);
	json_add_number(record, "boot_us", (uint64_t)boot.tv_sec * 1000000u + (uint64_t)boot.tv_nsec / 1000);
}

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

static void add_device(struct json_object *record, const struct device *device)
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

int evidence_write(struct evidence *evidence, const char *kind, const struct device *device,
		   struct json_object *extra, struct json_object **recordp)
{
	struct json_object *record = json_object_new_object();
	_cleanup_(freep) char *line = NULL;
	const char *json;
	size_t len;
	int r;

	if (!record) {
		json_object_put(extra);
		if (recordp)
			*recordp = NULL;
		return -ENOMEM;
	}
	json_add_number(record, "seq", evidence->seq + 1);
	add_times(record);
	json_add_string(record, "kind", kind);
	json_add_string(record, "terminal", evidence->terminal);
	if (device)
		add_device(record, device);
	if (extra) {
		json_object_object_foreach(extra, key, value)
			json_object_object_add(record, key, json_object_get(value));
		json_object_put(extra);
	}

	json = json_object_to_json_string_length(
		record, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	/* A reader of the log sees what a device calls itself, and is not steered by it. */
	line = json ? text_escape_json(json, len) : NULL;
	len = line ? strlen(line) : 0;
	r = !line ? -ENOMEM : len + 1 > LOGFILE_LINE_MAX ? -EMSGSIZE :
							    logfile_append(evidence->log, line, len);
	if (!r)
		evidence->seq++;
	evidence_set_state(evidence, r);
	if (recordp)
		*recordp = record;
	else
		json_object_put(record);
	return r;
}

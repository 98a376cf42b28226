// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/incidents.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/incident.h"
#include "daemon/json.h"
#include "daemon/manager.h"

/* What of the record that made it one is told again, so that the incident can be understood by itself. */
static const char *const copied[] = {
	"device", "id", "serial", "manufacturer", "product", "fingerprint", "medium", "reason", "detail",
	"attempt", "driver", "program", "uid", "user", "why",
};

static const char *text_of(struct json_object *record, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(record, key, &value) && value ? json_object_get_string(value) : "";
}

static uint64_t number_of(struct json_object *record, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(record, key, &value) ? json_object_get_uint64(value) : 0;
}

static uint32_t local_date(void)
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	return (uint32_t)(tm.tm_year + 1900) * 10000 + (uint32_t)(tm.tm_mon + 1) * 100 + (uint32_t)tm.tm_mday;
}

static void add_cause(struct json_object *extra, struct json_object *record, const char *seated)
{
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++) {
		struct json_object *value;

		if (json_object_object_get_ex(record, copied[i], &value))
			json_object_object_add(extra, copied[i], json_object_get(value));
	}
	if (!json_object_object_get_ex(extra, "user", NULL))
		json_add_string(extra, "user", seated);
}

/* record: the one that made it an incident; NULL: only figures are told. */
static void tell(struct manager *manager, const struct incident *incident, struct json_object *record)
{
	struct json_object *extra = json_object_new_object();
	char number[INCIDENT_NUMBER_MAX];

	if (!extra)
		return;
	incident_number(number, manager->settings.terminal, incident);
	json_add_string(extra, "number", number);
	json_add_string(extra, "type", incident_type_name(incident->type));
	json_add_string(extra, "cause", incident->cause);
	json_add_number(extra, "first_seq", incident->first_seq);
	json_add_number(extra, "last_seq", incident->last_seq);
	json_add_number(extra, "count", incident->count);
	if (incident->again)
		json_object_object_add(extra, "again", json_object_new_boolean(true));
	else if (record)
		add_cause(extra, record, manager->seat ? seat_active(manager->seat)->name : "");
	manager_record(manager, "incident", "Incident", NULL, extra);
}

void manager_watch_incidents(struct manager *manager, struct json_object *record)
{
	struct incident out[INCIDENT_OUT_MAX];
	struct incident_fact fact = {
		.seq = number_of(record, "seq"),
		.boot_us = number_of(record, "boot_us"),
		.date = local_date(),
		.kind = text_of(record, "kind"),
		.reason = text_of(record, "reason"),
		.why = text_of(record, "why"),
		.fingerprint = text_of(record, "fingerprint"),
		.medium = text_of(record, "medium"),
		.attempt = text_of(record, "attempt"),
		.program = text_of(record, "program"),
		.uid = text_of(record, "uid"),
	};
	size_t n;

	if (!manager->incidents || !strcmp(fact.kind, "incident"))
		return;
	n = incidents_add(manager->incidents, &fact, out);
	for (size_t i = 0; i < n; i++)
		tell(manager, &out[i], record);
}

void manager_finish_incidents(struct manager *manager)
{
	struct incident incident;

	while (manager->incidents && incidents_finish(manager->incidents, &incident))
		tell(manager, &incident, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/manager-object.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/names.h"
#include "daemon/json.h"
#include "daemon/lastlife.h"
#include "daemon/manager-log.h"
#include "daemon/manager-policy.h"

void manager_object_describe(struct manager *manager)
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

static const struct manager_bus_info *get_info(void *userdata)
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
	manager->info.unopened_secrets = manager->unopened;
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

int manager_object_begin(struct manager *manager)
{
	int r = manager_bus_new(&manager->bus, manager->event, NULL, get_info, bus_reload,
				manager);

	if (!r)
		r = administration_new(&manager->administration, manager->event, administered,
				       manager);
	if (r < 0)
		return r;
	r = manager_log_join_bus(manager);
	if (r < 0)
		return r;
	manager_bus_set_selfcheck(manager->bus, bus_selfcheck);
	manager_bus_set_medium(manager->bus, line_of_medium);
	manager_bus_set_witness(manager->bus, administration_witness, manager->administration);
	return 0;
}

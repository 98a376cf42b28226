// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The running daemon: restarted where it reads something at its start only, and told to reload in any case, which it records as
 * an `administration` of root's.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "ctl/client.h"
#include "ctl/program.h"
#include "ctl/provision.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define UNIT "sekimorid.service"

bool provision_is_running(void)
{
	struct stat init, ours;

	/* sd_booted(3); and a chroot has another root than process 1. */
	return !lstat("/run/systemd/system", &init) && S_ISDIR(init.st_mode) && !stat("/proc/1/root", &init) && !stat("/", &ours) &&
	       init.st_dev == ours.st_dev && init.st_ino == ours.st_ino;
}

static int systemctl(const char *verb, const char *option, const char *unit)
{
	const char *const argv[] = { SYSTEMCTL, verb, option ? option : unit, option ? unit : NULL, NULL };

	return program_run(argv, NULL, 0, NULL, NULL);
}

static bool has_changed(const struct provision_job *job, const char *const *whats, size_t n)
{
	for (size_t i = 0; i < job->n_items; i++)
		for (size_t k = 0; job->items[i].change && k < n; k++)
			if (!strcmp(job->items[i].what, whats[k]))
				return true;
	return false;
}

static int reload(struct provision_job *job)
{
	_cleanup_(freep) char *why = NULL, *told = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);
	_cleanup_(json_objectp) struct json_object *answer = dbus ? client_reload(dbus, &why) : NULL;
	const char *state = answer ? json_object_get_string(answer) : NULL;

	if (state && !strcmp(state, "ok"))
		return COMMAND_OK;
	told = told_text(state ? state : why ? why : "");
	return provision_fail(job, _("all is in place, but sekimorid did not take it up: %s"), told);
}

int provision_daemon_tell(struct provision_job *job)
{
	static const char *const units[] = { "unit" };
	static const char *const starts[] = { "settings", "log-key", "credential", "unit" };
	bool restart = has_changed(job, starts, ARRAY_SIZE(starts));

	if (!job->is_running) {
		job->daemon = "image";
		return COMMAND_OK;
	}
	if (has_changed(job, units, ARRAY_SIZE(units)) && systemctl("daemon-reload", NULL, NULL))
		return provision_fail(job, _("all is in place, but systemctl daemon-reload failed"));
	if (systemctl("is-active", "--quiet", UNIT)) {
		job->daemon = "not-running";
		return COMMAND_OK;
	}
	if (restart && systemctl("restart", NULL, UNIT))
		return provision_fail(job, _("all is in place, but sekimorid did not start again with it: journalctl -u sekimorid"));
	job->daemon = restart ? "restarted" : "reloaded";
	return reload(job);
}

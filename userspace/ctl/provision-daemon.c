// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The running daemon: restarted where it reads something at its start only, and told to reload in any case, which it records as
 * an `administration` of root's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "ctl/client.h"
#include "ctl/program.h"
#include "ctl/provision.h"
#include "system/safedir.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define UNIT "sekimorid.service"
/* It works without the bus and joins it by itself, a little after systemd calls it started. */
#define JOIN_TRIES 100
#define JOIN_PAUSE_MS 200

bool provision_is_running(void)
{
	struct stat init, ours;

	/* sd_booted(3); and a chroot has another root than process 1. */
	return !lstat("/run/systemd/system", &init) && S_ISDIR(init.st_mode) && !stat("/proc/1/root", &init) && !stat("/", &ours) &&
	       init.st_dev == ours.st_dev && init.st_ino == ours.st_ino;
}

/* --- what it is owed ----------------------------------------------------------------------------------------------- */

#define OWED_NAME "owed"

bool provision_daemon_is_owed(const struct provision_job *job)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;

	return job->is_running && !provision_file_read(job, PROVISION_STATE_DIR, OWED_NAME, 0, &text, &len);
}

int provision_daemon_owe(struct provision_job *job)
{
	_cleanup_(closep) int dir = -1;
	int r;

	if (!job->is_running)
		return COMMAND_OK;
	r = provision_dir_open(job, PROVISION_STATE_DIR, true, 0700, &dir);
	if (!r)
		r = safedir_write(dir, OWED_NAME, 0600, NULL, 0);
	if (!r)
		r = safedir_sync(dir);
	return r ? provision_fail_errno(job, PROVISION_STATE_DIR "/" OWED_NAME, r) : COMMAND_OK;
}

static void forget_owed(struct provision_job *job)
{
	_cleanup_(closep) int dir = -1;

	if (!provision_dir_open(job, PROVISION_STATE_DIR, false, 0, &dir))
		unlinkat(dir, OWED_NAME, 0);
}

/* --- telling it ---------------------------------------------------------------------------------------------------------- */

static int systemctl(const char *verb, const char *option, const char *unit)
{
	const char *const argv[] = { SYSTEMCTL, verb, option ? option : unit, option ? unit : NULL, NULL };

	return program_run(argv, NULL, 0, NULL, NULL);
}

/* systemd's word for it, "" without one. */
static void unit_state(char *state, size_t size)
{
	static const char *const argv[] = { SYSTEMCTL, "show", "--property=ActiveState", "--value", UNIT, NULL };
	char *out = NULL;
	size_t len = 0;

	*state = '\0';
	if (!program_run(argv, NULL, 0, &out, &len))
		snprintf(state, size, "%.*s", (int)strcspn(out, "\n"), out);
	free(out);
}

static bool has_changed(const struct provision_job *job, const char *const *whats, size_t n)
{
	for (size_t i = 0; i < job->n_items; i++)
		for (size_t k = 0; job->items[i].change && k < n; k++)
			if (!strcmp(job->items[i].what, whats[k]))
				return true;
	return false;
}

static bool has_joined(DBusConnection *dbus)
{
	DBusError error = DBUS_ERROR_INIT;
	bool joined = dbus_bus_name_has_owner(dbus, BUS_NAME, &error);

	dbus_error_free(&error);
	return joined;
}

/* Until it is on the bus. One that crashes meanwhile is started anew by systemd: only a unit that was given up ends it. */
static int wait_for_daemon(struct provision_job *job, DBusConnection *dbus)
{
	const struct timespec pause = { .tv_nsec = JOIN_PAUSE_MS * 1000000L };

	for (unsigned int i = 0; !has_joined(dbus); i++) {
		char state[32];

		unit_state(state, sizeof(state));
		if (!strcmp(state, "failed") || !strcmp(state, "inactive"))
			return provision_fail(job, _("all is in place, but sekimorid did not start again with it: journalctl -u sekimorid"));
		if (i == JOIN_TRIES)
			return provision_fail(job, _("all is in place, but sekimorid has not come onto the system bus for %d seconds: "
						     "journalctl -u sekimorid. The next run tells it again"),
					      JOIN_TRIES * JOIN_PAUSE_MS / 1000);
		if (i == 1000 / JOIN_PAUSE_MS)
			fprintf(stderr, "sekimorictl: %s\n", _("waiting for sekimorid …"));
		nanosleep(&pause, NULL);
	}
	return COMMAND_OK;
}

static int reload(struct provision_job *job)
{
	_cleanup_(freep) char *why = NULL, *told = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);
	_cleanup_(json_objectp) struct json_object *answer = NULL;
	const char *state;

	if (dbus && wait_for_daemon(job, dbus))
		return COMMAND_FAILED;
	answer = dbus ? client_reload(dbus, &why) : NULL;
	state = answer ? json_object_get_string(answer) : NULL;
	if (state && !strcmp(state, "ok"))
		return COMMAND_OK;
	told = told_text(state ? state : why ? why : "");
	return provision_fail(job, _("all is in place, but sekimorid did not take it up: %s"), told);
}

/* What an earlier run owed may have been anything. */
static int tell_running(struct provision_job *job)
{
	static const char *const units[] = { "unit" };
	static const char *const starts[] = { "settings", "log-key", "credential", "unit" };
	bool restart = job->is_owed || has_changed(job, starts, ARRAY_SIZE(starts));
	char state[32];

	if ((job->is_owed || has_changed(job, units, ARRAY_SIZE(units))) && systemctl("daemon-reload", NULL, NULL))
		return provision_fail(job, _("all is in place, but systemctl daemon-reload failed"));
	unit_state(state, sizeof(state));
	if (!*state)
		return provision_fail(job, _("all is in place, but systemctl does not say whether sekimorid runs"));
	if (!strcmp(state, "inactive")) {
		job->daemon = "not-running";
		return COMMAND_OK;
	}
	/* Starting, crashing, or given up: it may be for want of what was just written. */
	if (strcmp(state, "active") && strcmp(state, "reloading"))
		restart = true;
	if (restart && systemctl("restart", NULL, UNIT))
		return provision_fail(job, _("all is in place, but sekimorid did not start again with it: journalctl -u sekimorid"));
	job->daemon = restart ? "restarted" : "reloaded";
	return reload(job);
}

int provision_daemon_tell(struct provision_job *job)
{
	int r;

	if (!job->is_running) {
		job->daemon = "image";
		return COMMAND_OK;
	}
	r = tell_running(job);
	if (!r)
		forget_owed(job);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Temporary exceptions: their store, what is owed of them, who may approve them, and the key for codes by telephone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/grantclock.h"
#include "core/policy.h"
#include "doctor/checks.h"

/* Some restarts one after the other put it ahead by as many minutes, and a night that the terminal is off takes that back. */
#define CLOCK_AHEAD_S (10 * GRANTCLOCK_MARK_S)

#define PAM_MAX 65536
#define POLKIT_RULES "/usr/share/polkit-1/rules.d/50-sekimori.rules"

static bool silent(const struct doctor *doctor, struct doctor_finding *finding)
{
	if (doctor->exceptions)
		return false;
	finding_add(finding, DOCTOR_UNKNOWN, N_("the daemon does not answer"));
	return true;
}

static unsigned int number(const struct doctor *doctor, const char *property)
{
	struct json_object *value;

	if (!json_object_object_get_ex(doctor->exceptions, property, &value))
		return 0;
	return (unsigned int)json_object_get_uint64(value);
}

/* The daemon's sentence is English, on D-Bus and in the record. */
static void tell_state(struct doctor_finding *finding, const char *state)
{
	_cleanup_(freep) char *told = told_text(state);

	finding_add(finding, DOCTOR_FAIL, N_("the daemon says: %s"), state);
	snprintf(finding->shown, sizeof(finding->shown), _("the daemon says: %s"), told);
}

void check_exceptions_store(struct doctor *doctor, const struct doctor_check *check,
			    struct doctor_finding *finding)
{
	const char *state;

	if (silent(doctor, finding))
		return;
	state = output_raw(doctor->exceptions, "State");
	if (strcmp(state, "ok"))
		tell_state(finding, state);
	else
		finding_add(finding, DOCTOR_OK, N_("waiting for approval: %u; approved or in force: %u"),
			    number(doctor, "Waiting"), number(doctor, "Live"));
}

void check_exceptions_due(struct doctor *doctor, const struct doctor_check *check,
			  struct doctor_finding *finding)
{
	if (!silent(doctor, finding) && number(doctor, "Overdue"))
		finding_add(finding, DOCTOR_WARN, N_("exceptions with something overdue: %u"),
			    number(doctor, "Overdue"));
}

/* When so many are missing that the policy refuses the next emergency, nobody can act in one any more. */
void check_exceptions_reports(struct doctor *doctor, const struct doctor_check *check,
			      struct doctor_finding *finding)
{
	unsigned int missing, most = 0;

	if (silent(doctor, finding))
		return;
	missing = number(doctor, "Unreported");
	if (doctor->policy.policy)
		most = policy_header(doctor->policy.policy)->exceptions.emergency_reports;
	if (missing && most && missing >= most)
		finding_add(finding, DOCTOR_FAIL,
			    N_("emergencies without a report: %u; the next emergency is refused"),
			    missing);
	else if (missing)
		finding_add(finding, DOCTOR_WARN, N_("emergencies without a report: %u"), missing);
}

void check_exceptions_clock(struct doctor *doctor, const struct doctor_check *check,
			    struct doctor_finding *finding)
{
	int64_t ahead;
	unsigned int minutes;

	if (silent(doctor, finding))
		return;
	ahead = json_object_get_int64(json_object_object_get(doctor->exceptions, "ClockAhead"));
	if (ahead <= CLOCK_AHEAD_S)
		return;
	minutes = (unsigned int)(ahead / 60);
	finding_add(finding, DOCTOR_WARN, N_("ahead of the wall clock by %u days, %u h %u min"), minutes / 1440,
		    minutes / 60 % 24, minutes % 60);
}

void check_exceptions_roles(struct doctor *doctor, const struct doctor_check *check,
			    struct doctor_finding *finding)
{
	doctor_owned(doctor, POLKIT_RULES, finding);
}

/* Does a line of it (pam.d(5)), which is no comment, name the module? */
static bool names_module(char *text, const char *module)
{
	char *save;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (*line != '#' && strstr(line, module))
			return true;
	}
	return false;
}

/* The file that counts: the administrator's, or the package's. */
static bool service_file(struct doctor *doctor, const char *service, char path[static 64])
{
	static const char *const dirs[] = {"/etc/pam.d", "/usr/lib/pam.d"};

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, 64, "%s/%s", dirs[i], service);
		if (tree_exists(&doctor->tree, path))
			return true;
	}
	return false;
}

/*
 * A program without a login uid approves nothing (docs/exceptions.md), and may write one itself. Services by which people log in, of
 * those that are installed.
 */
void check_exceptions_logins(struct doctor *doctor, const struct doctor_check *check,
			     struct doctor_finding *finding)
{
	static const char *const services[] = {"login", "sshd", "systemd-user", "gdm-password", "gdm-autologin", "lightdm",
					       "lightdm-autologin", "sddm", "cron"};

	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		_cleanup_(freep) char *text = NULL;
		char path[64];
		int r;

		if (!service_file(doctor, services[i], path))
			continue;
		r = tree_read(&doctor->tree, path, PAM_MAX, &text, NULL);
		if (r)
			finding_unreadable(finding, DOCTOR_UNKNOWN, path, -r);
		else if (!names_module(text, "pam_loginuid.so"))
			finding_add(finding, DOCTOR_WARN, N_("%s does not name pam_loginuid.so"), path);
	}
}

/* Who reads it can answer this terminal's requests in the help desk's place. */
static void look_at_key(struct doctor *doctor, const char *path, struct doctor_finding *finding)
{
	struct stat st;

	if (!doctor_roots(doctor, path, &st, finding))
		return;
	if (!S_ISREG(st.st_mode) || st.st_mode & (S_IRWXG | S_IRWXO))
		finding_add(finding, DOCTOR_FAIL, N_("others can read %s"), path);
	else if (doctor->exceptions &&
		 !json_object_get_boolean(json_object_object_get(doctor->exceptions, "Phone")))
		finding_add(finding, DOCTOR_WARN, N_("the daemon has not taken %s"), path);
}

/* Without the setting there are no codes by telephone, or the key is a credential of the service, which systemd guards. */
void check_telephone_key(struct doctor *doctor, const struct doctor_check *check,
			 struct doctor_finding *finding)
{
	char path[TREE_LINE_MAX];

	doctor_setting(doctor, "telephone-key", "", path);
	if (*path)
		look_at_key(doctor, path, finding);
}

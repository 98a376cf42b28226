// SPDX-License-Identifier: GPL-2.0-or-later
/* The policy, as the daemon has it and as its file stands there. */
#include <libintl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "core/civil.h"
#include "core/utf8.h"
#include "doctor/checks.h"
#include "system/policyhistory.h"

/* So long before its end somebody has to think of the next one. */
#define END_NEAR_DAYS 30

static bool policy_unread(const struct doctor *doctor, struct doctor_finding *finding)
{
	if (doctor->policy.policy)
		return false;
	finding_add(finding, DOCTOR_UNKNOWN, N_("the policy file cannot be used"));
	return true;
}

void check_policy_state(struct doctor *doctor, const struct doctor_check *check,
			struct doctor_finding *finding)
{
	const char *state = doctor->manager ? output_raw(doctor->manager, "PolicyState") : "";

	if (!doctor->manager)
		finding_add(finding, DOCTOR_UNKNOWN, N_("the daemon does not answer"));
	else if (!strcmp(state, "previous"))
		finding_add(finding, DOCTOR_WARN,
			    N_("the policy file was refused; the one before it is in force"));
	else if (strcmp(state, "ok"))
		finding_add(finding, DOCTOR_FAIL, N_("the daemon says: %s"), state);
}

/* The history's floor is what the daemon has accepted last. */
static void compare_floor(struct doctor *doctor, struct doctor_finding *finding)
{
	char dir[PATH_MAX];
	struct floor floor;
	int r;

	if (snprintf(dir, sizeof(dir), "%s%s", doctor->tree.root, doctor->state_dir) >=
	    (int)sizeof(dir))
		return;
	r = policyhistory_floor(dir, &floor);
	if (r == POLICYHISTORY_E_NONE)
		finding_add(finding, DOCTOR_WARN, N_("the daemon has not accepted any policy yet"));
	else if (r == POLICYHISTORY_E_UNSAFE)
		finding_add(finding, DOCTOR_FAIL, N_("others can change %s"), doctor->state_dir);
	else if (r == POLICYHISTORY_E_DAMAGED)
		finding_add(finding, DOCTOR_FAIL,
			    N_("the memory of accepted policies in %s is damaged"),
			    doctor->state_dir);
	else if (r)
		finding_unreadable(finding, DOCTOR_UNKNOWN, doctor->state_dir, -r);
	else if (strcmp(floor.digest, doctor->policy.digest))
		finding_add(finding, DOCTOR_WARN,
			    N_("%s has been changed since the daemon accepted it"),
			    doctor->policy_file);
}

/* Why the daemon would refuse the file. The order does not matter. */
static const struct {
	int code;
	const char *text; /* msgid */
} outcomes[] = {
	{POLICYSTORE_E_ABSENT, N_("there is no policy file")},
	{POLICYSTORE_E_UNSAFE, N_("others can change the policy, its signatures, keys or memory")},
	{POLICYSTORE_E_LARGE, N_("a file is larger than any policy needs")},
	{POLICYSTORE_E_TRUST, N_("the trust files have errors")},
	{POLICYSTORE_E_TRUST_LOST, N_("the trust keys are gone")},
	{POLICYSTORE_E_UNSIGNED, N_("it has no signature")},
	{POLICYSTORE_E_SIGNATURES, N_("its signatures are not enough")},
	{POLICYSTORE_E_SYNTAX, N_("it has errors: run 'sekimorictl check-policy'")},
	{POLICYSTORE_E_ROLLBACK, N_("it is older than one that was accepted")},
	{POLICYSTORE_E_SAME_VERSION, N_("it has the version of the accepted one, and another text")},
	{POLICYSTORE_E_STATE, N_("the memory of accepted policies is damaged")},
};

static void tell_outcome(const struct doctor *doctor, struct doctor_finding *finding)
{
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		if (outcomes[i].code == doctor->policy_error)
			finding_add(finding, DOCTOR_FAIL, "%s", gettext(outcomes[i].text));
	/* The daemon's own sentence, as in its log, names files and places; it is English. */
	finding->result = DOCTOR_FAIL;
	utf8_copy(finding->detail, sizeof(finding->detail), doctor->policy.message,
		  strlen(doctor->policy.message));
}

void check_policy_file(struct doctor *doctor, const struct doctor_check *check,
		       struct doctor_finding *finding)
{
	int r = doctor->policy_error;

	if (!r)
		compare_floor(doctor, finding);
	else if (r == -EACCES || r == -EPERM)
		finding_add(finding, DOCTOR_UNKNOWN, N_("only root can read it"));
	else if (r < 0)
		finding_unreadable(finding, DOCTOR_UNKNOWN, doctor->policy_file, -r);
	else if (r == POLICYSTORE_E_EARLY)
		finding_add(finding, DOCTOR_WARN, N_("it is not valid yet"));
	else
		tell_outcome(doctor, finding);
}

void check_policy_signed(struct doctor *doctor, const struct doctor_check *check,
			 struct doctor_finding *finding)
{
	if (!policy_unread(doctor, finding) && !doctor->policy.is_signed)
		finding_add(finding, DOCTOR_WARN,
			    N_("nobody has signed it: root alone decides what it says"));
}

void check_policy_end(struct doctor *doctor, const struct doctor_check *check,
		      struct doctor_finding *finding)
{
	char text[CIVIL_TEXT_MAX];
	int64_t end;

	if (policy_unread(doctor, finding))
		return;
	end = policy_valid_until(doctor->policy.policy);
	if (!end)
		return;
	civil_format(end, text);
	if (end < doctor->local)
		finding_add(finding, DOCTOR_FAIL, N_("it ended %s: nothing is let in"), text);
	else if (end < doctor->local + END_NEAR_DAYS * CIVIL_DAY)
		finding_add(finding, DOCTOR_WARN, N_("it ends %s"), text);
}

void check_policy_contact(struct doctor *doctor, const struct doctor_check *check,
			  struct doctor_finding *finding)
{
	const struct policy_header *header;

	if (policy_unread(doctor, finding))
		return;
	header = policy_header(doctor->policy.policy);
	if (!header->contact || !*header->contact)
		finding_add(finding, DOCTOR_WARN, N_("it has no 'contact'"));
}

void check_terminal_name(struct doctor *doctor, const struct doctor_check *check,
			 struct doctor_finding *finding)
{
	char name[TREE_LINE_MAX];

	doctor_setting(doctor, "terminal", "", name);
	if (!*name)
		finding_add(finding, DOCTOR_WARN,
			    N_("the settings name none: the log shows the host name"));
}

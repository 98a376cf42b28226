// SPDX-License-Identifier: GPL-2.0-or-later
#include <libintl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/lex.h"
#include "core/settings.h"
#include "doctor/doctor.h"

#define SETTINGS_FILE "/etc/sekimori/sekimorid.conf"
#define SETTINGS_SIZE_MAX 65536

const char *doctor_result_name(enum doctor_result result)
{
	static const char *const names[N_DOCTOR_RESULTS] = {"ok", "unknown", "warn", "fail"};

	return names[result];
}

/* --- what is found ---------------------------------------------------------------------------- */

static _printf_(2, 0) void detail_append(char *detail, const char *format, va_list args)
{
	size_t used = strlen(detail);

	if (used && used + 3 < DOCTOR_DETAIL_MAX) {
		strcpy(detail + used, "; ");
		used += 2;
	}
	vsnprintf(detail + used, DOCTOR_DETAIL_MAX - used, format, args);
}

void finding_add(struct doctor_finding *finding, enum doctor_result result, const char *format, ...)
{
	va_list args, again;

	if (result < finding->result)
		return;
	if (result > finding->result) {
		finding->result = result;
		finding->detail[0] = finding->shown[0] = '\0';
	}
	va_start(args, format);
	va_copy(again, args);
	detail_append(finding->detail, format, args);
	detail_append(finding->shown, gettext(format), again);
	va_end(again);
	va_end(args);
}

void doctor_examine(struct doctor *doctor, const struct doctor_check *check,
		    struct doctor_finding *finding)
{
	*finding = (struct doctor_finding){.todo = check->todo};
	check->run(doctor, check, finding);
	if (finding->result < DOCTOR_WARN)
		finding->todo = "";
}

/* --- what is looked at ------------------------------------------------------------------------ */

/*
 * Not core/settings.h: that takes all of a file or nothing, as the daemon must; here each setting
 * that can be read helps.
 */
void doctor_setting(const struct doctor *doctor, const char *name, const char *otherwise,
		    char value[static TREE_LINE_MAX])
{
	_cleanup_(freep) char *text = NULL;
	const struct lex_token *token;
	struct lex lex;
	size_t len;

	snprintf(value, TREE_LINE_MAX, "%s", otherwise);
	if (tree_read(&doctor->tree, SETTINGS_FILE, SETTINGS_SIZE_MAX, &text, &len) ||
	    lex_init(&lex, SETTINGS_FILE, text, len, NULL, NULL))
		return;
	while (lex_statement(&lex)) {
		token = lex_take(&lex);
		if (token && !strcmp(token->text, name) && (token = lex_take(&lex)))
			snprintf(value, TREE_LINE_MAX, "%s", token->text);
	}
	lex_deinit(&lex);
}

static void error_ignore(void *userdata, const char *file, unsigned int line, unsigned int column,
			 const char *message)
{
}

static char *below_root(const struct doctor *doctor, const char *path)
{
	char *full;

	return asprintf(&full, "%s%s", doctor->tree.root, path) < 0 ? NULL : full;
}

static int policy_load(struct doctor *doctor)
{
	_cleanup_(freep) char *file = below_root(doctor, doctor->policy_file);
	_cleanup_(freep) char *trust = below_root(doctor, doctor->trust_dir);
	_cleanup_(freep) char *state = below_root(doctor, doctor->state_dir);
	_cleanup_(policystore_freep) struct policystore *store = NULL;

	if (!file || !trust || !state || policystore_new(&store, file, trust, state))
		return -ENOMEM;
	doctor->policy_error =
		policystore_load(store, doctor->local, error_ignore, NULL, &doctor->policy);
	return doctor->policy_error == -ENOMEM ? -ENOMEM : 0;
}

static void places_load(struct doctor *doctor)
{
	struct settings defaults;
	char *slash;

	settings_init(&defaults);
	doctor_setting(doctor, "policy-file", defaults.policy_file, doctor->policy_file);
	doctor_setting(doctor, "trust-dir", defaults.trust_dir, doctor->trust_dir);
	doctor_setting(doctor, "state-dir", defaults.state_dir, doctor->state_dir);
	doctor_setting(doctor, "log-file", defaults.log_file, doctor->log_dir);
	slash = strrchr(doctor->log_dir, '/');
	if (slash)
		*slash = '\0';
}

int doctor_open(struct doctor *doctor, const char *root, struct json_object *manager, bool polkit)
{
	struct timespec now;
	struct tm local;
	int r;

	memset(doctor, 0, sizeof(*doctor));
	if (!strcmp(root, "/"))
		root = "";
	r = tree_open(&doctor->tree, root);
	if (r)
		return r;
	doctor->own = !*root;
	doctor->manager = manager;
	doctor->polkit = polkit;
	clock_gettime(CLOCK_REALTIME, &now);
	doctor->now = now.tv_sec;
	localtime_r(&now.tv_sec, &local);
	doctor->local = now.tv_sec + local.tm_gmtoff;
	tree_line(&doctor->tree, "/proc/sys/kernel/osrelease", doctor->release);
	doctor->layers_error = layers_read(&doctor->layers, root);
	places_load(doctor);
	r = modules_load(&doctor->modules, &doctor->tree, doctor->release);
	if (!r)
		r = policy_load(doctor);
	if (r)
		doctor_close(doctor);
	return r;
}

void doctor_close(struct doctor *doctor)
{
	doctor->log = doctor_log_free(doctor->log);
	policystore_result_free(&doctor->policy);
	modules_free(&doctor->modules);
	tree_close(&doctor->tree);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <libintl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/i18n.h"
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

static _printf_(2, 0) void detail_vadd(char *detail, const char *format, va_list args)
{
	size_t used = strlen(detail);

	if (used && used + 3 < DOCTOR_DETAIL_MAX) {
		strcpy(detail + used, "; ");
		used += 2;
	}
	vsnprintf(detail + used, DOCTOR_DETAIL_MAX - used, format, args);
}

static _printf_(2, 3) void detail_add(char *detail, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	detail_vadd(detail, format, args);
	va_end(args);
}

/* False: what was found before weighs more. */
static bool finding_take(struct doctor_finding *finding, enum doctor_result result)
{
	if (result > finding->result) {
		finding->result = result;
		finding->detail[0] = finding->shown[0] = '\0';
	}
	return result == finding->result;
}

void finding_add(struct doctor_finding *finding, enum doctor_result result, const char *format, ...)
{
	va_list args, again;

	if (!finding_take(finding, result))
		return;
	va_start(args, format);
	va_copy(again, args);
	detail_vadd(finding->detail, format, args);
	detail_vadd(finding->shown, gettext(format), again);
	va_end(again);
	va_end(args);
}

void finding_unreadable(struct doctor_finding *finding, enum doctor_result result, const char *what,
			int error)
{
	/* strerror() would be in the reader's language, where libc has it. */
	const char *english = strerrordesc_np(error);

	if (!finding_take(finding, result))
		return;
	detail_add(finding->detail, "%s cannot be read: %s", what, english ? english : "?");
	detail_add(finding->shown, _("%s cannot be read: %s"), what, i18n_error(error));
}

bool doctor_roots(const struct doctor *doctor, const char *path, struct stat *st, struct doctor_finding *finding)
{
	int r = tree_stat(&doctor->tree, path, false, st);

	if (r == -ENOENT)
		finding_add(finding, DOCTOR_WARN, N_("%s is missing"), path);
	else if (r)
		finding_unreadable(finding, DOCTOR_UNKNOWN, path, -r);
	else if (st->st_uid != doctor->tree.owner)
		finding_add(finding, DOCTOR_FAIL, N_("%s is not root's"), path);
	else
		return true;
	return false;
}

void doctor_owned(const struct doctor *doctor, const char *path, struct doctor_finding *finding)
{
	struct stat st;

	if (doctor_roots(doctor, path, &st, finding) && st.st_mode & (S_IWGRP | S_IWOTH))
		finding_add(finding, DOCTOR_FAIL, N_("others can change %s"), path);
}

bool doctor_sysfs(const struct doctor *doctor, struct doctor_finding *finding)
{
	if (tree_exists(&doctor->tree, "/sys/bus"))
		return true;
	finding_add(finding, DOCTOR_UNKNOWN, N_("there is no sysfs"));
	return false;
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
	char log_keys[TREE_LINE_MAX], *slash;

	settings_init(&defaults);
	doctor_setting(doctor, "policy-file", defaults.policy_file, doctor->policy_file);
	doctor_setting(doctor, "trust-dir", defaults.trust_dir, doctor->trust_dir);
	doctor_setting(doctor, "state-dir", defaults.state_dir, doctor->state_dir);
	doctor_setting(doctor, "log-file", defaults.log_file, doctor->log_dir);
	doctor_setting(doctor, "log-keys", defaults.log_keys, log_keys);
	snprintf(doctor->log_header, sizeof(doctor->log_header), "%s/header", log_keys);
	slash = strrchr(doctor->log_dir, '/');
	if (slash)
		*slash = '\0';
}

int doctor_open(struct doctor *doctor, const char *root, struct json_object *manager,
		struct json_object *exceptions, bool polkit)
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
	doctor->exceptions = exceptions;
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

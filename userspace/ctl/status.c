// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimorictl status`: does the barrier stand, and if not, what is to be done? Reads sysfs first,
 * so that it tells the truth about the kernel also when the daemon is silent.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/moment.h"
#include "cli/told.h"
#include "core/deaths.h"
#include "core/text.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/status-exceptions.h"
#include "system/layers.h"

/* One line for each thing that can be wrong. */
#define PROBLEMS_MAX 8

struct problem {
	const char *code; /* for programs */
	enum label label;
	char *more; /* malloc'd, escaped, or NULL */
	bool note;  /* the barrier stands all the same */
};

struct status {
	struct layers layers;
	struct json_object *manager; /* properties, NULL: no answer */
	struct json_object *exceptions; /* NULL: no answer, or a daemon that knows none */
	struct problem problems[PROBLEMS_MAX];
	size_t n_problems;
	size_t n_notes; /* of them */
};

/* How LogState begins when nothing is let through for it. Other sentences stand in the line of the log. */
#define LOG_FAILED "cannot be written"

static void problem_add(struct status *status, const char *code, enum label label, char *more)
{
	status->problems[status->n_problems++] =
		(struct problem){.code = code, .label = label, .more = more};
}

/* Names of the hosts whose new interfaces anybody's driver may take. */
static char *open_hosts(const struct layers *layers)
{
	char names[LAYERS_HOSTS_MAX * LAYERS_NAME_MAX] = "";
	size_t used = 0;

	for (size_t i = 0; i < layers->n_hosts; i++)
		if (!layers->hosts[i].closed)
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 used ? " " : "", layers->hosts[i].name);
	return output_escape(names);
}

/* What the keeper may say of its policy; the words are those of PolicyState. */
static const struct {
	const char *state;
	const char *code;
	enum label label;
} policy_states[] = {
	{"missing", "policy-missing", LABEL_DO_POLICY_MISSING},
	{"refused", "policy-refused", LABEL_DO_POLICY_REFUSED},
	{"previous", "policy-previous", LABEL_DO_POLICY_PREVIOUS},
	{"expired", "policy-expired", LABEL_DO_POLICY_EXPIRED},
	{"not-yet-valid", "policy-not-yet-valid", LABEL_DO_POLICY_EARLY},
};

static void policy_judge(struct status *status)
{
	const char *state = output_raw(status->manager, "PolicyState");
	struct json_object *is_signed;
	size_t i = 0;

	while (i < ARRAY_SIZE(policy_states) && strcmp(policy_states[i].state, state))
		i++;
	if (i < ARRAY_SIZE(policy_states))
		problem_add(status, policy_states[i].code, policy_states[i].label, NULL);
	else if (strcmp(state, "ok"))
		problem_add(status, "policy-unknown", LABEL_DO_POLICY_UNKNOWN,
			    output_member(status->manager, "PolicyState"));
	if (*output_raw(status->manager, "PolicyError"))
		problem_add(status, "policy-rejected", LABEL_DO_POLICY_REJECTED,
			    output_member(status->manager, "PolicyError"));
	/* Only of a policy that is there, and from a daemon that tells. */
	if (strcmp(state, "missing") && strcmp(state, "refused") &&
	    json_object_object_get_ex(status->manager, "PolicySigned", &is_signed) &&
	    !json_object_get_boolean(is_signed)) {
		problem_add(status, "policy-unsigned", LABEL_DO_POLICY_UNSIGNED, NULL);
		status->problems[status->n_problems - 1].note = true;
		status->n_notes++;
	}
}

static bool status_ok(const struct status *status)
{
	return status->n_problems == status->n_notes;
}

static const char *status_mode(const struct status *status)
{
	return status->manager ? output_raw(status->manager, "Mode") : "";
}

/* "2026-11-21 17:15", local time. */
static char *drill_since(const struct status *status)
{
	struct json_object *since = json_object_object_get(status->manager, "DrillSince");

	return moment_text((int64_t)(json_object_get_uint64(since) / 1000000));
}

static void mode_judge(struct status *status)
{
	const char *mode = status_mode(status);

	if (!strcmp(mode, "drill")) {
		problem_add(status, "drill", LABEL_DRILL_SINCE, drill_since(status));
	} else if (!strcmp(mode, "drill-refused")) {
		problem_add(status, "drill-refused", LABEL_DRILL_REFUSED, NULL);
		status->problems[status->n_problems - 1].note = true;
		status->n_notes++;
	}
}

/* Nothing from a daemon that does not tell. */
static void deaths_judge(struct status *status)
{
	struct json_object *deaths;

	if (json_object_object_get_ex(status->manager, "RecentDeaths", &deaths) &&
	    json_object_get_uint64(deaths) >= DEATHS_LOOP)
		problem_add(status, "daemon-deaths", LABEL_DO_DEATHS, NULL);
}

static void status_judge(struct status *status)
{
	const struct layers *layers = &status->layers;

	mode_judge(status);

	if (!layers->gate_loaded && layers->second_closed)
		problem_add(status, "gate-not-loaded", LABEL_DO_GATE_SECOND, NULL);
	else if (!layers->gate_loaded)
		problem_add(status, "nothing-holds", LABEL_DO_GATE_NOTHING, NULL);
	else if (!layers->second_closed)
		problem_add(status, "second-layer-off", LABEL_DO_SECOND, open_hosts(layers));

	if (!status->manager) {
		problem_add(status, "daemon-silent", LABEL_DO_DAEMON, NULL);
		return;
	}
	if (layers->gate_loaded && strcmp(output_raw(status->manager, "Backend"), "kmod"))
		problem_add(status, "gate-unused", LABEL_DO_BACKEND, NULL);
	if (!strncmp(output_raw(status->manager, "LogState"), LOG_FAILED, sizeof(LOG_FAILED) - 1))
		problem_add(status, "log-failed", LABEL_DO_LOG,
			    output_member(status->manager, "LogState"));
	deaths_judge(status);
	policy_judge(status);
}

/* --- for people ---------------------------------------------------------------------------- */

/* Columns of the longest label of a line, in either language, and two to spare. */
#define LABEL_WIDTH 22

static void print_title(const struct context *context, enum label label)
{
	const char *title = label_text(label);

	fputs(title, stdout);
	output_pad(title, LABEL_WIDTH);
}

static void print_line(const struct context *context, enum label label, const char *value,
		       const char *more)
{
	print_title(context, label);
	printf("%s%s%s\n", value, *more ? "  " : "", more);
}

static void print_layers(const struct context *context, const struct layers *layers)
{
	enum label gate = !layers->gate_loaded  ? LABEL_GATE_MISSING
			  : layers->gate_locked ? LABEL_GATE_LOCKED
						: LABEL_GATE_UNLOCKED;
	enum label second = !layers->second_closed ? LABEL_SECOND_OFF
			    : layers->n_hosts      ? LABEL_SECOND_ON
						   : LABEL_SECOND_NO_HOST;
	_cleanup_(freep) char *open = open_hosts(layers);

	print_line(context, LABEL_GATE, label_text(gate), "");
	print_line(context, LABEL_SECOND, label_text(second), open);
}

static void print_member(const struct context *context, enum label label,
			 struct json_object *manager, const char *key)
{
	_cleanup_(freep) char *value = output_member(manager, key);

	if (*value)
		print_line(context, label, value, "");
}

/* "yes, by A, B", "no"; nothing from a daemon that does not tell. */
static void print_signers(const struct context *context, struct json_object *manager)
{
	struct json_object *is_signed, *signers = NULL;
	size_t n = 0;

	if (!json_object_object_get_ex(manager, "PolicySigned", &is_signed))
		return;
	if (json_object_object_get_ex(manager, "PolicySigners", &signers) &&
	    json_object_is_type(signers, json_type_array))
		n = json_object_array_length(signers);
	if (!json_object_get_boolean(is_signed))
		n = 0;
	print_title(context, LABEL_SIGNED);
	fputs(label_text(json_object_get_boolean(is_signed) ? LABEL_YES : LABEL_NO), stdout);
	for (size_t i = 0; i < n; i++) {
		const char *raw = json_object_get_string(json_object_array_get_idx(signers, i));
		_cleanup_(freep) char *name = output_escape(raw ? raw : "");

		printf("%s%s", i ? ", " : "  ", name);
	}
	putchar('\n');
}

static void print_policy(const struct context *context, struct json_object *manager)
{
	_cleanup_(freep) char *state = output_member(manager, "PolicyState");
	_cleanup_(freep) char *file = output_member(manager, "PolicyFile");
	_cleanup_(freep) char *id = output_member(manager, "PolicyId");
	struct json_object *number;
	uint64_t version = 0;

	print_line(context, LABEL_POLICY,
		   !strcmp(state, "ok")        ? label_text(LABEL_OK)
		   : !strcmp(state, "missing") ? label_text(LABEL_POLICY_MISSING)
					       : state,
		   file);
	if (json_object_object_get_ex(manager, "PolicyVersion", &number))
		version = json_object_get_uint64(number);
	if (*id || version) {
		_cleanup_(freep) char *text = output_format("%" PRIu64, version);

		print_line(context, LABEL_POLICY_VERSION, *id ? id : "-", version ? text : "");
	}
	print_signers(context, manager);
	print_member(context, LABEL_POLICY_UNTIL, manager, "PolicyValidUntil");
	print_member(context, LABEL_CONTACT, manager, "Contact");
}

static void print_daemon(const struct context *context, struct json_object *manager)
{
	_cleanup_(freep) char *version = output_member(manager, "Version");
	_cleanup_(freep) char *backend = output_member(manager, "Backend");
	_cleanup_(freep) char *terminal = output_member(manager, "Terminal");
	_cleanup_(freep) char *log_state = output_member(manager, "LogState");
	_cleanup_(freep) char *log_file = output_member(manager, "LogFile");

	if (!manager) {
		print_line(context, LABEL_DAEMON, label_text(LABEL_DAEMON_SILENT), "");
		return;
	}
	print_line(context, LABEL_DAEMON, label_text(LABEL_DAEMON_RUNNING), version);
	print_line(context, LABEL_BACKEND, backend, "");
	print_line(context, LABEL_TERMINAL, terminal, "");
	print_policy(context, manager);
	print_line(context, LABEL_LOG, strcmp(log_state, "ok") ? log_state : label_text(LABEL_OK),
		   log_file);
}

static void print_exceptions(const struct context *context, struct json_object *exceptions)
{
	struct json_object *grants = json_object_object_get(exceptions, "Grants");
	size_t n = grants ? json_object_array_length(grants) : 0;
	_cleanup_(freep) char *line = NULL;

	if (!exceptions)
		return;
	line = status_exceptions_words(exceptions);
	print_line(context, LABEL_EXCEPTIONS, line, "");
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *grant = status_exceptions_grant(json_object_array_get_idx(grants, i));

		output_pad("", LABEL_WIDTH);
		puts(grant);
	}
}

static void print_problems(const struct context *context, const struct status *status, bool notes)
{

	if (notes && status->n_notes)
		printf("%s\n", label_text(LABEL_NOTES));
	for (size_t i = 0; i < status->n_problems; i++) {
		const struct problem *problem = &status->problems[i];

		_cleanup_(freep) char *more = told_text(problem->more ? problem->more : "");

		if (problem->note == notes)
			printf("  - %s%s%s\n", label_text(problem->label), *more ? " " : "", more);
	}
}

/* White on red, where there are colours. */
static void print_banner(const struct context *context)
{
	printf("%s%s%s\n\n", context->colour ? "\033[1;37;41m" : "", label_text(LABEL_DRILL),
	       context->colour ? "\033[0m" : "");
}

static void print_status(const struct context *context, const struct status *status)
{
	const struct layers *layers = &status->layers;

	if (!strcmp(status_mode(status), "drill"))
		print_banner(context);
	print_layers(context, layers);
	print_daemon(context, status->manager);
	print_exceptions(context, status->exceptions);
	if (layers->n_counters)
		printf("\n%s\n", label_text(LABEL_COUNTERS));
	for (size_t i = 0; i < layers->n_counters; i++) {
		_cleanup_(freep) char *name = output_escape(layers->counters[i].name);

		printf("  %s", name);
		output_pad(name, LABEL_WIDTH - 2);
		printf("%" PRIu64 "\n", layers->counters[i].value);
	}
	printf("\n%s\n", label_text(status_ok(status) ? LABEL_ALL_WELL : LABEL_PROBLEMS));
	print_problems(context, status, false);
	print_problems(context, status, true);
}

/* --- for programs -------------------------------------------------------------------------- */

static void add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static struct json_object *add_object(struct json_object *object, const char *key)
{
	struct json_object *inner = json_object_new_object();

	json_object_object_add(object, key, inner);
	return inner;
}

static void print_json(const struct context *context, const struct status *status)
{
	_cleanup_(json_objectp) struct json_object *all = json_object_new_object();
	const struct layers *layers = &status->layers;
	struct json_object *part, *problems;

	add_bool(all, "ok", status_ok(status));

	part = add_object(all, "gate");
	add_bool(part, "loaded", layers->gate_loaded);
	add_bool(part, "locked", layers->gate_locked);
	part = add_object(part, "counters");
	for (size_t i = 0; i < layers->n_counters; i++)
		json_object_object_add(part, layers->counters[i].name,
				       json_object_new_uint64(layers->counters[i].value));

	part = add_object(all, "second_layer");
	add_bool(part, "on", layers->second_closed);
	part = add_object(part, "hosts");
	for (size_t i = 0; i < layers->n_hosts; i++)
		add_bool(part, layers->hosts[i].name, layers->hosts[i].closed);

	json_object_object_add(all, "daemon", json_object_get(status->manager));
	json_object_object_add(all, "exceptions", json_object_get(status->exceptions));

	problems = json_object_new_array();
	json_object_object_add(all, "problems", problems);
	for (size_t i = 0; i < status->n_problems; i++) {
		const struct problem *problem = &status->problems[i];

		part = json_object_new_object();
		json_object_array_add(problems, part);
		json_object_object_add(part, "code", json_object_new_string(problem->code));
		json_object_object_add(part, "text",
				       json_object_new_string(label_text(problem->label)));
		add_bool(part, "note", problem->note);
		if (problem->more)
			json_object_object_add(part, "what", json_object_new_string(problem->more));
	}
	output_json(all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

static void ask_daemon(struct status *status)
{
	_cleanup_(freep) char *why = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);

	freep(&why);
	why = NULL;
	status->manager = dbus ? client_manager(dbus, &why) : NULL;
	if (status->manager)
		status->exceptions = status_exceptions_ask(dbus);
}

int status_run(const struct context *context, const struct command_options *options)
{
	struct status status = {.manager = NULL};
	int r = layers_read(&status.layers, context->root);

	if (r < 0) {
		fprintf(stderr, "sekimorictl: %s %s\n", label_text(LABEL_CANNOT_READ),
			i18n_error(-r));
		return COMMAND_FAILED;
	}
	ask_daemon(&status);
	status_judge(&status);
	if (context->json)
		print_json(context, &status);
	else
		print_status(context, &status);

	for (size_t i = 0; i < status.n_problems; i++)
		free(status.problems[i].more);
	json_object_put(status.manager);
	json_object_put(status.exceptions);
	return status_ok(&status) ? COMMAND_OK : COMMAND_FAILED;
}

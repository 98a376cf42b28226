// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl doctor`: runs the checks of doctor/checks.c, shows them, and hands the result to the
 * daemon's log. */
#include <stdio.h>
#include <string.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "core/utf8.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/exceptions-client.h"
#include "ctl/output.h"
#include "doctor/doctor.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"

/* The bus starts polkit when it is asked for the first time. */
#define POLKIT_TIMEOUT_MS 10000

#define MARK_WIDTH 7
#define REQUIREMENTS_WIDTH 8

struct diagnosis {
	struct doctor doctor;
	struct doctor_finding *findings; /* one for each check */
	unsigned int counts[N_DOCTOR_RESULTS];
	enum doctor_result worst;
};

/* How a result looks to people. */
static const struct {
	const char *mark;   /* msgid */
	const char *colour; /* SGR */
} looks[N_DOCTOR_RESULTS] = {
	[DOCTOR_OK] = {N_("OK"), "32"},
	[DOCTOR_UNKNOWN] = {N_("?"), "36"},
	[DOCTOR_WARN] = {N_("WARN"), "33"},
	[DOCTOR_FAIL] = {N_("FAIL"), "31;1"},
};

/* --- asking the bus --------------------------------------------------------------------------- */

static bool polkit_answers(DBusConnection *dbus)
{
	DBusMessage *call = dbus_message_new_method_call(POLKIT_NAME, "/", DBUS_INTERFACE_PEER,
							 "Ping"),
		    *reply;

	if (!call)
		return false;
	reply = dbus_connection_send_with_reply_and_block(dbus, call, POLKIT_TIMEOUT_MS, NULL);
	dbus_message_unref(call);
	if (reply)
		dbus_message_unref(reply);
	return reply;
}

static int diagnose(struct diagnosis *diagnosis, const char *root, DBusConnection *dbus)
{
	_cleanup_(refusal_deinit) struct refusal refusal = {.why = NULL};
	_cleanup_(freep) char *why = NULL;
	_cleanup_(json_objectp) struct json_object *manager =
		dbus ? client_manager(dbus, &why) : NULL;
	_cleanup_(json_objectp) struct json_object *exceptions =
		dbus ? exceptions_properties(dbus, &refusal) : NULL;
	int r = doctor_open(&diagnosis->doctor, root, manager, exceptions, dbus && polkit_answers(dbus));

	if (r)
		return r;
	for (size_t i = 0; i < n_doctor_checks; i++) {
		struct doctor_finding *finding = &diagnosis->findings[i];

		doctor_examine(&diagnosis->doctor, &doctor_checks[i], finding);
		diagnosis->counts[finding->result]++;
		if (finding->result > diagnosis->worst)
			diagnosis->worst = finding->result;
	}
	doctor_close(&diagnosis->doctor);
	return 0;
}

/* --- for people ------------------------------------------------------------------------------- */

static void print_mark(const struct context *context, enum doctor_result result)
{
	const char *mark = i18n(looks[result].mark);

	printf("  %s%s%s%s%s", context->colour ? "\033[" : "",
	       context->colour ? looks[result].colour : "", context->colour ? "m" : "", mark,
	       context->colour ? "\033[0m" : "");
	output_pad(mark, MARK_WIDTH);
}

static void print_finding(const struct context *context, const struct doctor_check *check,
			  const struct doctor_finding *finding)
{
	_cleanup_(freep) char *shown = output_escape(finding->shown);

	print_mark(context, finding->result);
	printf("%s", check->requirements);
	output_pad(check->requirements, REQUIREMENTS_WIDTH);
	printf(" %s", i18n(check->text));
	/* What is right needs no more words; what was looked at stands in the JSON. */
	if (finding->result == DOCTOR_OK) {
		putchar('\n');
		return;
	}
	printf("\n%*s[%s] %s\n", MARK_WIDTH + REQUIREMENTS_WIDTH + 3, "", check->id, shown);
	if (*finding->todo)
		printf("%*s→ %s\n", MARK_WIDTH + REQUIREMENTS_WIDTH + 3, "", i18n(finding->todo));
}

static void print_diagnosis(const struct context *context, const struct diagnosis *diagnosis)
{
	const char *group = "";

	for (size_t i = 0; i < n_doctor_checks; i++) {
		if (strcmp(group, doctor_checks[i].group)) {
			group = doctor_checks[i].group;
			printf("%s%s\n", i ? "\n" : "", i18n(group));
		}
		print_finding(context, &doctor_checks[i], &diagnosis->findings[i]);
	}
	putchar('\n');
	printf(_("%u ok, %u to look at, %u failed, %u not checked"), diagnosis->counts[DOCTOR_OK],
	       diagnosis->counts[DOCTOR_WARN], diagnosis->counts[DOCTOR_FAIL],
	       diagnosis->counts[DOCTOR_UNKNOWN]);
	putchar('\n');
	if (diagnosis->counts[DOCTOR_UNKNOWN] && geteuid())
		puts(_("Some things can be read by root only: run 'sudo sekimorictl doctor'."));
}

/* --- for programs ----------------------------------------------------------------------------- */

static struct json_object *requirements_json(const char *words)
{
	struct json_object *list = json_object_new_array();

	while (*words) {
		size_t len = strcspn(words, " ");

		json_object_array_add(list, json_object_new_string_len(words, (int)len));
		words += len + strspn(words + len, " ");
	}
	return list;
}

static void print_json(const struct diagnosis *diagnosis)
{
	_cleanup_(json_objectp) struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n_doctor_checks; i++) {
		const struct doctor_finding *finding = &diagnosis->findings[i];
		struct json_object *item = json_object_new_object();

		json_object_array_add(list, item);
		json_object_object_add(item, "id", json_object_new_string(doctor_checks[i].id));
		json_object_object_add(item, "requirements",
				       requirements_json(doctor_checks[i].requirements));
		json_object_object_add(item, "result",
				       json_object_new_string(doctor_result_name(finding->result)));
		json_object_object_add(item, "detail", json_object_new_string(finding->detail));
		json_object_object_add(item, "todo", json_object_new_string(finding->todo));
	}
	output_json(list, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
				  JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* --- recording -------------------------------------------------------------------------------- */

/* All items must fit into one line of the log. */
#define RECORDED_DETAIL_MAX 160

static bool append_string(DBusMessageIter *iter, const char *text)
{
	/* Names from the machine's directories may be any bytes; the bus takes UTF-8 only. */
	_cleanup_(freep) char *safe = output_escape(text);
	char cut[RECORDED_DETAIL_MAX + 1];
	const char *given = cut;

	utf8_copy(cut, sizeof(cut), safe, strlen(safe));

	return dbus_message_iter_append_basic(iter, DBUS_TYPE_STRING, &given);
}

static bool append_item(DBusMessageIter *list, const char *id, enum doctor_result result,
			const char *detail)
{
	DBusMessageIter item;

	return dbus_message_iter_open_container(list, DBUS_TYPE_STRUCT, NULL, &item) &&
	       append_string(&item, id) && append_string(&item, doctor_result_name(result)) &&
	       append_string(&item, detail) && dbus_message_iter_close_container(list, &item);
}

/* Whoever makes the manifest or the module anew cannot make what yesterday's record says of it anew. */
static bool append_digests(DBusMessageIter *list, const struct doctor *doctor)
{
	return (!*doctor->manifest ||
		append_item(list, DOCTOR_MANIFEST_ITEM, DOCTOR_OK, doctor->manifest)) &&
	       (!*doctor->module ||
		append_item(list, DOCTOR_MODULE_ITEM, DOCTOR_OK, doctor->module));
}

static bool append_items(DBusMessageIter *args, const struct diagnosis *diagnosis)
{
	DBusMessageIter list;

	if (!dbus_message_iter_open_container(args, DBUS_TYPE_ARRAY, "(sss)", &list))
		return false;
	for (size_t i = 0; i < n_doctor_checks; i++) {
		const struct doctor_finding *finding = &diagnosis->findings[i];

		if (finding->result == DOCTOR_OK)
			continue;
		if (!append_item(&list, doctor_checks[i].id, finding->result, finding->detail))
			return false;
	}
	return append_digests(&list, &diagnosis->doctor) &&
	       dbus_message_iter_close_container(args, &list);
}

static bool append_diagnosis(DBusMessage *call, const struct diagnosis *diagnosis)
{
	const dbus_uint32_t counts[] = {diagnosis->counts[DOCTOR_OK],
					diagnosis->counts[DOCTOR_WARN],
					diagnosis->counts[DOCTOR_FAIL]};
	DBusMessageIter args;

	dbus_message_iter_init_append(call, &args);
	if (!append_string(&args, doctor_result_name(diagnosis->worst)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (!dbus_message_iter_append_basic(&args, DBUS_TYPE_UINT32, &counts[i]))
			return false;
	return append_items(&args, diagnosis);
}

static bool record(DBusConnection *dbus, const struct diagnosis *diagnosis)
{
	DBusMessage *call = dbus_message_new_method_call(BUS_NAME, BUS_ROOT_PATH,
							 BUS_INTERFACE_MANAGER, "RecordSelfCheck"),
		    *reply = NULL;
	DBusError error = DBUS_ERROR_INIT;

	if (!call)
		output_no_memory();
	dbus_message_set_auto_start(call, FALSE);
	if (!append_diagnosis(call, diagnosis))
		output_no_memory();
	if (dbus)
		reply = dbus_connection_send_with_reply_and_block(dbus, call, CLIENT_TIMEOUT_MS,
								  &error);
	dbus_message_unref(call);
	if (!reply) {
		_cleanup_(freep) char *why = output_escape(error.message ? error.message : "");

		fprintf(stderr, _("sekimorictl: the result could not be recorded: %s"),
			dbus ? why : _("the system bus does not answer"));
		fputc('\n', stderr);
		dbus_error_free(&error);
		return false;
	}
	dbus_message_unref(reply);
	return true;
}

int doctor_run(const struct context *context, const struct command_options *options)
{
	struct diagnosis diagnosis = {.worst = DOCTOR_OK};
	_cleanup_(freep) char *why = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);
	bool recorded = true;
	int r;

	diagnosis.findings = calloc(n_doctor_checks, sizeof(*diagnosis.findings));
	if (!diagnosis.findings)
		output_no_memory();
	r = diagnose(&diagnosis, context->root, dbus);
	if (r) {
		fprintf(stderr, _("sekimorictl: %s cannot be read: %s"),
			*context->root ? context->root : "/", i18n_error(-r));
		fputc('\n', stderr);
		free(diagnosis.findings);
		return COMMAND_FAILED;
	}
	if (context->json)
		print_json(&diagnosis);
	else
		print_diagnosis(context, &diagnosis);
	if (options->record)
		recorded = record(dbus, &diagnosis);
	free(diagnosis.findings);
	return diagnosis.counts[DOCTOR_FAIL] || !recorded ? COMMAND_FAILED : COMMAND_OK;
}

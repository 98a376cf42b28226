// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl incident list|show|export`: incidents that the keeper recorded, and the sheets to report them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/civil.h"
#include "core/incident.h"
#include "core/utf8.h"
#include "ctl/logsource.h"
#include "ctl/logwalk.h"

/* More are not read by anybody; the newest count. */
#define INCIDENTS_LISTED_MAX 10000

struct found {
	struct report_incident *list;
	size_t n;
	int64_t since_us;
	/* Second walk: the records of one incident. */
	const struct report_incident *wanted;
	struct report_event *events;
	size_t n_events;
};

/* --- reading --- */

static void take_text(char *out, size_t size, const struct fields *fields, enum field field)
{
	char text[FIELD_STRING_MAX];

	fields_string(fields, field, text);
	utf8_copy(out, size, text, strlen(text));
}

#define TAKE_TEXT(out, fields, field) take_text(out, sizeof(out), fields, field)

static struct report_incident *find_number(struct found *found, const char *number)
{
	for (size_t i = found->n; i-- > 0;)
		if (!strcmp(found->list[i].number, number))
			return &found->list[i];
	return NULL;
}

static struct report_incident *add_incident(struct found *found)
{
	if (!found->list)
		found->list = calloc(INCIDENTS_LISTED_MAX, sizeof(*found->list));
	if (!found->list)
		output_no_memory();
	if (found->n == INCIDENTS_LISTED_MAX)
		memmove(found->list, found->list + 1, --found->n * sizeof(*found->list));
	found->list[found->n] = (struct report_incident){ .us = 0 };
	return &found->list[found->n++];
}

static void read_incident(struct report_incident *incident, const struct fields *fields, int64_t us)
{
	incident->us = us;
	incident->seq = fields_number(fields, FIELD_SEQ);
	TAKE_TEXT(incident->number, fields, FIELD_NUMBER);
	TAKE_TEXT(incident->type, fields, FIELD_TYPE);
	TAKE_TEXT(incident->cause, fields, FIELD_CAUSE);
	TAKE_TEXT(incident->terminal, fields, FIELD_TERMINAL);
	TAKE_TEXT(incident->user, fields, FIELD_USER);
	TAKE_TEXT(incident->medium, fields, FIELD_MEDIUM);
	TAKE_TEXT(incident->device, fields, FIELD_DEVICE);
	TAKE_TEXT(incident->id, fields, FIELD_ID);
	TAKE_TEXT(incident->serial, fields, FIELD_SERIAL);
	TAKE_TEXT(incident->manufacturer, fields, FIELD_MANUFACTURER);
	TAKE_TEXT(incident->product, fields, FIELD_PRODUCT);
	TAKE_TEXT(incident->fingerprint, fields, FIELD_FINGERPRINT);
	TAKE_TEXT(incident->reason, fields, FIELD_REASON);
	TAKE_TEXT(incident->detail, fields, FIELD_DETAIL);
	TAKE_TEXT(incident->program, fields, FIELD_PROGRAM);
}

static bool line_is_incident(const struct logset_line *line)
{
	static const char kind[] = "\"kind\":\"incident\"";

	return memmem(line->text, line->len, kind, sizeof(kind) - 1);
}

/* An incident is told of again when its hour is over: then only the figures are new. */
static int take_incident(void *userdata, const struct logset_line *line)
{
	struct found *found = userdata;
	struct report_incident *incident;
	char number[TALLY_TEXT_MAX];
	const struct field_span *time;
	struct fields fields;
	int64_t us;

	if (!line_is_incident(line) || !fields_parse(&fields, line->text, line->len) ||
	    !fields_is(&fields, FIELD_KIND, "incident"))
		return 0;
	time = &fields.spans[FIELD_TIME];
	if (!time->text || !civil_parse_moment(time->text, time->len, &us) || us < found->since_us)
		return 0;
	TAKE_TEXT(number, &fields, FIELD_NUMBER);
	incident = find_number(found, number);
	if (!incident) {
		/* It began before the time that was asked for. */
		if (found->since_us && fields_true(&fields, FIELD_AGAIN))
			return 0;
		incident = add_incident(found);
		read_incident(incident, &fields, us);
	}
	incident->first_seq = fields_number(&fields, FIELD_FIRST_SEQ);
	incident->last_seq = fields_number(&fields, FIELD_LAST_SEQ);
	incident->count = fields_number(&fields, FIELD_COUNT);
	return 0;
}

/* --- list --- */

static const char *type_words(const struct report_incident *incident, char **escaped)
{
	const char *text = incident_type_text(incident->type);

	if (text != incident->type)
		return i18n(text);
	*escaped = output_escape(text);
	return *escaped;
}

static void print_line(const struct report_incident *incident)
{
	_cleanup_(freep) char *number = output_escape(incident->number);
	_cleanup_(freep) char *object =
		output_escape(incident->medium[0] ? incident->medium : incident->product);
	_cleanup_(freep) char *user = output_escape(incident->user);
	_cleanup_(freep) char *type = NULL;
	char time[PERIOD_TEXT_MAX];

	period_format(incident->us, time);
	printf("%s  %s  %s (%" PRIu64 ")", number, time, type_words(incident, &type), incident->count);
	if (*object)
		printf("  %s", object);
	if (*user)
		printf("  %s", user);
	putchar('\n');
}

static struct json_object *incident_json(const struct report_incident *incident)
{
	struct json_object *object = json_object_new_object();
	const struct {
		const char *key, *value;
	} texts[] = {
		{ "number", incident->number }, { "type", incident->type },
		{ "terminal", incident->terminal }, { "user", incident->user },
		{ "medium", incident->medium }, { "device", incident->device },
		{ "id", incident->id }, { "serial", incident->serial },
		{ "manufacturer", incident->manufacturer }, { "product", incident->product },
		{ "fingerprint", incident->fingerprint }, { "reason", incident->reason },
		{ "detail", incident->detail }, { "program", incident->program },
	};
	char time[PERIOD_TEXT_MAX];

	period_format(incident->us, time);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		json_object_object_add(object, texts[i].key, json_object_new_string(texts[i].value));
	json_object_object_add(object, "time", json_object_new_string(time));
	json_object_object_add(object, "first_seq", json_object_new_uint64(incident->first_seq));
	json_object_object_add(object, "last_seq", json_object_new_uint64(incident->last_seq));
	json_object_object_add(object, "count", json_object_new_uint64(incident->count));
	return object;
}

static void print_all(const struct found *found, bool json)
{
	_cleanup_(json_objectp) struct json_object *array = json ? json_object_new_array() : NULL;

	for (size_t i = 0; i < found->n; i++) {
		if (json)
			json_object_array_add(array, incident_json(&found->list[i]));
		else
			print_line(&found->list[i]);
	}
	if (json)
		output_json(array, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	else if (!found->n)
		puts(_("No incident is recorded."));
}

int incident_list_run(const struct context *context, const struct command_options *options)
{
	struct logsource_filter filter;
	struct found found = { .n = 0 };
	struct report_check check = { .n = 0 };
	int r = logsource_filter_init(&filter, options);

	if (r == COMMAND_OK) {
		found.since_us = filter.filter.since_us;
		r = logwalk_run(context, options, found.since_us, take_incident, &found, &check);
	}
	if (r == COMMAND_OK) {
		print_all(&found, context->json);
		logwalk_warn(&check);
		r = check.unreadable ? COMMAND_FAILED : COMMAND_OK;
	}
	logwalk_free(&check);
	logsource_filter_deinit(&filter);
	free(found.list);
	return r;
}

/* --- one --- */

/* Does the record belong to the incident, or does it only lie between its first and its last? */
static bool belongs(const struct report_incident *incident, const struct fields *fields, const char *kind)
{
	if (!strcmp(incident->type, incident_type_name(INCIDENT_GATE_ATTEMPT)))
		return !strcmp(kind, "refused");
	if (!strcmp(incident->type, incident_type_name(INCIDENT_LOG_DAMAGE)))
		return !strncmp(kind, "log-", 4);
	if (!strcmp(incident->type, incident_type_name(INCIDENT_CLOCK_REVERSED)))
		return !strncmp(kind, "clock-", 6);
	if (!incident->cause[0])
		return !strcmp(kind, "denied");
	return (incident->fingerprint[0] && fields_is(fields, FIELD_FINGERPRINT, incident->fingerprint)) ||
	       (incident->medium[0] && fields_is(fields, FIELD_MEDIUM, incident->medium));
}

static int take_event(void *userdata, const struct logset_line *line)
{
	struct found *found = userdata;
	const struct report_incident *wanted = found->wanted;
	struct report_event *event;
	const struct field_span *time;
	struct fields fields;
	char kind[64];
	uint64_t seq;

	if (found->n_events == REPORT_EVENTS_MAX || !fields_parse(&fields, line->text, line->len))
		return 0;
	seq = fields_number(&fields, FIELD_SEQ);
	if (seq < wanted->first_seq || seq > wanted->last_seq ||
	    !fields_is(&fields, FIELD_TERMINAL, wanted->terminal))
		return 0;
	TAKE_TEXT(kind, &fields, FIELD_KIND);
	if (!belongs(wanted, &fields, kind))
		return 0;
	event = &found->events[found->n_events++];
	*event = (struct report_event){ .seq = seq };
	time = &fields.spans[FIELD_TIME];
	if (time->text)
		civil_parse_moment(time->text, time->len, &event->us);
	TAKE_TEXT(event->kind, &fields, FIELD_KIND);
	TAKE_TEXT(event->reason, &fields, FIELD_REASON);
	TAKE_TEXT(event->object, &fields, FIELD_MEDIUM);
	if (!event->object[0])
		TAKE_TEXT(event->object, &fields, FIELD_PRODUCT);
	return 0;
}

/* The whole number, or what stands behind its last dash. NULL after saying so. */
static const struct report_incident *choose(const struct found *found, const char *word)
{
	const struct report_incident *chosen = NULL;
	_cleanup_(freep) char *shown = output_escape(word);
	size_t n = 0;

	for (size_t i = 0; i < found->n; i++) {
		const char *number = found->list[i].number, *dash = strrchr(number, '-');

		if (!strcmp(number, word) || (dash && !strcmp(dash + 1, word))) {
			chosen = &found->list[i];
			n++;
		}
	}
	if (n == 1)
		return chosen;
	fprintf(stderr, n ? _("sekimorictl: '%s' is the end of several numbers: give the whole one\n") :
			    _("sekimorictl: there is no incident '%s': 'sekimorictl incident list' lists them\n"),
		shown);
	return NULL;
}

static int write_incident(const struct found *found, const struct report_check *check, bool sheets,
			  enum logwalk_format format, const struct command_options *options)
{
	bool whole = check->result.records && !check->result.findings && !check->unreadable;
	_cleanup_(document_freep) struct document *document =
		report_incident(found->wanted, found->events, found->n_events, whole, sheets);

	return logwalk_write(document, format, options);
}

static int run_one(const struct context *context, const struct command_options *options, bool sheets)
{
	struct report_event events[REPORT_EVENTS_MAX];
	struct found found = { .events = events };
	struct report_check check = { .n = 0 };
	enum logwalk_format format;
	int r = logwalk_format(options, &format);

	if (r == COMMAND_OK)
		r = logwalk_run(context, options, 0, take_incident, &found, &check);
	if (r == COMMAND_OK) {
		found.wanted = choose(&found, options->arguments[0]);
		if (!found.wanted)
			r = COMMAND_FAILED;
		else if (!context->json)
			r = logwalk_run(context, options, 0, take_event, &found, NULL);
	}
	if (r == COMMAND_OK && context->json) {
		_cleanup_(json_objectp) struct json_object *object = incident_json(found.wanted);

		output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	} else if (r == COMMAND_OK) {
		r = write_incident(&found, &check, sheets, format, options);
	}
	logwalk_warn(&check);
	logwalk_free(&check);
	free(found.list);
	return r;
}

int incident_show_run(const struct context *context, const struct command_options *options)
{
	return run_one(context, options, false);
}

int incident_export_run(const struct context *context, const struct command_options *options)
{
	return run_one(context, options, true);
}

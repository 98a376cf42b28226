// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk show` and `history`: one medium, and what happened to it. */
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/pager.h"
#include "desk/commands.h"
#include "desk/desk.h"
#include "desk/message.h"
#include "desk/sighting.h"
#include "desk/term.h"
#include "desk/view.h"

#define TITLE_WIDTH 26

static void print_line(const char *title, const char *value)
{
	fputs(title, stdout);
	output_pad(title, TITLE_WIDTH);
	puts(value);
}

static void print_state(const struct context *context, const struct medium_state *state,
			const struct sighting *last, const char *today)
{
	for (enum field i = 0; i < FIELD_COUNT; i++) {
		_cleanup_(freep) char *value = view_value(context, &state->record, i);

		if (*value)
			print_line(i18n(field_rows[i].text), value);
	}
	if (state->transition.wiped)
		print_line(_("Wiped"), _("yes: there is no volume on it"));
	if (view_is_overdue(state, today))
		print_line(_("OVERDUE"), _("yes: ask for it back"));
	print_line(_("Entered (UTC)"), state->entered);
	print_line(_("Last event (UTC)"), state->changed);
	if (*last->time) {
		_cleanup_(freep) char *where = output_escape(last->terminal);
		_cleanup_(freep) char *value =
			output_format("%s%s%s", last->time, *where ? "  " : "", where);

		print_line(_("Last seen (UTC)"), value);
	}
}

static int show(const struct context *context, struct desk *desk, const char *number)
{
	struct medium_state state = {0};
	struct sighting last = {0};
	char today[TERM_DATE_MAX];
	int r = register_find(desk->reg, number, &state);

	if (!r)
		r = sighting_last(desk->reg, state.id, &last);
	if (r) {
		medium_state_deinit(&state);
		return register_say(context, desk->reg, r, number);
	}
	term_date(context->now, today);
	if (context->json) {
		_cleanup_(json_objectp) struct json_object *object = view_json(&state, today);

		json_object_object_add(object, "seen",
				       *last.time ? json_object_new_string(last.time) : NULL);
		json_object_object_add(object, "seen_at",
				       *last.time ? json_object_new_string(last.terminal) : NULL);
		output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	} else {
		print_state(context, &state, &last, today);
	}
	medium_state_deinit(&state);
	return COMMAND_OK;
}

int show_run(const struct context *context, const struct command_options *options)
{
	struct desk desk;
	int r = desk_open(context, &desk);

	if (!r)
		r = show(context, &desk, options->arguments[0]);
	desk_close(&desk);
	return r;
}

/* --- history -------------------------------------------------------------------------------- */

struct history {
	const struct context *context;
	struct json_object *json;
};

static struct json_object *event_json(unsigned int sequence, const char *time,
				      const struct event *event)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "sequence", json_object_new_int64(sequence));
	json_object_object_add(object, "kind",
			       json_object_new_string(event_kind_name(event->kind)));
	json_object_object_add(object, "time", json_object_new_string(time));
	json_object_object_add(object, "by", json_object_new_string(event->by));
	json_object_object_add(object, "why",
			       event->why ? json_object_new_string(event->why) : NULL);
	json_object_object_add(object, "status",
			       json_object_new_string(record_get(&event->sets, FIELD_STATUS)));
	json_object_object_add(object, "sets", view_sets_json(&event->sets));
	json_object_object_add(object, "detail",
			       event->detail ? json_tokener_parse(event->detail) : NULL);
	return object;
}

static void print_sets(const struct context *context, const struct record *sets)
{
	for (enum field i = FIELD_STATUS + 1; i < FIELD_COUNT; i++) {
		_cleanup_(freep) char *value = view_value(context, sets, i);

		/* The mark is for programs: --json has it. */
		if (!sets->values[i] || i == FIELD_MARK)
			continue;
		printf("      %s: %s\n", i18n(field_rows[i].text), *value ? value : "-");
	}
}

static int take_event(void *userdata, unsigned int sequence, const char *time,
		      const struct event *event)
{
	struct history *history = userdata;
	const struct context *context = history->context;
	_cleanup_(freep) char *by = output_escape(event->by);
	_cleanup_(freep) char *why = output_escape(event->why ? event->why : "");

	if (history->json) {
		json_object_array_add(history->json, event_json(sequence, time, event));
		return 0;
	}
	printf("%4u  %s  %s  %s%s%s\n", sequence, time, event_kind_text(event->kind), by,
	       *why ? "  " : "", why);
	print_sets(context, &event->sets);
	if (event->detail) {
		_cleanup_(freep) char *detail = output_escape(event->detail);

		printf("      %s\n", detail);
	}
	return 0;
}

int history_run(const struct context *context, const struct command_options *options)
{
	struct history history = {.context = context};
	const char *number = options->arguments[0];
	struct desk desk;
	int r = desk_open(context, &desk);

	if (!r) {
		history.json = context->json ? json_object_new_array() : NULL;
		pager_begin(!context->no_pager && !context->json);
		r = register_history(desk.reg, number, take_event, &history);
		pager_end();
		if (r)
			r = register_say(context, desk.reg, r, number);
		else if (context->json)
			output_json(history.json,
				    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
		json_object_put(history.json);
	}
	desk_close(&desk);
	return r;
}

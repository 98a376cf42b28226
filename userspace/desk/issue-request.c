// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/issue-request.h"

#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "desk/message.h"
#include "desk/target-say.h"
#include "desk/term.h"

static const struct {
	enum option_name option;
	enum field field;
} settings[] = {
	{OPTION_CLASS, FIELD_CLASS},         {OPTION_CONTENT, FIELD_CONTENT},
	{OPTION_ACCESS, FIELD_ACCESS},       {OPTION_USER, FIELD_USERS},
	{OPTION_PLACE, FIELD_PLACE},         {OPTION_NOTE, FIELD_NOTE},
	{OPTION_TERMINALS, FIELD_TERMINALS}, {OPTION_FROM, FIELD_FROM},
	{OPTION_UNTIL, FIELD_UNTIL},
};

static int read_settings(const struct context *context, const struct command_options *options,
			 struct record *sets)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const char *value = command_option(options, settings[i].option), *wanted;

		if (!value)
			continue;
		wanted = field_check(settings[i].field, value);
		if (wanted && *value)
			return message_usage(context, _("--%s %s: expected %s"),
					     command_option_rows[settings[i].option].name, value,
					     i18n(wanted));
		record_set(sets, settings[i].field, value);
	}
	return 0;
}

/* What is not said: as it was, if the medium is known; else the usual. */
static void set_default(struct issue_request *request, enum field field, const char *usual)
{
	const char *before = request->known ? record_get(&request->before.record, field) : "";

	if (!request->sets.values[field])
		record_set(&request->sets, field, *before ? before : usual);
}

/* A term begins and ends anew with each issue. */
static int read_term(const struct context *context, struct issue_request *request)
{
	char today[TERM_DATE_MAX], end[TERM_DATE_MAX];

	term_date(context->now, today);
	term_fiscal_end(context->now, end);
	record_set(&request->sets, FIELD_ISSUED, today);
	if (!request->sets.values[FIELD_FROM])
		record_set(&request->sets, FIELD_FROM, today);
	if (!request->sets.values[FIELD_UNTIL])
		record_set(&request->sets, FIELD_UNTIL, end);
	set_default(request, FIELD_ACCESS, "rw");
	set_default(request, FIELD_CLASS, "");
	if (!*record_get(&request->sets, FIELD_CLASS))
		return message_usage(context,
				     _("which class of data is it for? --class I, II or III"));
	if (*record_get(&request->sets, FIELD_UNTIL) &&
	    strcmp(record_get(&request->sets, FIELD_FROM),
		   record_get(&request->sets, FIELD_UNTIL)) > 0)
		return message_usage(context, _("the term ends before it begins"));
	return 0;
}

/* --- what the register says --- */

struct others {
	const struct target *target;
	char number[MEDIUM_NUMBER_MAX];
};

static int look_for_device(void *userdata, const struct medium_state *state)
{
	struct others *others = userdata;

	if (state->transition.status != MEDIUM_DISPOSED &&
	    target_say_same(others->target, &state->record))
		snprintf(others->number, sizeof(others->number), "%s",
			 record_get(&state->record, FIELD_NUMBER));
	return 0;
}

/* Without a serial number many media look the same; with one, a device is one medium. */
static int check_device(const struct context *context, const struct desk *desk,
			const struct target *target)
{
	struct others others = {.target = target};
	int r = target->serial[0] ? register_each(desk->reg, look_for_device, &others) : 0;

	if (r)
		return register_say(context, desk->reg, r, "");
	if (others.number[0])
		return message_fail(context,
				    _("this device is medium %s: --number %s to take it again, or "
				      "another --number"),
				    others.number, others.number);
	return 0;
}

static int check_known(const struct context *context, const struct target *target,
		       enum event_kind kind, struct issue_request *request)
{
	struct transition_state state = request->before.transition;
	int r;

	if (!target_say_same(target, &request->before.record))
		return message_fail(context, _("%s is another device: %s, serial number %s"),
				    request->number, record_get(&request->before.record, FIELD_ID),
				    record_get(&request->before.record, FIELD_SERIAL));
	r = transition_make(&state, kind, context->why, MEDIUM_ACTIVE);
	if (r == TRANSITION_E_WHY)
		return message_usage(context, _("%s: a reason is needed: --why"), request->number);
	if (r)
		return message_fail(context, _("%s is %s. %s"), request->number,
				    status_text(request->before.transition.status),
				    transition_advice(&request->before.transition, kind));
	return 0;
}

int issue_request_read(const struct context *context, const struct command_options *options,
		       const struct desk *desk, const struct target *target, enum event_kind kind,
		       struct issue_request *request)
{
	const char *text = command_option(options, OPTION_NUMBER);
	int r;

	r = read_settings(context, options, &request->sets);
	if (r)
		return r;
	/* A stick that is known is asked for by its number; others get one. */
	if (!text || issue_number_is_pattern(text)) {
		r = check_device(context, desk, target);
		if (r)
			return r;
	}
	r = issue_number_keep(context, desk, text ? text : ISSUE_NUMBER_PATTERN, request->number,
			      &request->number_lock);
	if (r)
		return r;
	r = register_find(desk->reg, request->number, &request->before);
	if (r && r != REGISTER_E_ABSENT)
		return register_say(context, desk->reg, r, request->number);
	request->known = !r;
	if (request->known && (r = check_known(context, target, kind, request)))
		return r;
	target_say_identity(target, &request->identity);
	record_set(&request->identity, FIELD_NUMBER, request->number);
	return read_term(context, request);
}

void issue_request_deinit(struct issue_request *request)
{
	record_deinit(&request->identity);
	record_deinit(&request->sets);
	medium_state_deinit(&request->before);
	closep(&request->number_lock);
}

/* --- the mark --- */

static uint8_t class_number(const char *class)
{
	return (uint8_t)strlen(class); /* I, II, III */
}

static bool fill(const struct issue_request *request, const struct target *target, const char *uuid,
		 const uint8_t *binding, struct mark *mark)
{
	memset(mark, 0, sizeof(*mark));
	if (strlen(target->serial) >= sizeof(mark->serial))
		return false;
	strcpy(mark->number, request->number);
	snprintf(mark->uuid, sizeof(mark->uuid), "%s", uuid);
	strcpy(mark->serial, target->serial);
	snprintf(mark->issued, sizeof(mark->issued), "%s", record_get(&request->sets, FIELD_FROM));
	snprintf(mark->until, sizeof(mark->until), "%s", record_get(&request->sets, FIELD_UNTIL));
	mark->class = class_number(record_get(&request->sets, FIELD_CLASS));
	mark->id_vendor = target->id_vendor;
	mark->id_product = target->id_product;
	memcpy(mark->binding, binding, sizeof(mark->binding));
	return mark_ok(mark);
}

bool issue_request_markable(const struct target *target, const struct issue_request *request)
{
	static const uint8_t binding[MARK_BINDING_SIZE];
	struct mark mark;

	return fill(request, target, "00000000-0000-0000-0000-000000000000", binding, &mark);
}

int issue_request_mark(const struct context *context, const struct issue_request *request,
		       const struct target *target, const char *uuid, const uint8_t *binding,
		       struct mark *mark)
{
	if (fill(request, target, uuid, binding, mark))
		return 0;
	return message_fail(context,
			    _("a mark cannot hold the number or serial number of this medium"));
}

/* --- the register --- */

static int enter(const struct context *context, const struct desk *desk,
		 struct issue_request *request, enum event_kind kind, const char *detail)
{
	struct event event = {.kind = kind,
			      .by = context->by,
			      .why = context->why,
			      .detail = detail,
			      .sets = request->sets};
	int r = register_begin(desk->reg);

	if (r)
		return r;
	r = request->known ? register_event(desk->reg, request->number, &event)
			   : register_add(desk->reg, &request->identity, &event);
	return r ? r : register_commit(desk->reg);
}

int issue_request_enter(const struct context *context, const struct desk *desk,
			struct issue_request *request, enum event_kind kind, const char *detail,
			struct progress *progress)
{
	int r = enter(context, desk, request, kind, detail);

	if (!r)
		return 0;
	if (progress)
		progress_end(progress, false);
	register_say(context, desk->reg, r, request->number);
	register_rollback(desk->reg);
	return COMMAND_FAILED;
}

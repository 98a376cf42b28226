// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk lend`, `return`, `lost`, `found`, `revoke`, `dispose`, `change`: one event for
 * each number. All of them, or none.
 */
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/mark.h"
#include "desk/commands.h"
#include "desk/desk.h"
#include "desk/message.h"
#include "desk/term.h"
#include "desk/view.h"

struct happening {
	const struct context *context;
	const struct command_options *options;
	enum event_kind kind;
	/*
	 * What the event sets, from what the medium is now. 0, or COMMAND_FAILED after saying why;
	 * NULL: nothing.
	 */
	int (*fill)(const struct happening *happening, struct desk *desk,
		    const struct medium_state *state, struct record *sets);
};

/* Options that set a field as they are. */
static const struct {
	enum option_name option;
	enum field field;
} settings[] = {
	{OPTION_CLASS, FIELD_CLASS},         {OPTION_CONTENT, FIELD_CONTENT},
	{OPTION_ACCESS, FIELD_ACCESS},       {OPTION_HOLDER, FIELD_HOLDER},
	{OPTION_USER, FIELD_USERS},          {OPTION_PLACE, FIELD_PLACE},
	{OPTION_TERMINALS, FIELD_TERMINALS}, {OPTION_FROM, FIELD_FROM},
	{OPTION_UNTIL, FIELD_UNTIL},         {OPTION_NOTE, FIELD_NOTE},
};

static size_t set_given(const struct happening *happening, struct record *sets)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const char *value = command_option(happening->options, settings[i].option);

		if (!value)
			continue;
		record_set(sets, settings[i].field, value);
		n++;
	}
	return n;
}

/* --- lend ----------------------------------------------------------------------------------- */

/* The loan ends with the fiscal year or the medium's term, or when it is said, within the term. */
static int set_due(const struct happening *happening, const struct medium_state *state,
		   struct record *sets)
{
	const struct context *context = happening->context;
	const char *number = record_get(&state->record, FIELD_NUMBER);
	const char *until = record_get(&state->record, FIELD_UNTIL);
	const char *asked = command_option(happening->options, OPTION_UNTIL);
	char today[TERM_DATE_MAX], due[TERM_DATE_MAX];

	term_date(context->now, today);
	term_fiscal_end(context->now, due);
	if (*until && strcmp(until, today) < 0)
		return message_fail(context,
				    _("the term of %s ended on %s: give it a new one first "
				      "(change --until, and a new mark if it bears one)"),
				    number, until);
	if (asked && (field_check(FIELD_DUE, asked) || !*asked))
		return message_usage(context, _("--until takes a date like 2027-03-31"));
	if (asked && strcmp(asked, today) < 0)
		return message_fail(context, _("--until %s is past"), asked);
	if (asked && *until && strcmp(asked, until) > 0)
		return message_fail(context, _("the term of %s ends on %s, before %s"), number,
				    until, asked);
	if (!asked && *until && strcmp(until, due) < 0)
		asked = until;
	record_set(sets, FIELD_UNTIL, NULL);
	record_set(sets, FIELD_DUE, asked ? asked : due);
	return 0;
}

static int fill_lend(const struct happening *happening, struct desk *desk,
		     const struct medium_state *state, struct record *sets)
{
	set_given(happening, sets);
	if (!*record_get(sets, FIELD_HOLDER))
		return message_usage(happening->context, _("say who gets it: --holder=WHO"));
	/* Of one that cannot be lent, the register says so better. */
	if (state->transition.status != MEDIUM_ACTIVE)
		return 0;
	return set_due(happening, state, sets);
}

/* --- return, found, dispose ----------------------------------------------------------------- */

/* What the last loan set beside holder and due, and what was there before it. */
struct loan {
	struct record now;
	struct record before;
	bool open;
};

static int follow(void *userdata, unsigned int sequence, const char *time,
		  const struct event *event)
{
	static const enum field lent[] = {FIELD_USERS, FIELD_PLACE, FIELD_TERMINALS};
	struct loan *loan = userdata;

	if (event->kind == EVENT_LENT) {
		record_deinit(&loan->before);
		for (size_t i = 0; i < ARRAY_SIZE(lent); i++)
			if (event->sets.values[lent[i]])
				record_set(&loan->before, lent[i], record_get(&loan->now, lent[i]));
		loan->open = true;
	} else if (loan->open) {
		/* What was changed since then was changed for good. */
		for (size_t i = 0; i < ARRAY_SIZE(lent); i++)
			if (event->sets.values[lent[i]])
				record_set(&loan->before, lent[i], NULL);
		loan->open = event->kind != EVENT_RETURNED && event->kind != EVENT_FOUND;
	}
	record_apply(&loan->now, &event->sets);
	return 0;
}

/* It is nobody's any more, and for whom it was before the loan. */
static int fill_back(const struct happening *happening, struct desk *desk,
		     const struct medium_state *state, struct record *sets)
{
	const char *number = record_get(&state->record, FIELD_NUMBER);
	const char *place = command_option(happening->options, OPTION_PLACE);
	struct loan loan = {0};
	int r = register_history(desk->reg, number, follow, &loan);

	if (r)
		r = register_say(happening->context, desk->reg, r, number);
	else if (loan.open)
		record_apply(sets, &loan.before);
	record_deinit(&loan.now);
	record_deinit(&loan.before);
	if (*record_get(&state->record, FIELD_HOLDER))
		record_set(sets, FIELD_HOLDER, "");
	if (*record_get(&state->record, FIELD_DUE))
		record_set(sets, FIELD_DUE, "");
	if (place)
		record_set(sets, FIELD_PLACE, place);
	return r;
}

/* --- change --------------------------------------------------------------------------------- */

/* The mark was signed over class and term, and lies on the medium. */
static void warn_of_mark(const struct happening *happening, const struct medium_state *state,
			 const struct record *sets)
{
	static const char *const classes[] = {"", "I", "II", "III"};
	const char *json = record_get(&state->record, FIELD_MARK);
	const char *class = record_get(sets, FIELD_CLASS);
	const char *until = sets->values[FIELD_UNTIL];
	struct mark mark;

	if (!*json || mark_parse(json, strlen(json), &mark))
		return;
	if ((*class && strcmp(class, classes[mark.class])) || (until && strcmp(until, mark.until)))
		message_note(
			happening->context,
			_("the mark on %s still says class %s, until %s: write a mark anew, or "
			  "terminals that ask for marks go by that"),
			record_get(&state->record, FIELD_NUMBER), classes[mark.class],
			*mark.until ? mark.until : "-");
}

static int fill_change(const struct happening *happening, struct desk *desk,
		       const struct medium_state *state, struct record *sets)
{
	if (!set_given(happening, sets))
		return message_usage(happening->context, _("say what changes: see help change"));
	warn_of_mark(happening, state, sets);
	return 0;
}

/* --- all of them ---------------------------------------------------------------------------- */

static int happen(const struct happening *happening, struct desk *desk, const char *number)
{
	const struct context *context = happening->context;
	struct event event = {.kind = happening->kind, .by = context->by, .why = context->why};
	struct medium_state state = {0};
	int r = register_find(desk->reg, number, &state);

	if (r)
		return register_say(context, desk->reg, r, number);
	if (happening->fill)
		r = happening->fill(happening, desk, &state, &event.sets);
	if (!r) {
		r = register_event(desk->reg, number, &event);
		if (r)
			r = register_say(context, desk->reg, r, number);
	}
	record_deinit(&event.sets);
	medium_state_deinit(&state);
	return r;
}

static int tell(const struct happening *happening, struct desk *desk, const char *number,
		struct json_object *all)
{
	const struct context *context = happening->context;
	struct medium_state state = {0};
	char today[TERM_DATE_MAX];
	int r = register_find(desk->reg, number, &state);

	if (r)
		return register_say(context, desk->reg, r, number);
	term_date(context->now, today);
	if (all)
		json_object_array_add(all, view_json(&state, today));
	else if (happening->kind == EVENT_LENT)
		message_done(context, _("%s: lent to %s, due back %s"), number,
			     record_get(&state.record, FIELD_HOLDER),
			     record_get(&state.record, FIELD_DUE));
	else
		message_done(context, _("%s: %s (%s)"), number, event_kind_text(happening->kind),
			     status_text(state.transition.status));
	medium_state_deinit(&state);
	return 0;
}

static int run_open(const struct happening *happening, struct desk *desk)
{
	const struct context *context = happening->context;
	const struct command_options *options = happening->options;
	_cleanup_(json_objectp) struct json_object *all =
		context->json ? json_object_new_array() : NULL;
	int r = register_begin(desk->reg);

	if (r)
		return register_say(context, desk->reg, r, desk->path);
	for (int i = 0; !r && i < options->n_arguments; i++)
		r = happen(happening, desk, options->arguments[i]);
	if (r) {
		if (options->n_arguments > 1)
			message_note(context, _("nothing was changed"));
		return r;
	}
	r = register_commit(desk->reg);
	if (r)
		return register_say(context, desk->reg, r, desk->path);
	for (int i = 0; !r && i < options->n_arguments; i++)
		r = tell(happening, desk, options->arguments[i], all);
	if (!r && all)
		output_json(all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	return r;
}

static int run(const struct happening *happening)
{
	struct desk desk;
	int r = desk_open(happening->context, &desk);

	if (!r)
		r = run_open(happening, &desk);
	desk_close(&desk);
	return r;
}

#define RUN(function, kind_, fill_)                                                                \
	int function(const struct context *context, const struct command_options *options)         \
	{                                                                                          \
		const struct happening happening = {                                               \
			.context = context, .options = options, .kind = kind_, .fill = fill_};     \
                                                                                                   \
		return run(&happening);                                                            \
	}

RUN(lend_run, EVENT_LENT, fill_lend)
RUN(return_run, EVENT_RETURNED, fill_back)
RUN(lost_run, EVENT_LOST, NULL)
RUN(found_run, EVENT_FOUND, fill_back)
RUN(revoke_run, EVENT_REVOKED, NULL)
RUN(dispose_run, EVENT_DISPOSED, fill_back)
RUN(change_run, EVENT_CHANGED, fill_change)

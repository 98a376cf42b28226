// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl requests`: exceptions as a table, those that matter now first. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "core/exception.h"
#include "core/macro.h"
#include "core/text.h"
#include "ctl/client.h"
#include "ctl/exception-text.h"
#include "ctl/exceptions-client.h"
#include "cli/pager.h"

#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define COLOUR_OFF "\x1b[0m"

/* A cell that is longer is cut: names are other people's. */
#define CELL_WIDTH_MAX 34

/* In the order in which they are shown; what is not here is done, and comes last. */
static const struct {
	const char *state;
	const char *colour;
} open_states[] = {
	{ "live", GREEN }, { "approved", GREEN }, { "requested", YELLOW }, { "used-up", "" },
	{ "expired", "" }, { "revoked", "" },	  { "returned", "" },	   { "erase-confirmed", "" },
};

static size_t rank(struct json_object *exception)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(open_states) && strcmp(open_states[i].state, output_raw(exception, "state")))
		i++;
	/* Those that have ended stand together. */
	return i < 3 ? i : i < ARRAY_SIZE(open_states) ? 3 : 4;
}

/* Waiting ones by age; what is done newest first. */
static int compare(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;
	size_t i = rank(*x), j = rank(*y);
	int64_t m = exception_number(*x, "number"), n = exception_number(*y, "number");
	int order = (m > n) - (m < n);

	if (i != j)
		return i < j ? -1 : 1;
	return i == 4 ? -order : order;
}

/* --- table ------------------------------------------------------------------------------------- */

static char *time_words(struct json_object *exception)
{
	const char *state = output_raw(exception, "state");
	const struct {
		const char *state, *format, *key;
	} rows[] = {
		{ "requested", _("waiting since %s"), "requested" },
		{ "approved", _("from %s"), "begin" },
		{ "", _("ended %s"), "ended" },
		{ "", "%s", "changed" },
	};

	if (!strcmp(state, "live")) {
		_cleanup_(freep) char *left = exception_left_words(exception_number(exception, "seconds-left"));

		return output_format(_("%s left"), left);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t when = exception_number(exception, rows[i].key);

		if (when && (!*rows[i].state || !strcmp(rows[i].state, state))) {
			_cleanup_(freep) char *text = moment_text(when);
			const char *mark = strstr(rows[i].format, "%s");

			return output_format("%.*s%s%s", (int)(mark - rows[i].format), rows[i].format, text, mark + 2);
		}
	}
	return output_format("%s", "");
}

static char *flag_words(struct json_object *exception)
{
	_cleanup_(freep) char *due = exception_due_words(exception);
	const char *emergency = exception_flag(exception, "emergency") ? _("EMERGENCY") : "";
	const char *extension = exception_number(exception, "extend-until") ? _("extension waits") : "";

	return output_format("%s%s%s%s%s", emergency, *emergency && *extension ? ", " : "", extension,
			     (*emergency || *extension) && *due ? ", " : "", due);
}

enum { COLUMN_NUMBER, COLUMN_STATE, COLUMN_PERSON, COLUMN_DEVICE, COLUMN_ACCESS, COLUMN_TIME, N_COLUMNS };

static const char *const titles[N_COLUMNS] = { N_("NO"),     NC_("exception", "STATE"), N_("PERSON"),
					       N_("DEVICE"), N_("ACCESS"),		N_("TIME") };

static char *cell_new(struct json_object *exception, int column)
{
	char *text;

	switch (column) {
	case COLUMN_NUMBER:
		return output_format("%" PRId64, exception_number(exception, "number"));
	case COLUMN_STATE:
		return exception_state_words(output_raw(exception, "state"));
	case COLUMN_ACCESS:
		return output_member(exception, "access");
	case COLUMN_TIME:
		return time_words(exception);
	default:
		text = column == COLUMN_PERSON ? output_member(exception, "person") :
						 exception_device_short(exception);
		output_cut(text, CELL_WIDTH_MAX);
		return text;
	}
}

static void print_row(const struct context *context, struct json_object *exception, const size_t *widths)
{
	size_t group = rank(exception);
	const char *colour = context->colour && group < 3 ? open_states[group].colour : "";
	_cleanup_(freep) char *flags = flag_words(exception);

	for (int column = 0; column < N_COLUMNS; column++) {
		_cleanup_(freep) char *cell = cell_new(exception, column);
		bool coloured = column == COLUMN_STATE && *colour;

		printf("%s%s%s", coloured ? colour : "", cell, coloured ? COLOUR_OFF : "");
		/* Nothing follows the last one of a row without flags. */
		if (column + 1 < N_COLUMNS || *flags)
			output_pad(cell, widths[column] + 2);
	}
	printf("%s%s%s\n", *flags && context->colour ? RED : "", flags, *flags && context->colour ? COLOUR_OFF : "");
}

static void print_table(const struct context *context, struct json_object *list)
{
	size_t widths[N_COLUMNS], n = json_object_array_length(list);

	for (int column = 0; column < N_COLUMNS; column++) {
		widths[column] = text_width(i18n(titles[column]));
		for (size_t i = 0; i < n; i++) {
			_cleanup_(freep) char *cell = cell_new(json_object_array_get_idx(list, i), column);
			size_t width = text_width(cell);

			widths[column] = width > widths[column] ? width : widths[column];
		}
	}
	for (int column = 0; column < N_COLUMNS; column++) {
		fputs(i18n(titles[column]), stdout);
		if (column + 1 < N_COLUMNS)
			output_pad(i18n(titles[column]), widths[column] + 2);
	}
	putchar('\n');
	for (size_t i = 0; i < n && !output_failed(); i++)
		print_row(context, json_object_array_get_idx(list, i), widths);
}

/* --- which ones -------------------------------------------------------------------------------- */

#define STATES_MAX (N_EXCEPTION_STATES + 1)

struct states {
	const char *words[STATES_MAX];
	char *copy; /* what the words of --state lie in */
};

static int bad_state(const char *word)
{
	_cleanup_(freep) char *shown = output_escape(word);

	fprintf(stderr, _("sekimorictl: --%s: '%s' %s\n"), "state", shown,
		_("is no state; expected requested, approved, denied, lapsed, live, used-up, expired, revoked, returned, erase-confirmed or "
		  "closed"));
	return COMMAND_USAGE;
}

/* "live,requested"; without --state those whose life is not over, with --all any. */
static int states_init(struct states *states, const struct command_options *options)
{
	size_t n = 0;
	char *rest, *word;

	for (; !options->state && !options->all && n < ARRAY_SIZE(open_states); n++)
		states->words[n] = open_states[n].state;
	if (!options->state)
		return COMMAND_OK;
	rest = states->copy = output_format("%s", options->state);
	while ((word = strsep(&rest, ","))) {
		unsigned int state = exception_state_find(word);

		if (state == N_EXCEPTION_STATES || n + 1 >= STATES_MAX)
			return bad_state(word);
		states->words[n++] = word;
	}
	return COMMAND_OK;
}

/* Everybody's if the caller may see them, otherwise his own; that is said. */
static struct json_object *ask(DBusConnection *dbus, const struct context *context, const struct exceptions_filter *filter,
			       struct refusal *refusal)
{
	struct json_object *list = exceptions_list(dbus, filter, false, refusal);

	if (list || !refusal_is_denial(refusal))
		return list;
	list = exceptions_list(dbus, filter, true, refusal);
	/* Somebody else's among one's own: that he may not see them is what he needs to know. */
	if (!list && filter->person) {
		refusal_deinit(refusal);
		refusal->why = output_format("not-authorised");
		refusal->error = output_format(DBUS_ERROR_ACCESS_DENIED);
	}
	if (list && !context->json)
		fprintf(stderr, "%s\n", _("These are your own; you may not see those of others."));
	return list;
}

static void print(const struct context *context, const struct command_options *options, struct json_object *list)
{
	json_object_array_sort(list, compare);
	if (context->json) {
		output_json(list, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	} else if (!json_object_array_length(list)) {
		puts(options->all ? _("There are no exceptions.") : _("No exception is waiting, in force, or owes anything."));
	} else {
		pager_begin(!context->no_pager);
		print_table(context, list);
		pager_end();
	}
}

int requests_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(json_objectp) struct json_object *list = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = NULL;
	struct states states = { .copy = NULL };
	struct exceptions_filter filter = { .due = options->due, .person = options->person };
	int r = states_init(&states, options);

	if (r == COMMAND_OK) {
		filter.states = states.words[0] ? states.words : NULL;
		dbus = exceptions_connect(&refusal);
		list = dbus ? ask(dbus, context, &filter, &refusal) : NULL;
		if (list)
			print(context, options, list);
		else
			r = refusal_tell(context, _("the exceptions cannot be listed:"), &refusal);
	}
	free(states.copy);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk stocktake`: opens and closes a stock-taking, notes what was seen (numbers, a
 * barcode reader's lines, terminals' event logs), and reports what was seen when and what was not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/text.h"
#include "desk/commands.h"
#include "desk/desk.h"
#include "desk/eventlog.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/sighting.h"
#include "desk/view.h"

#define LOG_MAX ((size_t)1 << 30)
#define LIST_MAX_LEN (16u << 20)
#define NUMBER_WIDTH 16
/* How far a terminal's clock may be ahead of ours. */
#define CLOCK_SLACK 86400

struct taking {
	const struct context *context;
	const struct command_options *options;
	struct desk desk;
	int64_t stocktake; /* 0: none is open */
	char opened[REGISTER_TIME_MAX];
	char *lines;      /* of standard input, or NULL */
	size_t n_seen;    /* noted in this run */
	size_t n_known;   /* … that had been noted before */
	size_t n_unknown; /* numbers that are not in the register */
};

static int say(const struct taking *taking, int r, const char *what)
{
	return register_say(taking->context, taking->desk.reg, r, what);
}

/* --- noting --------------------------------------------------------------------------------- */

/* What should not be there at all is worth a word. */
static void warn_of_status(const struct taking *taking, const char *number,
			   const struct medium_state *state)
{
	enum medium_status status = state->transition.status;

	if (status == MEDIUM_LOST)
		message_note(taking->context, _("%s is entered as lost: record that it was found"),
			     number);
	else if (status == MEDIUM_DISPOSED)
		message_note(taking->context,
			     _("%s is entered as disposed of: find out what this is"), number);
}

static int note(struct taking *taking, const char *number, const struct sighting *sighting)
{
	struct medium_state state = {0};
	bool fresh = false;
	int r = register_find(taking->desk.reg, number, &state);

	if (r == REGISTER_E_ABSENT) {
		taking->n_unknown++;
		message_note(taking->context, _("%s is not in the register"), number);
		return 0;
	}
	if (!r)
		r = sighting_add(taking->desk.reg, state.id, sighting, taking->stocktake,
				 taking->context->by, &fresh);
	if (r) {
		medium_state_deinit(&state);
		return say(taking, r, number);
	}
	taking->n_seen += fresh;
	taking->n_known += !fresh;
	if (fresh)
		warn_of_status(taking, number, &state);
	medium_state_deinit(&state);
	return 0;
}

static int note_at_hand(struct taking *taking, const char *number)
{
	struct sighting sighting = {0};

	register_time(sighting.time);
	return note(taking, number, &sighting);
}

/* Does the list of numbers come from standard input? "seen" alone, or a "-" among them. */
static bool wants_lines(const struct command_options *options)
{
	bool wanted = options->n_arguments == 1 && !strcmp(options->arguments[0], "seen");

	for (int i = 0; i < options->n_arguments; i++)
		wanted |= !strcmp(options->arguments[i], "-");
	return wanted;
}

/* Lines of numbers; a barcode reader ends each with CR, LF or both. */
static int note_lines(struct taking *taking)
{
	char *rest = taking->lines, *line;
	int r = 0;

	while (!r && (line = strsep(&rest, "\r\n"))) {
		line += strspn(line, " \t");
		line[strcspn(line, "\t")] = '\0';
		while (*line && line[strlen(line) - 1] == ' ')
			line[strlen(line) - 1] = '\0';
		if (*line)
			r = note_at_hand(taking, line);
	}
	return r;
}

static int note_log(struct taking *taking, const char *path)
{
	_cleanup_(freep) char *text = NULL;
	struct eventlog_sighting seen;
	struct eventlog log = {0};
	char latest[REGISTER_TIME_MAX];
	time_t limit = time(NULL) + CLOCK_SLACK;
	struct tm tm;
	int r = outfile_read(taking->context, path, LOG_MAX, &text, &log.len);

	if (r)
		return r;
	log.text = text;
	gmtime_r(&limit, &tm);
	strftime(latest, sizeof(latest), "%Y-%m-%dT%H:%M:%SZ", &tm);
	while (!r && eventlog_next(&log, latest, &seen))
		r = note(taking, seen.number, &seen.sighting);
	if (!r && log.n_bad)
		message_note(taking->context,
			     _("%s: %zu lines cannot be read, the first is line %zu"), path,
			     log.n_bad, log.bad_line);
	return r;
}

static int note_all(struct taking *taking)
{
	const struct command_options *options = taking->options;
	bool seen = options->n_arguments && !strcmp(options->arguments[0], "seen");
	const char *path;
	size_t at = 0;
	int r = 0;

	for (int i = seen; !r && i < options->n_arguments; i++)
		if (strcmp(options->arguments[i], "-"))
			r = note_at_hand(taking, options->arguments[i]);
	if (!r && taking->lines)
		r = note_lines(taking);
	while (!r && (path = command_option_next(options, OPTION_LOG, &at)))
		r = note_log(taking, path);
	return r;
}

/* --- the report ----------------------------------------------------------------------------- */

struct report_row {
	char *number;
	char *holder;
	char *place;
	enum medium_status status;
	struct sighting last;
	bool seen;
};

struct stock_report {
	struct taking *taking;
	struct report_row *rows;
	size_t n;
	size_t size;
	size_t n_seen;
};

/* What should be somewhere: all but what is known to be gone. */
static bool is_expected(const struct medium_state *state)
{
	return state->transition.status != MEDIUM_LOST &&
	       state->transition.status != MEDIUM_DISPOSED;
}

static int take_row(void *userdata, const struct medium_state *state)
{
	struct stock_report *report = userdata;
	struct report_row *row;
	int r;

	if (!is_expected(state))
		return 0;
	if (report->n == report->size) {
		report->size = report->size ? 2 * report->size : 256;
		report->rows = reallocarray(report->rows, report->size, sizeof(*report->rows));
		if (!report->rows)
			output_no_memory();
	}
	row = &report->rows[report->n++];
	*row = (struct report_row){.status = state->transition.status};
	row->number = output_format("%s", record_get(&state->record, FIELD_NUMBER));
	row->holder = output_format("%s", record_get(&state->record, FIELD_HOLDER));
	row->place = output_format("%s", record_get(&state->record, FIELD_PLACE));
	r = sighting_last(report->taking->desk.reg, state->id, &row->last);
	row->seen = *row->last.time && strcmp(row->last.time, report->taking->opened) >= 0;
	report->n_seen += row->seen;
	return r;
}

static void report_deinit(struct stock_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		free(report->rows[i].number);
		free(report->rows[i].holder);
		free(report->rows[i].place);
	}
	free(report->rows);
}

static struct json_object *row_json(const struct report_row *row)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "number", json_object_new_string(row->number));
	json_object_object_add(object, "status",
			       json_object_new_string(medium_status_name(row->status)));
	json_object_object_add(object, "holder", json_object_new_string(row->holder));
	json_object_object_add(object, "place", json_object_new_string(row->place));
	json_object_object_add(object, "seen",
			       *row->last.time ? json_object_new_string(row->last.time) : NULL);
	json_object_object_add(object, "seen_at",
			       *row->last.time ? json_object_new_string(row->last.terminal) : NULL);
	return object;
}

static struct json_object *rows_json(const struct stock_report *report, bool seen)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < report->n; i++)
		if (report->rows[i].seen == seen)
			json_object_array_add(array, row_json(&report->rows[i]));
	return array;
}

static void print_missing(const struct context *context, const struct report_row *row)
{
	_cleanup_(freep) char *number = output_escape(row->number);
	_cleanup_(freep) char *holder = output_escape(row->holder);
	_cleanup_(freep) char *place = output_escape(row->place);
	_cleanup_(freep) char *terminal = output_escape(row->last.terminal);

	printf("  %s", number);
	output_pad(number, NUMBER_WIDTH);
	printf(" %s", status_text(row->status));
	output_pad(status_text(row->status), 8);
	if (*row->last.time)
		printf(" %s %s %s", _("last seen"), row->last.time, terminal);
	else
		printf(" %s", _("never seen"));
	printf("%s%s%s%s\n", *holder ? "  " : "", holder, *place ? "  " : "", place);
}

static void print_report(const struct stock_report *report, bool closed)
{
	const struct taking *taking = report->taking;
	const struct context *context = taking->context;

	if (context->json) {
		_cleanup_(json_objectp) struct json_object *object = json_object_new_object();

		json_object_object_add(object, "opened",
				       *taking->opened ? json_object_new_string(taking->opened)
						       : NULL);
		json_object_object_add(object, "closed", json_object_new_boolean(closed));
		json_object_object_add(object, "expected", json_object_new_uint64(report->n));
		json_object_object_add(object, "noted", json_object_new_uint64(taking->n_seen));
		json_object_object_add(object, "unknown",
				       json_object_new_uint64(taking->n_unknown));
		json_object_object_add(object, "seen", rows_json(report, true));
		json_object_object_add(object, "missing", rows_json(report, false));
		output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
		return;
	}
	if (taking->stocktake || closed)
		message_done(context, _("since %s: %zu of %zu media seen, %zu missing"),
			     taking->opened, report->n_seen, report->n, report->n - report->n_seen);
	else
		message_done(context,
			     _("no stock-taking is open; %zu of %zu media were seen at some time"),
			     report->n_seen, report->n);
	for (size_t i = 0; i < report->n; i++)
		if (!report->rows[i].seen)
			print_missing(context, &report->rows[i]);
}

/* --- opening and closing -------------------------------------------------------------------- */

static int open_one(struct taking *taking)
{
	int r;

	if (taking->stocktake)
		return message_fail(taking->context, _("one is open already, since %s"),
				    taking->opened);
	r = stocktake_open(taking->desk.reg, taking->context->by, taking->context->why,
			   &taking->stocktake);
	if (!r)
		r = stocktake_current(taking->desk.reg, &taking->stocktake, taking->opened);
	return r ? say(taking, r, taking->desk.path) : 0;
}

static int close_one(struct taking *taking, const struct stock_report *report)
{
	_cleanup_(json_objectp) struct json_object *missing = rows_json(report, false);
	int r = stocktake_close(taking->desk.reg, taking->stocktake, taking->context->by,
				taking->context->why, report->n, report->n_seen,
				json_object_to_json_string_ext(missing, JSON_C_TO_STRING_PLAIN));

	return r ? say(taking, r, taking->desk.path) : 0;
}

static int run_open(struct taking *taking)
{
	const struct command_options *options = taking->options;
	bool open = command_option(options, OPTION_OPEN);
	bool close = command_option(options, OPTION_CLOSE);
	struct stock_report report = {.taking = taking};
	int r = register_begin(taking->desk.reg);

	if (!r)
		r = stocktake_current(taking->desk.reg, &taking->stocktake, taking->opened);
	if (r)
		return say(taking, r, taking->desk.path);
	if (close && !taking->stocktake)
		return message_fail(taking->context,
				    _("no stock-taking is open: begin one with --open"));
	if (open)
		r = open_one(taking);
	if (!r)
		r = note_all(taking);
	if (!r) {
		r = register_each(taking->desk.reg, take_row, &report);
		if (r)
			r = say(taking, r, taking->desk.path);
	}
	if (!r && close)
		r = close_one(taking, &report);
	if (!r) {
		r = register_commit(taking->desk.reg);
		if (r)
			r = say(taking, r, taking->desk.path);
	}
	if (!r && (taking->n_seen || taking->n_known))
		message_done(taking->context,
			     ngettext("%zu sighting noted, %zu were known",
				      "%zu sightings noted, %zu were known", taking->n_seen),
			     taking->n_seen, taking->n_known);
	else if (!r && open)
		message_done(taking->context,
			     ngettext("begun: %zu medium should be there",
				      "begun: %zu media should be there", report.n),
			     report.n);
	/* Between, a person wants to know only what was just read. */
	if (!r && (close || taking->context->json ||
		   (!open && !taking->n_seen && !taking->n_known && !taking->n_unknown)))
		print_report(&report, close);
	report_deinit(&report);
	return !r && taking->n_unknown ? COMMAND_FAILED : r;
}

int stocktake_run(const struct context *context, const struct command_options *options)
{
	struct taking taking = {.context = context, .options = options};
	size_t len = 0;
	int r;

	if (command_option(options, OPTION_OPEN) && command_option(options, OPTION_CLOSE))
		return message_usage(context, _("--open or --close, not both"));
	r = desk_open(context, &taking.desk);
	/* A person scans for an hour: the register is not held meanwhile. */
	if (!r && wants_lines(options))
		r = outfile_read(context, "-", LIST_MAX_LEN, &taking.lines, &len);
	if (!r)
		r = run_open(&taking);
	free(taking.lines);
	desk_close(&taking.desk);
	return r;
}

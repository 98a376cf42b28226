// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk import`: enters the media of a CSV table. Every line is entered in one
 * transaction, which is committed only if none has an error, so that all errors are told and
 * nothing is changed.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/csv.h"
#include "desk/commands.h"
#include "desk/desk.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/table.h"

/* 100,000 media with marks are about 100 MB. */
#define FILE_MAX (256u << 20)
/* More errors than a person reads. */
#define ERRORS_MAX 100
#define COLUMNS_MAX (4 * FIELD_COUNT)

struct import {
	const struct context *context;
	struct desk desk;
	const char *path;
	struct csv csv;
	enum field columns[COLUMNS_MAX];
	size_t n_columns;
	size_t n_entered;
	size_t n_known;
	size_t n_errors;
};

static int fail_csv(const struct import *import, int code)
{
	return message_fail(import->context, _("%s:%zu: %s"), import->path, import->csv.line,
			    i18n(csv_error(code)));
}

/* The titles say which column is which; unknown ones are an error, since they would be lost. */
static int read_titles(struct import *import)
{
	char *cells[COLUMNS_MAX];
	bool seen[FIELD_COUNT] = {false};
	size_t n = 0;
	int r = csv_next(&import->csv, cells, COLUMNS_MAX, &n), bad = 0;

	if (r == CSV_E_END)
		return message_fail(import->context, _("%s is empty"), import->path);
	if (r)
		return fail_csv(import, r);
	for (size_t i = 0; i < n; i++) {
		enum field field = table_find_title(cells[i]);

		if (field == FIELD_COUNT)
			bad = message_fail(import->context,
					   _("%s:%zu: there is no column \"%s\"; `sekimori-desk "
					     "export` shows which there are"),
					   import->path, import->csv.line, cells[i]);
		else if (seen[field])
			bad = message_fail(import->context, _("%s:%zu: two columns \"%s\""),
					   import->path, import->csv.line, cells[i]);
		else
			seen[field] = true;
		import->columns[i] = field;
	}
	for (enum field i = 0; !bad && i < FIELD_COUNT; i++)
		if ((field_rows[i].required || i == FIELD_SERIAL) && !seen[i])
			bad = message_fail(import->context, _("%s:%zu: a column \"%s\" is needed"),
					   import->path, import->csv.line, table_title(i));
	import->n_columns = n;
	return bad;
}

static void read_cells(const struct import *import, char *const *cells, size_t n,
		       struct record *record)
{
	for (size_t i = 0; i < n; i++) {
		enum field field = import->columns[i];
		char date[11];

		if (field >= FIELD_ISSUED && field <= FIELD_DUE && strchr(cells[i], '/')) {
			table_mend_date(date, cells[i]);
			record_set(record, field, date);
		} else if (*cells[i] || FIELD_IS_IDENTITY(field)) {
			record_set(record, field, cells[i]);
		}
	}
}

/* Is the medium in the register just as the line has it? */
static int is_known(struct import *import, const struct record *record, bool *known)
{
	struct medium_state state = {0};
	int r = register_find(import->desk.reg, record_get(record, FIELD_NUMBER), &state);

	*known = !r;
	for (enum field i = 0; !r && i < FIELD_COUNT; i++)
		/* No status in the line: any will do. */
		if (strcmp(record_get(&state.record, i), record_get(record, i)) &&
		    (i != FIELD_STATUS || record->values[i]))
			*known = false;
	medium_state_deinit(&state);
	return r == REGISTER_E_ABSENT ? 0 : r;
}

static int enter(struct import *import, struct record *record)
{
	struct record identity = {0};
	struct event event = {.kind = EVENT_IMPORTED,
			      .by = import->context->by,
			      .why = import->context->why,
			      .sets = *record};
	bool known;
	int r = is_known(import, record, &known);

	if (r || known) {
		import->n_known += known;
		return r;
	}
	for (enum field i = 0; FIELD_IS_IDENTITY(i); i++) {
		identity.values[i] = record->values[i];
		event.sets.values[i] = NULL;
	}
	r = register_add(import->desk.reg, &identity, &event);
	import->n_entered += !r;
	return r;
}

static int read_line(struct import *import, char *const *cells, size_t n)
{
	struct context context = *import->context;
	struct record record = {0};
	_cleanup_(freep) char *place = NULL;
	int r;

	read_cells(import, cells, n, &record);
	r = enter(import, &record);
	if (r) {
		place = output_format("%s:%zu", import->path, import->csv.line);
		context.place = place;
		register_say(&context, import->desk.reg, r, record_get(&record, FIELD_NUMBER));
		import->n_errors++;
	}
	record_deinit(&record);
	/* What the line cannot help would repeat itself. */
	return r < 0 || r == REGISTER_E_BUSY || r == REGISTER_E_DAMAGED ? COMMAND_FAILED : 0;
}

static int read_lines(struct import *import)
{
	char *cells[COLUMNS_MAX];
	size_t n;
	int r;

	while (!(r = csv_next(&import->csv, cells, import->n_columns, &n))) {
		r = read_line(import, cells, n);
		if (r)
			return r;
		if (import->n_errors == ERRORS_MAX) {
			message_note(import->context, _("and perhaps more"));
			break;
		}
	}
	return r && r != CSV_E_END ? fail_csv(import, r) : 0;
}

static int run_open(struct import *import)
{
	const struct context *context = import->context;
	int r = read_titles(import);

	if (r)
		return r;
	r = register_begin(import->desk.reg);
	if (r)
		return register_say(context, import->desk.reg, r, import->desk.path);
	r = read_lines(import);
	if (!r && import->n_errors)
		r = COMMAND_FAILED;
	if (!r) {
		r = register_commit(import->desk.reg);
		if (r)
			r = register_say(context, import->desk.reg, r, import->desk.path);
	}
	if (r)
		message_note(context, _("nothing was changed"));
	return r;
}

static void tell(const struct import *import)
{
	_cleanup_(json_objectp) struct json_object *object = NULL;

	if (import->context->json) {
		object = json_object_new_object();
		json_object_object_add(object, "entered",
				       json_object_new_uint64(import->n_entered));
		json_object_object_add(object, "known", json_object_new_uint64(import->n_known));
		output_json(object, 0);
	}
	message_done(import->context,
		     ngettext("%zu medium entered, %zu were there already",
			      "%zu media entered, %zu were there already", import->n_entered),
		     import->n_entered, import->n_known);
}

int import_run(const struct context *context, const struct command_options *options)
{
	struct import import = {.context = context, .path = options->arguments[0]};
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	int r = outfile_read(context, import.path, FILE_MAX, &text, &len);

	if (r)
		return r;
	r = csv_init(&import.csv, text, len);
	if (r)
		return fail_csv(&import, r);
	r = desk_open(context, &import.desk);
	if (!r)
		r = run_open(&import);
	desk_close(&import.desk);
	if (!r)
		tell(&import);
	return r;
}

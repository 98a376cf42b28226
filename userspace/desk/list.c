// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk list`: the register, or some of it, as a table. */
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/pager.h"
#include "core/text.h"
#include "desk/commands.h"
#include "desk/desk.h"
#include "desk/filter.h"
#include "desk/message.h"
#include "desk/table.h"
#include "desk/view.h"

#define CELL_WIDTH_MAX 32
#define BLANKS 2

/* What a person looks for first; the rest is in show and in --csv. */
static const enum field columns[] = {FIELD_NUMBER, FIELD_STATUS, FIELD_CLASS, FIELD_PRODUCT,
				     FIELD_HOLDER, FIELD_PLACE,  FIELD_UNTIL, FIELD_DUE};
#define N_COLUMNS ARRAY_SIZE(columns)

struct row {
	char *cells[N_COLUMNS];
	size_t widths[N_COLUMNS];
	bool overdue;
	bool lost;
};

struct list {
	const struct context *context;
	struct filter filter;
	struct row *rows;
	size_t n;
	size_t size;
	size_t widths[N_COLUMNS];
	struct json_object *json;
	bool csv;
};

static void row_deinit(struct row *row)
{
	for (size_t i = 0; i < N_COLUMNS; i++)
		free(row->cells[i]);
}

static void set_cell(struct list *list, struct row *row, size_t column, char *text)
{
	/* No text is wider than it has bytes. */
	if (strlen(text) > CELL_WIDTH_MAX)
		output_cut(text, CELL_WIDTH_MAX);
	row->cells[column] = text;
	row->widths[column] = text_width(text);
	if (row->widths[column] > list->widths[column])
		list->widths[column] = row->widths[column];
}

static void take_row(struct list *list, const struct medium_state *state)
{
	struct row *row;

	if (list->n == list->size) {
		list->size = list->size ? 2 * list->size : 256;
		list->rows = reallocarray(list->rows, list->size, sizeof(*list->rows));
		if (!list->rows)
			output_no_memory();
	}
	row = &list->rows[list->n++];
	row->overdue = view_is_overdue(state, list->filter.today);
	row->lost = state->transition.status == MEDIUM_LOST;
	for (size_t i = 0; i < N_COLUMNS; i++)
		set_cell(list, row, i, view_value(list->context, &state->record, columns[i]));
}

static int take(void *userdata, const struct medium_state *state)
{
	struct list *list = userdata;

	if (!filter_matches(&list->filter, state))
		return 0;
	if (list->csv)
		table_write_row(stdout, &state->record);
	else if (list->json)
		json_object_array_add(list->json, view_json(state, list->filter.today));
	else
		take_row(list, state);
	return 0;
}

/* Numbers in the order in which people count: M-9 before M-10. */
static int compare(const void *a, const void *b)
{
	return strverscmp(((const struct row *)a)->cells[0], ((const struct row *)b)->cells[0]);
}

static void print_row(const struct list *list, const struct row *row, const char *behind)
{
	size_t last = N_COLUMNS;

	while (last && !*behind && !*row->cells[last - 1])
		last--;
	for (size_t i = 0; i < last; i++) {
		bool pad = i + 1 < last || *behind;

		printf("%s%*s", row->cells[i],
		       pad ? (int)(list->widths[i] - row->widths[i] + BLANKS) : 0, "");
	}
	puts(behind);
}

static void print_table(struct list *list)
{
	const struct context *context = list->context;
	struct row titles = {0};
	size_t n_overdue = 0;

	for (size_t i = 0; i < N_COLUMNS; i++)
		set_cell(list, &titles, i, output_format("%s", i18n(field_rows[columns[i]].text)));
	print_row(list, &titles, "");
	row_deinit(&titles);
	qsort(list->rows, list->n, sizeof(*list->rows), compare);
	for (size_t i = 0; i < list->n; i++) {
		const struct row *row = &list->rows[i];

		if (context->colour && (row->overdue || row->lost))
			fputs("\x1b[31m", stdout);
		print_row(list, row, row->overdue ? _("OVERDUE") : "");
		if (context->colour && (row->overdue || row->lost))
			fputs("\x1b[0m", stdout);
		n_overdue += row->overdue;
	}
	if (n_overdue)
		message_done(context,
			     ngettext("%zu medium, %zu overdue", "%zu media, %zu overdue", list->n),
			     list->n, n_overdue);
	else
		message_done(context, ngettext("%zu medium", "%zu media", list->n), list->n);
}

static int run(struct list *list)
{
	const struct context *context = list->context;
	struct desk desk;
	int r = desk_open(context, &desk);

	if (!r) {
		if (list->csv)
			table_write_titles(stdout);
		r = register_each(desk.reg, take, list);
		if (r)
			r = register_say(context, desk.reg, r, desk.path);
	}
	desk_close(&desk);
	return r;
}

int list_run(const struct context *context, const struct command_options *options)
{
	struct list list = {.context = context, .csv = command_option(options, OPTION_CSV)};
	int r = filter_init(&list.filter, context, options);

	if (r)
		return r;
	if (list.csv && context->json)
		return message_usage(context, _("--csv or --json, not both"));
	if (context->json)
		list.json = json_object_new_array();
	r = run(&list);
	if (!r && context->json)
		output_json(list.json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	else if (!r && !list.csv) {
		pager_begin(!context->no_pager);
		print_table(&list);
		pager_end();
	}
	for (size_t i = 0; i < list.n; i++)
		row_deinit(&list.rows[i]);
	free(list.rows);
	json_object_put(list.json);
	if (!r && fflush(stdout))
		return message_fail(context, _("the output: %s"), i18n_error(errno));
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl list`: the devices that the keeper knows. */
#include <string.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/told.h"
#include "core/reason.h"
#include "core/text.h"
#include "ctl/client.h"
#include "ctl/output.h"

/* A device may call itself by 126 characters; the table has other columns too. */
#define CELL_WIDTH_MAX 32

/* The columns before the reason, which is a sentence and stands last. */
static const struct column {
	enum label label;
	const char *property;
} columns[] = {
	{LABEL_NUMBER, "Path"},     {LABEL_NAME, "Name"},   {LABEL_ID, "Id"},
	{LABEL_PRODUCT, "Product"}, {LABEL_STATE, "State"}, {LABEL_MEDIUM, "Medium"},
};

static bool column_is_word(const struct column *column)
{
	return column->label == LABEL_STATE;
}

static char *cell_new(struct json_object *device, const struct column *column)
{
	char *text;

	/* The last element of the object's path. */
	if (column->label == LABEL_NUMBER)
		return output_escape(output_raw(device, column->property) +
				     strlen(BUS_DEVICE_PATH_PREFIX));
	text = output_member(device, column->property);
	output_cut(text, CELL_WIDTH_MAX);
	return text;
}

static size_t column_width(const struct context *context, struct json_object *devices,
			   const struct column *column)
{
	size_t widest = text_width(label_text(column->label));

	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		_cleanup_(freep) char *cell =
			cell_new(json_object_array_get_idx(devices, i), column);
		size_t width = column_is_word(column) ? output_word_width(context, cell)
						      : text_width(cell);

		if (width > widest)
			widest = width;
	}
	return widest;
}

static void print_device(const struct context *context, struct json_object *device,
			 const size_t *widths)
{
	_cleanup_(freep) char *reason =
		output_escape(i18n(reason_text(output_raw(device, "Reason"))));
	_cleanup_(freep) char *detail = told_shown(output_raw(device, "Detail"));

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		_cleanup_(freep) char *cell = cell_new(device, &columns[i]);

		if (column_is_word(&columns[i])) {
			output_word(context, cell, widths[i]);
		} else {
			fputs(cell, stdout);
			output_pad(cell, widths[i]);
		}
		fputs("  ", stdout);
	}
	printf("%s%s%s%s\n", reason, *detail ? " (" : "", detail, *detail ? ")" : "");
}

static void print_table(const struct context *context, struct json_object *devices)
{
	size_t widths[ARRAY_SIZE(columns)];

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		const char *title = label_text(columns[i].label);

		widths[i] = column_width(context, devices, &columns[i]);
		fputs(title, stdout);
		output_pad(title, widths[i] + 2);
	}
	puts(label_text(LABEL_REASON));
	for (size_t i = 0; i < json_object_array_length(devices); i++)
		print_device(context, json_object_array_get_idx(devices, i), widths);
}

static void drop_passed(struct json_object *devices)
{
	for (size_t i = json_object_array_length(devices); i-- > 0;)
		if (!strcmp(output_raw(json_object_array_get_idx(devices, i), "State"), "passed"))
			json_object_array_del_idx(devices, i, 1);
}

int list_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(freep) char *why = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);
	_cleanup_(json_objectp) struct json_object *devices =
		dbus ? client_devices(dbus, &why) : NULL;

	if (!devices) {
		_cleanup_(freep) char *shown = told_shown(why ? why : "");

		fprintf(stderr, "sekimorictl: %s %s\n", label_text(LABEL_BUS_FAILED), shown);
		return COMMAND_FAILED;
	}
	if (!options->all)
		drop_passed(devices);
	if (context->json)
		output_json(devices, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	else if (json_object_array_length(devices))
		print_table(context, devices);
	else
		puts(label_text(options->all ? LABEL_NO_DEVICES_AT_ALL : LABEL_NO_DEVICES));
	return COMMAND_OK;
}

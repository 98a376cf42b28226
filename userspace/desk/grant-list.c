// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk grant list`: what was granted by telephone and by file. */
#include <stdio.h>
#include <string.h>

#include "cli/duration.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "core/device-class-name.h"
#include "core/macro.h"
#include "desk/commands.h"
#include "desk/desk.h"
#include "desk/granted.h"
#include "desk/message.h"

#define TIME_WIDTH 22
#define TERMINAL_WIDTH 16
#define BY_WIDTH 16
#define HOW_WIDTH 12

static void put_cell(const char *text, size_t width)
{
	_cleanup_(freep) char *safe = output_escape(text);

	fputs(safe, stdout);
	output_pad(safe, width);
	putchar(' ');
}

/* "read-only, 2 h, USB memory …", from what the register keeps. */
static char *terms_text(struct json_object *terms)
{
	const char *access = output_raw(terms, "access"), *not_after = output_raw(terms, "not_after");
	enum device_class class = DEVICE_CLASS_UNKNOWN;
	struct json_object *seconds = NULL;
	_cleanup_(freep) char *period = NULL;

	device_class_find(output_raw(terms, "class"), &class);
	json_object_object_get_ex(terms, "seconds", &seconds);
	if (*not_after)
		period = output_format(_("until %s"), not_after);
	else
		period = duration_text((uint32_t)json_object_get_int64(seconds));
	return output_format("%s, %s, %s", strcmp(access, "rw") ? _("read-only") : _("reading and writing"), period,
			     i18n(device_class_text(class)));
}

static void print(const struct granted *granted, struct json_object *terms)
{
	_cleanup_(freep) char *what = terms_text(terms);
	_cleanup_(freep) char *why = output_escape(granted->why ? granted->why : "");
	_cleanup_(freep) char *all = output_format("%s%s%s", what, *why ? "; " : "", why);

	put_cell(granted->time, TIME_WIDTH);
	put_cell(granted->terminal, TERMINAL_WIDTH);
	put_cell(granted->by, BY_WIDTH);
	put_cell(strcmp(granted->kind, GRANTED_FILE) ? _("by telephone") : _("by file"), HOW_WIDTH);
	puts(all);
}

static void print_titles(void)
{
	put_cell(_("When (UTC)"), TIME_WIDTH);
	put_cell(_("Terminal"), TERMINAL_WIDTH);
	put_cell(_("By"), BY_WIDTH);
	put_cell(_("How"), HOW_WIDTH);
	puts(_("What, and why"));
}

static int take(void *userdata, const struct granted *granted)
{
	struct json_object *list = userdata, *object, *terms = json_tokener_parse(granted->terms);

	if (!list) {
		print(granted, terms);
		json_object_put(terms);
		return 0;
	}
	object = json_object_new_object();
	json_object_object_add(object, "number", json_object_new_int64(granted->number));
	json_object_object_add(object, "kind", json_object_new_string(granted->kind));
	json_object_object_add(object, "id", json_object_new_string(granted->id));
	json_object_object_add(object, "time", json_object_new_string(granted->time));
	json_object_object_add(object, "by", json_object_new_string(granted->by));
	json_object_object_add(object, "why", json_object_new_string(granted->why ? granted->why : ""));
	json_object_object_add(object, "terminal", json_object_new_string(granted->terminal));
	json_object_object_add(object, "challenge",
			       json_object_new_string(granted->challenge ? granted->challenge : ""));
	json_object_object_add(object, "terms", terms);
	json_object_array_add(list, object);
	return 0;
}

int grant_list_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(json_objectp) struct json_object *list = context->json ? json_object_new_array() : NULL;
	struct desk desk;
	int r = desk_open(context, &desk);

	if (!r) {
		if (!list)
			print_titles();
		r = granted_each(desk.reg, command_option(options, OPTION_TERMINAL), NULL, take, list);
		if (r)
			r = register_say(context, desk.reg, r, desk.path);
	}
	if (!r && list)
		output_json(list, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	desk_close(&desk);
	return r;
}

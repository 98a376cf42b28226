// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>

#include "cli/duration.h"
#include "cli/i18n.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "core/macro.h"
#include "ctl/exception-text.h"
#include "ctl/wish.h"

static void print_text(const char *label, const char *text)
{
	_cleanup_(freep) char *shown = output_escape(text ? text : "");

	exception_print_row(stderr, label, shown);
}

static void print_time(const char *label, int64_t when)
{
	_cleanup_(freep) char *text = when ? moment_text(when) : NULL;

	if (text)
		exception_print_row(stderr, label, text);
}

static void print_object(const struct wish *wish, struct json_object *devices)
{
	struct json_object *device = wish_device(wish, devices);
	_cleanup_(freep) char *product = output_member(device, "Product");
	_cleanup_(freep) char *port = output_member(device, "Name");
	_cleanup_(freep) char *line = output_format(_("%s, port %s"), *product ? product : "?", port);
	_cleanup_(freep) char *access = exception_access_words(wish->read_write, wish->encrypted_only);

	if (wish->medium)
		print_text(_("Medium"), wish->medium);
	else
		exception_print_row(stderr, _("Device"), line);
	exception_print_row(stderr, i18n(NC_("exception", "Access")), access);
}

static void print_amounts(const struct wish *wish)
{
	_cleanup_(freep) char *period = exception_left_words(wish->seconds);
	_cleanup_(freep) char *uses = output_format(_("%u times at most"), wish->uses);
	_cleanup_(freep) char *quota = amount_text(wish->write_quota);

	if (wish->seconds)
		exception_print_row(stderr, _("Period"), period);
	print_time(_("Begins"), wish->begin);
	print_time(_("Ends"), wish->until);
	if (wish->uses)
		exception_print_row(stderr, _("Uses at most"), uses);
	if (wish->write_quota)
		exception_print_row(stderr, _("Written at most"), quota);
}

void wish_print(const struct wish *wish, struct json_object *devices)
{
	_cleanup_(freep) char *form = wish->form ? output_format("%s (%s)", wish->form, exception_form_words(wish->form)) : NULL;

	fputc('\n', stderr);
	print_object(wish, devices);
	print_amounts(wish);
	print_text(_("Purpose"), wish->purpose);
	print_text(_("For"), wish->person ? wish->person : _("yourself"));
	print_text(_("Class of data"), wish->data_class);
	if (form)
		exception_print_row(stderr, _("Form"), form);
	print_time(_("Back by"), wish->return_by);
	fputc('\n', stderr);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/message.h"

#define NAME "sekimori-desk"

static char *message_new(const struct context *context, const char *format, va_list args)
{
	char *text = NULL, *safe;

	if (vasprintf(&text, format, args) < 0)
		output_no_memory();
	safe = output_escape(text);
	free(text);
	return safe;
}

static void tell(const struct context *context, const char *format, va_list args)
{
	_cleanup_(freep) char *text = message_new(context, format, args);

	fflush(stdout);
	if (context->place) {
		_cleanup_(freep) char *place = output_escape(context->place);

		fprintf(stderr, NAME ": %s: %s\n", place, text);
	} else {
		fprintf(stderr, NAME ": %s\n", text);
	}
}

int message_fail(const struct context *context, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(context, format, args);
	va_end(args);
	return COMMAND_FAILED;
}

int message_usage(const struct context *context, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(context, format, args);
	va_end(args);
	return message_usage_hint();
}

int message_usage_hint(void)
{
	fprintf(stderr, _("Try '%s --help'.\n"), NAME);
	return COMMAND_USAGE;
}

void message_note(const struct context *context, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(context, format, args);
	va_end(args);
}

void message_done(const struct context *context, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list args;

	if (context->json)
		return;
	va_start(args, format);
	text = message_new(context, format, args);
	va_end(args);
	puts(text);
}

bool message_confirm(const struct context *context, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	char answer[16];
	va_list args;

	if (context->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		message_note(context, _("there is no terminal to ask on: say --yes"));
		return false;
	}
	va_start(args, format);
	text = message_new(context, format, args);
	va_end(args);
	fprintf(stderr, "%s [yes/no] ", text);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return !strcmp(answer, "yes\n") || !strcmp(answer, "はい\n");
}

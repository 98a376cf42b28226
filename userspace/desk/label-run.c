// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk label`: labels for printing, as sheets in one HTML file that needs nothing else,
 * or one as SVG.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/commands.h"
#include "desk/desk.h"
#include "desk/label.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/setting.h"

struct printing {
	const struct context *context;
	const struct command_options *options;
	struct desk desk;
	struct label_words words;
	FILE *out;
};

/* A4, 2 by 5: margins 18.6 mm and 21.5 mm, no gaps. */
static void begin_page(const struct printing *printing)
{
	fprintf(printing->out,
		"<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>",
		i18n_is_japanese() ? "ja" : "en");
	output_markup(printing->out, _("Media labels"));
	fprintf(printing->out,
		"</title><style>\n@page { size: A4; margin: 21.5mm 18.6mm; }\nbody { margin: 0; }\n"
		"div { display: flex; flex-wrap: wrap; width: %.1fmm; }\n"
		"svg { display: block; break-inside: avoid; }\n</style></head><body><div>\n",
		2 * LABEL_WIDTH_MM);
}

static int print_one(const struct printing *printing, const char *number)
{
	struct medium_state state = {0};
	int r = register_find(printing->desk.reg, number, &state);

	if (r)
		return register_say(printing->context, printing->desk.reg, r, number);
	if (!label_write(printing->out, &state.record, &printing->words))
		message_note(
			printing->context,
			_("%s: printed without a barcode, which takes up to 28 ASCII characters"),
			number);
	medium_state_deinit(&state);
	return 0;
}

static int print_all(struct printing *printing, bool page)
{
	const struct command_options *options = printing->options;
	int r = 0;

	if (page)
		begin_page(printing);
	for (int i = 0; !r && i < options->n_arguments; i++)
		r = print_one(printing, options->arguments[i]);
	if (page)
		fputs("</div></body></html>\n", printing->out);
	return r;
}

static int deliver(const struct printing *printing, const char *text, size_t len)
{
	const char *path = command_option(printing->options, OPTION_OUT);

	if (path && strcmp(path, "-"))
		return outfile_write(printing->context, path, 0644, text, len);
	fwrite(text, 1, len, stdout);
	return fflush(stdout)
		       ? message_fail(printing->context, _("the output: %s"), i18n_error(errno))
		       : 0;
}

static int run(struct printing *printing, bool page)
{
	_cleanup_(freep) char *organisation = NULL;
	_cleanup_(freep) char *return_to = NULL;
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	int r = setting_get(printing->desk.reg, SETTING_ORGANISATION, &organisation);

	if (!r)
		r = setting_get(printing->desk.reg, SETTING_RETURN_TO, &return_to);
	if (r)
		return register_say(printing->context, printing->desk.reg, r, printing->desk.path);
	printing->words =
		(struct label_words){.organisation = organisation, .return_to = return_to};
	printing->out = open_memstream(&text, &len);
	if (!printing->out)
		output_no_memory();
	r = print_all(printing, page);
	if (fclose(printing->out))
		output_no_memory();
	return r ? r : deliver(printing, text, len);
}

int label_run(const struct context *context, const struct command_options *options)
{
	struct printing printing = {.context = context, .options = options};
	const char *format = command_option(options, OPTION_FORMAT);
	bool page = !format || !strcmp(format, "html");
	int r;

	if ((!page && strcmp(format, "svg")) || (!page && options->n_arguments > 1))
		return message_usage(context, _("--format takes html, or svg for a single label"));
	r = desk_open(context, &printing.desk);
	if (!r)
		r = run(&printing, page);
	desk_close(&printing.desk);
	return r;
}

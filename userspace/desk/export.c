// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk export`: the register as CSV that `import` reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/commands.h"
#include "desk/desk.h"
#include "desk/filter.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/table.h"

struct export
{
	struct filter filter;
	FILE *out;
	size_t n;
};

static int take(void *userdata, const struct medium_state *state)
{
	struct export *export = userdata;

	if (filter_matches(&export->filter, state)) {
		table_write_row(export->out, &state->record);
		export->n++;
	}
	return 0;
}

static int run(const struct context *context, struct export *export, const char *path)
{
	_cleanup_(freep) char *text = NULL;
	struct desk desk;
	size_t len = 0;
	int r = desk_open(context, &desk);

	if (!r) {
		export->out = open_memstream(&text, &len);
		if (!export->out)
			output_no_memory();
		table_write_titles(export->out);
		r = register_each(desk.reg, take, export);
		if (fclose(export->out))
			output_no_memory();
		if (r)
			r = register_say(context, desk.reg, r, desk.path);
	}
	desk_close(&desk);
	if (r)
		return r;
	if (strcmp(path, "-"))
		/* It says who holds what: not for everybody on the machine. */
		return outfile_write(context, path, 0600, text, len);
	fwrite(text, 1, len, stdout);
	return fflush(stdout) ? message_fail(context, _("the output: %s"), i18n_error(errno)) : 0;
}

int export_run(const struct context *context, const struct command_options *options)
{
	const char *path = options->arguments[0];
	struct export export = {0};
	int r = filter_init(&export.filter, context, options);

	if (!r)
		r = run(context, &export, path);
	if (!r && strcmp(path, "-"))
		message_done(
			context,
			ngettext("%zu medium written to %s", "%zu media written to %s", export.n),
			export.n, path);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/completion.h"

#include <string.h>

#include "cli/completion.h"
#include "cli/i18n.h"
#include "core/device-class-name.h"
#include "core/macro.h"
#include "desk/desk.h"
#include "desk/setting.h"
#include "desk/terminals.h"

/* --- the tables ------------------------------------------------------------------------------ */

static struct surface_command surface_command_at(size_t i)
{
	return (struct surface_command){ .name = commands[i].name, .usage = commands[i].usage, .text = commands[i].text };
}

static struct surface_option surface_option_at(size_t i)
{
	const struct command_option_row *row = &command_option_rows[i];

	return (struct surface_option){ .name = row->name, .argument = row->argument, .text = row->text };
}

static bool command_takes_option(size_t command, size_t option)
{
	return !command_option_rows[option].common && (commands[command].takes & COMMAND_TAKES(option));
}

/* What placeholders do not say. */
static const struct surface_value values[] = {
	{ "issue", "number", "" },
	{ "enrol", "number", "" },
	{ NULL, "number", "ask media" },
	{ NULL, "terminal", "ask terminals" },
	{ NULL, "terminals", "ask terminals" },
	{ NULL, "user", "user" },
	{ NULL, "by", "user" },
	{ NULL, "sign", "ask keys" },
	{ NULL, "status", "words active lent lost revoked disposed" },
	{ "answer rules", "kind", "words " DEVICE_CLASS_NAMES },
	{ NULL, "kind", "words any " DEVICE_CLASS_KNOWN_NAMES },
	{ NULL, "method", "words luks2 luks1 bitlocker hardware" },
	{ NULL, "write-quota", "" },
	{ NULL, "log", "file" },
	{ "issue", NULL, "file" },
	{ "enrol", NULL, "file" },
	{ "wipe", NULL, "file" },
	{ "inspect", NULL, "file" },
	{ "provision", NULL, "ask terminals" },
	{ "provision", "set", "words mode=drill mode=enforce" },
	{ "recovery", NULL, "ask media" },
	{ "show", NULL, "ask media" },
	{ "history", NULL, "ask media" },
	{ "lend", NULL, "ask media" },
	{ "return", NULL, "ask media" },
	{ "lost", NULL, "ask media" },
	{ "found", NULL, "ask media" },
	{ "revoke", NULL, "ask media" },
	{ "dispose", NULL, "ask media" },
	{ "change", NULL, "ask media" },
	{ "stocktake", NULL, "ask media" },
	{ "label", NULL, "ask media" },
	{ "terminal add", NULL, "" },
	{ "terminal key", NULL, "ask terminals" },
	{ "terminal renew", NULL, "ask terminals" },
	{ "terminal remove", NULL, "ask terminals" },
};

const struct surface *desk_surface(void)
{
	static struct surface surface = {
		.program = "sekimori-desk",
		.n_options = OPTION_COUNT,
		.command = surface_command_at,
		.option = surface_option_at,
		.takes = command_takes_option,
		.values = values,
		.n_values = ARRAY_SIZE(values),
		.forward = "desk",
	};

	/* The table is another file's: how long it is is no constant here. */
	surface.n_commands = n_commands;
	return &surface;
}

/* --- values ---------------------------------------------------------------------------------- */

static int print_medium(void *userdata, const struct medium_state *state)
{
	const char *holder = record_get(&state->record, FIELD_HOLDER);

	completion_print_value(record_get(&state->record, FIELD_NUMBER),
			       *holder ? holder : record_get(&state->record, FIELD_CONTENT));
	return 0;
}

static int print_terminal(void *userdata, const struct terminal_state *state)
{
	if (!state->removed)
		completion_print_value(state->name, NULL);
	return 0;
}

static int print_key(void *userdata, const struct signer *signer)
{
	completion_print_value(signer->file, signer->name);
	return 0;
}

static bool print_values(void *userdata, const char *what)
{
	bool media = !strcmp(what, "media"), terminals = !strcmp(what, "terminals");
	struct desk desk = { .dir = -1, .keys = -1 };

	if (!media && !terminals && strcmp(what, "keys"))
		return false;
	/* A desk that cannot be opened has no values: it says why, which the shells do not show. */
	if (!desk_open(userdata, &desk)) {
		if (media)
			register_each(desk.reg, print_medium, NULL);
		else if (terminals)
			terminals_each(desk.reg, print_terminal, NULL);
		else
			signer_each(desk.reg, print_key, NULL);
	}
	desk_close(&desk);
	return true;
}

int desk_completion_run(const struct context *context, int argc, char *const *argv)
{
	struct context own = *context;

	return completion_run(desk_surface(), argc, argv, print_values, &own);
}

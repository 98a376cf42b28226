// SPDX-License-Identifier: GPL-2.0-or-later
/* The tool's command line: main(). What there is to command stands in commands.c. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/nearest.h"
#include "core/macro.h"
#include "ctl/command.h"
#include "ctl/completion.h"
#include "ctl/output.h"

#define OPTIONS_MAX 96

struct line {
	struct context context;
	struct command_options options;
	bool given[OPTIONS_MAX]; /* by their place in the table */
	bool help;
	bool version;
};

static int usage_hint(void)
{
	fprintf(stderr, _("Try '%s --help'.\n"), "sekimorictl");
	return COMMAND_USAGE;
}

static _printf_(1, 2) int usage_error(const char *format, ...)
{
	va_list args;

	fputs("sekimorictl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return usage_hint();
}

static int unknown_command(int argc, char **argv)
{
	_cleanup_(freep) char *first = output_escape(argv[0]);
	_cleanup_(freep) char *second = output_escape(argc > 1 ? argv[1] : "");

	_cleanup_(freep) char *both = output_format("%s %s", first, second);
	const char *nearest = *second ? nearest_command(ctl_surface(), both) : NULL;
	bool two = nearest || (*second && command_begins(argv[0]));

	if (!nearest)
		nearest = nearest_command(ctl_surface(), first);
	fputs("sekimorictl: ", stderr);
	fprintf(stderr, _("there is no command '%s'"), two ? both : first);
	fputc('\n', stderr);
	nearest_say("", nearest);
	return usage_hint();
}

static int run_help(const struct context *context, int argc, char **argv)
{
	const struct command *command;
	int words = 0;

	if (!argc) {
		command_print_help(context);
		return COMMAND_OK;
	}
	command = command_find(argc, argv, &words);
	if (!command)
		return unknown_command(argc, argv);
	if (argc > words)
		return usage_error(_("help takes one command"));
	command_print_help_of(context, command);
	return COMMAND_OK;
}

/* COMMAND_OK or COMMAND_USAGE. */
static int parse_options(struct line *line, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + 1] = {0};
	int index, c;

	for (size_t i = 0; i < n_command_options && i < OPTIONS_MAX; i++)
		longs[i] = (struct option){
			.name = command_options[i].name,
			.has_arg = command_options[i].argument ? required_argument : no_argument,
			.val = command_options[i].value};
	while ((c = getopt_long(argc, argv, ":h", longs, &index)) != -1) {
		const char *wrong;

		if (c == '?' || c == ':') {
			_cleanup_(freep) char *refused = output_bad_option(c, argv);

			fprintf(stderr, "sekimorictl: %s\n", refused);
			if (c == '?')
				nearest_say("--", nearest_option(ctl_surface(), argv[optind - 1]));
			return usage_hint();
		}
		if (c == 'h' || c == 'v') {
			line->help |= c == 'h';
			line->version |= c == 'v';
			continue;
		}
		line->given[index] = true;
		wrong = command_option_apply(&command_options[index], optarg, &line->context,
					     &line->options);
		if (wrong)
			return usage_error("--%s %s", command_options[index].name, i18n(wrong));
	}
	return COMMAND_OK;
}

static int run_command(struct line *line, const struct command *command)
{
	int n = line->options.n_arguments;

	for (size_t i = 0; i < n_command_options && i < OPTIONS_MAX; i++)
		if (line->given[i] && !(command_options[i].takers & command->bit))
			return usage_error(_("%s does not take --%s"), command->name,
					   command_options[i].name);
	if (n && !command->max_arguments)
		return usage_error(_("%s takes no arguments"), command->name);
	if (n < command->min_arguments || n > command->max_arguments)
		return usage_error(_("usage: sekimorictl %s %s"), command->name, command->usage);
	return command->run(&line->context, &line->options);
}

static int run(int argc, char **argv)
{
	struct line line = {.context = {.root = "", .colour = output_may_colour()}};
	const struct command *command = NULL;
	int words = 0;

	if (parse_options(&line, argc, argv) != COMMAND_OK)
		return COMMAND_USAGE;
	if (line.version) {
		puts("sekimorictl " SEKIMORI_VERSION);
		return COMMAND_OK;
	}
	argc -= optind;
	argv += optind;

	if (argc && !strcmp(argv[0], "help"))
		return run_help(&line.context, argc - 1, argv + 1);
	if (argc && !strcmp(argv[0], "completion"))
		return ctl_completion_run(argc - 1, argv + 1);
	if (argc) {
		command = command_find(argc, argv, &words);
		if (!command)
			return unknown_command(argc, argv);
	}
	if (line.help) {
		if (command)
			command_print_help_of(&line.context, command);
		else
			command_print_help(&line.context);
		return COMMAND_OK;
	}
	if (!command)
		return usage_error(_("a command is missing"));
	line.options.arguments = argv + words;
	line.options.n_arguments = argc - words;
	return run_command(&line, command);
}

int main(int argc, char **argv)
{
	int status;

	i18n_init();
	status = run(argc, argv);
	return output_finish("sekimorictl") || status ? status : COMMAND_FAILED;
}

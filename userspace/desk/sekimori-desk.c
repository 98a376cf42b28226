// SPDX-License-Identifier: GPL-2.0-or-later
/* The tool's command line: main(). What there is to command stands in commands.c. */
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/nearest.h"
#include "cli/output.h"
#include "core/macro.h"
#include "core/text.h"
#include "desk/command.h"
#include "desk/completion.h"
#include "desk/message.h"
#include "system/alarm.h"

#define DESK_DEFAULT "/var/lib/sekimori-desk"

struct line {
	struct context context;
	struct command_options options;
	bool help;
	bool version;
};

static int unknown_command(const struct context *context, int argc, char **argv)
{
	_cleanup_(freep) char *both = output_format("%s %s", argv[0], argc > 1 ? argv[1] : "");
	const char *nearest = argc > 1 ? nearest_command(desk_surface(), both) : NULL;
	bool two = nearest || (argc > 1 && command_begins(argv[0]));

	if (!nearest)
		nearest = nearest_command(desk_surface(), argv[0]);
	message_note(context, _("there is no command '%s'"), two ? both : argv[0]);
	nearest_say("", nearest);
	return message_usage_hint();
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
		return unknown_command(context, argc, argv);
	command_print_help_of(context, command);
	return COMMAND_OK;
}

static int apply_common(struct line *line, enum option_name option, const char *value)
{
	struct context *context = &line->context;

	switch (option) {
	case OPTION_DESK:
		context->directory = value;
		break;
	case OPTION_BY:
		context->by = value;
		break;
	case OPTION_WHY:
		context->why = value;
		break;
	case OPTION_YES:
		context->yes = true;
		break;
	case OPTION_JSON:
		context->json = true;
		break;
	case OPTION_PASSPHRASE_FILE:
		context->passphrase_file = value;
		break;
	case OPTION_LANG:
		if (strcmp(value, "ja") && strcmp(value, "en"))
			return message_usage(context, _("--lang takes ja or en"));
		i18n_speak(!strcmp(value, "ja"));
		break;
	case OPTION_NO_COLOR:
		context->colour = false;
		break;
	case OPTION_NO_PAGER:
		context->no_pager = true;
		break;
	case OPTION_HELP:
		line->help = true;
		break;
	default:
		line->version = true;
		break;
	}
	return COMMAND_OK;
}

static int take_option(struct line *line, const struct command_option_row *row, const char *value)
{
	struct command_options *options = &line->options;

	if (!row->repeated && command_option(options, row->option))
		return message_usage(&line->context, _("--%s is given twice"), row->name);
	if (options->n_given == COMMAND_GIVEN_MAX)
		return message_usage(&line->context, _("too many options"));
	options->given[options->n_given].option = row->option;
	options->given[options->n_given++].value = value ? value : "";
	return row->common ? apply_common(line, row->option, value) : COMMAND_OK;
}

/* COMMAND_OK or COMMAND_USAGE. */
static int parse_options(struct line *line, int argc, char **argv)
{
	struct option longs[OPTION_COUNT + 1] = {0};
	int index = 0, c, r;

	for (size_t i = 0; i < OPTION_COUNT; i++)
		longs[i] = (struct option){.name = command_option_rows[i].name,
					   .has_arg = command_option_rows[i].argument
							      ? required_argument
							      : no_argument,
					   .val = 1};
	while ((c = getopt_long(argc, argv, ":h", longs, &index)) != -1) {
		if (c == '?' || c == ':') {
			_cleanup_(freep) char *refused = output_bad_option(c, argv);

			message_note(&line->context, "%s", refused);
			if (c == '?')
				nearest_say("--", nearest_option(desk_surface(), argv[optind - 1]));
			return message_usage_hint();
		}
		r = take_option(line, &command_option_rows[c == 'h' ? OPTION_HELP : index], optarg);
		if (r)
			return r;
	}
	return COMMAND_OK;
}

/* Who is at the keyboard: behind sudo the person, not root. */
static const char *login_name(void)
{
	const char *uid = getenv("SUDO_UID");
	char *end = NULL;
	unsigned long number = uid ? strtoul(uid, &end, 10) : 0;
	const struct passwd *user =
		getpwuid(uid && *uid && !*end && !getuid() ? (uid_t)number : getuid());

	return user ? user->pw_name : NULL;
}

static int check_who_and_why(struct context *context)
{
	if (!context->by)
		context->by = login_name();
	if (!context->by)
		return message_usage(context,
				     _("your user has no name: say who you are with --by"));
	if (!*context->by || !text_is_safe(context->by) || strlen(context->by) > 128)
		return message_usage(
			context,
			_("--by takes a name of at most 128 bytes, without control characters"));
	if (context->why &&
	    (!*context->why || !text_is_safe(context->why) || strlen(context->why) > 1024))
		return message_usage(
			context,
			_("--why takes a text of at most 1024 bytes, without control characters"));
	return COMMAND_OK;
}

static int run_command(struct line *line, const struct command *command)
{
	int n = line->options.n_arguments, r;

	for (size_t i = 0; i < line->options.n_given; i++) {
		enum option_name option = line->options.given[i].option;

		if (!command_option_rows[option].common &&
		    !(command->takes & COMMAND_TAKES(option)))
			return message_usage(&line->context, _("%s does not take --%s"),
					     command->name, command_option_rows[option].name);
	}
	if (n < command->min_arguments || n > command->max_arguments)
		return message_usage(&line->context, _("usage: sekimori-desk %s %s"), command->name,
				     command->usage);
	r = check_who_and_why(&line->context);
	return r ? r : command->run(&line->context, &line->options);
}

static void context_init(struct context *context)
{
	const char *directory = getenv("SEKIMORI_DESK");

	*context = (struct context){
		.directory = directory && *directory ? directory : DESK_DEFAULT,
		.now = alarm_civil_now(),
		.colour = output_may_colour(),
	};
}

static int run(int argc, char **argv)
{
	static struct line line;
	const struct command *command = NULL;
	int words = 0;

	context_init(&line.context);
	if (sodium_init() < 0)
		return message_fail(&line.context, _("libsodium does not start"));
	if (parse_options(&line, argc, argv) != COMMAND_OK)
		return COMMAND_USAGE;
	if (line.version) {
		puts("sekimori-desk " SEKIMORI_VERSION);
		return COMMAND_OK;
	}
	argc -= optind;
	argv += optind;

	if (argc && !strcmp(argv[0], "help"))
		return run_help(&line.context, argc - 1, argv + 1);
	if (argc && !strcmp(argv[0], "completion"))
		return desk_completion_run(&line.context, argc - 1, argv + 1);
	if (argc) {
		command = command_find(argc, argv, &words);
		if (!command)
			return unknown_command(&line.context, argc, argv);
	}
	if (line.help) {
		if (command)
			command_print_help_of(&line.context, command);
		else
			command_print_help(&line.context);
		return COMMAND_OK;
	}
	if (!command)
		return message_usage(&line.context, _("a command is missing"));
	line.options.arguments = argv + words;
	line.options.n_arguments = argc - words;
	return run_command(&line, command);
}

int main(int argc, char **argv)
{
	int status;

	i18n_init();
	status = run(argc, argv);
	return output_finish("sekimori-desk") || status ? status : COMMAND_FAILED;
}

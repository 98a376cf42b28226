// SPDX-License-Identifier: GPL-2.0-or-later
/* The tool's command line: tables of commands and options, the help made from them, and main(). */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/macro.h"
#include "ctl/command.h"
#include "ctl/output.h"

/* Which commands take an option. */
enum {
	FOR_STATUS = 1 << 0,
	FOR_LIST = 1 << 1,
	FOR_WATCH = 1 << 2,
	FOR_ALL = FOR_STATUS | FOR_LIST | FOR_WATCH,
};

static const struct command {
	const char *name;
	unsigned int bit;
	int (*run)(const struct context *context, const struct command_options *options);
	const char *en;
	const char *ja;
} commands[] = {
	{"status", FOR_STATUS, status_run,
	 "does the barrier stand? exit status 1 and what to do if not",
	 "関門が正常かを示す（問題があれば対処を示し、終了コード1）"},
	{"list", FOR_LIST, list_run, "devices held, denied, allowed or kept, and why",
	 "止めた機器・許可した機器とその理由の一覧"},
	{"watch", FOR_WATCH, watch_run, "a line for each event, until interrupted",
	 "できごとを1行ずつ表示し続ける"},
};

static const struct command_option {
	const char *name;
	const char *argument; /* or NULL */
	int value;            /* for getopt_long */
	unsigned int takers;  /* 0: not a command's */
	const char *en;
	const char *ja;
} options_table[] = {
	{"json", NULL, 'j', FOR_ALL, "print JSON (watch: one object a line)",
	 "JSONで出力する（watchは1行に1件）"},
	{"no-color", NULL, 'n', FOR_ALL, "no colours (as does NO_COLOR in the environment)",
	 "色を付けない（環境変数NO_COLORと同じ）"},
	{"all", NULL, 'a', FOR_LIST, "also devices that the barrier does not concern",
	 "関門の対象外の機器も表示する"},
	{"count", "N", 'c', FOR_WATCH, "stop after N events of devices",
	 "機器のできごとをN件表示したら終わる"},
	{"root", "DIR", 'r', FOR_STATUS, "read sysfs below DIR (for trying out)",
	 "DIR以下のsysfsを読む（試験用）"},
	{"help", NULL, 'h', 0, "this help", "この説明"},
	{"version", NULL, 'v', 0, "print the version", "バージョンを表示する"},
};

#define HELP_WIDTH 18

static void print_option(const struct context *context, const struct command_option *option)
{
	char text[64];

	snprintf(text, sizeof(text), "--%s%s%s", option->name, option->argument ? "=" : "",
		 option->argument ? option->argument : "");
	printf("  %s", text);
	output_pad(text, HELP_WIDTH);
	puts(context->japanese ? option->ja : option->en);
}

static void print_help(const struct context *context)
{
	bool ja = context->japanese;

	printf("%s sekimorictl [%s] %s\n\n%s\n",
	       ja ? "使い方:" : "Usage:", ja ? "オプション" : "OPTIONS",
	       ja ? "コマンド" : "COMMAND", ja ? "コマンド" : "Commands");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		printf("  %s", commands[i].name);
		output_pad(commands[i].name, HELP_WIDTH);
		puts(ja ? commands[i].ja : commands[i].en);
	}
	printf("  help COMMAND");
	output_pad("help COMMAND", HELP_WIDTH);
	puts(ja ? "コマンドの説明" : "more on a command");
	printf("\n%s\n", ja ? "オプション" : "Options");
	for (size_t i = 0; i < ARRAY_SIZE(options_table); i++)
		print_option(context, &options_table[i]);
	printf("\n%s\n", ja ? "終了コード: 0 正常、1 拒否・失敗・関門の問題、2 使い方の誤り"
			    : "Exit status: 0 ok; 1 refused, failed or something is wrong with the "
			      "barrier; 2 usage");
}

static void print_command_help(const struct context *context, const struct command *command)
{
	printf("%s sekimorictl %s", context->japanese ? "使い方:" : "Usage:", command->name);
	for (size_t i = 0; i < ARRAY_SIZE(options_table); i++)
		if (options_table[i].takers & command->bit)
			printf(" [--%s%s%s]", options_table[i].name,
			       options_table[i].argument ? "=" : "",
			       options_table[i].argument ? options_table[i].argument : "");
	printf("\n\n%s\n\n", context->japanese ? command->ja : command->en);
	for (size_t i = 0; i < ARRAY_SIZE(options_table); i++)
		if (options_table[i].takers & command->bit)
			print_option(context, &options_table[i]);
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static _printf_(1, 2) int usage_error(const char *format, ...)
{
	va_list args;

	fputs("sekimorictl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry 'sekimorictl --help'.\n", stderr);
	return COMMAND_USAGE;
}

static int unknown_command(const char *name)
{
	_cleanup_(freep) char *shown = output_escape(name);

	return usage_error("there is no command '%s'", shown);
}

static int run_help(const struct context *context, int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_help(context);
		return COMMAND_OK;
	}
	if (argc > 2)
		return usage_error("help takes one command");
	command = command_find(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	print_command_help(context, command);
	return COMMAND_OK;
}

/* A number from 1; 0 if it is none. */
static unsigned long parse_count(const char *text)
{
	unsigned long value;
	char *end;

	if (strspn(text, "0123456789") != strlen(text))
		return 0;
	errno = 0;
	value = strtoul(text, &end, 10);
	return errno || *end ? 0 : value;
}

/* Applies one option. COMMAND_OK or COMMAND_USAGE. */
static int option_apply(const struct command_option *option, struct context *context,
			struct command_options *options)
{
	switch (option->value) {
	case 'j':
		context->json = true;
		break;
	case 'n':
		context->colour = false;
		break;
	case 'a':
		options->all = true;
		break;
	case 'c':
		options->count = parse_count(optarg);
		if (!options->count)
			return usage_error("--count takes a number from 1");
		break;
	case 'r':
		context->root = optarg;
		break;
	}
	return COMMAND_OK;
}

int main(int argc, char **argv)
{
	struct context context = {.root = ""};
	struct command_options options = {.count = 0};
	struct option longs[ARRAY_SIZE(options_table) + 1] = {0};
	unsigned int given[ARRAY_SIZE(options_table)] = {0};
	const struct command *command;
	const char *no_color = getenv("NO_COLOR");
	bool help = false;
	int index, c;

	context.japanese = label_environment_japanese();
	context.colour = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	for (size_t i = 0; i < ARRAY_SIZE(options_table); i++)
		longs[i] = (struct option){.name = options_table[i].name,
					   .has_arg = options_table[i].argument ? required_argument
										: no_argument,
					   .val = options_table[i].value};

	while ((c = getopt_long(argc, argv, "h", longs, &index)) != -1) {
		if (c == '?') {
			fputs("Try 'sekimorictl --help'.\n", stderr);
			return COMMAND_USAGE;
		}
		if (c == 'h') {
			help = true;
			continue;
		}
		if (c == 'v') {
			puts("sekimorictl " SEKIMORI_VERSION);
			return COMMAND_OK;
		}
		given[index] = 1;
		if (option_apply(&options_table[index], &context, &options) != COMMAND_OK)
			return COMMAND_USAGE;
	}
	argc -= optind;
	argv += optind;

	if (argc && !strcmp(argv[0], "help"))
		return run_help(&context, argc, argv);
	command = argc ? command_find(argv[0]) : NULL;
	if (argc && !command)
		return unknown_command(argv[0]);
	if (help) {
		if (command)
			print_command_help(&context, command);
		else
			print_help(&context);
		return COMMAND_OK;
	}
	if (!argc)
		return usage_error("a command is missing");
	if (argc > 1)
		return usage_error("%s takes no arguments", command->name);
	for (size_t i = 0; i < ARRAY_SIZE(options_table); i++)
		if (given[i] && !(options_table[i].takers & command->bit))
			return usage_error("%s does not take --%s", command->name,
					   options_table[i].name);
	return command->run(&context, &options);
}

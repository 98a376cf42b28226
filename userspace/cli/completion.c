// SPDX-License-Identifier: GPL-2.0-or-later
/* The scripts are a frame of shell, the same for every tool, around its tables. */
#include "cli/completion.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/macro.h"

/* Somebody waits with a finger on the tab key. */
#define VALUES_MS 1000
#define VALUE_MAX_BYTES 128
#define ABOUT_WIDTH 60

/* --- the frames ------------------------------------------------------------------------------ */

/* @program@ and @function@ give way to the tool's name, @forward@ to the option that questions are asked with. */

static const char bash_head[] =
	"# bash completion for @program@(1)                              -*- shell-script -*-\n"
	"# SPDX-License-Identifier: GPL-2.0-or-later\n"
	"# Made by '@program@ completion bash' from its tables.\n\n";

static const char bash_frame[] =
	"# What may stand at this moment. The lines are a stranger's words: nothing here expands them.\n"
	"_@function@_ask()\n"
	"{\n"
	"	local line word forward=()\n"
	"	for word in \"${words[@]:1:cword-1}\"; do\n"
	"		[[ $word == --@forward@=* ]] && forward+=(\"$word\")\n"
	"	done\n"
	"	while IFS= read -r line; do\n"
	"		line=${line%%$'\\t'*}\n"
	"		[[ $line == \"$cur\"* ]] && COMPREPLY+=(\"$line\")\n"
	"	done < <(@program@ \"${forward[@]}\" completion values \"$1\" 2>/dev/null)\n"
	"}\n\n"
	"_@function@_value()\n"
	"{\n"
	"	case $kind in\n"
	"	file) _filedir ;;\n"
	"	dir) _filedir -d ;;\n"
	"	user) COMPREPLY+=($(compgen -u -- \"$cur\")) ;;\n"
	"	group) COMPREPLY+=($(compgen -g -- \"$cur\")) ;;\n"
	"	'words '*) COMPREPLY+=($(compgen -W \"${kind#words }\" -- \"$cur\")) ;;\n"
	"	'ask '*) _@function@_ask \"${kind#ask }\" ;;\n"
	"	esac\n"
	"}\n\n"
	"_@function@()\n"
	"{\n"
	"	local cur prev words cword split=false\n"
	"	local plain=() firsts= seconds= options= valued= command= kind= i\n"
	"	_init_completion -s || return\n"
	"	_@function@_tables\n"
	"\n"
	"	# The words that are neither options nor their values; an option before the cursor may still want its own.\n"
	"	for ((i = 1; i < cword; i++)); do\n"
	"		case ${words[i]} in\n"
	"		--*=*) ;;\n"
	"		-*) [[ $valued == *\" ${words[i]} \"* ]] && ((i++)) ;;\n"
	"		*) plain+=(\"${words[i]}\") ;;\n"
	"		esac\n"
	"	done\n"
	"	_@function@_seconds \"${plain[0]-}\"\n"
	"	if [[ \" $seconds \" == *\" ${plain[1]-} \"* && -n ${plain[1]-} ]]; then\n"
	"		command=\"${plain[0]} ${plain[1]}\"\n"
	"	else\n"
	"		command=${plain[0]-}\n"
	"	fi\n"
	"\n"
	"	if [[ $split == true ]] || ((i > cword)); then\n"
	"		_@function@_kind \"$command\" \"$prev\"\n"
	"		_@function@_value\n"
	"	elif [[ $cur == -* ]]; then\n"
	"		_@function@_options \"$command\"\n"
	"		COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
	"		[[ ${COMPREPLY-} == *= ]] && compopt -o nospace\n"
	"	elif ((!${#plain[@]})); then\n"
	"		COMPREPLY=($(compgen -W \"$firsts help\" -- \"$cur\"))\n"
	"	elif [[ ${plain[0]} == help ]]; then\n"
	"		_@function@_seconds \"${plain[1]-}\"\n"
	"		if ((${#plain[@]} == 1)); then\n"
	"			COMPREPLY=($(compgen -W \"$firsts\" -- \"$cur\"))\n"
	"		elif ((${#plain[@]} == 2)); then\n"
	"			COMPREPLY=($(compgen -W \"$seconds\" -- \"$cur\"))\n"
	"		fi\n"
	"	else\n"
	"		((${#plain[@]} == 1)) && COMPREPLY=($(compgen -W \"$seconds\" -- \"$cur\"))\n"
	"		_@function@_kind \"$command\" ''\n"
	"		_@function@_value\n"
	"	fi\n"
	"} &&\n"
	"	complete -F _@function@ @program@\n";

static const char zsh_head[] =
	"#compdef @program@\n"
	"# SPDX-License-Identifier: GPL-2.0-or-later\n"
	"# Made by '@program@ completion zsh' from its tables.\n\n";

static const char zsh_frame[] =
	"# What the entries of these arrays do, in the reader's language: the locale at this moment, as the tool itself looks at it.\n"
	"_@function@_speak() {\n"
	"	local name entry about\n"
	"	local -a spoken\n"
	"	local -A said\n"
	"	[[ ${LC_ALL:-${LC_MESSAGES:-$LANG}} == ja[_.@]* || ${LC_ALL:-${LC_MESSAGES:-$LANG}} == ja ]] || return 0\n"
	"	_@function@_japanese\n"
	"	for name; do\n"
	"		spoken=()\n"
	"		for entry in \"${(@P)name}\"; do\n"
	"			about=${entry#*:}\n"
	"			spoken+=(\"${entry%%:*}:${said[$about]:-$about}\")\n"
	"		done\n"
	"		set -A $name \"$spoken[@]\"\n"
	"	done\n"
	"}\n\n"
	"# What may stand at this moment, and words about it.\n"
	"_@function@_ask() {\n"
	"	local line about\n"
	"	local -a lines values forward\n"
	"	forward=(${(M)${(Q)words[2,CURRENT-1]}:#--@forward@=*})\n"
	"	lines=(${(f)\"$(@program@ $forward completion values $1 2>/dev/null)\"})\n"
	"	for line in $lines; do\n"
	"		about=${${line#*$'\\t'}:#$line}\n"
	"		values+=(\"${${line%%$'\\t'*}//:/\\\\:}:$about\")\n"
	"	done\n"
	"	_describe -t values value values\n"
	"}\n\n"
	"_@function@_value() {\n"
	"	local -a values\n"
	"	case $kind in\n"
	"	(file) _files ;;\n"
	"	(dir) _files -/ ;;\n"
	"	(user) _users ;;\n"
	"	(group) _groups ;;\n"
	"	('words '*)\n"
	"		values=(${(s: :)${kind#words }})\n"
	"		_describe -t values value values ;;\n"
	"	('ask '*) _@function@_ask ${kind#ask } ;;\n"
	"	(*) return 1 ;;\n"
	"	esac\n"
	"}\n\n"
	"_@function@() {\n"
	"	local command kind option word\n"
	"	local -a plain firsts seconds options flags\n"
	"	local valued\n"
	"	integer i\n"
	"	_@function@_tables\n"
	"\n"
	"	for ((i = 2; i < CURRENT; i++)); do\n"
	"		word=${(Q)words[i]}\n"
	"		case $word in\n"
	"		(--*=*) ;;\n"
	"		(-*) [[ $valued == *\" $word \"* ]] && ((i++)) ;;\n"
	"		(*) plain+=(\"$word\") ;;\n"
	"		esac\n"
	"	done\n"
	"	_@function@_seconds \"$plain[1]\"\n"
	"	command=$plain[1]\n"
	"	[[ -n $plain[2] && -n ${(M)seconds:#${(b)plain[2]}:*} ]] && command=\"$plain[1] $plain[2]\"\n"
	"\n"
	"	if [[ $PREFIX == --*=* ]]; then\n"
	"		option=${PREFIX%%=*}\n"
	"		compset -P 1 '*='\n"
	"	elif ((i > CURRENT)); then\n"
	"		option=$words[CURRENT-1]\n"
	"	fi\n"
	"	if [[ -n $option ]]; then\n"
	"		_@function@_kind \"$command\" $option\n"
	"		_@function@_value\n"
	"	elif [[ $PREFIX == -* ]]; then\n"
	"		_@function@_options \"$command\"\n"
	"		_@function@_speak flags options\n"
	"		_describe -o option flags\n"
	"		_describe -o option options -S '='\n"
	"	elif ((!$#plain)); then\n"
	"		_@function@_speak firsts\n"
	"		firsts+=('help')\n"
	"		_describe -t commands command firsts\n"
	"	elif [[ $plain[1] == help ]]; then\n"
	"		_@function@_seconds \"$plain[2]\"\n"
	"		_@function@_speak firsts seconds\n"
	"		(($#plain == 1)) && _describe -t commands command firsts\n"
	"		(($#plain == 2)) && _describe -t commands command seconds\n"
	"	else\n"
	"		_@function@_speak seconds\n"
	"		(($#plain == 1)) && _describe -t commands command seconds\n"
	"		_@function@_kind \"$command\" ''\n"
	"		_@function@_value\n"
	"	fi\n"
	"}\n\n"
	"_@function@ \"$@\"\n";

static void print_frame(const struct surface *surface, const char *frame)
{
	const struct {
		const char *mark;
		const char *text;
		bool name; /* of a function: no dashes */
	} marks[] = {
		{ "@program@", surface->program, false },
		{ "@function@", surface->program, true },
		{ "@forward@", surface->forward ? surface->forward : "", false },
	};

	while (*frame) {
		size_t i;

		for (i = 0; i < ARRAY_SIZE(marks); i++)
			if (!strncmp(frame, marks[i].mark, strlen(marks[i].mark)))
				break;
		if (i == ARRAY_SIZE(marks)) {
			putchar(*frame++);
			continue;
		}
		for (const char *c = marks[i].text; *c; c++)
			putchar(marks[i].name && *c == '-' ? '_' : *c);
		frame += strlen(marks[i].mark);
	}
}

/* --- the tables ------------------------------------------------------------------------------ */

/* Between single quotes of the shell; colons with a backslash where zsh's _describe would cut there. */
static void print_quoted(const char *text, bool colons)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (*text == ':' && colons)
			fputs("\\:", stdout);
		else
			putchar(*text);
	}
}

/* 'word:what it does' for zsh, the word for bash. */
static void print_entry(bool zsh, const char *word, size_t len, const char *text)
{
	if (!zsh) {
		printf("%.*s ", (int)len, word);
		return;
	}
	printf(" '%.*s:", (int)len, word);
	print_quoted(text, false);
	putchar('\'');
}

static size_t first_len(const char *name)
{
	return strcspn(name, " ");
}

/* Is this the first command of those that begin with its first word? */
static bool begins_group(const struct surface *surface, size_t command)
{
	const char *name = surface->command(command).name;

	for (size_t i = 0; i < command; i++) {
		const char *other = surface->command(i).name;

		if (first_len(other) == first_len(name) && !strncmp(other, name, first_len(name)))
			return false;
	}
	return true;
}

static void print_firsts(const struct surface *surface, bool zsh)
{
	printf("\tfirsts=%s", zsh ? "(" : "'");
	for (size_t i = 0; i < surface->n_commands; i++) {
		struct surface_command command = surface->command(i);
		bool alone = !command.name[first_len(command.name)];

		if (begins_group(surface, i))
			print_entry(zsh, command.name, first_len(command.name), alone ? i18n_in(false, command.text) : "…");
	}
	puts(zsh ? ")" : "'");
}

/* Options with a value, whichever command takes them. */
static void print_valued(const struct surface *surface)
{
	fputs("\tvalued='", stdout);
	for (size_t i = 0; i < surface->n_options; i++)
		if (surface->option(i).argument)
			printf(" --%s ", surface->option(i).name);
	puts("'");
}

static void print_seconds(const struct surface *surface, bool zsh)
{
	for (size_t i = 0; i < surface->n_commands; i++) {
		const char *name = surface->command(i).name;
		size_t len = first_len(name);
		bool begun = false;

		for (size_t j = 0; begins_group(surface, i) && j < surface->n_commands; j++) {
			struct surface_command other = surface->command(j);

			if (strncmp(other.name, name, len) || other.name[len] != ' ')
				continue;
			if (!begun)
				printf("\t%s%.*s) seconds=%s", zsh ? "(" : "", (int)len, name, zsh ? "(" : "'");
			begun = true;
			print_entry(zsh, other.name + len + 1, strlen(other.name + len + 1), i18n_in(false, other.text));
		}
		if (begun)
			printf("%s ;;\n", zsh ? ")" : "'");
	}
}

/* command == n_commands: without one. */
static bool offers(const struct surface *surface, size_t command, size_t option)
{
	return surface_is_common(surface, option) || (command < surface->n_commands && surface->takes(command, option));
}

static void print_option_entries(const struct surface *surface, size_t command, bool zsh, bool valued)
{
	for (size_t i = 0; i < surface->n_options; i++) {
		struct surface_option option = surface->option(i);

		if (!offers(surface, command, i) || (zsh && valued != !!option.argument))
			continue;
		if (zsh) {
			printf(" '--%s:", option.name);
			print_quoted(i18n_in(false, option.text), false);
			putchar('\'');
		} else {
			printf("--%s%s ", option.name, option.argument ? "=" : "");
		}
	}
}

static void print_options(const struct surface *surface, bool zsh)
{
	for (size_t i = 0; i <= surface->n_commands; i++) {
		if (i < surface->n_commands)
			printf("\t%s'%s') ", zsh ? "(" : "", surface->command(i).name);
		else
			printf("\t%s*) ", zsh ? "(" : "");
		if (zsh) {
			fputs("flags=(", stdout);
			print_option_entries(surface, i, zsh, false);
			fputs("); options=(", stdout);
			print_option_entries(surface, i, zsh, true);
			puts(") ;;");
		} else {
			fputs("options='", stdout);
			print_option_entries(surface, i, zsh, true);
			puts("' ;;");
		}
	}
}

/* option == n_options: the command's arguments. */
static void print_kind(const struct surface *surface, size_t command, size_t option, bool zsh)
{
	char kind[SURFACE_KIND_MAX];
	const char *dashes = option < surface->n_options ? "--" : "";
	const char *name = option < surface->n_options ? surface->option(option).name : "";

	surface_kind(surface, command, option, kind);
	if (!*kind)
		return;
	printf("\t%s'%s|%s%s') kind='", zsh ? "(" : "", surface->command(command).name, dashes, name);
	print_quoted(kind, false);
	puts("' ;;");
}

static void print_kinds(const struct surface *surface, bool zsh)
{
	for (size_t i = 0; i < surface->n_commands; i++) {
		for (size_t j = 0; j < surface->n_options; j++)
			if (offers(surface, i, j))
				print_kind(surface, i, j, zsh);
		print_kind(surface, i, surface->n_options, zsh);
	}
}

static void print_japanese(const char *text)
{
	const char *japanese = i18n_in(true, text), *english = i18n_in(false, text);

	if (!*english || !strcmp(japanese, english))
		return;
	fputs("\t'", stdout);
	print_quoted(english, false);
	fputs("' '", stdout);
	print_quoted(japanese, false);
	puts("'");
}

/* What the entries say, by what they say in English. */
static void print_said(const struct surface *surface)
{
	print_frame(surface, "_@function@_japanese()\n{\n\tsaid=(\n");
	for (size_t i = 0; i < surface->n_commands; i++)
		print_japanese(surface->command(i).text);
	for (size_t i = 0; i < surface->n_options; i++)
		print_japanese(surface->option(i).text);
	fputs("\t)\n}\n\n", stdout);
}

static void print_case(const struct surface *surface, bool zsh, const char *name, const char *before, const char *of,
		       void (*rows)(const struct surface *surface, bool zsh))
{
	print_frame(surface, "_@function@_");
	printf("%s()\n{\n\t%s\n\tcase %s in\n", name, before, of);
	rows(surface, zsh);
	fputs("\tesac\n}\n\n", stdout);
}

static void print_script(const struct surface *surface, bool zsh)
{
	print_frame(surface, zsh ? zsh_head : bash_head);
	print_frame(surface, "_@function@_tables()\n{\n");
	print_firsts(surface, zsh);
	print_valued(surface);
	fputs("}\n\n", stdout);
	fputs("# Second words of commands that begin with $1.\n", stdout);
	print_case(surface, zsh, "seconds", zsh ? "seconds=()" : "seconds=", "$1", print_seconds);
	fputs("# Options that the command $1 takes.\n", stdout);
	print_case(surface, zsh, "options", zsh ? "flags=(); options=()" : "options=", "$1", print_options);
	fputs("# What the option $2 of the command $1 takes, or, without one, its arguments.\n", stdout);
	print_case(surface, zsh, "kind", "kind=", "\"$1|$2\"", print_kinds);
	if (zsh)
		print_said(surface);
	print_frame(surface, zsh ? zsh_frame : bash_frame);
}

/* --- values ---------------------------------------------------------------------------------- */

/* What a shell takes as one word, typed as it stands; letters of all scripts. */
static bool is_plain(const char *value)
{
	size_t len = strlen(value);

	if (!len || len > VALUE_MAX_BYTES || *value == '-')
		return false;
	for (; *value; value++)
		if (!isalnum((unsigned char)*value) && !strchr("-._/+,@%", *value) && !((unsigned char)*value & 0x80))
			return false;
	return true;
}

void completion_print_value(const char *value, const char *about)
{
	_cleanup_(freep) char *shown = output_escape(value);

	/* What had to be escaped is not the value any more. */
	if (!is_plain(value) || strcmp(shown, value))
		return;
	fputs(value, stdout);
	if (about && *about) {
		_cleanup_(freep) char *words = output_escape(about);

		output_cut(words, ABOUT_WIDTH);
		printf("\t%s", words);
	}
	putchar('\n');
}

static void on_alarm(int signal)
{
	_exit(0);
}

static bool print_values(const char *what, completion_values_fn values, void *userdata)
{
	const struct itimerval limit = { .it_value = { .tv_sec = VALUES_MS / 1000, .tv_usec = VALUES_MS % 1000 * 1000 } };

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &limit, NULL);
	return values(userdata, what);
}

int completion_run(const struct surface *surface, int argc, char *const *argv, completion_values_fn values, void *userdata)
{
	const char *verb = argc ? argv[0] : "";

	if (argc == 1 && (!strcmp(verb, "bash") || !strcmp(verb, "zsh")))
		print_script(surface, !strcmp(verb, "zsh"));
	else if (argc == 1 && !strcmp(verb, "commands"))
		surface_print_commands(surface);
	else if (argc == 1 && !strcmp(verb, "options"))
		surface_print_options(surface);
	else if (argc != 2 || strcmp(verb, "values") || !print_values(argv[1], values, userdata)) {
		fprintf(stderr, _("%s: completion takes bash, zsh, commands, options, or values and what of\n"), surface->program);
		return 2;
	}
	return 0;
}

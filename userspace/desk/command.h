/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekimori-desk's commands and options: two tables in commands.c, from which the help comes. Adding
 * a command is adding a row, and its function in a file of its name; adding an option is adding a
 * name to the enum and a row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses of the tool. */
enum {
	COMMAND_OK = 0,
	COMMAND_FAILED = 1, /* refused or failed; nothing was changed unless the message says so */
	COMMAND_USAGE = 2,
};

/* What holds for every command. */
struct context {
	const char *directory;       /* the desk's */
	const char *by;              /* who acts; safe text, not empty */
	const char *why;             /* or NULL; safe text */
	const char *passphrase_file; /* or NULL: ask on the terminal */
	const char *place;           /* FILE:LINE that messages are about, or NULL */
	int64_t now;                 /* civil seconds (core/civil.h), when the command began */
	bool yes;                    /* do not ask before something is destroyed */
	bool json;
	bool colour; /* standard output is a terminal and NO_COLOR is not set */
	bool no_pager;
};

enum option_name {
	/* every command's */
	OPTION_DESK,
	OPTION_BY,
	OPTION_WHY,
	OPTION_YES,
	OPTION_JSON,
	OPTION_PASSPHRASE_FILE,
	OPTION_LANG,
	OPTION_NO_COLOR,
	OPTION_NO_PAGER,
	OPTION_HELP,
	OPTION_VERSION,
	/* single commands' */
	OPTION_ORGANISATION,
	OPTION_RETURN_TO,
	OPTION_POLICY_SIGNER,
	OPTION_REQUIRE,
	OPTION_QUICK_KDF,
	OPTION_HOLDER,
	OPTION_USER,
	OPTION_PLACE,
	OPTION_TERMINALS,
	OPTION_UNTIL,
	OPTION_FROM,
	OPTION_CLASS,
	OPTION_ACCESS,
	OPTION_CONTENT,
	OPTION_NOTE,
	OPTION_STATUS,
	OPTION_OVERDUE,
	OPTION_CSV,
	OPTION_OPEN,
	OPTION_CLOSE,
	OPTION_LOG,
	OPTION_BASE,
	OPTION_OUT,
	OPTION_POLICY_VERSION,
	OPTION_SIGN,
	OPTION_COMMENT,
	OPTION_FORMAT,
	/* the device's side: issue, enrol, wipe, inspect */
	OPTION_NUMBER,
	OPTION_ID,
	OPTION_SERIAL,
	OPTION_PRODUCT,
	OPTION_FORCE_FIXED,
	OPTION_FILESYSTEM,
	OPTION_GENERATE,
	OPTION_RECOVERY,
	OPTION_ORGANISATION_KEY,
	OPTION_KDF_MEMORY,
	OPTION_KDF_PASSES,
	OPTION_KDF_THREADS,
	OPTION_DISCARD,
	OPTION_OVERWRITE,
	OPTION_METHOD,
	OPTION_MARK,
	OPTION_CERTIFICATE,
	OPTION_WITNESS,
	/* log */
	OPTION_TERMINAL_KEY,
	OPTION_EXPECT_SEQ,
	OPTION_ANCHORS,
	OPTION_NO_KEY,
	/* answer, grant */
	OPTION_TERMINAL,
	OPTION_DEVICE,
	OPTION_KIND,
	OPTION_PERIOD,
	OPTION_USES,
	OPTION_WRITE_QUOTA,
	OPTION_ENCRYPTED_ONLY,
	OPTION_FORM,
	OPTION_RETURN_BY,
	/* provision */
	OPTION_POLICY,
	OPTION_SET,
	OPTION_SEAL_TO,
	OPTION_TELEPHONE_KEY,
	OPTION_COUNT,
};

/* A bit for each option. */
typedef unsigned __int128 command_takes;
_Static_assert(OPTION_COUNT <= 128, "command_takes has a bit for each");

#define COMMAND_TAKES(option) ((command_takes)1 << (option))

/* How many options one call may hold: --log and --policy-signer may be repeated. */
#define COMMAND_GIVEN_MAX 256

struct command_options {
	char *const *arguments;
	int n_arguments;
	struct {
		enum option_name option;
		const char *value; /* "" for one without argument */
	} given[COMMAND_GIVEN_MAX];
	size_t n_given;
};

/* The value of an option, NULL if it was not given. */
const char *command_option(const struct command_options *options, enum option_name option);

/* All values of one that may be repeated: start with *at = 0; NULL at the end. */
const char *command_option_next(const struct command_options *options, enum option_name option,
				size_t *at);

/* Returns an exit status, and has said what went wrong. */
typedef int (*command_fn)(const struct context *context, const struct command_options *options);

struct command {
	const char *name; /* one word, or two with a blank between them */
	command_fn run;
	const char *usage; /* its arguments, "" for none */
	int min_arguments;
	int max_arguments; /* INT_MAX: any number */
	command_takes takes; /* COMMAND_TAKES() of single commands' options */
	const char *text;
};

struct command_option_row {
	enum option_name option;
	const char *name;
	const char *argument; /* or NULL */
	bool repeated;
	bool common; /* every command's */
	const char *text;
};

extern const struct command commands[];
extern const size_t n_commands;
extern const struct command_option_row command_option_rows[OPTION_COUNT]; /* by enum option_name */

/* The command that the first words name; *used: how many of them are its name. NULL if none. */
const struct command *command_find(int n, char *const *words, int *used);

/* Does a command of two words begin with this one? */
bool command_begins(const char *word);

void command_print_help(const struct context *context);
void command_print_help_of(const struct context *context, const struct command *command);

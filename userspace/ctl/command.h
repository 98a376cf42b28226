/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekimorictl's commands: tables in commands.c, from which the help comes. A command lives in a
 * file of its name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses of the tool. */
enum {
	COMMAND_OK = 0,
	COMMAND_FAILED = 1, /* refused, failed, or something is wrong with the barrier */
	COMMAND_USAGE = 2,
};

struct context {
	bool json;
	bool colour;      /* standard output is a terminal and NO_COLOR is not set */
	bool no_pager;
	const char *root; /* directory that stands for "/" where sysfs is read; "" normally */
};

/* How often an option that may be repeated is taken. */
#define COMMAND_REPEAT_MAX 128

struct command_repeated {
	const char *values[COMMAND_REPEAT_MAX];
	size_t n;
};

/* Arguments and options of single commands; NULL where nothing was given. */
struct command_options {
	char *const *arguments;
	int n_arguments;
	bool all;
	bool usbguard;
	unsigned long count; /* 0: no end */
	const char *policy;
	const char *device;
	const char *luks;
	const char *at;
	const char *terminal;
	const char *user;
	const char *state;
	bool organisation;
	const char *passphrase_file;
	/* of the event log */
	const char *since;
	const char *until;
	const char *person;
	const char *medium;
	const char *verdict;
	const char *reason;
	struct command_repeated kinds;
	struct command_repeated logs; /* files or directories; none: this terminal's */
	const char *anchors;
	const char *terminal_key;
	const char *format;
	const char *output;
	const char *month;
	bool compliance;
	bool record;
	/* of exceptions */
	const char *access;
	bool encrypted_only;
	const char *period;
	const char *from;
	const char *uses;
	const char *quota;
	const char *purpose;
	const char *data_class;
	const char *form;
	const char *return_by;
	const char *note;
	bool due;
	bool phone;
	bool yes;
	bool reset;
	struct command_repeated groups;
	struct command_repeated allowed;
};

typedef int (*command_fn)(const struct context *context, const struct command_options *options);

int status_run(const struct context *context, const struct command_options *options);
int list_run(const struct context *context, const struct command_options *options);
int watch_run(const struct context *context, const struct command_options *options);
int reload_run(const struct context *context, const struct command_options *options);
int check_policy_run(const struct context *context, const struct command_options *options);
int explain_run(const struct context *context, const struct command_options *options);
int rule_for_run(const struct context *context, const struct command_options *options);
int import_usbguard_run(const struct context *context, const struct command_options *options);
int policy_history_run(const struct context *context, const struct command_options *options);
int policy_diff_run(const struct context *context, const struct command_options *options);
int open_run(const struct context *context, const struct command_options *options);
int eject_run(const struct context *context, const struct command_options *options);
int report_run(const struct context *context, const struct command_options *options);
int incident_list_run(const struct context *context, const struct command_options *options);
int incident_show_run(const struct context *context, const struct command_options *options);
int incident_export_run(const struct context *context, const struct command_options *options);
int log_show_run(const struct context *context, const struct command_options *options);
int log_follow_run(const struct context *context, const struct command_options *options);
int log_verify_run(const struct context *context, const struct command_options *options);
int log_export_run(const struct context *context, const struct command_options *options);
int doctor_run(const struct context *context, const struct command_options *options);
int request_run(const struct context *context, const struct command_options *options);
int answer_run(const struct context *context, const struct command_options *options);
int grant_import_run(const struct context *context, const struct command_options *options);
int emergency_run(const struct context *context, const struct command_options *options);
int requests_run(const struct context *context, const struct command_options *options);
int approve_run(const struct context *context, const struct command_options *options);
int deny_run(const struct context *context, const struct command_options *options);
int withdraw_run(const struct context *context, const struct command_options *options);
int revoke_run(const struct context *context, const struct command_options *options);
int extend_run(const struct context *context, const struct command_options *options);
int return_run(const struct context *context, const struct command_options *options);
int exception_show_run(const struct context *context, const struct command_options *options);
int exception_form_run(const struct context *context, const struct command_options *options);
int exception_report_run(const struct context *context, const struct command_options *options);
int exception_confirm_run(const struct context *context, const struct command_options *options);
int exception_close_run(const struct context *context, const struct command_options *options);
int exception_clock_run(const struct context *context, const struct command_options *options);

/* --- the tables ---------------------------------------------------------------------------- */

/* Which commands take an option. */
enum {
	FOR_STATUS = 1 << 0,
	FOR_LIST = 1 << 1,
	FOR_WATCH = 1 << 2,
	FOR_RELOAD = 1 << 3,
	FOR_CHECK_POLICY = 1 << 4,
	FOR_EXPLAIN = 1 << 5,
	FOR_RULE_FOR = 1 << 6,
	FOR_IMPORT_USBGUARD = 1 << 7,
	FOR_POLICY_HISTORY = 1 << 8,
	FOR_POLICY_DIFF = 1 << 9,
	FOR_OPEN = 1 << 10,
	FOR_EJECT = 1 << 11,
	FOR_LOG_SHOW = 1 << 12,
	FOR_LOG_FOLLOW = 1 << 13,
	FOR_LOG_VERIFY = 1 << 14,
	FOR_LOG_EXPORT = 1 << 15,
	FOR_DOCTOR = 1 << 16,
	FOR_REPORT = 1 << 17,
	FOR_INCIDENT_LIST = 1 << 18,
	FOR_INCIDENT_SHOW = 1 << 19,
	FOR_INCIDENT_EXPORT = 1 << 20,
	FOR_REQUEST = 1 << 21,
	FOR_EMERGENCY = 1 << 22,
	FOR_REQUESTS = 1 << 23,
	FOR_STEP = 1 << 24, /* approve, deny, withdraw, …: all that take a number and a note */
	FOR_EXTEND = 1 << 25,
	FOR_EXCEPTION_SHOW = 1 << 26,
	FOR_EXCEPTION_FORM = 1 << 27,
	FOR_ANSWER = 1 << 28,
	FOR_GRANT_IMPORT = 1 << 29,
	FOR_EXCEPTION_CLOCK = 1 << 30,
};

struct command {
	const char *name; /* one word, or two with a blank between them */
	unsigned int bit;
	command_fn run;
	const char *usage; /* its arguments, "" for none */
	int min_arguments;
	int max_arguments;
	const char *text;
};

struct command_option {
	const char *name;
	const char *argument; /* or NULL */
	int value;            /* for getopt_long */
	unsigned int takers;  /* 0: not a command's */
	const char *text;
};

extern const struct command commands[];
extern const size_t n_commands;
extern const struct command_option command_options[];
extern const size_t n_command_options;

/*
 * The command that the first words name; *words: how many of them are its name. NULL if there is
 * none.
 */
const struct command *command_find(int n, char *const *words, int *used);

/* Does a command of two words begin with this one? */
bool command_begins(const char *word);

/* Applies one option. NULL, or what is wrong with its value, not translated yet. */
const char *command_option_apply(const struct command_option *option, const char *value,
				 struct context *context, struct command_options *options);

void command_print_help(const struct context *context);
void command_print_help_of(const struct context *context, const struct command *command);

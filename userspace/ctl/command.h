/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekimorictl's commands: tables in commands.c, from which the help comes. A command lives in a
 * file of its name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	/* of provision */
	const char *key;
	bool check;
	bool enrol;
	bool seal;
	bool plain_secrets;
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
int provision_run(const struct context *context, const struct command_options *options);

/* --- the tables ---------------------------------------------------------------------------- */

/* Which commands take an option: a bit for each. */
typedef uint64_t command_set;

#define FOR_STATUS (UINT64_C(1) << 0)
#define FOR_LIST (UINT64_C(1) << 1)
#define FOR_WATCH (UINT64_C(1) << 2)
#define FOR_RELOAD (UINT64_C(1) << 3)
#define FOR_CHECK_POLICY (UINT64_C(1) << 4)
#define FOR_EXPLAIN (UINT64_C(1) << 5)
#define FOR_RULE_FOR (UINT64_C(1) << 6)
#define FOR_IMPORT_USBGUARD (UINT64_C(1) << 7)
#define FOR_POLICY_HISTORY (UINT64_C(1) << 8)
#define FOR_POLICY_DIFF (UINT64_C(1) << 9)
#define FOR_OPEN (UINT64_C(1) << 10)
#define FOR_EJECT (UINT64_C(1) << 11)
#define FOR_LOG_SHOW (UINT64_C(1) << 12)
#define FOR_LOG_FOLLOW (UINT64_C(1) << 13)
#define FOR_LOG_VERIFY (UINT64_C(1) << 14)
#define FOR_LOG_EXPORT (UINT64_C(1) << 15)
#define FOR_DOCTOR (UINT64_C(1) << 16)
#define FOR_REPORT (UINT64_C(1) << 17)
#define FOR_INCIDENT_LIST (UINT64_C(1) << 18)
#define FOR_INCIDENT_SHOW (UINT64_C(1) << 19)
#define FOR_INCIDENT_EXPORT (UINT64_C(1) << 20)
#define FOR_REQUEST (UINT64_C(1) << 21)
#define FOR_EMERGENCY (UINT64_C(1) << 22)
#define FOR_REQUESTS (UINT64_C(1) << 23)
#define FOR_STEP (UINT64_C(1) << 24) /* approve, deny, withdraw, …: all that take a number and a note */
#define FOR_EXTEND (UINT64_C(1) << 25)
#define FOR_EXCEPTION_SHOW (UINT64_C(1) << 26)
#define FOR_EXCEPTION_FORM (UINT64_C(1) << 27)
#define FOR_ANSWER (UINT64_C(1) << 28)
#define FOR_GRANT_IMPORT (UINT64_C(1) << 29)
#define FOR_EXCEPTION_CLOCK (UINT64_C(1) << 30)
#define FOR_PROVISION (UINT64_C(1) << 31)

struct command {
	const char *name; /* one word, or two with a blank between them */
	command_set bit; /* one FOR_…; commands that take the same options share it */
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
	command_set takers;   /* 0: not a command's */
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

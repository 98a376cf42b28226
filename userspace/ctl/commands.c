// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "ctl/command.h"
#include "ctl/output.h"

/* Those that choose records. */
#define FOR_LOG_RECORDS (FOR_LOG_SHOW | FOR_LOG_FOLLOW | FOR_LOG_EXPORT)
#define FOR_LOG (FOR_LOG_RECORDS | FOR_LOG_VERIFY)
#define FOR_SHEETS (FOR_REPORT | FOR_INCIDENT_EXPORT | FOR_EXCEPTION_FORM)
#define FOR_INCIDENTS (FOR_INCIDENT_LIST | FOR_INCIDENT_SHOW | FOR_INCIDENT_EXPORT)

#define FOR_WISHES (FOR_REQUEST | FOR_EMERGENCY)
#define FOR_EXCEPTIONS                                                                             \
	(FOR_WISHES | FOR_REQUESTS | FOR_STEP | FOR_EXTEND | FOR_EXCEPTION_SHOW | FOR_ANSWER | FOR_GRANT_IMPORT | \
	 FOR_EXCEPTION_CLOCK)

/* All but the one whose output is a policy. */
#define FOR_JSON                                                                                   \
	(FOR_STATUS | FOR_LIST | FOR_WATCH | FOR_RELOAD | FOR_CHECK_POLICY | FOR_EXPLAIN |         \
	 FOR_RULE_FOR | FOR_POLICY_HISTORY | FOR_POLICY_DIFF | FOR_OPEN | FOR_EJECT | FOR_LOG |    \
	 FOR_DOCTOR | FOR_INCIDENT_LIST | FOR_INCIDENT_SHOW | FOR_EXCEPTIONS | FOR_PROVISION)
#define FOR_ALL (FOR_JSON | FOR_IMPORT_USBGUARD)

/* Options without a letter of their own, for getopt_long. */
enum {
	OPTION_ACCESS = 256,
	OPTION_ENCRYPTED_ONLY,
	OPTION_FOR,
	OPTION_FROM,
	OPTION_USES,
	OPTION_QUOTA,
	OPTION_PURPOSE,
	OPTION_DATA_CLASS,
	OPTION_FORM,
	OPTION_RETURN_BY,
	OPTION_NOTE,
	OPTION_DUE,
	OPTION_PHONE,
	OPTION_YES,
	OPTION_RESET,
	OPTION_KEY,
	OPTION_CHECK,
	OPTION_ENROL,
	OPTION_SEAL,
	OPTION_PLAIN_SECRETS,
	OPTION_NO_PAGER,
};

const struct command commands[] = {
	{"status", FOR_STATUS, status_run, "", 0, 0,
	 N_("does the barrier stand? exit status 1 and what to do if not")},
	{"doctor", FOR_DOCTOR, doctor_run, "", 0, 0,
	 N_("check this terminal: barrier, files, other roads, log; exit status 1 if something failed")},
	{"list", FOR_LIST, list_run, "", 0, 0,
	 N_("devices held, denied, allowed or kept, and why")},
	{"watch", FOR_WATCH, watch_run, "", 0, 0, N_("a line for each event, until interrupted")},
	{"reload", FOR_RELOAD, reload_run, "", 0, 0,
	 N_("put the policy file in force (as root); a bad one leaves the old one")},
	{"open", FOR_OPEN, open_run, "[DEVICE]", 0, 1,
	 N_("unlock a medium that was let in, with its passphrase: its number in list, a port "
	    "like 1-2, or the medium's number")},
	{"eject", FOR_EJECT, eject_run, "[DEVICE]", 0, 1,
	 N_("close a medium (all of them) and tell when it can be unplugged")},
	{"request", FOR_REQUEST, request_run, "[DEVICE]", 0, 1,
	 N_("apply for an exception for a device that is blocked; asks for what is not given")},
	{"answer", FOR_ANSWER, answer_run, "[CODE]", 0, 6,
	 N_("type in the help desk's code for the request by telephone that waits (request --phone)")},
	{"grant import", FOR_GRANT_IMPORT, grant_import_run, "FILE", 1, 1,
	 N_("take in a grant of the help desk's, FILE and FILE.minisig, once")},
	{"emergency", FOR_EMERGENCY, emergency_run, "[DEVICE]", 0, 1,
	 N_("declare an emergency: in force at once, and its report is due afterwards")},
	{"requests", FOR_REQUESTS, requests_run, "", 0, 0,
	 N_("exceptions that are waiting, in force or not done yet")},
	{"approve", FOR_STEP, approve_run, "NUMBER", 1, 1,
	 N_("approve somebody else's request, or the extension that is asked for")},
	{"deny", FOR_STEP, deny_run, "NUMBER", 1, 1,
	 N_("deny a request, or the extension that is asked for, and say why")},
	{"withdraw", FOR_STEP, withdraw_run, "NUMBER", 1, 1,
	 N_("take back your own request before it is in force")},
	{"revoke", FOR_STEP, revoke_run, "NUMBER", 1, 1, N_("end an exception now")},
	{"extend", FOR_EXTEND, extend_run, "NUMBER", 1, 1,
	 N_("ask for a later end; it is approved like a request")},
	{"return", FOR_STEP, return_run, "NUMBER", 1, 1,
	 N_("the work is done or the medium is back: end the exception")},
	{"exception show", FOR_EXCEPTION_SHOW, exception_show_run, "NUMBER", 1, 1,
	 N_("everything about an exception, and each step of it")},
	{"exception form", FOR_EXCEPTION_FORM, exception_form_run, "NUMBER", 1, 1,
	 N_("its application and outcome as a page to print, sign and file")},
	{"exception report", FOR_STEP, exception_report_run, "NUMBER", 1, 1,
	 N_("file the report of an emergency")},
	{"exception confirm", FOR_STEP, exception_confirm_run, "NUMBER", 1, 1,
	 N_("confirm that nothing is left on the medium of somebody else's exception")},
	{"exception close", FOR_STEP, exception_close_run, "NUMBER", 1, 1,
	 N_("close an exception that owes nothing any more")},
	{"exception clock", FOR_EXCEPTION_CLOCK, exception_clock_run, "", 0, 0,
	 N_("how far the clock that exceptions live by is ahead of the wall clock; --reset: sets it back")},
	{"check-policy", FOR_CHECK_POLICY, check_policy_run, "FILE", 1, 1,
	 N_("every error of a policy file, and what is unwise in it")},
	{"explain", FOR_EXPLAIN, explain_run, "", 0, 0,
	 N_("what a policy says of a device, and by which line")},
	{"rule-for", FOR_RULE_FOR, rule_for_run, "DEVICE", 1, 1,
	 N_("propose policy lines for something plugged in: a port like 1-2, an id "
	    "like 1234:abcd, or its number in list")},
	{"import-usbguard", FOR_IMPORT_USBGUARD, import_usbguard_run, "FILE", 1, 1,
	 N_("write a USBGuard rules file as a policy; tells where the meaning differs")},
	{"provision", FOR_PROVISION, provision_run, "[DIRECTORY|FILE]", 0, 1,
	 N_("put this terminal's name, trust keys, policy and secrets in place, all or nothing (as root)")},
	{"policy history", FOR_POLICY_HISTORY, policy_history_run, "", 0, 0,
	 N_("the policies that this terminal has accepted")},
	{"policy diff", FOR_POLICY_DIFF, policy_diff_run, "[A] [B]", 0, 2,
	 N_("what differs from A to B: files, or numbers in the history; without B "
	 "the policy file, without both the last two accepted")},
	{"report", FOR_REPORT, report_run, "", 0, 0,
	 N_("the month in figures; --compliance: the rules with the evidence for each")},
	{"incident list", FOR_INCIDENT_LIST, incident_list_run, "", 0, 0,
	 N_("incidents that have to be reported")},
	{"incident show", FOR_INCIDENT_SHOW, incident_show_run, "NUMBER", 1, 1,
	 N_("what is known of an incident")},
	{"incident export", FOR_INCIDENT_EXPORT, incident_export_run, "NUMBER", 1, 1,
	 N_("the report sheets of an incident (forms 11-1 and 11-2), to be completed")},
	{"log show", FOR_LOG_SHOW, log_show_run, "", 0, 0,
	 N_("records of the event log, as a table (as root)")},
	{"log follow", FOR_LOG_FOLLOW, log_follow_run, "", 0, 0,
	 N_("the newest records, and each new one, until interrupted (as root)")},
	{"log verify", FOR_LOG_VERIFY, log_verify_run, "", 0, 0,
	 N_("was the event log altered? names the first bad record and what to do; exit status 1 "
	 "then (as root)")},
	{"log export", FOR_LOG_EXPORT, log_export_run, "", 0, 0,
	 N_("records for a spreadsheet or another program (as root)")},
};
const size_t n_commands = ARRAY_SIZE(commands);

const struct command_option command_options[] = {
	{"json", NULL, 'j', FOR_JSON, N_("print JSON (watch and log: one object a line)")},
	{"no-color", NULL, 'n', FOR_ALL, N_("no colours (as does NO_COLOR in the environment)")},
	{"no-pager", NULL, OPTION_NO_PAGER, FOR_LOG_SHOW | FOR_REQUESTS,
	 N_("all at once, not a page at a time (as does SEKIMORI_PAGER=cat in the environment)")},
	{"all", NULL, 'a', FOR_LIST | FOR_REQUESTS,
	 N_("also devices that the barrier does not concern; also exceptions that are done")},
	{"count", "N", 'c', FOR_WATCH | FOR_LOG_FOLLOW,
	 N_("stop after N events (log follow: N new records)")},
	{"policy", "FILE", 'p', FOR_EXPLAIN | FOR_POLICY_DIFF,
	 N_("the policy file (default: /etc/sekimori/policy)")},
	{"device", "DEVICE", 'd', FOR_EXPLAIN | FOR_LOG_RECORDS | FOR_WISHES,
	 N_("the device: a line of the rule language; log: its port, id, serial number or fingerprint; "
	 "exceptions: its port or its number in list")},
	{"luks", "UUID", 'l', FOR_EXPLAIN,
	 N_("the inspection proves this LUKS2 volume; none: it finds no encryption")},
	{"at", "TIME", 't', FOR_EXPLAIN, N_("local time like 2026-04-01T08:30 (default: now)")},
	{"terminal", "NAME", 'T', FOR_EXPLAIN | FOR_LOG_RECORDS, N_("name of the terminal")},
	{"user", "NAME", 'u', FOR_EXPLAIN, N_("who is logged in")},
	{"group", "NAME", 'g', FOR_EXPLAIN, N_("a group of that user (may be repeated)")},
	{"allowed", "LINE", 'A', FOR_EXPLAIN, N_("another device that is let in (may be repeated)")},
	{"usbguard", NULL, 'U', FOR_RULE_FOR, N_("only the line that USBGuard would write")},
	{"state", "DIR|STATE", 's', FOR_POLICY_HISTORY | FOR_POLICY_DIFF | FOR_REQUESTS,
	 N_("where accepted policies are kept (default: /var/lib/sekimori/policy); requests: only those in this "
	 "state (requested, approved, live, used-up, expired, revoked, returned, …)")},
	{"organisation", NULL, 'o', FOR_OPEN,
	 N_("with the organisation's key instead of a passphrase")},
	{"passphrase-file", "FILE", 'P', FOR_OPEN,
	 N_("read the passphrase from FILE (- is standard input)")},
	{"month", "YYYY-MM", 'M', FOR_REPORT, N_("the month, or 'last' (default: this one)")},
	{"compliance", NULL, 'Y', FOR_REPORT, N_("the rules R01 to R34 with the evidence for each")},
	{"since", "TIME", 'S', FOR_LOG_RECORDS | FOR_INCIDENT_LIST,
	 N_("from then on: 2026-11-01, 2026-11-01T08:30 (local time), today, yesterday, -7d, -12h")},
	{"until", "TIME", 'E', FOR_LOG_RECORDS | FOR_WISHES | FOR_EXTEND,
	 N_("up to then, including that day or minute; of exceptions: 17:15 and tomorrow, too")},
	{"person", "NAME", 'w', FOR_LOG_RECORDS | FOR_WISHES | FOR_REQUESTS,
	 N_("who used it: user name, uid or holder; of exceptions: the user whom it is for")},
	{"medium", "NUMBER", 'm', FOR_LOG_RECORDS | FOR_WISHES, N_("number of the medium")},
	{"access", "ro|rw", OPTION_ACCESS, FOR_WISHES, N_("read only, or reading and writing (default: ro)")},
	{"encrypted-only", NULL, OPTION_ENCRYPTED_ONLY, FOR_WISHES, N_("only while the medium is encrypted")},
	{"for", "PERIOD", OPTION_FOR, FOR_WISHES | FOR_EXTEND, N_("how long: 30m, 2h, 3d (extend: from now)")},
	{"from", "TIME", OPTION_FROM, FOR_WISHES, N_("not before then, local time like 2026-11-21T08:30")},
	{"uses", "N", OPTION_USES, FOR_WISHES, N_("how often it may be plugged in (default: any number)")},
	{"quota", "SIZE", OPTION_QUOTA, FOR_WISHES, N_("how much may be written: 500M, 2G (default: any amount)")},
	{"purpose", "TEXT", OPTION_PURPOSE, FOR_WISHES, N_("what it is needed for, in one line")},
	{"data-class", "I|II|III", OPTION_DATA_CLASS, FOR_WISHES, N_("class of the data")},
	{"form", "8|10|13-1", OPTION_FORM, FOR_WISHES, N_("number of the form that it goes by (emergencies: 13-2)")},
	{"return-by", "TIME", OPTION_RETURN_BY, FOR_WISHES, N_("when the medium is to be back")},
	{"note", "TEXT", OPTION_NOTE, FOR_STEP | FOR_EXTEND, N_("one line for the record: why, or the report")},
	{"due", NULL, OPTION_DUE, FOR_REQUESTS, N_("only those that owe a report, a return or an erasure")},
	{"phone", NULL, OPTION_PHONE, FOR_REQUEST,
	 N_("by telephone, without a network: shows what to read to the help desk and takes its code")},
	{"yes", NULL, OPTION_YES, FOR_WISHES | FOR_STEP | FOR_EXTEND | FOR_EXCEPTION_CLOCK,
	 N_("do not ask whether it is right")},
	{"reset", NULL, OPTION_RESET, FOR_EXCEPTION_CLOCK, N_("set it back, once the wall clock is right")},
	{"kind", "KIND[,KIND]", 'k', FOR_LOG_RECORDS,
	 N_("kinds of records, like denied,allowed (may be repeated)")},
	{"verdict", "WORD", 'V', FOR_LOG_RECORDS, N_("allow, block or would-block")},
	{"reason", "CODE", 'R', FOR_LOG_RECORDS, N_("reason code, like not-registered")},
	{"log", "PATH", 'L', FOR_LOG | FOR_REPORT | FOR_INCIDENTS,
	 N_("a log's file or directory (may be repeated; default: this terminal's)")},
	{"format", "FORMAT", 'F', FOR_LOG_RECORDS | FOR_SHEETS,
	 N_("table, json, csv or cef (default: table; export: csv); of reports and forms text, html or csv")},
	{"output", "FILE", 'O', FOR_LOG_EXPORT | FOR_SHEETS,
	 N_("write to a new FILE that only you can read")},
	{"anchors", "FILE", 'N', FOR_LOG_VERIFY | FOR_REPORT | FOR_INCIDENTS,
	 N_("records that were seen elsewhere: JSON lines with seq and hash (- is standard input)")},
	{"terminal-key", "KEY", 'K', FOR_LOG_VERIFY | FOR_REPORT | FOR_INCIDENTS,
	 N_("the terminal's public key: a file, or 64 hexadecimal digits")},
	{"record", NULL, 'Z', FOR_DOCTOR,
	 N_("have the daemon write the result into the event log (as root)")},
	{"key", "KEY", OPTION_KEY, FOR_PROVISION,
	 N_("the desk's public key, RW… or a file of it, that you compared yourself: the provisioning must be vouched for by it")},
	{"check", NULL, OPTION_CHECK, FOR_PROVISION, N_("change nothing, tell what would be; exit status 1 if anything")},
	{"enrol", NULL, OPTION_ENROL, FOR_PROVISION,
	 N_("print the key to which the desk seals this terminal's secrets; the first time makes it")},
	{"seal", NULL, OPTION_SEAL, FOR_PROVISION,
	 N_("encrypt the secrets that lie here in the clear with this machine's own key")},
	{"plain-secrets", NULL, OPTION_PLAIN_SECRETS, FOR_PROVISION,
	 N_("on a disk set up from outside: secrets lie there in the clear until --seal; never for an image that is copied")},
	{"root", "DIR", 'r', FOR_STATUS | FOR_LOG | FOR_DOCTOR | FOR_REPORT | FOR_INCIDENTS | FOR_PROVISION,
	 N_("what is read of this machine lies below DIR (for trying out); provision: the root of an image")},
	{"help", NULL, 'h', 0, N_("this help")},
	{"version", NULL, 'v', 0, N_("print the version")},
};
const size_t n_command_options = ARRAY_SIZE(command_options);

const struct command *command_find(int n, char *const *words, int *used)
{
	for (size_t i = 0; i < n_commands; i++) {
		const char *name = commands[i].name, *blank = strchr(name, ' ');

		if (!blank && n >= 1 && !strcmp(words[0], name)) {
			*used = 1;
			return &commands[i];
		}
		if (blank && n >= 2 && command_begins(words[0]) &&
		    strlen(words[0]) == (size_t)(blank - name) &&
		    !strncmp(words[0], name, (size_t)(blank - name)) &&
		    !strcmp(words[1], blank + 1)) {
			*used = 2;
			return &commands[i];
		}
	}
	return NULL;
}

bool command_begins(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < n_commands; i++)
		if (!strncmp(commands[i].name, word, len) && commands[i].name[len] == ' ')
			return true;
	return false;
}

/* --- options ------------------------------------------------------------------------------- */

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

static const char *repeat(struct command_repeated *repeated, const char *value)
{
	if (repeated->n == COMMAND_REPEAT_MAX)
		return N_("is given too often");
	repeated->values[repeated->n++] = value;
	return NULL;
}

/* Those of exceptions and of provision. False: it is none of them. */
static bool apply_long(int option, const char *value, struct command_options *options)
{
	const struct {
		int option;
		const char **text;
	} texts[] = {
		{OPTION_ACCESS, &options->access},	 {OPTION_FOR, &options->period},
		{OPTION_FROM, &options->from},		 {OPTION_USES, &options->uses},
		{OPTION_QUOTA, &options->quota},	 {OPTION_PURPOSE, &options->purpose},
		{OPTION_DATA_CLASS, &options->data_class}, {OPTION_FORM, &options->form},
		{OPTION_RETURN_BY, &options->return_by}, {OPTION_NOTE, &options->note},
		{OPTION_KEY, &options->key},
	};
	const struct {
		int option;
		bool *flag;
	} flags[] = {
		{OPTION_ENCRYPTED_ONLY, &options->encrypted_only},
		{OPTION_DUE, &options->due},
		{OPTION_PHONE, &options->phone},
		{OPTION_YES, &options->yes},
		{OPTION_RESET, &options->reset},
		{OPTION_CHECK, &options->check},
		{OPTION_ENROL, &options->enrol},
		{OPTION_SEAL, &options->seal},
		{OPTION_PLAIN_SECRETS, &options->plain_secrets},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].option == option) {
			*texts[i].text = value;
			return true;
		}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].option == option) {
			*flags[i].flag = true;
			return true;
		}
	return false;
}

const char *command_option_apply(const struct command_option *option, const char *value,
				 struct context *context, struct command_options *options)
{
	if (apply_long(option->value, value, options))
		return NULL;
	switch (option->value) {
	case OPTION_NO_PAGER:
		context->no_pager = true;
		break;
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
		options->count = parse_count(value);
		return options->count ? NULL : N_("takes a number from 1");
	case 'p':
		options->policy = value;
		break;
	case 'd':
		options->device = value;
		break;
	case 'l':
		options->luks = value;
		break;
	case 't':
		options->at = value;
		break;
	case 'T':
		options->terminal = value;
		break;
	case 'u':
		options->user = value;
		break;
	case 'g':
		return repeat(&options->groups, value);
	case 'A':
		return repeat(&options->allowed, value);
	case 'U':
		options->usbguard = true;
		break;
	case 's':
		options->state = value;
		break;
	case 'o':
		options->organisation = true;
		break;
	case 'P':
		options->passphrase_file = value;
		break;
	case 'Z':
		options->record = true;
		break;
	case 'r':
		context->root = value;
		break;
	case 'M':
		options->month = value;
		break;
	case 'Y':
		options->compliance = true;
		break;
	case 'S':
		options->since = value;
		break;
	case 'E':
		options->until = value;
		break;
	case 'w':
		options->person = value;
		break;
	case 'm':
		options->medium = value;
		break;
	case 'k':
		return repeat(&options->kinds, value);
	case 'V':
		options->verdict = value;
		return strcmp(value, "allow") && strcmp(value, "block") && strcmp(value, "would-block") ?
			       "takes allow, block or would-block" :
			       NULL;
	case 'R':
		options->reason = value;
		break;
	case 'L':
		return repeat(&options->logs, value);
	case 'F':
		options->format = value;
		break;
	case 'O':
		options->output = value;
		break;
	case 'N':
		options->anchors = value;
		break;
	case 'K':
		options->terminal_key = value;
		break;
	}
	return NULL;
}

/* --- help ---------------------------------------------------------------------------------- */

#define HELP_WIDTH 28

static void print_option(const struct context *context, const struct command_option *option)
{
	_cleanup_(freep) char *text = output_format("  --%s%s%s", option->name,
						    option->argument ? "=" : "",
						    option->argument ? option->argument : "");

	output_column(text, HELP_WIDTH);
	puts(i18n(option->text));
}

static void print_command(const struct command *command, const char *what)
{
	_cleanup_(freep) char *text = output_format("  %s%s%s", command->name,
						    *command->usage ? " " : "", command->usage);

	output_column(text, HELP_WIDTH);
	puts(what);
}

void command_print_help(const struct context *context)
{
	static const struct command help = {.name = "help", .usage = "COMMAND"};

	printf("%s sekimorictl [%s] %s\n\n%s\n", _("Usage:"), _("OPTIONS"), _("COMMAND"),
	       _("Commands"));
	for (size_t i = 0; i < n_commands; i++)
		print_command(&commands[i], i18n(commands[i].text));
	print_command(&help, _("more on a command"));
	printf("\n%s\n", _("Options"));
	for (size_t i = 0; i < n_command_options; i++)
		print_option(context, &command_options[i]);
	printf("\n%s\n", _("Exit status: 0 ok; 1 refused, failed or something is wrong with the "
			   "barrier; 2 usage"));
}

void command_print_help_of(const struct context *context, const struct command *command)
{
	printf("%s sekimorictl %s%s%s", _("Usage:"), command->name, *command->usage ? " " : "",
	       command->usage);
	for (size_t i = 0; i < n_command_options; i++)
		if (command_options[i].takers & command->bit)
			printf(" [--%s%s%s]", command_options[i].name,
			       command_options[i].argument ? "=" : "",
			       command_options[i].argument ? command_options[i].argument : "");
	printf("\n\n%s\n\n", i18n(command->text));
	for (size_t i = 0; i < n_command_options; i++)
		if (command_options[i].takers & command->bit)
			print_option(context, &command_options[i]);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/macro.h"
#include "desk/command.h"
#include "desk/commands.h"
#include "desk/filter.h"

#define T(option) COMMAND_TAKES(OPTION_##option)

/* How a device is named, and what is said of a medium that is entered. */
#define FOR_DEVICE (T(ID) | T(SERIAL) | T(PRODUCT) | T(FORCE_FIXED))
#define FOR_MEDIUM                                                                                 \
	(T(CLASS) | T(CONTENT) | T(ACCESS) | T(USER) | T(PLACE) | T(TERMINALS) | T(FROM) |         \
	 T(UNTIL) | T(NOTE))

const struct command commands[] = {
	{"init", init_run, "", 0, 0,
	 T(ORGANISATION) | T(RETURN_TO) | T(POLICY_SIGNER) | T(REQUIRE) | T(QUICK_KDF),
	 N_("make a desk: keys, the organisation's secret, an empty register")},
	{"issue", issue_run, "DEVICE", 1, 1,
	 FOR_DEVICE | FOR_MEDIUM | T(NUMBER) | T(FILESYSTEM) | T(GENERATE) | T(RECOVERY) |
		 T(ORGANISATION_KEY) | T(KDF_MEMORY) | T(KDF_PASSES) | T(KDF_THREADS) | T(DISCARD) |
		 T(OVERWRITE),
	 N_("make an encrypted medium of DEVICE, with the desk's mark, and enter it; destroys what "
	    "is "
	    "on it")},
	{"enrol", enrol_run, "DEVICE", 1, 1,
	 FOR_DEVICE | FOR_MEDIUM | T(NUMBER) | T(METHOD) | T(MARK),
	 N_("enter a medium that is encrypted already, or encrypts by itself; nothing on it is "
	    "destroyed")},
	{"wipe", wipe_run, "DEVICE", 1, 1,
	 FOR_DEVICE | T(NUMBER) | T(DISCARD) | T(OVERWRITE) | T(CERTIFICATE) | T(WITNESS),
	 N_("make DEVICE unreadable for ever, prove it, and write the certificate")},
	{"inspect", inspect_run, "DEVICE", 1, 1, T(ID) | T(SERIAL) | T(PRODUCT),
	 N_("what is on DEVICE: encryption, mark, entry in the register")},
	{"recovery", recovery_run, "NUMBER", 1, 1, 0,
	 N_("print the recovery passphrase of a medium; that it was is entered, with the reason")},
	{"list", list_run, "", 0, 0, FILTER_OPTIONS | T(CSV), N_("the register, or some of it")},
	{"show", show_run, "NUMBER", 1, 1, 0, N_("all that is known of a medium")},
	{"history", history_run, "NUMBER", 1, 1, 0, N_("what happened to it: when, by whom, why")},
	{"lend", lend_run, "NUMBER…", 1, INT_MAX,
	 T(HOLDER) | T(USER) | T(PLACE) | T(TERMINALS) | T(UNTIL),
	 N_("give it to somebody until the end of the fiscal year, or --until")},
	{"return", return_run, "NUMBER…", 1, INT_MAX, T(PLACE), N_("it is back")},
	{"lost", lost_run, "NUMBER…", 1, INT_MAX, 0,
	 N_("it is lost: the next policy shuts it out everywhere")},
	{"found", found_run, "NUMBER…", 1, INT_MAX, T(PLACE), N_("a lost one is back at the desk")},
	{"revoke", revoke_run, "NUMBER…", 1, INT_MAX, 0,
	 N_("it must not be used any more: the next policy shuts it out everywhere")},
	{"dispose", dispose_run, "NUMBER…", 1, INT_MAX, T(PLACE),
	 N_("it is destroyed or given away, wiped before or with --why")},
	{"change", change_run, "NUMBER…", 1, INT_MAX,
	 T(CLASS) | T(CONTENT) | T(ACCESS) | T(HOLDER) | T(USER) | T(PLACE) | T(TERMINALS) |
		 T(FROM) | T(UNTIL) | T(NOTE),
	 N_("correct an entry, or give it a new term")},
	{"stocktake", stocktake_run, "[seen] [NUMBER…|-]", 0, INT_MAX, T(OPEN) | T(CLOSE) | T(LOG),
	 N_("what was seen when, and what was not; - reads numbers, as a barcode reader types "
	    "them")},
	{"import", import_run, "FILE", 1, 1, 0,
	 N_("enter the media of a CSV table: all, or none if a line has an error")},
	{"export", export_run, "FILE", 1, 1, FILTER_OPTIONS,
	 N_("write the register as CSV for spreadsheets")},
	{"label", label_run, "NUMBER…", 1, INT_MAX, T(FORMAT) | T(OUT),
	 N_("labels for printing: number, class, barcode, where to return it")},
	{"policy", policy_run, "", 0, 0,
	 T(BASE) | T(OUT) | T(POLICY_VERSION) | T(SIGN) | T(COMMENT),
	 N_("write the policy for the terminals: --base and the register's media, checked and "
	    "signed")},
	{"policy sign", policy_sign_run, "FILE", 1, 1, T(SIGN) | T(COMMENT),
	 N_("add a signature to a policy that is there")},
	{"backup", backup_run, "FILE", 1, 1, 0,
	 N_("the whole desk in one file under a passphrase")},
	{"restore", restore_run, "FILE", 1, 1, 0,
	 N_("make a desk out of a backup; never over one that is there")},
	{"keys", keys_run, "", 0, 0, 0, N_("keys of this desk, and whose they are")},
	{"organisation-key export", organisation_key_export_run, "FILE", 1, 1, 0,
	 N_("write the organisation's secret in the clear, for the terminals")},
	{"log keygen", log_keygen_run, "", 0, 0, T(QUICK_KDF),
	 N_("make the key to which terminals seal their event log")},
	{"log verify", log_verify_run, "FILE|DIR…", 1, INT_MAX,
	 T(TERMINAL_KEY) | T(EXPECT_SEQ) | T(ANCHORS) | T(NO_KEY),
	 N_("was a terminal's event log altered, cut or written anew?")},
	{"terminal add", terminal_add_run, "NAME…", 1, INT_MAX, T(QUICK_KDF),
	 N_("enter terminals that may ask for exceptions by telephone; the first time makes the secret "
	    "behind their keys")},
	{"terminal list", terminal_list_run, "", 0, 0, 0,
	 N_("the terminals that are entered, and which have their key")},
	{"terminal key", terminal_key_run, "NAME", 1, 1, T(OUT),
	 N_("write a terminal's key in the clear, for setting it up")},
	{"terminal renew", terminal_renew_run, "NAME…", 1, INT_MAX, 0,
	 N_("give them other keys: the ones they have are worth nothing from now on")},
	{"terminal remove", terminal_remove_run, "NAME…", 1, INT_MAX, 0,
	 N_("they are gone: no more answers to them")},
	{"provision", provision_run, "TERMINAL", 1, 1,
	 T(OUT) | T(POLICY) | T(SET) | T(SEAL_TO) | T(ORGANISATION_KEY) | T(TELEPHONE_KEY) | T(SIGN) | T(COMMENT),
	 N_("write and sign one file that sets a terminal up: its name, whom it trusts, policy, log key, sealed secrets")},
	{"answer", answer_run, "[CODE]", 0, 1,
	 T(TERMINAL) | T(ACCESS) | T(PERIOD) | T(USES),
	 N_("answer a request by telephone: say what is asked, take access and period, print the code")},
	{"answer rules", answer_rules_run, "", 0, 0, T(KIND) | T(ACCESS) | T(PERIOD),
	 N_("what may be answered without a reason: show it, or set it")},
	{"grant", grant_run, "FILE", 1, 1,
	 T(TERMINAL) | T(DEVICE) | T(NUMBER) | T(KIND) | T(USER) | T(ACCESS) | T(ENCRYPTED_ONLY) |
		 T(FROM) | T(UNTIL) | T(PERIOD) | T(USES) | T(WRITE_QUOTA) | T(CLASS) | T(FORM) |
		 T(RETURN_BY) | T(COMMENT),
	 N_("write and sign a grant as a file, for one terminal; --why is the purpose")},
	{"grant keygen", grant_keygen_run, "", 0, 0, T(QUICK_KDF),
	 N_("make the key that signs grant files, and enter it into what terminals trust")},
	{"grant list", grant_list_run, "", 0, 0, T(TERMINAL),
	 N_("what was granted by telephone and by file: when, by whom, to which terminal")},
};
const size_t n_commands = ARRAY_SIZE(commands);

#define ROW(id, name, argument, repeated, common, text)                                            \
	[OPTION_##id] = {OPTION_##id, name, argument, repeated, common, text}

const struct command_option_row command_option_rows[OPTION_COUNT] = {
	ROW(DESK, "desk", "DIR", false, true,
	    N_("the desk's directory (default: $SEKIMORI_DESK, else /var/lib/sekimori-desk)")),
	ROW(BY, "by", "NAME", false, true, N_("who acts (default: your login name)")),
	ROW(WHY, "why", "TEXT", false, true, N_("the reason, kept with the event")),
	ROW(YES, "yes", NULL, false, true, N_("do not ask before something is destroyed")),
	ROW(JSON, "json", NULL, false, true, N_("print JSON")),
	ROW(PASSPHRASE_FILE, "passphrase-file", "FILE", false, true,
	    N_("passphrases for scripts: a line for each question, the last one for all that "
	       "follow; - is standard input")),
	ROW(LANG, "lang", "ja|en", false, true, N_("language (default: from the environment)")),
	ROW(NO_COLOR, "no-color", NULL, false, true,
	    N_("no colours (as does NO_COLOR in the environment)")),
	ROW(NO_PAGER, "no-pager", NULL, false, true,
	    N_("all at once, not a page at a time (as does SEKIMORI_PAGER=cat in the environment)")),
	ROW(HELP, "help", NULL, false, true, N_("this help")),
	ROW(VERSION, "version", NULL, false, true, N_("print the version")),
	ROW(ORGANISATION, "organisation", "NAME", false, false,
	    N_("name of the organisation, for labels")),
	ROW(RETURN_TO, "return-to", "TEXT", false, false,
	    N_("where a found medium is to be brought, for labels")),
	ROW(POLICY_SIGNER, "policy-signer", "NAME", true, false,
	    N_("somebody who signs policies (may be repeated)")),
	ROW(REQUIRE, "require", "N", false, false, N_("how many of them must sign (default: 1)")),
	ROW(QUICK_KDF, "quick-kdf", NULL, false, false,
	    N_("protect keys weakly but quickly against guessing: for trying out only")),
	ROW(HOLDER, "holder", "WHO", false, false, N_("the person who has it")),
	ROW(USER, "user", "LOGIN,…", false, false,
	    N_("logins and @groups that terminals let use it (default: all)")),
	ROW(PLACE, "place", "TEXT", false, false, N_("where it is kept or used")),
	ROW(TERMINALS, "terminals", "NAME,…", false, false,
	    N_("terminals that let it in, PREFIX* too (default: all)")),
	ROW(UNTIL, "until", "DATE", false, false, N_("last day (default: the next 31 March)")),
	ROW(FROM, "from", "DATE", false, false, N_("first day")),
	ROW(CLASS, "class", "I|II|III", false, false, N_("class of the data on it")),
	ROW(ACCESS, "access", "ro|rw", false, false, N_("read only, or reading and writing")),
	ROW(CONTENT, "content", "TEXT", false, false, N_("what is kept on it")),
	ROW(NOTE, "note", "TEXT", false, false, N_("anything else")),
	ROW(STATUS, "status", "STATUS", true, false,
	    N_("only these: active, lent, lost, revoked, disposed (may be repeated)")),
	ROW(OVERDUE, "overdue", NULL, false, false, N_("only loans whose last day is over")),
	ROW(CSV, "csv", NULL, false, false, N_("print CSV for spreadsheets")),
	ROW(OPEN, "open", NULL, false, false, N_("begin a stock-taking")),
	ROW(CLOSE, "close", NULL, false, false, N_("end it, with a report of what was not seen")),
	ROW(LOG, "log", "FILE", true, false,
	    N_("event log of a terminal: what it let in was seen there (may be repeated)")),
	ROW(BASE, "base", "FILE", false, false, N_("policy without the register's media")),
	ROW(OUT, "out", "FILE", false, false, N_("where to write it")),
	ROW(POLICY_VERSION, "policy-version", "N|next", false, false,
	    N_("version of the policy (default: next, one more than was ever written here)")),
	ROW(SIGN, "sign", "KEY", true, false,
	    N_("sign with this key of the desk: see `keys` (may be repeated)")),
	ROW(COMMENT, "comment", "TEXT", false, false, N_("what the signature says beside")),
	ROW(FORMAT, "format", "html|svg", false, false, N_("a page of labels, or one label alone")),
	ROW(NUMBER, "number", "NUMBER", false, false,
	    N_("number of the medium, or a pattern like R8-### for the next free one (default: "
	       "M-####)")),
	ROW(ID, "id", "VVVV:PPPP", false, false,
	    N_("USB vendor and product, for what is not on USB")),
	ROW(SERIAL, "serial", "TEXT", false, false, N_("serial number, for what is not on USB")),
	ROW(PRODUCT, "product", "TEXT", false, false,
	    N_("maker and model, for what is not on USB")),
	ROW(FORCE_FIXED, "force-fixed", NULL, false, false,
	    N_("DEVICE may be a disk that is built in")),
	ROW(FILESYSTEM, "filesystem", "exfat|ext4", false, false,
	    N_("what is made inside (default: exfat)")),
	ROW(GENERATE, "generate", NULL, false, false,
	    N_("make up the holder's passphrase, and show it once")),
	ROW(RECOVERY, "recovery", "keep|print|none", false, false,
	    N_("recovery passphrase: kept in the register, sealed to the media key (default); "
	       "printed "
	       "too; none")),
	ROW(ORGANISATION_KEY, "organisation-key", NULL, false, false,
	    N_("the organisation's terminals can open it by themselves; provision: give the terminal that key")),
	ROW(KDF_MEMORY, "kdf-memory", "MIB", false, false,
	    N_("memory of argon2id, 32 to 1024 (default: 256)")),
	ROW(KDF_PASSES, "kdf-passes", "N", false, false,
	    N_("passes of argon2id, 4 to 64 (default: 4)")),
	ROW(KDF_THREADS, "kdf-threads", "N", false, false,
	    N_("threads of argon2id, 1 to 4 (default: 4)")),
	ROW(DISCARD, "discard", NULL, false, false,
	    N_("tell the device that all its blocks are free")),
	ROW(OVERWRITE, "overwrite", NULL, false, false,
	    N_("overwrite everything, which takes long")),
	ROW(METHOD, "method", "METHOD", false, false,
	    N_("luks2, luks1, bitlocker: what must be found; hardware: the device encrypts by "
	       "itself")),
	ROW(MARK, "mark", NULL, false, false, N_("write the desk's mark (LUKS2 only)")),
	ROW(CERTIFICATE, "certificate", "FILE", false, false,
	    N_("where to write the certificate (default: print it)")),
	ROW(WITNESS, "witness", "NAME", false, false, N_("who was present")),
	ROW(TERMINAL_KEY, "terminal-key", "FILE|HEX", false, false,
	    N_("the terminal's public key, kept since it was set up (default: what the log states)")),
	ROW(EXPECT_SEQ, "expect-seq", "N", false, false,
	    N_("the log must reach at least this record")),
	ROW(ANCHORS, "anchors", "FILE", false, false,
	    N_("records that were seen elsewhere: JSON lines with seq and hash")),
	ROW(NO_KEY, "no-key", NULL, false, false,
	    N_("without the desk's key: hashes and signatures only")),
	ROW(TERMINAL, "terminal", "NAME", false, false, N_("the terminal")),
	ROW(DEVICE, "device", "FINGERPRINT", false, false,
	    N_("the device, by its fingerprint (blake2b:…, as 'sekimorictl rule-for DEVICE' tells it on the terminal)")),
	ROW(KIND, "kind", "KIND", true, false,
	    N_("kind of device: storage-plain, storage-encrypted, camera-or-phone, network, printer, "
	       "audio-video, serial, composite, other; answer rules: also unknown, may be repeated; grant: "
	       "or any, whatever it turns out to be")),
	ROW(PERIOD, "period", "15m|2h|3d", false, false, N_("for how long")),
	ROW(USES, "uses", "N", false, false, N_("how often it may be plugged in (default: any number)")),
	ROW(WRITE_QUOTA, "write-quota", "BYTES|KiB|MiB|GiB", false, false,
	    N_("how much may be written, like 200MiB (default: any amount)")),
	ROW(ENCRYPTED_ONLY, "encrypted-only", NULL, false, false,
	    N_("only while all of it is encrypted")),
	ROW(FORM, "form", "8|10|13-1", false, false, N_("number of the form that was handed in")),
	ROW(RETURN_BY, "return-by", "DATE", false, false, N_("day by which the medium is due back")),
	ROW(POLICY, "policy", "FILE", false, false, N_("the policy, with its signatures beside it")),
	ROW(SET, "set", "NAME=VALUE", true, false,
	    N_("a setting of the terminal's sekimorid.conf, like mode=drill (may be repeated)")),
	ROW(SEAL_TO, "seal-to", "KEY", false, false,
	    N_("the terminal's own key, as sekimorictl provision --enrol prints it there")),
	ROW(TELEPHONE_KEY, "telephone-key", NULL, false, false, N_("give the terminal its key for requests by telephone")),
};

/* Does the name consist of these first words? */
static bool name_is(const char *name, int n, char *const *words, int n_words)
{
	for (int i = 0; i < n_words; i++) {
		size_t len = strcspn(name, " ");

		if (i >= n || strlen(words[i]) != len || strncmp(words[i], name, len))
			return false;
		name += len + (name[len] == ' ');
	}
	return !*name;
}

const struct command *command_find(int n, char *const *words, int *used)
{
	/* "policy sign FILE" is not policy's argument. */
	for (*used = 2; *used; --*used)
		for (size_t i = 0; i < n_commands; i++)
			if (name_is(commands[i].name, n, words, *used))
				return &commands[i];
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

const char *command_option(const struct command_options *options, enum option_name option)
{
	size_t at = 0;

	return command_option_next(options, option, &at);
}

const char *command_option_next(const struct command_options *options, enum option_name option,
				size_t *at)
{
	while (*at < options->n_given) {
		size_t i = (*at)++;

		if (options->given[i].option == option)
			return options->given[i].value;
	}
	return NULL;
}

/* --- help ---------------------------------------------------------------------------------- */

#define HELP_WIDTH 32

static void print_row(const char *name, const char *joint, const char *argument, const char *what)
{
	_cleanup_(freep) char *text =
		output_format("  %s%s%s", name, *argument ? joint : "", argument);

	output_column(text, HELP_WIDTH);
	puts(what);
}

static void print_option(const struct context *context, const struct command_option_row *row)
{
	_cleanup_(freep) char *name = output_format("--%s", row->name);

	print_row(name, "=", row->argument ? row->argument : "", i18n(row->text));
}

static void print_common(const struct context *context)
{
	printf("\n%s\n", _("Options of all commands"));
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (command_option_rows[i].common)
			print_option(context, &command_option_rows[i]);
}

void command_print_help(const struct context *context)
{
	printf("%s sekimori-desk [%s] %s\n\n%s\n", _("Usage:"), _("OPTIONS"), _("COMMAND"),
	       _("Commands"));
	for (size_t i = 0; i < n_commands; i++)
		print_row(commands[i].name, " ", commands[i].usage, i18n(commands[i].text));
	print_row("help", " ", "COMMAND", _("more on a command"));
	print_common(context);
	printf("\n%s\n", _("Exit status: 0 ok; 1 refused or failed; 2 usage"));
}

void command_print_help_of(const struct context *context, const struct command *command)
{
	printf("%s sekimori-desk %s%s%s", _("Usage:"), command->name, *command->usage ? " " : "",
	       command->usage);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct command_option_row *row = &command_option_rows[i];

		if (command->takes & COMMAND_TAKES(i))
			printf(" [--%s%s%s]%s", row->name, row->argument ? "=" : "",
			       row->argument ? row->argument : "", row->repeated ? "…" : "");
	}
	printf("\n\n%s\n\n", i18n(command->text));
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (command->takes & COMMAND_TAKES(i))
			print_option(context, &command_option_rows[i]);
	print_common(context);
}

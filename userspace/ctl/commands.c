// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/macro.h"
#include "ctl/command.h"
#include "ctl/output.h"

/* Those that choose records. */
#define FOR_LOG_RECORDS (FOR_LOG_SHOW | FOR_LOG_FOLLOW | FOR_LOG_EXPORT)
#define FOR_LOG (FOR_LOG_RECORDS | FOR_LOG_VERIFY)
#define FOR_SHEETS (FOR_REPORT | FOR_INCIDENT_EXPORT)
#define FOR_INCIDENTS (FOR_INCIDENT_LIST | FOR_INCIDENT_SHOW | FOR_INCIDENT_EXPORT)

/* All but the one whose output is a policy. */
#define FOR_JSON                                                                                   \
	(FOR_STATUS | FOR_LIST | FOR_WATCH | FOR_RELOAD | FOR_CHECK_POLICY | FOR_EXPLAIN |         \
	 FOR_RULE_FOR | FOR_POLICY_HISTORY | FOR_POLICY_DIFF | FOR_OPEN | FOR_EJECT | FOR_LOG |    \
	 FOR_INCIDENT_LIST | FOR_INCIDENT_SHOW)
#define FOR_ALL (FOR_JSON | FOR_IMPORT_USBGUARD)

const struct command commands[] = {
	{"status", FOR_STATUS, status_run, "", 0, 0,
	 "does the barrier stand? exit status 1 and what to do if not",
	 "関門が正常かを示す（問題があれば対処を示し、終了コード1）"},
	{"list", FOR_LIST, list_run, "", 0, 0, "devices held, denied, allowed or kept, and why",
	 "止めた機器・許可した機器とその理由の一覧"},
	{"watch", FOR_WATCH, watch_run, "", 0, 0, "a line for each event, until interrupted",
	 "できごとを1行ずつ表示し続ける"},
	{"reload", FOR_RELOAD, reload_run, "", 0, 0,
	 "put the policy file in force (as root); a bad one leaves the old one",
	 "ポリシーファイルを読み直す（root権限。誤りがあれば元のまま）"},
	{"open", FOR_OPEN, open_run, "[DEVICE]", 0, 1,
	 "unlock a medium that was let in, with its passphrase: its number in list, a port "
	 "like 1-2, or the medium's number",
	 "許可された媒体をパスフレーズで開く（listの番号、1-2のようなポート、または管理番号で指定）"},
	{"eject", FOR_EJECT, eject_run, "[DEVICE]", 0, 1,
	 "close a medium (all of them) and tell when it can be unplugged",
	 "媒体（省略時はすべて）を閉じ、抜いてよいかを示す"},
	{"check-policy", FOR_CHECK_POLICY, check_policy_run, "FILE", 1, 1,
	 "every error of a policy file, and what is unwise in it",
	 "ポリシーファイルの誤りと、注意すべき点をすべて示す"},
	{"explain", FOR_EXPLAIN, explain_run, "", 0, 0,
	 "what a policy says of a device, and by which line",
	 "ある機器をポリシーがどう判定するか、どの行によるかを示す"},
	{"rule-for", FOR_RULE_FOR, rule_for_run, "DEVICE", 1, 1,
	 "propose policy lines for something plugged in: a port like 1-2, an id "
	 "like 1234:abcd, or its number in list",
	 "接続中の機器のためのポリシーの行を提案する（1-2のようなポート、"
	 "1234:abcdのようなID、またはlistの番号で指定）"},
	{"import-usbguard", FOR_IMPORT_USBGUARD, import_usbguard_run, "FILE", 1, 1,
	 "write a USBGuard rules file as a policy; tells where the meaning differs",
	 "USBGuardの規則ファイルをポリシーに書き直す（意味が変わる行を示す）"},
	{"policy history", FOR_POLICY_HISTORY, policy_history_run, "", 0, 0,
	 "the policies that this terminal has accepted", "この端末が受け入れたポリシーの一覧"},
	{"policy diff", FOR_POLICY_DIFF, policy_diff_run, "[A] [B]", 0, 2,
	 "what differs from A to B: files, or numbers in the history; without B "
	 "the policy file, without both the last two accepted",
	 "AからBへの違い（ファイルまたは履歴の番号。Bを省くと今のポリシーファ"
	 "イル、両方を省くと最後に受け入れた二つ）"},
	{"report", FOR_REPORT, report_run, "", 0, 0,
	 "the month in figures; --compliance: the rules with the evidence for each",
	 "ひと月の集計（--complianceは規程の各項目と根拠の一覧）"},
	{"incident list", FOR_INCIDENT_LIST, incident_list_run, "", 0, 0,
	 "incidents that have to be reported", "報告が必要なインシデントの一覧"},
	{"incident show", FOR_INCIDENT_SHOW, incident_show_run, "NUMBER", 1, 1,
	 "what is known of an incident", "インシデントについて分かっていること"},
	{"incident export", FOR_INCIDENT_EXPORT, incident_export_run, "NUMBER", 1, 1,
	 "the report sheets of an incident (forms 11-1 and 11-2), to be completed",
	 "インシデント報告書（様式第11-1号・第11-2号の項目）を出力する"},
	{"log show", FOR_LOG_SHOW, log_show_run, "", 0, 0,
	 "records of the event log, as a table (as root)",
	 "できごとの記録を表で示す（root権限）"},
	{"log follow", FOR_LOG_FOLLOW, log_follow_run, "", 0, 0,
	 "the newest records, and each new one, until interrupted (as root)",
	 "最近の記録を示し、新しい記録を表示し続ける（root権限）"},
	{"log verify", FOR_LOG_VERIFY, log_verify_run, "", 0, 0,
	 "was the event log altered? names the first bad record and what to do; exit status 1 "
	 "then (as root)",
	 "記録が改ざんされていないかを調べる（問題があれば最初の記録と対処を示し、終了コード1。"
	 "root権限）"},
	{"log export", FOR_LOG_EXPORT, log_export_run, "", 0, 0,
	 "records for a spreadsheet or another program (as root)",
	 "記録を表計算ソフトや他のプログラムのために書き出す（root権限）"},
};
const size_t n_commands = ARRAY_SIZE(commands);

const struct command_option command_options[] = {
	{"json", NULL, 'j', FOR_JSON, "print JSON (watch and log: one object a line)",
	 "JSONで出力する（watchとlogは1行に1件）"},
	{"no-color", NULL, 'n', FOR_ALL, "no colours (as does NO_COLOR in the environment)",
	 "色を付けない（環境変数NO_COLORと同じ）"},
	{"all", NULL, 'a', FOR_LIST, "also devices that the barrier does not concern",
	 "関門の対象外の機器も表示する"},
	{"count", "N", 'c', FOR_WATCH | FOR_LOG_FOLLOW,
	 "stop after N events of devices (log follow: N new records)",
	 "機器のできごとをN件（log followは新しい記録をN件）表示したら終わる"},
	{"policy", "FILE", 'p', FOR_EXPLAIN | FOR_POLICY_DIFF,
	 "the policy file (default: /etc/sekimori/policy)",
	 "ポリシーファイル（省略時 /etc/sekimori/policy）"},
	{"device", "DEVICE", 'd', FOR_EXPLAIN | FOR_LOG_RECORDS,
	 "the device: a line of the rule language; log: its port, id, serial number or fingerprint",
	 "機器（explainでは規則の書式の1行、logではポート、ID、シリアル番号またはフィンガープリント）"},
	{"luks", "UUID", 'l', FOR_EXPLAIN,
	 "the inspection proves this LUKS2 volume; none: it finds no encryption",
	 "検査でこのLUKS2ボリュームを確認したものとする（noneは暗号化なし）"},
	{"at", "TIME", 't', FOR_EXPLAIN, "local time like 2026-04-01T08:30 (default: now)",
	 "2026-04-01T08:30のような現地時刻（省略時は現在）"},
	{"terminal", "NAME", 'T', FOR_EXPLAIN | FOR_LOG_RECORDS, "name of the terminal", "端末名"},
	{"user", "NAME", 'u', FOR_EXPLAIN, "who is logged in", "ログイン中の利用者"},
	{"group", "NAME", 'g', FOR_EXPLAIN, "a group of that user (may be repeated)",
	 "その利用者のグループ（繰り返し可）"},
	{"allowed", "LINE", 'A', FOR_EXPLAIN, "another device that is let in (may be repeated)",
	 "許可済みの他の機器（繰り返し可）"},
	{"usbguard", NULL, 'U', FOR_RULE_FOR, "only the line that USBGuard would write",
	 "USBGuardと同じ形の1行だけを出力する"},
	{"state", "DIR", 's', FOR_POLICY_HISTORY | FOR_POLICY_DIFF,
	 "where accepted policies are kept (default: /var/lib/sekimori/policy)",
	 "受け入れたポリシーの置き場所（省略時 /var/lib/sekimori/policy）"},
	{"organisation", NULL, 'o', FOR_OPEN, "with the organisation's key instead of a passphrase",
	 "パスフレーズの代わりに組織の鍵を使う"},
	{"passphrase-file", "FILE", 'P', FOR_OPEN,
	 "read the passphrase from FILE (- is standard input)",
	 "パスフレーズをファイルから読む（-は標準入力）"},
	{"month", "YYYY-MM", 'M', FOR_REPORT, "the month (default: this one)", "対象の月（省略時は今月）"},
	{"compliance", NULL, 'Y', FOR_REPORT, "the rules R01 to R34 with the evidence for each",
	 "規程の要求R01～R34とその根拠"},
	{"since", "TIME", 'S', FOR_LOG_RECORDS | FOR_INCIDENT_LIST,
	 "from then on: 2026-11-01, 2026-11-01T08:30 (local time), today, yesterday, -7d, -12h",
	 "この時刻から（2026-11-01、2026-11-01T08:30、today、yesterday、-7d、-12h。現地時刻）"},
	{"until", "TIME", 'E', FOR_LOG_RECORDS, "up to then, including that day or minute",
	 "この時刻まで（その日・その分を含む）"},
	{"person", "NAME", 'w', FOR_LOG_RECORDS, "who used it: user name, uid or holder",
	 "利用者（ユーザー名、uidまたは貸与先）"},
	{"medium", "NUMBER", 'm', FOR_LOG_RECORDS, "number of the medium", "媒体の管理番号"},
	{"kind", "KIND[,KIND]", 'k', FOR_LOG_RECORDS,
	 "kinds of records, like denied,allowed (may be repeated)",
	 "記録の種類（denied,allowedなど。繰り返し可）"},
	{"verdict", "WORD", 'V', FOR_LOG_RECORDS, "allow or block", "判定（allowまたはblock）"},
	{"reason", "CODE", 'R', FOR_LOG_RECORDS, "reason code, like not-registered",
	 "理由コード（not-registeredなど）"},
	{"log", "PATH", 'L', FOR_LOG | FOR_REPORT | FOR_INCIDENTS,
	 "a log's file or directory (may be repeated; default: this terminal's)",
	 "記録のファイルまたはディレクトリー（繰り返し可。省略時はこの端末の記録）"},
	{"format", "FORMAT", 'F', FOR_LOG_RECORDS | FOR_SHEETS,
	 "table, json, csv or cef (default: table; export: csv); of reports text, html or csv",
	 "table、json、csv、cef（省略時はtable、exportではcsv）。報告ではtext、html、csv"},
	{"output", "FILE", 'O', FOR_LOG_EXPORT | FOR_SHEETS,
	 "write to a new FILE that only you can read", "本人だけが読める新しいファイルに書く"},
	{"anchors", "FILE", 'N', FOR_LOG_VERIFY,
	 "records that were seen elsewhere: JSON lines with seq and hash (- is standard input)",
	 "別の場所で控えた記録（seqとhashを持つJSONの行。-は標準入力）"},
	{"terminal-key", "KEY", 'K', FOR_LOG_VERIFY,
	 "the terminal's public key: a file, or 64 hexadecimal digits",
	 "端末の公開鍵（ファイル、または16進数64桁）"},
	{"root", "DIR", 'r', FOR_STATUS | FOR_LOG | FOR_REPORT | FOR_INCIDENTS,
	 "what is read of this machine lies below DIR (for trying out)",
	 "この端末のファイルの代わりにDIR以下を読む（試験用）"},
	{"help", NULL, 'h', 0, "this help", "この説明"},
	{"version", NULL, 'v', 0, "print the version", "バージョンを表示する"},
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
		return "is given too often";
	repeated->values[repeated->n++] = value;
	return NULL;
}

const char *command_option_apply(const struct command_option *option, const char *value,
				 struct context *context, struct command_options *options)
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
		options->count = parse_count(value);
		return options->count ? NULL : "takes a number from 1";
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
	case 'M':
		options->month = value;
		break;
	case 'Y':
		options->compliance = true;
		break;
	case 'S':
		options->since = value;
		break;
	case 'L':
		return repeat(&options->logs, value);
	case 'F':
		options->format = value;
		break;
	case 'O':
		options->output = value;
		break;
	case 'r':
		context->root = value;
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
		return strcmp(value, "allow") && strcmp(value, "block") ? "takes allow or block" : NULL;
	case 'R':
		options->reason = value;
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

#define HELP_WIDTH 24

static void print_option(const struct context *context, const struct command_option *option)
{
	char text[64];

	snprintf(text, sizeof(text), "--%s%s%s", option->name, option->argument ? "=" : "",
		 option->argument ? option->argument : "");
	printf("  %s", text);
	output_pad(text, HELP_WIDTH);
	puts(context->japanese ? option->ja : option->en);
}

static void print_command(const struct command *command, const char *what)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%s%s", command->name, *command->usage ? " " : "",
		 command->usage);
	printf("  %s", text);
	output_pad(text, HELP_WIDTH);
	puts(what);
}

void command_print_help(const struct context *context)
{
	static const struct command help = {.name = "help", .usage = "COMMAND"};
	bool ja = context->japanese;

	printf("%s sekimorictl [%s] %s\n\n%s\n",
	       ja ? "使い方:" : "Usage:", ja ? "オプション" : "OPTIONS",
	       ja ? "コマンド" : "COMMAND", ja ? "コマンド" : "Commands");
	for (size_t i = 0; i < n_commands; i++)
		print_command(&commands[i], ja ? commands[i].ja : commands[i].en);
	print_command(&help, ja ? "コマンドの説明" : "more on a command");
	printf("\n%s\n", ja ? "オプション" : "Options");
	for (size_t i = 0; i < n_command_options; i++)
		print_option(context, &command_options[i]);
	printf("\n%s\n", ja ? "終了コード: 0 正常、1 拒否・失敗・関門の問題、2 使い方の誤り"
			    : "Exit status: 0 ok; 1 refused, failed or something is wrong with the "
			      "barrier; 2 usage");
}

void command_print_help_of(const struct context *context, const struct command *command)
{
	printf("%s sekimorictl %s%s%s", context->japanese ? "使い方:" : "Usage:", command->name,
	       *command->usage ? " " : "", command->usage);
	for (size_t i = 0; i < n_command_options; i++)
		if (command_options[i].takers & command->bit)
			printf(" [--%s%s%s]", command_options[i].name,
			       command_options[i].argument ? "=" : "",
			       command_options[i].argument ? command_options[i].argument : "");
	printf("\n\n%s\n\n", context->japanese ? command->ja : command->en);
	for (size_t i = 0; i < n_command_options; i++)
		if (command_options[i].takers & command->bit)
			print_option(context, &command_options[i]);
}

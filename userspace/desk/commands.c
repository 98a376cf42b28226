// SPDX-License-Identifier: GPL-2.0-or-later
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "core/macro.h"
#include "desk/command.h"
#include "desk/commands.h"

#define T(option) COMMAND_TAKES(OPTION_##option)

const struct command commands[] = {
	{"init", init_run, "", 0, 0,
	 T(ORGANISATION) | T(RETURN_TO) | T(POLICY_SIGNER) | T(QUICK_KDF),
	 "make a desk: keys, the organisation's secret, an empty register",
	 "窓口を作る: 鍵、組織の秘密、空の台帳"},
};
const size_t n_commands = ARRAY_SIZE(commands);

#define ROW(id, name, argument, repeated, common, en, ja)                                          \
	[OPTION_##id] = {OPTION_##id, name, argument, repeated, common, en, ja}

const struct command_option_row command_option_rows[OPTION_COUNT] = {
	ROW(DESK, "desk", "DIR", false, true,
	    "the desk's directory (default: $SEKIMORI_DESK, else /var/lib/sekimori-desk)",
	    "窓口のディレクトリ（省略時 $SEKIMORI_DESK、なければ /var/lib/sekimori-desk）"),
	ROW(BY, "by", "NAME", false, true, "who acts (default: your login name)",
	    "操作する人（省略時はログイン名）"),
	ROW(WHY, "why", "TEXT", false, true, "the reason, kept with the event",
	    "理由（記録に残る）"),
	ROW(YES, "yes", NULL, false, true, "do not ask before something is destroyed",
	    "消す前の確認をしない"),
	ROW(JSON, "json", NULL, false, true, "print JSON", "JSONで出力する"),
	ROW(PASSPHRASE_FILE, "passphrase-file", "FILE", false, true,
	    "passphrases for scripts: a line for each question, the last one for all that "
	    "follow; - is standard input",
	    "スクリプト用のパスフレーズ。問いごとに1行、最後の行は以後すべてに使う（-は標準入力）"),
	ROW(LANG, "lang", "ja|en", false, true, "language (default: from the environment)",
	    "言語（省略時は環境変数による）"),
	ROW(NO_COLOR, "no-color", NULL, false, true,
	    "no colours (as does NO_COLOR in the environment)",
	    "色を付けない（環境変数NO_COLORと同じ）"),
	ROW(HELP, "help", NULL, false, true, "this help", "この説明"),
	ROW(VERSION, "version", NULL, false, true, "print the version",
	    "プログラムの版を表示する"),
	ROW(ORGANISATION, "organisation", "NAME", false, false, "name of the organisation, for labels",
	    "組織の名称（ラベル用）"),
	ROW(RETURN_TO, "return-to", "TEXT", false, false,
	    "where a found medium is to be brought, for labels",
	    "拾得時の届け先（ラベル用）"),
	ROW(POLICY_SIGNER, "policy-signer", "NAME", true, false,
	    "somebody who signs policies (may be repeated)", "ポリシーの署名者（繰り返し可）"),
	ROW(QUICK_KDF, "quick-kdf", NULL, false, false,
	    "protect keys weakly but quickly against guessing: for trying out only",
	    "鍵の保護を弱く速くする（試用のみ）"),
	ROW(HOLDER, "holder", "WHO", false, false, "the person who has it", "所持者"),
	ROW(USER, "user", "LOGIN,…", false, false,
	    "logins and @groups that terminals let use it (default: all)",
	    "端末で使えるログイン名・@グループ（省略時は全員）"),
	ROW(PLACE, "place", "TEXT", false, false, "where it is kept or used", "保管・使用場所"),
	ROW(TERMINALS, "terminals", "NAME,…", false, false,
	    "terminals that let it in, PREFIX* too (default: all)",
	    "使える端末。「接頭辞*」も可（省略時はすべて）"),
	ROW(UNTIL, "until", "DATE", false, false, "last day (default: the next 31 March)",
	    "最後の日（省略時は次の3月31日）"),
	ROW(FROM, "from", "DATE", false, false, "first day", "最初の日"),
	ROW(CLASS, "class", "I|II|III", false, false, "class of the data on it", "情報の分類"),
	ROW(ACCESS, "access", "ro|rw", false, false, "read only, or reading and writing",
	    "読取専用(ro)か読み書き(rw)か"),
	ROW(CONTENT, "content", "TEXT", false, false, "what is kept on it", "収める情報の名称"),
	ROW(NOTE, "note", "TEXT", false, false, "anything else", "備考"),
	ROW(STATUS, "status", "STATUS", true, false,
	    "only these: active, lent, lost, revoked, disposed (may be repeated)",
	    "この状態だけ: active lent lost revoked disposed（繰り返し可）"),
	ROW(OVERDUE, "overdue", NULL, false, false, "only loans whose last day is over",
	    "返却期限を過ぎたものだけ"),
	ROW(CSV, "csv", NULL, false, false, "print CSV for spreadsheets", "表計算用のCSVで出力する"),
	ROW(OPEN, "open", NULL, false, false, "begin a stock-taking", "棚卸しを始める"),
	ROW(CLOSE, "close", NULL, false, false, "end it, with a report of what was not seen",
	    "棚卸しを終え、未確認のものを報告する"),
	ROW(LOG, "log", "FILE", true, false,
	    "event log of a terminal: what it let in was seen there (may be repeated)",
	    "端末の記録。許可された媒体はそこで確認されたとみなす（繰り返し可）"),
	ROW(BASE, "base", "FILE", false, false, "policy without the register's media",
	    "媒体を除いた元のポリシー"),
	ROW(OUT, "out", "FILE", false, false, "where to write it", "出力先"),
	ROW(POLICY_VERSION, "policy-version", "N|next", false, false,
	    "version of the policy (default: next, one more than was ever written here)",
	    "ポリシーの版（省略時next: これまでに出した版の次）"),
	ROW(SIGN, "sign", "KEY", true, false,
	    "sign with this key of the desk: see `keys` (may be repeated)",
	    "窓口のこの鍵で署名する。keysで一覧（繰り返し可）"),
	ROW(COMMENT, "comment", "TEXT", false, false, "what the signature says beside",
	    "署名に添える文"),
	ROW(FORMAT, "format", "html|svg", false, false, "a page of labels, or one label alone",
	    "ラベル用紙のページ(html)か、1枚の図(svg)か"),
};

const struct command *command_find(int n, char *const *words, int *used)
{
	for (size_t i = 0; i < n_commands; i++) {
		const char *name = commands[i].name, *blank = strchr(name, ' ');

		if (!blank && n >= 1 && !strcmp(words[0], name)) {
			*used = 1;
			return &commands[i];
		}
		if (blank && n >= 2 && strlen(words[0]) == (size_t)(blank - name) &&
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

#define HELP_WIDTH 30

static void print_row(const char *name, const char *joint, const char *argument, const char *what)
{
	_cleanup_(freep) char *text =
		output_format("%s%s%s", name, *argument ? joint : "", argument);

	printf("  %s", text);
	output_pad(text, HELP_WIDTH);
	printf("%s%s\n", strlen(text) >= HELP_WIDTH ? "  " : "", what);
}

static void print_option(const struct context *context, const struct command_option_row *row)
{
	_cleanup_(freep) char *name = output_format("--%s", row->name);

	print_row(name, "=", row->argument ? row->argument : "",
		  context->japanese ? row->ja : row->en);
}

static void print_common(const struct context *context)
{
	printf("\n%s\n", context->japanese ? "共通のオプション" : "Options of all commands");
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (command_option_rows[i].common)
			print_option(context, &command_option_rows[i]);
}

void command_print_help(const struct context *context)
{
	bool ja = context->japanese;

	printf("%s sekimori-desk [%s] %s\n\n%s\n", ja ? "使い方:" : "Usage:",
	       ja ? "オプション" : "OPTIONS", ja ? "コマンド" : "COMMAND",
	       ja ? "コマンド" : "Commands");
	for (size_t i = 0; i < n_commands; i++)
		print_row(commands[i].name, " ", commands[i].usage,
			  ja ? commands[i].ja : commands[i].en);
	print_row("help", " ", "COMMAND", ja ? "コマンドの説明" : "more on a command");
	print_common(context);
	printf("\n%s\n", ja ? "終了コード: 0 正常、1 拒否または失敗、2 使い方の誤り"
			    : "Exit status: 0 ok; 1 refused or failed; 2 usage");
}

void command_print_help_of(const struct context *context, const struct command *command)
{
	printf("%s sekimori-desk %s%s%s", context->japanese ? "使い方:" : "Usage:", command->name,
	       *command->usage ? " " : "", command->usage);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct command_option_row *row = &command_option_rows[i];

		if (command->takes & COMMAND_TAKES(i))
			printf(" [--%s%s%s]%s", row->name, row->argument ? "=" : "",
			       row->argument ? row->argument : "", row->repeated ? "…" : "");
	}
	printf("\n\n%s\n\n", context->japanese ? command->ja : command->en);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (command->takes & COMMAND_TAKES(i))
			print_option(context, &command_option_rows[i]);
	print_common(context);
}

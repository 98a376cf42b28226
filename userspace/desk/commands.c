// SPDX-License-Identifier: GPL-2.0-or-later
#include <limits.h>
#include <stdio.h>
#include <string.h>

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
	 "make a desk: keys, the organisation's secret, an empty register",
	 "窓口を作る: 鍵、組織の秘密、空の台帳"},
	{"issue", issue_run, "DEVICE", 1, 1,
	 FOR_DEVICE | FOR_MEDIUM | T(NUMBER) | T(FILESYSTEM) | T(GENERATE) | T(RECOVERY) |
		 T(ORGANISATION_KEY) | T(KDF_MEMORY) | T(KDF_PASSES) | T(KDF_THREADS) | T(DISCARD) |
		 T(OVERWRITE),
	 "make an encrypted medium of DEVICE, with the desk's mark, and enter it; destroys what is "
	 "on it",
	 "媒体を発行する: 暗号化し、発行印を書き込み、台帳に登録する（元の内容は消える）"},
	{"enrol", enrol_run, "DEVICE", 1, 1,
	 FOR_DEVICE | FOR_MEDIUM | T(NUMBER) | T(METHOD) | T(MARK),
	 "enter a medium that is encrypted already, or encrypts by itself; nothing on it is "
	 "destroyed",
	 "すでに暗号化された媒体・自己暗号化媒体を台帳に登録する（内容は消えない）"},
	{"wipe", wipe_run, "DEVICE", 1, 1,
	 FOR_DEVICE | T(NUMBER) | T(DISCARD) | T(OVERWRITE) | T(CERTIFICATE) | T(WITNESS),
	 "make DEVICE unreadable for ever, prove it, and write the certificate",
	 "媒体を復元不能に消去し、確認し、消去証明書を出す"},
	{"inspect", inspect_run, "DEVICE", 1, 1, T(ID) | T(SERIAL) | T(PRODUCT),
	 "what is on DEVICE: encryption, mark, entry in the register",
	 "媒体の内容・発行印・台帳の記載を調べる"},
	{"recovery", recovery_run, "NUMBER", 1, 1, 0,
	 "print the recovery passphrase of a medium; that it was is entered, with the reason",
	 "媒体の回復用パスフレーズを表示する（理由とともに記録される）"},
	{"list", list_run, "", 0, 0, FILTER_OPTIONS | T(CSV), "the register, or some of it",
	 "台帳の一覧"},
	{"show", show_run, "NUMBER", 1, 1, 0, "all that is known of a medium",
	 "媒体の記載をすべて示す"},
	{"history", history_run, "NUMBER", 1, 1, 0, "what happened to it: when, by whom, why",
	 "媒体の履歴: いつ、誰が、なぜ"},
	{"lend", lend_run, "NUMBER…", 1, INT_MAX,
	 T(HOLDER) | T(USER) | T(PLACE) | T(TERMINALS) | T(UNTIL),
	 "give it to somebody until the end of the fiscal year, or --until",
	 "貸し出す（年度末まで、または--untilまで）"},
	{"return", return_run, "NUMBER…", 1, INT_MAX, T(PLACE), "it is back", "返却を受ける"},
	{"lost", lost_run, "NUMBER…", 1, INT_MAX, 0,
	 "it is lost: the next policy shuts it out everywhere",
	 "紛失: 次のポリシーからすべての端末で拒否する"},
	{"found", found_run, "NUMBER…", 1, INT_MAX, T(PLACE), "a lost one is back at the desk",
	 "紛失したものが見つかり、窓口に戻った"},
	{"revoke", revoke_run, "NUMBER…", 1, INT_MAX, 0,
	 "it must not be used any more: the next policy shuts it out everywhere",
	 "失効: 次のポリシーからすべての端末で拒否する"},
	{"dispose", dispose_run, "NUMBER…", 1, INT_MAX, T(PLACE),
	 "it is destroyed or given away, wiped before or with --why",
	 "廃棄する（消去済みのもの。そうでなければ--why）"},
	{"change", change_run, "NUMBER…", 1, INT_MAX,
	 T(CLASS) | T(CONTENT) | T(ACCESS) | T(HOLDER) | T(USER) | T(PLACE) | T(TERMINALS) |
		 T(FROM) | T(UNTIL) | T(NOTE),
	 "correct an entry, or give it a new term", "記載を改める、有効期限を変える"},
	{"stocktake", stocktake_run, "[seen] [NUMBER…|-]", 0, INT_MAX, T(OPEN) | T(CLOSE) | T(LOG),
	 "what was seen when, and what was not; - reads numbers, as a barcode reader types them",
	 "棚卸し: "
	 "何をいつ確認したか、何が未確認か。-は番号を標準入力（バーコードリーダー）から読む"},
	{"import", import_run, "FILE", 1, 1, 0,
	 "enter the media of a CSV table: all, or none if a line has an error",
	 "CSVの表から登録する（誤りがあれば何も登録しない）"},
	{"export", export_run, "FILE", 1, 1, FILTER_OPTIONS,
	 "write the register as CSV for spreadsheets", "台帳を表計算用のCSVに書き出す"},
	{"label", label_run, "NUMBER…", 1, INT_MAX, T(FORMAT) | T(OUT),
	 "labels for printing: number, class, barcode, where to return it",
	 "ラベルを印刷用に書き出す: 番号・分類・バーコード・届け先"},
	{"policy", policy_run, "", 0, 0,
	 T(BASE) | T(OUT) | T(POLICY_VERSION) | T(SIGN) | T(COMMENT),
	 "write the policy for the terminals: --base and the register's media, checked and signed",
	 "端末用のポリシーを作る: --baseと台帳の媒体を合わせ、検査し、署名する"},
	{"policy sign", policy_sign_run, "FILE", 1, 1, T(SIGN) | T(COMMENT),
	 "add a signature to a policy that is there", "できているポリシーに署名を加える"},
	{"backup", backup_run, "FILE", 1, 1, 0, "the whole desk in one file under a passphrase",
	 "窓口全体の控えを、パスフレーズ付きの一つのファイルに取る"},
	{"restore", restore_run, "FILE", 1, 1, 0,
	 "make a desk out of a backup; never over one that is there",
	 "控えから窓口を復元する（既存のものには上書きしない）"},
	{"keys", keys_run, "", 0, 0, 0, "keys of this desk, and whose they are",
	 "窓口の鍵と持ち主の一覧"},
	{"organisation-key export", organisation_key_export_run, "FILE", 1, 1, 0,
	 "write the organisation's secret in the clear, for the terminals",
	 "組織の秘密を平文で書き出す（端末用）"},
	{"log keygen", log_keygen_run, "", 0, 0, T(QUICK_KDF),
	 "make the key to which terminals seal their event log",
	 "端末が記録を封じるための鍵を作る"},
	{"log verify", log_verify_run, "FILE|DIR…", 1, INT_MAX,
	 T(TERMINAL_KEY) | T(EXPECT_SEQ) | T(ANCHORS) | T(NO_KEY),
	 "was a terminal's event log altered, cut or written anew?",
	 "端末の記録が改ざん・切断・書き直しされていないか検証する"},
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
	ROW(VERSION, "version", NULL, false, true, "print the version", "プログラムの版を表示する"),
	ROW(ORGANISATION, "organisation", "NAME", false, false,
	    "name of the organisation, for labels", "組織の名称（ラベル用）"),
	ROW(RETURN_TO, "return-to", "TEXT", false, false,
	    "where a found medium is to be brought, for labels", "拾得時の届け先（ラベル用）"),
	ROW(POLICY_SIGNER, "policy-signer", "NAME", true, false,
	    "somebody who signs policies (may be repeated)", "ポリシーの署名者（繰り返し可）"),
	ROW(REQUIRE, "require", "N", false, false, "how many of them must sign (default: 1)",
	    "必要な署名の数（省略時1）"),
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
	ROW(CSV, "csv", NULL, false, false, "print CSV for spreadsheets",
	    "表計算用のCSVで出力する"),
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
	ROW(NUMBER, "number", "NUMBER", false, false,
	    "number of the medium, or a pattern like R8-### for the next free one (default: "
	    "M-####)",
	    "媒体の番号。R8-###のような形なら次の空き番号（省略時 M-####）"),
	ROW(ID, "id", "VVVV:PPPP", false, false, "USB vendor and product, for what is not on USB",
	    "USBのベンダーIDと製品ID（USB機器でないとき）"),
	ROW(SERIAL, "serial", "TEXT", false, false, "serial number, for what is not on USB",
	    "製造番号（USB機器でないとき）"),
	ROW(PRODUCT, "product", "TEXT", false, false, "maker and model, for what is not on USB",
	    "メーカーと品名（USB機器でないとき）"),
	ROW(FORCE_FIXED, "force-fixed", NULL, false, false, "DEVICE may be a disk that is built in",
	    "取り外せないディスクでもよい"),
	ROW(FILESYSTEM, "filesystem", "exfat|ext4", false, false,
	    "what is made inside (default: exfat)", "中に作るファイルシステム（省略時 exfat）"),
	ROW(GENERATE, "generate", NULL, false, false,
	    "make up the holder's passphrase, and show it once",
	    "所持者のパスフレーズを生成し、一度だけ表示する"),
	ROW(RECOVERY, "recovery", "keep|print|none", false, false,
	    "recovery passphrase: kept in the register, sealed to the media key (default); printed "
	    "too; none",
	    "回復用パスフレーズ: 媒体鍵で封じて台帳に保管（省略時）、さらに表示、作らない"),
	ROW(ORGANISATION_KEY, "organisation-key", NULL, false, false,
	    "the organisation's terminals can open it by themselves",
	    "組織の端末では自動で開けるようにする"),
	ROW(KDF_MEMORY, "kdf-memory", "MIB", false, false,
	    "memory of argon2id, 32 to 1024 (default: 256)",
	    "argon2idのメモリー量（MiB、32～1024、省略時256）"),
	ROW(KDF_PASSES, "kdf-passes", "N", false, false, "passes of argon2id, 4 to 64 (default: 4)",
	    "argon2idの反復回数（4～64、省略時4）"),
	ROW(KDF_THREADS, "kdf-threads", "N", false, false,
	    "threads of argon2id, 1 to 4 (default: 4)", "argon2idの並列数（1～4、省略時4）"),
	ROW(DISCARD, "discard", NULL, false, false, "tell the device that all its blocks are free",
	    "全ブロックの破棄を機器に指示する"),
	ROW(OVERWRITE, "overwrite", NULL, false, false, "overwrite everything, which takes long",
	    "全体を上書きする（時間がかかる）"),
	ROW(METHOD, "method", "METHOD", false, false,
	    "luks2, luks1, bitlocker: what must be found; hardware: the device encrypts by itself",
	    "luks2・luks1・bitlocker（見つかるべきもの）、hardware（機器自身が暗号化する）"),
	ROW(MARK, "mark", NULL, false, false, "write the desk's mark (LUKS2 only)",
	    "発行印を書き込む（LUKS2のみ）"),
	ROW(CERTIFICATE, "certificate", "FILE", false, false,
	    "where to write the certificate (default: print it)",
	    "消去証明書の出力先（省略時は表示）"),
	ROW(WITNESS, "witness", "NAME", false, false, "who was present", "立会者"),
	ROW(TERMINAL_KEY, "terminal-key", "FILE|HEX", false, false,
	    "the terminal's public key, kept since it was set up (default: what the log states)",
	    "設置時に控えた端末の公開鍵（省略時は記録自身が示すもの）"),
	ROW(EXPECT_SEQ, "expect-seq", "N", false, false,
	    "the log must reach at least this record", "記録がこの番号まであるはず"),
	ROW(ANCHORS, "anchors", "FILE", false, false,
	    "records that were seen elsewhere: JSON lines with seq and hash",
	    "他で見た記録。seqとhashを持つJSONの行"),
	ROW(NO_KEY, "no-key", NULL, false, false,
	    "without the desk's key: hashes and signatures only",
	    "窓口の鍵を使わず、ハッシュと署名だけを検証する"),
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

	printf("%s sekimori-desk [%s] %s\n\n%s\n",
	       ja ? "使い方:" : "Usage:", ja ? "オプション" : "OPTIONS",
	       ja ? "コマンド" : "COMMAND", ja ? "コマンド" : "Commands");
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

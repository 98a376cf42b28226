// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/macro.h"
#include "ctl/label.h"

#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define PLAIN ""

static const struct {
	const char *en;
	const char *ja;
} labels[] = {
	[LABEL_GATE] = {"Kernel gate", "カーネルの関門"},
	[LABEL_GATE_LOCKED] = {"loaded, locked until reboot", "作動中（再起動まで固定）"},
	[LABEL_GATE_UNLOCKED] = {"loaded, not locked", "作動中（固定なし）"},
	[LABEL_GATE_MISSING] = {"NOT LOADED", "作動していません"},
	[LABEL_SECOND] = {"Second layer (udev)", "第二の関門 (udev)"},
	[LABEL_SECOND_ON] = {"on", "作動中"},
	[LABEL_SECOND_OFF] = {"OFF", "作動していません"},
	[LABEL_SECOND_NO_HOST] = {"on (there is no USB host)", "作動中（USBホストなし）"},
	[LABEL_DAEMON] = {"Keeper (sekimorid)", "関守 (sekimorid)"},
	[LABEL_DAEMON_SILENT] = {"DOES NOT ANSWER", "応答がありません"},
	[LABEL_DAEMON_RUNNING] = {"running, version", "作動中、バージョン"},
	[LABEL_BACKEND] = {"Enforced by", "制御の方式"},
	[LABEL_POLICY] = {"Policy", "ポリシー"},
	[LABEL_LOG] = {"Event log", "記録"},
	[LABEL_TERMINAL] = {"Terminal", "端末"},
	[LABEL_COUNTERS] = {"Kernel gate's counters", "カーネルの関門の計数"},
	[LABEL_PROBLEMS] = {"What is wrong", "問題"},
	[LABEL_ALL_WELL] = {"The barrier stands.", "関門は正常です。"},
	[LABEL_OK] = {"ok", "正常"},
	[LABEL_POLICY_MISSING] = {"missing, nothing is allowed", "なし（何も許可されません）"},
	[LABEL_DO_GATE_SECOND] =
		{"Kernel gate: NOT LOADED - only the second layer (udev) is holding "
		 "devices. Tell the help desk.",
		 "カーネルの関門が作動していません。第二の関門 (udev) だけで機器を止"
		 "めています。ヘルプデスクに連絡してください。"},
	[LABEL_DO_GATE_NOTHING] =
		{"Kernel gate: NOT LOADED, and the second layer (udev) is off too: NOTHING "
		 "IS HOLDING DEVICES. Do not use this terminal; tell the help desk at "
		 "once.",
		 "カーネルの関門も第二の関門 (udev) も作動していません。機器を止める"
		 "ものがありません。この端末を使わず、すぐにヘルプデスクに連絡してく"
		 "ださい。"},
	[LABEL_DO_SECOND] =
		{"Second layer (udev): OFF - the kernel gate holds devices, but nothing "
		 "stands behind it. Tell the help desk. Open:",
		 "第二の関門 (udev) が作動していません。機器はカーネルの関門が止めて"
		 "いますが、控えがありません。ヘルプデスクに連絡してください。開いて"
		 "いるホスト:"},
	[LABEL_DO_DAEMON] = {"The keeper (sekimorid) does not answer: what is held stays held and "
			     "nothing is let through. Tell the help desk.",
			     "関守 (sekimorid) が応答しません。止めた機器は止めたままで、何も通し"
			     "ません。ヘルプデスクに連絡してください。"},
	[LABEL_DO_BACKEND] = {"The kernel gate is loaded, but the keeper does not use it. Tell the "
			      "help desk.",
			      "カーネルの関門は作動中ですが、関守が使っていません。ヘルプデスクに"
			      "連絡してください。"},
	[LABEL_DO_LOG] = {"The event log cannot be kept, so nothing is let through. Tell the "
			  "help desk. Log:",
			  "記録を残せないため、何も通しません。ヘルプデスクに連絡してください"
			  "。記録:"},
	[LABEL_CANNOT_READ] = {"The state of the barrier cannot be read:",
			       "関門の状態を読めません:"},
	[LABEL_NAME] = {"PORT", "ポート"},
	[LABEL_ID] = {"ID", "ID"},
	[LABEL_PRODUCT] = {"PRODUCT", "製品名"},
	[LABEL_STATE] = {"STATE", "状態"},
	[LABEL_MEDIUM] = {"MEDIUM", "媒体番号"},
	[LABEL_REASON] = {"REASON", "理由"},
	[LABEL_NO_DEVICES] = {"No device is held, denied or allowed.",
			      "関門にかかった機器はありません。"},
	[LABEL_NO_DEVICES_AT_ALL] = {"No device is known.", "機器はありません。"},
	[LABEL_WORD_PASSED] = {"passed", "対象外"},
	[LABEL_WORD_HELD] = {"held", "保留"},
	[LABEL_WORD_INSPECTING] = {"inspecting", "検査中"},
	[LABEL_WORD_DENIED] = {"denied", "拒否"},
	[LABEL_WORD_ALLOWED] = {"allowed", "許可"},
	[LABEL_WORD_KEPT] = {"kept", "維持"},
	[LABEL_WORD_REMOVED] = {"removed", "取外し"},
	[LABEL_WORD_REVOKED] = {"REVOKED", "許可取消し"},
	[LABEL_WORD_TAMPERED] = {"TAMPERED", "改ざん検出"},
	[LABEL_WORD_POLICY] = {"new policy", "新ポリシー"},
	[LABEL_WORD_POLICY_REFUSED] = {"BAD POLICY", "ポリシー不備"},
	[LABEL_WORD_ATTEMPT] = {"ATTEMPT", "回避の試み"},
	[LABEL_ATTEMPT_REFUSED] = {"An attempt to get round the barrier was refused.",
				   "関門を避けようとする操作を拒否しました。"},
	[LABEL_DAEMON_GONE] = {"The keeper (sekimorid) has gone; what is held stays held.",
			       "関守 (sekimorid) が停止しました。止めた機器は止めたままです。"},
	[LABEL_DAEMON_BACK] = {"The keeper (sekimorid) is here.",
			       "関守 (sekimorid) が作動しています。"},
	[LABEL_WAITING] = {"The keeper (sekimorid) does not answer; waiting for it.",
			   "関守 (sekimorid) が応答しません。待っています。"},
	[LABEL_BUS_FAILED] = {"Cannot talk to the keeper (sekimorid):",
			      "関守 (sekimorid) と通信できません:"},
	[LABEL_NUMBER] = {"NO", "番号"},
	[LABEL_POLICY_VERSION] = {"Policy in force", "適用中のポリシー"},
	[LABEL_POLICY_UNTIL] = {"Policy valid until", "ポリシーの期限"},
	[LABEL_SIGNED] = {"Policy signed", "ポリシーの署名"},
	[LABEL_YES] = {"yes", "あり"},
	[LABEL_NO] = {"no", "なし"},
	[LABEL_CONTACT] = {"Contact", "連絡先"},
	[LABEL_NOTES] = {"Notes", "お知らせ"},
	[LABEL_DO_POLICY_MISSING] =
		{"There is no policy, so nothing is let through. Tell the help desk.",
		 "ポリシーがないため、何も通しません。ヘルプデスクに連絡してください。"},
	[LABEL_DO_POLICY_REFUSED] = {"The policy file was refused and there is no earlier policy, "
				     "so nothing is let through. Tell the help desk.",
				     "ポリシーファイルが受け入れられず、以前のものもないため、何も"
				     "通しません。ヘルプデスクに連絡してください。"},
	[LABEL_DO_POLICY_PREVIOUS] = {"The policy file was refused; the last accepted policy is in "
				      "force. Tell the help desk.",
				      "ポリシーファイルが受け入れられず、最後に受け入れたポリシーを"
				      "適用しています。ヘルプデスクに連絡してください。"},
	[LABEL_DO_POLICY_EXPIRED] =
		{"The policy has expired, so nothing is let through. Tell the help desk.",
		 "ポリシーの期限が切れているため、何も通しません。ヘルプデスクに連絡してください"
		 "。"},
	[LABEL_DO_POLICY_EARLY] = {"The policy is not valid yet (or the clock is wrong), so "
				   "nothing is let through. Tell the help desk.",
				   "ポリシーがまだ有効ではない（または時計が違う）ため、何も通しま"
				   "せん。ヘルプデスクに連絡してください。"},
	[LABEL_DO_POLICY_UNKNOWN] = {"The keeper says of its policy:", "関守によるポリシーの状態:"},
	[LABEL_DO_POLICY_REJECTED] = {"The policy file as it is now cannot be put in force:",
				      "今のポリシーファイルは適用できません:"},
	[LABEL_DO_POLICY_UNSIGNED] =
		{"The policy is not signed: root of this terminal can change it unnoticed.",
		 "ポリシーに署名がありません。この端末の管理者権限があれば、気付かれずに変更できま"
		 "す。"},
	[LABEL_RELOADED] = {"The policy file is in force. State:",
			    "ポリシーファイルを適用しました。状態:"},
	[LABEL_RELOAD_FAILED] =
		{"The policy file was not put in force; what was in force stays:",
		 "ポリシーファイルは適用されませんでした（それまでのものが有効です）:"},
	[LABEL_CANNOT_READ_FILE] = {"cannot be read:", "読めません:"},
	[LABEL_TOO_LARGE] = {"a policy file may have at most",
			     "ポリシーファイルの大きさの上限を超えています:"},
	[LABEL_ERRORS] = {"errors:", "誤りの数:"},
	[LABEL_NO_ERRORS] = {"no errors", "誤りはありません"},
	[LABEL_WARNINGS] = {"Warnings", "注意"},
	[LABEL_VERSION] = {"Version", "版"},
	[LABEL_VALID] = {"Valid", "有効期間"},
	[LABEL_ALWAYS] = {"without limit", "期限なし"},
	[LABEL_MEDIA] = {"Media", "媒体"},
	[LABEL_RULES] = {"Rules", "規則"},
	[LABEL_ENCRYPTION] = {"Encryption", "暗号化"},
	[LABEL_SIZE] = {"In memory", "メモリ使用量"},
	[LABEL_NEEDS_DEVICE] = {"explain needs --device='LINE' (see sekimorictl rule-for, or "
				"usbguard list-devices)",
				"explainには--device='行' が必要です（sekimorictl "
				"rule-forやusbguard list-devicesで得られます）"},
	[LABEL_BAD_TIME] =
		{"--at takes local time like 2026-04-01 or 2026-04-01T08:30",
		 "--atには2026-04-01または2026-04-01T08:30のような現地時刻を指定してください"},
	[LABEL_BAD_UUID] = {"--luks takes the UUID of a LUKS volume, or none",
			    "--luksにはLUKSボリュームのUUIDかnoneを指定してください"},
	[LABEL_DEVICE] = {"Device", "機器"},
	[LABEL_VERDICT] = {"Verdict", "判定"},
	[LABEL_VERDICT_ALLOW] = {"allow", "許可"},
	[LABEL_VERDICT_BLOCK] = {"block", "禁止"},
	[LABEL_VERDICT_REJECT] = {"reject", "拒否（取外し）"},
	[LABEL_VERDICT_PROVE] = {"prove", "要検査"},
	[LABEL_PROVE_REASON] =
		{"It would be inspected, and allowed only if its encryption is proved.",
		 "検査され、暗号化が確認された場合だけ許可されます。"},
	[LABEL_WHY] = {"Reason", "理由"},
	[LABEL_DECIDED_BY] = {"Decided by", "決めた行"},
	[LABEL_DEFAULT] = {"no line: the default", "該当する行なし（既定）"},
	[LABEL_MEDIUM_NUMBER] = {"Medium", "媒体番号"},
	[LABEL_RECHECK] = {"Judged anew", "再判定"},
	[LABEL_INTERFACES] = {"Interfaces", "機能"},
	[LABEL_NO_SUCH_DEVICE] = {"no such device is plugged in:",
				  "このような機器は接続されていません:"},
	[LABEL_SEVERAL_DEVICES] = {"several devices have this id; name one by its port:",
				   "このIDの機器が複数あります。ポートで指定してください:"},
	[LABEL_BAD_DESCRIPTORS] = {"what the device says of itself is malformed:",
				   "機器の記述情報が正しくありません:"},
	[LABEL_NO_SERIAL] =
		{"warning: the device has no serial number; others of its model cannot be told "
		 "from it",
		 "注意: この機器には製造番号がないため、同じ型の他の機器と区別できません"},
	[LABEL_PROPOSE_MEDIUM] = {"For the register: fill in the NUMBER of its sticker.",
				  "媒体の登録用: NUMBERに管理番号を書いてください。"},
	[LABEL_PROPOSE_UUID] = {"The UUID of its encrypted volume is not known here; `cryptsetup "
				"luksUUID` prints it. Then remove the # in front.",
				"暗号化ボリュームのUUIDが分かりません。cryptsetup "
				"luksUUIDで調べて書き、行頭の#を外してください。"},
	[LABEL_PROPOSE_RULE_STORAGE] =
		{"Or as a rule, for any LUKS2 volume on this device:",
		 "または規則として（この機器上のLUKS2ボリュームなら何でも）:"},
	[LABEL_PROPOSE_RULE] = {"As a rule:", "規則として:"},
	[LABEL_DIFF_HEADER] = {"Header", "ヘッダー"},
	[LABEL_DIFF_MEDIA] = {"Media", "媒体"},
	[LABEL_DIFF_RULES] = {"Rules", "規則"},
	[LABEL_DIFF_SAME] = {"The two policies say the same.", "二つのポリシーの内容は同じです。"},
	[LABEL_NO_TWO_POLICIES] =
		{"fewer than two policies have been accepted here; name what to compare",
		 "受け入れたポリシーが二つありません。比べるものを指定してください"},
	[LABEL_ACCEPTED_AT] = {"ACCEPTED (UTC)", "受入れ日時 (UTC)"},
	[LABEL_SIGNED_BY] = {"SIGNED BY", "署名者"},
	[LABEL_UNSIGNED] = {"(unsigned)", "（署名なし）"},
	[LABEL_HISTORY_UNSAFE] = {"may be written by others than root, so it is not believed",
				  "root以外が書き込めるため信用できません"},
	[LABEL_HISTORY_EMPTY] = {"No policy has been accepted yet.",
				 "受け入れたポリシーはまだありません。"},
	[LABEL_NO_VOLUMES] = {"No medium is open or waits to be opened.",
			      "開いている媒体も、開けるのを待つ媒体もありません。"},
	[LABEL_NO_SUCH_VOLUME] = {"there is no such medium to open or close:",
				  "開閉できる媒体の中にありません:"},
	[LABEL_NOTHING_TO_OPEN] = {"All media are open already.", "媒体はすべて開いています。"},
	[LABEL_PASSPHRASE_FOR] = {"Passphrase for", "パスフレーズを入力してください:"},
	[LABEL_NO_TTY] = {"there is no terminal to ask for the passphrase at; use --passphrase-file",
			  "パスフレーズを尋ねる端末がありません。--passphrase-fileを使ってください"},
	[LABEL_PASSPHRASE_LONG] = {"a passphrase has 1 to 512 bytes",
				   "パスフレーズは1～512バイトです"},
	[LABEL_OPENING] = {"Unlocking…", "開いています…"},
	[LABEL_SCANNING] = {"Scanning for viruses…", "ウイルスを検査しています…"},
	[LABEL_OPENED] = {"is open at", "を開きました:"},
	[LABEL_OPENED_READ_ONLY] = {"is open, for reading only, at", "を読み取り専用で開きました:"},
	[LABEL_OPEN_FAILED] = {"was not opened:", "を開けませんでした:"},
	[LABEL_INFECTED_FILE] = {"infected:", "感染:"},
	[LABEL_CLOSING] = {"Writing out and closing…", "書き込みを終えて閉じています…"},
	[LABEL_CLOSED] = {"is closed.", "を閉じました。"},
	[LABEL_CLOSE_FAILED] = {"was not closed:", "を閉じられませんでした:"},
	[LABEL_HELD_BY] = {"in use by", "使用中:"},
	[LABEL_SAFE] = {"It can be unplugged.", "抜いてかまいません。"},
	[LABEL_NOT_SAFE] = {"Do not unplug it yet.", "まだ抜かないでください。"},
	[LABEL_SECONDS_LEFT] = {"seconds left", "秒お待ちください"},
};

static const struct label_word words[] = {
	{"passed", NULL, LABEL_WORD_PASSED, PLAIN},
	{"held", "DeviceHeld", LABEL_WORD_HELD, YELLOW},
	{"inspecting", NULL, LABEL_WORD_INSPECTING, YELLOW},
	{"denied", "DeviceDenied", LABEL_WORD_DENIED, RED},
	{"allowed", "DeviceAllowed", LABEL_WORD_ALLOWED, GREEN},
	{"kept", NULL, LABEL_WORD_KEPT, YELLOW},
	{"removed", "DeviceRemoved", LABEL_WORD_REMOVED, PLAIN},
	{"attempt", "AttemptRefused", LABEL_WORD_ATTEMPT, RED},
	{"revoked", "DeviceRevoked", LABEL_WORD_REVOKED, RED},
	{"tampering", "DeviceTampered", LABEL_WORD_TAMPERED, RED},
	{"policy", "PolicyChanged", LABEL_WORD_POLICY, GREEN},
	{"policy-refused", "PolicyRefused", LABEL_WORD_POLICY_REFUSED, RED},
};

const char *label_text(enum label label, bool japanese)
{
	return japanese ? labels[label].ja : labels[label].en;
}

const struct label_word *label_word_find(const char *name_or_signal)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].name, name_or_signal) ||
		    (words[i].signal && !strcmp(words[i].signal, name_or_signal)))
			return &words[i];
	return NULL;
}

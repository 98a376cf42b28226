// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
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
};

const char *label_text(enum label label, bool japanese)
{
	return japanese ? labels[label].ja : labels[label].en;
}

bool label_environment_japanese(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return !strncmp(value, "ja", 2);
	}
	return false;
}

const struct label_word *label_word_find(const char *name_or_signal)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].name, name_or_signal) ||
		    (words[i].signal && !strcmp(words[i].signal, name_or_signal)))
			return &words[i];
	return NULL;
}

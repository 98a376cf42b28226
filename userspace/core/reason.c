// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/macro.h"
#include "core/reason.h"

static const struct reason reasons[] = {
	{ "proved", "Registered medium, encryption proved.",
	  "登録済みの媒体で、暗号化を確認しました。" },
	{ "rule-allowed", "Allowed by a rule of the policy.", "ポリシーの規則により許可されています。" },
	{ "rule-blocked", "Blocked by a rule of the policy.", "ポリシーの規則により禁止されています。" },
	{ "rule-rejected", "Rejected by a rule of the policy; unplug it.",
	  "ポリシーの規則により拒否されました。機器を抜いてください。" },
	{ "policy-expired", "The policy of this terminal has expired, so nothing is allowed. Tell the help desk.",
	  "この端末のポリシーは期限が切れているため、何も許可されません。ヘルプデスクに連絡してください。" },
	{ "policy-not-yet-valid",
	  "The policy of this terminal is not valid yet (or the clock is wrong). Tell the help desk.",
	  "この端末のポリシーはまだ有効ではありません（または時計が違います）。ヘルプデスクに連絡してください。" },
	{ "outside-term", "It is not allowed at this date; its term has ended or not begun.",
	  "使用期間外です。" },
	{ "other-terminal", "It is not allowed on this terminal.", "この端末では使用できません。" },
	{ "other-user", "It is not allowed for the user who is logged in here now.",
	  "現在ログインしている利用者には許可されていません。" },
	{ "conditions-not-met", "It is allowed only under conditions that are not met now, such as a time of day.",
	  "時間帯などの許可条件を満たしていません。" },
	{ "bad-descriptors", "What the device says of itself is malformed.",
	  "機器の記述情報が正しくありません。" },
	{ "harmless", "Only keyboard, mouse, hub or smart-card reader functions.",
	  "キーボード、マウス、ハブ、ICカードリーダーの機能だけを持つ機器です。" },
	{ "kept-present", "It was in use before the barrier was put up.",
	  "関門が立つ前から使用中でした。" },
	{ "no-policy", "This terminal has no policy, so nothing is allowed. Tell the help desk.",
	  "この端末にはポリシーがないため、何も許可されません。ヘルプデスクに連絡してください。" },
	{ "not-registered", "This medium is not registered. Use an issued medium or apply for an exception.",
	  "登録されていない媒体です。貸与された媒体を使うか、例外を申請してください。" },
	{ "class-not-allowed", "Devices of this kind are not allowed on this terminal.",
	  "この種類の機器は、この端末では許可されていません。" },
	{ "medium-lost", "This medium has been reported lost. Bring it to the help desk at once.",
	  "紛失届の出ている媒体です。すぐにヘルプデスクへ届けてください。" },
	{ "medium-revoked", "The registration of this medium has been withdrawn.",
	  "この媒体の登録は取り消されています。" },
	{ "medium-disposed", "This medium is recorded as disposed of. Bring it to the help desk.",
	  "廃棄済みと記録されている媒体です。ヘルプデスクへ届けてください。" },
	{ "not-encrypted", "The medium is registered as encrypted, but it is not.",
	  "暗号化媒体として登録されていますが、暗号化されていません。" },
	{ "other-volume", "The encrypted volume on the medium is not the registered one.",
	  "媒体上の暗号化ボリュームが、登録されたものと異なります。" },
	{ "header-damaged", "The encryption header on the medium is damaged or forged.",
	  "媒体の暗号化ヘッダーが壊れているか、偽造されています。" },
	{ "encryption-not-accepted", "The medium is encrypted by a method that is not accepted here.",
	  "この端末で認められていない方式で暗号化されています。" },
	{ "cipher-not-accepted", "The medium is encrypted with a cipher that is not accepted here.",
	  "この端末で認められていない暗号アルゴリズムで暗号化されています。" },
	{ "kdf-not-accepted", "The medium derives its key in a way that is not accepted here. Have it issued anew.",
	  "この端末で認められていない方法で鍵が作られています。媒体の再発行を受けてください。" },
	{ "table-damaged", "The partition table on the medium is damaged or contradicts itself.",
	  "媒体のパーティションテーブルが壊れているか、矛盾しています。" },
	{ "hidden-space", "The medium has space outside the encryption that holds or could hide data.",
	  "暗号化されていない領域にデータがあるか、隠せる状態です。" },
	{ "too-many-volumes", "The device holds more units or volumes than can be proved.",
	  "確認できる数を超えるディスクまたはパーティションがあります。" },
	{ "no-medium", "The reader is empty. It is looked at again when a medium is in it.",
	  "媒体が入っていません。入れると改めて確認します。" },
	{ "multiple-units", "The device has several storage functions; such devices cannot be proved.",
	  "複数の記憶機能を持つ機器のため、確認できません。" },
	{ "mark-missing", "The medium does not bear the help desk's mark. Use an issued medium.",
	  "ヘルプデスクの発行印がない媒体です。貸与された媒体を使ってください。" },
	{ "mark-unsigned", "The mark on the medium is not signed by a key of this organisation.",
	  "媒体の発行印が、この組織の鍵で署名されていません。" },
	{ "mark-forged", "The mark on the medium was altered or forged. Bring it to the help desk.",
	  "媒体の発行印が改変または偽造されています。ヘルプデスクへ届けてください。" },
	{ "mark-other-volume", "The mark on the medium belongs to another volume.",
	  "媒体の発行印は、別のボリュームのものです。" },
	{ "mark-other-device", "The mark on the medium belongs to another device: this is a copy.",
	  "媒体の発行印は別の機器のものです。複製された媒体です。" },
	{ "mark-other-number", "The mark on the medium bears another number than the register.",
	  "媒体の発行印の管理番号が、登録と異なります。" },
	{ "mark-expired", "The mark on the medium is not valid at this date. Bring it to the help desk.",
	  "媒体の発行印の有効期間外です。ヘルプデスクで更新してください。" },
	{ "hardware-locked", "The medium is locked. Unlock it (PIN or keypad); it is looked at again by itself.",
	  "媒体がロックされています。暗証番号などで解除すると、自動的に改めて確認します。" },
	{ "model-unknown", "The medium is said to encrypt in hardware, but its model is not in the policy's catalogue.",
	  "ハードウェア暗号化媒体とされていますが、機種がポリシーの一覧にありません。" },
	{ "model-differs", "The device does not look like the model that its ids name.",
	  "機器の様子が、一覧にある機種と異なります。" },
	{ "two-faces", "The device shows other contents than when it was inspected. Bring it to the help desk at once.",
	  "検査時と異なる内容を示す機器です。すぐにヘルプデスクへ届けてください。" },
	{ "medium-changed", "The medium was changed; it is being checked anew.",
	  "媒体が入れ替えられました。改めて確認します。" },
	{ "not-a-disk", "The device says that it is something else than a disk.",
	  "ディスク以外の機器であると応答しました。" },
	{ "bad-answer", "The device answered in a way that cannot be right.",
	  "機器の応答が正しくありません。" },
	{ "cannot-inspect", "The device cannot be inspected before it is let in.",
	  "接続を許可する前の検査ができない機器です。" },
	{ "inspection-timeout", "The device did not answer in time.",
	  "機器が時間内に応答しませんでした。" },
	{ "inspector-failed", "The inspection failed on this terminal. Tell the help desk.",
	  "この端末で検査に失敗しました。ヘルプデスクに連絡してください。" },
	{ "log-unwritable", "The event log cannot be written, so nothing is let through. Tell the help desk.",
	  "記録を書き込めないため、何も通せません。ヘルプデスクに連絡してください。" },
	{ "gate-failed", "The kernel gate refused to let the device through.",
	  "カーネルの関門が機器を通しませんでした。" },
	{ "read-only-failed", "It is allowed for reading only, and the disk could not be made so.",
	  "読み取り専用でのみ許可されていますが、読み取り専用にできませんでした。" },
	{ "no-driver", "Let through, but no driver took the device.",
	  "通しましたが、対応するドライバーがありません。" },
	{ "sleep", "Held again because the terminal was asleep; it is being checked anew.",
	  "端末が休止したため再び止めました。改めて確認します。" },
};

const struct reason *reason_find(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!strcmp(reasons[i].code, code))
			return &reasons[i];
	return NULL;
}

const char *reason_text(const char *code, bool japanese)
{
	const struct reason *reason = reason_find(code);

	if (!reason)
		return code;
	return japanese ? reason->ja : reason->en;
}

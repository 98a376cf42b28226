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
	{ "no-medium", "The reader is empty.", "媒体が入っていません。" },
	{ "multiple-units", "The device holds more than one disk; such devices cannot be proved.",
	  "複数のディスクを持つ機器のため、確認できません。" },
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
	{ "wrong-passphrase", "The passphrase is wrong.", "パスフレーズが違います。" },
	{ "passphrase-wait", "The passphrase was wrong; wait before trying again.",
	  "パスフレーズが違ったため、しばらく待ってからやり直してください。" },
	{ "no-passphrase", "No usable passphrase was given.", "使えるパスフレーズが渡されませんでした。" },
	{ "no-organisation-key", "This terminal does not have the organisation's key.",
	  "この端末には組織の鍵がありません。" },
	{ "no-filesystem", "The volume is open but holds no file system. Bring it to the help desk.",
	  "ボリュームは開けましたが、ファイルシステムがありません。ヘルプデスクへ届けてください。" },
	{ "filesystem-not-accepted", "The volume holds a file system that is not accepted here.",
	  "ボリュームのファイルシステムは、この端末では使えない種類です。" },
	{ "mount-failed", "The volume's file system cannot be used; it may be damaged.",
	  "ボリュームのファイルシステムを使えません。壊れている可能性があります。" },
	{ "infected", "The virus scanner found something on the medium. Bring it to the help desk.",
	  "媒体からウイルスが見つかりました。ヘルプデスクへ届けてください。" },
	{ "scan-failed", "The medium could not be scanned for viruses, so it is withheld.",
	  "ウイルス検査ができなかったため、使用できません。" },
	{ "gone", "The medium has been unplugged.", "媒体が抜かれました。" },
	{ "open-failed", "The volume could not be opened on this terminal. Tell the help desk.",
	  "この端末でボリュームを開けませんでした。ヘルプデスクに連絡してください。" },
	{ "open-timeout", "The volume did not open in time.", "時間内にボリュームを開けませんでした。" },
	{ "open-already", "The volume is open already.", "ボリュームはすでに開いています。" },
	{ "no-memory", "This terminal has too little free memory to open the volume.",
	  "メモリが足りないため、ボリュームを開けません。" },
	{ "busy", "The medium is in use. Close the files and programs, then try again.",
	  "媒体は使用中です。ファイルやプログラムを閉じてから、やり直してください。" },
	{ "volume-busy", "The volume is being opened or closed; wait for it.",
	  "ボリュームを開いている、または閉じているところです。お待ちください。" },
	{ "interrupted", "It was ended before it was done.", "途中で打ち切られました。" },
	{ "close-failed", "The volume could not be closed; unplug nothing and tell the help desk.",
	  "ボリュームを閉じられませんでした。抜かずに、ヘルプデスクに連絡してください。" },
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

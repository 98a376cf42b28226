// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/certificate.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

/* Of one value that is not ours, escaped. */
#define VALUE_MAX 2048

struct writer {
	char *out;
	size_t at;
	bool full;
	bool japanese;
};

static _printf_(2, 3) void put(struct writer *writer, const char *format, ...)
{
	size_t room = CERTIFICATE_MAX - writer->at;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(writer->out + writer->at, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room)
		writer->full = true;
	else
		writer->at += (size_t)n;
}

#define TITLE_WIDTH 26

/* A line "title: value"; values that are not ours cannot make lines of their own. */
static void put_line(struct writer *writer, const char *en, const char *ja, const char *value)
{
	const char *title = writer->japanese ? ja : en;
	char safe[VALUE_MAX];

	put(writer, "%s:", title);
	for (size_t width = text_width(title) + 1; width < TITLE_WIDTH; width++)
		put(writer, " ");
	put(writer, "%s\n", *value ? text_escape_terminal(safe, sizeof(safe), value) : "-");
}

static void put_method(struct writer *writer, const struct wipe *wipe)
{
	bool ja = writer->japanese;
	char text[256];

	if (wipe->way == WIPE_WAY_KEYS) {
		snprintf(text, sizeof(text),
			 ja ? "暗号鍵の破壊（キースロット%u個とヘッダー領域%lluバイトの上書き）"
			    : "destruction of the keys (%u keyslots, and %llu bytes of header "
			      "overwritten)",
			 wipe->keyslots, (unsigned long long)wipe->header_size);
		put_line(writer, "Method", "消去方法", text);
		put_line(writer, "Encrypted volume", "暗号化ボリューム", wipe->uuid);
	}
	if (wipe->overwrite)
		put_line(writer, "Method", "消去方法",
			 ja ? "全領域の上書き（乱数1回）"
			    : "all of it overwritten (random bytes, once)");
	if (wipe->discard)
		put_line(writer, "Discard", "ブロック破棄",
			 wipe->discarded ? (ja ? "実施" : "done")
					 : (ja ? "機器が対応せず" : "not supported by the device"));
}

/* What the method does not reach must not be claimed. */
static void put_scope(struct writer *writer, const struct certificate *certificate)
{
	bool ja = writer->japanese;

	if (certificate->wipe->overwrite)
		put_line(writer, "Scope", "消去の範囲",
			 ja ? "媒体の全ブロック" : "every block of the medium");
	else if (certificate->overwritten_before)
		put_line(writer, "Scope", "消去の範囲",
			 ja ? "発行後に書き込まれたすべて（発行時に全領域を上書き済み）"
			    : "all that was written since it was issued, when all of it had been "
			      "overwritten");
	else
		put_line(writer, "Scope", "消去の範囲",
			 ja ? "暗号化ボリュームに書き込まれたすべて（暗号化前の内容は含まない）"
			    : "all that was written to the encrypted volume, not what was on it "
			      "before");
}

static void put_proof(struct writer *writer, const struct wipe *wipe)
{
	char digest[2 * WIPE_DIGEST_SIZE + 1], text[256];

	sodium_bin2hex(digest, sizeof(digest), wipe->digest, sizeof(wipe->digest));
	snprintf(text, sizeof(text),
		 writer->japanese ? "%u箇所（各%uバイト）を読み戻して確認"
				  : "%u samples of %u bytes read back",
		 wipe->samples, WIPE_SAMPLE);
	put_line(writer, "Verification", "確認", text);
	put_line(writer, "Digest (BLAKE2b-256)", "確認値(BLAKE2b-256)", digest);
	put_line(writer, "Result", "結果",
		 writer->japanese ? "復元不能に消去し、何も認識されないことを確認"
				  : "unreadable; nothing is recognised on it");
}

static void put_size(struct writer *writer, uint64_t size)
{
	char text[TARGET_SIZE_TEXT_MAX + 32], human[TARGET_SIZE_TEXT_MAX];

	target_say_size(size, human);
	snprintf(text, sizeof(text), "%s (%llu)", human, (unsigned long long)size);
	put_line(writer, "Size", "容量", text);
}

static void put_language(struct writer *writer, const struct certificate *certificate)
{
	char when[CIVIL_TEXT_MAX];

	civil_format(certificate->when, when);
	put(writer, "%s\n\n",
	    writer->japanese ? "消去証明書（様式第3号）" : "Certificate of erasure (form 3)");
	put_line(writer, "Organisation", "組織", certificate->organisation);
	put_line(writer, "Medium number", "媒体番号", certificate->number);
	put_line(writer, "Model", "品名", certificate->product);
	put_line(writer, "USB id", "USB ID", certificate->id);
	put_line(writer, "Serial number", "製造番号", certificate->serial);
	put_size(writer, certificate->size);
	put_line(writer, "Date and time", "実施日時", when);
	put_line(writer, "Carried out by", "実施者", certificate->by);
	put_line(writer, "Witness", "立会者", certificate->witness);
	put_line(writer, "Reason", "理由", certificate->why);
	put_method(writer, certificate->wipe);
	put_scope(writer, certificate);
	put_proof(writer, certificate->wipe);
}

size_t certificate_format(const struct certificate *certificate, char out[static CERTIFICATE_MAX])
{
	struct writer writer = {.out = out, .japanese = true};

	put_language(&writer, certificate);
	put(&writer, "\n");
	writer.japanese = false;
	put_language(&writer, certificate);
	return writer.full ? 0 : writer.at;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/report.h"

#include <string.h>

#include "core/luks2.h"
#include "core/macro.h"
#include "core/utf8.h"

/* Both programs are built together, but a hole in the record would leak the inspector's stack. */
_Static_assert(sizeof(struct report) == offsetof(struct report, pad_end) + 1,
	       "struct report must not have padding of its own");

static const char *const outcome_names[] = {
	[REPORT_LUKS2] = "luks2",         [REPORT_PLAIN] = "plain",
	[REPORT_LUKS_BAD] = "luks-bad",   [REPORT_LUKS_OTHER] = "luks-other",
	[REPORT_NO_MEDIUM] = "no-medium", [REPORT_LUNS] = "luns",
	[REPORT_NOT_DISK] = "not-disk",   [REPORT_BAD_ANSWER] = "bad-answer",
	[REPORT_TRANSPORT] = "transport", [REPORT_TIMEOUT] = "timeout",
	[REPORT_INTERNAL] = "internal",
};

static bool outcome_known(unsigned int outcome)
{
	return outcome < ARRAY_SIZE(outcome_names) && outcome_names[outcome];
}

const char *report_outcome_name(unsigned int outcome)
{
	return outcome_known(outcome) ? outcome_names[outcome] : "unknown";
}

void report_init(struct report *report, enum report_outcome outcome)
{
	memset(report, 0, sizeof(*report));
	report->magic = REPORT_MAGIC;
	report->version = REPORT_VERSION;
	report->outcome = (uint16_t)outcome;
	report->luns = 1;
}

/* Length of the showable character at `s`, or 0 for a control character or broken UTF-8. */
static size_t shown_char_len(const char *s, size_t len, bool ascii)
{
	uint32_t cp;
	size_t n = utf8_decode(s, len, &cp);

	if (n == 0 || (ascii && n > 1))
		return 0;
	/* U+0080 to U+009F: a terminal may obey them as escape sequences (ECMA-48, 5.3). */
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return 0;
	return n;
}

void report_set_text(char *field, size_t size, const char *text, bool ascii)
{
	size_t used = 0;

	memset(field, 0, size);
	while (*text) {
		size_t n = shown_char_len(text, strlen(text), ascii);

		if (used + (n ? n : 1) >= size)
			break;
		if (n) {
			memcpy(field + used, text, n);
			used += n;
			text += n;
		} else {
			field[used++] = '?';
			text++;
		}
	}
}

static bool text_ok(const char *field, size_t size, bool ascii)
{
	size_t len = strnlen(field, size);

	if (len == size)
		return false;
	for (size_t i = 0; i < len;) {
		size_t n = shown_char_len(field + i, len - i, ascii);

		if (n == 0)
			return false;
		i += n;
	}
	/* Nothing may be hidden behind the end. */
	for (size_t i = len; i < size; i++)
		if (field[i])
			return false;
	return true;
}

static bool block_size_ok(uint32_t size)
{
	return size == 512 || size == 1024 || size == 2048 || size == 4096;
}

static bool texts_ok(const struct report *r)
{
	const struct {
		const char *field;
		size_t size;
		bool ascii;
	} texts[] = {
		{r->vendor, sizeof(r->vendor), true},
		{r->product, sizeof(r->product), true},
		{r->revision, sizeof(r->revision), true},
		{r->luks_uuid, sizeof(r->luks_uuid), true},
		{r->luks_label, sizeof(r->luks_label), false},
		{r->luks_cipher, sizeof(r->luks_cipher), true},
		{r->detail, sizeof(r->detail), true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!text_ok(texts[i].field, texts[i].size, texts[i].ascii))
			return false;
	return true;
}

bool report_check(const void *buf, size_t len, struct report *report)
{
	struct report r;

	if (len != sizeof(r))
		return false;
	memcpy(&r, buf, sizeof(r));

	if (r.magic != REPORT_MAGIC || r.version != REPORT_VERSION || !outcome_known(r.outcome))
		return false;
	if (r.luns == 0 || r.write_protected > 1 || r.pad[0] || r.pad[1] || r.pad_end[0])
		return false;
	if (r.block_size ? !block_size_ok(r.block_size) : r.blocks != 0)
		return false;
	if (!texts_ok(&r))
		return false;

	if (r.outcome == REPORT_LUKS2) {
		if (!luks2_uuid_ok(r.luks_uuid) || !r.luks_cipher[0] || r.luks_keyslots == 0)
			return false;
		if (r.blocks == 0 || r.luns != 1)
			return false;
	} else if (r.luks_uuid[0] || r.luks_label[0] || r.luks_cipher[0] || r.luks_keyslots) {
		return false;
	}

	*report = r;
	return true;
}

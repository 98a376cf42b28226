// SPDX-License-Identifier: GPL-2.0-or-later
/* cli/told: what the daemon told in English is known again and said in Japanese. */
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/told.h"
#include "core/macro.h"
#include "core/utf8.h"
#include "testing.h"

static void texts_in_texts_are_known_again(void)
{
	static const struct {
		const char *told;
		const char *said;
	} rows[] = {
		{"", ""},
		{"no driver took it", "対応するドライバーがありません"},
		{"keyslot 3 is incomplete", "キースロット3が不完全です"},
		{"unit 1: partition 2: luks2: keyslot 3 is of type \"x\"",
		 "ユニット1: パーティション2: luks2: キースロット3の種類が「x」です"},
		{"READ: 5 of 512 bytes", "READ: 512バイトのうち5バイト"},
		{"second header: wrong checksum", "2番目のヘッダー: チェックサムが一致しません"},
		{"p:3:1: expected ro or rw\np:4:1: statement given twice: scan\n",
		 "p:3:1: roかrwが必要です\np:4:1: 文が2回書かれています: scan\n"},
		{"/etc/p has 1 of the 2 signatures required of head; a.minisig: made by another key",
		 "/etc/pにはheadの署名が2個必要ですが、1個しかありません; a.minisig: 別の鍵による署名です"},
		{"what no release has ever told", "what no release has ever told"},
		{"unit : ", "unit : "},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(freep) char *said = NULL, *kept = NULL;

		i18n_speak(true);
		said = told_text(rows[i].told);
		EXPECT(!strcmp(said, rows[i].said), said);
		i18n_speak(false);
		kept = told_text(rows[i].told);
		EXPECT(!strcmp(kept, rows[i].told), kept);
	}
}

static void a_devices_words_stay_its_own(void)
{
	_cleanup_(freep) char *text = NULL, *shown = NULL, *format = NULL;

	i18n_speak(true);
	text = told_text("segment %s%n is of type \"%1$s %d\"");
	CU_ASSERT_STRING_EQUAL(text, "セグメント%s%nの種類が「%1$s %d」です");
	shown = told_shown("keyslot \x1b[2J is incomplete");
	CU_ASSERT_PTR_NULL(strchr(shown, '\x1b'));
	format = told_text("keyslot is incomplete is incomplete");
	CU_ASSERT_STRING_EQUAL(format, "キースロットis incompleteが不完全です");
}

/* A text made to match slowly is as good as any other. */
static void hostile_lengths_are_taken_as_they_are(void)
{
	static char text[4096];

	i18n_speak(true);
	for (size_t len = 1; len < sizeof(text); len += 97) {
		_cleanup_(freep) char *said = NULL;

		memset(text, ':', len);
		for (size_t i = 1; i < len; i += 2)
			text[i] = ' ';
		text[len] = '\0';
		said = told_text(text);
		CU_ASSERT_STRING_EQUAL(said, text);
	}
}

static void a_message_that_is_cut_ends_before_a_character(void)
{
	static const struct {
		const char *cut;
		const char *trimmed;
	} rows[] = {
		{"", ""},
		{"abc", "abc"},
		{"語", "語"},
		{"a\xe8\xaa", "a"},
		{"a\xe8", "a"},
		{"語\xf0\x9f\x98", "語"},
		{"\xc3", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[16];

		strcpy(text, rows[i].cut);
		utf8_trim(text);
		EXPECT(!strcmp(text, rows[i].trimmed), rows[i].trimmed);
	}
}

int main(void)
{
	static const struct test tests[] = {
		TEST(texts_in_texts_are_known_again),
		TEST(a_devices_words_stay_its_own),
		TEST(hostile_lengths_are_taken_as_they_are),
		TEST(a_message_that_is_cut_ends_before_a_character),
	};

	i18n_init();
	return testing_run("told", tests, ARRAY_SIZE(tests));
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "core/minisign.h"
#include "minisig.h"
#include "testing.h"

static int check(const char *public_key, const char *signature_text, size_t len,
		 const char *message, size_t message_len, struct minisign_signature *signature)
{
	struct minisign_message m;
	struct minisign_key key;
	int r = minisign_key_parse(public_key, strlen(public_key), &key);

	if (!r)
		r = minisign_signature_parse(signature_text, len, signature);
	if (r)
		return r;
	minisign_message_init(&m, message, message_len);
	return minisign_verify(&key, signature, &m);
}

static int check_stock(const char *signature_text, size_t len)
{
	struct minisign_signature signature;

	return check(STOCK_SUZUKI, signature_text, len, STOCK_MESSAGE, strlen(STOCK_MESSAGE),
		     &signature);
}

static void signatures_of_the_stock_tool_verify(void)
{
	static const struct {
		const char *key, *signature, *comment;
		bool prehashed;
	} rows[] = {
		{STOCK_SUZUKI, STOCK_PREHASHED, STOCK_COMMENT, true},
		{STOCK_SUZUKI, STOCK_LEGACY, "timestamp:1795250783\tfile:policy", false},
		{STOCK_SATO, STOCK_BY_SATO, "timestamp:1795250783\tfile:policy\thashed", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct minisign_signature signature;

		EXPECT(check(rows[i].key, rows[i].signature, strlen(rows[i].signature),
			     STOCK_MESSAGE, strlen(STOCK_MESSAGE), &signature) == 0,
		       rows[i].signature);
		EXPECT(!strcmp(signature.comment, rows[i].comment), rows[i].comment);
		EXPECT(signature.prehashed == rows[i].prehashed, rows[i].signature);
	}
}

static void key_ids_print_as_the_stock_tool_prints_them(void)
{
	struct minisign_key key;
	char id[MINISIGN_ID_TEXT_MAX];

	CU_ASSERT_EQUAL(minisign_key_parse(STOCK_SUZUKI, strlen(STOCK_SUZUKI), &key), 0);
	minisign_id_format(key.id, id);
	CU_ASSERT_STRING_EQUAL(id, STOCK_SUZUKI_ID);
}

static void line_ends_of_windows_and_a_missing_last_one_are_accepted(void)
{
	char crlf[2 * sizeof(STOCK_PREHASHED)];
	size_t n = 0;

	for (const char *p = STOCK_PREHASHED; *p; p++) {
		if (*p == '\n')
			crlf[n++] = '\r';
		crlf[n++] = *p;
	}
	CU_ASSERT_EQUAL(check_stock(crlf, n), 0);
	CU_ASSERT_EQUAL(check_stock(STOCK_PREHASHED, strlen(STOCK_PREHASHED) - 1), 0);
}

/* The text of the first line is protected by nothing; all other bytes are. */
static void any_flipped_bit_of_a_signature_file_is_refused(void)
{
	static const char *const files[] = {STOCK_PREHASHED, STOCK_LEGACY};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t len = strlen(files[i]), first = strlen("untrusted comment: ");
		size_t first_end = strcspn(files[i], "\n");
		char *copy = malloc(len); /* its very size, so that a byte too far is seen */

		for (size_t bit = 0; bit < 8 * len; bit++) {
			int r;

			memcpy(copy, files[i], len);
			copy[bit / 8] ^= (char)(1 << bit % 8);
			r = check_stock(copy, len);
			if (bit / 8 >= first && bit / 8 < first_end)
				EXPECT(r == 0 || r == MINISIGN_E_FORM, files[i]);
			else
				EXPECT(r > 0, files[i] + bit / 8);
		}
		free(copy);
	}
}

static void any_flipped_bit_of_the_message_is_refused(void)
{
	static const char *const files[] = {STOCK_PREHASHED, STOCK_LEGACY};
	struct minisign_signature signature;
	char copy[] = STOCK_MESSAGE "\n";
	size_t len = sizeof(copy) - 2;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		for (size_t bit = 0; bit < 8 * len; bit++) {
			copy[bit / 8] ^= (char)(1 << bit % 8);
			EXPECT(check(STOCK_SUZUKI, files[i], strlen(files[i]), copy, len,
				     &signature) == MINISIGN_E_SIGNATURE,
			       files[i]);
			copy[bit / 8] ^= (char)(1 << bit % 8);
		}
		EXPECT(check(STOCK_SUZUKI, files[i], strlen(files[i]), copy, len - 1, &signature) ==
			       MINISIGN_E_SIGNATURE,
		       "shorter");
		EXPECT(check(STOCK_SUZUKI, files[i], strlen(files[i]), copy, len + 1, &signature) ==
			       MINISIGN_E_SIGNATURE,
		       "longer");
		EXPECT(check(STOCK_SUZUKI, files[i], strlen(files[i]), "", 0, &signature) ==
			       MINISIGN_E_SIGNATURE,
		       "empty");
	}
}

static void a_cut_signature_file_is_refused(void)
{
	for (size_t len = 0; len + 1 < strlen(STOCK_PREHASHED); len++) {
		char *copy = malloc(len + !len);

		memcpy(copy, STOCK_PREHASHED, len);
		EXPECT(check_stock(copy, len) > 0, STOCK_PREHASHED + len);
		free(copy);
	}
}

static void what_is_wrong_with_a_file_is_named(void)
{
#define UNTRUSTED "untrusted comment: x\n"
#define RECORD                                                                                     \
	"RUSfcF3DAIFQaoqYpAEUYt/F5GUpcxQg0JF0Wc6v2CxLEpjPeF+l6EQOJMJCFz0Vh8JsOcK4ZrYYtM+Zh5Pd5grM" \
	"sH/oAOM68gg=\n"
#define TRUSTED "trusted comment: " STOCK_COMMENT "\n"
#define GLOBAL                                                                                     \
	"4LTM9q31s28ZbEUd9rtZqItyxUxB1im8/TPJbcrDqXVSJwFM06HjkA5wJOct7y2oNAQbfd8maziR+InyPLC+CQ==" \
	"\n"
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{UNTRUSTED RECORD TRUSTED GLOBAL, 0},
		{"untrusted comment: \n" RECORD TRUSTED GLOBAL, 0},
		{"", MINISIGN_E_FORM},
		{"\n\n\n\n", MINISIGN_E_FORM},
		{"comment: x\n" RECORD TRUSTED GLOBAL, MINISIGN_E_FORM},
		{UNTRUSTED RECORD GLOBAL, MINISIGN_E_FORM},
		{UNTRUSTED RECORD "comment: x\n" GLOBAL, MINISIGN_E_FORM},
		{UNTRUSTED RECORD TRUSTED, MINISIGN_E_FORM},
		{UNTRUSTED RECORD TRUSTED GLOBAL "\n", MINISIGN_E_FORM},
		{UNTRUSTED RECORD TRUSTED GLOBAL UNTRUSTED, MINISIGN_E_FORM},
		{UNTRUSTED "\n" TRUSTED GLOBAL, MINISIGN_E_BASE64},
		{UNTRUSTED " " RECORD TRUSTED GLOBAL, MINISIGN_E_BASE64},
		{UNTRUSTED RECORD TRUSTED "\n", MINISIGN_E_BASE64},
		{UNTRUSTED GLOBAL TRUSTED GLOBAL, MINISIGN_E_BASE64},
		{UNTRUSTED RECORD TRUSTED RECORD, MINISIGN_E_BASE64},
		{UNTRUSTED "RUSf\n" TRUSTED GLOBAL, MINISIGN_E_BASE64},
		/* RW → SW: another algorithm in the first byte */
		{UNTRUSTED "SUSfcF3DAIFQaoqYpAEUYt/"
			   "F5GUpcxQg0JF0Wc6v2CxLEpjPeF+l6EQOJMJCFz0Vh8JsOcK4ZrYYtM+Zh5Pd"
			   "5grMsH/oAOM68gg=\n" TRUSTED GLOBAL,
		 MINISIGN_E_ALGORITHM},
		/* "Ed" over what was signed as "ED" */
		{UNTRUSTED "RWSfcF3DAIFQaoqYpAEUYt/"
			   "F5GUpcxQg0JF0Wc6v2CxLEpjPeF+l6EQOJMJCFz0Vh8JsOcK4ZrYYtM+Zh5Pd"
			   "5grMsH/oAOM68gg=\n" TRUSTED GLOBAL,
		 MINISIGN_E_SIGNATURE},
		/* the same bytes in another base64 (bits after the end) */
		{UNTRUSTED "RUSfcF3DAIFQaoqYpAEUYt/"
			   "F5GUpcxQg0JF0Wc6v2CxLEpjPeF+l6EQOJMJCFz0Vh8JsOcK4ZrYYtM+Zh5Pd"
			   "5grMsH/oAOM68gh=\n" TRUSTED GLOBAL,
		 MINISIGN_E_BASE64},
		{UNTRUSTED RECORD "trusted comment: \xe7\xa8\n" GLOBAL, MINISIGN_E_COMMENT},
		{UNTRUSTED RECORD "trusted comment: a\x1b[2J\n" GLOBAL, MINISIGN_E_COMMENT},
		{UNTRUSTED RECORD "trusted comment: \xc2\x85\n" GLOBAL, MINISIGN_E_COMMENT},
		{UNTRUSTED RECORD "trusted comment: \xc0\xaf\n" GLOBAL, MINISIGN_E_COMMENT},
		{UNTRUSTED RECORD "trusted comment: \n" GLOBAL, MINISIGN_E_COMMENT_SIGNATURE},
		{UNTRUSTED RECORD "trusted comment: " STOCK_COMMENT " \n" GLOBAL,
		 MINISIGN_E_COMMENT_SIGNATURE},
		/* comment and comment signature of another signature by the same key */
		{UNTRUSTED RECORD "trusted comment: timestamp:1795250783\tfile:policy\n"
				  "yZbjcmy50KJ9nhSE+QvKg+"
				  "X48q14N1fl0PyTf0CNXaalHrZHvkLHJmstrqwEH2080Cv1n8FrFMB3Plumny6J"
				  "DA==\n",
		 MINISIGN_E_COMMENT_SIGNATURE},
		{STOCK_BY_SATO, MINISIGN_E_OTHER_KEY},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = check_stock(rows[i].text, strlen(rows[i].text));

		EXPECT(r == rows[i].code, rows[i].text);
		EXPECT(!r || strcmp(minisign_error(r), minisign_error(-1)) != 0, rows[i].text);
	}
	CU_ASSERT_EQUAL(check_stock(UNTRUSTED RECORD TRUSTED "\0" GLOBAL,
				    sizeof(UNTRUSTED RECORD TRUSTED "\0" GLOBAL) - 1),
			MINISIGN_E_FORM);
}

static void a_long_comment_is_read_up_to_the_limit_of_the_stock_tool(void)
{
	static char text[2 * MINISIGN_FILE_MAX];
	static const int over[] = {0, 1, 3000};

	for (size_t i = 0; i < ARRAY_SIZE(over); i++) {
		int n = sprintf(text, "%s%strusted comment: %0*d\n%s", UNTRUSTED, RECORD,
				MINISIGN_COMMENT_MAX - 1 + over[i], 0, GLOBAL);

		CU_ASSERT_EQUAL(check_stock(text, (size_t)n), !over[i]
								      ? MINISIGN_E_COMMENT_SIGNATURE
							      : over[i] == 1 ? MINISIGN_E_COMMENT
									     : MINISIGN_E_FORM);
		n = sprintf(text, "untrusted comment: %0*d\n%s%s%s", 1003 + over[i], 0, RECORD,
			    TRUSTED, GLOBAL);
		CU_ASSERT_EQUAL(check_stock(text, (size_t)n), over[i] ? MINISIGN_E_FORM : 0);
	}
}

static void a_key_with_the_id_of_another_does_not_verify(void)
{
	struct minisign_signature signature;
	struct minisign_message message;
	struct minisign_key suzuki, sato;

	CU_ASSERT_EQUAL(minisign_key_parse(STOCK_SUZUKI, strlen(STOCK_SUZUKI), &suzuki), 0);
	CU_ASSERT_EQUAL(minisign_key_parse(STOCK_SATO, strlen(STOCK_SATO), &sato), 0);
	CU_ASSERT_EQUAL(
		minisign_signature_parse(STOCK_PREHASHED, strlen(STOCK_PREHASHED), &signature), 0);
	minisign_message_init(&message, STOCK_MESSAGE, strlen(STOCK_MESSAGE));
	memcpy(sato.id, suzuki.id, sizeof(sato.id));
	CU_ASSERT_EQUAL(minisign_verify(&sato, &signature, &message), MINISIGN_E_SIGNATURE);
}

static void what_is_no_public_key_is_refused(void)
{
	static const char *const rows[] = {
		"",
		"RW",
		STOCK_SUZUKI "A",
		STOCK_SUZUKI "=",
		STOCK_SUZUKI "\n",
		" " STOCK_SUZUKI,
		/* without its last character; "ED"; the zero point; no point at all */
		"RWSfcF3DAIFQarVYJ2uRwmmhkCPji+t/R5yL4zgcMYAU09VtUdObB+D",
		"RUSfcF3DAIFQarVYJ2uRwmmhkCPji+t/R5yL4zgcMYAU09VtUdObB+Dt",
		"RWSfcF3DAIFQagAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"RWSfcF3DAIFQav//////////////////////////////////////////",
		"RWSfcF3DAIFQarVYJ2uRwmmhkCPji_t/R5yL4zgcMYAU09VtUdObB-Dt",
	};
	struct minisign_key key;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(minisign_key_parse(rows[i], strlen(rows[i]), &key) == MINISIGN_E_KEY,
		       rows[i]);
}

/* Hostile texts: whatever comes out, nothing but a signature verifies and nothing is read outside.
 */
static void noise_never_verifies(void)
{
	size_t len = strlen(STOCK_PREHASHED), verified = 0;
	char *copy = malloc(len);

	srandom(3);
	for (int i = 0; i < 20000; i++) {
		struct minisign_signature signature;
		size_t cut = (size_t)random() % (len + 1);

		memcpy(copy, STOCK_PREHASHED, len);
		for (int k = 0; k < 3; k++)
			copy[random() % (long)len] = (char)random();
		/* behind the untrusted comment, so that it is always protected */
		copy[30 + random() % ((long)len - 31)] ^= (char)(1 + random() % 255);
		if (!minisign_signature_parse(copy + len - cut, cut, &signature))
			verified += !check_stock(copy + len - cut, cut);
	}
	/* The flip may have been undone by noise at the same place, once in millions. */
	CU_ASSERT_EQUAL(verified, 0);
	free(copy);
}

static const struct test tests[] = {
	TEST(signatures_of_the_stock_tool_verify),
	TEST(key_ids_print_as_the_stock_tool_prints_them),
	TEST(line_ends_of_windows_and_a_missing_last_one_are_accepted),
	TEST(any_flipped_bit_of_a_signature_file_is_refused),
	TEST(any_flipped_bit_of_the_message_is_refused),
	TEST(a_cut_signature_file_is_refused),
	TEST(what_is_wrong_with_a_file_is_named),
	TEST(a_long_comment_is_read_up_to_the_limit_of_the_stock_tool),
	TEST(a_key_with_the_id_of_another_does_not_verify),
	TEST(what_is_no_public_key_is_refused),
	TEST(noise_never_verifies),
};

int main(void)
{
	return testing_run("minisign", tests, ARRAY_SIZE(tests));
}

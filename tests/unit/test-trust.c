// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/trust.h"
#include "minisig.h"
#include "testing.h"

#define KEYS_MAX 70

static struct signer signers[KEYS_MAX];

struct errors {
	unsigned int n;
	char text[2048];
};

static void note_error(void *userdata, const char *file, unsigned int line, unsigned int column,
		       const char *message)
{
	struct errors *errors = userdata;
	size_t used = strlen(errors->text);

	errors->n++;
	snprintf(errors->text + used, sizeof(errors->text) - used, "%s:%u:%u: %s\n", file, line,
		 column, message);
}

/* Replaces each @N in a text by the public key of signer N, in quotes. */
static void fill(char *out, size_t size, const char *text)
{
	size_t used = 0;

	for (; *text && used + 70 < size; text++) {
		if (*text != '@') {
			out[used++] = *text;
			continue;
		}
		used += (size_t)snprintf(out + used, size - used, "\"%s\"",
					 signers[atoi(text + 1)].public_key);
		text += strspn(text + 1, "0123456789");
	}
	out[used] = '\0';
}

/* A set of the given texts, files a, b, c…; *r is what trust_finish() said. */
static struct trust *set_of(const char *const *texts, size_t n, struct errors *errors, int *r)
{
	struct trust *trust;

	*errors = (struct errors){0};
	CU_ASSERT_EQUAL_FATAL(trust_new(&trust), 0);
	for (size_t i = 0; i < n; i++) {
		char text[8192], file[] = {(char)('a' + i), '\0'};

		fill(text, sizeof(text), texts[i]);
		trust_add(trust, file, text, strlen(text), note_error, errors);
	}
	*r = trust_finish(trust, note_error, errors);
	return trust;
}

#define MESSAGE "policy x\nversion 1\n"

/* Who signs is a word of digits: signers 0 to 9; x an unknown key, !N a broken signature of N. */
static int check(const char *text, const char *who, struct trust_result *result)
{
	static char files[TRUST_SIGNATURES_MAX + 1][1024];
	struct trust_signature signatures[TRUST_SIGNATURES_MAX + 1];
	struct errors errors;
	size_t n = 0;
	struct trust *trust;
	int r;

	trust = set_of(&text, 1, &errors, &r);
	EXPECT(r == 0, errors.text);
	for (; *who; who++) {
		bool broken = *who == '!';
		const struct signer *signer;

		who += broken;
		signer = &signers[*who == 'x' ? KEYS_MAX - 1 : *who - '0'];
		signer_sign(signer, broken ? "?" : MESSAGE, broken ? 1 : strlen(MESSAGE), "承認",
			    files[n], sizeof(files[n]));
		signatures[n] = (struct trust_signature){.text = files[n], .len = strlen(files[n])};
		n++;
	}
	r = trust_check(trust, MESSAGE, strlen(MESSAGE), signatures, n, result);
	trust_free(trust);
	return r;
}

static void k_of_n_different_keys_are_counted(void)
{
	static const struct {
		const char *text, *who;
		int code;
	} rows[] = {
		{"key a @1\nkey b @2", "1", 0},
		{"key a @1\nkey b @2", "2", 0},
		{"key a @1\nkey b @2", "", TRUST_E_LACKING},
		{"key a @1\nkey b @2", "x", TRUST_E_LACKING},
		{"key a @1\nkey b @2", "!1", TRUST_E_LACKING},
		{"key a @1\nkey b @2", "!1x2", 0},
		{"require 1 of a\nkey a @1\nkey b @2", "1", 0},
		{"require 1 of a\nkey a @1\nkey b @2", "2", TRUST_E_LACKING},
		{"require 2 of a\nkey a @1\nkey a @2\nkey a @3", "13", 0},
		{"require 2 of a\nkey a @1\nkey a @2\nkey a @3", "123", 0},
		{"require 2 of a\nkey a @1\nkey a @2\nkey a @3", "3", TRUST_E_LACKING},
		{"require 2 of a\nkey a @1\nkey a @2\nkey a @3", "33", TRUST_E_LACKING},
		{"require 2 of a\nkey a @1\nkey a @2\nkey a @3", "33333333", TRUST_E_LACKING},
		{"require 2 of a\nkey a @1\nkey a @2\nkey a @3", "3!1", TRUST_E_LACKING},
		{"require 2 of a\nkey a @1\nkey a @2\nkey a @3", "3x", TRUST_E_LACKING},
		{"require 2 of a b\nkey a @1\nkey b @2", "12", 0},
		{"require 2 of a b\nkey a @1\nkey b @2", "1", TRUST_E_LACKING},
		{"require 1 of a\nrequire 1 of b\nkey a @1\nkey b @2", "12", 0},
		{"require 1 of a\nrequire 1 of b\nkey a @1\nkey b @2", "1", TRUST_E_LACKING},
		{"require 1 of a\nrequire 1 of b\nkey a @1\nkey b @2\nkey a @3", "13",
		 TRUST_E_LACKING},
		/* known, but in no requirement */
		{"require 1 of a\nkey a @1\nkey audit @2", "2", TRUST_E_LACKING},
		{"require 1 of a\nkey a @1\nkey audit @2", "21", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct trust_result result;
		int r = check(rows[i].text, rows[i].who, &result);

		EXPECT(r == rows[i].code, rows[i].text);
		EXPECT(result.is_satisfied == !r, rows[i].text);
		EXPECT(!result.n_lacks == !r, rows[i].text);
	}
}

static void the_result_says_who_signed_and_what_is_missing(void)
{
	static const char text[] = "require 2 of board\nrequire 1 of it desk\n"
				   "key board @1 name \"税務課 鈴木\"\nkey board @2\n"
				   "key it @3 name \"情報課\"\nkey desk @4\n";
	struct trust_result result;

	CU_ASSERT_EQUAL(check(text, "1x!2", &result), TRUST_E_LACKING);
	CU_ASSERT_EQUAL(result.n_verdicts, 3);
	CU_ASSERT_EQUAL(result.verdicts[0].code, 0);
	CU_ASSERT_STRING_EQUAL(result.verdicts[0].name, "税務課 鈴木");
	CU_ASSERT_STRING_EQUAL(result.verdicts[0].role, "board");
	CU_ASSERT_STRING_EQUAL(result.verdicts[0].comment, "承認");
	CU_ASSERT_EQUAL(result.verdicts[1].code, TRUST_E_UNKNOWN_KEY);
	CU_ASSERT_STRING_EQUAL(result.verdicts[1].name, "");
	CU_ASSERT_STRING_EQUAL(result.verdicts[1].key_id, "4545454545454545");
	CU_ASSERT_EQUAL(result.verdicts[2].code, MINISIGN_E_SIGNATURE);
	CU_ASSERT_STRING_EQUAL(result.verdicts[2].name, "0202020202020202");
	CU_ASSERT_EQUAL(result.n_lacks, 2);
	CU_ASSERT_STRING_EQUAL(result.lacks[0].roles, "board");
	CU_ASSERT_EQUAL(result.lacks[0].needed, 2);
	CU_ASSERT_EQUAL(result.lacks[0].valid, 1);
	CU_ASSERT_STRING_EQUAL(result.lacks[1].roles, "it desk");
	CU_ASSERT_EQUAL(result.lacks[1].needed, 1);
	CU_ASSERT_EQUAL(result.lacks[1].valid, 0);

	CU_ASSERT_EQUAL(check("key a @1", "11", &result), 0);
	CU_ASSERT_EQUAL(result.verdicts[1].code, TRUST_E_TWICE);
	CU_ASSERT_EQUAL(check("key a @1", "2", &result), TRUST_E_LACKING);
	CU_ASSERT_STRING_EQUAL(result.lacks[0].roles, "");
}

static void signatures_of_the_stock_tool_are_counted(void)
{
	static const char text[] = "require 2 of board\n"
				   "key board \"" STOCK_SUZUKI "\" name \"鈴木\"\n"
				   "key board \"" STOCK_SATO "\" name \"佐藤\"\n";
	struct trust_signature files[] = {
		{STOCK_PREHASHED, strlen(STOCK_PREHASHED)},
		{STOCK_LEGACY, strlen(STOCK_LEGACY)},
		{STOCK_BY_SATO, strlen(STOCK_BY_SATO)},
	};
	const char *texts[] = {text};
	struct trust_result result;
	struct errors errors;
	struct trust *trust;
	int r;

	trust = set_of(texts, 1, &errors, &r);
	CU_ASSERT_EQUAL(r, 0);
	/* both of one person's, prehashed and not */
	CU_ASSERT_EQUAL(trust_check(trust, STOCK_MESSAGE, strlen(STOCK_MESSAGE), files, 2, &result),
			TRUST_E_LACKING);
	CU_ASSERT_EQUAL(result.verdicts[1].code, TRUST_E_TWICE);
	CU_ASSERT_EQUAL(trust_check(trust, STOCK_MESSAGE, strlen(STOCK_MESSAGE), files, 3, &result),
			0);
	CU_ASSERT_STRING_EQUAL(result.verdicts[0].comment, STOCK_COMMENT);
	CU_ASSERT_STRING_EQUAL(result.verdicts[2].name, "佐藤");
	trust_free(trust);
}

static void several_files_make_one_set(void)
{
	static const char *const texts[] = {"require 2 of a b # 二人\n", "key a @1\n",
					    "\nkey b @2 name \"\\\"b\\\"\""};
	struct errors errors;
	struct trust *trust;
	int r;

	trust = set_of(texts, ARRAY_SIZE(texts), &errors, &r);
	EXPECT(r == 0, errors.text);
	CU_ASSERT_EQUAL(trust_n_keys(trust), 2);
	trust_free(trust);

	trust = set_of(texts, 2, &errors, &r);
	CU_ASSERT_EQUAL(r, -EINVAL);
	CU_ASSERT_STRING_EQUAL(
		errors.text,
		"a:1:9: 2 keys are required, but only 1 with these roles are listed\n");
	trust_free(trust);

	trust = set_of(texts, 0, &errors, &r);
	CU_ASSERT_EQUAL(r, 0);
	CU_ASSERT_EQUAL(trust_n_keys(trust), 0);
	trust_free(trust);
}

static void every_error_is_reported_with_its_place(void)
{
	static const struct {
		const char *first, *second, *error;
	} rows[] = {
		{"keys a @1", "", "a:1:1: unknown statement; expected key or require"},
		{"\"key\" a @1", "", "a:1:1: unknown statement"},
		{"key", "", "a:1:4: expected a role"},
		{"key A @1", "", "a:1:5: expected a role"},
		{"key 1a @1", "", "a:1:5: expected a role"},
		{"key -a @1", "", "a:1:5: expected a role"},
		{"key a_b @1", "", "a:1:5: expected a role"},
		{"key 課 @1", "", "a:1:5: expected a role"},
		{"key \"a\" @1", "", "a:1:5: expected a role"},
		{"key abcdefghijklmnopqrstuvwxyz1234567 @1", "", "a:1:5: expected a role"},
		{"key a", "", "a:1:6: expected a public key in quotes"},
		{"key a RWxyz", "", "a:1:7: expected a minisign public key"},
		{"key a \"RWxyz\"", "", "a:1:7: expected a minisign public key"},
		{"key a \"\"", "", "a:1:7: expected a minisign public key"},
		{"key a @1 \"name\"", "", "a:1:66: expected name or the end"},
		{"key a @1 who \"x\"", "", "a:1:66: expected name or the end"},
		{"key a @1 name", "", "a:1:70: expected a name in quotes"},
		{"key a @1 name x", "", "a:1:71: expected a name in quotes"},
		{"key a @1 name \"\"", "", "a:1:71: expected a name in quotes"},
		{"key a @1 name \"a\\x1b[1m\"", "", "a:1:71: expected a name in quotes"},
		{"key a @1 name \"a\xe2\x80\xae\"", "", "a:1:71: expected a name in quotes"},
		{"key a @1 name \"x\" y", "", "a:1:75: expected the end of the line"},
		{"key a @1\nkey a @1", "", "a:2:7: key stands already at a:1"},
		{"key a @1\nkey b @1", "", "a:2:7: key stands already at a:1"},
		{"#\nkey a @1", "key a @1", "b:1:7: key stands already at a:2"},
		{"key a @1\nrequire", "", "a:2:8: expected a number of keys"},
		{"key a @1\nrequire 0 of a", "", "a:2:9: expected a number of keys from 1"},
		{"key a @1\nrequire -1 of a", "", "a:2:9: expected a number of keys from 1"},
		{"key a @1\nrequire 65 of a", "", "a:2:9: expected a number of keys from 1"},
		{"key a @1\nrequire 4294967297 of a", "", "a:2:9: expected a number of keys"},
		{"key a @1\nrequire \"1\" of a", "", "a:2:9: expected a number of keys"},
		{"key a @1\nrequire 1", "", "a:2:10: expected of"},
		{"key a @1\nrequire 1 a", "", "a:2:11: expected of"},
		{"key a @1\nrequire 1 of", "", "a:2:13: expected a role"},
		{"key a @1\nrequire 1 of A", "", "a:2:14: expected a role"},
		{"key a @1\nrequire 1 of a a", "", "a:2:16: role a stands already"},
		{"key a @1\nrequire 1 of a", "require 1 of a",
		 "b:1:14: role a stands already in the "
		 "requirement at a:2"},
		{"key a @1\nrequire 2 of a", "", "a:2:9: 2 keys are required, but only 1"},
		{"key a @1\nrequire 1 of b", "", "a:2:9: 1 keys are required, but only 0"},
		{"require 1 of a", "", "a:1:1: no key is listed"},
		{"# nothing", "# nothing", "b:1:1: no key is listed"},
		{"key a @1 name \"\xff\"", "", "a:1:72: not valid UTF-8"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *texts[] = {rows[i].first, rows[i].second};
		struct trust_signature none = {0};
		struct trust_result result;
		struct errors errors;
		struct trust *trust;
		int r;

		trust = set_of(texts, rows[i].second[0] ? 2 : 1, &errors, &r);
		EXPECT(r == -EINVAL, rows[i].first);
		EXPECT(errors.n == 1, errors.text);
		EXPECT(!strncmp(errors.text, rows[i].error, strlen(rows[i].error)), errors.text);
		EXPECT(trust_check(trust, "x", 1, &none, 1, &result) == -EINVAL, rows[i].first);
		EXPECT(!result.is_satisfied, rows[i].first);
		trust_free(trust);
	}
}

static void all_errors_of_all_files_are_seen_at_once(void)
{
	static const char *const texts[] = {"key A @1\nkey a @2\nfoo",
					    "key a @2\nrequire 5 of a\nbar"};
	struct errors errors;
	struct trust *trust;
	int r;

	trust = set_of(texts, 2, &errors, &r);
	CU_ASSERT_EQUAL(r, -EINVAL);
	CU_ASSERT_EQUAL(errors.n, 4);
	trust_free(trust);
}

static void a_key_under_another_id_is_the_same_key(void)
{
	char text[512], other[64];
	struct signer twin = signers[1];
	uint8_t record[42] = "Ed";
	struct errors errors = {0};
	struct trust *trust;

	memset(record + 2, 0x77, 8);
	memcpy(record + 10, twin.pk, 32);
	sodium_bin2base64(other, sizeof(other), record, sizeof(record),
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(text, sizeof(text), "key a \"%s\"\nkey a \"%s\"\nrequire 2 of a\n",
		 signers[1].public_key, other);
	CU_ASSERT_EQUAL_FATAL(trust_new(&trust), 0);
	CU_ASSERT_EQUAL(trust_add(trust, "a", text, strlen(text), note_error, &errors), -EINVAL);
	CU_ASSERT_STRING_EQUAL(errors.text, "a:2:7: key stands already at a:1\n");
	trust_free(trust);
}

static void two_keys_with_one_id_are_refused(void)
{
	struct signer other;
	struct errors errors = {0};
	struct trust *trust;
	uint8_t record[42] = "Ed";
	char text[512];

	/* the id of signer 1 on the key of signer 2: whose signature would it be? */
	memcpy(record + 2, signers[1].id, 8);
	memcpy(record + 10, signers[2].pk, 32);
	sodium_bin2base64(other.public_key, sizeof(other.public_key), record, sizeof(record),
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(text, sizeof(text), "key a \"%s\"\nkey a \"%s\"\n", signers[1].public_key,
		 other.public_key);
	CU_ASSERT_EQUAL_FATAL(trust_new(&trust), 0);
	CU_ASSERT_EQUAL(trust_add(trust, "a", text, strlen(text), note_error, &errors), -EINVAL);
	CU_ASSERT_STRING_EQUAL(errors.text, "a:2:7: key stands already at a:1\n");
	trust_free(trust);
}

static void an_unfinished_or_empty_set_verifies_nothing(void)
{
	char text[128], file[1024];
	struct trust_signature signature;
	struct trust_result result;
	struct trust *trust;

	signer_sign(&signers[1], "x", 1, "c", file, sizeof(file));
	signature = (struct trust_signature){.text = file, .len = strlen(file)};
	fill(text, sizeof(text), "key a @1");
	CU_ASSERT_EQUAL_FATAL(trust_new(&trust), 0);
	CU_ASSERT_EQUAL(trust_finish(trust, NULL, NULL), 0);
	CU_ASSERT_EQUAL(trust_check(trust, "x", 1, &signature, 1, &result), -EINVAL);
	CU_ASSERT_EQUAL(trust_add(trust, "a", text, strlen(text), NULL, NULL), 0);
	CU_ASSERT_EQUAL(trust_check(trust, "x", 1, &signature, 1, &result), -EINVAL);
	CU_ASSERT_EQUAL(trust_finish(trust, NULL, NULL), 0);
	CU_ASSERT_EQUAL(trust_check(trust, "x", 1, &signature, 1, &result), 0);
	CU_ASSERT_EQUAL(trust_check(trust, "x", 1, &signature, TRUST_SIGNATURES_MAX + 1, &result),
			-EINVAL);
	trust_free(trust);
}

static void the_limits_hold(void)
{
	struct errors errors = {0};
	struct trust *trust;
	char text[128];

	CU_ASSERT_EQUAL_FATAL(trust_new(&trust), 0);
	for (int i = 0; i <= TRUST_KEYS_MAX; i++) {
		snprintf(text, sizeof(text), "key a \"%s\"", signers[i].public_key);
		CU_ASSERT_EQUAL(trust_add(trust, "a", text, strlen(text), note_error, &errors),
				i < TRUST_KEYS_MAX ? 0 : -EINVAL);
	}
	for (int i = 0; i <= TRUST_REQUIREMENTS_MAX; i++) {
		snprintf(text, sizeof(text), "require 1 of r%d", i);
		CU_ASSERT_EQUAL(trust_add(trust, "a", text, strlen(text), note_error, &errors),
				i < TRUST_REQUIREMENTS_MAX ? 0 : -EINVAL);
	}
	CU_ASSERT_STRING_EQUAL(errors.text,
			       "a:1:7: more than 64 keys\na:1:9: more than 16 requirements\n");
	trust_free(trust);
}

static const struct test tests[] = {
	TEST(k_of_n_different_keys_are_counted),
	TEST(the_result_says_who_signed_and_what_is_missing),
	TEST(signatures_of_the_stock_tool_are_counted),
	TEST(several_files_make_one_set),
	TEST(every_error_is_reported_with_its_place),
	TEST(all_errors_of_all_files_are_seen_at_once),
	TEST(a_key_under_another_id_is_the_same_key),
	TEST(two_keys_with_one_id_are_refused),
	TEST(an_unfinished_or_empty_set_verifies_nothing),
	TEST(the_limits_hold),
};

int main(void)
{
	for (int i = 0; i < KEYS_MAX; i++)
		signer_init(&signers[i], (uint8_t)i);
	return testing_run("trust", tests, ARRAY_SIZE(tests));
}

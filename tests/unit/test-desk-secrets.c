// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * desk/secretkey, desk/sealed, desk/archive, desk/passphrase: secrets come back to who knows the
 * passphrase, and to nobody else.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/macro.h"
#include "core/minisign.h"
#include "desk/archive.h"
#include "desk/passphrase.h"
#include "desk/sealed.h"
#include "desk/secretkey.h"
#include "testing.h"

static void a_key_comes_back_by_its_passphrase_alone(void)
{
	struct signing_key key = {0}, again = {0};
	char text[SECRETKEY_FILE_MAX];

	CU_ASSERT_EQUAL_FATAL(secretkey_generate(&key), 0);
	CU_ASSERT_EQUAL_FATAL(secretkey_format(&key, "four words", true, text), 0);
	CU_ASSERT_EQUAL(secretkey_parse(text, strlen(text), "four word", &again),
			SECRETKEY_E_PASSPHRASE);
	CU_ASSERT_PTR_NULL(again.secret);
	CU_ASSERT_EQUAL_FATAL(secretkey_parse(text, strlen(text), "four words", &again), 0);
	CU_ASSERT_EQUAL(memcmp(key.id, again.id, sizeof(key.id)), 0);
	CU_ASSERT_EQUAL(memcmp(key.key, again.key, sizeof(key.key)), 0);
	CU_ASSERT_EQUAL(memcmp(key.secret, again.secret, MARK_SECRET_SIZE), 0);
	signing_key_close(&key);
	signing_key_close(&again);
	CU_ASSERT_PTR_NULL(key.secret);
}

static void a_changed_key_file_is_refused_everywhere(void)
{
	struct signing_key key = {0}, again = {0};
	char text[SECRETKEY_FILE_MAX];
	const char *line;

	secretkey_generate(&key);
	secretkey_format(&key, "p", true, text);
	line = strchr(text, '\n') + 1;
	/* Each character of the record but those that make the work larger. */
	for (size_t i = (size_t)(line - text); text[i] != '\n'; i++) {
		size_t at = i - (size_t)(line - text);
		char before = text[i];

		if (at >= 50 && at < 72)
			continue;
		text[i] = before == 'A' ? 'B' : 'A';
		CU_ASSERT(secretkey_parse(text, strlen(text), "p", &again) > 0);
		text[i] = before;
	}
	for (size_t len = 0; len < strlen(text) - 1; len++)
		CU_ASSERT(secretkey_parse(text, len, "p", &again) > 0);
	CU_ASSERT_PTR_NULL(again.secret);
	CU_ASSERT_EQUAL(secretkey_parse(text, strlen(text), "p", &again), 0);
	signing_key_close(&key);
	signing_key_close(&again);
}

static void a_file_cannot_ask_for_all_memory(void)
{
	struct signing_key key = {0}, again = {0};
	char text[SECRETKEY_FILE_MAX];
	uint8_t record[158];
	char *line;

	secretkey_generate(&key);
	secretkey_format(&key, "p", true, text);
	line = strchr(text, '\n') + 1;
	sodium_base642bin(record, sizeof(record), line, strlen(line), "\n", NULL, NULL,
			  sodium_base64_VARIANT_ORIGINAL);
	/* memlimit */
	memset(record + 46, 0xff, 8);
	sodium_bin2base64(line, 256, record, sizeof(record), sodium_base64_VARIANT_ORIGINAL);
	CU_ASSERT_EQUAL(secretkey_parse(text, strlen(text), "p", &again), SECRETKEY_E_FORM);
	signing_key_close(&key);
}

static void signatures_are_verified_by_the_terminals_parser(void)
{
	static const char policy[] = "policy x\nversion 1\n";
	struct signing_key key = {0};
	struct minisign_signature signature;
	struct minisign_message message;
	struct minisign_key public_key;
	char text[MINISIGN_FILE_MAX], public_text[SECRETKEY_PUBLIC_MAX], comment[400];
	size_t n;

	secretkey_generate(&key);
	secretkey_public(&key, public_text);
	CU_ASSERT_EQUAL_FATAL(minisign_key_parse(public_text, strlen(public_text), &public_key), 0);
	n = secretkey_sign(&key, policy, strlen(policy), "第3版を承認", text);
	CU_ASSERT_EQUAL_FATAL(minisign_signature_parse(text, n, &signature), 0);
	minisign_message_init(&message, policy, strlen(policy));
	CU_ASSERT_EQUAL(minisign_verify(&public_key, &signature, &message), 0);
	CU_ASSERT_STRING_EQUAL(signature.comment, "第3版を承認");
	minisign_message_init(&message, policy, strlen(policy) - 1);
	CU_ASSERT_EQUAL(minisign_verify(&public_key, &signature, &message), MINISIGN_E_SIGNATURE);
	/* Longer than is written: cut, and still signed. */
	memset(comment, 'x', sizeof(comment) - 1);
	comment[sizeof(comment) - 1] = '\0';
	n = secretkey_sign(&key, policy, strlen(policy), comment, text);
	CU_ASSERT_EQUAL_FATAL(minisign_signature_parse(text, n, &signature), 0);
	minisign_message_init(&message, policy, strlen(policy));
	CU_ASSERT_EQUAL(minisign_verify(&public_key, &signature, &message), 0);
	signing_key_close(&key);
}

static void what_is_sealed_opens_for_its_purpose_and_passphrase_alone(void)
{
	uint8_t data[300], sealed[sizeof(data) + SEALED_OVERHEAD], out[sizeof(data)];

	randombytes_buf(data, sizeof(data));
	CU_ASSERT_EQUAL_FATAL(sealed_close("one", "p", true, data, sizeof(data), sealed), 0);
	CU_ASSERT_EQUAL(sealed_open("one", "p", sealed, sizeof(sealed), out), 0);
	CU_ASSERT_EQUAL(memcmp(data, out, sizeof(data)), 0);
	CU_ASSERT_EQUAL(sealed_open("one", "q", sealed, sizeof(sealed), out), SEALED_E_PASSPHRASE);
	CU_ASSERT_EQUAL(sealed_open("two", "p", sealed, sizeof(sealed), out), SEALED_E_FORM);
	CU_ASSERT_EQUAL(sealed_open("on", "p", sealed, sizeof(sealed), out), SEALED_E_FORM);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 0x40;
		/* More work than that is refused at once. */
		CU_ASSERT(sealed_open("one", "p", sealed, sizeof(sealed), out) > 0);
		sealed[i] ^= 0x40;
	}
	for (size_t len = 0; len < sizeof(sealed); len += 7)
		CU_ASSERT(sealed_open("one", "p", sealed, len, out) > 0);
	CU_ASSERT_EQUAL(sealed_open("one", "p", sealed, sizeof(sealed), out), 0);
}

static void an_archive_comes_back_as_it_was(void)
{
	static struct archive archive, again;
	static const uint8_t bytes[] = "bytes";
	_cleanup_(freep) uint8_t *packed = NULL;
	size_t len = 0;

	archive = (struct archive){.n = 3,
				   .files = {{"register.db", 0600, bytes, 5},
					     {"keys/policy-1.key", 0600, bytes, 0},
					     {"trust/a.trust", 0644, bytes, 2}}};
	CU_ASSERT_EQUAL_FATAL(archive_pack(&archive, &packed, &len), 0);
	CU_ASSERT_EQUAL_FATAL(archive_unpack(packed, len, &again), 0);
	CU_ASSERT_EQUAL_FATAL(again.n, 3);
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_STRING_EQUAL(again.files[i].name, archive.files[i].name);
		CU_ASSERT_EQUAL(again.files[i].mode, archive.files[i].mode);
		CU_ASSERT_EQUAL(again.files[i].len, archive.files[i].len);
		CU_ASSERT_EQUAL(memcmp(again.files[i].data, bytes, again.files[i].len), 0);
	}
	for (size_t cut = 0; cut < len; cut++) {
		_cleanup_(freep) uint8_t *exact = malloc(cut + 1);

		memcpy(exact, packed, cut);
		CU_ASSERT_EQUAL(archive_unpack(exact, cut, &again), ARCHIVE_E_FORM);
	}
}

static void an_archive_cannot_write_elsewhere(void)
{
	static const char *const names[] = {"../register.db", "/etc/passwd",   "keys/../x",
					    "keys/",          "keys/a/b",      "keys/.hidden",
					    "other/x",        "register.db/x", "",
					    "keys/a\nb",      "trust"};
	static struct archive archive, again;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(freep) uint8_t *packed = NULL;
		size_t len = 0;

		archive = (struct archive){.n = 1, .files = {{"", 0600, (const uint8_t *)"x", 1}}};
		strcpy(archive.files[0].name, names[i]);
		CU_ASSERT_EQUAL_FATAL(archive_pack(&archive, &packed, &len), 0);
		EXPECT(archive_unpack(packed, len, &again) == ARCHIVE_E_FORM, names[i]);
	}
	/* Twice the same, or a mode that no file of a desk has. */
	for (unsigned int i = 0; i < 2; i++) {
		_cleanup_(freep) uint8_t *packed = NULL;
		size_t len = 0;

		archive = (struct archive){
			.n = 2 - i,
			.files = {{"keys/a", i ? 04755 : 0600, (const uint8_t *)"x", 1},
				  {"keys/a", 0600, (const uint8_t *)"y", 1}}};
		CU_ASSERT_EQUAL_FATAL(archive_pack(&archive, &packed, &len), 0);
		CU_ASSERT_EQUAL(archive_unpack(packed, len, &again), ARCHIVE_E_FORM);
	}
}

static void weak_passphrases_get_a_hint(void)
{
	static const char *const weak[] = {"short", "aaaaaaaaaaaaaaaa", "1234567890123456",
					   "短い言葉"};
	static const char *const good[] = {"four unrelated words", "十二文字以上ある合い言葉です"};

	for (size_t i = 0; i < ARRAY_SIZE(weak); i++)
		EXPECT(passphrase_hint(weak[i]), weak[i]);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		EXPECT(!passphrase_hint(good[i]), good[i]);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(a_key_comes_back_by_its_passphrase_alone),
		TEST(a_changed_key_file_is_refused_everywhere),
		TEST(a_file_cannot_ask_for_all_memory),
		TEST(signatures_are_verified_by_the_terminals_parser),
		TEST(what_is_sealed_opens_for_its_purpose_and_passphrase_alone),
		TEST(an_archive_comes_back_as_it_was),
		TEST(an_archive_cannot_write_elsewhere),
		TEST(weak_passphrases_get_a_hint),
	};

	if (sodium_init() < 0)
		return 1;
	return testing_run("desk-secrets", tests, ARRAY_SIZE(tests));
}

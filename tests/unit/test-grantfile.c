// SPDX-License-Identifier: GPL-2.0-or-later
/* core/grantfile: a file grants what the desk signed, here, now, once; nothing else is read. */
#include <stdio.h>
#include <string.h>

#include "core/grantfile.h"
#include "minisig.h"
#include "testing.h"

#define NOW 1795250783 /* 2026-11-21T08:46:23Z */

static const char whole[] = "sekimori-grant 1\n"
			    "id \"000102030405060708090a0b0c0d0e0f\"\n"
			    "terminal \"ZEI-014\"\n"
			    "device \"blake2b:a51c3e0f9b7d24680123456789abcdef\"\n"
			    "class storage-encrypted\n"
			    "person \"tanaka\"\n"
			    "uid 1001\n"
			    "access rw\n"
			    "encrypted-only yes\n"
			    "not-before 2026-11-21T00:00:00Z\n"
			    "not-after 2026-11-22T08:15:00Z\n"
			    "seconds 7200\n"
			    "uses 1\n"
			    "write-quota 1048576\n"
			    "purpose \"申告書 \\\"控え\\\" の受渡し\"\n"
			    "data-class II\n"
			    "form 13-1\n"
			    "return-by 2026-11-30T14:59:59Z\n";

struct world {
	struct trust *trust;
	struct signer desk, policy, stranger;
	struct grantfile_world world;
	struct grantfile file;
	char signature[MINISIGN_FILE_MAX];
	unsigned int errors;
	uint8_t used[16];
	bool any_used;
	int unknown; /* why nobody can say whether it was used */
};

static void count_error(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	struct world *w = userdata;

	CU_ASSERT(line && column && *message);
	w->errors++;
}

static int is_used(void *userdata, const uint8_t id[static 16])
{
	struct world *w = userdata;

	if (w->unknown)
		return w->unknown;
	return w->any_used && !memcmp(w->used, id, 16) ? GRANTFILE_E_USED : 0;
}

static void sign(struct world *w, const struct signer *signer, const char *text)
{
	signer_sign(signer, text, strlen(text), "grant", w->signature, sizeof(w->signature));
	w->file = (struct grantfile){.file = "g",
				     .text = text,
				     .len = strlen(text),
				     .signature = w->signature,
				     .signature_len = strlen(w->signature)};
}

static void world_make(struct world *w)
{
	char text[512];

	*w = (struct world){.world = {.terminal = "ZEI-014", .now = NOW, .is_used = is_used, .error = count_error}};
	w->world.userdata = w;
	signer_init(&w->desk, 1);
	signer_init(&w->policy, 2);
	signer_init(&w->stranger, 3);
	CU_ASSERT_EQUAL_FATAL(trust_new(&w->trust), 0);
	snprintf(text, sizeof(text), "require 1 of policy\nkey policy \"%s\"\nkey grant \"%s\" name \"情報課\"\n",
		 w->policy.public_key, w->desk.public_key);
	CU_ASSERT_EQUAL_FATAL(trust_add(w->trust, "t", text, strlen(text), NULL, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(trust_finish(w->trust, NULL, NULL), 0);
	w->world.trust = w->trust;
	sign(w, &w->desk, whole);
}

static int check(struct world *w)
{
	struct trust_verdict verdict;
	struct grant grant;

	return grantfile_check(&w->file, &w->world, &grant, &verdict);
}

static void a_signed_file_grants_what_it_says(void)
{
	struct trust_verdict verdict;
	struct grant grant;
	struct world w;

	world_make(&w);
	CU_ASSERT_EQUAL_FATAL(grantfile_check(&w.file, &w.world, &grant, &verdict), 0);
	CU_ASSERT_STRING_EQUAL(verdict.name, "情報課");
	CU_ASSERT_EQUAL(grant.id[15], 15);
	CU_ASSERT_STRING_EQUAL(grant.fingerprint, "blake2b:a51c3e0f9b7d24680123456789abcdef");
	CU_ASSERT_STRING_EQUAL(grant.medium, "");
	CU_ASSERT_EQUAL(grant.class, DEVICE_CLASS_STORAGE_ENCRYPTED);
	CU_ASSERT_STRING_EQUAL(grant.terminal, "ZEI-014");
	CU_ASSERT_STRING_EQUAL(grant.person, "tanaka");
	CU_ASSERT_EQUAL(grant.uid, 1001);
	CU_ASSERT_EQUAL(grant.access, GRANT_READ_WRITE);
	CU_ASSERT(grant.encrypted_only);
	CU_ASSERT_EQUAL(grant.not_before, 1795219200);
	CU_ASSERT_EQUAL(grant.not_after, 1795219200 + 86400 + 8 * 3600 + 900);
	CU_ASSERT_EQUAL(grant.seconds, 7200);
	CU_ASSERT_EQUAL(grant.uses, 1);
	CU_ASSERT_EQUAL(grant.write_quota, 1048576);
	CU_ASSERT_STRING_EQUAL(grant.purpose, "申告書 \"控え\" の受渡し");
	CU_ASSERT_STRING_EQUAL(grant.data_class, "II");
	CU_ASSERT_STRING_EQUAL(grant.form, "13-1");
	CU_ASSERT_EQUAL(grant.return_by, 1795219200 + 9 * 86400 + 15 * 3600 - 1);
	trust_free(w.trust);
}

static void what_is_written_is_what_is_read(void)
{
	static char text[GRANTFILE_MAX];
	struct grant grant;
	struct world w = {0};

	CU_ASSERT_EQUAL_FATAL(grantfile_parse("g", whole, strlen(whole), count_error, &w, &grant), 0);
	CU_ASSERT(grantfile_ok(&grant));
	CU_ASSERT_EQUAL(grantfile_format(&grant, text), strlen(whole));
	CU_ASSERT_STRING_EQUAL(text, whole);
	/* The longest values there are still fit. */
	memset(grant.purpose, '"', sizeof(grant.purpose) - 1);
	memset(grant.terminal, '\\', sizeof(grant.terminal) - 1);
	memset(grant.person, '"', sizeof(grant.person) - 1);
	CU_ASSERT(grantfile_ok(&grant));
	CU_ASSERT(grantfile_format(&grant, text) < GRANTFILE_MAX - 1);
	CU_ASSERT_EQUAL(grantfile_parse("g", text, strlen(text), count_error, &w, &grant), 0);
	CU_ASSERT_EQUAL(strlen(grant.purpose), GRANT_TEXT_MAX - 1);
}

static void a_file_without_the_desks_signature_is_not_read(void)
{
	static char altered[sizeof(whole)];
	struct world w;

	world_make(&w);
	/* Every byte of it counts. */
	for (size_t i = 0; i < strlen(whole); i++) {
		memcpy(altered, whole, sizeof(whole));
		altered[i] ^= 1;
		w.file.text = altered;
		CU_ASSERT_EQUAL(check(&w), GRANTFILE_E_UNSIGNED);
	}
	CU_ASSERT_EQUAL(w.errors, 0);
	sign(&w, &w.stranger, whole);
	CU_ASSERT_EQUAL(check(&w), GRANTFILE_E_UNSIGNED);
	/* Who signs policies does not sign grants. */
	sign(&w, &w.policy, whole);
	CU_ASSERT_EQUAL(check(&w), GRANTFILE_E_UNSIGNED);
	sign(&w, &w.desk, whole);
	w.file.signature_len = 0;
	CU_ASSERT_EQUAL(check(&w), GRANTFILE_E_UNSIGNED);
	sign(&w, &w.desk, "sekimori-grant 1\n");
	CU_ASSERT_EQUAL(check(&w), GRANTFILE_E_FORM);
	CU_ASSERT_EQUAL(w.errors, 1);
	trust_free(w.trust);
}

static void a_terminal_without_trust_takes_no_file(void)
{
	struct trust *none = NULL;
	struct world w;

	world_make(&w);
	CU_ASSERT_EQUAL_FATAL(trust_new(&none), 0);
	w.world.trust = none;
	CU_ASSERT_EQUAL(check(&w), -EINVAL);
	CU_ASSERT_EQUAL_FATAL(trust_finish(none, NULL, NULL), 0);
	CU_ASSERT_EQUAL(check(&w), -EINVAL);
	trust_free(none);
	trust_free(w.trust);
}

static void a_file_is_for_one_terminal_a_time_and_once(void)
{
	struct world w;

	world_make(&w);
	w.world.terminal = "ZEI-015";
	CU_ASSERT_EQUAL(check(&w), GRANTFILE_E_TERMINAL);
	w.world.terminal = "zei-014";
	CU_ASSERT_EQUAL(check(&w), GRANTFILE_E_TERMINAL);
	w.world.terminal = "ZEI-014";
	w.world.now = 1795219199;
	CU_ASSERT_EQUAL(check(&w), GRANTFILE_E_NOT_YET);
	w.world.now = 1795219200;
	CU_ASSERT_EQUAL(check(&w), 0);
	w.world.now = 1795219200 + 86400 + 8 * 3600 + 900;
	CU_ASSERT_EQUAL(check(&w), 0);
	w.world.now++;
	CU_ASSERT_EQUAL(check(&w), GRANTFILE_E_EXPIRED);
	w.world.now = NOW;
	for (uint8_t i = 0; i < 16; i++)
		w.used[i] = i;
	w.any_used = true;
	CU_ASSERT_EQUAL(check(&w), GRANTFILE_E_USED);
	w.unknown = -EIO;
	CU_ASSERT_EQUAL(check(&w), -EIO);
	w.unknown = 0;
	w.used[15]++;
	CU_ASSERT_EQUAL(check(&w), 0);
	for (int code = GRANTFILE_E_UNSIGNED; code <= GRANTFILE_E_USED; code++)
		CU_ASSERT(*grantfile_error(code));
	trust_free(w.trust);
}

/* The whole file with one line in place of the one that begins with the same word. */
static void with_line(char *out, size_t size, const char *line)
{
	size_t word = strcspn(line, " ");
	const char *at = whole;

	*out = '\0';
	while (*at) {
		size_t len = strcspn(at, "\n") + 1;

		if (!strncmp(at, line, word) && at[word] == ' ')
			snprintf(out + strlen(out), size - strlen(out), "%s\n", line[word] ? line : "");
		else
			snprintf(out + strlen(out), size - strlen(out), "%.*s", (int)len, at);
		at += len;
	}
}

static void every_wrong_line_is_told(void)
{
	static const char *const lines[] = {
		"sekimori-grant 2", "sekimori-grant", "id", "terminal", "class", "person", "access", "encrypted-only",
		"not-before", "not-after", "purpose", "device",
		"id \"000102030405060708090a0b0c0d0e\"", "id \"000102030405060708090A0b0c0d0e0f\"",
		"terminal \"\"", "terminal \"a\\x1b\"", "terminal \"a\" \"b\"",
		"device \"blake2b:a51c3\"", "device \"\"",
		"class stick", "class \"storage-plain\"", "class 1",
		"uid -1", "uid 4294967295", "uid 01", "uid 0x1",
		"access wr", "access \"ro\"", "encrypted-only 1",
		"not-before 2026-11-23T00:00:00Z", "not-before 2026-11-21T00:00:00", "not-before 2026-11-21",
		"not-before 2026-02-30T00:00:00Z", "not-after 2028-11-22T08:15:00Z",
		"seconds 0", "seconds 99999999999999999999", "uses 0", "uses 1001", "write-quota 0",
		"write-quota 18446744073709551616", "data-class IV", "form 9", "form 13-2", "return-by tomorrow",
		"purpose \"a\nb\"",
	};
	char text[2 * sizeof(whole)];
	struct grant grant;
	struct world w = {0};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		with_line(text, sizeof(text), lines[i]);
		w.errors = 0;
		EXPECT(grantfile_parse("g", text, strlen(text), count_error, &w, &grant) == -EINVAL && w.errors, lines[i]);
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const more[] = {"fly 1\n", "medium \"M-1\"\n", "uses 1\n"};

		snprintf(text, sizeof(text), "%s%s", whole, more[i]);
		EXPECT(grantfile_parse("g", text, strlen(text), count_error, &w, &grant) == -EINVAL, more[i]);
	}
	/* Cut anywhere: the optional lines at its end may go, and nothing else. */
	for (size_t len = 0; len < strlen(whole); len++) {
		int r = grantfile_parse("g", whole, len, NULL, NULL, &grant);

		CU_ASSERT(r == -EINVAL || strstr(whole, "data-class") - 1 <= whole + len);
	}
}

static void a_grant_that_no_file_holds_is_not_written(void)
{
	struct grant good, grant;
	struct world w = {0};

	CU_ASSERT_EQUAL_FATAL(grantfile_parse("g", whole, strlen(whole), count_error, &w, &good), 0);
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		grant = good;                                                                      \
		change;                                                                            \
		EXPECT(!grantfile_ok(&grant), #change);                                            \
	} while (0)
	REFUSED(grant.fingerprint[0] = '\0');
	REFUSED(grant.fingerprint[0] = 'B');
	REFUSED(strcpy(grant.medium, "M-1"));
	REFUSED(grant.terminal[0] = '\0');
	REFUSED(strcpy(grant.person, "a\n"));
	REFUSED(memset(grant.purpose, 'a', sizeof(grant.purpose)));
	REFUSED(grant.class = N_DEVICE_CLASSES);
	REFUSED(grant.access = 2);
	REFUSED(grant.not_after = grant.not_before);
	REFUSED(grant.not_after = grant.not_before + GRANTFILE_SECONDS_MAX + 1);
	REFUSED(grant.not_before = -1);
	REFUSED(grant.not_after = INT64_MAX);
	REFUSED(grant.uses = GRANTFILE_USES_MAX + 1);
	REFUSED(grant.write_quota = UINT64_MAX);
	REFUSED(strcpy(grant.form, "9"));
	REFUSED(strcpy(grant.form, "13-2"));
	REFUSED(strcpy(grant.data_class, "IV"));
	REFUSED(grant.return_by = -1);
#undef REFUSED
}

static const struct test tests[] = {
	TEST(a_signed_file_grants_what_it_says),
	TEST(what_is_written_is_what_is_read),
	TEST(a_file_without_the_desks_signature_is_not_read),
	TEST(a_terminal_without_trust_takes_no_file),
	TEST(a_file_is_for_one_terminal_a_time_and_once),
	TEST(every_wrong_line_is_told),
	TEST(a_grant_that_no_file_holds_is_not_written),
};

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	return testing_run("grantfile", tests, ARRAY_SIZE(tests));
}

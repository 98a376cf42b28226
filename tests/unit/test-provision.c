// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/provision.h"
#include "core/provisionfile.h"
#include "testing.h"

static void note_error(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	snprintf(userdata, 256, "%s:%u:%u: %s", file, line, column, message);
}

static void parts_are_known_by_their_names(void)
{
	static const struct {
		const char *name;
		enum provision_part part;
	} rows[] = {
		{ "provision.conf", PROVISION_CONF },
		{ "policy", PROVISION_POLICY },
		{ "policy.minisig", PROVISION_SIGNATURE },
		{ "policy.suzuki.minisig", PROVISION_SIGNATURE },
		{ "trust.d/board.trust", PROVISION_TRUST },
		{ "desk-log.pub", PROVISION_DESK_LOG },
		{ "organisation.key", PROVISION_ORGANISATION },
		{ "telephone.key", PROVISION_TELEPHONE },
		{ "organisation.key.sealed", PROVISION_ORGANISATION_SEALED },
		{ "telephone.key.sealed", PROVISION_TELEPHONE_SEALED },
		{ "", PROVISION_PARTS },
		{ "policy2", PROVISION_PARTS },
		{ "policy.minisig.new", PROVISION_PARTS },
		{ "policy.suzukiminisig", PROVISION_PARTS },
		{ "policy..minisig", PROVISION_PARTS },
		{ "policy.a b.minisig", PROVISION_PARTS },
		{ "policy./../x.minisig", PROVISION_PARTS },
		{ "trust.d/", PROVISION_PARTS },
		{ "trust.d/.trust", PROVISION_PARTS },
		{ "trust.d/.x.trust", PROVISION_PARTS },
		{ "trust.d/../x.trust", PROVISION_PARTS },
		{ "trust.d/a/b.trust", PROVISION_PARTS },
		{ "/policy", PROVISION_PARTS },
		{ "../policy", PROVISION_PARTS },
		{ "policy\n", PROVISION_PARTS },
	};
	char longer[PROVISION_NAME_MAX + 32];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(provision_part_find(rows[i].name) == rows[i].part, rows[i].name);
	snprintf(longer, sizeof(longer), "trust.d/%0*d.trust", PROVISION_NAME_MAX, 0);
	CU_ASSERT_EQUAL(provision_part_find(longer), PROVISION_PARTS);
	CU_ASSERT_TRUE(provision_part_is_secret(PROVISION_ORGANISATION) && provision_part_is_secret(PROVISION_TELEPHONE));
	CU_ASSERT_FALSE(provision_part_is_secret(PROVISION_ORGANISATION_SEALED));
}

static void what_is_written_is_read_again(void)
{
	struct provision provision = { .made = 1795219200 }, again;
	char error[256] = "";
	char *text;

	provision.is_set[PROVISION_TERMINAL] = true;
	strcpy(provision.values[PROVISION_TERMINAL], "税務 \"014\" \\");
	provision.is_set[PROVISION_SETTINGS - 1] = true;
	strcpy(provision.values[PROVISION_SETTINGS - 1], "/run/clamav/clamd.ctl");
	text = provision_format(&provision);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_EQUAL(provision_parse(&again, "p", text, strlen(text), note_error, error), 0);
	CU_ASSERT_STRING_EQUAL(error, "");
	CU_ASSERT_EQUAL(again.made, provision.made);
	for (size_t i = 0; i < PROVISION_SETTINGS; i++) {
		EXPECT(again.is_set[i] == provision.is_set[i], provision_setting_name(i));
		EXPECT(!strcmp(again.values[i], provision.values[i]), provision_setting_name(i));
	}
	free(text);
}

static void bad_files_are_named_at_their_place(void)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "", "p:1:1: expected the line" },
		{ "# nothing\n", "p:1:1: expected the line" },
		{ "sekimori-provision 2\n", "p:1:1: expected the line" },
		{ "\"sekimori-provision\" 1\n", "p:1:1: expected the line" },
		{ "sekimori-provision 1 x\n", "p:1:1: expected the line" },
		{ "sekimori-provision 1\npolicy-file /etc/passwd\n", "p:2:1: a provisioning does not set" },
		{ "sekimori-provision 1\nopener /bin/sh\n", "p:2:1: a provisioning does not set" },
		{ "sekimori-provision 1\n\"terminal\" a\n", "p:2:1: a provisioning does not set" },
		{ "sekimori-provision 1\nterminal\n", "p:2:9: expected a value" },
		{ "sekimori-provision 1\nterminal a b\n", "p:2:12: expected the end" },
		{ "sekimori-provision 1\nterminal a\nterminal a\n", "p:3:1: setting given twice: terminal" },
		{ "sekimori-provision 1\nterminal \"a\\x1b\"\n", "p:2:10: expected a text" },
		{ "sekimori-provision 1\nterminal \"\"\n", "p:2:10: expected a text" },
		{ "sekimori-provision 1\nmade yesterday\n", "p:2:6: expected" },
		{ "sekimori-provision 1\nmade 2026-11-21T00:00:00Z\nmade 2026-11-21T00:00:00Z\n", "p:3:1: setting given twice: made" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct provision provision;
		char error[256] = "";

		EXPECT(provision_parse(&provision, "p", rows[i].text, strlen(rows[i].text), note_error, error) == -EINVAL,
		       rows[i].text);
		EXPECT(!strncmp(error, rows[i].error, strlen(rows[i].error)), error);
	}
}

static void settings_change_where_they_stand(void)
{
	static const struct {
		const char *before, *after;
	} rows[] = {
		{ "", "terminal ZEI-014\nlog-rotate-mib 32\n" },
		{ "# a", "# a\nterminal ZEI-014\nlog-rotate-mib 32\n" },
		{ "terminal ZEI-014\nlog-rotate-mib 32\n", "terminal ZEI-014\nlog-rotate-mib 32\n" },
		{ "\tterminal  \"ZEI-014\" # quoted\nlog-rotate-mib 32", "\tterminal  \"ZEI-014\" # quoted\nlog-rotate-mib 32" },
		{ "log-rotate-mib\t64#\nterminal \"old \\\" name\"  # 窓口\nscanner /x\n",
		  "log-rotate-mib\t32#\nterminal ZEI-014  # 窓口\nscanner /x\n" },
		{ "\xef\xbb\xbfterminal a\r\nlog-rotate-mib 1", "\xef\xbb\xbfterminal ZEI-014\r\nlog-rotate-mib 32" },
		{ "# terminal x\n", "# terminal x\nterminal ZEI-014\nlog-rotate-mib 32\n" },
	};
	struct provision provision = { .made = 0 };

	for (size_t i = 0; i < PROVISION_SETTINGS; i++) {
		const char *value = i == PROVISION_TERMINAL ? "ZEI-014" : "32";

		provision.is_set[i] = i == PROVISION_TERMINAL || !strcmp(provision_setting_name(i), "log-rotate-mib");
		strcpy(provision.values[i], value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char error[256] = "", *out = NULL;
		size_t len = 0;

		EXPECT(!provision_edit(&provision, "c", rows[i].before, strlen(rows[i].before), note_error, error, &out, &len),
		       rows[i].before);
		EXPECT(out && len == strlen(rows[i].after) && !memcmp(out, rows[i].after, len), out ? out : error);
		free(out);
	}
}

static void a_text_with_errors_is_not_edited(void)
{
	struct provision provision = { .made = 0 };
	char error[256] = "", *out = NULL;
	size_t len;

	CU_ASSERT_EQUAL(provision_edit(&provision, "c", "terminal \"a\n", 12, note_error, error, &out, &len), -EINVAL);
	CU_ASSERT_EQUAL(provision_edit(&provision, "c", "a\0b\n", 4, note_error, error, &out, &len), -EINVAL);
	CU_ASSERT_PTR_NULL(out);
}

/* --- the file ------------------------------------------------------------------------------------ */

#define HEAD "sekimori-provisioning 1\n"

static void one_set_of_parts_has_one_form(void)
{
	static struct provisionfile one, other, again;
	char *a, *b;
	size_t a_len, b_len;

	one.n = other.n = 0;
	CU_ASSERT_EQUAL(provisionfile_add(&one, "policy", "p\0q", 3), 0);
	CU_ASSERT_EQUAL(provisionfile_add(&one, "desk-log.pub", "", 0), 0);
	CU_ASSERT_EQUAL(provisionfile_add(&other, "desk-log.pub", "", 0), 0);
	CU_ASSERT_EQUAL(provisionfile_add(&other, "policy", "p\0q", 3), 0);
	CU_ASSERT_EQUAL_FATAL(provisionfile_format(&one, &a, &a_len), 0);
	CU_ASSERT_EQUAL_FATAL(provisionfile_format(&other, &b, &b_len), 0);
	CU_ASSERT_TRUE(a_len == b_len && !memcmp(a, b, a_len));
	CU_ASSERT_EQUAL_FATAL(provisionfile_parse(&again, a, a_len), 0);
	CU_ASSERT_EQUAL_FATAL(again.n, 2);
	CU_ASSERT_STRING_EQUAL(again.parts[1].name, "policy");
	CU_ASSERT_TRUE(again.parts[1].len == 3 && !memcmp(again.parts[1].data, "p\0q", 3));
	/* Cut off anywhere but between two parts, it is no such file. */
	for (size_t len = 0; len < a_len; len++) {
		struct provisionfile *cut = &other;
		char *exact = malloc(len ? len : 1);

		memcpy(exact, a, len);
		if (len != strlen(HEAD) && len != strlen(HEAD "part desk-log.pub 0\n\n"))
			CU_ASSERT_NOT_EQUAL(provisionfile_parse(cut, exact, len), 0);
		free(exact);
	}
	free(a);
	free(b);
}

static void other_bytes_are_no_provisioning_file(void)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{ "", PROVISIONFILE_E_FORM },
		{ "sekimori-provisioning 2\n", PROVISIONFILE_E_FORM },
		{ HEAD "part policy 1\nx", PROVISIONFILE_E_FORM },
		{ HEAD "part policy 1\nxy", PROVISIONFILE_E_FORM },
		{ HEAD "part policy 01\nx\n", PROVISIONFILE_E_FORM },
		{ HEAD "part policy -1\nx\n", PROVISIONFILE_E_FORM },
		{ HEAD "part policy 999999999999999\nx\n", PROVISIONFILE_E_FORM },
		{ HEAD "part policy 999999999\nx\n", PROVISIONFILE_E_FORM },
		{ HEAD "part policy \n\n", PROVISIONFILE_E_FORM },
		{ HEAD "policy 1\nx\n", PROVISIONFILE_E_FORM },
		{ HEAD "part policy 1\nx\nmore\n", PROVISIONFILE_E_FORM },
		{ HEAD "part policy 1\nx\npart desk-log.pub 1\nx\n", PROVISIONFILE_E_ORDER },
		{ HEAD "part policy 1\nx\npart policy 1\nx\n", PROVISIONFILE_E_ORDER },
		{ HEAD "part ../policy 1\nx\n", PROVISIONFILE_E_NAME },
		{ HEAD "part organisation.key 1\nx\n", PROVISIONFILE_E_NAME },
		{ HEAD "part telephone.key 1\nx\n", PROVISIONFILE_E_NAME },
		{ HEAD "part trust.d/../../x.trust 1\nx\n", PROVISIONFILE_E_NAME },
	};
	static struct provisionfile file;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(provisionfile_parse(&file, rows[i].text, strlen(rows[i].text)) == rows[i].code, rows[i].text);
	CU_ASSERT_EQUAL(provisionfile_parse(&file, HEAD "part pol\0icy 1\nx\n", strlen(HEAD) + 17), PROVISIONFILE_E_NAME);
}

static void parts_have_a_size_and_a_number(void)
{
	static struct provisionfile file;
	static char large[PROVISION_CONF_MAX + 1];
	char name[PROVISION_NAME_MAX];

	file.n = 0;
	CU_ASSERT_EQUAL(provisionfile_add(&file, "provision.conf", large, sizeof(large)), PROVISIONFILE_E_LARGE);
	for (unsigned int i = 0; i < PROVISIONFILE_PARTS_MAX; i++) {
		snprintf(name, sizeof(name), "trust.d/%u.trust", i);
		EXPECT(!provisionfile_add(&file, name, "", 0), name);
	}
	CU_ASSERT_EQUAL(provisionfile_add(&file, "policy", "", 0), PROVISIONFILE_E_MANY);
}

static const struct test tests[] = {
	TEST(parts_are_known_by_their_names),
	TEST(what_is_written_is_read_again),
	TEST(bad_files_are_named_at_their_place),
	TEST(settings_change_where_they_stand),
	TEST(a_text_with_errors_is_not_edited),
	TEST(one_set_of_parts_has_one_form),
	TEST(other_bytes_are_no_provisioning_file),
	TEST(parts_have_a_size_and_a_number),
};

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	return testing_run("provision", tests, ARRAY_SIZE(tests));
}

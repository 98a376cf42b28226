// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/settings.h"
#include "testing.h"

static void note_error(void *userdata, const char *file, unsigned int line, unsigned int column,
		       const char *message)
{
	snprintf(userdata, 256, "%s:%u:%u: %s", file, line, column, message);
}

static void settings_stand_over_the_defaults(void)
{
	static const char text[] = "# 端末\nterminal \"税務 014\"\ninspect-deadline 3\n"
				   "exceptions /srv/exceptions.sqlite\nlog-file /srv/log # elsewhere\nlog-rotate-mib 4096\n"
				   "log-checkpoint-minutes 1\n";
	struct settings settings;
	char error[256] = "";

	settings_init(&settings);
	CU_ASSERT_EQUAL(
		settings_parse(&settings, "c", text, sizeof(text) - 1, note_error, error), 0);
	CU_ASSERT_STRING_EQUAL(settings.terminal, "税務 014");
	CU_ASSERT_STRING_EQUAL(settings.log_file, "/srv/log");
	CU_ASSERT_STRING_EQUAL(settings.policy_file, "/etc/sekimori/policy");
	CU_ASSERT_STRING_EQUAL(settings.exceptions, "/srv/exceptions.sqlite");
	CU_ASSERT_EQUAL(settings.inspect_deadline_ms, 3000);
	CU_ASSERT_EQUAL(settings.log_rotate_mib, 4096);
	CU_ASSERT_EQUAL(settings.log_checkpoint_minutes, 1);
	CU_ASSERT_EQUAL(settings.log_checkpoint_records, 1000);
}

static void bad_settings_are_named(void)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "colour red", "c:1:1: unknown setting" },
		{ "\"terminal\" a", "c:1:1: unknown setting" },
		{ "\n terminal", "c:2:10: expected a value" },
		{ "terminal a b", "c:1:12: expected the end" },
		{ "terminal a\nterminal b", "c:2:1: setting given twice" },
		{ "policy-file etc/policy", "c:1:13: expected an absolute path" },
		{ "inspect-deadline 0", "c:1:18: expected whole seconds" },
		{ "inspect-deadline 61", "c:1:18: expected whole seconds" },
		{ "inspect-deadline 8s", "c:1:18: expected whole seconds" },
		{ "mode off", "c:1:6: expected enforce or drill" },
		{ "mode", "c:1:5: expected a value" },
		{ "mode drill now", "c:1:12: expected the end" },
		{ "mode drill\nmode enforce", "c:2:1: setting given twice" },
		{ "log-rotate-mib 0", "c:1:16: expected a whole number from 1 to 4096" },
		{ "log-rotate-days 367", "c:1:17: expected a whole number from 1 to 366" },
		{ "log-checkpoint-records 1e3", "c:1:24: expected a whole number" },
		{ "telephone-key key", "c:1:15: expected an absolute path" },
		{ "log-checkpoint-minutes -1", "c:1:24: expected a whole number" },
		{ "inspect-deadline 99999999999999999999", "c:1:18: expected whole seconds" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct settings settings;
		char error[256] = "";

		settings_init(&settings);
		EXPECT(settings_parse(&settings, "c", rows[i].text, strlen(rows[i].text), note_error,
				      error) == -EINVAL,
		       rows[i].text);
		EXPECT(!strncmp(error, rows[i].error, strlen(rows[i].error)), error);
	}
}

static enum settings_mode mode_of(const char *text)
{
	struct settings settings;
	char error[256] = "";

	settings_init(&settings);
	CU_ASSERT_EQUAL(settings_parse(&settings, "c", text, strlen(text), note_error, error), 0);
	return settings.mode;
}

static void a_terminal_enforces_unless_it_says_drill(void)
{
	CU_ASSERT_EQUAL(mode_of(""), SETTINGS_ENFORCE);
	CU_ASSERT_EQUAL(mode_of("mode enforce\n"), SETTINGS_ENFORCE);
	CU_ASSERT_EQUAL(mode_of("mode drill\n"), SETTINGS_DRILL);
}

static const struct test tests[] = {
	TEST(a_terminal_enforces_unless_it_says_drill),
	TEST(settings_stand_over_the_defaults),
	TEST(bad_settings_are_named),
};

int main(void)
{
	return testing_run("settings", tests, ARRAY_SIZE(tests));
}

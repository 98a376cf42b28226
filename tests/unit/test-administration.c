// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/administration: who stands in the record; the user database, which may be a server far away, is not asked. */
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "bus/caller.h"
#include "core/macro.h"
#include "daemon/administration.h"
#include "log-reader.h"
#include "system/username.h"
#include "testing.h"

static unsigned int asked; /* the user database */
static unsigned int records;
static char user[USERNAME_MAX];
static int64_t uid;

/* In libc's place. */
struct passwd *getpwuid(uid_t id)
{
	asked++;
	return NULL;
}

int getpwuid_r(uid_t id, struct passwd *entry, char *buffer, size_t size, struct passwd **found)
{
	asked++;
	*found = NULL;
	return 0;
}

static void recorded(void *userdata, struct json_object *record)
{
	struct json_object *value;

	records++;
	user[0] = '\0';
	uid = -1;
	if (json_object_object_get_ex(record, "user", &value))
		snprintf(user, sizeof(user), "%s", json_object_get_string(value));
	if (json_object_object_get_ex(record, "uid", &value))
		uid = json_object_get_int64(value);
	json_object_put(record);
}

static void witness(struct administration *administration, uid_t caller_uid)
{
	struct bus_caller caller = { .uid = caller_uid };
	struct bus_deed deed = { .path = "/", .interface = "org.sekimori.Sekimori1.Manager", .method = "ReloadPolicy",
				 .action = "org.sekimori.reload-policy", .caller = &caller };

	administration_witness(administration, &deed);
}

static void names_are_those_of_the_terminal_s_own_file_and_nobody_else_is_asked(void)
{
	struct administration *administration = NULL;
	sd_event *event = NULL;

	CU_ASSERT_TRUE_FATAL(sd_event_new(&event) >= 0);
	CU_ASSERT_EQUAL_FATAL(administration_new(&administration, event, recorded, NULL), 0);
	witness(administration, 0);
	CU_ASSERT_STRING_EQUAL(user, "root");
	/* Nobody here; a directory service may know him. */
	witness(administration, 1234567890);
	CU_ASSERT_STRING_EQUAL(user, "");
	CU_ASSERT_EQUAL(uid, 1234567890);
	witness(administration, (uid_t)-1);
	CU_ASSERT_STRING_EQUAL(user, "");
	CU_ASSERT_EQUAL(uid, -1);
	CU_ASSERT_EQUAL(records, 3);
	CU_ASSERT_EQUAL(asked, 0);
	administration_free(administration);
	sd_event_unref(event);
}

static void only_a_user_s_own_line_names_him(void)
{
	static const char text[] = "# comment\nroot:x:0:0::/root:/bin/sh\n\nno-number:x::0::/:/bin/sh\n"
				   "+nis:x:1001:1001::/:/bin/sh\n"
				   "tanaka:x:1001:1001:\xe7\x94\xb0\xe4\xb8\xad:/home/tanaka:/bin/sh\n"
				   "second:x:1001:1001::/:/bin/sh\nlast:x:4294967294:1::/:/bin/sh";
	static const struct {
		uid_t uid;
		const char *name;
	} rows[] = {
		{ 0, "root" }, { 1001, "tanaka" }, { 4294967294u, "last" }, { 1002, "" }, { 100, "" },
	};
	char path[] = "/tmp/test-administration-XXXXXX", name[USERNAME_MAX];
	int fd = mkstemp(path);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	close(fd);
	reader_write(path, text, sizeof(text) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CU_ASSERT_EQUAL(username_local(path, rows[i].uid, name), rows[i].name[0] != '\0');
		CU_ASSERT_STRING_EQUAL(name, rows[i].name);
	}
	unlink(path);
	CU_ASSERT_FALSE(username_local(path, 0, name));
	CU_ASSERT_STRING_EQUAL(name, "");
}

int main(void)
{
	static const struct test tests[] = {
		TEST(names_are_those_of_the_terminal_s_own_file_and_nobody_else_is_asked),
		TEST(only_a_user_s_own_line_names_him),
	};

	return testing_run("administration", tests, ARRAY_SIZE(tests));
}

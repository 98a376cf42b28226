// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "core/macro.h"
#include "log/logjson.h"
#include "testing.h"

/* In a block of its own size, so that the sanitizer sees a byte too many. */
static bool is_object(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	bool is;

	memcpy(copy, text, len);
	is = logjson_is_object(copy, len);
	free(copy);
	return is;
}

static void objects_are_known(void)
{
	static const char *const good[] = {
		"{}", "{ }", "{\"a\":1}", "{\"a\" : [ ] , \"b\":{}}", "{\"a\":[1,-0,0.5,1e9,-2.5E-3,true,false,null,\"\"]}",
		"{\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fF\":\"\xe6\x97\xa5\xff\x01\"}", "{\"a\":[[[[[[[1]]]]]]]}", "{\"a\":1,\"a\":2}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		EXPECT(is_object(good[i], strlen(good[i])), good[i]);
}

static void what_only_others_read_is_refused(void)
{
	static const char *const bad[] = {
		"", "{", "}", "[]", "1", "\"a\"", "{}x", "{} ", " {}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1 \"b\":2}", "{a:1}",
		"{'a':1}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":1e}", "{\"a\":-}",
		"{\"a\":tru}", "{\"a\":TRUE}", "{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":[}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}",
		"{\"a\":\"\\u12\"}", "{\"a\":\"b}", "{\"a\":\"\\", "{\"a\":/**/1}", "{\"a\":[[[[[[[[1]]]]]]]]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(!is_object(bad[i], strlen(bad[i])), bad[i]);
	CU_ASSERT_FALSE(is_object("{\"a\":\"\\\0\"}", 10));
	CU_ASSERT_FALSE(is_object("{\"a\":\0}", 7));
}

static void no_beginning_of_an_object_is_one(void)
{
	static const char text[] = "{\"a\":[-1.5e+3,true,{\"b\":\"\\u00e9\\n\"}],\"c\":null}";

	for (size_t len = 0; len < sizeof(text) - 1; len++)
		CU_ASSERT_FALSE(is_object(text, len));
	CU_ASSERT_TRUE(is_object(text, sizeof(text) - 1));
}

static const struct test tests[] = {
	TEST(objects_are_known),
	TEST(what_only_others_read_is_refused),
	TEST(no_beginning_of_an_object_is_one),
};

int main(void)
{
	return testing_run("logjson", tests, ARRAY_SIZE(tests));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame of a unit test: a table of functions, each named by the behaviour it proves, run as one
 * CUnit suite.
 *
 *	static const struct test tests[] = {TEST(empty_text_is_refused), …};
 *	int main(void) { return testing_run("lexer", tests, ARRAY_SIZE(tests)); }
 */
#pragma once

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(function)                                                                             \
	{                                                                                          \
#function, function                                                                \
	}

/* For tables of cases inside one test: a failure is reported under the name of its row. */
#define EXPECT(condition, row)                                                                     \
	CU_assertImplementation(!!(condition), __LINE__, (row), __FILE__, "", CU_FALSE)

/*
 * Turns of an event loop until something is so. It ends only what would hang: the machine may be busy with other tests, so neither turns nor
 * a second or two say that something never happens. The test asserts the condition afterwards.
 */
#define TESTING_PATIENCE_S 60
#define RUN_UNTIL(event, condition)                                                                                      \
	for (time_t end_ = time(NULL) + TESTING_PATIENCE_S; !(condition) && time(NULL) < end_;)                          \
		sd_event_run((event), 20000)

static inline bool testing_has_children(void)
{
	siginfo_t info;

	return !waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
}

/* Runs them all, prints CUnit's summary; the exit status: 0 if all passed, else 1. */
static inline int testing_run(const char *suite_name, const struct test *tests, size_t n)
{
	unsigned int failures;
	CU_pSuite suite;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	suite = CU_add_suite(suite_name, NULL, NULL);
	for (size_t i = 0; suite && i < n; i++)
		if (!CU_add_test(suite, tests[i].name, tests[i].run))
			suite = NULL;
	if (!suite) {
		fprintf(stderr, "%s: %s\n", suite_name, CU_get_error_msg());
		CU_cleanup_registry();
		return 1;
	}
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon's secrets: which file it is, and that one which nobody could open is not taken for none. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/macro.h"
#include "daemon/secret.h"
#include "testing.h"

static char dir[] = "/tmp/secret-XXXXXX";

static const char *at(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT, 0600);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
}

/* The result, and what follows the directory; "" none. */
static int find(const char *opened, enum secret secret, char found[static 64])
{
	static char sealed[64], plain[64];
	const char *const stores[] = { sealed, plain, NULL };
	_cleanup_(freep) char *path = NULL;
	int r;

	snprintf(sealed, sizeof(sealed), "%s/sealed", dir);
	snprintf(plain, sizeof(plain), "%s/plain", dir);
	r = secret_find_in(opened, stores, secret, &path);
	snprintf(found, 64, "%s", path ? path + strlen(dir) + 1 : "");
	return r;
}

static void secret_of_nobody_is_absent(void)
{
	char found[64];

	CU_ASSERT_EQUAL(find(dir, SECRET_ORGANISATION, found), SECRET_E_ABSENT);
	CU_ASSERT_STRING_EQUAL(found, "");
	/* Not ours to look for: nothing opens secrets for a daemon that no unit has started. */
	put("sealed/sekimori.organisation");
	CU_ASSERT_EQUAL(find(NULL, SECRET_ORGANISATION, found), SECRET_E_ABSENT);
	unlink(at("sealed/sekimori.organisation"));
}

static void secret_that_lies_in_a_store_alone_is_unopened(void)
{
	static const char *const stores[] = { "sealed", "plain" };
	char found[64], name[64];

	for (size_t i = 0; i < ARRAY_SIZE(stores); i++) {
		snprintf(name, sizeof(name), "%s/sekimori.telephone", stores[i]);
		put(name);
		EXPECT(find(dir, SECRET_TELEPHONE, found) == SECRET_E_UNOPENED, stores[i]);
		EXPECT(!found[0], stores[i]);
		EXPECT(find(dir, SECRET_ORGANISATION, found) == SECRET_E_ABSENT, stores[i]);
		unlink(at(name));
	}
}

static void sealed_secret_counts_before_the_plain_one(void)
{
	char found[64];

	put("sealed/sekimori.organisation");
	put("organisation/plain");
	CU_ASSERT_EQUAL(find(dir, SECRET_ORGANISATION, found), 0);
	CU_ASSERT_STRING_EQUAL(found, "organisation/plain");
	put("organisation/sekimori.organisation");
	CU_ASSERT_EQUAL(find(dir, SECRET_ORGANISATION, found), 0);
	CU_ASSERT_STRING_EQUAL(found, "organisation/sekimori.organisation");
	CU_ASSERT_EQUAL(find(dir, SECRET_TELEPHONE, found), SECRET_E_ABSENT);
	unlink(at("organisation/sekimori.organisation"));
	unlink(at("organisation/plain"));
	unlink(at("sealed/sekimori.organisation"));
}

int main(void)
{
	static const char *const dirs[] = { "sealed", "plain", "organisation" };
	static const struct test tests[] = {
		TEST(secret_of_nobody_is_absent),
		TEST(secret_that_lies_in_a_store_alone_is_unopened),
		TEST(sealed_secret_counts_before_the_plain_one),
	};
	int status;

	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdir(at(dirs[i]), 0700) < 0)
			return EXIT_FAILURE;
	status = testing_run("secret", tests, ARRAY_SIZE(tests));
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		rmdir(at(dirs[i]));
	rmdir(dir);
	return status;
}

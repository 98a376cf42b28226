// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon's secrets: which file it is, and that one which nobody could open is not taken for none. */
#include <fcntl.h>
#include <stdbool.h>
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
static int find(bool by_unit, enum secret secret, char found[static 64])
{
	char opened[64], loaded[64], store[64];
	const struct secret_places places = { .opened = by_unit ? opened : NULL, .loaded = by_unit ? loaded : NULL, .store = store };
	_cleanup_(freep) char *path = NULL;
	int r;

	snprintf(opened, sizeof(opened), "%s/opened", dir);
	snprintf(loaded, sizeof(loaded), "%s/loaded", dir);
	snprintf(store, sizeof(store), "%s/store", dir);
	r = secret_find_in(&places, secret, &path);
	snprintf(found, 64, "%s", path ? path + strlen(dir) + 1 : "");
	return r;
}

static void secret_of_nobody_is_absent(void)
{
	char found[64];

	CU_ASSERT_EQUAL(find(true, SECRET_ORGANISATION, found), SECRET_E_ABSENT);
	CU_ASSERT_STRING_EQUAL(found, "");
	/* Not ours to look for: nothing opens secrets for a daemon that no unit has started. */
	put("store/sekimori.organisation");
	CU_ASSERT_EQUAL(find(false, SECRET_ORGANISATION, found), SECRET_E_ABSENT);
	unlink(at("store/sekimori.organisation"));
}

static void secret_that_lies_in_the_store_alone_is_unopened(void)
{
	char found[64];

	put("store/sekimori.telephone");
	CU_ASSERT_EQUAL(find(true, SECRET_TELEPHONE, found), SECRET_E_UNOPENED);
	CU_ASSERT_STRING_EQUAL(found, "");
	CU_ASSERT_EQUAL(find(true, SECRET_ORGANISATION, found), SECRET_E_ABSENT);
	unlink(at("store/sekimori.telephone"));
}

static void sealed_secret_counts_before_the_plain_one(void)
{
	char found[64];

	put("store/sekimori.organisation");
	put("loaded/sekimori.organisation");
	/* Also one that nobody could open. */
	CU_ASSERT_EQUAL(find(true, SECRET_ORGANISATION, found), SECRET_E_UNOPENED);
	CU_ASSERT_STRING_EQUAL(found, "");
	put("opened/organisation/sekimori.organisation");
	CU_ASSERT_EQUAL(find(true, SECRET_ORGANISATION, found), 0);
	CU_ASSERT_STRING_EQUAL(found, "opened/organisation/sekimori.organisation");
	CU_ASSERT_EQUAL(find(true, SECRET_TELEPHONE, found), SECRET_E_ABSENT);
	unlink(at("opened/organisation/sekimori.organisation"));
	unlink(at("store/sekimori.organisation"));
	CU_ASSERT_EQUAL(find(true, SECRET_ORGANISATION, found), 0);
	CU_ASSERT_STRING_EQUAL(found, "loaded/sekimori.organisation");
	unlink(at("loaded/sekimori.organisation"));
}

int main(void)
{
	static const char *const dirs[] = { "store", "loaded", "opened", "opened/organisation" };
	static const struct test tests[] = {
		TEST(secret_of_nobody_is_absent),
		TEST(secret_that_lies_in_the_store_alone_is_unopened),
		TEST(sealed_secret_counts_before_the_plain_one),
	};
	int status;

	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdir(at(dirs[i]), 0700) < 0)
			return EXIT_FAILURE;
	status = testing_run("secret", tests, ARRAY_SIZE(tests));
	for (size_t i = ARRAY_SIZE(dirs); i-- > 0;)
		rmdir(at(dirs[i]));
	rmdir(dir);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/released.h"
#include "testing.h"

static char dir[] = "/tmp/released-XXXXXX";
static char path[64];

static struct device device_make(const char *name, unsigned int devnum)
{
	struct device device = { .ident = { .busnum = 2, .devnum = devnum }, .access = ACCESS_RO };

	strcpy(device.ident.name, name);
	strcpy(device.ident.fingerprint, "blake2b:00112233445566778899aabbccddeeff");
	strcpy(device.medium, "ZEI 001");
	return device;
}

/* What a daemon that starts knows of it; false: nothing. */
static bool restart(struct device *device, uint64_t *written)
{
	struct device plugged = device_make(device->ident.name, device->ident.devnum);
	struct released *released;
	bool known;

	plugged.access = ACCESS_RW;
	plugged.medium[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(released_new(&released, path), 0);
	known = released_restore(released, &plugged, written);
	released_free(released);
	*device = plugged;
	return known;
}

static void a_use_is_known_after_a_restart_and_only_of_that_attach(void)
{
	struct device device = device_make("2-1", 7), other;
	struct released *released;
	uint64_t written = 1;

	device.used.number = 12;
	memset(device.used.grant, 0xa5, sizeof(device.used.grant));
	CU_ASSERT_EQUAL_FATAL(released_new(&released, path), 0);
	CU_ASSERT_EQUAL(released_add(released, &device, NULL, 0), 0);

	CU_ASSERT_TRUE(restart(&device, &written));
	CU_ASSERT_EQUAL(device.used.number, 12);
	CU_ASSERT_EQUAL(device.used.grant[0], 0xa5);
	CU_ASSERT_EQUAL(device.used.grant[15], 0xa5);
	CU_ASSERT_EQUAL(device.access, ACCESS_RO);
	CU_ASSERT_STRING_EQUAL(device.medium, "ZEI 001");
	CU_ASSERT_EQUAL(written, 0);

	CU_ASSERT_EQUAL(released_written(released, &device, 1ull << 40), 0);
	CU_ASSERT_TRUE(restart(&device, &written));
	CU_ASSERT_EQUAL(written, 1ull << 40);

	/* Plugged in anew it has another number. */
	other = device_make("2-1", 8);
	CU_ASSERT_FALSE(restart(&other, &written));
	CU_ASSERT_EQUAL(other.used.number, 0);

	CU_ASSERT_EQUAL(released_remove(released, &device), 0);
	CU_ASSERT_FALSE(restart(&device, &written));
	/* What was not released has nothing to be noted. */
	CU_ASSERT_EQUAL(released_written(released, &device, 5), 0);
	CU_ASSERT_FALSE(restart(&device, &written));
	released_free(released);
}

static void a_line_that_is_not_whole_is_nobodys(void)
{
	static const char *const lines[] = {
		/* as it was before there were exceptions */
		"2-1 2 7 blake2b:00112233445566778899aabbccddeeff ro - - ZEI 001\n",
		"2-1 2 7 blake2b:00112233445566778899aabbccddeeff ro 12 a5 x - - ZEI 001\n",
		"2-1 2 7 blake2b:00112233445566778899aabbccddeeff ro\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct device device = device_make("2-1", 7);
		uint64_t written;
		FILE *file = fopen(path, "w");

		fputs(lines[i], file);
		fclose(file);
		chmod(path, 0600);
		EXPECT(!restart(&device, &written), lines[i]);
	}
}

/* An id that is not one is no use: the device takes another, rather than live on somebody else's. */
static void a_damaged_grant_is_no_use(void)
{
	struct device device = device_make("2-1", 7);
	uint64_t written;
	FILE *file = fopen(path, "w");

	fputs("2-1 2 7 blake2b:00112233445566778899aabbccddeeff ro 12 a5a5 0 - - -\n", file);
	fclose(file);
	chmod(path, 0600);
	CU_ASSERT_TRUE(restart(&device, &written));
	CU_ASSERT_EQUAL(device.used.number, 0);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(a_use_is_known_after_a_restart_and_only_of_that_attach),
		TEST(a_line_that_is_not_whole_is_nobodys),
		TEST(a_damaged_grant_is_no_use),
	};
	int status;

	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/released", dir);
	status = testing_run("released", tests, ARRAY_SIZE(tests));
	unlink(path);
	rmdir(dir);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* system/mounts: mountinfo read, and who works on a mount. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "core/macro.h"
#include "system/mounts.h"
#include "testing.h"

static void mounts_of_one_device_are_found_with_their_places(void)
{
	static const char text[] =
		"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
		"40 22 253:3 / /run/media/tanaka/My\\040Stick\\134 rw,nosuid - exfat /dev/mapper/x rw\n"
		"nonsense\n"
		"41 22 x:y / /run/a rw - exfat /dev/mapper/x rw\n"
		"42 22 253:3\n"
		"43 22 253:3 /sub /mnt rw - exfat /dev/mapper/x rw\n"
		"44 22 3:253 / /other rw - exfat /dev/mapper/x rw";
	struct mounts mounts;

	CU_ASSERT_EQUAL_FATAL(mounts_parse(text, makedev(253, 3), &mounts), 0);
	CU_ASSERT_EQUAL_FATAL(mounts.n, 2);
	CU_ASSERT_EQUAL(mounts.entries[0].id, 40);
	CU_ASSERT_STRING_EQUAL(mounts.entries[0].point, "/run/media/tanaka/My Stick\\");
	CU_ASSERT_STRING_EQUAL(mounts.entries[1].point, "/mnt");
	mounts_deinit(&mounts);
	CU_ASSERT_EQUAL(mounts_parse("", makedev(253, 3), &mounts), 0);
	CU_ASSERT_EQUAL(mounts.n, 0);
	mounts_deinit(&mounts);
}

static void the_root_has_a_device_and_nowhere_has_none(void)
{
	dev_t devno = 0;
	struct mounts mounts;

	CU_ASSERT_EQUAL(mounts_device("/", &devno), 0);
	CU_ASSERT_EQUAL_FATAL(mounts_find(devno, &mounts), 0);
	CU_ASSERT_TRUE(mounts.n >= 1);
	mounts_deinit(&mounts);
	CU_ASSERT_EQUAL(mounts_device("/no/such/place", &devno), MOUNTS_E_NONE);
}

/* A process that is somewhere on /proc by its working directory, and by nothing else. */
static void a_process_is_found_by_its_directory(void)
{
	struct mounts mounts = { 0 };
	struct mounts_holder holders[MOUNTS_HOLDERS_MAX];
	bool found = false;
	char byte;
	int ready[2];
	dev_t devno;
	size_t n;
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
	child = fork();
	if (!child) {
		if (chdir("/proc/self") < 0)
			_exit(1);
		close(ready[0]);
		close(ready[1]);
		pause();
	}
	close(ready[1]);
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	CU_ASSERT_EQUAL(mounts_device("/proc", &devno), 0);
	CU_ASSERT_EQUAL(mounts_find(devno, &mounts), 0);
	n = mounts_holders(&mounts, holders);
	for (size_t i = 0; i < n; i++)
		found |= holders[i].pid == child && !strncmp(holders[i].name, "test-mounts", 11);
	/* Others may fill the list on a busy machine. */
	CU_ASSERT_TRUE(found || n == MOUNTS_HOLDERS_MAX);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	mounts_deinit(&mounts);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(mounts_of_one_device_are_found_with_their_places),
		TEST(the_root_has_a_device_and_nowhere_has_none),
		TEST(a_process_is_found_by_its_directory),
	};

	return testing_run("mounts", tests, ARRAY_SIZE(tests));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sekimori-road: what modprobe runs in the place of loading a driver of a road for media that is not USB
 * (udev-rules/sekimori-modprobe.conf). It loads nothing and fails, as /bin/false would; during a drill (docs/drill.md) it says in the
 * kernel's log that the road would be closed, and loads the driver.
 *
 *	sekimori-road MODULE         from modprobe.d: install MODULE …
 *	sekimori-road --tell WHAT    from udev: a road is open because of the drill (it fails if there is none)
 *
 * It takes nothing from its environment and reads nothing but that there is a drill, so it may run as early and as privileged
 * as it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* sekimorid keeps it (daemon/drill.h). */
#define DRILL_FILE "/run/sekimori/drill"

#define MODPROBE "/sbin/modprobe"

/* The kernel's longest, MODULE_NAME_LEN: 64 bytes less a pointer. */
#define NAME_MAX_LEN 56

/* One of root's own; a link, or anybody else's file, is no drill. */
static bool drill_is_on(void)
{
	struct stat st;

	return !lstat(DRILL_FILE, &st) && S_ISREG(st.st_mode) && !st.st_uid && !(st.st_mode & 022);
}

/* Letters, digits and what else stands in names of modules and devices: it goes to the log and to modprobe. */
static bool name_is_sound(const char *name)
{
	static const char sound[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:.";
	size_t len = strlen(name);

	return len && len <= NAME_MAX_LEN && name[0] != '-' && strspn(name, sound) == len;
}

/* <4>: a warning (include/linux/kern_levels.h). Where the log cannot be written the road is told of by its devices alone. */
static void tell(const char *what)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	dprintf(fd, "<4>sekimori: drill mode: %s would be blocked\n", what);
	close(fd);
}

int main(int argc, char **argv)
{
	static char *const nothing[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	bool only_tell = argc == 3 && !strcmp(argv[1], "--tell");
	const char *name = argc > 1 ? argv[argc - 1] : "";

	if (!(argc == 2 || only_tell) || !name_is_sound(name)) {
		fputs("Usage: sekimori-road MODULE\n       sekimori-road --tell WHAT\n", stderr);
		return 2;
	}
	if (!drill_is_on())
		return EXIT_FAILURE;
	tell(name);
	if (only_tell)
		return EXIT_SUCCESS;
	execle(MODPROBE, "modprobe", "--ignore-install", "--", name, (char *)NULL, nothing);
	fprintf(stderr, "sekimori-road: " MODPROBE ": %s\n", strerror(errno));
	return EXIT_FAILURE;
}

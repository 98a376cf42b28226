// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/target-use.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Partitions and what is built on them; more than this is no stick. */
#define DEVICES_MAX 256

struct devices {
	dev_t ids[DEVICES_MAX];
	size_t n;
	char holder[64]; /* the first thing that is built upon one of them */
};

/* Where a running system lives: what is mounted there must not be wiped, whatever it is. */
static const char *const system_places[] = {"/",    "/boot", "/boot/efi", "/usr",
					    "/var", "/home", "/etc"};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static void fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

static bool has(const struct devices *devices, dev_t id)
{
	for (size_t i = 0; i < devices->n; i++)
		if (devices->ids[i] == id)
			return true;
	return false;
}

static bool read_id(const char *directory, const char *name, dev_t *id)
{
	_cleanup_(fclosep) FILE *file = NULL;
	unsigned int a, b;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/dev", directory, name);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%u:%u", &a, &b) != 2)
		return false;
	*id = makedev(a, b);
	return true;
}

static int collect(struct devices *devices, dev_t id);

/* The devices that `directory` names: partitions of a disk, or holders of a device. */
static int collect_below(struct devices *devices, const char *directory, bool holders)
{
	_cleanup_(closedirp) DIR *dir = opendir(directory);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		dev_t id;
		int r;

		if (entry->d_name[0] == '.' || !read_id(directory, entry->d_name, &id))
			continue;
		if (holders && !devices->holder[0])
			snprintf(devices->holder, sizeof(devices->holder), "%.63s", entry->d_name);
		r = collect(devices, id);
		if (r)
			return r;
	}
	return 0;
}

static int collect(struct devices *devices, dev_t id)
{
	char path[PATH_MAX];
	int r;

	if (has(devices, id))
		return 0;
	if (devices->n == DEVICES_MAX)
		return -E2BIG;
	devices->ids[devices->n++] = id;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(id), minor(id));
	r = collect_below(devices, path, false);
	if (r)
		return r;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders", major(id), minor(id));
	return collect_below(devices, path, true);
}

/* mountinfo writes blank, tab, line feed and backslash as three octal digits: proc(5). */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		unsigned int c;

		if (*text == '\\' && sscanf(text + 1, "%3o", &c) == 1) {
			*out++ = (char)c;
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

static bool source_is_ours(const struct devices *devices, const char *source)
{
	struct stat st;

	return source[0] == '/' && !stat(source, &st) && S_ISBLK(st.st_mode) &&
	       has(devices, st.st_rdev);
}

static bool is_system_place(const char *place)
{
	for (size_t i = 0; i < ARRAY_SIZE(system_places); i++)
		if (!strcmp(place, system_places[i]))
			return true;
	return false;
}

static int check_mounts(const struct devices *devices, struct target *target)
{
	_cleanup_(fclosep) FILE *file = fopen("/proc/self/mountinfo", "re");
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	int outcome = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0) {
		char place[PATH_MAX], source[PATH_MAX] = "";
		const char *rest = strstr(line, " - ");
		unsigned int a, b;

		if (sscanf(line, "%*d %*d %u:%u %*s %4095s", &a, &b, place) != 3)
			continue;
		/* A file system on several disks (btrfs) has a number of its own. */
		if (rest && sscanf(rest, " - %*s %4095s", source) == 1)
			unescape(source);
		if (!has(devices, makedev(a, b)) && !source_is_ours(devices, source))
			continue;
		unescape(place);
		if (outcome && !is_system_place(place))
			continue;
		snprintf(target->detail, sizeof(target->detail), "%.*s", TARGET_DETAIL_MAX - 1,
			 place);
		if (is_system_place(place))
			return TARGET_E_SYSTEM;
		outcome = TARGET_E_MOUNTED;
	}
	return outcome;
}

static int check_swap(const struct devices *devices, struct target *target)
{
	_cleanup_(fclosep) FILE *file = fopen("/proc/swaps", "re");
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;

	/* A kernel without swap. */
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (getline(&line, &size, file) > 0) {
		char path[PATH_MAX];
		struct stat st;

		if (sscanf(line, "%4095s", path) != 1)
			continue;
		unescape(path);
		if (path[0] != '/' || stat(path, &st))
			continue;
		if (S_ISBLK(st.st_mode) ? has(devices, st.st_rdev) : has(devices, st.st_dev)) {
			snprintf(target->detail, sizeof(target->detail), "%.*s",
				 TARGET_DETAIL_MAX - 1, path);
			return TARGET_E_SWAP;
		}
	}
	return 0;
}

/* An image is in use when a loop device stands on it. */
static int collect_loops(struct devices *devices, const struct target *target)
{
	_cleanup_(closedirp) DIR *dir = opendir("/sys/block");
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		_cleanup_(fclosep) FILE *file = NULL;
		_cleanup_(freep) char *backing = NULL;
		char path[PATH_MAX];
		size_t size = 0;
		struct stat st;
		dev_t id;
		int r;

		if (strncmp(entry->d_name, "loop", 4))
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", entry->d_name);
		file = fopen(path, "re");
		if (!file || getline(&backing, &size, file) <= 0)
			continue;
		backing[strcspn(backing, "\n")] = '\0';
		if (stat(backing, &st) || st.st_dev != target->device ||
		    st.st_ino != target->inode || !read_id("/sys/block", entry->d_name, &id))
			continue;
		if (!devices->holder[0])
			snprintf(devices->holder, sizeof(devices->holder), "%.63s", entry->d_name);
		r = collect(devices, id);
		if (r)
			return r;
	}
	return 0;
}

int target_use(struct target *target)
{
	struct devices devices = {0};
	int r = target->image ? collect_loops(&devices, target) : collect(&devices, target->device);

	if (r || (r = check_mounts(&devices, target)) || (r = check_swap(&devices, target)))
		return r;
	if (devices.holder[0]) {
		snprintf(target->detail, sizeof(target->detail), "%s", devices.holder);
		return TARGET_E_HELD;
	}
	return 0;
}

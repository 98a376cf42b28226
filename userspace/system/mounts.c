// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/macro.h"
#include "system/mounts.h"

#define MOUNTINFO_FIELDS 5 /* id, parent, device, root, point */

static bool octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Undoes \040 and its like in place. */
static void unescape(char *text)
{
	char *out = text;

	while (*text)
		if (text[0] == '\\' && octal(text[1]) && octal(text[2]) && octal(text[3])) {
			*out++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
					(text[3] - '0'));
			text += 4;
		} else {
			*out++ = *text++;
		}
	*out = '\0';
}

struct line {
	int id;
	dev_t devno;
	char *point;
};

/* Takes a line apart in place. False if it has another form. */
static bool parse_line(char *text, struct line *line)
{
	char *fields[MOUNTINFO_FIELDS], *rest = text;
	unsigned int major_number, minor_number;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!fields[i])
			return false;
	}
	if (sscanf(fields[0], "%d", &line->id) != 1 ||
	    sscanf(fields[2], "%u:%u", &major_number, &minor_number) != 2)
		return false;
	line->devno = makedev(major_number, minor_number);
	line->point = fields[4];
	unescape(line->point);
	return true;
}

static int add_entry(struct mounts *mounts, const struct line *line)
{
	struct mounts_entry *grown = reallocarray(mounts->entries, mounts->n + 1, sizeof(*grown));
	char *point = strdup(line->point);

	if (grown)
		mounts->entries = grown;
	if (!grown || !point) {
		free(point);
		return -ENOMEM;
	}
	mounts->entries[mounts->n++] = (struct mounts_entry){ line->id, line->devno, point };
	return 0;
}

int mounts_parse(const char *text, dev_t devno, struct mounts *mounts)
{
	_cleanup_(freep) char *copy = strdup(text);
	char *rest = copy, *next;
	int r = copy ? 0 : -ENOMEM;
	struct line line;

	*mounts = (struct mounts){ 0 };
	while (!r && (next = strsep(&rest, "\n")))
		if (parse_line(next, &line) && line.devno == devno)
			r = add_entry(mounts, &line);
	if (r)
		mounts_deinit(mounts);
	return r;
}

void mounts_deinit(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->n; i++)
		free(mounts->entries[i].point);
	free(mounts->entries);
	*mounts = (struct mounts){ 0 };
}

/* A file of procfs, whose size is not known before. */
static char *read_proc(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f)
		return NULL;
	/* Nothing there holds a NUL. An empty file has nothing to be read. */
	if (getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = ferror(f) ? NULL : strdup("");
	}
	fclose(f);
	return text;
}

int mounts_find(dev_t devno, struct mounts *mounts)
{
	_cleanup_(freep) char *text = read_proc("/proc/self/mountinfo");

	*mounts = (struct mounts){ 0 };
	return text ? mounts_parse(text, devno, mounts) : -errno;
}

int mounts_device(const char *point, dev_t *devno)
{
	_cleanup_(freep) char *text = read_proc("/proc/self/mountinfo");
	char *rest = text, *next;
	int r = MOUNTS_E_NONE;
	struct line line;

	if (!text)
		return -errno;
	while ((next = strsep(&rest, "\n")))
		if (parse_line(next, &line) && !strcmp(line.point, point)) {
			*devno = line.devno;
			r = 0;
		}
	return r;
}

/* The unit allows setns() with this very kind named and no other (systemd.exec(5), RestrictNamespaces=). */
int mounts_join_host(void)
{
	_cleanup_(closep) int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct stat host, own;

	if (fd < 0 || fstat(fd, &host) < 0 || stat("/proc/self/ns/mnt", &own) < 0)
		return -errno;
	if (host.st_ino == own.st_ino && host.st_dev == own.st_dev)
		return 0;
	return setns(fd, CLONE_NEWNS) < 0 || chdir("/") < 0 ? -errno : 0;
}

/* --- who works there ----------------------------------------------------------------------- */

static bool below(const struct mounts *mounts, const char *path)
{
	for (size_t i = 0; i < mounts->n; i++) {
		size_t len = strlen(mounts->entries[i].point);

		if (!strncmp(path, mounts->entries[i].point, len) &&
		    (!path[len] || path[len] == '/' || path[len] == ' '))
			return true;
	}
	return false;
}

static bool link_below(const struct mounts *mounts, const char *link)
{
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	return below(mounts, target);
}

static bool fd_on(const struct mounts *mounts, pid_t pid, const char *fd)
{
	char path[96];
	_cleanup_(freep) char *text = NULL;
	const char *at;
	int id;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.20s", pid, fd);
	text = read_proc(path);
	at = text ? strstr(text, "mnt_id:") : NULL;
	if (!at || sscanf(at, "mnt_id: %d", &id) != 1)
		return false;
	for (size_t i = 0; i < mounts->n; i++)
		if (mounts->entries[i].id == id)
			return true;
	snprintf(path, sizeof(path), "/proc/%d/fd/%.20s", pid, fd);
	return link_below(mounts, path);
}

static bool maps_on(const struct mounts *mounts, pid_t pid)
{
	char path[64];
	_cleanup_(freep) char *text = NULL;
	unsigned int a, b;
	char *line, *rest;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	text = read_proc(path);
	rest = text;
	/* start-end rights offset MAJOR:MINOR inode path */
	while (rest && (line = strsep(&rest, "\n")))
		if (mounts->n && sscanf(line, "%*s %*s %*s %x:%x", &a, &b) == 2 &&
		    makedev(a, b) == mounts->entries[0].devno)
			return true;
	return false;
}

static bool process_holds(const struct mounts *mounts, pid_t pid)
{
	static const char *const links[] = { "cwd", "root", "exe" };
	struct dirent *entry;
	char path[64];
	bool holds = false;
	DIR *dir;

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, links[i]);
		if (link_below(mounts, path))
			return true;
	}
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	while (dir && !holds && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			holds = fd_on(mounts, pid, entry->d_name);
	if (dir)
		closedir(dir);
	return holds || maps_on(mounts, pid);
}

static void describe(struct mounts_holder *holder, pid_t pid)
{
	_cleanup_(freep) char *name = NULL;
	struct stat st;
	char path[64];

	*holder = (struct mounts_holder){ .pid = pid, .uid = (uid_t)-1 };
	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (!stat(path, &st))
		holder->uid = st.st_uid;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	name = read_proc(path);
	snprintf(holder->name, sizeof(holder->name), "%.*s",
		 (int)strcspn(name ? name : "", "\n"), name ? name : "");
}

size_t mounts_holders(const struct mounts *mounts, struct mounts_holder *holders)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t n = 0;

	while (proc && n < MOUNTS_HOLDERS_MAX && (entry = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid > 0 && pid != getpid() && process_holds(mounts, pid))
			describe(&holders[n++], pid);
	}
	if (proc)
		closedir(proc);
	return n;
}

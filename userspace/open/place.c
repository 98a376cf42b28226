// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "core/macro.h"
#include "core/text.h"
#include "core/utf8.h"
#include "open/place.h"

/* MNT_DETACH | UMOUNT_NOFOLLOW of <sys/mount.h>, which does not go with <linux/mount.h>. */
#define UMOUNT_FLAGS (0x2 | 0x8)
#define NAME_DEFAULT "USB"
/* More volumes of one name are not plugged in at one time. */
#define NUMBER_MAX 99
/* "-99" and the NUL. */
#define NUMBER_ROOM 4

void place_name(char out[static PLACE_NAME_MAX], const char *label)
{
	size_t len = strlen(label), used = 0;

	while (len && used + 4 < PLACE_NAME_MAX - NUMBER_ROOM) {
		uint32_t cp = 0;
		size_t n = utf8_decode(label, len, &cp);
		bool keep = n && cp != '/' && !text_is_unsafe(cp) && !(cp == '.' && !used);

		n = n ? n : 1;
		if (keep)
			memcpy(out + used, label, n);
		else
			out[used] = '_';
		used += keep ? n : 1;
		label += n;
		len -= n;
	}
	/* FAT pads with blanks, and a name of nothing else shows nothing. */
	while (used && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
	if (!used)
		strcpy(out, NAME_DEFAULT);
}

/* A directory that only root may change, by its descriptor; made if it is missing. */
static int open_roots(int parent, const char *name, mode_t mode, bool *made)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	*made = !mkdirat(parent, name, mode);
	if (!*made && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid || (st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX)))
		return -EPERM;
	/* Whatever the umask was. */
	if (*made && fchmod(fd, mode) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/*
 * The user's directory. udisks makes it with an access list for the user, which is left as it is; where there is
 * none the user's group is what lets the user in.
 */
static int open_users(int media, const char *user, gid_t gid)
{
	bool made;
	int fd = open_roots(media, user, 0750, &made);

	if (fd < 0 ||
	    (!made && fgetxattr(fd, "system.posix_acl_access", NULL, 0) >= 0))
		return fd;
	if (fchown(fd, 0, gid) < 0 || fchmod(fd, 0750) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

int place_make(const char *user, gid_t gid, const char *name, char path[static PLACE_PATH_MAX])
{
	_cleanup_(closep) int media = -1, dir = -1;
	char tried[PLACE_NAME_MAX];
	bool made;

	media = open_roots(AT_FDCWD, PLACE_MEDIA, 0755, &made);
	if (media < 0)
		return media;
	dir = open_users(media, user, gid);
	if (dir < 0) {
		unlinkat(media, user, AT_REMOVEDIR);
		return dir;
	}
	for (unsigned int number = 1; number <= NUMBER_MAX; number++) {
		int n = number == 1 ? snprintf(tried, sizeof(tried), "%s", name) :
				      snprintf(tried, sizeof(tried), "%s-%u", name, number);

		if (n < 0 || (size_t)n >= sizeof(tried))
			return -ENAMETOOLONG;
		if (!mkdirat(dir, tried, 0700)) {
			snprintf(path, PLACE_PATH_MAX, PLACE_MEDIA "/%.255s/%s", user, tried);
			return 0;
		}
		if (errno != EEXIST) {
			int r = -errno;

			unlinkat(media, user, AT_REMOVEDIR);
			return r;
		}
	}
	return -EEXIST;
}

int place_make_hidden(const char *mapping, char path[static PLACE_PATH_MAX])
{
	_cleanup_(closep) int run = -1, volumes = -1, dir = -1;
	bool made;

	run = open_roots(AT_FDCWD, "/run/sekimori", 0755, &made);
	volumes = run < 0 ? run : open_roots(run, "volumes", 0700, &made);
	dir = volumes < 0 ? volumes : open_roots(volumes, mapping, 0700, &made);
	if (dir < 0)
		return dir;
	if (mkdirat(dir, "medium", 0700) < 0 && errno != EEXIST)
		return -errno;
	snprintf(path, PLACE_PATH_MAX, PLACE_VOLUMES "/%.255s/medium", mapping);
	return 0;
}

int place_mount(int mount_fd, const char *path)
{
	_cleanup_(closep) int dir = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0 || syscall(SYS_move_mount, mount_fd, "", dir, "",
			       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

int place_clone(const char *path, int *mount_fd)
{
	*mount_fd = (int)syscall(SYS_open_tree, AT_FDCWD, path,
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	return *mount_fd < 0 ? -errno : 0;
}

int place_unmount_hidden(const char *path)
{
	/* Detached: the scanner may not have let go of its last file. */
	if (syscall(SYS_umount2, path, UMOUNT_FLAGS) < 0)
		return -errno;
	place_remove(path);
	return 0;
}

void place_remove(const char *path)
{
	char parent[PLACE_PATH_MAX];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return;
	rmdir(path);
	*slash = '\0';
	/* Refused while there is something in it. */
	rmdir(parent);
}

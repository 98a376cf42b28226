/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File systems that may be on a medium, and how each is mounted for one user: found by libblkid, mounted
 * by the new mount calls (fsopen(2), fsmount(2)), so that a mount has no place in the file tree until
 * it is given one, and is gone with the process that made it.
 *
 * Every mount is nosuid, nodev, noexec and follows no symbolic link of the medium.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FILESYSTEM_LABEL_MAX 64
#define FILESYSTEM_DETAIL_MAX 160

struct filesystem_kind;

struct filesystem {
	const struct filesystem_kind *kind;
	char label[FILESYSTEM_LABEL_MAX]; /* as the medium has it */
};

enum {
	FILESYSTEM_E_NONE = 1,	       /* there is none */
	FILESYSTEM_E_NOT_ACCEPTED = 2, /* none of the table, or several at once */
	FILESYSTEM_E_MOUNT = 3,	       /* the kernel does not mount it */
};

/* `fd` is of the block device. */
int filesystem_probe(int fd, struct filesystem *found, char detail[static FILESYSTEM_DETAIL_MAX]);

struct filesystem_owner {
	uid_t uid;
	gid_t gid;
};

/* Mounts the device behind `source`, detached: *mount_fd is all there is of it. */
int filesystem_mount(const struct filesystem *filesystem, const char *source, bool read_only,
		     const struct filesystem_owner *owner, int *mount_fd,
		     char detail[static FILESYSTEM_DETAIL_MAX]);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a device is mounted (proc_pid_mountinfo(5)), and who works there. For the mount namespace that
 * the caller is in.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct mounts_entry {
	int id;
	dev_t devno;
	char *point; /* as it is, escapes undone */
};

struct mounts {
	struct mounts_entry *entries; /* in the order of mounting */
	size_t n;
};

enum {
	MOUNTS_E_NONE = 1, /* nothing is mounted there */
};

/* The mounts of one device in mountinfo's text. Lines of another form are left out. 0 or -ENOMEM. */
int mounts_parse(const char *text, dev_t devno, struct mounts *mounts);

/* … and as they are. */
int mounts_find(dev_t devno, struct mounts *mounts);

/*
 * Into the mount namespace of process 1, which everybody has. Needs CAP_SYS_PTRACE for process 1's files, CAP_SYS_ADMIN and
 * CAP_SYS_CHROOT for the change. 0 or a negative errno.
 */
int mounts_join_host(void);

/* The device that was mounted last at a place. 0, MOUNTS_E_NONE or a negative errno. */
int mounts_device(const char *point, dev_t *devno);

void mounts_deinit(struct mounts *mounts);

#define MOUNTS_HOLDERS_MAX 16
#define MOUNTS_NAME_MAX 64

struct mounts_holder {
	pid_t pid;
	uid_t uid;
	char name[MOUNTS_NAME_MAX]; /* of the program; any bytes */
};

/*
 * Processes with a file, a directory, a program or a mapped file on one of the mounts. Looks at /proc alone and so
 * cannot hang on a dead device. At most MOUNTS_HOLDERS_MAX; their number.
 */
size_t mounts_holders(const struct mounts *mounts, struct mounts_holder *holders);

// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "core/macro.h"
#include "open/place.h"
#include "open/progress.h"
#include "open/volume-open.h"
#include "system/cryptopen.h"
#include "system/handover.h"
#include "system/mounts.h"
#include "system/opennote.h"

/* What a forced close gives the medium to take what has been written to it. */
#define TRY_MS 60000
/* … and what a watcher has for telling what it knows: of a medium that may be dead, or as long as it takes. */
#define LET_GO_FORCED_MS 2000
#define LET_GO_MS 60000
/* The watcher may be looking at a file at this very moment. */
#define BUSY_TRIES 10
#define BUSY_MS 50

struct closing {
	const char *mapping;
	bool mapped; /* there is a mapping, with this number: */
	dev_t devno;
	struct mounts mounts;
	struct opennote note;
	char hidden[PLACE_PATH_MAX];
	bool forced; /* something had to be */
	char detail[160];
};

/*
 * What there is to close. A volume without a mapping (plain) is known by what is mounted where it was
 * shown, never by the number in a note, which may be another device's by now.
 */
static int closing_find(struct closing *closing)
{
	int r = opennote_read(closing->mapping, &closing->note);

	if (r < 0)
		return r;
	snprintf(closing->hidden, sizeof(closing->hidden), PLACE_VOLUMES "/%s/medium",
		 closing->mapping);
	r = cryptopen_find(closing->mapping, &closing->devno);
	if (r < 0)
		return r;
	closing->mapped = !r;
	if (!closing->mapped) {
		r = mounts_device(closing->hidden, &closing->devno);
		if (r == MOUNTS_E_NONE && closing->note.mount[0])
			r = mounts_device(closing->note.mount, &closing->devno);
		if (r)
			return r < 0 ? r : 0;
	}
	return mounts_find(closing->devno, &closing->mounts);
}

static void tell_holders(struct closing *closing)
{
	struct mounts_holder holders[MOUNTS_HOLDERS_MAX];
	size_t n = mounts_holders(&closing->mounts, holders);

	for (size_t i = 0; i < n; i++)
		progress_holder(&holders[i]);
}

/* Writes out what waits, so that a slow stick is not cut off in unmounting. Errors come back there. */
static void closing_sync(const struct closing *closing)
{
	for (size_t i = 0; i < closing->mounts.n; i++) {
		_cleanup_(closep) int fd = open(closing->mounts.entries[i].point,
						O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && syncfs(fd) < 0)
			fprintf(stderr, "%s: %s\n", closing->mounts.entries[i].point, strerror(errno));
	}
}

/*
 * Writes out and unmounts as usual, but by a child, which is left behind if the medium does not take it in time: a right
 * that has ended does not wait for a slow or dead stick.
 */
static void closing_try(struct closing *closing)
{
	struct timespec step = { .tv_nsec = 50 * 1000000 };
	pid_t child = fork();

	if (!child) {
		closing_sync(closing);
		for (size_t i = closing->mounts.n; i-- > 0;)
			umount2(closing->mounts.entries[i].point, UMOUNT_NOFOLLOW);
		_exit(0);
	}
	for (unsigned int ms = 0; child > 0 && ms < TRY_MS; ms += 50) {
		if (waitpid(child, NULL, WNOHANG))
			return;
		nanosleep(&step, NULL);
	}
	if (child > 0)
		kill(child, SIGKILL);
}

/* What that has left are mounts that somebody uses: he is named before they are taken from him. */
static void tell_who_stays(struct closing *closing)
{
	struct mounts left;

	if (!closing->mounts.n || mounts_find(closing->devno, &left))
		return;
	if (left.n)
		tell_holders(closing);
	mounts_deinit(&left);
}

static bool is_watched(void)
{
	struct stat st;

	return !fstat(OPEN_WATCHER_FD, &st) && S_ISSOCK(st.st_mode);
}

static int unmount(const char *point, bool force)
{
	struct timespec step = { .tv_nsec = BUSY_MS * 1000000 };
	unsigned int tries = !force && is_watched() ? BUSY_TRIES : 1;

	while (umount2(point, UMOUNT_NOFOLLOW | (force ? MNT_DETACH : 0))) {
		if (errno != EBUSY || !--tries)
			return -errno;
		nanosleep(&step, NULL);
	}
	return 0;
}

/* The last mount first: one may lie on another. NULL, or the reason. */
static const char *closing_unmount(struct closing *closing, bool force)
{
	for (size_t i = closing->mounts.n; i-- > 0;) {
		int r = unmount(closing->mounts.entries[i].point, force);

		/* EINVAL: it is no mount any more. A plain unmount with force has been tried, and could wait for ever. */
		if (!r) {
			closing->forced |= force;
			continue;
		}
		if (r == -EINVAL || r == -ENOENT)
			continue;
		if (r == -EBUSY && !force) {
			tell_holders(closing);
			return "busy";
		}
		snprintf(closing->detail, sizeof(closing->detail), "%s", strerror(-r));
		return "close-failed";
	}
	return NULL;
}

/*
 * Everybody's mounts are gone. The watcher has one of its own: with that the file system goes, if nobody has taken a copy of
 * it into a mount namespace of his (unshare(1), which any user may). One that hangs is not waited for.
 */
static void closing_let_go(bool force)
{
	if (is_watched())
		handover_close(OPEN_WATCHER_FD, force ? LET_GO_FORCED_MS : LET_GO_MS);
}

/* Nobody watches now: whatever still holds the mapping loses it. */
static const char *closing_unmap(struct closing *closing)
{
	int r = cryptopen_deactivate(closing->mapping);

	if (r && r != CRYPTOPEN_E_ABSENT) {
		closing->forced = true;
		r = cryptopen_kill(closing->mapping);
	}
	if (!r || r == CRYPTOPEN_E_ABSENT)
		return NULL;
	snprintf(closing->detail, sizeof(closing->detail), "%s",
		 r < 0 ? strerror(-r) : "the mapping stays");
	return "close-failed";
}

/* The disk that was opened, and not the next one of that name. A mapping's name ends with its number, 0 if it has none. */
static bool node_is_ours(const struct closing *closing, int fd)
{
	const char *number = strrchr(closing->mapping, '-');
	unsigned long long named = strtoull(number + 1, NULL, 10);
	__u64 sequence = 0;

	return !named || ioctl(fd, BLKGETDISKSEQ, &sequence) < 0 || sequence == named;
}

/*
 * Without a mapping there is nothing that could be taken away from who still holds the file system; the kernel knows of him
 * only in that the node is in use. It is the device itself that must be taken then.
 */
static const char *closing_free(struct closing *closing)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
	struct timespec step = { .tv_nsec = BUSY_MS * 1000000 };
	_cleanup_(closep) int fd = open(closing->note.node, flags);

	if (fd < 0 || !node_is_ours(closing, fd))
		return NULL;
	for (unsigned int tries = BUSY_TRIES; tries; tries--) {
		_cleanup_(closep) int held = open(closing->note.node, flags | O_EXCL);

		if (held >= 0 || errno != EBUSY)
			return NULL;
		nanosleep(&step, NULL);
	}
	snprintf(closing->detail, sizeof(closing->detail), "somebody still holds its file system");
	return "close-failed";
}

static const char *closing_steps(struct closing *closing, bool force)
{
	const char *reason;
	int r = closing_find(closing);

	if (r) {
		snprintf(closing->detail, sizeof(closing->detail), "%s", strerror(-r));
		return "close-failed";
	}
	if (force) {
		closing_try(closing);
		tell_who_stays(closing);
	} else {
		closing_sync(closing);
	}
	reason = closing_unmount(closing, force);
	if (!reason) {
		closing_let_go(force);
		if (closing->mapped)
			reason = closing_unmap(closing);
		else if (closing->note.mount[0] && !closing->note.uuid[0])
			reason = closing_free(closing);
	}
	if (reason)
		return reason;
	place_remove(closing->hidden);
	if (closing->note.mount[0])
		place_remove(closing->note.mount);
	opennote_remove(closing->mapping);
	return NULL;
}

int close_run(const char *mapping, bool force)
{
	struct closing closing = { .mapping = mapping };
	const char *reason;

	progress_step("close");
	reason = closing_steps(&closing, force);
	mounts_deinit(&closing.mounts);
	if (reason)
		progress_failed(reason, closing.detail);
	else
		progress_closed(closing.forced);
	return reason ? EXIT_FAILURE : EXIT_SUCCESS;
}

void close_quietly(const char *mapping)
{
	struct closing closing = { .mapping = mapping };

	closing_steps(&closing, true);
	mounts_deinit(&closing.mounts);
}

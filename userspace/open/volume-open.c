// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/macro.h"
#include "open/filesystem.h"
#include "open/place.h"
#include "open/progress.h"
#include "open/scan.h"
#include "open/secret.h"
#include "open/volume-open.h"
#include "system/cryptopen.h"
#include "system/handover.h"
#include "system/opennote.h"

#define PLAIN "plain"

struct opening {
	const struct open_request *request;
	int node;	  /* keeps the device's number from going to another one */
	int volume;	  /* what the file system is on */
	char source[64];  /* its path */
	struct filesystem filesystem;
	int mount;	  /* detached, or the second one of what is hidden */
	char hidden[PLACE_PATH_MAX]; /* "" nowhere */
	struct opennote note;
	char detail[256]; /* of the failure */
};

/* Each step: NULL, or the reason code of its failure. */
typedef const char *(*step_fn)(struct opening *opening);

static const char *fail_errno(struct opening *opening, const char *reason, int error)
{
	snprintf(opening->detail, sizeof(opening->detail), "%s", strerror(error));
	return error == ENXIO || error == ENODEV || error == EIO || error == ENOMEDIUM ? "gone" :
											  reason;
}

/* Sets it on the device and reads it back. */
static int make_read_only(int fd)
{
	int on = 1, now = 0;

	if (ioctl(fd, BLKROSET, &on) < 0 || ioctl(fd, BLKROGET, &now) < 0)
		return -errno;
	return now ? 0 : -EROFS;
}

static const char *step_device(struct opening *opening)
{
	const struct open_request *request = opening->request;
	struct stat st;
	int r;

	opening->node = open(request->node, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (opening->node < 0)
		return errno == ENOENT ? "gone" : fail_errno(opening, "open-failed", errno);
	if (fstat(opening->node, &st) < 0 || !S_ISBLK(st.st_mode)) {
		snprintf(opening->detail, sizeof(opening->detail), "not a block device");
		return "open-failed";
	}
	r = request->read_only ? make_read_only(opening->node) : 0;
	return r ? fail_errno(opening, "read-only-failed", -r) : NULL;
}

static const char *step_note(struct opening *opening)
{
	const struct open_request *request = opening->request;
	struct opennote *note = &opening->note;
	int r;

	*note = (struct opennote){ .uid = request->uid, .read_only = request->read_only };
	snprintf(note->node, sizeof(note->node), "%s", request->node);
	snprintf(note->uuid, sizeof(note->uuid), "%s", request->uuid ? request->uuid : "");
	snprintf(note->user, sizeof(note->user), "%s", request->user);
	r = opennote_write(request->mapping, note);
	return r ? fail_errno(opening, "open-failed", -r) : NULL;
}

static const char *unlock_reason(int code)
{
	switch (code) {
	case CRYPTOPEN_E_PASSPHRASE:
		return "wrong-passphrase";
	case CRYPTOPEN_E_HEADER:
	case CRYPTOPEN_E_UUID:
		return "other-volume";
	case CRYPTOPEN_E_EXISTS:
		return "open-already";
	case CRYPTOPEN_E_GONE:
		return "gone";
	case CRYPTOPEN_E_MEMORY:
		return "no-memory";
	}
	return "open-failed";
}

static const char *step_unlock(struct opening *opening)
{
	const struct open_request *request = opening->request;
	struct cryptopen volume = { .node = request->node,
				    .mapping = request->mapping,
				    .method = request->method,
				    .uuid = request->uuid,
				    .cipher = request->cipher,
				    .read_only = request->read_only };
	_cleanup_(secret_freep) struct secret *secret = NULL;
	char words[CRYPTOPEN_DETAIL_MAX] = "";
	dev_t devno;
	int r;

	r = secret_read(&secret, request->organisation ? request->uuid : NULL);
	if (r) {
		snprintf(opening->detail, sizeof(opening->detail), "%s",
			 r > 0 ? secret_error(r) : strerror(-r));
		return "no-passphrase";
	}
	if (!progress_step("unlock"))
		return "unheard";
	r = cryptopen_activate(&volume, secret_text(secret), secret_len(secret), &devno, words);
	if (r) {
		snprintf(opening->detail, sizeof(opening->detail), "%s",
			 words[0] || r > 0 ? words : strerror(-r));
		return unlock_reason(r);
	}
	/* The node of its number: devtmpfs makes it before anybody can ask. */
	snprintf(opening->source, sizeof(opening->source), "/dev/mapper/%s", request->mapping);
	return NULL;
}

static const char *step_volume(struct opening *opening)
{
	int now = 0;

	opening->volume = open(opening->source, O_RDONLY | O_CLOEXEC);
	if (opening->volume < 0)
		return fail_errno(opening, "open-failed", errno);
	if (!opening->request->read_only)
		return NULL;
	if (ioctl(opening->volume, BLKROGET, &now) < 0 || !now)
		return "read-only-failed";
	return NULL;
}

static const char *step_find(struct opening *opening)
{
	char words[FILESYSTEM_DETAIL_MAX];
	int r = filesystem_probe(opening->volume, &opening->filesystem, words);

	if (r < 0)
		return fail_errno(opening, "open-failed", -r);
	if (r)
		snprintf(opening->detail, sizeof(opening->detail), "%s", words);
	return !r ? NULL : r == FILESYSTEM_E_NONE ? "no-filesystem" : "filesystem-not-accepted";
}

static const char *step_mount(struct opening *opening)
{
	const struct open_request *request = opening->request;
	struct filesystem_owner owner = { request->uid, request->gid };
	char words[FILESYSTEM_DETAIL_MAX];

	if (!progress_step("mount"))
		return "unheard";
	if (!filesystem_mount(&opening->filesystem, opening->source, request->read_only, &owner,
			      &opening->mount, words))
		return NULL;
	snprintf(opening->detail, sizeof(opening->detail), "%s", words);
	return "mount-failed";
}

/*
 * A place that only root sees, for whoever has to have the mount before its user: the scanner, and the watcher. What is not
 * mounted anywhere cannot be cloned.
 */
static const char *step_hide(struct opening *opening)
{
	const struct open_request *request = opening->request;
	int r;

	if (!request->socket && !request->watched)
		return NULL;
	r = place_make_hidden(request->mapping, opening->hidden);
	if (!r)
		r = place_mount(opening->mount, opening->hidden);
	return r ? fail_errno(opening, request->socket ? "scan-failed" : "mount-failed", -r) : NULL;
}

static const char *step_scan(struct opening *opening)
{
	const struct open_request *request = opening->request;
	char words[SCAN_DETAIL_MAX];
	int r;

	if (!request->socket)
		return NULL;
	r = scan_tree(opening->mount, request->socket, words);
	if (r < 0)
		return fail_errno(opening, "scan-failed", -r);
	if (!r)
		return NULL;
	snprintf(opening->detail, sizeof(opening->detail), "%s", words);
	return r == SCAN_E_INFECTED ? "infected" : r == SCAN_E_UNHEARD ? "unheard" : "scan-failed";
}

static const char *step_clone(struct opening *opening)
{
	int r;

	if (!opening->hidden[0])
		return NULL;
	closep(&opening->mount);
	opening->mount = -1;
	r = place_clone(opening->hidden, &opening->mount);
	return r ? fail_errno(opening, "mount-failed", -r) : NULL;
}

/* A mount of the watcher's own: with a directory of the one that is shown it would keep it busy. */
static int watcher_directory(const struct opening *opening)
{
	_cleanup_(closep) int clone = -1;
	int r = place_clone(opening->hidden, &clone), fd;

	if (r)
		return r;
	fd = openat(clone, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static const char *watch(struct opening *opening)
{
	_cleanup_(closep) int dir = -1;
	char words[HANDOVER_WORDS_MAX] = "";
	int r;

	if (!opening->request->watched)
		return NULL;
	dir = watcher_directory(opening);
	r = dir < 0 ? dir : handover_give(OPEN_WATCHER_FD, dir, opening->note.mount, words);
	if (!r)
		return NULL;
	if (r > 0)
		snprintf(opening->detail, sizeof(opening->detail), "%s", words);
	return r > 0 ? "transfers-unwatched" : fail_errno(opening, "transfers-unwatched", -r);
}

static const char *step_show(struct opening *opening)
{
	const struct open_request *request = opening->request;
	struct opennote *note = &opening->note;
	char name[PLACE_NAME_MAX];
	const char *reason;
	int r;

	place_name(name, request->label[0] ? request->label : opening->filesystem.label);
	r = place_make(request->user, request->gid, name, note->mount);
	/* Before the mount, so that the directory is found again whatever comes. */
	if (!r)
		r = opennote_write(request->mapping, note);
	if (r)
		return fail_errno(opening, "mount-failed", -r);
	reason = watch(opening);
	if (reason)
		return reason;
	/* From here on its user can come in. */
	r = place_mount(opening->mount, note->mount);
	note->open = true;
	if (!r)
		r = opennote_write(request->mapping, note);
	if (!r && opening->hidden[0])
		r = place_unmount_hidden(opening->hidden);
	if (r)
		return fail_errno(opening, "mount-failed", -r);
	return progress_open(request->mapping, note->mount, opening->filesystem.label) ? NULL :
											   "unheard";
}

static const char *open_steps(struct opening *opening)
{
	bool plain = !strcmp(opening->request->method, PLAIN);
	const step_fn steps[] = {
		step_device, step_note,	 plain ? NULL : step_unlock,
		step_volume, step_find,	 step_mount,
		step_hide,   step_scan,	 step_clone,
		step_show,
	};
	const char *reason = NULL;

	snprintf(opening->source, sizeof(opening->source), "%s", opening->request->node);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && !reason; i++)
		if (steps[i])
			reason = steps[i](opening);
	return reason;
}

int open_run(const struct open_request *request)
{
	struct opening opening = { .request = request, .node = -1, .volume = -1, .mount = -1 };
	struct opennote before;
	const char *reason;

	/* An open of that name that stands, or waits to be cleaned up: not ours to undo. */
	if (opennote_read(request->mapping, &before) != OPENNOTE_E_ABSENT) {
		progress_failed("open-already", "");
		return EXIT_FAILURE;
	}
	reason = open_steps(&opening);
	closep(&opening.mount);
	closep(&opening.volume);
	closep(&opening.node);
	if (!reason)
		return EXIT_SUCCESS;
	if (strcmp(reason, "open-already"))
		close_quietly(request->mapping);
	else
		opennote_remove(request->mapping);
	progress_failed(reason, opening.detail);
	return EXIT_FAILURE;
}

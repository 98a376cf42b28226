// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <time.h>

#include "core/macro.h"
#include "transfer/fan.h"

/* A rename takes about 900 bytes at most. As many events as are small here, and their descriptors, fit the limit of open files. */
#define BUFFER_BYTES 4096
/*
 * An event for which the kernel opens a file, with the process: less than two of them. A file that it cannot open (somebody has a
 * lease on it, fcntl(2)) makes read(2) fail only if the buffer is empty yet, and that event is lost.
 */
#define OPENED_BYTES (2 * (sizeof(struct fanotify_event_metadata) + sizeof(struct fanotify_event_info_pidfd)) - 1)
#define WRITES (FAN_CREATE | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_RENAME | FAN_DELETE | FAN_ONDIR)
#define DELETED " (deleted)"

/* --- beginning --------------------------------------------------------------------------------- */

static int try_watch(struct fan *fan, unsigned int flags, uint64_t mask)
{
	fan->fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_PIDFD | flags,
				O_RDONLY | O_CLOEXEC | O_LARGEFILE | O_NONBLOCK);
	if (fan->fd < 0)
		return -errno;
	if (!fanotify_mark(fan->fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, fan->root, NULL))
		return 0;
	int r = -errno;

	close(fan->fd);
	fan->fd = -1;
	return r;
}

int fan_open(struct fan *fan, int root, const char *mount, bool reads)
{
	uint64_t read = reads ? FAN_CLOSE_NOWRITE : 0;
	int r;

	*fan = (struct fan){ .fd = -1, .root = root };
	snprintf(fan->mount, sizeof(fan->mount), "%s", mount);
	r = try_watch(fan, FAN_REPORT_DFID_NAME, WRITES | read);
	/* No handles, or no number of its own: both are what a file system is, and no failure. */
	if (r == -EOPNOTSUPP || r == -ENODEV || r == -EXDEV) {
		fan->limited = true;
		r = try_watch(fan, 0, FAN_CLOSE_WRITE | read);
	}
	if (r)
		fan_close(fan);
	return r;
}

void fan_close(struct fan *fan)
{
	closep(&fan->fd);
	closep(&fan->root);
	fan->fd = fan->root = -1;
}

/* --- paths ------------------------------------------------------------------------------------- */

/* What the kernel calls an open file; our root is /proc. False if that is too long. */
static bool path_of(int fd, char *path, size_t size)
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/self/fd/%d", fd);
	n = readlink(link, path, size);
	if (n <= 0 || (size_t)n >= size)
		return false;
	path[n] = '\0';
	return true;
}

/* The kernel writes it behind the name of what is in no directory any more; a file may also be called so. */
static void strip_deleted(char *path, const struct stat *st)
{
	size_t len = strlen(path), n = strlen(DELETED);

	if (!st->st_nlink && len > n && !strcmp(path + len - n, DELETED))
		path[len - n] = '\0';
}

/* A directory of the medium, opened by its handle (negative: it has gone), its path kept in fan->last_path. */
static int open_directory(struct fan *fan, const struct file_handle *handle, bool *known)
{
	bool last = fan->last_bytes == handle->handle_bytes &&
		    fan->last_type == (unsigned int)handle->handle_type &&
		    !memcmp(fan->last_handle, handle->f_handle, handle->handle_bytes);
	int fd = open_by_handle_at(fan->root, (struct file_handle *)handle, O_PATH | O_CLOEXEC);
	char path[FAN_DIRECTORY_PATH_MAX];

	*known = last;
	if (fd < 0 || !path_of(fd, path, sizeof(path)))
		return fd;
	*known = true;
	memcpy(fan->last_path, path, sizeof(path));
	fan->last_type = (unsigned int)handle->handle_type;
	fan->last_bytes = handle->handle_bytes;
	memcpy(fan->last_handle, handle->f_handle, handle->handle_bytes);
	return fd;
}

/*
 * One side of an event: a directory's handle, and a name in it (fanotify(7), struct fanotify_event_info_fid). Our mount has
 * no place in the file tree, so that what the kernel says is the path on the medium.
 */
struct side {
	const struct file_handle *handle;
	const char *name;
};

static int find_side(struct fan *fan, const struct side *side, char path[static TRANSFER_PATH_MAX],
		     struct transfer_event *event)
{
	char full[FAN_DIRECTORY_PATH_MAX + 257];
	const char *directory;
	bool known;
	int fd = open_directory(fan, side->handle, &known);

	directory = known && fan->last_path[0] == '/' ? fan->last_path + 1 : "";
	event->name_only |= !known;
	if (!strcmp(side->name, "."))
		snprintf(full, sizeof(full), "%s", directory);
	else
		snprintf(full, sizeof(full), "%s%s%s", directory, *directory ? "/" : "", side->name);
	event->cut |= transfer_set_path(path, full);
	return fd;
}

/* --- events ------------------------------------------------------------------------------------ */

static uint64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

/* What belongs to an event. */
struct parts {
	struct side from, to;
	int pidfd; /* owned */
};

static struct side take_side(const struct fanotify_event_info_fid *info)
{
	const struct file_handle *handle = (const void *)info->handle;
	size_t len = info->hdr.len;
	const char *name = (const char *)handle->f_handle + handle->handle_bytes;

	if (len < sizeof(*info) + sizeof(*handle) || handle->handle_bytes > 128 ||
	    sizeof(*info) + sizeof(*handle) + handle->handle_bytes >= len ||
	    !memchr(name, '\0', len - sizeof(*info) - sizeof(*handle) - handle->handle_bytes))
		return (struct side){ 0 };
	return (struct side){ handle, name };
}

static void take_parts(const struct fanotify_event_metadata *metadata, struct parts *parts)
{
	const char *at = (const char *)metadata + metadata->metadata_len;
	const char *end = (const char *)metadata + metadata->event_len;

	*parts = (struct parts){ .pidfd = -1 };
	while ((size_t)(end - at) >= sizeof(struct fanotify_event_info_header)) {
		const struct fanotify_event_info_header *header = (const void *)at;

		if (header->len < sizeof(*header) || header->len > end - at)
			return;
		switch (header->info_type) {
		case FAN_EVENT_INFO_TYPE_DFID_NAME:
		case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
			parts->from = take_side((const void *)at);
			break;
		case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
			parts->to = take_side((const void *)at);
			break;
		case FAN_EVENT_INFO_TYPE_PIDFD:
			parts->pidfd = ((const struct fanotify_event_info_pidfd *)at)->pidfd;
			break;
		}
		at += header->len;
	}
}

/* In the order in which they happen to one file: the kernel puts them together where it can. */
static const struct {
	uint64_t mask;
	enum transfer_op op;
} ops_of[] = {
	{ FAN_CREATE, TRANSFER_CREATE }, { FAN_CLOSE_NOWRITE, TRANSFER_READ },
	{ FAN_CLOSE_WRITE, TRANSFER_WRITE }, { FAN_ATTRIB, TRANSFER_ATTRIB },
	{ FAN_RENAME, TRANSFER_RENAME }, { FAN_DELETE, TRANSFER_DELETE },
};

static void tell(const struct fanotify_event_metadata *metadata, struct transfer_event *event,
		 const struct stat *st, uint64_t now_us, const struct fan_ops *ops, void *userdata)
{
	event->directory = metadata->mask & FAN_ONDIR;
	for (size_t i = 0; i < ARRAY_SIZE(ops_of); i++) {
		enum transfer_op op = ops_of[i].op;
		bool closed = op == TRANSFER_WRITE || op == TRANSFER_READ;

		/* Looking into a directory is no transfer. */
		if (!(metadata->mask & ops_of[i].mask) || (closed && event->directory))
			continue;
		event->op = op;
		event->has_size = closed && st && S_ISREG(st->st_mode);
		event->size = event->has_size ? (uint64_t)st->st_size : 0;
		ops->event(userdata, event, now_us);
	}
}

static void named_event(struct fan *fan, const struct fanotify_event_metadata *metadata,
			const struct parts *parts, struct transfer_event *event, uint64_t now_us,
			const struct fan_ops *ops, void *userdata)
{
	_cleanup_(closep) int from = -1, to = -1;
	struct stat st;
	bool sized;

	if (!parts->from.handle)
		return;
	from = find_side(fan, &parts->from, event->path, event);
	if (parts->to.handle)
		to = find_side(fan, &parts->to, event->to, event);
	sized = from >= 0 &&
		!fstatat(from, parts->from.name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT);
	tell(metadata, event, sized ? &st : NULL, now_us, ops, userdata);
}

static void opened_event(struct fan *fan, const struct fanotify_event_metadata *metadata,
			 struct transfer_event *event, uint64_t now_us, const struct fan_ops *ops,
			 void *userdata)
{
	size_t len = strlen(fan->mount);
	char full[FAN_DIRECTORY_PATH_MAX];
	const char *path = full;
	struct stat st;

	if (metadata->fd < 0 || fstat(metadata->fd, &st) < 0)
		return;
	if (!path_of(metadata->fd, full, sizeof(full)))
		strcpy(full, "");
	strip_deleted(full, &st);
	if (!strncmp(path, fan->mount, len) && path[len] == '/')
		path += len;
	event->name_only = !*full;
	event->cut = transfer_set_path(event->path, *path == '/' ? path + 1 : path);
	tell(metadata, event, &st, now_us, ops, userdata);
}

static void take_event(struct fan *fan, const struct fanotify_event_metadata *metadata,
		       const struct fan_ops *ops, void *userdata)
{
	struct transfer_event event = { .time_us = clock_us(CLOCK_REALTIME), .pid = metadata->pid };
	uint64_t now_us = clock_us(CLOCK_MONOTONIC);
	const struct who *who;
	struct parts parts;

	if (metadata->mask & FAN_Q_OVERFLOW) {
		ops->overflow(userdata);
		return;
	}
	take_parts(metadata, &parts);
	/* First of all: the process may be gone in a moment. */
	who = who_find(&fan->who, metadata->pid, parts.pidfd, now_us);
	closep(&parts.pidfd);
	event.uid = who->uid;
	memcpy(event.program, who->program, sizeof(event.program));
	if (fan->limited)
		opened_event(fan, metadata, &event, now_us, ops, userdata);
	else
		named_event(fan, metadata, &parts, &event, now_us, ops, userdata);
	fan->events++;
}

int fan_read(struct fan *fan, const struct fan_ops *ops, void *userdata)
{
	_Alignas(struct fanotify_event_metadata) char buffer[BUFFER_BYTES];
	const struct fanotify_event_metadata *metadata = (const void *)buffer;
	struct pollfd there = { .fd = fan->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&there, 1, 0) <= 0)
		return 0;
	n = read(fan->fd, buffer, fan->limited ? OPENED_BYTES : sizeof(buffer));
	if (n < 0 && errno == EAGAIN) {
		/* There was one, and we are the only reader. */
		fan->events++;
		ops->overflow(userdata);
		return 1;
	}
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (; FAN_EVENT_OK(metadata, n); metadata = FAN_EVENT_NEXT(metadata, n)) {
		if (metadata->vers != FANOTIFY_METADATA_VERSION)
			return -EPROTO;
		take_event(fan, metadata, ops, userdata);
		if (metadata->fd >= 0)
			close(metadata->fd);
	}
	return 1;
}

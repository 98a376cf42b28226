// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "daemon/lastlife.h"
#include "daemon/manager.h"
#include "system/textfile.h"

struct lastlife {
	char *path;
	int lock;
	int fd; /* of the file at path, to write; -1 */
	struct stat file; /* which one that is */
	bool failed; /* to write; said once */
	struct deaths deaths;
};

/*
 * It stands in the way of each verdict, so the file is not made anew. One call writes all of it: what is shorter than before is
 * followed by empty lines, since whoever kills the daemon must not come between a write and a cut. False: it has to be made anew.
 */
static bool life_overwrite(const struct lastlife *life, char text[static DEATHS_TEXT_MAX], size_t len)
{
	struct stat st;

	if (life->fd < 0 || lstat(life->path, &st) < 0 || st.st_dev != life->file.st_dev || st.st_ino != life->file.st_ino ||
	    st.st_size < 0 || st.st_size >= DEATHS_TEXT_MAX)
		return false;
	if ((size_t)st.st_size > len) {
		memset(text + len, '\n', (size_t)st.st_size - len);
		len = (size_t)st.st_size;
	}
	return pwrite(life->fd, text, len, 0) == (ssize_t)len;
}

static int life_write(struct lastlife *life)
{
	char text[DEATHS_TEXT_MAX];
	size_t len = deaths_format(&life->deaths, text);
	int r;

	if (life_overwrite(life, text, len))
		return 0;
	r = textfile_replace(life->path, text, len, 0644);
	if (r)
		return r;
	closep(&life->fd);
	life->fd = open(life->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (life->fd >= 0 && fstat(life->fd, &life->file) < 0) {
		close(life->fd);
		life->fd = -1;
	}
	return 0;
}

static int life_save(struct lastlife *life)
{
	int r = life_write(life);

	if (r && !life->failed)
		fprintf(stderr, SD_WARNING "%s cannot be written: %s; if this daemon dies, the next one cannot tell which device "
					   "it was judging\n", life->path, strerror(-r));
	life->failed = r;
	return r;
}

/* A lock of the process: children that hold the descriptor do not hold it, and it goes with the process. */
static int life_lock(struct lastlife *life)
{
	_cleanup_(freep) char *path = NULL;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (asprintf(&path, "%s.lock", life->path) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	life->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (life->lock < 0)
		return -errno;
	if (fcntl(life->lock, F_SETLK, &lock) < 0)
		return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
	return 0;
}

bool lastlife_is_running(const char *path)
{
	struct lastlife other = { .path = (char *)path, .lock = -1 };
	int r = life_lock(&other);

	closep(&other.lock);
	return r == -EBUSY;
}

int lastlife_new(struct lastlife **lifep, const char *path)
{
	_cleanup_(lastlife_freep) struct lastlife *life = calloc(1, sizeof(*life));
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r;

	if (!life)
		return -ENOMEM;
	life->lock = life->fd = -1;
	life->path = strdup(path);
	r = life->path ? life_lock(life) : -ENOMEM;
	if (r)
		return r;
	r = textfile_read(path, DEATHS_TEXT_MAX - 1, &text, &len);
	if (!r && (strlen(text) != len || !deaths_parse(&life->deaths, text)))
		fprintf(stderr, SD_WARNING "%s makes no sense, and is begun anew\n", path);
	else if (r && r != TEXTFILE_E_ABSENT)
		fprintf(stderr, SD_WARNING "%s is begun anew: it %s\n", path, r > 0 ? textfile_error(r) : strerror(-r));
	deaths_begin(&life->deaths, manager_now_us());
	r = life_save(life);
	if (!r)
		*lifep = TAKE_PTR(life);
	return r;
}

struct lastlife *lastlife_free(struct lastlife *life)
{
	if (life) {
		closep(&life->lock);
		closep(&life->fd);
		free(life->path);
		free(life);
	}
	return NULL;
}

void lastlife_end(struct lastlife *life)
{
	deaths_end(&life->deaths);
	life_save(life);
}

void lastlife_fail(struct lastlife *life)
{
	deaths_fail(&life->deaths);
	life_save(life);
}

const struct deaths *lastlife_deaths(const struct lastlife *life)
{
	return &life->deaths;
}

void lastlife_forget(struct lastlife *life)
{
	deaths_forget(&life->deaths);
	life_save(life);
}

void lastlife_meet(struct lastlife *life, const struct deaths_device *device)
{
	struct deaths_device devices[DEATHS_DEVICES_MAX];
	size_t n = life->deaths.n_judging;

	if (deaths_is_judging(&life->deaths, device))
		return;
	/* The newest first: of too many it is the one that is about to be read. */
	n = n < DEATHS_DEVICES_MAX ? n : DEATHS_DEVICES_MAX - 1;
	devices[0] = *device;
	memcpy(devices + 1, life->deaths.judging, n * sizeof(devices[0]));
	lastlife_judging(life, devices, n + 1);
}

void lastlife_judging(struct lastlife *life, const struct deaths_device *devices, size_t n)
{
	if (deaths_set_judging(&life->deaths, devices, n))
		life_save(life);
}

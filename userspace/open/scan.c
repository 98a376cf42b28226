// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/macro.h"
#include "core/text.h"
#include "open/progress.h"
#include "open/scan.h"
#include "system/clamd.h"

/* Above clamd's own MaxScanTime of one file, 120 s. */
#define ANSWER_MS 150000
/* Files that clamd has at one time: it scans them in parallel. */
#define WINDOW 4

struct scan {
	struct clamd *clamd; /* NULL while counting */
	uint64_t total;
	uint64_t done;
	uint64_t sent;
	unsigned int infected;
	unsigned int waiting;
	struct {
		uint32_t id;
		char *path;
	} window[WINDOW];
	char path[PATH_MAX]; /* of what is being looked at, on the medium */
	char *detail;
};

static _printf_(2, 3) int scan_fail(struct scan *scan, const char *format, ...)
{
	char text[SCAN_DETAIL_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_escape_terminal(scan->detail, SCAN_DETAIL_MAX, text);
	return SCAN_E_FAILED;
}

/* --- answers ------------------------------------------------------------------------------- */

static int take_verdict(struct scan *scan, const struct clamd_answer *answer, const char *path)
{
	scan->done++;
	if (answer->verdict == CLAMD_ERROR)
		return scan_fail(scan, "%s: %.60s", answer->signature, path);
	if (answer->verdict == CLAMD_INFECTED) {
		scan->infected++;
		if (!progress_infected(path, answer->signature))
			return SCAN_E_UNHEARD;
		if (scan->infected == SCAN_INFECTED_MAX)
			return SCAN_E_INFECTED;
	}
	return progress_scan(scan->done, scan->total) ? 0 : SCAN_E_UNHEARD;
}

/* Takes answers until at most `most` files wait for one. */
static int collect(struct scan *scan, unsigned int most)
{
	while (scan->waiting > most) {
		struct clamd_answer answer;
		size_t i = 0;
		int r = clamd_receive(scan->clamd, &answer);

		if (r)
			return r > 0 ? scan_fail(scan, "%s", clamd_error(r)) : r;
		while (i < WINDOW && !(scan->window[i].path && scan->window[i].id == answer.id))
			i++;
		if (i == WINDOW)
			return scan_fail(scan, "%s", clamd_error(CLAMD_E_ANSWER));
		scan->waiting--;
		r = take_verdict(scan, &answer, scan->window[i].path);
		free(scan->window[i].path);
		scan->window[i].path = NULL;
		if (r)
			return r;
	}
	return 0;
}

/* --- the tree ------------------------------------------------------------------------------ */

static int scan_file(struct scan *scan, int dir, const char *name)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;
	size_t i = 0;
	int r;

	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return scan_fail(scan, "%s: %.60s", strerror(errno), scan->path);
	if (!S_ISREG(st.st_mode))
		return scan_fail(scan, "changed while it was looked at: %.60s", scan->path);
	r = collect(scan, WINDOW - 1);
	if (r)
		return r;
	while (scan->window[i].path)
		i++;
	r = clamd_send(scan->clamd, fd, &scan->window[i].id);
	if (r)
		return r > 0 ? scan_fail(scan, "%s", clamd_error(r)) : r;
	scan->window[i].path = strdup(scan->path);
	if (!scan->window[i].path)
		return -ENOMEM;
	scan->waiting++;
	return 0;
}

static int scan_directory(struct scan *scan, int dir, unsigned int depth);

static int scan_entry(struct scan *scan, int dir, const char *name, unsigned int depth)
{
	struct stat st;
	int sub, r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return scan_fail(scan, "%s: %.60s", strerror(errno), scan->path);
	if (S_ISREG(st.st_mode) && !scan->clamd)
		return ++scan->total <= SCAN_FILES_MAX ?
			       0 :
			       scan_fail(scan, "more than %d files", SCAN_FILES_MAX);
	if (S_ISREG(st.st_mode))
		return scan_file(scan, dir, name);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth == SCAN_DEPTH_MAX)
		return scan_fail(scan, "directories in more than %d levels", SCAN_DEPTH_MAX);
	/* Directories count too, so that a tree of nothing else ends as well. */
	if (!scan->clamd && ++scan->total > SCAN_FILES_MAX)
		return scan_fail(scan, "more than %d files", SCAN_FILES_MAX);
	sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return scan_fail(scan, "%s: %.60s", strerror(errno), scan->path);
	r = scan_directory(scan, sub, depth + 1);
	if (scan->clamd)
		scan->done++;
	return r;
}

/* Takes the descriptor over. */
static int scan_directory(struct scan *scan, int dir, unsigned int depth)
{
	DIR *stream = fdopendir(dir);
	size_t len = strlen(scan->path);
	struct dirent *entry;
	int r = 0;

	if (!stream) {
		r = -errno;
		close(dir);
		return r;
	}
	while (!r) {
		int n;

		errno = 0;
		entry = readdir(stream);
		if (!entry)
			break;
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		n = snprintf(scan->path + len, sizeof(scan->path) - len, "%s%s", len ? "/" : "",
			     entry->d_name);
		if (n < 0 || (size_t)n >= sizeof(scan->path) - len)
			r = scan_fail(scan, "a path is longer than %d bytes", PATH_MAX);
		else
			r = scan_entry(scan, dirfd(stream), entry->d_name, depth);
		scan->path[len] = '\0';
	}
	if (!r && errno)
		r = scan_fail(scan, "%s: %.60s", strerror(errno), len ? scan->path : "/");
	closedir(stream);
	return r;
}

static int walk(struct scan *scan, int root)
{
	int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	scan->path[0] = '\0';
	return dir < 0 ? -errno : scan_directory(scan, dir, 0);
}

int scan_tree(int root, const char *socket, char detail[static SCAN_DETAIL_MAX])
{
	struct scan *scan = calloc(1, sizeof(*scan));
	_cleanup_(clamd_freep) struct clamd *clamd = NULL;
	int r;

	detail[0] = '\0';
	if (!scan)
		return -ENOMEM;
	scan->detail = detail;
	r = walk(scan, root);
	if (!r) {
		r = clamd_new(&clamd, socket, ANSWER_MS);
		r = r > 0 ? scan_fail(scan, "%s", clamd_error(r)) : r;
	}
	scan->clamd = clamd;
	if (!r && !progress_scan(0, scan->total))
		r = SCAN_E_UNHEARD;
	if (!r)
		r = walk(scan, root);
	if (!r)
		r = collect(scan, 0);
	if (!r && scan->infected)
		r = SCAN_E_INFECTED;
	if (!r && !progress_scan(scan->total, scan->total))
		r = SCAN_E_UNHEARD;
	for (size_t i = 0; i < WINDOW; i++)
		free(scan->window[i].path);
	free(scan);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <zstd.h>

#include "system/logfiles.h"
#include "system/logrotate.h"
#include "system/logstore.h"
#include "system/safedir.h"
#include "system/textfile.h"

#define LEVEL 9
#define TEMPORARY ".new"
#define CHUNK 65536

/* ioprio_set(2): has no wrapper and no header for user space. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_IDLE (3 << 13)

struct logrotate {
	sd_event *event;
	sd_event_source *child;
	pid_t pid;
	char *packing; /* the file that the child is at work on */
	int dir;
	char *stem;
};

int logrotate_new(struct logrotate **rotatep, sd_event *event)
{
	struct logrotate *rotate = calloc(1, sizeof(*rotate));

	if (!rotate)
		return -ENOMEM;
	rotate->event = sd_event_ref(event);
	rotate->dir = -1;
	*rotatep = rotate;
	return 0;
}

static void child_end(struct logrotate *rotate)
{
	rotate->child = sd_event_source_disable_unref(rotate->child);
	if (rotate->pid > 0) {
		kill(rotate->pid, SIGKILL);
		waitpid(rotate->pid, NULL, 0);
	}
	rotate->pid = 0;
	free(TAKE_PTR(rotate->packing));
}

struct logrotate *logrotate_free(struct logrotate *rotate)
{
	if (rotate) {
		child_end(rotate);
		closep(&rotate->dir);
		free(rotate->stem);
		sd_event_unref(rotate->event);
		free(rotate);
	}
	return NULL;
}

/* --- the child --- */

static int pack(int in, int out)
{
	static char plain[CHUNK], packed[CHUNK];
	ZSTD_CCtx *context = ZSTD_createCCtx();
	ZSTD_inBuffer from = { .src = plain };
	ZSTD_outBuffer to = { .dst = packed };
	bool last = false;
	size_t left;

	if (!context)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	while (!last) {
		ssize_t n = read(in, plain, sizeof(plain));

		if (n < 0)
			return -errno;
		last = !n;
		from.size = (size_t)n;
		from.pos = 0;
		do {
			to.size = sizeof(packed);
			to.pos = 0;
			left = ZSTD_compressStream2(context, &to, &from, last ? ZSTD_e_end : ZSTD_e_continue);
			if (ZSTD_isError(left) || textfile_write(out, packed, to.pos))
				return -EIO;
		} while (last ? left : from.pos < from.size);
	}
	ZSTD_freeCCtx(context);
	return 0;
}

/* Descriptors: 0 the file, 1 the new one, 2 the directory. */
static _Noreturn void child_run(const char *name, const char *temporary, const char *packed)
{
	struct timespec times[2];
	struct stat st;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpriority(PRIO_PROCESS, 0, 19);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
	if (fstat(0, &st) < 0 || pack(0, 1))
		goto fail;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (futimens(1, times) < 0 || fsync(1) < 0 || renameat(2, temporary, 2, packed) < 0 || fsync(2) < 0)
		goto fail;
	_exit(unlinkat(2, name, 0) < 0);
fail:
	unlinkat(2, temporary, 0);
	_exit(1);
}

/* The gate, the bus and the keys' file are none of the child's business. */
static bool child_keep_only(int in, int out, int dir)
{
	int spare = fcntl(in, F_DUPFD, 10), spare_out = fcntl(out, F_DUPFD, 10),
	    spare_dir = fcntl(dir, F_DUPFD, 10);

	return spare >= 0 && spare_out >= 0 && spare_dir >= 0 && dup2(spare, 0) == 0 &&
	       dup2(spare_out, 1) == 1 && dup2(spare_dir, 2) == 2 && !close_range(3, ~0u, 0);
}

static int child_done(sd_event_source *source, const siginfo_t *info, void *userdata);

static int child_start(struct logrotate *rotate, const char *name)
{
	_cleanup_(freep) char *packed = NULL, *temporary = NULL, *copy = strdup(name);
	_cleanup_(closep) int in = -1, out = -1;
	pid_t parent = getpid(), pid;
	struct stat st;
	int r;

	if (asprintf(&packed, "%s.zst", name) < 0)
		packed = NULL;
	if (!packed || !copy || asprintf(&temporary, "%s" TEMPORARY, packed) < 0)
		return -ENOMEM;
	in = openat(rotate->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (in < 0 || fstat(in, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPERM;
	if (unlinkat(rotate->dir, temporary, 0) < 0 && errno != ENOENT)
		return -errno;
	out = openat(rotate->dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (out < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || !child_keep_only(in, out, rotate->dir))
			_exit(1);
		child_run(name, temporary, packed);
	}
	r = sd_event_add_child(rotate->event, &rotate->child, pid, WEXITED, child_done, rotate);
	if (r < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return r;
	}
	rotate->pid = pid;
	rotate->packing = TAKE_PTR(copy);
	sd_event_source_set_priority(rotate->child, SD_EVENT_PRIORITY_IDLE);
	return 0;
}

/* The oldest that is not compressed. */
static int compress_next(struct logrotate *rotate)
{
	struct logfiles_name parsed;
	char **names = NULL;
	size_t n = 0, i;
	int r = logfiles_list(rotate->dir, rotate->stem, &names, &n);

	if (r)
		return r;
	for (i = 0; i < n; i++)
		if (logfiles_parse(&parsed, rotate->stem, names[i]) && !parsed.packed)
			break;
	if (i < n)
		r = child_start(rotate, names[i]);
	safedir_free_names(names, n);
	return r;
}

static int child_done(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct logrotate *rotate = userdata;

	rotate->child = sd_event_source_disable_unref(rotate->child);
	rotate->pid = 0;
	free(TAKE_PTR(rotate->packing));
	/* One that failed (a full disk) waits for the next call of logrotate_compress(). */
	if (info->si_code == CLD_EXITED && !info->si_status)
		compress_next(rotate);
	return 0;
}

/* STEM-….jsonl.zst.new of nobody: no child is at work. */
static void remove_leftovers(int dir, const char *stem)
{
	_cleanup_(freep) char *prefix = NULL;
	struct logfiles_name parsed;
	char **names = NULL;
	size_t n = 0;

	if (asprintf(&prefix, "%s-", stem) < 0)
		prefix = NULL;
	if (!prefix || safedir_list(dir, prefix, LOGFILES_PACKED TEMPORARY, LOGFILES_MAX, &names, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *name = strndup(names[i], strlen(names[i]) - strlen(TEMPORARY));

		if (name && logfiles_parse(&parsed, stem, name))
			unlinkat(dir, names[i], 0);
	}
	safedir_free_names(names, n);
}

int logrotate_compress(struct logrotate *rotate, int dir, const char *stem)
{
	char *copy;
	int fd;

	if (rotate->pid)
		return 0;
	remove_leftovers(dir, stem);
	copy = strdup(stem);
	fd = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	if (!copy || fd < 0) {
		int r = copy ? -errno : -ENOMEM;

		free(copy);
		return r;
	}
	closep(&rotate->dir);
	free(rotate->stem);
	rotate->dir = fd;
	rotate->stem = copy;
	return compress_next(rotate);
}

/* --- retention --- */

static bool has_newline(const char *text, size_t len)
{
	return memchr(text, '\n', len);
}

/* The beginning of a compressed file's text; what is no such file gives nothing. */
static size_t unpack_beginning(int fd, char *out, size_t size)
{
	static char packed[CHUNK];
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_outBuffer to = { .dst = out, .size = size };
	ZSTD_inBuffer from = { .src = packed };

	while (context && to.pos < size && !has_newline(out, to.pos)) {
		size_t before = to.pos;
		ssize_t n = 0;

		if (from.pos == from.size) {
			n = read(fd, packed, sizeof(packed));
			from.size = n > 0 ? (size_t)n : 0;
			from.pos = 0;
		}
		if (ZSTD_isError(ZSTD_decompressStream(context, &to, &from)) || (n <= 0 && to.pos == before))
			break;
	}
	ZSTD_freeDCtx(context);
	return to.pos;
}

/* The hash before a file's first record, as that record states it, and the record's time if that is later than *time_us. */
static int read_previous(int dir, const char *name, bool packed, char out[static 2 * CHAIN_HASH_LEN + 1],
			 int64_t *time_us)
{
	_cleanup_(closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	_cleanup_(freep) char *text = malloc(LOGSTORE_LINE_MAX + 1);
	struct json_object *record, *previous;
	const char *hash;
	char *newline;
	int64_t told;
	ssize_t n;

	out[0] = '\0';
	if (!text)
		return -ENOMEM;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	n = packed ? (ssize_t)unpack_beginning(fd, text, LOGSTORE_LINE_MAX) : read(fd, text, LOGSTORE_LINE_MAX);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	newline = strchr(text, '\n');
	if (newline)
		*newline = '\0';
	told = logfiles_record_time(text, strlen(text));
	if (told > *time_us)
		*time_us = told;
	record = json_tokener_parse(text);
	hash = json_object_object_get_ex(record, "previous", &previous) ? json_object_get_string(previous) : "";
	if (strlen(hash) == 2 * CHAIN_HASH_LEN && strspn(hash, "0123456789abcdef") == 2 * CHAIN_HASH_LEN)
		memcpy(out, hash, 2 * CHAIN_HASH_LEN + 1);
	json_object_put(record);
	return 0;
}

int logrotate_find_oldest(int dir, const char *stem, const char *current, int64_t current_us,
			  uint64_t current_seq, struct logrotate_expired *out)
{
	struct logfiles_name first, next = { .time_us = current_us, .seq = current_seq };
	const char *next_name = current;
	char **names = NULL;
	size_t n = 0, at;
	int r = logfiles_list(dir, stem, &names, &n);

	if (r)
		return r;
	if (n && logfiles_parse(&first, stem, names[0])) {
		/* A file and its compressed form may both be there. */
		for (at = 1; at < n; at++)
			if (logfiles_parse(&next, stem, names[at]) && next.seq != first.seq)
				break;
		if (at < n)
			next_name = names[at];
		else
			next = (struct logfiles_name){ .time_us = current_us, .seq = current_seq };
		if (next.seq > first.seq) {
			out->first_seq = first.seq;
			out->last_seq = next.seq - 1;
			/* Who renames files does not make them older. */
			out->newest_us = next.time_us;
			r = read_previous(dir, next_name, next.packed, out->last_hash, &out->newest_us);
			if (!r) {
				out->name = TAKE_PTR(names[0]);
				r = 1;
			}
		}
	}
	safedir_free_names(names, n);
	return r;
}

int logrotate_remove(struct logrotate *rotate, int dir, const char *name)
{
	_cleanup_(freep) char *packed = NULL;

	/* Of a compressed one there is no other: the plain one comes before it and goes with it. */
	if (asprintf(&packed, "%s.zst", name) < 0)
		packed = NULL;
	if (!packed)
		return -ENOMEM;
	if (rotate->packing && !strcmp(rotate->packing, name))
		child_end(rotate);
	if ((unlinkat(dir, name, 0) < 0 && errno != ENOENT) || (unlinkat(dir, packed, 0) < 0 && errno != ENOENT))
		return -errno;
	return fsync(dir) < 0 ? -errno : 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What stands in the file, against what the keys say. They may be behind by what was written since they were stored: such lines
 * are verified with the key that is stored, and taken.
 *
 *   nothing there             a new file: due is its header ("rotated" if a rotated file ends where we stood, else "file-missing")
 *   ends where we stood       go on
 *   lines of ours follow      catch up
 *   a cut line follows        it stays; due is log-recovered, with its length and hash
 *   anything else             it stays; due is log-damaged
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "system/logfiles.h"
#include "system/logstore-inside.h"
#include "system/safedir.h"

#define KIND_MEMBER ",\"kind\":\""
#define KIND_RECOVERED KIND_MEMBER "log-recovered\""

/* --- reading lines --- */

struct line {
	char text[LOGSTORE_LINE_MAX];
	size_t len;	/* without the newline */
	bool whole;	/* a newline follows */
	bool too_long;
};

static int line_read(struct line *line, int fd, uint64_t at)
{
	ssize_t n = pread(fd, line->text, sizeof(line->text), (off_t)at);
	const char *newline;

	if (n < 0)
		return -errno;
	newline = memchr(line->text, '\n', (size_t)n);
	line->whole = newline;
	line->len = newline ? (size_t)(newline - line->text) : (size_t)n;
	line->too_long = !newline && n == sizeof(line->text);
	return 0;
}

/* The line before the byte `end`, which is a newline or the end of the file. *beginp: where it begins. */
static int line_read_before(struct line *line, int fd, uint64_t end, uint64_t *beginp)
{
	uint64_t from = end > sizeof(line->text) ? end - sizeof(line->text) : 0;
	ssize_t n = pread(fd, line->text, (size_t)(end - from), (off_t)from);
	const char *newline;

	if (n < 0)
		return -errno;
	if ((uint64_t)n != end - from)
		return -EIO;
	newline = memrchr(line->text, '\n', (size_t)n);
	line->whole = newline || !from;
	line->too_long = !line->whole;
	line->len = newline ? (size_t)(line->text + n - newline - 1) : (size_t)n;
	memmove(line->text, line->text + n - line->len, line->len);
	*beginp = end - line->len;
	return 0;
}

static bool line_parse(const struct line *line, struct chain_line *parsed)
{
	return !line->too_long && chain_line_parse(parsed, line->text, line->len);
}

/* Is it the record after `chain`, by its hash and by the key that we hold? */
static bool line_is_next(const struct line *line, const struct chain *chain)
{
	struct chain_line parsed;

	return line_parse(line, &parsed) && parsed.seq == chain->seq + 1 &&
	       chain_line_check(&parsed, chain->hash, chain->key, NULL) == CHAIN_LINK_OK;
}

/* Goes on to the record in the line, if it is the next. */
static bool point_follow(struct logpoint *point, const struct line *line, uint64_t end)
{
	int64_t time_us;

	if (line->too_long || !chain_follow(&point->chain, line->text, line->len))
		return false;
	time_us = logfiles_record_time(line->text, line->len);
	point->end = end;
	if (time_us >= 0)
		point->newest_us = time_us;
	return true;
}

/* --- the parts of the look --- */

/* Does the file's record that ends at `end` be the newest of this chain, unaltered as far as the one before can tell? */
static int tail_matches(int fd, uint64_t end, uint64_t size, const struct chain *chain, bool *matchesp)
{
	struct line line, before;
	struct chain_line parsed, previous;
	uint64_t begin, ignored;
	char last;
	int r;

	*matchesp = false;
	if (!end || size < end)
		return 0;
	/* The newline itself may be what a power cut took. */
	if (pread(fd, &last, 1, (off_t)end - 1) != 1)
		return -EIO;
	if (last != '\n')
		return 0;
	r = line_read_before(&line, fd, end - 1, &begin);
	if (r || !line_parse(&line, &parsed) || parsed.seq != chain->seq ||
	    memcmp(parsed.hash, chain->hash, CHAIN_HASH_LEN))
		return r;
	if (begin) {
		r = line_read_before(&before, fd, begin - 1, &ignored);
		if (r)
			return r;
		if (line_parse(&before, &previous) && previous.seq + 1 == parsed.seq &&
		    chain_line_check(&parsed, previous.hash, NULL, NULL) != CHAIN_LINK_OK)
			return 0;
	}
	*matchesp = true;
	return 0;
}

/* As far as it goes, is the line the beginning of the record after `chain`, and of this kind (NULL: of any)? */
static bool line_begins(const struct line *line, const struct chain *chain, const char *kind)
{
	char front[64];
	size_t len = (size_t)snprintf(front, sizeof(front), "{\"seq\":%llu,\"time\":\"",
				      (unsigned long long)chain->seq + 1);
	const char *member = kind ? memmem(line->text, line->len, KIND_MEMBER, strlen(KIND_MEMBER)) : NULL;
	size_t rest = member ? line->len - (size_t)(member - line->text) : 0;

	if (memcmp(line->text, front, line->len < len ? line->len : len))
		return false;
	return !rest || !memcmp(member, kind, rest < strlen(kind) ? rest : strlen(kind));
}

/* Cut lines, as a log-recovered tells of them. */
struct torn {
	bool told; /* a record of ours behind them does */
	bool due;  /* one has to, at the end of the file */
	uint64_t bytes, end; /* end: of the file's part that they are */
	uint8_t hash[CHAIN_HASH_LEN];
};

/*
 * What is at `at`, and is not the next record? The first cut line is cut by the file's end, or the next record's beginning; each
 * further one is what came of the log-recovered that was to tell of those before it.
 */
static int torn_look(const struct logstore *store, uint64_t at, struct torn *torn)
{
	const struct chain *chain = &store->live->chain;
	crypto_generichash_state hash;
	struct chain_line parsed;
	bool ours = false;
	struct line line;
	unsigned int n;
	int r;

	*torn = (struct torn){ .bytes = 0 };
	crypto_generichash_init(&hash, NULL, 0, sizeof(torn->hash));
	for (n = 0; at < store->size; n++) {
		r = line_read(&line, store->fd, at);
		if (r)
			return r;
		torn->end = at;
		torn->told = n && !line.too_long && line_is_next(&line, chain) &&
			     memmem(line.text, line.len, KIND_RECOVERED, strlen(KIND_RECOVERED));
		if (torn->told)
			return 0;
		if (line.too_long || (line.whole && line_parse(&line, &parsed)) ||
		    (n && !line_begins(&line, chain, KIND_RECOVERED)))
			return 0;
		if (!n)
			ours = !line.whole || line_begins(&line, chain, NULL);
		else
			crypto_generichash_update(&hash, (const uint8_t *)"\n", 1);
		crypto_generichash_update(&hash, (const uint8_t *)line.text, line.len);
		torn->bytes += line.len + (n > 0);
		at += line.len + line.whole;
	}
	crypto_generichash_final(&hash, torn->hash, sizeof(torn->hash));
	torn->due = torn->bytes && (ours || n > 1);
	return 0;
}

static int set_found(struct logstore *store)
{
	uint64_t end = store->size, begin = 0;
	struct chain_line parsed;
	struct line line;
	int r;

	store->found_seq = 0;
	if (!store->cut)
		end--;
	r = line_read_before(&line, store->fd, end, &begin);
	if (!r && line_parse(&line, &parsed))
		store->found_seq = parsed.seq;
	return r;
}

static int look_damaged(struct logstore *store)
{
	store->due |= DUE_DAMAGED;
	return set_found(store);
}

static int catch_up(struct logstore *store, uint64_t at, uint64_t *takenp)
{
	struct line line;
	struct torn torn;
	int r = 0;

	*takenp = 0;
	while (at < store->size) {
		r = line_read(&line, store->fd, at);
		if (r)
			return r;
		/* Where only its newline is missing, the record stays, and its end counts the newline that will come. */
		if (point_follow(store->live, &line, at + line.len + 1)) {
			++*takenp;
			at += line.len + line.whole;
			continue;
		}
		r = torn_look(store, at, &torn);
		if (r)
			return r;
		if (!torn.told)
			break;
		at = torn.end;
	}
	if (store->lost)
		store->lost -= store->lost < *takenp ? store->lost : *takenp;
	if (at == store->size)
		return 0;
	if (!torn.due)
		return look_damaged(store);
	store->due |= DUE_RECOVERED;
	store->torn_bytes = torn.bytes;
	memcpy(store->torn_hash, torn.hash, sizeof(store->torn_hash));
	return 0;
}

/* Does the newest rotated file end where we stood? */
static int rotated_is_ours(struct logstore *store, bool *oursp)
{
	_cleanup_(closep) int fd = -1;
	char **names = NULL;
	struct stat st;
	size_t n = 0;
	int r = logfiles_list(store->dir, store->stem, &names, &n);

	*oursp = false;
	if (r)
		return r;
	if (n)
		fd = openat(store->dir, names[n - 1], O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && (uint64_t)st.st_ino == store->durable->inode &&
	    (uint64_t)st.st_size == store->durable->end)
		r = tail_matches(fd, store->durable->end, (uint64_t)st.st_size, &store->durable->chain, oursp);
	safedir_free_names(names, n);
	return r;
}

/* --- files --- */

int logstore_open_file(struct logstore *store, int flags)
{
	_cleanup_(closep) int fd = openat(store->dir, store->name,
					  O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | flags,
					  0640);
	struct stat st;
	char last = '\n';

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	if (st.st_size && pread(fd, &last, 1, st.st_size - 1) != 1)
		return -EIO;
	store->size = (uint64_t)st.st_size;
	store->cut = last != '\n';
	store->live->inode = (uint64_t)st.st_ino;
	closep(&store->fd);
	store->fd = TAKE_FD(fd);
	return 0;
}

int logstore_create(struct logstore *store)
{
	int r = logstore_open_file(store, O_CREAT);

	if (!r && fsync(store->dir) < 0)
		r = -errno;
	if (!r && store->size)
		r = -EEXIST;
	if (r) {
		closep(&store->fd);
		store->fd = -1;
		return r;
	}
	store->durable_size = 0;
	store->due |= DUE_HEADER;
	return 0;
}

int logstore_read_first(struct logstore *store, uint64_t *seqp)
{
	struct chain_line parsed;
	struct line line;
	int r = line_read(&line, store->fd, 0);

	if (r)
		return r;
	*seqp = line_parse(&line, &parsed) ? parsed.seq : 0;
	store->first_seq = *seqp;
	store->first_us = line.too_long ? -1 : logfiles_record_time(line.text, line.len);
	if (store->first_us < 0)
		store->first_us = store->live->newest_us;
	return 0;
}

int logstore_set_aside(struct logstore *store, char **namep)
{
	_cleanup_(freep) char *name = NULL;
	char tail[LOGFILES_TAIL_MAX];
	int tries = 0;

	/* Two files that began with one number in one second: a log that was put back. The later one gets a later second. */
	do {
		free(name);
		logfiles_tail(tail, store->first_us + tries * INT64_C(1000000), store->first_seq);
		if (asprintf(&name, "%s%s", store->stem, tail) < 0) {
			name = NULL;
			return -ENOMEM;
		}
		if (!renameat2(store->dir, store->name, store->dir, name, RENAME_NOREPLACE)) {
			if (namep)
				*namep = TAKE_PTR(name);
			return fsync(store->dir) < 0 ? -errno : 0;
		}
	} while (errno == EEXIST && ++tries < 60);
	return -errno;
}

/* --- the look --- */

static int look_empty(struct logstore *store)
{
	bool ours = false;
	int r = 0;

	if (store->live->end)
		r = rotated_is_ours(store, &ours);
	store->missing = !ours;
	return r ? r : logstore_create(store);
}

/* Not even the first record is whole, and nothing else is there. */
static int cut_torn_header(struct logstore *store, bool *donep)
{
	struct line line;
	int r = line_read(&line, store->fd, 0);

	*donep = !r && !line.whole && !line.too_long;
	if (!*donep)
		return r;
	if (ftruncate(store->fd, 0) < 0)
		return -errno;
	store->size = 0;
	store->cut = false;
	return look_empty(store);
}

/* A log of which nothing is durable yet. */
static int look_begun(struct logstore *store, uint64_t first)
{
	uint64_t taken = 0;
	bool done = false;
	int r = 0;

	if (first == store->live->chain.seq + 1) {
		r = catch_up(store, 0, &taken);
		if (r || taken)
			return r;
		/* What stands there is not of this log, and nothing of it is due here. */
		store->due = 0;
		store->torn_bytes = store->found_seq = 0;
	}
	if (!first)
		r = cut_torn_header(store, &done);
	if (r || done)
		return r;
	/* The file from before it. */
	r = logstore_set_aside(store, NULL);
	return r ? r : logstore_create(store);
}

/* All but the newline of the newest record is there. */
static int lacks_newline(struct logstore *store, bool *lacksp)
{
	struct chain_line parsed;
	struct line line;
	uint64_t begin;
	int r;

	*lacksp = false;
	if (!store->cut || store->size + 1 != store->live->end)
		return 0;
	r = line_read_before(&line, store->fd, store->size, &begin);
	*lacksp = !r && line_parse(&line, &parsed) && parsed.seq == store->live->chain.seq &&
		  !memcmp(parsed.hash, store->live->chain.hash, CHAIN_HASH_LEN);
	return r;
}

static int look_file(struct logstore *store)
{
	bool matches = false, done = false;
	uint64_t first, taken;
	int r = logstore_read_first(store, &first);

	if (r)
		return r;
	if (!store->live->end)
		return look_begun(store, first);
	r = tail_matches(store->fd, store->live->end, store->size, &store->live->chain, &matches);
	if (r)
		return r;
	if (matches)
		return catch_up(store, store->live->end, &taken);
	r = lacks_newline(store, &matches);
	if (r || matches)
		return r;
	/* Rotated, and the keys have not been stored since. */
	if (first == store->live->chain.seq + 1)
		return catch_up(store, 0, &taken);
	r = rotated_is_ours(store, &matches);
	if (!r && matches && !first)
		r = cut_torn_header(store, &done);
	return r || done ? r : look_damaged(store);
}

int logstore_look(struct logstore *store)
{
	int r;

	store->due = store->current = 0;
	store->torn_bytes = 0;
	store->missing = false;
	store->trouble = store->path;
	if (store->dir < 0) {
		r = safedir_open(store->folder, &store->dir);
		if (r)
			return r == SAFEDIR_E_ABSENT ? -ENOENT : r < 0 ? r : -EPERM;
	}
	if (!store->state) {
		r = logstore_load_keys(store);
		if (r)
			return r;
	}
	r = logstore_settle(store);
	if (r)
		return r;
	*store->live = *store->durable;
	r = logstore_open_file(store, 0);
	if (r == -ENOENT) {
		store->size = 0;
		r = look_empty(store);
	} else if (!r) {
		if (store->uncut && store->live->inode == store->durable->inode &&
		    store->size > store->durable_size) {
			if (ftruncate(store->fd, (off_t)store->durable_size) < 0)
				return -errno;
			r = logstore_open_file(store, 0);
		}
		store->uncut = false;
		if (!r)
			r = store->size ? look_file(store) : look_empty(store);
	}
	if (r)
		return r;
	/* What was caught up may be in memory only. */
	if (!(store->due & DUE_HEADER)) {
		if (fdatasync(store->fd) < 0)
			return -errno;
		store->unsaved |= store->live->chain.seq != store->durable->chain.seq;
		*store->durable = *store->live;
		store->durable_size = store->size;
	}
	if (store->lost || store->first_error)
		store->due |= DUE_RECOVERED;
	return logstore_follow_desk(store);
}

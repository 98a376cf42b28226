// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "system/logfiles.h"
#include "system/logstore-inside.h"
#include "system/safedir.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define SIGNATURE_LEN 64

static void add_string(struct json_object *record, const char *name, const char *value)
{
	json_object_object_add(record, name, json_object_new_string(value));
}

static void add_number(struct json_object *record, const char *name, uint64_t value)
{
	json_object_object_add(record, name, json_object_new_uint64(value));
}

static void add_hex(struct json_object *record, const char *name, const uint8_t *bytes, size_t len)
{
	char text[2 * CHAIN_HASH_LEN + 1];

	sodium_bin2hex(text, sizeof(text), bytes, len);
	add_string(record, name, text);
}

int logstore_new(struct logstore **storep, const char *path, const char *keys, const uint8_t *desk_public)
{
	_cleanup_(logstore_freep) struct logstore *store = calloc(1, sizeof(*store));
	const char *slash = strrchr(path, '/');
	size_t len;

	if (!store)
		return -ENOMEM;
	store->dir = store->fd = -1;
	if (!slash || !slash[1])
		return -EINVAL;
	store->points = logstate_points(2);
	store->path = strdup(path);
	store->folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	store->keys = strdup(keys);
	store->stem = strdup(slash + 1);
	if (!store->points || !store->path || !store->folder || !store->keys || !store->stem)
		return -ENOMEM;
	store->name = store->path + (slash + 1 - path);
	len = strlen(store->stem);
	if (len > strlen(LOGFILES_SUFFIX) && !strcmp(store->stem + len - strlen(LOGFILES_SUFFIX), LOGFILES_SUFFIX))
		store->stem[len - strlen(LOGFILES_SUFFIX)] = '\0';
	store->live = &store->points[0];
	store->durable = &store->points[1];
	if (desk_public) {
		memcpy(store->desk_public, desk_public, sizeof(store->desk_public));
		store->has_desk = true;
	}
	store->trouble = store->path;
	*storep = TAKE_PTR(store);
	return 0;
}

struct logstore *logstore_free(struct logstore *store)
{
	if (store) {
		closep(&store->fd);
		closep(&store->dir);
		logstate_free(store->state);
		logstate_free_points(store->points);
		free(store->path);
		free(store->folder);
		free(store->keys);
		free(store->stem);
		free(store);
	}
	return NULL;
}

/* --- what the log has to say --- */

static struct json_object *due_header(const struct logstore *store, const char **kindp)
{
	struct json_object *members = json_object_new_object();
	bool begun = !store->live->end && logstate_first(store->state) == store->live->chain.seq + 1;

	*kindp = begun ? "log-begun" : "log-continued";
	if (!members)
		return NULL;
	add_string(members, "why",
		   begun ? logstate_why_name(logstate_why(store->state)) :
			   store->missing ? "file-missing" : "rotated");
	add_hex(members, "previous", store->live->chain.hash, CHAIN_HASH_LEN);
	logstate_add_members(store->state, members);
	return members;
}

static struct json_object *due_damaged(const struct logstore *store, const char **kindp)
{
	struct json_object *members = json_object_new_object();

	*kindp = "log-damaged";
	if (!members)
		return NULL;
	add_number(members, "expected_seq", store->live->chain.seq);
	add_hex(members, "expected_hash", store->live->chain.hash, CHAIN_HASH_LEN);
	add_number(members, "found_seq", store->found_seq);
	return members;
}

static struct json_object *due_recovered(const struct logstore *store, const char **kindp)
{
	struct json_object *members = json_object_new_object();

	*kindp = "log-recovered";
	if (!members)
		return NULL;
	if (store->torn_bytes) {
		add_number(members, "torn_bytes", store->torn_bytes);
		add_hex(members, "torn_hash", store->torn_hash, CHAIN_HASH_LEN);
	}
	if (store->first_error) {
		add_number(members, "lost", store->lost);
		add_string(members, "error", strerror(-store->first_error));
	}
	return members;
}

static struct json_object *due_handover(const struct logstore *store, const char **kindp)
{
	struct json_object *members = json_object_new_object();

	*kindp = "log-handover";
	if (members)
		logstate_add_prepared(store->state, members);
	return members;
}

/* --- going back --- */

void logstore_count_lost(struct logstore *store, int error)
{
	store->lost++;
	if (!store->first_error)
		store->first_error = error;
}

/* The chain stands at what is durable; the file is looked at before the next line. */
static void logstore_return(struct logstore *store)
{
	store->lost += store->pending;
	if (store->pending && !store->first_error)
		store->first_error = -ESTALE;
	store->pending = 0;
	*store->live = *store->durable;
	closep(&store->fd);
	store->fd = -1;
	store->current = 0;
}

/* What was written since the last commit must not come to the disk by itself later: it was said not to be there. */
static int logstore_fail(struct logstore *store, int error)
{
	if (!store->first_error)
		store->first_error = error;
	store->trouble = store->path;
	store->uncut = ftruncate(store->fd, (off_t)store->durable_size) < 0;
	logstore_return(store);
	return error;
}

/* Has somebody else been at the file? */
static bool logstore_stale(const struct logstore *store)
{
	struct stat by_fd, by_path;

	return fstat(store->fd, &by_fd) < 0 ||
	       fstatat(store->dir, store->name, &by_path, AT_SYMLINK_NOFOLLOW) < 0 ||
	       by_fd.st_ino != by_path.st_ino || by_fd.st_dev != by_path.st_dev ||
	       (uint64_t)by_fd.st_size != store->size;
}

/* Has the directory been removed, or something been mounted over it? */
static bool folder_stale(const struct logstore *store)
{
	struct stat by_fd, by_path;

	return fstat(store->dir, &by_fd) < 0 || stat(store->folder, &by_path) < 0 ||
	       by_fd.st_ino != by_path.st_ino || by_fd.st_dev != by_path.st_dev;
}

int logstore_ready(struct logstore *store, const char **kindp, struct json_object **membersp)
{
	int r;

	if (store->dir >= 0 && folder_stale(store)) {
		logstore_return(store);
		closep(&store->dir);
		store->dir = -1;
	}
	if (store->fd >= 0 && logstore_stale(store))
		logstore_return(store);
	r = store->fd < 0 ? logstore_look(store) : 0;
	if (!r && !store->due && store->handing)
		r = logstore_hand_over(store);
	if (r) {
		closep(&store->fd);
		store->fd = -1;
		if (!store->first_error)
			store->first_error = r;
		return r;
	}
	if (!store->due)
		return 0;
	store->current = store->due & -store->due;
	*membersp = store->current == DUE_HEADER    ? due_header(store, kindp) :
		    store->current == DUE_RECOVERED ? due_recovered(store, kindp) :
		    store->current == DUE_HANDOVER  ? due_handover(store, kindp) :
						      due_damaged(store, kindp);
	return *membersp ? LOGSTORE_E_DUE : -ENOMEM;
}

/* --- writing --- */

int logstore_append(struct logstore *store, int64_t time_us, char *line, size_t len,
		    uint8_t hash[static CHAIN_HASH_LEN])
{
	struct iovec parts[] = { { "\n", 1 }, { line, 0 } };
	int first = store->cut ? 0 : 1;
	ssize_t n;

	if (len + CHAIN_SEAL_LEN + 1 > LOGSTORE_LINE_MAX)
		return -EMSGSIZE;
	if (store->fd < 0)
		return -EBADF;
	len = chain_seal(&store->live->chain, line, len, LOGSTORE_LINE_MAX);
	if (!len)
		return -EINVAL;
	line[len++] = '\n';
	parts[1].iov_len = len;
	n = writev(store->fd, parts + first, 2 - first);
	if (n != (ssize_t)len + 1 - first) {
		int r = n < 0 ? -errno : -ENOSPC;

		if (!store->current)
			store->lost++;
		return logstore_fail(store, r);
	}
	memcpy(hash, store->live->chain.hash, CHAIN_HASH_LEN);
	if (!store->size) {
		store->first_seq = store->live->chain.seq;
		store->first_us = time_us;
	}
	store->size += (uint64_t)n;
	store->live->end = store->size;
	store->live->newest_us = time_us;
	store->cut = false;
	store->pending++;
	if (store->current == DUE_HANDOVER)
		store->handed_seq = store->live->chain.seq;
	store->due &= ~store->current;
	store->current = 0;
	return 0;
}

int logstore_commit(struct logstore *store)
{
	if (!store->pending)
		return 0;
	if (fdatasync(store->fd) < 0)
		return logstore_fail(store, -errno);
	store->pending = 0;
	*store->durable = *store->live;
	store->durable_size = store->size;
	store->unsaved = true;
	if (!(store->due & DUE_RECOVERED)) {
		store->lost = 0;
		store->first_error = 0;
	}
	return 0;
}

int logstore_save(struct logstore *store)
{
	int r;

	if (!store->unsaved)
		return 0;
	r = logstate_save(store->state, store->durable);
	if (r)
		store->trouble = store->keys;
	else
		store->unsaved = false;
	return r;
}

int logstore_rotate(struct logstore *store, char **namep)
{
	int r = store->fd < 0 || store->due ? -EAGAIN : logstore_commit(store);

	if (!r)
		r = logstore_save(store);
	if (!r)
		r = logstore_set_aside(store, namep);
	if (!r) {
		store->missing = false;
		r = logstore_create(store);
	}
	return r;
}

bool logstore_add_checkpoint(const struct logstore *store, struct json_object *members)
{
	const struct chain *chain = &store->live->chain;
	uint8_t message[CHAIN_CHECKPOINT_LEN], signature[SIGNATURE_LEN];
	char text[sodium_base64_ENCODED_LEN(SIGNATURE_LEN, BASE64)];

	if (!store->state || !chain->seq)
		return false;
	chain_checkpoint_message(message, logstate_id(store->state), chain->seq, chain->hash);
	logstate_sign(store->state, signature, message, sizeof(message));
	sodium_bin2base64(text, sizeof(text), signature, sizeof(signature), BASE64);
	add_hex(members, "log", logstate_id(store->state), CHAIN_ID_LEN);
	add_number(members, "at", chain->seq);
	add_hex(members, "head", chain->hash, CHAIN_HASH_LEN);
	add_string(members, "signature", text);
	return true;
}

/* --- asking --- */

uint64_t logstore_next_seq(const struct logstore *store)
{
	return store->live->chain.seq + 1;
}

int64_t logstore_newest_us(const struct logstore *store)
{
	return store->live->newest_us;
}

unsigned int logstore_pending(const struct logstore *store)
{
	return store->pending;
}

bool logstore_unsaved(const struct logstore *store)
{
	return store->unsaved;
}

const struct chain *logstore_durable(const struct logstore *store)
{
	return &store->durable->chain;
}

uint64_t logstore_size(const struct logstore *store)
{
	return store->size;
}

uint64_t logstore_first_seq(const struct logstore *store)
{
	return store->first_seq;
}

int64_t logstore_first_us(const struct logstore *store)
{
	return store->first_us;
}

int logstore_directory(const struct logstore *store)
{
	return store->fd < 0 ? -1 : store->dir;
}

const char *logstore_stem(const struct logstore *store)
{
	return store->stem;
}

const char *logstore_sealed_to(const struct logstore *store)
{
	return store->state ? logstate_sealed_to(store->state) : "";
}

const char *logstore_trouble(const struct logstore *store)
{
	return store->trouble;
}

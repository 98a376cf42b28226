// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <json-c/json.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "system/logstate.h"
#include "system/safedir.h"

#define KEY_FILE "terminal.key"
#define HEADER_FILE "header"
#define HEADER_NEXT "header-next"
#define STATE_FILE "state"

#define HEADER_MAX 2048
#define SEALED_LEN (CHAIN_KEY_LEN + CHAIN_ID_LEN + crypto_box_SEALBYTES)
#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define BASE64_MAX(len) sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL)

/* A sector: a disk writes it whole or not at all. */
#define SLOT_LEN 512
#define SLOT_SUM_LEN 32
static const char slot_magic[24] = "sekimori-log-state-2";

struct slot {
	uint8_t magic[sizeof(slot_magic)];
	uint8_t generation[8], first[8], seq[8], newest[8], end[8], inode[8];
	uint8_t id[CHAIN_ID_LEN], hash[CHAIN_HASH_LEN], key[CHAIN_KEY_LEN];
	uint8_t why;
	uint8_t has_desk, desk[crypto_box_PUBLICKEYBYTES], sealed[SEALED_LEN];
	uint8_t zero[SLOT_LEN - sizeof(slot_magic) - 6 * 8 - CHAIN_ID_LEN - CHAIN_HASH_LEN - CHAIN_KEY_LEN -
		     2 - crypto_box_PUBLICKEYBYTES - SEALED_LEN - SLOT_SUM_LEN];
	uint8_t sum[SLOT_SUM_LEN];
};
_Static_assert(sizeof(struct slot) == SLOT_LEN, "a slot is bytes, without holes");

/* A log: what stands in the header. */
struct identity {
	uint8_t id[CHAIN_ID_LEN];
	uint64_t first;
	enum logstate_why why;
	bool has_desk; /* else the key is sealed to nobody */
	uint8_t desk[crypto_box_PUBLICKEYBYTES], sealed[SEALED_LEN];
	char sealed_to[2 * crypto_box_PUBLICKEYBYTES + 1]; /* hex of desk, or "" */
};

struct secret {
	uint8_t sign[crypto_sign_SECRETKEYBYTES];
	uint8_t next_key[CHAIN_KEY_LEN]; /* the first of the log that is prepared */
	struct slot slots[2]; /* on their way to the disk or from it */
};

struct logstate {
	int dir;
	int fd; /* of the state */
	uint64_t generation;
	struct identity log, next;
	bool prepared; /* next is a log that is still to be begun */
	bool header_stale;
	bool has_key;
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
	struct secret *secret;
};

const char *logstate_why_name(enum logstate_why why)
{
	static const char *const names[] = { "first", "key-state-lost", "desk-key" };

	_Static_assert(ARRAY_SIZE(names) == N_LOGSTATE_WHYS, "a name each");
	return names[why];
}

/* --- memory for secrets --- */

/* libsodium puts the bytes at the end of whole pages of their own. */
static void *secret_alloc(size_t len)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from, to;
	void *memory = sodium_malloc(len);

	if (!memory)
		return NULL;
	from = (uintptr_t)memory & ~(page - 1);
	to = ((uintptr_t)memory + len + page - 1) & ~(page - 1);
	/* Children compress and inspect: they need no key. Where the kernel cannot, they are as trusted as we are. */
	madvise((void *)from, to - from, MADV_WIPEONFORK);
	sodium_memzero(memory, len);
	return memory;
}

struct logpoint *logstate_points(size_t n)
{
	return secret_alloc(n * sizeof(struct logpoint));
}

void logstate_free_points(struct logpoint *points)
{
	sodium_free(points);
}

/* --- reading --- */

static void put_u64(uint8_t *p, uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_u64(const uint8_t *p)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < 8; i++)
		value |= (uint64_t)p[i] << 8 * i;
	return value;
}

/*
 * Reads a file of exactly or at most `max` bytes; *lenp what was there. LOGSTATE_E_NONE: there is none; LOGSTATE_E_LOST:
 * it is longer.
 */
static int read_private(int dir, const char *name, mode_t forbidden, void *out, size_t max, size_t *lenp)
{
	_cleanup_(closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? LOGSTATE_E_NONE : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & forbidden))
		return -EPERM;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return LOGSTATE_E_LOST;
	n = pread(fd, out, max, 0);
	if (n < 0)
		return -errno;
	*lenp = (size_t)n;
	return 0;
}

static int read_key(struct logstate *state)
{
	size_t len = 0;
	int r = read_private(state->dir, KEY_FILE, 077, state->secret->sign, sizeof(state->secret->sign), &len);

	if (!r && len != sizeof(state->secret->sign))
		r = LOGSTATE_E_LOST;
	if (r)
		return r;
	crypto_sign_ed25519_sk_to_pk(state->public, state->secret->sign);
	state->has_key = true;
	return 0;
}

static void slot_sum(uint8_t sum[static SLOT_SUM_LEN], const struct slot *slot)
{
	crypto_generichash(sum, SLOT_SUM_LEN, (const uint8_t *)slot, SLOT_LEN - SLOT_SUM_LEN, NULL, 0);
}

static bool slot_is_good(const struct slot *slot)
{
	uint8_t sum[SLOT_SUM_LEN];

	slot_sum(sum, slot);
	return !sodium_memcmp(sum, slot->sum, sizeof(sum)) &&
	       !memcmp(slot->magic, slot_magic, sizeof(slot_magic)) && slot->why < N_LOGSTATE_WHYS;
}

static void identity_set_desk(struct identity *log, const uint8_t *desk)
{
	log->has_desk = desk;
	log->sealed_to[0] = '\0';
	if (!desk)
		return;
	memcpy(log->desk, desk, sizeof(log->desk));
	sodium_bin2hex(log->sealed_to, sizeof(log->sealed_to), desk, sizeof(log->desk));
}

static void identity_from_slot(struct identity *log, const struct slot *slot)
{
	memcpy(log->id, slot->id, sizeof(log->id));
	log->first = get_u64(slot->first);
	log->why = slot->why;
	memcpy(log->sealed, slot->sealed, sizeof(log->sealed));
	identity_set_desk(log, slot->has_desk ? slot->desk : NULL);
}

static int read_state(struct logstate *state, struct logpoint *point)
{
	struct slot *slots = state->secret->slots;
	const struct slot *slot = NULL;
	size_t len = 0;
	int r = read_private(state->dir, STATE_FILE, 077, slots, 2 * SLOT_LEN, &len);

	if (r)
		return r;
	for (size_t i = 0; i < len / SLOT_LEN; i++)
		if (slot_is_good(&slots[i]) &&
		    (!slot || get_u64(slots[i].generation) > get_u64(slot->generation)))
			slot = &slots[i];
	if (!slot)
		return LOGSTATE_E_LOST;
	state->generation = get_u64(slot->generation);
	identity_from_slot(&state->log, slot);
	point->chain.seq = get_u64(slot->seq);
	memcpy(point->chain.hash, slot->hash, sizeof(slot->hash));
	memcpy(point->chain.key, slot->key, sizeof(slot->key));
	point->newest_us = (int64_t)get_u64(slot->newest);
	point->end = get_u64(slot->end);
	point->inode = get_u64(slot->inode);
	state->fd = openat(state->dir, STATE_FILE, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	return state->fd < 0 ? -errno : 0;
}

/* --- the header --- */

static void add_string(struct json_object *record, const char *name, const char *value)
{
	json_object_object_add(record, name, json_object_new_string(value));
}

static void add_hex(struct json_object *record, const char *name, const uint8_t *bytes, size_t len)
{
	char text[2 * CHAIN_HASH_LEN + 1];

	sodium_bin2hex(text, sizeof(text), bytes, len);
	add_string(record, name, text);
}

static void add_base64(struct json_object *record, const char *name, const uint8_t *bytes, size_t len)
{
	char text[BASE64_MAX(SEALED_LEN)];

	sodium_bin2base64(text, sizeof(text), bytes, len, BASE64);
	add_string(record, name, text);
}

static void add_members(const struct logstate *state, const struct identity *log, struct json_object *record)
{
	add_hex(record, "log", log->id, sizeof(log->id));
	json_object_object_add(record, "log_first", json_object_new_uint64(log->first));
	add_base64(record, "public", state->public, sizeof(state->public));
	add_base64(record, "sealed", log->sealed, log->has_desk ? sizeof(log->sealed) : 0);
	add_string(record, "sealed_to", log->sealed_to);
}

static struct json_object *header_make(const struct logstate *state, const struct identity *log,
				       struct safedir_part *part)
{
	struct json_object *header = json_object_new_object();

	if (!header)
		return NULL;
	add_members(state, log, header);
	part->data = json_object_to_json_string_length(
		header, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &part->len);
	if (part->data)
		return header;
	json_object_put(header);
	return NULL;
}

/* Under its next name: whether there is room is known before anything else is changed. */
static int write_header(struct logstate *state, const struct identity *log)
{
	struct safedir_part parts[2] = { { .len = 0 }, { "\n", 1 } };
	struct json_object *header = header_make(state, log, &parts[0]);
	int r = header ? safedir_write(state->dir, HEADER_NEXT, 0644, parts, ARRAY_SIZE(parts)) : -ENOMEM;

	json_object_put(header);
	return r;
}

static int rename_header(struct logstate *state)
{
	return renameat(state->dir, HEADER_NEXT, state->dir, HEADER_FILE) < 0 ? -errno : safedir_sync(state->dir);
}

static bool header_is_right(const struct logstate *state)
{
	struct safedir_part part = { .len = 0 };
	struct json_object *header = header_make(state, &state->log, &part);
	char text[HEADER_MAX];
	size_t len = 0;
	bool right = header && !read_private(state->dir, HEADER_FILE, 022, text, sizeof(text), &len) &&
		     len == part.len + 1 && !memcmp(text, part.data, part.len);

	json_object_put(header);
	return right;
}

/* --- opening --- */

static int open_dir(struct logstate *state, const char *path)
{
	struct stat st;
	int r = safedir_make(path, &state->dir);

	if (r)
		return r < 0 ? r : -EPERM;
	if (fstat(state->dir, &st) < 0)
		return -errno;
	/* Made just now, or by hand: what is in it is nobody else's business. */
	if ((st.st_mode & 077) && fchmod(state->dir, 0700) < 0)
		return -errno;
	return 0;
}

int logstate_open(struct logstate **statep, const char *dir, struct logpoint *point)
{
	_cleanup_(logstate_freep) struct logstate *state = calloc(1, sizeof(*state));
	int key, place;

	if (!state)
		return -ENOMEM;
	state->dir = state->fd = -1;
	state->secret = secret_alloc(sizeof(*state->secret));
	if (!state->secret)
		return -ENOMEM;
	key = open_dir(state, dir);
	if (key)
		return key;
	key = read_key(state);
	place = key < 0 ? key : read_state(state, point);
	sodium_memzero(state->secret->slots, sizeof(state->secret->slots));
	if (place < 0)
		return place;
	/* Only a copy for people and programs: a power cut may have left the one before. */
	if (!key && !place && !header_is_right(state))
		state->header_stale = write_header(state, &state->log) || rename_header(state);
	*statep = TAKE_PTR(state);
	/* The terminal's key is written last: without it nothing was ever begun. */
	if (key == LOGSTATE_E_NONE)
		return LOGSTATE_E_NONE;
	return key || place ? LOGSTATE_E_LOST : 0;
}

struct logstate *logstate_free(struct logstate *state)
{
	if (state) {
		closep(&state->fd);
		closep(&state->dir);
		sodium_free(state->secret);
		free(state);
	}
	return NULL;
}

/* --- writing --- */

static int write_slot(struct logstate *state, const struct slot *slot, unsigned int n)
{
	ssize_t len = pwrite(state->fd, slot, SLOT_LEN, (off_t)n * SLOT_LEN);

	if (len != SLOT_LEN)
		return len < 0 ? -errno : -ENOSPC;
	return fdatasync(state->fd) < 0 ? -errno : 0;
}

static int save_slots(struct logstate *state, const struct identity *log, const struct logpoint *point,
		      const uint8_t *key)
{
	struct slot *slot = &state->secret->slots[0];
	int r = 0;

	memset(slot, 0, sizeof(*slot));
	memcpy(slot->magic, slot_magic, sizeof(slot_magic));
	put_u64(slot->generation, ++state->generation);
	put_u64(slot->first, log->first);
	put_u64(slot->seq, point->chain.seq);
	put_u64(slot->newest, (uint64_t)point->newest_us);
	put_u64(slot->end, point->end);
	put_u64(slot->inode, point->inode);
	memcpy(slot->id, log->id, sizeof(log->id));
	memcpy(slot->hash, point->chain.hash, sizeof(slot->hash));
	memcpy(slot->key, key, sizeof(slot->key));
	slot->why = (uint8_t)log->why;
	slot->has_desk = log->has_desk;
	if (log->has_desk) {
		memcpy(slot->desk, log->desk, sizeof(slot->desk));
		memcpy(slot->sealed, log->sealed, sizeof(slot->sealed));
	}
	slot_sum(slot->sum, slot);
	for (unsigned int i = 0; i < 2 && !r; i++)
		r = write_slot(state, slot, i);
	sodium_memzero(slot, sizeof(*slot));
	return r;
}

int logstate_save(struct logstate *state, const struct logpoint *point)
{
	int r = save_slots(state, &state->log, point, point->chain.key);

	if (!r && state->header_stale)
		state->header_stale = write_header(state, &state->log) || rename_header(state);
	return r;
}

static int write_key(struct logstate *state)
{
	struct safedir_part part = { state->secret->sign, sizeof(state->secret->sign) };
	int r;

	if (state->has_key)
		return 0;
	r = safedir_write(state->dir, KEY_FILE, 0600, &part, 1);
	if (!r)
		r = safedir_sync(state->dir);
	state->has_key = !r;
	return r;
}

/* The old state goes by being written over, not only by its name. */
static int make_state_file(struct logstate *state)
{
	_cleanup_(closep) int fd = openat(state->dir, STATE_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || fchmod(fd, 0600) < 0 || ftruncate(fd, (off_t)2 * SLOT_LEN) < 0)
		return -errno;
	closep(&state->fd);
	state->fd = TAKE_FD(fd);
	return 0;
}

int logstate_prepare(struct logstate *state, const uint8_t *desk_public, enum logstate_why why)
{
	uint8_t plain[CHAIN_KEY_LEN + CHAIN_ID_LEN];
	struct identity *next = &state->next;
	int r = 0;

	*next = (struct identity){ .why = why };
	randombytes_buf(next->id, sizeof(next->id));
	randombytes_buf(state->secret->next_key, sizeof(state->secret->next_key));
	identity_set_desk(next, desk_public);
	if (desk_public) {
		memcpy(plain, state->secret->next_key, CHAIN_KEY_LEN);
		memcpy(plain + CHAIN_KEY_LEN, next->id, CHAIN_ID_LEN);
		if (crypto_box_seal(next->sealed, plain, sizeof(plain), desk_public))
			r = -EKEYREJECTED;
		sodium_memzero(plain, sizeof(plain));
	}
	state->prepared = !r;
	return r;
}

void logstate_drop_prepared(struct logstate *state)
{
	state->prepared = false;
	sodium_memzero(state->secret->next_key, sizeof(state->secret->next_key));
}

int logstate_begin_prepared(struct logstate *state, struct logpoint *point)
{
	struct logpoint place = { .chain.seq = point->chain.seq, .newest_us = point->newest_us };
	struct identity *next = &state->next;
	int r;

	if (!state->prepared)
		return -EINVAL;
	memcpy(place.chain.hash, point->chain.hash, sizeof(place.chain.hash));
	if (!state->has_key)
		crypto_sign_keypair(state->public, state->secret->sign);
	next->first = point->chain.seq + 1;
	r = write_header(state, next);
	if (!r)
		r = make_state_file(state);
	if (!r)
		r = save_slots(state, next, &place, state->secret->next_key);
	if (!r)
		r = safedir_sync(state->dir);
	if (!r)
		r = write_key(state);
	if (r) {
		unlinkat(state->dir, HEADER_NEXT, 0);
		return r;
	}
	state->log = *next;
	memcpy(point->chain.key, state->secret->next_key, sizeof(point->chain.key));
	point->end = point->inode = 0;
	logstate_drop_prepared(state);
	state->header_stale = rename_header(state);
	return 0;
}

int logstate_begin(struct logstate *state, const uint8_t *desk_public, enum logstate_why why,
		   struct logpoint *point)
{
	int r = logstate_prepare(state, desk_public, why);

	return r ? r : logstate_begin_prepared(state, point);
}

/* --- asking --- */

void logstate_add_members(const struct logstate *state, struct json_object *record)
{
	add_members(state, &state->log, record);
}

void logstate_add_prepared(const struct logstate *state, struct json_object *record)
{
	const struct identity *next = &state->next;
	uint8_t hash[CHAIN_HASH_LEN];

	crypto_generichash(hash, sizeof(hash), next->sealed, next->has_desk ? sizeof(next->sealed) : 0, NULL, 0);
	add_hex(record, "next_log", next->id, sizeof(next->id));
	add_hex(record, "sealed_hash", hash, sizeof(hash));
	add_string(record, "sealed_to", next->sealed_to);
}

uint64_t logstate_first(const struct logstate *state)
{
	return state->log.first;
}

enum logstate_why logstate_why(const struct logstate *state)
{
	return state->log.why;
}

const uint8_t *logstate_id(const struct logstate *state)
{
	return state->log.id;
}

const char *logstate_sealed_to(const struct logstate *state)
{
	return state->log.sealed_to;
}

void logstate_sign(const struct logstate *state, uint8_t signature[static 64], const uint8_t *message,
		   size_t len)
{
	crypto_sign_detached(signature, NULL, message, len, state->secret->sign);
}

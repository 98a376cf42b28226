// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "system/policyhistory.h"
#include "system/safedir.h"
#include "system/textfile.h"

#define FLOOR_NAME "floor"
#define INDEX_NAME "index.jsonl"
/* Room for some hundred thousand entries. */
#define INDEX_FILE_MAX (64u << 20)
#define INDEX_DEPTH 4
/* N.policy, N.k.minisig; N is a 64-bit number. */
#define NAME_MAX_LEN 48

static void json_freep(struct json_object **object)
{
	json_object_put(*object);
}

static void tokener_freep(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

static char *path_join(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static void policy_name(uint64_t n, char out[static NAME_MAX_LEN])
{
	snprintf(out, NAME_MAX_LEN, "%" PRIu64 ".policy", n);
}

static void signature_name(uint64_t n, unsigned int k, char out[static NAME_MAX_LEN])
{
	snprintf(out, NAME_MAX_LEN, "%" PRIu64 ".%u.minisig", n, k);
}

int policyhistory_path(const char *dir, uint64_t n, char **pathp)
{
	char name[NAME_MAX_LEN];

	policy_name(n, name);
	*pathp = path_join(dir, name);
	return *pathp ? 0 : -ENOMEM;
}

/* --- floor --------------------------------------------------------------------------------------
 */

/* Is there anything that is only ever written after a floor? */
static int has_copies(int dir)
{
	static const char *const suffixes[] = {".policy", INDEX_NAME};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char **names;
		size_t n;
		int r = safedir_list(dir, "", suffixes[i], 1, &names, &n);

		if (r == SAFEDIR_E_MANY)
			return 1;
		if (r)
			return r;
		safedir_free_names(names, n);
		if (n)
			return 1;
	}
	return 0;
}

int policyhistory_floor(const char *dir, struct floor *floor)
{
	_cleanup_(freep) char *path = path_join(dir, FLOOR_NAME);
	_cleanup_(freep) char *text = NULL;
	_cleanup_(closep) int fd = -1;
	size_t len;
	int r;

	floor_init(floor);
	if (!path)
		return -ENOMEM;
	r = safedir_open(dir, &fd);
	if (r == SAFEDIR_E_ABSENT)
		return POLICYHISTORY_E_NONE;
	if (r)
		return r < 0 ? r : POLICYHISTORY_E_UNSAFE;
	r = textfile_read(path, FLOOR_TEXT_MAX, &text, &len);
	switch (r) {
	case 0:
		return floor_parse(floor, text, len) ? 0 : POLICYHISTORY_E_DAMAGED;
	case TEXTFILE_E_ABSENT:
		r = has_copies(fd);
		return r < 0 ? r : r ? POLICYHISTORY_E_DAMAGED : POLICYHISTORY_E_NONE;
	case TEXTFILE_E_UNSAFE:
		return POLICYHISTORY_E_UNSAFE;
	case TEXTFILE_E_LARGE:
		return POLICYHISTORY_E_DAMAGED;
	default:
		return r;
	}
}

static int floor_write(int dir, const struct floor *floor)
{
	struct safedir_part part;
	char text[FLOOR_TEXT_MAX];
	int r;

	part = (struct safedir_part){.data = text, .len = floor_format(floor, text)};
	r = safedir_write(dir, FLOOR_NAME, 0644, &part, 1);
	return r ? r : safedir_sync(dir);
}

/* --- copies -------------------------------------------------------------------------------------
 */

static int read_outcome(int r)
{
	if (r <= 0)
		return r;
	return r == POLICYFILES_E_UNSAFE || r == POLICYFILES_E_UNSAFE_DIR ? POLICYHISTORY_E_UNSAFE
									  : POLICYHISTORY_E_DAMAGED;
}

static int signature_read(const char *dir, uint64_t n, unsigned int k, struct policyfiles *files)
{
	_cleanup_(freep) char *path = NULL;
	char name[NAME_MAX_LEN];

	signature_name(n, k, name);
	path = path_join(dir, name);
	return path ? read_outcome(policyfiles_read_signature(files, path)) : -ENOMEM;
}

int policyhistory_read(const char *dir, const struct floor *floor, struct policyfiles *files)
{
	_cleanup_(freep) char *path = NULL;
	char seal[FLOOR_DIGEST_MAX];
	int r;

	if (!floor->entry)
		return POLICYHISTORY_E_NONE;
	r = policyhistory_path(dir, floor->entry, &path);
	if (!r)
		r = read_outcome(policyfiles_read_text(files, path));
	for (unsigned int k = 1; !r && k <= floor->n_signatures; k++)
		r = signature_read(dir, floor->entry, k, files);
	if (r)
		return r;
	policyfiles_seal(files, seal);
	return strcmp(seal, floor->seal) != 0 ? POLICYHISTORY_E_DAMAGED : 0;
}

/* What an unfinished step left under the number that is to be used now. */
static int strays_remove(int dir, uint64_t n)
{
	char prefix[NAME_MAX_LEN];
	char **names;
	size_t n_names;
	int r;

	snprintf(prefix, sizeof(prefix), "%" PRIu64 ".", n);
	r = safedir_list(dir, prefix, "", 256, &names, &n_names);
	if (r)
		return r < 0 ? r : -ENOTEMPTY;
	for (size_t i = 0; !r && i < n_names; i++)
		if (unlinkat(dir, names[i], 0) < 0 && errno != ENOENT)
			r = -errno;
	safedir_free_names(names, n_names);
	return r;
}

static int copies_write(int dir, uint64_t n, const struct policyfiles *files)
{
	struct safedir_part part = {.data = files->text, .len = files->len};
	char name[NAME_MAX_LEN];
	int r = strays_remove(dir, n);

	if (r)
		return r;
	policy_name(n, name);
	r = safedir_write(dir, name, 0644, &part, 1);
	for (unsigned int i = 0; !r && i < files->n_signatures; i++) {
		part = (struct safedir_part){.data = files->signatures[i].text,
					     .len = files->signatures[i].len};
		signature_name(n, i + 1, name);
		r = safedir_write(dir, name, 0644, &part, 1);
	}
	return r ? r : safedir_sync(dir);
}

/* --- index --------------------------------------------------------------------------------------
 */

static void entry_deinit(struct policyhistory_entry *entry)
{
	for (size_t i = 0; i < entry->n_signers; i++)
		free(entry->signers[i]);
	free(entry->signers);
	free(entry->id);
}

void policyhistory_free_entries(struct policyhistory_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++)
		entry_deinit(&entries[i]);
	free(entries);
}

static struct json_object *entry_to_json(const struct policyhistory_entry *entry)
{
	struct json_object *object = json_object_new_object();
	struct json_object *signers = json_object_new_array();

	json_object_object_add(object, "n", json_object_new_uint64(entry->n));
	json_object_object_add(object, "accepted_at", json_object_new_string(entry->accepted_at));
	json_object_object_add(object, "id", json_object_new_string(entry->id));
	json_object_object_add(object, "version", json_object_new_uint64(entry->version));
	json_object_object_add(object, "digest", json_object_new_string(entry->digest));
	json_object_object_add(object, "signed", json_object_new_boolean(entry->is_signed));
	json_object_object_add(object, "signatures",
			       json_object_new_int64((int64_t)entry->n_signatures));
	for (size_t i = 0; i < entry->n_signers; i++)
		json_object_array_add(signers, json_object_new_string(entry->signers[i]));
	json_object_object_add(object, "signers", signers);
	return object;
}

/* The member if it has the type, else NULL. */
static struct json_object *member(struct json_object *object, const char *key, enum json_type type)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

static int entry_set_signers(struct policyhistory_entry *entry, struct json_object *signers)
{
	size_t n = signers ? json_object_array_length(signers) : 0;

	entry->signers = calloc(n + 1, sizeof(*entry->signers));
	if (!entry->signers)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(signers, i));

		entry->signers[i] = strdup(name ? name : "");
		if (!entry->signers[i])
			return -ENOMEM;
		entry->n_signers++;
	}
	return 0;
}

/* 1 and *entry if the line is an entry, 0 if it is not, -ENOMEM. */
static int entry_parse(const char *line, size_t len, struct policyhistory_entry *entry)
{
	_cleanup_(tokener_freep) struct json_tokener *tokener = json_tokener_new_ex(INDEX_DEPTH);
	_cleanup_(json_freep) struct json_object *object = NULL;
	struct json_object *n, *at, *id, *version, *digest, *is_signed, *signatures;

	*entry = (struct policyhistory_entry){0};
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, line, (int)len);
	n = member(object, "n", json_type_int);
	at = member(object, "accepted_at", json_type_string);
	id = member(object, "id", json_type_string);
	version = member(object, "version", json_type_int);
	digest = member(object, "digest", json_type_string);
	is_signed = member(object, "signed", json_type_boolean);
	signatures = member(object, "signatures", json_type_int);
	if (!n || !at || !id || !version || !digest || !is_signed || !signatures)
		return 0;
	entry->n = json_object_get_uint64(n);
	snprintf(entry->accepted_at, sizeof(entry->accepted_at), "%s", json_object_get_string(at));
	entry->version = json_object_get_uint64(version);
	snprintf(entry->digest, sizeof(entry->digest), "%s", json_object_get_string(digest));
	entry->is_signed = json_object_get_boolean(is_signed);
	entry->n_signatures = (unsigned int)json_object_get_int(signatures);
	entry->id = strdup(json_object_get_string(id));
	if (entry->id && !entry_set_signers(entry, member(object, "signers", json_type_array)))
		return 1;
	entry_deinit(entry);
	return -ENOMEM;
}

/* 0, TEXTFILE_E_…, or negative errno; an index that is not there is empty. */
static int index_read(const char *dir, char **text, size_t *len)
{
	_cleanup_(freep) char *path = path_join(dir, INDEX_NAME);
	int r;

	if (!path)
		return -ENOMEM;
	r = textfile_read(path, INDEX_FILE_MAX, text, len);
	if (r == TEXTFILE_E_ABSENT) {
		*len = 0;
		*text = strdup("");
		r = *text ? 0 : -ENOMEM;
	}
	return r;
}

/* Appends the entries of a text up to number `last`. */
static int index_parse(const char *text, size_t len, uint64_t last,
		       struct policyhistory_entry **entries, size_t *n)
{
	for (size_t pos = 0; pos < len;) {
		const char *end = memchr(text + pos, '\n', len - pos);
		size_t line = end ? (size_t)(end - text) - pos : len - pos;
		struct policyhistory_entry entry, *more;
		int r = entry_parse(text + pos, line, &entry);

		pos += line + (end ? 1 : 0);
		if (r < 0)
			return r;
		if (!r)
			continue;
		if (!entry.n || entry.n > last) {
			entry_deinit(&entry);
			continue;
		}
		more = reallocarray(*entries, *n + 1, sizeof(**entries));
		if (!more) {
			entry_deinit(&entry);
			return -ENOMEM;
		}
		*entries = more;
		more[(*n)++] = entry;
	}
	return 0;
}

int policyhistory_list(const char *dir, struct policyhistory_entry **entries, size_t *n)
{
	_cleanup_(freep) char *text = NULL;
	struct floor floor;
	uint64_t last;
	size_t len;
	int r = policyhistory_floor(dir, &floor);

	*entries = NULL;
	*n = 0;
	if (r < 0 || r == POLICYHISTORY_E_UNSAFE)
		return r;
	/* Without its floor the list is still what helps most to repair the damage. */
	last = r == POLICYHISTORY_E_DAMAGED ? UINT64_MAX : floor.entry;
	r = index_read(dir, &text, &len);
	if (r)
		return r < 0 ? r : POLICYHISTORY_E_UNSAFE;
	r = index_parse(text, len, last, entries, n);
	if (r) {
		policyhistory_free_entries(*entries, *n);
		*entries = NULL;
		*n = 0;
	}
	return r;
}

/* Writes the index anew with one more line; what a broken step left at its end goes away. */
static int index_write(const char *dir, int fd, const struct policyhistory_entry *entry)
{
	struct policyhistory_entry *entries = NULL;
	_cleanup_(json_freep) struct json_object *all = json_object_new_array();
	_cleanup_(freep) char *text = NULL, *out = NULL;
	size_t n = 0, len, out_len = 0;
	struct safedir_part part;
	FILE *stream;
	int r = index_read(dir, &text, &len);

	if (!r)
		r = index_parse(text, len, entry->n - 1, &entries, &n);
	if (r)
		goto out;
	stream = open_memstream(&out, &out_len);
	r = stream ? 0 : -ENOMEM;
	for (size_t i = 0; !r && i <= n; i++) {
		_cleanup_(json_freep) struct json_object *line =
			entry_to_json(i < n ? &entries[i] : entry);

		fprintf(stream, "%s\n",
			json_object_to_json_string_ext(
				line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	if (stream && fclose(stream))
		r = -ENOMEM;
	part = (struct safedir_part){.data = out, .len = out_len};
	if (!r)
		r = safedir_write(fd, INDEX_NAME, 0644, &part, 1);
	if (!r)
		r = safedir_sync(fd);
out:
	policyhistory_free_entries(entries, n);
	return r > 0 ? -EPERM : r;
}

/* --- adding -------------------------------------------------------------------------------------
 */

int policyhistory_lock(const char *dir, int *lockp)
{
	_cleanup_(closep) int fd = -1;
	int r = safedir_make(dir, &fd);

	if (r)
		return r < 0 ? r : POLICYHISTORY_E_UNSAFE;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	*lockp = TAKE_FD(fd);
	return 0;
}

int policyhistory_add(const char *dir, int lock, const struct policyfiles *files,
		      struct policyhistory_entry *entry, struct floor *floor)
{
	struct floor next = {.entry = floor->entry + 1,
			     .version = entry->version,
			     .is_signed = floor->is_signed || entry->is_signed,
			     .n_signatures = (unsigned int)files->n_signatures};
	time_t now = time(NULL);
	struct tm tm;
	int r;

	memcpy(next.digest, entry->digest, sizeof(next.digest));
	policyfiles_seal(files, next.seal);
	entry->n = next.entry;
	entry->n_signatures = next.n_signatures;
	gmtime_r(&now, &tm);
	strftime(entry->accepted_at, sizeof(entry->accepted_at), "%Y-%m-%dT%H:%M:%SZ", &tm);

	/* See the top of policyhistory.h: a floor stands before the first copy does. */
	r = floor->entry ? 0 : floor_write(lock, floor);
	if (!r)
		r = copies_write(lock, next.entry, files);
	if (!r)
		r = index_write(dir, lock, entry);
	if (!r)
		r = floor_write(lock, &next);
	if (!r)
		*floor = next;
	return r;
}

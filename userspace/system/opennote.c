// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "system/opennote.h"
#include "system/safedir.h"
#include "system/textfile.h"

#define RUN "/run/sekimori"
#define DIRECTORY RUN "/volumes"
#define PREFIX "sekimori-"
#define NOTE_MAX 8192

bool opennote_mapping_valid(const char *mapping)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t len = strlen(mapping);

	return len > strlen(PREFIX) && len < OPENNOTE_MAPPING_MAX &&
	       !strncmp(mapping, PREFIX, strlen(PREFIX)) && strspn(mapping, allowed) == len;
}

static inline void json_objectp(struct json_object **object)
{
	json_object_put(*object);
}

static int open_directory(void)
{
	struct stat st;
	int fd;

	/* The daemon's own, and there; by hand it may be missing. */
	if (mkdir(RUN, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mkdir(DIRECTORY, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_uid || (st.st_mode & 077)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

int opennote_write(const char *mapping, const struct opennote *note)
{
	_cleanup_(json_objectp) struct json_object *object = json_object_new_object();
	_cleanup_(closep) int dir = open_directory();
	char name[OPENNOTE_MAPPING_MAX + 8];
	struct safedir_part part;

	if (dir < 0)
		return dir;
	if (!object)
		return -ENOMEM;
	json_object_object_add(object, "uid", json_object_new_int64(note->uid));
	json_object_object_add(object, "read_only", json_object_new_boolean(note->read_only));
	json_object_object_add(object, "open", json_object_new_boolean(note->open));
	add_text(object, "node", note->node);
	add_text(object, "uuid", note->uuid);
	add_text(object, "user", note->user);
	add_text(object, "mount", note->mount);
	part.data = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	if (!part.data)
		return -ENOMEM;
	part.len = strlen(part.data);
	snprintf(name, sizeof(name), "%s.json", mapping);
	return safedir_write(dir, name, 0600, &part, 1);
}

static bool take_text(struct json_object *object, const char *key, char *out, size_t size)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string) ||
	    (size_t)json_object_get_string_len(value) >= size)
		return false;
	strcpy(out, json_object_get_string(value));
	return true;
}

int opennote_read(const char *mapping, struct opennote *note)
{
	_cleanup_(json_objectp) struct json_object *object = NULL;
	_cleanup_(freep) char *text = NULL;
	char path[sizeof(DIRECTORY) + OPENNOTE_MAPPING_MAX + 8];
	size_t len;
	int r;

	*note = (struct opennote){ 0 };
	snprintf(path, sizeof(path), DIRECTORY "/%s.json", mapping);
	r = textfile_read(path, NOTE_MAX, &text, &len);
	if (r)
		return r == TEXTFILE_E_ABSENT ? OPENNOTE_E_ABSENT :
		       r > 0		      ? OPENNOTE_E_UNSAFE :
						r;
	object = json_tokener_parse(text);
	if (!object || !take_text(object, "node", note->node, sizeof(note->node)) ||
	    !take_text(object, "uuid", note->uuid, sizeof(note->uuid)) ||
	    !take_text(object, "user", note->user, sizeof(note->user)) ||
	    !take_text(object, "mount", note->mount, sizeof(note->mount)))
		return OPENNOTE_E_UNSAFE;
	note->uid = (uid_t)json_object_get_int64(json_object_object_get(object, "uid"));
	note->read_only = json_object_get_boolean(json_object_object_get(object, "read_only"));
	note->open = json_object_get_boolean(json_object_object_get(object, "open"));
	return 0;
}

void opennote_remove(const char *mapping)
{
	char path[sizeof(DIRECTORY) + OPENNOTE_MAPPING_MAX + 8];

	snprintf(path, sizeof(path), DIRECTORY "/%s.json", mapping);
	unlink(path);
	snprintf(path, sizeof(path), DIRECTORY "/%s.json.new", mapping);
	unlink(path);
}

size_t opennote_list(char (*mappings)[OPENNOTE_MAPPING_MAX], size_t max)
{
	static const char suffix[] = ".json";
	DIR *dir = opendir(DIRECTORY);
	struct dirent *entry;
	size_t n = 0;

	while (dir && n < max && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (len < sizeof(suffix) || strcmp(entry->d_name + len - (sizeof(suffix) - 1), suffix) ||
		    len - (sizeof(suffix) - 1) >= OPENNOTE_MAPPING_MAX)
			continue;
		memcpy(mappings[n], entry->d_name, len - (sizeof(suffix) - 1));
		mappings[n][len - (sizeof(suffix) - 1)] = '\0';
		n += opennote_mapping_valid(mappings[n]);
	}
	if (dir)
		closedir(dir);
	return n;
}

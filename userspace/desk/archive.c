// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/archive.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/macro.h"

#define VERSION 1
#define HEAD_SIZE 16
#define FILE_HEAD_SIZE 12

static const char magic[] = "SEKIDESK";

static uint8_t *put_le(uint8_t *out, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(value >> (8 * i));
	return out + size;
}

int archive_pack(const struct archive *archive, uint8_t **datap, size_t *len)
{
	size_t size = HEAD_SIZE;
	uint8_t *data, *at;

	for (size_t i = 0; i < archive->n; i++)
		size += FILE_HEAD_SIZE + strlen(archive->files[i].name) + archive->files[i].len;
	data = at = malloc(size);
	if (!data)
		return -ENOMEM;
	memcpy(at, magic, 8);
	at = put_le(at + 8, 4, VERSION);
	at = put_le(at, 4, archive->n);
	for (size_t i = 0; i < archive->n; i++) {
		const struct archive_file *file = &archive->files[i];
		size_t name = strlen(file->name);

		at = put_le(at, 2, name);
		at = put_le(at, 2, file->mode);
		at = put_le(at, 8, file->len);
		memcpy(at, file->name, name);
		at += name;
		memcpy(at, file->data, file->len);
		at += file->len;
	}
	*datap = data;
	*len = size;
	return 0;
}

/* Nothing outside the desk, and nothing that a desk does not have. */
static bool name_ok(const char *name)
{
	static const char *const places[] = {"keys/", "trust/"};

	if (!strcmp(name, "register.db"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		size_t n = strlen(places[i]);
		const char *rest = name + n;

		if (!strncmp(name, places[i], n) && *rest && *rest != '.' &&
		    !rest[strspn(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_.")])
			return true;
	}
	return false;
}

static bool take_file(struct bytes *view, size_t *pos, struct archive_file *file)
{
	uint64_t name, len;

	if (view->len - *pos < FILE_HEAD_SIZE)
		return false;
	name = bytes_le(view, *pos, 2);
	file->mode = (uint16_t)bytes_le(view, *pos + 2, 2);
	len = bytes_le(view, *pos + 4, 8);
	*pos += FILE_HEAD_SIZE;
	if (name >= sizeof(file->name) || view->len - *pos < name)
		return false;
	memcpy(file->name, view->data + *pos, name);
	file->name[name] = '\0';
	*pos += name;
	if (view->len - *pos < len || strlen(file->name) != name || !name_ok(file->name) ||
	    (file->mode != 0600 && file->mode != 0644))
		return false;
	file->data = view->data + *pos;
	file->len = (size_t)len;
	*pos += len;
	return true;
}

int archive_unpack(const uint8_t *data, size_t len, struct archive *archive)
{
	struct bytes view = {.data = data, .len = len};
	size_t pos = HEAD_SIZE;
	uint64_t n;

	*archive = (struct archive){0};
	if (len < HEAD_SIZE || memcmp(data, magic, 8) || bytes_le(&view, 8, 4) != VERSION)
		return ARCHIVE_E_FORM;
	n = bytes_le(&view, 12, 4);
	if (n > ARCHIVE_FILES_MAX)
		return ARCHIVE_E_FORM;
	while (archive->n < n) {
		struct archive_file *file = &archive->files[archive->n];

		if (!take_file(&view, &pos, file))
			return ARCHIVE_E_FORM;
		for (size_t i = 0; i < archive->n; i++)
			if (!strcmp(archive->files[i].name, file->name))
				return ARCHIVE_E_FORM;
		archive->n++;
	}
	return pos == len ? 0 : ARCHIVE_E_FORM;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/road.h"

static const char closed[] = "closed-", drilled[] = "drill-";

bool road_name_is_sound(const char *name)
{
	static const char sound[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:.";
	size_t len = strlen(name);

	return len && len <= ROAD_NAME_MAX && name[0] != '-' && strspn(name, sound) == len;
}

bool road_note_set(struct road_note *note, bool drill, const char *name)
{
	size_t len = strcspn(name, ":");

	if (!road_name_is_sound(name) || !len)
		return false;
	*note = (struct road_note){ .drill = drill };
	memcpy(note->name, name, len);
	return true;
}

bool road_note_parse(struct road_note *note, const char *file)
{
	bool drill = !strncmp(file, drilled, strlen(drilled));
	const char *begin = drill ? drilled : closed;

	if (strncmp(file, begin, strlen(begin)) || strchr(file, ':'))
		return false;
	return road_note_set(note, drill, file + strlen(begin));
}

void road_note_file(const struct road_note *note, char out[static ROAD_FILE_SIZE])
{
	snprintf(out, ROAD_FILE_SIZE, "%s%s", note->drill ? drilled : closed, note->name);
}

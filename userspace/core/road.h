/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notes of other roads than USB (docs/drill.md): sekimori-road leaves one when somebody tries a road, the daemon makes a record of it.
 *
 *	ROAD_NOTES_DIR/closed-sr_mod     the road was closed
 *	ROAD_NOTES_DIR/drill-sr_mod      it would have been, and a drill has opened it
 *
 * A note is an empty file of root's whose name says all; once its record is written it can be read only (0400). (Durable is the
 * record some milliseconds later: a power cut may take it along, as it takes the notes.) So each is told of once: in a boot, or in a
 * drill, at whose end its notes go. The directory is root's alone.
 */
#pragma once

#include <stdbool.h>

#define ROAD_NOTES_DIR "/run/sekimori/roads"

/* More are not left, and not read: there are nine drivers in udev-rules/sekimori-modprobe.conf, and some slots for cards. */
#define ROAD_NOTES_MAX 64

/* Bytes of a name: the kernel's longest, MODULE_NAME_LEN, is 64 bytes less a pointer. */
#define ROAD_NAME_MAX 56
#define ROAD_FILE_SIZE (sizeof("closed-") + ROAD_NAME_MAX)

struct road_note {
	bool drill; /* opened by a drill */
	char name[ROAD_NAME_MAX + 1];
};

/* Letters, digits and what else stands in names of modules and devices: it goes to logs and to modprobe. */
bool road_name_is_sound(const char *name);

/* False: no note has such a name. Of a card ("mmc0:aaaa") the slot is noted: what is in it says its own number. */
bool road_note_set(struct road_note *note, bool drill, const char *name);
bool road_note_parse(struct road_note *note, const char *file);

/* The name of its file. */
void road_note_file(const struct road_note *note, char out[static ROAD_FILE_SIZE]);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words for device classes: a name in files and on command lines, and a text for people. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/device-class.h"

/* "storage-plain"; "unknown" for a number that no class has. */
const char *device_class_name(enum device_class class);

/* For people, marked for translation. */
const char *device_class_text(enum device_class class);

bool device_class_find(const char *name, enum device_class *class);

/* All names with blanks between them, for messages about what is expected; and those of kinds that are known. */
#define DEVICE_CLASS_KNOWN_NAMES                                                                      \
	"storage-plain storage-encrypted camera-or-phone network printer audio-video serial composite " \
	"other"
#define DEVICE_CLASS_NAMES "unknown " DEVICE_CLASS_KNOWN_NAMES

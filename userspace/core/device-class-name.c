// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/device-class-name.h"
#include "core/mark-text.h"

static const struct {
	const char *name;
	const char *text;
} classes[N_DEVICE_CLASSES] = {
	[DEVICE_CLASS_UNKNOWN] = { "unknown", N_("a device of a kind that the terminal could not tell") },
	[DEVICE_CLASS_STORAGE_PLAIN] = { "storage-plain", N_("USB memory or disk, not encrypted") },
	[DEVICE_CLASS_STORAGE_ENCRYPTED] = { "storage-encrypted", N_("USB memory or disk, encrypted") },
	[DEVICE_CLASS_CAMERA_OR_PHONE] = { "camera-or-phone", N_("camera or telephone") },
	[DEVICE_CLASS_NETWORK] = { "network", N_("network or wireless device") },
	[DEVICE_CLASS_PRINTER] = { "printer", N_("printer") },
	[DEVICE_CLASS_AUDIO_VIDEO] = { "audio-video", N_("audio or video device") },
	[DEVICE_CLASS_SERIAL] = { "serial", N_("serial port or modem") },
	[DEVICE_CLASS_COMPOSITE] = { "composite", N_("storage together with another device in one") },
	[DEVICE_CLASS_OTHER] = { "other", N_("another kind of device") },
};

const char *device_class_name(enum device_class class)
{
	return classes[class < N_DEVICE_CLASSES ? class : DEVICE_CLASS_UNKNOWN].name;
}

const char *device_class_text(enum device_class class)
{
	return classes[class < N_DEVICE_CLASSES ? class : DEVICE_CLASS_UNKNOWN].text;
}

bool device_class_find(const char *name, enum device_class *class)
{
	for (unsigned int i = 0; i < N_DEVICE_CLASSES; i++)
		if (!strcmp(classes[i].name, name)) {
			*class = (enum device_class)i;
			return true;
		}
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device is to people, found by the terminal from what it proved and declared: the words in which a clerk at the desk is
 * told what is being asked for. The numbers stand in telephone codes (docs/telephone-code.md): they never change.
 */
#pragma once

#include <stdbool.h>

enum device_class {
	DEVICE_CLASS_UNKNOWN = 0,
	DEVICE_CLASS_STORAGE_PLAIN = 1,	    /* storage, not proved encrypted */
	DEVICE_CLASS_STORAGE_ENCRYPTED = 2, /* storage, all of it proved encrypted */
	DEVICE_CLASS_CAMERA_OR_PHONE = 3,   /* still image (PTP), MTP, vendor-specific with storage beside it */
	DEVICE_CLASS_NETWORK = 4,	    /* CDC ethernet, RNDIS, NCM, wireless controller */
	DEVICE_CLASS_PRINTER = 5,
	DEVICE_CLASS_AUDIO_VIDEO = 6,
	DEVICE_CLASS_SERIAL = 7,
	DEVICE_CLASS_COMPOSITE = 8,	    /* storage and something else that is not harmless */
	DEVICE_CLASS_OTHER = 9,
	N_DEVICE_CLASSES,
};

struct ident;
struct report;

/*
 * By all settings of all its interfaces: a device is what it can turn into. `suspect`: a storage driver has tried one that does not
 * say that it is storage. Without a report (NULL) storage counts as plain, for nothing is proved. Hubs, input devices and smart-card
 * readers are looked through. UNKNOWN: its descriptors are not whole.
 */
enum device_class device_class_of(const struct ident *ident, bool suspect, const struct report *report);

/* May what was granted to the one be used by the other? The same, or plain storage that was encrypted since. */
bool device_class_covers(enum device_class granted, enum device_class found);

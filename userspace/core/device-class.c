// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/device-class.h"
#include "core/ident.h"
#include "core/macro.h"
#include "core/report.h"

/* What one interface is for. */
enum kind {
	KIND_HARMLESS = 0,
	KIND_STORAGE = 1 << 0,
	KIND_CAMERA = 1 << 1,
	KIND_NETWORK = 1 << 2,
	KIND_PRINTER = 1 << 3,
	KIND_AUDIO_VIDEO = 1 << 4,
	KIND_SERIAL = 1 << 5,
	KIND_VENDOR = 1 << 6,
	KIND_OTHER = 1 << 7,
};

#define ANY 0x100

/* USB-IF "Defined Class Codes"; CDC 1.2, 4.3 (subclasses); the first row that matches. */
static const struct {
	uint16_t class, subclass, protocol;
	enum kind kind;
} kinds[] = {
	{ 0x03, ANY, ANY, KIND_HARMLESS },
	{ 0x09, ANY, ANY, KIND_HARMLESS },
	{ 0x0b, ANY, ANY, KIND_HARMLESS },
	{ 0x0a, ANY, ANY, KIND_HARMLESS }, /* CDC data: only ever half of a function */
	{ 0x08, ANY, ANY, KIND_STORAGE },
	{ 0x06, ANY, ANY, KIND_CAMERA },
	{ 0x02, 0x02, 0xff, KIND_NETWORK }, /* RNDIS says that it is a modem with a protocol of its own */
	{ 0x02, 0x02, ANY, KIND_SERIAL },
	{ 0x02, ANY, ANY, KIND_NETWORK },
	{ 0xe0, ANY, ANY, KIND_NETWORK },
	{ 0xef, 0x04, ANY, KIND_NETWORK }, /* RNDIS again */
	{ 0x07, ANY, ANY, KIND_PRINTER },
	{ 0x01, ANY, ANY, KIND_AUDIO_VIDEO },
	{ 0x0e, ANY, ANY, KIND_AUDIO_VIDEO },
	{ 0x10, ANY, ANY, KIND_AUDIO_VIDEO },
	{ 0xff, ANY, ANY, KIND_VENDOR },
};

static enum kind kind_of(const struct ident_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].class == type->class &&
		    (kinds[i].subclass == ANY || kinds[i].subclass == type->subclass) &&
		    (kinds[i].protocol == ANY || kinds[i].protocol == type->protocol))
			return kinds[i].kind;
	return KIND_OTHER;
}

static enum device_class storage_class(const struct report *report)
{
	return report && report->outcome == REPORT_PROVED ? DEVICE_CLASS_STORAGE_ENCRYPTED :
							    DEVICE_CLASS_STORAGE_PLAIN;
}

enum device_class device_class_of(const struct ident *ident, bool suspect, const struct report *report)
{
	unsigned int found = suspect ? KIND_STORAGE : KIND_HARMLESS;
	bool data = false;

	if (ident->malformed || !ident->n_types)
		return DEVICE_CLASS_UNKNOWN;
	for (unsigned int i = 0; i < ident->n_types; i++) {
		found |= kind_of(&ident->types[i]);
		data |= ident->types[i].class == 0x0a;
	}
	switch (found) {
	case KIND_HARMLESS:
		return data ? DEVICE_CLASS_SERIAL : DEVICE_CLASS_OTHER;
	case KIND_STORAGE:
		return storage_class(report);
	case KIND_CAMERA:
	case KIND_CAMERA | KIND_VENDOR:
	case KIND_STORAGE | KIND_CAMERA:
	case KIND_STORAGE | KIND_VENDOR:
	case KIND_STORAGE | KIND_CAMERA | KIND_VENDOR:
		return DEVICE_CLASS_CAMERA_OR_PHONE;
	case KIND_NETWORK:
	case KIND_NETWORK | KIND_SERIAL:
		return DEVICE_CLASS_NETWORK;
	case KIND_PRINTER:
		return DEVICE_CLASS_PRINTER;
	case KIND_AUDIO_VIDEO:
		return DEVICE_CLASS_AUDIO_VIDEO;
	case KIND_SERIAL:
		return DEVICE_CLASS_SERIAL;
	default:
		return found & KIND_STORAGE ? DEVICE_CLASS_COMPOSITE : DEVICE_CLASS_OTHER;
	}
}

bool device_class_covers(enum device_class granted, enum device_class found)
{
	return granted == found || granted == DEVICE_CLASS_UNKNOWN ||
	       (granted == DEVICE_CLASS_STORAGE_PLAIN && found == DEVICE_CLASS_STORAGE_ENCRYPTED);
}

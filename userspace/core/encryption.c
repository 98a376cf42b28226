// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/encryption.h"
#include "core/macro.h"

static const struct {
	const char *name;
	enum encryption method;
} methods[] = {
	{ "luks2", ENCRYPTION_LUKS2 },
	{ "luks1", ENCRYPTION_LUKS1 },
	{ "bitlocker", ENCRYPTION_BITLOCKER },
	{ "hardware", ENCRYPTION_HARDWARE },
};

unsigned int encryption_find(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (len == strlen(methods[i].name) && !memcmp(text, methods[i].name, len))
			return methods[i].method;
	return 0;
}

const char *encryption_name(unsigned int method)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (methods[i].method == method)
			return methods[i].name;
	return method == ENCRYPTION_OPTIONAL ? "optional" : "";
}

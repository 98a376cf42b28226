// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/volume.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int volume_refuse(char *detail, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(detail, VOLUME_DETAIL_MAX, format, args);
	va_end(args);
	return code;
}

/* dm-crypt's names for "not encrypted" all hold the word "null"; no useful cipher does. */
bool volume_cipher_encrypts(const char *cipher)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789-_:().,";

	return cipher && *cipher && !cipher[strspn(cipher, alphabet)] &&
	       !strcasestr(cipher, "null");
}
